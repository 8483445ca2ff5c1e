/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/* What the host wants of the balloon and knows by it. All: thread main; @error
 * is DEVICE_MISSING in a machine that has none. */
#define ENGINE_BALLOON_STATS 10 /* linux/virtio_balloon.h, VIRTIO_BALLOON_S_* \
                                 */

typedef struct EngineBalloonInfo {
    uint64_t actual, target; /* bytes that the guest has, or is to have */
} EngineBalloonInfo;

typedef struct EngineBalloonStats {
    int64_t last_update_s; /* wall clock; 0: never */
    bool has[ENGINE_BALLOON_STATS];
    uint64_t values[ENGINE_BALLOON_STATS];
} EngineBalloonStats;

/** engine_balloon_set: ask the guest to make do with @bytes
 * @error: INVALID_ARG if that is more than the machine's memory */
bool engine_balloon_set(Engine *engine, uint64_t bytes, GError **error);
bool engine_balloon_info(Engine *engine, EngineBalloonInfo *ret_info,
                         GError **error);
/** engine_balloon_set_period: ask for statistics now and every @seconds; 0: not
 * any more */
bool engine_balloon_set_period(Engine *engine, unsigned seconds,
                               GError **error);
bool engine_balloon_stats(Engine *engine, EngineBalloonStats *ret_stats,
                          GError **error);
