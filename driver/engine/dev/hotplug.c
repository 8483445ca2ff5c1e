/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"
#include "engine/dev/dev.h"
#include "engine/x86/acpi.h"

/*
 * The registers behind the slots of bus 0: 32 bits each, one bit a slot. ACPI's
 * machine language reads and writes them (x86/acpi-slots.c) when the event
 * ENGINE_GPE_SLOTS comes.
 */
typedef enum Register {
    REGISTER_PLUGGED, /* reads: filled slots to look into; a one takes it */
    REGISTER_WANTED,  /* reads: slots to let go of; a one takes it */
    REGISTER_EJECT,   /* writes: the guest has let go of them */
    REGISTER_REFUSED, /* writes: the guest does not let go of them */
} Register;

#define REGISTER_SIZE 4

typedef struct Hotplug {
    EngineDevice device;
    bool present;
    GMutex lock;
    uint32_t plugged, wanted;
} Hotplug;

static Hotplug *
hotplug_of(EngineDevice *device)
{
    return (Hotplug *)device;
}

static Hotplug *
hotplug_find(Engine *engine)
{
    EngineDevice *device = engine_device_find(engine, &engine_hotplug_type, 0);

    return device && hotplug_of(device)->present ? hotplug_of(device) : NULL;
}

bool
engine_hotplug_is_there(Engine *engine)
{
    return hotplug_find(engine) != NULL;
}

static void
set(Hotplug *hotplug, uint32_t *slots, unsigned slot)
{
    g_mutex_lock(&hotplug->lock);
    *slots |= 1u << slot;
    g_mutex_unlock(&hotplug->lock);
    engine_pm_raise(hotplug->device.engine, ENGINE_GPE_SLOTS);
}

void
engine_hotplug_plugged(Engine *engine, unsigned slot)
{
    Hotplug *hotplug = hotplug_find(engine);

    if (hotplug)
        set(hotplug, &hotplug->plugged, slot);
}

bool
engine_hotplug_ask(Engine *engine, unsigned slot)
{
    Hotplug *hotplug = hotplug_find(engine);

    if (!hotplug || !engine_pm_is_heard(engine, ENGINE_GPE_SLOTS))
        return false;
    set(hotplug, &hotplug->wanted, slot);
    return true;
}

/* --- the device ----------------------------------------------------------- */
/* Registers are read and written whole; other accesses say and do nothing. */
static bool
is_allowed(uint64_t offset, unsigned size)
{
    return size == REGISTER_SIZE && offset % REGISTER_SIZE == 0;
}

static uint64_t
hotplug_read(EngineDevice *device, unsigned region, uint64_t offset,
             unsigned size)
{
    Hotplug *hotplug = hotplug_of(device);
    uint32_t value = 0;

    if (!is_allowed(offset, size))
        return UINT64_MAX;
    g_mutex_lock(&hotplug->lock);
    if (offset / REGISTER_SIZE == REGISTER_PLUGGED)
        value = hotplug->plugged;
    else if (offset / REGISTER_SIZE == REGISTER_WANTED)
        value = hotplug->wanted;
    g_mutex_unlock(&hotplug->lock);
    return value;
}

static void
take(Hotplug *hotplug, uint32_t *slots, uint32_t bits)
{
    g_mutex_lock(&hotplug->lock);
    *slots &= ~bits;
    g_mutex_unlock(&hotplug->lock);
}

static void
hotplug_write(EngineDevice *device, unsigned region, uint64_t offset,
              unsigned size, uint64_t value)
{
    Hotplug *hotplug = hotplug_of(device);
    uint32_t slots = (uint32_t)value;

    if (!is_allowed(offset, size))
        return;
    switch ((Register)(offset / REGISTER_SIZE)) {
    case REGISTER_PLUGGED:
        take(hotplug, &hotplug->plugged, slots);
        break;
    case REGISTER_WANTED:
        take(hotplug, &hotplug->wanted, slots);
        break;
    case REGISTER_EJECT:
        engine_eject(device->engine, slots);
        break;
    case REGISTER_REFUSED:
        engine_eject_refused(device->engine, slots);
        break;
    }
}

static void
hotplug_reset(EngineDevice *device)
{
    Hotplug *hotplug = hotplug_of(device);

    if (!hotplug->present)
        return;
    g_mutex_lock(&hotplug->lock);
    hotplug->plugged = hotplug->wanted = 0;
    g_mutex_unlock(&hotplug->lock);
}

static void
hotplug_unrealize(EngineDevice *device)
{
    if (hotplug_of(device)->present)
        g_mutex_clear(&hotplug_of(device)->lock);
}

static bool
hotplug_realize(EngineDevice *device, Engine *engine,
                const EngineConfig *config, unsigned index, GError **error)
{
    Hotplug *hotplug = hotplug_of(device);

    if (!config->acpi || config->machine == ENGINE_MACHINE_MICROVM)
        return true;
    if (!engine_bus_map(engine, device, ENGINE_SPACE_PIO, ENGINE_SLOTS_PORT,
                        ENGINE_SLOTS_SIZE, 0, error))
        return false;
    g_mutex_init(&hotplug->lock);
    hotplug->present = true;
    return true;
}

const EngineDeviceType engine_hotplug_type = {
    .name = "hotplug",
    .size = sizeof(Hotplug),
    .realize = hotplug_realize,
    .unrealize = hotplug_unrealize,
    .reset = hotplug_reset,
    .read = hotplug_read,
    .write = hotplug_write,
};
