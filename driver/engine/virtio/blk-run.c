/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/virtio_blk.h>

#include "engine/virtio/blk.h"

/* The way of a request: out of the ring, to the image, and back. */

/* --- lists ---------------------------------------------------------------- */
void
blk_list_init(BlkList *list)
{
    list->first = NULL;
    list->last = &list->first;
}

void
blk_list_add(BlkList *list, BlkRequest *request)
{
    request->next = NULL;
    *list->last = request;
    list->last = &request->next;
}

BlkRequest *
blk_list_take(BlkList *list)
{
    BlkRequest *request = list->first;

    if (!request)
        return NULL;
    list->first = request->next;
    if (!list->first)
        list->last = &list->first;
    return request;
}

/* --- back to the guest ---------------------------------------------------- */
void
blk_forget(BlkRequest *request)
{
    request->blk->in_flight--;
    g_free(request->ranges);
    g_free(request);
}

static void
count(BlkRequest *request)
{
    EngineBlkStats *stats = &request->blk->stats;

    if (request->kind == ENGINE_BLK_KINDS)
        return;
    stats->operations[request->kind]++;
    stats->bytes[request->kind] += request->bytes;
    stats->total_ns[request->kind] +=
        (uint64_t)(blk_now(request->blk) - request->begin_ns);
}

/* After a mistake or a reset the buffers are the driver's again. */
void
blk_finish(BlkRequest *request, uint8_t status)
{
    Blk *blk = request->blk;

    if (blk->virtio.live) {
        __atomic_store_n(request->status, status, __ATOMIC_RELAXED);
        engine_virtio_push(&blk->virtio, request->queue, &request->chain,
                           request->chain.write_size);
        blk->pushed |= 1u << request->queue;
        blk_at_end(blk);
    }
    blk_forget(request);
}

static void
on_done(EngineBlockRequest *io, int result)
{
    BlkRequest *request = (BlkRequest *)io;

    if (result < 0) {
        blk_failed(request, result);
        return;
    }
    if (request->range + 1 < request->n_ranges) {
        request->range++;
        blk_submit(request);
        return;
    }
    count(request);
    blk_finish(request, VIRTIO_BLK_S_OK);
}

/* --- to the image --------------------------------------------------------- */
void
blk_submit(BlkRequest *request)
{
    Blk *blk = request->blk;
    EngineBlockRequest *io = &request->io;

    if (request->n_ranges > 0) {
        const BlkRange *range = &request->ranges[request->range];

        io->offset = range->offset;
        io->size = range->size;
        io->unmap = range->unmap;
    }
    io->fua = !blk_writes_back(blk);
    io->done = on_done;
    engine_block_submit(blk->block, io);
    blk_at_end(blk);
}

static EngineThrottleWay
way_of(const BlkRequest *request)
{
    return request->kind == ENGINE_BLK_READ ? ENGINE_THROTTLE_READ
                                            : ENGINE_THROTTLE_WRITE;
}

/* A flush is never limited: it has no bytes, and others wait for it. */
static void
start(BlkRequest *request)
{
    Blk *blk = request->blk;
    EngineThrottleWay way = way_of(request);
    BlkList *waiting = &blk->waiting[way];

    if (request->kind == ENGINE_BLK_FLUSH ||
        (!waiting->first &&
         engine_throttle_take(&blk->throttle, way, request->bytes)))
        blk_submit(request);
    else
        blk_list_add(waiting, request);
}

void
blk_ready(void *opaque, EngineThrottleWay way)
{
    Blk *blk = opaque;
    BlkList *waiting = &blk->waiting[way];
    BlkRequest *request = blk_list_take(waiting);

    if (request)
        blk_submit(request);
    while (waiting->first &&
           engine_throttle_take(&blk->throttle, way, waiting->first->bytes))
        blk_submit(blk_list_take(waiting));
}

/* Returns: whether there may be more */
static bool
serve_one(Blk *blk, unsigned queue)
{
    EngineChain chain = { .iov = blk->iov,
                          .capacity = blk->config->queue_size };
    BlkRequest *request;
    int status;

    if (!engine_virtio_pop(&blk->virtio, queue, &chain))
        return false;
    request = blk_request_new(blk, queue, &chain, &status);
    if (!request)
        return false;
    blk->in_flight++;
    if (status < 0) {
        start(request);
        return true;
    }
    if (status == VIRTIO_BLK_S_OK)
        count(request);
    else
        blk->stats.errors++;
    blk_finish(request, (uint8_t)status);
    return true;
}

/* More is looked for only while there is room for it. */
void
blk_serve(Blk *blk, unsigned queue)
{
    blk->hungry &= ~(1u << queue);
    engine_queue_mute(&blk->virtio.queues[queue].ring);
    while (blk->in_flight < BLK_FLIGHT_MAX && serve_one(blk, queue))
        continue;
    if (blk->in_flight >= BLK_FLIGHT_MAX)
        blk->hungry |= 1u << queue;
    else
        engine_virtio_await(&blk->virtio, queue);
}
