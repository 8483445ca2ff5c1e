/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <linux/virtio_blk.h>

#include "engine/virtio/blk.h"
#include "util/i18n.h"

/*
 * What happens when the host cannot do what the guest asked for. A request that
 * stops the domain is held, and the domain is stopped by the main thread after
 * the event that says why; those that fail until then are held behind it.
 */
#define EVENT_PERIOD_NS 100000000 /* of those that stop nothing */

static const char *const operation_names[] = {
    [ENGINE_BLK_READ] = "read",
    [ENGINE_BLK_WRITE] = "write",
    [ENGINE_BLK_FLUSH] = "flush",
    [ENGINE_BLK_DISCARD] = "discard",
};

static const char *const action_names[] = {
    [ENGINE_BLK_REPORT] = "report",
    [ENGINE_BLK_STOP] = "stop",
    [ENGINE_BLK_IGNORE] = "ignore",
};

static EngineBlkPolicy
action_of(const BlkRequest *request, int result)
{
    const EngineBlkConfig *config = request->blk->config;
    EngineBlkPolicy policy =
        request->kind == ENGINE_BLK_READ ? config->rerror : config->werror;

    if (policy != ENGINE_BLK_ENOSPACE)
        return policy;
    return result == -ENOSPC ? ENGINE_BLK_STOP : ENGINE_BLK_REPORT;
}

/* A guest can have as many failures as it likes: those that only tell are told
 * ten times a second at most. */
static void
tell(const BlkRequest *request, EngineBlkPolicy action, int result)
{
    Blk *blk = request->blk;
    int64_t now_ns = blk_now(blk);

    log_limited(&blk->failures, LOG_LEVEL_WARNING,
                _("the disk '%s' failed in a %s of %llu bytes at %llu: %s"),
                blk->virtio.name, operation_names[request->kind],
                (unsigned long long)request->io.size,
                (unsigned long long)request->io.offset, g_strerror(-result));
    if (action != ENGINE_BLK_STOP && now_ns - blk->event_ns < EVENT_PERIOD_NS)
        return;
    blk->event_ns = now_ns;
    engine_event_post(
        blk->virtio.device.engine, "BLOCK_IO_ERROR",
        json_pack("{s:o,s:s,s:s,s:b,s:o}", "id", engine_text(blk->virtio.name),
                  "operation", operation_names[request->kind], "action",
                  action_names[action], "nospace", result == -ENOSPC, "reason",
                  engine_text(g_strerror(-result))));
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
    EngineBlkPolicy action = action_of(request, result);

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
