/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/blk-host.h"

#include "engine/virtio/blk.h"
#include "util/error.h"
#include "util/i18n.h"

typedef struct StatsCall {
    Blk *blk;
    EngineBlkStats *stats;
} StatsCall;

static void
stats_here(void *opaque)
{
    const StatsCall *call = opaque;

    *call->stats = call->blk->stats;
}

void
engine_blk_info(EngineDevice *device, EngineBlkInfo *ret_info)
{
    Blk *blk = (Blk *)device;
    StatsCall call = { blk, &ret_info->stats };

    engine_block_info(blk->block, &ret_info->image);
    engine_io_call(blk->virtio.io, stats_here, &call);
    ret_info->error = __atomic_load_n(&blk->error, __ATOMIC_RELAXED);
}

bool
engine_blk_resize(EngineDevice *device, uint64_t size, GError **error)
{
    Blk *blk = (Blk *)device;
    unsigned block = blk->config->logical_block_size;

    if (size == 0 || size % block != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the size of '%s' must be a multiple of %u bytes"),
                  blk->virtio.name, block);
        return false;
    }
    if (!engine_block_resize(blk->block, size, error))
        return false;
    blk_set_capacity(blk, size);
    engine_virtio_config_changed(&blk->virtio);
    return true;
}

bool
engine_blk_set_throttle(EngineDevice *device,
                        const EngineThrottleConfig *config, GError **error)
{
    return engine_throttle_set(&((Blk *)device)->throttle,
                               engine_throttle_groups(device->engine), config,
                               error);
}
