/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/block/aio.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>

#include "engine/block/aio-pool.h"
#include "engine/block/drive.h"
#include "util/fd.h"

#define RING_ENTRIES 128 /* not yet with the kernel */
#define RING_FLIGHT  256 /* in all; what is more waits here */
#define SUBMIT_BATCH 4   /* the disk begins while the next are prepared */
#define RETRY_MS     1   /* when the kernel takes nothing */
#define REAP_BATCH   32

struct EngineAio {
    EngineIo *io;
    EngineIoFn turn;
    void *turn_opaque;
    unsigned busy; /* all in flight */
    bool has_ring, has_files;
    struct io_uring ring;
    EngineIoSource *ring_source;
    EngineIoWatch ring_watch;
    unsigned in_ring; /* entries whose completion was not seen */
    unsigned n_files;
    EngineAioOp *waiting, **last_waiting; /* for the ring */
    EngineAioPool *pool;                  /* NULL: never needed yet */
    EngineIoSource *pool_source;
};

/* --- the ring --------------------------------------------------------------
 */
/* Without interrupting the thread where the kernel can do so. (That completions
 * be left to the thread altogether, IORING_SETUP_DEFER_TASKRUN, isn't for us:
 * epoll doesn't see them then.) */
static const unsigned setups[] = {
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    0,
};

static bool
ring_open(EngineAio *aio)
{
    for (size_t i = 0; i < G_N_ELEMENTS(setups); i++)
        if (io_uring_queue_init(RING_ENTRIES, &aio->ring, setups[i]) == 0)
            return true;
    return false;
}

static void
ring_fill(struct io_uring_sqe *sqe, const EngineAioOp *op, bool fixed)
{
    int fd = fixed ? op->number : op->fd;

    switch (op->kind) {
    case ENGINE_AIO_READ:
        if (op->n_iov == 1)
            io_uring_prep_read(sqe, fd, op->iov->iov_base,
                               (unsigned)op->iov->iov_len, op->offset);
        else
            io_uring_prep_readv(sqe, fd, op->iov, op->n_iov, op->offset);
        break;
    case ENGINE_AIO_WRITE:
        if (op->n_iov == 1)
            io_uring_prep_write(sqe, fd, op->iov->iov_base,
                                (unsigned)op->iov->iov_len, op->offset);
        else
            io_uring_prep_writev(sqe, fd, op->iov, op->n_iov, op->offset);
        break;
    case ENGINE_AIO_SYNC:
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
        break;
    case ENGINE_AIO_ALLOCATE:
        io_uring_prep_fallocate(sqe, fd, op->mode, (off_t)op->offset,
                                (off_t)op->size);
        break;
    case ENGINE_AIO_JOB:
        g_assert_not_reached();
    }
    if (fixed)
        io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
}

static bool
ring_put(EngineAio *aio, EngineAioOp *op)
{
    struct io_uring_sqe *sqe = NULL;

    if (aio->in_ring < RING_FLIGHT)
        sqe = io_uring_get_sqe(&aio->ring);
    if (!sqe)
        return false;
    ring_fill(sqe, op, aio->has_files && op->number >= 0);
    io_uring_sqe_set_data(sqe, op);
    aio->in_ring++;
    return true;
}

/* Whatever the kernel doesn't take now is tried again with the next
 * completion; if there can't be one, soon. */
static void
ring_submit(EngineAio *aio)
{
    engine_io_watch(&aio->ring_watch);
    while (io_uring_sq_ready(&aio->ring) > 0) {
        int rc = io_uring_submit(&aio->ring);

        if (rc >= 0 || rc == -EINTR)
            continue;
        if (aio->in_ring > io_uring_sq_ready(&aio->ring))
            return;
        (void)poll(NULL, 0, RETRY_MS);
    }
}

static void
ring_feed(EngineAio *aio)
{
    while (aio->waiting) {
        EngineAioOp *op = aio->waiting, *next = op->next;

        if (!ring_put(aio, op)) {
            unsigned before = io_uring_sq_ready(&aio->ring);

            ring_submit(aio);
            if (io_uring_sq_ready(&aio->ring) == before ||
                aio->in_ring >= RING_FLIGHT)
                return;
            continue;
        }
        aio->waiting = next;
        if (!next)
            aio->last_waiting = &aio->waiting;
    }
}

static void
finish(EngineAio *aio, EngineAioOp *op, int result)
{
    aio->busy--;
    op->done(op, result);
}

static void
ring_reap(EngineAio *aio)
{
    struct io_uring_cqe *cqes[REAP_BATCH];
    unsigned count = io_uring_peek_batch_cqe(&aio->ring, cqes, REAP_BATCH);

    while (count > 0) {
        for (unsigned i = 0; i < count; i++) {
            EngineAioOp *op = io_uring_cqe_get_data(cqes[i]);
            int result = cqes[i]->res;

            io_uring_cqe_seen(&aio->ring, cqes[i]);
            aio->in_ring--;
            finish(aio, op, result);
        }
        count = io_uring_peek_batch_cqe(&aio->ring, cqes, REAP_BATCH);
    }
}

