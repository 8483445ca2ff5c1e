/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/devices.h"

#include <string.h>

#include "engine/dev/dev.h"
#include "engine/machine.h"
#include "engine/pit.h"
#include "engine/virtio/devices.h"

/* Every kind of device, in the order of their realization. One that a machine
 * does not ask for realizes as nothing. */
static const struct {
    const EngineDeviceType *type;
    unsigned count; /* indices 0 to count - 1 */
} entries[] = {
    { &engine_pci_type, 1 }, /* first: others are on it */
    { &engine_debug_exit_type, 1 }, { &engine_i8042_type, 1 },
    { &engine_pit_type, 1 },        { &engine_pm_type, 1 },
    { &engine_rtc_type, 1 },        { &engine_serial_type, ENGINE_SERIALS_MAX },
};

/* Those that the machine document lists, by their kind. */
static const EngineDeviceType *const listed[] = {
    [ENGINE_DEVICE_VIRTIO_RNG] = &engine_virtio_rng_type,
};

static bool
add_device(Engine *engine, const EngineDeviceType *type, unsigned index,
           const EngineDeviceConfig *config, GError **error)
{
    EngineDevices *devices = &engine->devices;
    EngineDevice *device = g_malloc0(type->size);

    device->type = type;
    device->engine = engine;
    device->index = index;
    device->config = config;
    if (!type->realize(device, engine, engine->config, index, error)) {
        g_prefix_error(error, "%s: ", type->name);
        g_free(device);
        return false;
    }
    devices->items =
        g_renew(EngineDevice *, devices->items, devices->count + 1);
    devices->items[devices->count++] = device;
    return true;
}

bool
engine_devices_init(Engine *engine, GError **error)
{
    const EngineConfig *config = engine->config;

    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        for (unsigned index = 0; index < entries[i].count; index++)
            if (!add_device(engine, entries[i].type, index, NULL, error))
                return false;
    }
    for (unsigned i = 0; i < config->n_devices; i++)
        if (!add_device(engine, listed[config->devices[i]->kind], i,
                        config->devices[i], error))
            return false;
    return true;
}

void
engine_devices_clear(EngineDevices *devices)
{
    while (devices->count > 0) {
        EngineDevice *device = devices->items[--devices->count];

        if (device->type->unrealize)
            device->type->unrealize(device);
        g_free(device);
    }
    g_clear_pointer(&devices->items, g_free);
}

void
engine_devices_reset(const EngineDevices *devices)
{
    for (unsigned i = 0; i < devices->count; i++)
        if (devices->items[i]->type->reset)
            devices->items[i]->type->reset(devices->items[i]);
}

void
engine_devices_drain(const EngineDevices *devices)
{
    for (unsigned i = 0; i < devices->count; i++)
        if (devices->items[i]->type->drain)
            devices->items[i]->type->drain(devices->items[i]);
}

void
engine_devices_resume(const EngineDevices *devices)
{
    for (unsigned i = 0; i < devices->count; i++)
        if (devices->items[i]->type->resume)
            devices->items[i]->type->resume(devices->items[i]);
}

EngineDevice *
engine_device_find(Engine *engine, const EngineDeviceType *type, unsigned index)
{
    const EngineDevices *devices = &engine->devices;

    for (unsigned i = 0; i < devices->count; i++)
        if (devices->items[i]->type == type &&
            devices->items[i]->index == index)
            return devices->items[i];
    return NULL;
}

EngineDevice *
engine_device_by_id(Engine *engine, const char *id)
{
    const EngineDevices *devices = &engine->devices;

    for (unsigned i = 0; i < devices->count; i++)
        if (devices->items[i]->config &&
            strcmp(devices->items[i]->config->id, id) == 0)
            return devices->items[i];
    return NULL;
}
