/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/i18n.h"

/* A signal handler reaches nothing else. */
static struct {
    volatile sig_atomic_t count;
    volatile sig_atomic_t scopes;
    bool interactive;
    int fd;
    const char *patience; /* translated: said at the first signal */
} noted = { .fd = -1 };

/* For a signal handler. */
static void
say(const char *text)
{
    if (text && write(STDERR_FILENO, text, strlen(text)) < 0) {
        /* nobody is there to read it */
    }
}

static void
handler(int number)
{
    int saved = errno;
    uint64_t one = 1;

    noted.count = noted.count + 1;
    if (noted.scopes == 0 && noted.count == 1) {
        say(noted.patience);
    } else if (noted.scopes == 0) {
        signal(number, SIG_DFL);
        raise(number);
    }
    if (write(noted.fd, &one, sizeof(one)) < 0) {
        /* the counter cannot overflow in a lifetime */
    }
    errno = saved;
}

static void
note_signal(bool on)
{
    struct sigaction action = { .sa_handler = on ? handler : SIG_DFL };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

void
vsh_interrupt_init(bool interactive)
{
    noted.interactive = interactive;
    noted.patience = _("\nwaiting for the command to end; Ctrl-C again ends "
                       "vshell\n");
    if (noted.fd < 0)
        noted.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interactive)
        note_signal(true);
}

void
vsh_interrupt_reset(void)
{
    uint64_t value;

    noted.count = 0;
    if (noted.fd >= 0 && read(noted.fd, &value, sizeof(value)) < 0)
        return; /* there was none */
}

void
vsh_interrupt_begin(void)
{
    noted.scopes = noted.scopes + 1;
    if (!noted.interactive)
        note_signal(true);
}

void
vsh_interrupt_end(void)
{
    noted.scopes = noted.scopes - 1;
    if (!noted.interactive && noted.scopes == 0)
        note_signal(false);
}

bool
vsh_interrupted(void)
{
    return noted.count > 0;
}

int
vsh_interrupt_fd(void)
{
    return noted.fd;
}

bool
vsh_interrupt_sleep(unsigned milliseconds)
{
    struct pollfd wait = { .fd = noted.fd, .events = POLLIN };

    if (vsh_interrupted())
        return false;
    poll(&wait, 1, (int)milliseconds);
    return !vsh_interrupted();
}
