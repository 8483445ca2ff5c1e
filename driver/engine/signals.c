/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/signals.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* GLib's own signal sources need a thread of their own; a signalfd does not. */
static void
fill(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void
engine_signals_block(void)
{
    sigset_t set;

    fill(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static gboolean
on_signal(gint fd, GIOCondition condition, gpointer opaque)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        engine_quit(opaque, "host-quit");
    return G_SOURCE_CONTINUE;
}

void
engine_signals_watch(Engine *engine)
{
    sigset_t set;
    int fd;

    fill(&set);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    g_unix_fd_add(fd, G_IO_IN, on_signal, engine);
}
