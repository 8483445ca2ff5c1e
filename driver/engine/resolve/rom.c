/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"
#include "engine/resolve/open.h"
#include "util/i18n.h"

/* Where packages put iPXE for virtio's network devices. UEFI firmware has a
 * driver of its own. */
static const char *const ipxe_paths[] = {
    "/usr/lib/ipxe/qemu/pxe-virtio.rom", /* Debian */
    "/usr/share/ipxe/1af41000.rom",      /* Fedora */
    "/usr/share/qemu/pxe-virtio.rom",    /* openSUSE, Arch Linux */
    NULL
};

static bool
is_bios(const EngineResolved *resolved)
{
    json_t *firmware = json_object_get(resolved->root, "firmware");
    const char *type = json_string_value(json_object_get(firmware, "type"));

    return g_strcmp0(type, "rom") == 0;
}

/* Nothing runs the ROM of a device that is not to be booted from, so such a
 * device has one only if that is asked for. */
static bool
wants_rom(const EngineResolved *resolved, const json_t *device,
          const ConfRom *rom)
{
    return rom->enabled == CONF_ONOFF_ON || rom->bar == CONF_ONOFF_ON ||
           json_object_get(device, "bootindex") ||
           resolved->domain->os.menu == CONF_ONOFF_ON;
}

/* Returns: NULL if the interface has none */
static const char *
rom_path(EngineResolved *resolved, const json_t *device,
         const ConfInterface *net)
{
    const ConfRom *rom = &net->rom;
    const char *path;

    if (rom->enabled == CONF_ONOFF_OFF || rom->bar == CONF_ONOFF_OFF)
        return NULL;
    if (rom->file)
        return rom->file;
    if (!is_bios(resolved) || !wants_rom(resolved, device, rom))
        return NULL;
    path = engine_find_file(ipxe_paths);
    if (!path)
        engine_document_warn(
            resolved,
            g_strdup_printf(_("nothing can be booted by the interface %s: this "
                              "host has no iPXE: install the package "
                              "ipxe-qemu"),
                            net->mac));
    return path;
}

static bool
add_rom(EngineResolved *resolved, json_t *device, const char *path,
        GError **error)
{
    int fd = engine_open_image(path, error);
    json_t *rom;

    if (fd < 0) {
        g_prefix_error(error, "<rom>: ");
        return false;
    }
    rom = json_pack("{s:s}", "path", path);
    json_object_set_new(device, "rom", rom);
    engine_document_add_fd(resolved, rom, "fd", fd);
    return true;
}

bool
engine_document_roms(EngineResolved *resolved, GError **error)
{
    const GPtrArray *interfaces = resolved->domain->interfaces;

    if (!json_object_get(resolved->root, "firmware"))
        return true;
    for (guint i = 0; i < interfaces->len; i++) {
        const ConfInterface *net = g_ptr_array_index(interfaces, i);
        json_t *device = engine_document_find(resolved, net->alias);
        const char *path = device ? rom_path(resolved, device, net) : NULL;

        if (path && !add_rom(resolved, device, path, error))
            return false;
    }
    return true;
}
