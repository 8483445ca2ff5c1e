/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "conf/disk.h"

/** A limit of a disk; the name is libvirt's and the engine's alike. */
typedef struct CoreThrottleField {
    const char *name;
    size_t offset; /* in ConfThrottle; a uint64_t */
} CoreThrottleField;

/** In libvirt's order: rates, bursts, the size of an operation, lengths. */
#define CORE_THROTTLE_RATES  6
#define CORE_THROTTLE_BURSTS 12 /* up to here */
#define CORE_THROTTLE_SIZE   12 /* this one */
#define CORE_THROTTLE_FIELDS 19
extern const CoreThrottleField core_throttle_fields[CORE_THROTTLE_FIELDS];

static inline uint64_t *
core_throttle_value(ConfThrottle *throttle, size_t field)
{
    return (uint64_t *)(void *)((char *)throttle +
                                core_throttle_fields[field].offset);
}

static inline uint64_t
core_throttle_get(const ConfThrottle *throttle, size_t field)
{
    return *(
        const uint64_t *)(const void *)((const char *)throttle +
                                        core_throttle_fields[field].offset);
}
