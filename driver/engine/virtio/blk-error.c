/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/virtio_blk.h>

#include "engine/virtio/blk.h"

/*
 * What happens when the host cannot do what the guest asked for. A request that
 * stops the domain is held, and the domain is stopped by the main thread after
 * the event that says why; those that fail until then are held behind it.
 */
static void
tell(const BlkRequest *request, EngineBlkPolicy action, int result)
{
    Blk *blk = request->blk;
    const EngineDiskFailure failure = {
        .engine = blk->virtio.device.engine,
        .name = blk->virtio.name,
        .kind = request->kind,
        .offset = request->io.offset,
        .size = request->io.size,
        .result = result,
        .now_ns = blk_now(blk),
    };

    engine_disk_tell(&blk->failures, &failure, action);
}

/* One event for all that fail before the domain has stopped. */
static void
hold(BlkRequest *request, int result)
{
    Blk *blk = request->blk;
    bool first = blk->held.first == NULL;

    blk_list_add(&blk->held, request);
    if (!first)
        return;
    __atomic_store_n(&blk->error, result, __ATOMIC_RELAXED);
    tell(request, ENGINE_BLK_STOP, result);
    engine_stop_post(blk->virtio.device.engine);
}

void
blk_failed(BlkRequest *request, int result)
{
    Blk *blk = request->blk;
    EngineBlkPolicy action =
        engine_disk_action(blk->config, request->kind, result);

    blk->stats.errors++;
    if (!blk->virtio.live) {
        blk_forget(request);
        return;
    }
    if (action == ENGINE_BLK_STOP) {
        hold(request, result);
        return;
    }
    tell(request, action, result);
    blk_finish(request, action == ENGINE_BLK_IGNORE ? VIRTIO_BLK_S_OK
                                                    : VIRTIO_BLK_S_IOERR);
}

void
blk_retry(Blk *blk)
{
    BlkList held = blk->held;

    if (!held.first)
        return;
    blk_list_init(&blk->held);
    __atomic_store_n(&blk->error, 0, __ATOMIC_RELAXED);
    while (held.first) {
        BlkRequest *request = held.first;

        held.first = request->next;
        blk_submit(request);
    }
}
