/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/pool.h"

#include <glib.h>
#include <pthread.h>

#include "util/i18n.h"
#include "util/log.h"

/* An idle worker ends after so long: its stack's pages go back. */
#define IDLE_US (5 * G_USEC_PER_SEC)

/* libxml2 and schema validation recurse; 8 MiB would only be address space,
 * but a thread's guard and arena come with it. */
#define STACK_SIZE (1024 * 1024)

typedef struct Job {
    RpcJob run;
    void *data;
} Job;

/* One sort of worker; the mutex of the pool guards it. */
typedef struct Crew {
    RpcPool *pool;
    bool urgent_only;
    unsigned max;
    unsigned running;
    unsigned idle;
    GCond work;
} Crew;

struct RpcPool {
    GMutex lock;
    GCond ended;
    GQueue urgent;
    GQueue ordinary;
    Crew all;   /* takes both queues */
    Crew quick; /* takes urgent jobs only */
    bool open;
    bool stopping;
};

RpcPool *
rpc_pool_new(unsigned workers, unsigned urgent_workers)
{
    RpcPool *pool = g_new0(RpcPool, 1);

    g_mutex_init(&pool->lock);
    g_cond_init(&pool->ended);
    g_queue_init(&pool->urgent);
    g_queue_init(&pool->ordinary);
    pool->all = (Crew){ .pool = pool, .max = workers };
    pool->quick =
        (Crew){ .pool = pool, .max = urgent_workers, .urgent_only = true };
    g_cond_init(&pool->all.work);
    g_cond_init(&pool->quick.work);
    return pool;
}

static Job *
take(Crew *crew)
{
    Job *job;

    if (!crew->pool->open)
        return NULL;
    job = g_queue_pop_head(&crew->pool->urgent);
    if (!job && !crew->urgent_only)
        job = g_queue_pop_head(&crew->pool->ordinary);
    return job;
}

/* Waits for a job; NULL when the worker shall end. Called with the lock. */
static Job *
wait_for_job(Crew *crew)
{
    RpcPool *pool = crew->pool;
    gint64 until = g_get_monotonic_time() + IDLE_US;
    bool in_time = true;
    Job *job;

    while (!(job = take(crew)) && !pool->stopping && in_time) {
        crew->idle++;
        in_time = g_cond_wait_until(&crew->work, &pool->lock, until);
        crew->idle--;
    }
    return job ? job : take(crew);
}

static void *
work(void *data)
{
    Crew *crew = data;
    RpcPool *pool = crew->pool;
    Job *job;

    g_mutex_lock(&pool->lock);
    while ((job = wait_for_job(crew))) {
        g_mutex_unlock(&pool->lock);
        job->run(job->data);
        g_free(job);
        g_mutex_lock(&pool->lock);
    }
    crew->running--;
    g_cond_signal(&pool->ended);
    g_mutex_unlock(&pool->lock);
    return NULL;
}

static bool
start_worker(Crew *crew)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int failed;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    failed = pthread_create(&thread, &attributes, work, crew);
    pthread_attr_destroy(&attributes);
    if (failed)
        log_error(_("cannot start a worker thread: %s"), g_strerror(failed));
    else
        crew->running++;
    return !failed;
}

/* Wakes or starts a worker of @crew for @waiting jobs. */
static bool
staff(Crew *crew, unsigned waiting)
{
    if (crew->idle >= waiting) {
        g_cond_signal(&crew->work);
        return true;
    }
    return crew->running < crew->max && start_worker(crew);
}

static void
staff_all(RpcPool *pool)
{
    unsigned urgent = g_queue_get_length(&pool->urgent);
    unsigned waiting = urgent + g_queue_get_length(&pool->ordinary);

    if (!pool->open || waiting == 0)
        return;
    if (!staff(&pool->all, waiting) && urgent > 0)
        (void)staff(&pool->quick, urgent);
}

void
rpc_pool_submit(RpcPool *pool, bool urgent, RpcJob run, void *data)
{
    Job *job = g_new(Job, 1);

    *job = (Job){ run, data };
    g_mutex_lock(&pool->lock);
    g_queue_push_tail(urgent ? &pool->urgent : &pool->ordinary, job);
    staff_all(pool);
    g_mutex_unlock(&pool->lock);
}

void
rpc_pool_open(RpcPool *pool)
{
    unsigned waiting;

    g_mutex_lock(&pool->lock);
    pool->open = true;
    waiting =
        g_queue_get_length(&pool->urgent) + g_queue_get_length(&pool->ordinary);
    for (unsigned i = 0; i < waiting; i++)
        staff_all(pool);
    g_mutex_unlock(&pool->lock);
}

void
rpc_pool_free(RpcPool *pool)
{
    if (!pool)
        return;
    rpc_pool_open(pool);
    g_mutex_lock(&pool->lock);
    pool->stopping = true;
    g_cond_broadcast(&pool->all.work);
    g_cond_broadcast(&pool->quick.work);
    while (pool->all.running + pool->quick.running > 0)
        g_cond_wait(&pool->ended, &pool->lock);
    g_mutex_unlock(&pool->lock);
    g_cond_clear(&pool->all.work);
    g_cond_clear(&pool->quick.work);
    g_cond_clear(&pool->ended);
    g_mutex_clear(&pool->lock);
    g_free(pool);
}
