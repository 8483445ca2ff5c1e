/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/block.h"
#include "engine/config-blk.h"
#include "engine/device.h"

/* What the host asks of a disk, and what it counts. Thread: main. */

/** What is counted apart; zeroes are written, too. */
typedef enum EngineBlkKind {
    ENGINE_BLK_READ = 0,
    ENGINE_BLK_WRITE,
    ENGINE_BLK_FLUSH,
    ENGINE_BLK_DISCARD,
} EngineBlkKind;
#define ENGINE_BLK_KINDS (ENGINE_BLK_DISCARD + 1)

typedef struct EngineBlkStats {
    uint64_t operations[ENGINE_BLK_KINDS];
    uint64_t bytes[ENGINE_BLK_KINDS];
    uint64_t total_ns[ENGINE_BLK_KINDS]; /* from the ring to the answer */
    uint64_t errors;
} EngineBlkStats;

typedef struct EngineBlkInfo {
    EngineBlockInfo image;
    EngineBlkStats stats;
    int error; /* for which the domain was stopped: -errno; 0: none */
} EngineBlkInfo;

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
