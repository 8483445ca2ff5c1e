/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/chardev-tty.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "util/fd.h"

/* The terminal's settings before ours. A signal handler can reach nothing but
 * static data; the process has only one controlling terminal. */
static struct {
    volatile sig_atomic_t armed;
    int fd;
    struct termios before;
} terminal;

static const int fatal_signals[] = { SIGABRT, SIGBUS,  SIGFPE, SIGILL,
                                     SIGQUIT, SIGSEGV, SIGSYS };

void
engine_tty_restore(void)
{
    if (!terminal.armed)
        return;
    terminal.armed = 0;
    (void)tcsetattr(terminal.fd, TCSANOW, &terminal.before);
}

static void
on_fatal(int signum)
{
    engine_tty_restore();
    /* SA_RESETHAND has put the default back: die of the same signal. */
    (void)raise(signum);
}

static void
arm_restore(void)
{
    static gsize once;
    struct sigaction action = { .sa_handler = on_fatal,
                                .sa_flags = (int)SA_RESETHAND };

    if (!g_once_init_enter(&once))
        return;
    atexit(engine_tty_restore);
    for (size_t i = 0; i < G_N_ELEMENTS(fatal_signals); i++)
        (void)sigaction(fatal_signals[i], &action, NULL);
    g_once_init_leave(&once, 1);
}

bool
engine_tty_raw(int fd)
{
    struct termios raw;

    /* A background job that touched the terminal would be stopped. */
    if (terminal.armed || !isatty(fd) || tcgetpgrp(fd) != getpgrp() ||
        tcgetattr(fd, &terminal.before) < 0)
        return false;
    arm_restore();
    raw = terminal.before;
    cfmakeraw(&raw);
    /* Messages of our own on the same terminal still need carriage returns. */
    raw.c_oflag |= OPOST | ONLCR;
    terminal.fd = fd;
    terminal.armed = 1;
    if (tcsetattr(fd, TCSADRAIN, &raw) < 0) {
        terminal.armed = 0;
        return false;
    }
    return true;
}

int
engine_tty_prepare_pty(int master_fd)
{
    g_auto(Fd) slave = -1;
    struct termios settings;
    int unlocked = 0;

    if (ioctl(master_fd, TIOCSPTLCK, &unlocked) < 0)
        return -1;
    slave = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || tcgetattr(slave, &settings) < 0)
        return -1;
    /* With echo on, the guest's own output would come back as its input. */
    cfmakeraw(&settings);
    if (tcsetattr(slave, TCSANOW, &settings) < 0)
        return -1;
    return fd_steal(&slave);
}
