/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config-blk.h"
#include "engine/device.h"
#include "engine/disk/stats.h"
#include "util/log.h"

/*
 * What happens when the host cannot do what a guest asked of a disk: which
 * answer the policy wants, and who is told. All kinds of disks share it.
 */

/** What has been told of one disk's failures. */
typedef struct EngineDiskFailures {
    LogLimit log;
    int64_t event_ns; /* when the last event was posted */
} EngineDiskFailures;

/** What failed. */
typedef struct EngineDiskFailure {
    Engine *engine;
    const char *name; /* of the device */
    EngineBlkKind kind;
    uint64_t offset, size; /* bytes */
    int result;            /* -errno */
    int64_t now_ns;        /* of engine_io_now() */
} EngineDiskFailure;

/** engine_disk_action: REPORT, STOP or IGNORE, as the policy says */
EngineBlkPolicy engine_disk_action(const EngineBlkConfig *config,
                                   EngineBlkKind kind, int result);

/** engine_disk_tell: the log and the event BLOCK_IO_ERROR; of those that stop
 * nothing only so many a second. Thread: the disk's */
void engine_disk_tell(EngineDiskFailures *failures,
                      const EngineDiskFailure *failure, EngineBlkPolicy action);
