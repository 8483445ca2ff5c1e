/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/block/aio-pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/thread.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define THREADS_MAX 16
#define IDLE_US     (2 * G_USEC_PER_SEC) /* then a thread ends */

typedef struct Queue {
    EngineAioOp *first, **last;
} Queue;

typedef enum SlotState {
    SLOT_FREE = 0,
    SLOT_RUNNING,
    SLOT_ENDED, /* to be joined */
} SlotState;

typedef struct Slot {
    pthread_t thread;
    SlotState state;
    EngineAioPool *pool;
} Slot;

struct EngineAioPool {
    int event_fd; /* eventfd: something has completed */
    GMutex lock;  /* of all below */
    GCond work;
    Queue waiting, completed;
    unsigned n_waiting, n_idle;
    bool quit;
    Slot slots[THREADS_MAX];
};

static void
queue_init(Queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void
queue_push(Queue *queue, EngineAioOp *op)
{
    op->next = NULL;
    *queue->last = op;
    queue->last = &op->next;
}

static EngineAioOp *
queue_pop(Queue *queue)
{
    EngineAioOp *op = queue->first;

    if (op) {
        queue->first = op->next;
        if (!queue->first)
            queue->last = &queue->first;
    }
    return op;
}

static int
perform(EngineAioOp *op)
{
    ssize_t rc = -1;

    switch (op->kind) {
    case ENGINE_AIO_READ:
        rc = preadv(op->fd, op->iov, (int)op->n_iov, (off_t)op->offset);
        break;
    case ENGINE_AIO_WRITE:
        rc = pwritev(op->fd, op->iov, (int)op->n_iov, (off_t)op->offset);
        break;
    case ENGINE_AIO_SYNC:
        rc = fdatasync(op->fd);
        break;
    case ENGINE_AIO_ALLOCATE:
        rc = fallocate(op->fd, op->mode, (off_t)op->offset, (off_t)op->size);
        break;
    case ENGINE_AIO_JOB:
        return op->job(op);
    }
    return rc < 0 ? -errno : (int)rc;
}

static void
complete(EngineAioPool *pool, EngineAioOp *op, int result)
{
    bool first = !pool->completed.first;

    op->result = result;
    queue_push(&pool->completed, op);
    if (first)
        (void)eventfd_write(pool->event_fd, 1);
}

/* With the lock. Returns: whether there is work; false: end */
static bool
wait_for_work(EngineAioPool *pool)
{
    gint64 end = g_get_monotonic_time() + IDLE_US;
    bool in_time = true;

    pool->n_idle++;
    while (!pool->waiting.first && !pool->quit && in_time)
        in_time = g_cond_wait_until(&pool->work, &pool->lock, end);
    pool->n_idle--;
    return pool->waiting.first != NULL;
}

static void *
pool_thread(void *opaque)
{
    Slot *slot = opaque;
    EngineAioPool *pool = slot->pool;

    pthread_setname_np(pthread_self(), "block-worker");
    g_mutex_lock(&pool->lock);
    while (wait_for_work(pool)) {
        EngineAioOp *op = queue_pop(&pool->waiting);
        int result;

        pool->n_waiting--;
        g_mutex_unlock(&pool->lock);
        result = perform(op);
        g_mutex_lock(&pool->lock);
        complete(pool, op, result);
    }
    slot->state = SLOT_ENDED;
    g_mutex_unlock(&pool->lock);
    return NULL;
}

/* With the lock: an ended thread needs it no more. */
static void
join_ended(Slot *slot)
{
    if (slot->state == SLOT_ENDED)
        pthread_join(slot->thread, NULL);
    slot->state = SLOT_FREE;
}

/* With the lock. Returns: whether any thread runs */
static bool
start_thread(EngineAioPool *pool)
{
    Slot *place = NULL;
    bool any = false;

    for (int i = 0; i < THREADS_MAX; i++) {
        if (pool->slots[i].state == SLOT_RUNNING)
            any = true;
        else
            place = &pool->slots[i];
    }
    if (!place)
        return any;
    join_ended(place);
    place->pool = pool;
    if (engine_thread_start(&place->thread, pool_thread, place) != 0)
        return any;
    place->state = SLOT_RUNNING;
    return true;
}

EngineAioPool *
engine_aio_pool_new(GError **error)
{
    EngineAioPool *pool;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        error_set_errno(error, errno, _("cannot make a pool of threads"));
        return NULL;
    }
    pool = g_new0(EngineAioPool, 1);
    pool->event_fd = fd;
    queue_init(&pool->waiting);
    queue_init(&pool->completed);
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->work);
    return pool;
}

void
engine_aio_pool_free(EngineAioPool *pool)
{
    if (!pool)
        return;
    g_mutex_lock(&pool->lock);
    pool->quit = true;
    g_cond_broadcast(&pool->work);
    g_mutex_unlock(&pool->lock);
    for (int i = 0; i < THREADS_MAX; i++)
        if (pool->slots[i].state != SLOT_FREE)
            pthread_join(pool->slots[i].thread, NULL);
    fd_clear(&pool->event_fd);
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->work);
    g_free(pool);
}

int
engine_aio_pool_fd(const EngineAioPool *pool)
{
    return pool->event_fd;
}

void
engine_aio_pool_submit(EngineAioPool *pool, EngineAioOp *op)
{
    g_mutex_lock(&pool->lock);
    queue_push(&pool->waiting, op);
    pool->n_waiting++;
    if (pool->n_idle >= pool->n_waiting) {
        g_cond_signal(&pool->work);
    } else if (!start_thread(pool)) {
        /* Not one thread to be had: slow is better than never. */
        queue_pop(&pool->waiting);
        pool->n_waiting--;
        complete(pool, op, perform(op));
    }
    g_mutex_unlock(&pool->lock);
}

EngineAioOp *
engine_aio_pool_take(EngineAioPool *pool)
{
    EngineAioOp *list;
    eventfd_t count;

    g_mutex_lock(&pool->lock);
    (void)eventfd_read(pool->event_fd, &count);
    list = pool->completed.first;
    queue_init(&pool->completed);
    g_mutex_unlock(&pool->lock);
    return list;
}
