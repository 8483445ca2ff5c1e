/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/bus.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

#define PIECE_MAX 8 /* bytes that a device is asked for at once */

/* Index of the first range whose end lies above @address. */
static unsigned
find(const EngineBusSpace *space, uint64_t address)
{
    unsigned low = 0;
    unsigned high = space->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (space->ranges[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
engine_bus_add(EngineBus *bus, EngineSpace space, const EngineRange *range,
               GError **error)
{
    EngineBusSpace *target = &bus->spaces[space];
    unsigned at = find(target, range->base);

    if (range->end <= range->base ||
        (at < target->count && target->ranges[at].base < range->end)) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("device '%s' claims %#llx to %#llx, which is taken"),
                  range->device->type->name, (unsigned long long)range->base,
                  (unsigned long long)range->end - 1);
        return false;
    }
    target->ranges = g_renew(EngineRange, target->ranges, target->count + 1);
    memmove(&target->ranges[at + 1], &target->ranges[at],
            (target->count - at) * sizeof(EngineRange));
    target->ranges[at] = *range;
    target->count++;
    return true;
}

void
engine_bus_clear(EngineBus *bus)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(bus->spaces); i++)
        g_clear_pointer(&bus->spaces[i].ranges, g_free);
    memset(bus, 0, sizeof(*bus));
}

/* Makes @hint cover @address. */
static void
look_up(const EngineBusSpace *space, EngineBusHint *hint, uint64_t address)
{
    unsigned at = find(space, address);
    const EngineRange *next = at < space->count ? &space->ranges[at] : NULL;

    if (next && next->base <= address) {
        *hint = (EngineBusHint){ next->base, next->end, next };
        return;
    }
    hint->range = NULL;
    hint->base = at > 0 ? space->ranges[at - 1].end : 0;
    hint->end = next ? next->base : UINT64_MAX;
}

/* @size is 1, 2, 4 or 8 and lies within @range. */
static void
access_device(const EngineRange *range, uint64_t address, uint8_t *data,
              unsigned size, bool write)
{
    EngineDevice *device = range->device;
    uint64_t offset = address - range->base;
    uint64_t value = UINT64_MAX;

    if (write) {
        if (!device->type->write)
            return;
        value = 0;
        memcpy(&value, data, size);
        device->type->write(device, range->region, offset, size, value);
        return;
    }
    if (device->type->read)
        value = device->type->read(device, range->region, offset, size);
    memcpy(data, &value, size);
}

/* The largest size that a device may be asked for, of @size bytes. */
static unsigned
piece_of(uint64_t size)
{
    unsigned piece = PIECE_MAX;

    while (piece > size)
        piece >>= 1;
    return piece;
}

void
engine_bus_access(const EngineBus *bus, EngineSpace space, EngineBusHint *hint,
                  const EngineAccess *access)
{
    uint64_t address = access->address;
    uint8_t *data = access->data;
    unsigned left = access->size;

    while (left > 0) {
        unsigned piece;
        uint64_t room;

        if (address < hint->base || address >= hint->end)
            look_up(&bus->spaces[space], hint, address);
        room = hint->end - address; /* 0 only at the very last address */
        piece = piece_of(CLAMP(room, 1, left));
        if (hint->range)
            access_device(hint->range, address, data, piece, access->write);
        else if (!access->write)
            memset(data, 0xff, piece);
        address += piece;
        data += piece;
        left -= piece;
    }
}
