/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/reconnect.h"

#include "core/engine-devices.h"
#include "core/job.h"
#include "core/run.h"
#include "core/status.h"
#include "util/error.h"
#include "util/log.h"

/** Threads that reconnect at once. */
#define RECONNECT_THREADS 16
/** How long clients may be kept waiting for engines that do not answer; those
 * that take longer are reconnected while clients are served already. */
#define RECONNECT_WAIT_MS 1000

/** What the threads share; the last of them and the starter frees it. */
typedef struct Round {
    gatomicrefcount refs;
    GMutex lock;
    GCond done;
    guint left;
} Round;

typedef struct Task {
    Round *round;
    CoreDomain *domain;
    CoreEngine *engine;
    bool autodestroy;
} Task;

void
core_reconnect_free(gpointer data)
{
    CoreReconnect *found = data;

    core_domain_unref(found->domain);
    g_clear_pointer(&found->record.vcpu_threads, g_array_unref);
    g_free(found);
}

static void
round_unref(Round *round)
{
    if (!g_atomic_ref_count_dec(&round->refs))
        return;
    g_cond_clear(&round->done);
    g_mutex_clear(&round->lock);
    g_free(round);
}

static const struct {
    int status;
    int reason;
} states[] = {
    [CORE_ENGINE_STATUS_RUNNING] = { VIR_DOMAIN_RUNNING,
                                     VIR_DOMAIN_RUNNING_UNPAUSED },
    [CORE_ENGINE_STATUS_PAUSED] = { VIR_DOMAIN_PAUSED,
                                    VIR_DOMAIN_PAUSED_UNKNOWN },
    [CORE_ENGINE_STATUS_SHUTDOWN] = { VIR_DOMAIN_SHUTDOWN,
                                      VIR_DOMAIN_SHUTDOWN_UNKNOWN },
    [CORE_ENGINE_STATUS_PANICKED] = { VIR_DOMAIN_CRASHED,
                                      VIR_DOMAIN_CRASHED_PANICKED },
};

/* The engine's word counts; the file's reason stays while the state does. */
static void
take_status(CoreDomain *domain, CoreEngineStatus status)
{
    if (domain->status != states[status].status)
        core_domain_set_state(domain, states[status].status,
                              states[status].reason);
    core_status_save(domain);
}

static void
not_connected(CoreDomain *domain, const GError *error)
{
    log_error("the engine of domain '%s' does not answer: %s", domain->name,
              error->message);
    domain->run->control_failed = true;
    domain->run->control_since = g_get_monotonic_time();
}

static bool
has_balloon(CoreDomain *domain)
{
    bool has;

    core_domain_lock(domain);
    has = domain->run && domain->def->has_balloon;
    core_domain_unlock(domain);
    return has;
}

static void
reconnect(CoreDomain *domain, CoreEngine *engine)
{
    g_autoptr(GError) error = NULL;
    CoreEngineStatus status;
    uint64_t balloon = 0; /* bytes */
    bool connected;

    core_domain_ref(domain); /* for the events, until EXITED */
    connected =
        engine->ops->reconnect(engine, core_run_event, domain, &status, &error);
    if (connected && has_balloon(domain) &&
        engine->ops->devices->balloon_actual)
        (void)engine->ops->devices->balloon_actual(engine, &balloon, NULL);
    core_domain_lock(domain);
    if (domain->run && domain->run->engine == engine) {
        if (balloon > 0)
            domain->run->balloon_kib = balloon / 1024;
        if (connected)
            take_status(domain, status);
        else
            not_connected(domain, error);
    }
    core_job_end(domain);
    core_domain_unlock(domain);
}

static void
autodestroy(CoreDomain *domain)
{
    core_domain_lock(domain);
    if (domain->run)
        (void)core_run_kill(domain, true, NULL);
    core_domain_retire_unlock(domain);
}

static void
run_task(gpointer data, gpointer unused)
{
    Task *task = data;
    Round *round = task->round;

    reconnect(task->domain, task->engine);
    if (task->autodestroy)
        autodestroy(task->domain);
    core_domain_unref(task->domain);
    core_engine_unref(task->engine);
    g_free(task);
    g_mutex_lock(&round->lock);
    round->left--;
    g_cond_signal(&round->done);
    g_mutex_unlock(&round->lock);
    round_unref(round);
}

/* The guest has ended while no daemon looked. */
static void
ended_meanwhile(CoreDomain *domain, const CoreEngineExit *end)
{
    CoreEngineEvent event = { .kind = CORE_ENGINE_EXITED,
                              .reason = end->reason,
                              .text = end->text };

    core_domain_lock(domain);
    core_run_ended(domain, &event);
    core_job_end(domain);
    core_domain_retire_unlock(domain);
}

static Task *
find_engine(VirtkvmState *state, const CoreReconnect *found)
{
    CoreDomain *domain = found->domain;
    CoreEngineExit end = { 0 };
    CoreEngine *engine;
    Task *task;

    if (state->host->hold)
        state->host->hold(state->host, 1);
    engine = state->profile->engine->find(state, domain->id, domain->name,
                                          &found->record, &end);
    if (!engine) {
        ended_meanwhile(domain, &end);
        g_free(end.reason);
        g_free(end.text);
        return NULL;
    }
    task = g_new0(Task, 1);
    task->domain = core_domain_ref(domain);
    task->engine = core_engine_ref(engine);
    core_domain_lock(domain);
    /* Destroying was under way, or its client has gone with the daemon. */
    task->autodestroy = found->autodestroy || domain->run->destroying;
    domain->run->engine = engine;
    domain->run->starting = false;
    core_domain_unlock(domain);
    return task;
}

static void
wait_round(Round *round)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)RECONNECT_WAIT_MS * 1000;

    g_mutex_lock(&round->lock);
    while (round->left > 0)
        if (!g_cond_wait_until(&round->done, &round->lock, deadline))
            break;
    g_mutex_unlock(&round->lock);
}

void
core_reconnect_all(VirtkvmState *state, GPtrArray *found)
{
    GThreadPool *pool;
    Round *round;

    if (found->len == 0)
        return;
    round = g_new0(Round, 1);
    g_atomic_ref_count_init(&round->refs);
    g_mutex_init(&round->lock);
    g_cond_init(&round->done);
    pool = g_thread_pool_new(run_task, NULL, RECONNECT_THREADS, FALSE, NULL);
    for (guint i = 0; i < found->len; i++) {
        Task *task = find_engine(state, found->pdata[i]);

        if (!task)
            continue;
        g_atomic_ref_count_inc(&round->refs);
        task->round = round;
        g_mutex_lock(&round->lock);
        round->left++;
        g_mutex_unlock(&round->lock);
        g_thread_pool_push(pool, task, NULL);
    }
    wait_round(round);
    state->reconnect_pool = pool; /* stateCleanup waits for it */
    round_unref(round);
}
