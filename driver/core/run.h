/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/domain.h"
#include "core/domain.h"

/** A forced end that takes longer than this is an error. */
#define CORE_KILL_WAIT_MS 15000
/* What an engine has to end in order before it is killed. */
#define CORE_TERMINATE_WAIT_MS 1000
/** How long a graceful end may take. */
#define CORE_GRACEFUL_WAIT_MS 10000

typedef struct CoreStart {
    ConfDomain *conf;    /* what to run; becomes the live definition */
    bool paused;         /* do not let the guest run yet */
    bool reset_nvram;    /* its firmware's variables begin anew */
    guint64 autodestroy; /* client id, or CORE_NO_CLIENT */
} CoreStart;

/* All with the domain's lock held; those that wait release it meanwhile. */

/**
 * core_run_start: make the domain active
 *
 * With the job held, the domain inactive. Its persistent definition, if any,
 * waits in new_def. Sends the events. On failure the domain is inactive again.
 */
bool core_run_start(CoreDomain *domain, const CoreStart *start, GError **error);

/** core_run_kill: end it and wait until it is inactive; no job needed.
 * @force: at once; else the engine is asked to */
bool core_run_kill(CoreDomain *domain, bool force, GError **error);

/** core_run_set_paused/_running: the state and its event, once: the engine's
 * event and its answer to the call both lead here. */
void core_run_set_paused(CoreDomain *domain, int reason);
void core_run_set_running(CoreDomain *domain, int reason);

/** core_run_can_resume: is it paused, or kept after a panic? */
bool core_run_can_resume(const CoreDomain *domain);

/** core_run_event: CoreEngineEventFn; @domain without its lock */
void core_run_event(CoreEngine *engine, gpointer domain,
                    const CoreEngineEvent *event);

/** core_run_handle: act on an event of a run that has started */
void core_run_handle(CoreDomain *domain, const CoreEngineEvent *event);

/** What a guest can make happen at will is told at most so often, the last of
 * a kind always. */
#define CORE_LIMIT_MS 1000

/** core_run_limit: tell @event now or, if one like it has just been told, later
 */
void core_run_limit(CoreDomain *domain, const CoreEngineEvent *event);
/** core_run_tell: act on an event about devices or the clock, and tell clients
 */
void core_run_tell(CoreDomain *domain, const CoreEngineEvent *event);

/** core_run_event_copy: with what it points to */
CoreEngineEvent *core_run_event_copy(const CoreEngineEvent *event);
/** core_run_event_free: of a copy */
void core_run_event_free(gpointer event);

/** A run's warnings that are kept, beyond which they are in the log only. */
#define CORE_RUN_WARNINGS_MAX 64
/** core_run_add_warnings: show @warnings (char *), each once, with those of the
 * start; the domain is active */
void core_run_add_warnings(CoreDomain *domain, const GPtrArray *warnings);

/** core_run_ended: the engine is gone, as @event tells */
void core_run_ended(CoreDomain *domain, const CoreEngineEvent *event);

/** core_run_interrupt: calls that wait for its engine fail; takes the lock */
void core_run_interrupt(CoreDomain *domain);
/** core_run_detach: forget the engine, which runs on; takes the lock itself */
void core_run_detach(CoreDomain *domain);

CoreRun *core_run_new(void);
void core_run_free(CoreRun *run); /* NULL is fine */
