/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/control-client.h"
#include "core/engine.h"
#include "core/state.h"
#include "engine/resolve/resolve.h"

/** How long a start may take until the guest runs. */
#define CORE_START_TIMEOUT_MS 60000
/** How long an engine that has closed its socket may take to be gone. */
#define CORE_EXIT_TIMEOUT_MS 5000

/**
 * The real engine: a process of its own, in a session of its own, that
 * outlives this one. Private to engine-*.c.
 */
typedef struct ProcessEngine {
    CoreEngine engine;
    VirtkvmState *state;
    int id;
    char *name; /* the domain's */
    pid_t pid;
    uint64_t start_time; /* ticks since boot: with pid, it is unique */
    int pidfd;
    GArray *masters; /* int: of its ptys; output outlives the engine by them */

    /* between spawn and begin */
    int machine_fd; /* pipe that waits for the machine document */
    int control_fd; /* connected */
    char *document;

    GMutex lock; /* the rest */
    GCond changed;
    CoreControl *control; /* NULL until begin */
    GSource *exit_source; /* on pidfd, I/O thread */
    CoreEngineEventFn event;
    gpointer opaque;
    bool killed; /* by request: its end needs no other explanation */
    bool exited;
    CoreEngineExit end; /* once exited */
    GArray *threads;    /* pid_t by vCPU, or NULL */
} ProcessEngine;

/* engine-launch.c */
ProcessEngine *core_process_new(VirtkvmState *state, int id, const char *name);
void core_process_free(CoreEngine *engine);
CoreEngine *core_process_spawn(const CoreEngineLaunch *launch, GError **error);
/** core_process_connect: to the control socket ID.control; -1 with @error */
int core_process_connect(VirtkvmState *state, int id, GError **error);

/** core_process_context: what resolving has to know of @state */
EngineResolveContext core_process_context(VirtkvmState *state);

/* engine-process.c */
/** core_process_ask: send a command and wait. Returns: what "return" holds,
 * owned; NULL on error */
json_t *core_process_ask(CoreEngine *engine, const CoreCommand *command,
                         GError **error);

/* engine-exit.c */
/** core_process_watch: deliver EXITED when the process ends */
void core_process_watch(ProcessEngine *engine);
CoreEngine *core_process_find(VirtkvmState *state, int id, const char *name,
                              const CoreEngineRecord *record,
                              CoreEngineExit *ret_exit);
/** core_process_wait_exit: until it has ended; false if it does not in time */
bool core_process_wait_exit(ProcessEngine *engine, unsigned timeout_ms);
