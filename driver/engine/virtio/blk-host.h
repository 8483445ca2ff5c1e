/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config-blk.h"
#include "engine/device.h"
#include "engine/disk/stats.h"

/* What the host asks of a virtio-blk. Thread: main. */

void engine_blk_info(EngineDevice *device, EngineBlkInfo *ret_info);

/**
 * engine_blk_resize: give the image @size bytes and tell the guest
 * @error: as engine_block_resize(); INVALID_ARG if a block of the guest's would
 * not be whole
 */
bool engine_blk_resize(EngineDevice *device, uint64_t size, GError **error);

/** engine_blk_set_throttle: as engine_throttle_set() */
bool engine_blk_set_throttle(EngineDevice *device,
                             const EngineThrottleConfig *config,
                             GError **error);
