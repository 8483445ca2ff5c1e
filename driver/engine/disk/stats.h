/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>

#include "engine/block/block.h"

/* What is counted of a disk. */

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
