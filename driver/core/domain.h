/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <virtkvm/driver.h>

#include "core/def.h"
#include "core/engine.h"
#include "core/state.h"

/** No client's number. */
#define CORE_NO_CLIENT G_MAXUINT64

/** What only an active domain has. Fields: under the domain's lock. */
typedef struct CoreRun {
    CoreEngine *engine;   /* NULL until spawned */
    bool starting;        /* events wait in `deferred` until it has started */
    GQueue deferred;      /* CoreEngineEvent, owned */
    bool destroying;      /* a call ends it: DESTROYED, whatever else happens */
    bool shutdown_seen;   /* the SHUTDOWN event has been sent */
    bool control_failed;  /* domcontrol: error */
    gint64 control_since; /* monotonic us */
    guint64 autodestroy;  /* client whose end ends it, CORE_NO_CLIENT: none */
    GHashTable *limits;   /* of what a guest can make happen: run-limit.c */
    uint64_t balloon_kib; /* what the guest has now; 0: what was wanted */
    char *unplugging;     /* alias of the device that a call waits for */
    bool unplug_refused;  /* the guest does not let it go */
    int pause_reason;     /* virDomainPausedReason for the next STOP event */
    unsigned resumed;     /* how often */
    char **warnings;      /* of its start, and of devices since */
    GHashTable *consoles; /* path -> CoreConsole, see console.c */
} CoreRun;

/** The call that is changing a domain; one at a time. */
typedef struct CoreJob {
    const char *holder; /* the operation's name; NULL: free */
    gint64 since;       /* monotonic us */
    GThread *thread;
} CoreJob;

/**
 * A domain. Counted references; the fields are under the lock, which is held
 * for moments only: never across a call to the engine, a fsync or a wait. What
 * takes longer runs under the job, with the lock released. Lock order: list,
 * domain.
 */
typedef struct CoreDomain {
    gatomicrefcount refs;
    GMutex lock;
    GCond changed; /* a job has ended, a run has ended, removed */
    VirtkvmState *state;
    unsigned char uuid[VIR_UUID_BUFLEN]; /* constant */
    char *name;       /* changed only under the list's lock and the domain's */
    int id;           /* -1: not active */
    int status;       /* virDomainState */
    int reason;       /* of that state */
    CoreDef *def;     /* of the running domain, else the persistent one */
    CoreDef *new_def; /* persistent and active: for the next start */
    bool persistent;
    bool autostart;
    bool updated;  /* changed since it was started */
    bool removing; /* no longer in the list; wait for nothing */
    CoreJob job;
    CoreRun *run;  /* active only */
    char *failure; /* what ended the last run, if it was not the user */
} CoreDomain;

CoreDomain *core_domain_new(VirtkvmState *state, const unsigned char *uuid,
                            const char *name);
CoreDomain *core_domain_ref(CoreDomain *domain);
void core_domain_unref(CoreDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CoreDomain, core_domain_unref)

void core_domain_lock(CoreDomain *domain);
void core_domain_unlock(CoreDomain *domain);

static inline bool
core_domain_active(const CoreDomain *domain)
{
    return domain->id != -1;
}

/** core_domain_exists: false while a first definition is still being written,
 * and once it has been removed */
bool core_domain_exists(const CoreDomain *domain);

/** core_domain_config: the persistent definition, NULL of a transient domain */
CoreDef *core_domain_config(const CoreDomain *domain);

/** core_domain_memory_kib: what the guest has now or, inactive, would have */
uint64_t core_domain_memory_kib(const CoreDomain *domain);

/** core_domain_set_config: @def (owned) becomes the persistent definition */
void core_domain_set_config(CoreDomain *domain, CoreDef *def);

/** core_domain_retire: with the lock held; if nothing keeps the domain (not
 * persistent, not active), take it out of the list. Releases the lock. */
void core_domain_retire_unlock(CoreDomain *domain);

void core_domain_set_state(CoreDomain *domain, int status, int reason);

/** core_domain_to_ref: what goes over the wire */
void core_domain_to_ref(const CoreDomain *domain, VirtkvmDomainRef *ret_ref);

/** core_domain_ref_clear: as a GDestroyNotify for arrays of VirtkvmDomainRef */
void core_domain_ref_clear(gpointer ref);
