/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/** A range of ports or addresses that a device claimed. */
typedef struct EngineRange {
    uint64_t base, end; /* end is the first byte after it */
    EngineDevice *device;
    unsigned region;
} EngineRange;

/** The ranges of one space, sorted by base; they do not overlap. */
typedef struct EngineBusSpace {
    EngineRange *ranges;
    unsigned count;
} EngineBusSpace;

typedef struct EngineBus {
    EngineBusSpace spaces[2]; /* by EngineSpace */
} EngineBus;

/**
 * Where the last access of one vCPU to one space went, claimed or not. One a
 * vCPU and space, zero-initialised; nobody else touches it.
 */
typedef struct EngineBusHint {
    uint64_t base, end;       /* the range, or the gap between two */
    const EngineRange *range; /* NULL: nobody's */
} EngineBusHint;

typedef struct EngineAccess {
    uint64_t address;
    uint8_t *data; /* @size bytes, little-endian */
    unsigned size; /* any, > 0 */
    bool write;
} EngineAccess;

/** engine_bus_add: as engine_bus_map(), on the struct */
bool engine_bus_add(EngineBus *bus, EngineSpace space, const EngineRange *range,
                    GError **error);
void engine_bus_clear(EngineBus *bus);

/**
 * engine_bus_access: carry out a guest's access
 *
 * Cuts it where a range begins or ends, and into sizes of 1, 2, 4 and 8. What
 * nobody claims reads as all ones and ignores writes. No locks, no allocation.
 * Thread: any; each with its own @hint
 */
void engine_bus_access(const EngineBus *bus, EngineSpace space,
                       EngineBusHint *hint, const EngineAccess *access);
