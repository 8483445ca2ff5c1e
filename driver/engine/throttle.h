/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config-blk.h"
#include "engine/device.h"
#include "engine/io.h"

/*
 * The limits of disks, by token buckets (bucket.h). Disks of a group share
 * them, also from several threads, and take turns: each in its direction has
 * one request let through, and then waits behind the others.
 *
 * Threads: a throttle is its EngineIo's; groups have a lock.
 */
typedef struct EngineThrottleGroup EngineThrottleGroup;

/** The groups of an engine, by name; zeroed it is empty. Thread: main */
typedef struct EngineThrottleGroups {
    EngineThrottleGroup *first;
} EngineThrottleGroups;

/** engine_throttle_groups: those of an engine. Thread: main */
EngineThrottleGroups *engine_throttle_groups(Engine *engine);

typedef enum EngineThrottleWay {
    ENGINE_THROTTLE_READ = 0,
    ENGINE_THROTTLE_WRITE,
} EngineThrottleWay;
#define ENGINE_THROTTLE_WAYS 2

/** The request that was refused has been counted now and may go; others ask
 * again. Thread: the throttle's */
typedef void (*EngineThrottleFn)(void *opaque, EngineThrottleWay way);

/** One disk's place in its group. */
typedef struct EngineThrottle EngineThrottle;
struct EngineThrottle {
    EngineIo *io;
    EngineThrottleFn ready;
    void *opaque;
    EngineThrottleGroup *group; /* NULL: there is no limit */
    EngineIoTimer timer;
    int wake_fd; /* another thread has something to tell */
    EngineIoSource *source;
    /* under the group's lock, by way */
    bool waits[ENGINE_THROTTLE_WAYS];
    uint64_t size[ENGINE_THROTTLE_WAYS]; /* of the request that waits */
    EngineThrottle *next[ENGINE_THROTTLE_WAYS];
};

/** engine_throttle_init: without a limit. Thread: any */
void engine_throttle_init(EngineThrottle *throttle, EngineIo *io,
                          EngineThrottleFn ready, void *opaque);

/**
 * engine_throttle_set: limits from now on, and the group
 *
 * With a group, the limits become those of all its disks. Without one, the
 * disk keeps the group that it is in. Without any limit it leaves its group.
 * Whatever waits asks again: ready() is called without anything counted if
 * there is no limit any more.
 * @error: SYSTEM_ERROR. Thread: main
 */
bool engine_throttle_set(EngineThrottle *throttle, EngineThrottleGroups *groups,
                         const EngineThrottleConfig *config, GError **error);
/** engine_throttle_clear: leave the group; nothing may wait. Thread: main */
void engine_throttle_clear(EngineThrottle *throttle,
                           EngineThrottleGroups *groups);

/**
 * engine_throttle_take: may a request of @size bytes go?
 * Returns: true if it has been counted; on false ready() is called when it has
 * been. While one waits, others of the same way are not asked for.
 */
bool engine_throttle_take(EngineThrottle *throttle, EngineThrottleWay way,
                          uint64_t size);
/** engine_throttle_cancel: nothing waits any more */
void engine_throttle_cancel(EngineThrottle *throttle);

/** engine_throttle_group_name: NULL if it has none. Thread: main */
const char *engine_throttle_group_name(const EngineThrottle *throttle);
