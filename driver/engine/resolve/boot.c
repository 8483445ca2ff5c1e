/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>

#include "engine/resolve/document.h"

/* What is tried without a word about it */
static const ConfBoot first_disk = { .dev = CONF_BOOT_HD };

json_t *
engine_document_find(const EngineResolved *resolved, const char *alias)
{
    json_t *devices = json_object_get(resolved->root, "devices");
    json_t *device;
    size_t i;

    json_array_foreach(devices, i, device)
    {
        const char *id = json_string_value(json_object_get(device, "id"));

        if (g_strcmp0(id, alias) == 0)
            return device;
    }
    return NULL;
}

static void
set_index(const EngineResolved *resolved, const char *alias, unsigned index)
{
    json_t *device = index > 0 ? engine_document_find(resolved, alias) : NULL;

    if (device)
        json_object_set_new(device, "bootindex", json_integer(index));
}

/* Returns: whether any device says of itself when it is tried */
static bool
use_orders(const EngineResolved *resolved)
{
    const ConfDomain *domain = resolved->domain;
    bool any = false;

    for (guint i = 0; i < domain->disks->len; i++) {
        const ConfDisk *disk = g_ptr_array_index(domain->disks, i);

        set_index(resolved, disk->alias, disk->boot_order);
        any |= disk->boot_order > 0;
    }
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const ConfInterface *net = g_ptr_array_index(domain->interfaces, i);

        set_index(resolved, net->alias, net->boot_order);
        any |= net->boot_order > 0;
    }
    return any;
}

static const char *
first_of_disks(const GPtrArray *disks, bool cdrom)
{
    for (guint i = 0; i < disks->len; i++) {
        const ConfDisk *disk = g_ptr_array_index(disks, i);

        if (disk->device != CONF_DISK_FLOPPY &&
            (disk->device == CONF_DISK_CDROM) == cdrom)
            return disk->alias;
    }
    return NULL;
}

/* The first device of a kind stands for the kind. */
static const char *
first_of(const ConfDomain *domain, int dev)
{
    const ConfInterface *net;

    switch (dev) {
    case CONF_BOOT_HD:
        return first_of_disks(domain->disks, false);
    case CONF_BOOT_CDROM:
        return first_of_disks(domain->disks, true);
    case CONF_BOOT_NETWORK:
        if (domain->interfaces->len == 0)
            return NULL;
        net = g_ptr_array_index(domain->interfaces, 0);
        return net->alias;
    default:
        return NULL;
    }
}

static void
use_kinds(const EngineResolved *resolved)
{
    const ConfDomain *domain = resolved->domain;
    guint count = MAX(domain->os.boot->len, 1);

    for (guint i = 0; i < count; i++) {
        const ConfBoot *boot = domain->os.boot->len > 0
                                   ? g_ptr_array_index(domain->os.boot, i)
                                   : &first_disk;
        const char *alias = first_of(domain, boot->dev);
        json_t *device = alias ? engine_document_find(resolved, alias) : NULL;

        if (device && !json_object_get(device, "bootindex"))
            set_index(resolved, alias, i + 1);
    }
}

static void
set_timeout(json_t *boot, const char *key, const char *text)
{
    if (text)
        json_object_set_new(boot, key, json_integer(strtol(text, NULL, 10)));
}

/* There is no display, so the console is the serial port's unless that is not
 * wanted. */
void
engine_document_boot(EngineResolved *resolved)
{
    const ConfOs *os = &resolved->domain->os;
    json_t *boot;

    if (!json_object_get(resolved->root, "firmware"))
        return;
    boot = json_object();
    json_object_set_new(resolved->root, "boot", boot);
    json_object_set_new(boot, "menu", json_boolean(os->menu == CONF_ONOFF_ON));
    if (os->menu == CONF_ONOFF_ON)
        set_timeout(boot, "menu_timeout_ms", os->menu_timeout);
    set_timeout(boot, "reboot_timeout_ms", os->reboot_timeout);
    json_object_set_new(boot, "serial",
                        json_boolean(os->use_serial != CONF_ONOFF_OFF));
    if (!use_orders(resolved))
        use_kinds(resolved);
}
