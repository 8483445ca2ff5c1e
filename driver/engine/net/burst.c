/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/net/burst.h"

#include <errno.h>
#include <liburing.h>
#include <limits.h>

#define PENDING INT_MIN              /* a result that is none yet */
#define CANCELS ENGINE_NET_BURST_MAX /* in place of a frame's number */

struct EngineNetBurst {
    struct io_uring ring;
    int results[ENGINE_NET_BURST_MAX]; /* bytes or -errno */
    bool broken; /* entries are left that the kernel did not take */
};

/* Nobody but one thread is at it, which waits for all that it asked for. */
static const unsigned setups[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    0,
};

EngineNetBurst *
engine_net_burst_new(void)
{
    EngineNetBurst *burst = g_new0(EngineNetBurst, 1);

    for (size_t i = 0; i < G_N_ELEMENTS(setups); i++)
        if (io_uring_queue_init(ENGINE_NET_BURST_MAX, &burst->ring,
                                setups[i]) == 0)
            return burst;
    g_free(burst);
    return NULL;
}

void
engine_net_burst_free(EngineNetBurst *burst)
{
    if (!burst)
        return;
    io_uring_queue_exit(&burst->ring);
    g_free(burst);
}

static void
fill(EngineNetBurst *burst, int fd, const EngineNetFrame *frames,
     unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&burst->ring);

        g_assert(sqe);
        io_uring_prep_writev(sqe, fd, frames[i].iov, frames[i].count, 0);
        io_uring_sqe_set_data64(sqe, i);
        burst->results[i] = PENDING;
    }
}

/* Returns: how many the kernel has taken */
static unsigned
submit(EngineNetBurst *burst, unsigned count)
{
    unsigned taken = 0;

    while (taken < count) {
        int rc = io_uring_submit(&burst->ring);

        if (rc > 0)
            taken += (unsigned)rc;
        else if (rc != -EINTR)
            break;
    }
    return taken;
}

/* Returns: how many frames have come to their end by now */
static unsigned
reap(EngineNetBurst *burst)
{
    struct io_uring_cqe *cqe;
    unsigned count = 0;

    while (io_uring_peek_cqe(&burst->ring, &cqe) == 0) {
        uint64_t i = io_uring_cqe_get_data64(cqe);

        if (i < ENGINE_NET_BURST_MAX) {
            burst->results[i] = cqe->res;
            count++;
        }
        io_uring_cqe_seen(&burst->ring, cqe);
    }
    return count;
}

/* The kernel keeps those that find no room until there is some, whether or not
 * the descriptor blocks; we have other things to do. */
static void
cancel(EngineNetBurst *burst, unsigned count)
{
    unsigned cancels = 0;

    for (unsigned i = 0; i < count; i++) {
        struct io_uring_sqe *sqe;

        if (burst->results[i] != PENDING)
            continue;
        sqe = io_uring_get_sqe(&burst->ring);
        g_assert(sqe);
        io_uring_prep_cancel64(sqe, i, 0);
        io_uring_sqe_set_data64(sqe, CANCELS);
        cancels++;
    }
    if (submit(burst, cancels) < cancels)
        burst->broken = true;
}

/* The kernel reads the frames' memory until then. */
static void
wait_all(EngineNetBurst *burst, unsigned count)
{
    unsigned left = count - reap(burst);
    struct io_uring_cqe *cqe;

    if (left > 0)
        cancel(burst, count);
    while (left > 0) {
        (void)io_uring_wait_cqe(&burst->ring, &cqe);
        left -= reap(burst);
    }
}

/* The kernel tries the next where one found no room. What has been overtaken
 * is lost, as it would be on a wire. */
static void
judge(const EngineNetBurst *burst, unsigned count, EngineNetSent *ret_sent)
{
    bool overtaken = false;

    for (unsigned i = count; i > 0; i--) {
        int result = burst->results[i - 1];

        if ((result == -EAGAIN || result == -ECANCELED) && !overtaken) {
            ret_sent[i - 1] = ENGINE_NET_FULL;
            continue;
        }
        ret_sent[i - 1] = result >= 0 ? ENGINE_NET_SENT : ENGINE_NET_FAILED;
        overtaken = true;
    }
}

unsigned
engine_net_burst_write(EngineNetBurst *burst, int fd,
                       const EngineNetFrame *frames, unsigned count,
                       EngineNetSent *ret_sent)
{
    unsigned taken;

    g_assert(count <= ENGINE_NET_BURST_MAX);
    if (burst->broken)
        return 0;
    fill(burst, fd, frames, count);
    taken = submit(burst, count);
    burst->broken = taken < count;
    wait_all(burst, taken);
    judge(burst, taken, ret_sent);
    return taken;
}
