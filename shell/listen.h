/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/event.h"
#include "shell/shell.h"

/** What a command waits for, and what came. */
typedef struct VshListen {
    VshShell *shell;
    VshEventQueue *queue;
    bool loop;          /* go on after the first event */
    bool timestamp;     /* before each event */
    gint64 deadline_us; /* monotonic; 0: none */
    unsigned received;
} VshListen;

/**
 * vsh_listen: print the events that come until one is enough, the time of the
 * option "timeout" is over, or the user interrupts
 * @error: CONNECT, TIMEOUT or INTERRUPTED if there was no event
 */
bool vsh_listen(VshListen *listen, const VshArgs *args, GError **error);
