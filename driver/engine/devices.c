/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/devices.h"

#include <string.h>
#include <unistd.h>

#include "engine/dev/dev.h"
#include "engine/firmware/firmware.h"
#include "engine/machine.h"
#include "engine/pit.h"
#include "engine/scsi/unit.h"
#include "engine/virtio/devices.h"

/* Every kind of device, in the order of their realization. One that a machine
 * does not ask for realizes as nothing. */
static const struct {
    const EngineDeviceType *type;
    unsigned count; /* indices 0 to count - 1 */
} entries[] = {
    { &engine_pci_type, 1 }, /* first: others are on it */
    { &engine_debug_exit_type, 1 },
    { &engine_debug_port_type, 1 },
    { &engine_flash_type, ENGINE_FLASH_CHIPS },
    { &engine_fw_cfg_type, 1 },
    { &engine_hotplug_type, 1 },
    { &engine_i8042_type, 1 },
    { &engine_lpc_type, 1 },
    { &engine_pit_type, 1 },
    { &engine_pm_type, 1 },
    { &engine_pvpanic_type, 1 },
    { &engine_rom_type, 1 },
    { &engine_rtc_type, 1 },
    { &engine_serial_type, ENGINE_SERIALS_MAX },
};

/* Those that the machine document lists, by their kind. */
static const EngineDeviceType *const listed[] = {
    [ENGINE_DEVICE_VIRTIO_NET] = &engine_virtio_net_type,
    [ENGINE_DEVICE_VIRTIO_SERIAL] = &engine_virtio_serial_type,
    [ENGINE_DEVICE_VIRTIO_RNG] = &engine_virtio_rng_type,
    [ENGINE_DEVICE_VIRTIO_BALLOON] = &engine_virtio_balloon_type,
    [ENGINE_DEVICE_VIRTIO_BLK] = &engine_virtio_blk_type,
    [ENGINE_DEVICE_VIRTIO_SCSI] = &engine_virtio_scsi_type,
    [ENGINE_DEVICE_UNIT] = &engine_scsi_unit_type,
};

/* Returns: the device, NULL with @error set */
static EngineDevice *
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
        return NULL;
    }
    devices->items =
        g_renew(EngineDevice *, devices->items, devices->count + 1);
    devices->items[devices->count++] = device;
    return device;
}

static EngineDevice *
add_listed(Engine *engine, const EngineDeviceConfig *config, GError **error)
{
    return add_device(engine, listed[config->kind], engine->devices.listed++,
                      config, error);
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
        if (!add_listed(engine, config->devices[i], error))
            return false;
    return true;
}

static void
remove_device(EngineDevice *device)
{
    if (device->type->unrealize)
        device->type->unrealize(device);
    engine_device_config_free(device->plugged);
    g_free(device);
}

void
engine_devices_clear(EngineDevices *devices)
{
    while (devices->count > 0)
        remove_device(devices->items[--devices->count]);
    g_clear_pointer(&devices->items, g_free);
}

bool
engine_devices_plug(Engine *engine, EngineDeviceConfig *config, GError **error)
{
    EngineDevice *device = add_listed(engine, config, error);

    if (device)
        device->plugged = config;
    return device != NULL;
}

/* Whether a device that stays names @fd, too. */
static bool
is_named(const EngineDevices *devices, int fd)
{
    for (unsigned i = 0; i < devices->count; i++) {
        const EngineDeviceConfig *config = devices->items[i]->config;

        for (guint k = 0; config && k < config->fds->len; k++)
            if (g_array_index(config->fds, int, k) == fd)
                return true;
    }
    return false;
}

static void
close_fds(const EngineDevices *devices, const GArray *fds)
{
    for (guint i = 0; i < fds->len; i++) {
        int fd = g_array_index(fds, int, i);
        bool again = is_named(devices, fd);

        for (guint k = 0; k < i; k++)
            again |= g_array_index(fds, int, k) == fd;
        if (fd > STDERR_FILENO && !again)
            (void)close(fd);
    }
}

void
engine_devices_unplug(Engine *engine, EngineDevice *device)
{
    EngineDevices *devices = &engine->devices;
    g_autoptr(GArray) fds = g_array_ref(device->config->fds);
    unsigned at = 0;

    while (devices->items[at] != device)
        at++;
    memmove(&devices->items[at], &devices->items[at + 1],
            (--devices->count - at) * sizeof(EngineDevice *));
    remove_device(device);
    close_fds(devices, fds);
}

void
engine_device_replace_fds(Engine *engine, EngineDevice *device,
                          const GArray *fds)
{
    GArray *own = device->config->fds;
    g_autoptr(GArray) before = g_array_copy(own);

    g_array_set_size(own, 0);
    if (fds)
        g_array_append_vals(own, fds->data, fds->len);
    close_fds(&engine->devices, before);
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
engine_device_of(Engine *engine, const EngineDeviceType *type)
{
    const EngineDevices *devices = &engine->devices;

    for (unsigned i = 0; i < devices->count; i++)
        if (devices->items[i]->type == type)
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

GPtrArray *
engine_device_configs(Engine *engine)
{
    const EngineDevices *devices = &engine->devices;
    GPtrArray *configs = g_ptr_array_new();

    for (unsigned i = 0; i < devices->count; i++)
        if (devices->items[i]->config)
            g_ptr_array_add(configs, (void *)devices->items[i]->config);
    return configs;
}
