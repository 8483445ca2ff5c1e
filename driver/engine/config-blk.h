/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/block/drive.h"
#include "engine/member.h"

/** What is limited of a disk. */
typedef enum EngineThrottleKind {
    ENGINE_THROTTLE_TOTAL_BYTES = 0,
    ENGINE_THROTTLE_READ_BYTES,
    ENGINE_THROTTLE_WRITE_BYTES,
    ENGINE_THROTTLE_TOTAL_IOPS,
    ENGINE_THROTTLE_READ_IOPS,
    ENGINE_THROTTLE_WRITE_IOPS,
} EngineThrottleKind;
#define ENGINE_THROTTLE_KINDS (ENGINE_THROTTLE_WRITE_IOPS + 1)

typedef struct EngineThrottleRate {
    uint64_t average;  /* units a second; 0: no limit */
    uint64_t peak;     /* in a burst; 0: there are none */
    uint64_t length_s; /* of a burst at its peak */
} EngineThrottleRate;

/** THROTTLE of the machine document. */
typedef struct EngineThrottleConfig {
    char *group; /* disks that share the limits; NULL: none does */
    EngineThrottleRate rates[ENGINE_THROTTLE_KINDS];
    uint64_t size_iops; /* bytes that count as one request; 0: any number */
} EngineThrottleConfig;

/** A THROTTLE, into an EngineThrottleConfig. */
extern const EngineMember engine_throttle_members[];
/** engine_throttle_config_check: do its numbers go together? */
bool engine_throttle_config_check(const EngineThrottleConfig *config,
                                  const EnginePlace *place, GError **error);
void engine_throttle_config_clear(EngineThrottleConfig *config);

/**
 * engine_drive_config_new: a DRIVE that does not stand in a machine document
 * @error: naming the member
 */
EngineDriveConfig *engine_drive_config_new(json_t *object,
                                           const EnginePlace *place,
                                           GError **error);
void engine_drive_config_free(EngineDriveConfig *drive); /* NULL is fine */

typedef enum EngineBlkZeroes {
    ENGINE_BLK_ZEROES_OFF = 0, /* written as any other bytes */
    ENGINE_BLK_ZEROES_ON,      /* told to the host as zeroes */
    ENGINE_BLK_ZEROES_UNMAP,   /* and take no space, where discards may */
} EngineBlkZeroes;

typedef enum EngineBlkPolicy {
    ENGINE_BLK_REPORT = 0, /* to the guest */
    ENGINE_BLK_STOP,       /* the domain; cont tries again */
    ENGINE_BLK_IGNORE,
    ENGINE_BLK_ENOSPACE, /* STOP for want of space, else REPORT */
} EngineBlkPolicy;

typedef struct EngineBlkConfig {
    unsigned queues;     /* > 0 */
    unsigned queue_size; /* entries, a power of two */
    EngineDriveConfig drive;
    bool readonly;
    char *serial; /* NULL: none */
    unsigned logical_block_size;
    unsigned physical_block_size; /* what is less means the logical one */
    bool discard;
    EngineBlkZeroes detect_zeroes;
    bool write_cache;  /* else every write is on stable storage */
    bool ignore_flush; /* nothing is, before the host sees to it */
    EngineBlkPolicy werror, rerror;
    EngineThrottleConfig throttle;
} EngineBlkConfig;
