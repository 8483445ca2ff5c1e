/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <virtkvm/driver.h>

#include "conf/capabilities.h"
#include "core/engine.h"

/** A thread that waits longer than this for a domain's job gives up. */
#define CORE_JOB_WAIT_MS 30000

/** A status file with a larger id is wrong: nobody starts so many domains. */
#define CORE_ID_MAX (G_MAXINT / 2)

/** What tells one driver module from another. */
typedef struct CoreProfile {
    const char *name; /* also the folder below the host's */
    const CoreEngineOps *engine;
    /** What guests can have of the host's CPU (host-cpu.h); NULL: nothing is
     * known of it */
    gpointer (*host_fill)(ConfHost *host);
    void (*host_free)(gpointer kept);
    const struct CoreNetworkOps *networks; /* NULL: they are records only */
} CoreProfile;

typedef struct CoreList CoreList;
typedef struct CoreNetworks CoreNetworks;
typedef struct CoreHostFacts CoreHostFacts;

/** One driver, initialised. Fields without a comment are constant. */
struct VirtkvmState {
    const VirtkvmHost *host;
    const CoreProfile *profile;
    char *config_dir;    /* NAME.xml */
    char *autostart_dir; /* NAME.xml, links into config_dir */
    char *run_dir;       /* NAME.xml (status), ID.control, ID.exit */
    char *log_dir;       /* NAME.log */
    char *boot_id;
    CoreList *list; /* has its own lock */
    CoreNetworks *networks; /* has its own locks */
    /* The I/O thread: engines' sockets, pidfds, timers. Whatever runs there
     * may take a domain's lock and must never wait for an engine. */
    GMainContext *io;
    GThread *io_thread;
    GThread *autostart_thread;
    GThreadPool *reconnect_pool; /* or NULL */
    int run_dir_fd;
    gint next_id;   /* atomic */
    gint io_ending; /* atomic */
    gint stopping;  /* atomic: stateCleanup has begun */
    unsigned job_wait_ms;
    CoreHostFacts *facts; /* has its own lock */
};

/** core_state_next_id: an id that no running domain has had in this state */
int core_state_next_id(VirtkvmState *state);
/** core_state_note_id: ids up to @id are taken */
void core_state_note_id(VirtkvmState *state, int id);

VirtkvmState *core_state_initialize(const CoreProfile *profile,
                                    const VirtkvmHost *host, bool autostart,
                                    GError **error);
bool core_state_reload(VirtkvmState *state, GError **error);
void core_state_cleanup(VirtkvmState *state);
