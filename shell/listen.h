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

/** The options of commands that listen; @NAMES: of event types */
#define VSH_LISTEN_EVENT_OPTION(NAMES)                \
    {                                                 \
        .name = "event", .kind = VSH_OPTION_STRING,   \
        .help = N_("which event type to wait for"),   \
        .complete = vsh_complete_word, .words = NAMES \
    }
#define VSH_LISTEN_LOOP_OPTIONS                                            \
    VSH_FLAG("loop",                                                       \
             N_("loop until timeout or interrupt, rather than one-shot")), \
        { .name = "timeout",                                               \
          .kind = VSH_OPTION_NUMBER,                                       \
          .help = N_("timeout seconds") },                                 \
        VSH_FLAG("list", N_("list valid event types")),                    \
        VSH_FLAG("timestamp", N_("show timestamp for each printed event"))

/** vsh_listen_of: for the events of @queue, as those options say */
VshListen vsh_listen_of(VshShell *shell, VshEventQueue *queue,
                        const VshArgs *args);

/**
 * vsh_listen: print the events that come until one is enough, the time of the
 * option "timeout" is over, or the user interrupts
 * @error: CONNECT, TIMEOUT or INTERRUPTED if there was no event
 */
bool vsh_listen(VshListen *listen, const VshArgs *args, GError **error);
