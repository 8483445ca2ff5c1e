/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"
#include "engine/dev/dev.h"
#include "engine/x86/acpi.h"

/*
 * A port by which a guest's kernel says that it has panicked, or that a crash
 * kernel takes over; ACPI says where it is. Reads tell which of them it takes.
 */
#define EVENT_PANICKED    0x01
#define EVENT_CRASHLOADED 0x02
#define EVENTS            (EVENT_PANICKED | EVENT_CRASHLOADED)

typedef struct Pvpanic {
    EngineDevice device;
    bool told; /* of a crash kernel; once between resets; atomic */
} Pvpanic;

static uint64_t
pvpanic_read(EngineDevice *device, unsigned region, uint64_t offset,
             unsigned size)
{
    return EVENTS;
}

static void
pvpanic_write(EngineDevice *device, unsigned region, uint64_t offset,
              unsigned size, uint64_t value)
{
    Pvpanic *pvpanic = (Pvpanic *)device;

    if (value & EVENT_PANICKED)
        engine_request(device->engine, ENGINE_REQUEST_PANIC, 0);
    else if ((value & EVENT_CRASHLOADED) &&
             !__atomic_exchange_n(&pvpanic->told, true, __ATOMIC_RELAXED))
        engine_event_post(device->engine, "GUEST_CRASHLOADED", NULL);
}

static void
pvpanic_reset(EngineDevice *device)
{
    __atomic_store_n(&((Pvpanic *)device)->told, false, __ATOMIC_RELAXED);
}

static bool
pvpanic_realize(EngineDevice *device, Engine *engine,
                const EngineConfig *config, unsigned index, GError **error)
{
    return !config->pvpanic || engine_bus_map(engine, device, ENGINE_SPACE_PIO,
                                              ENGINE_PVPANIC_PORT, 1, 0, error);
}

const EngineDeviceType engine_pvpanic_type = {
    .name = "pvpanic",
    .size = sizeof(Pvpanic),
    .realize = pvpanic_realize,
    .reset = pvpanic_reset,
    .read = pvpanic_read,
    .write = pvpanic_write,
};
