/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/firmware/boot-order.h"

#include <string.h>

/* A line that ends the search: what is not listed is not tried. */
#define END_OF_SEARCH "HALT"

static int
compare(gconstpointer a, gconstpointer b)
{
    const EngineDeviceConfig *left = *(const EngineDeviceConfig *const *)a;
    const EngineDeviceConfig *right = *(const EngineDeviceConfig *const *)b;

    return left->bootindex < right->bootindex ? -1 : 1;
}

/* The function's node on the host bridge: "NAME@SLOT,FUNCTION" */
static char *
node_of(const EngineDeviceConfig *device, const char *name)
{
    if (device->function)
        return g_strdup_printf("/pci@i0cf8/%s@%x,%x", name, device->slot,
                               device->function);
    return g_strdup_printf("/pci@i0cf8/%s@%x", name, device->slot);
}

static const EngineDeviceConfig *
find(const GPtrArray *devices, const char *id)
{
    for (guint i = 0; i < devices->len; i++) {
        const EngineDeviceConfig *device = g_ptr_array_index(devices, i);

        if (strcmp(device->id, id) == 0)
            return device;
    }
    return NULL;
}

/* Returns: NULL if its controller is gone */
static char *
unit_path(const EngineDeviceConfig *device, const GPtrArray *devices)
{
    const EngineUnitConfig *unit = &device->unit;
    const EngineDeviceConfig *controller = find(devices, unit->controller);
    g_autofree char *node = controller ? node_of(controller, "scsi") : NULL;

    if (!node)
        return NULL;
    return g_strdup_printf("%s/channel@0/disk@%x,%x", node, unit->target,
                           unit->lun);
}

/* Returns: NULL for kinds that nothing boots from */
static char *
path_of(const EngineDeviceConfig *device, const GPtrArray *devices)
{
    g_autofree char *node = NULL;

    switch (device->kind) {
    case ENGINE_DEVICE_VIRTIO_BLK:
        node = node_of(device, "scsi");
        return g_strconcat(node, "/disk@0,0", NULL);
    case ENGINE_DEVICE_VIRTIO_NET:
        node = node_of(device, "ethernet");
        return g_strconcat(node, "/ethernet-phy@0", NULL);
    case ENGINE_DEVICE_UNIT:
        return unit_path(device, devices);
    case ENGINE_DEVICE_VIRTIO_SCSI:
    case ENGINE_DEVICE_VIRTIO_RNG:
    case ENGINE_DEVICE_VIRTIO_BALLOON:
    case ENGINE_DEVICE_VIRTIO_SERIAL:
        break;
    }
    return NULL;
}

char *
engine_boot_order(const GPtrArray *devices)
{
    g_autoptr(GPtrArray) listed = g_ptr_array_new();
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < devices->len; i++) {
        EngineDeviceConfig *device = g_ptr_array_index(devices, i);

        if (device->bootindex)
            g_ptr_array_add(listed, device);
    }
    g_ptr_array_sort(listed, compare);
    for (guint i = 0; i < listed->len; i++) {
        g_autofree char *path = path_of(g_ptr_array_index(listed, i), devices);

        if (path)
            g_string_append_printf(text, "%s\n", path);
    }
    if (listed->len == 0)
        return g_string_free(text, TRUE), NULL;
    g_string_append(text, END_OF_SEARCH);
    return g_string_free(text, FALSE);
}