static void
on_found(void *opaque)
{
    EngineAio *aio = opaque;

    ring_reap(aio);
    engine_aio_kick(aio);
}

static void
on_ring(void *opaque)
{
    EngineAio *aio = opaque;

    engine_io_watch_came(&aio->ring_watch);
    on_found(aio);
}

/* Something has completed, or the kernel has only to be asked for it. */
static bool
ring_look(void *opaque)
{
    const EngineAio *aio = opaque;

    return io_uring_cq_ready(&aio->ring) > 0 ||
           (IO_URING_READ_ONCE(*aio->ring.sq.kflags) & IORING_SQ_TASKRUN);
}

/* --- the pool --------------------------------------------------------------
 */
static void
pool_reap(EngineAio *aio)
{
    EngineAioOp *op = engine_aio_pool_take(aio->pool);

    while (op) {
        EngineAioOp *next = op->next;

        finish(aio, op, op->result);
        op = next;
    }
}

static void
on_pool(void *opaque)
{
    EngineAio *aio = opaque;

    pool_reap(aio);
    engine_aio_kick(aio);
}

static bool
pool_open(EngineAio *aio, GError **error)
{
    aio->pool = engine_aio_pool_new(error);
    if (!aio->pool)
        return false;
    aio->pool_source = engine_io_add(aio->io, engine_aio_pool_fd(aio->pool),
                                     on_pool, aio, error);
    return aio->pool_source != NULL;
}

/* --- both ------------------------------------------------------------------
 */
EngineAio *
engine_aio_new(EngineIo *io, bool ring, GError **error)
{
    EngineAio *aio = g_new0(EngineAio, 1);

    aio->io = io;
    aio->last_waiting = &aio->waiting;
    aio->has_ring = ring && ring_open(aio);
    if (aio->has_ring) {
        aio->has_files = io_uring_register_files_sparse(
                             &aio->ring, ENGINE_DRIVE_DEPTH_MAX) == 0;
        aio->ring_source =
            engine_io_add(io, aio->ring.ring_fd, on_ring, aio, error);
        engine_io_watch_init(&aio->ring_watch, io, ring_look, NULL, on_found,
                             aio);
    }
    if ((aio->has_ring && !aio->ring_source) || !pool_open(aio, error)) {
        engine_aio_free(aio);
        return NULL;
    }
    return aio;
}

void
engine_aio_free(EngineAio *aio)
{
    if (!aio)
        return;
    g_assert(aio->busy == 0);
    if (aio->has_ring)
        engine_io_unwatch(&aio->ring_watch);
    engine_io_remove(aio->ring_source);
    engine_io_remove(aio->pool_source);
    if (aio->has_ring)
        io_uring_queue_exit(&aio->ring);
    engine_aio_pool_free(aio->pool);
    g_free(aio);
}

bool
engine_aio_has_ring(const EngineAio *aio)
{
    return aio->has_ring;
}

int
engine_aio_add_file(EngineAio *aio, int fd)
{
    if (!aio->has_files || aio->n_files == ENGINE_DRIVE_DEPTH_MAX ||
        io_uring_register_files_update(&aio->ring, aio->n_files, &fd, 1) != 1)
        return -1;
    return (int)aio->n_files++;
}

void
engine_aio_set_turn(EngineAio *aio, EngineIoFn turn, void *opaque)
{
    aio->turn = turn;
    aio->turn_opaque = opaque;
}

void
engine_aio_submit(EngineAio *aio, EngineAioOp *op)
{
    aio->busy++;
    op->next = NULL;
    if (!aio->has_ring || op->kind == ENGINE_AIO_JOB) {
        engine_aio_pool_submit(aio->pool, op);
    } else if (aio->waiting || !ring_put(aio, op)) {
        *aio->last_waiting = op;
        aio->last_waiting = &op->next;
    } else if (io_uring_sq_ready(&aio->ring) >= SUBMIT_BATCH) {
        ring_submit(aio);
    }
}

void
engine_aio_kick(EngineAio *aio)
{
    if (aio->turn)
        aio->turn(aio->turn_opaque);
    if (!aio->has_ring)
        return;
    ring_feed(aio);
    if (io_uring_sq_ready(&aio->ring) > 0)
        ring_submit(aio);
}

void
engine_aio_wait(EngineAio *aio)
{
    struct pollfd fds[2] = {
        { .fd = engine_aio_pool_fd(aio->pool), .events = POLLIN },
        { .fd = aio->has_ring ? aio->ring.ring_fd : -1, .events = POLLIN },
    };

    engine_aio_kick(aio);
    if (aio->busy == 0 || poll(fds, G_N_ELEMENTS(fds), -1) <= 0)
        return;
    if (fds[1].revents)
        ring_reap(aio);
    if (fds[0].revents)
        pool_reap(aio);
    engine_aio_kick(aio);
}

unsigned
engine_aio_busy(const EngineAio *aio)
{
    return aio->busy;
}
