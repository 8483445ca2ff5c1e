/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/sysinfo.h"

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/table.h"
#include "util/file.h"

#define TEXT_MAX 4096

/* The kernel's files, those of /sys/class/dmi/id; some only root may read. */
static const struct {
    size_t list; /* of ConfSysinfo; 0: of its one board */
    const char *name, *file;
} texts[] = {
    { offsetof(ConfSysinfo, bios), "vendor", "bios_vendor" },
    { offsetof(ConfSysinfo, bios), "version", "bios_version" },
    { offsetof(ConfSysinfo, bios), "date", "bios_date" },
    { offsetof(ConfSysinfo, bios), "release", "bios_release" },
    { offsetof(ConfSysinfo, system), "manufacturer", "sys_vendor" },
    { offsetof(ConfSysinfo, system), "product", "product_name" },
    { offsetof(ConfSysinfo, system), "version", "product_version" },
    { offsetof(ConfSysinfo, system), "serial", "product_serial" },
    { offsetof(ConfSysinfo, system), "uuid", "product_uuid" },
    { offsetof(ConfSysinfo, system), "sku", "product_sku" },
    { offsetof(ConfSysinfo, system), "family", "product_family" },
    { 0, "manufacturer", "board_vendor" },
    { 0, "product", "board_name" },
    { 0, "version", "board_version" },
    { 0, "serial", "board_serial" },
    { 0, "asset", "board_asset_tag" },
    { offsetof(ConfSysinfo, chassis), "manufacturer", "chassis_vendor" },
    { offsetof(ConfSysinfo, chassis), "version", "chassis_version" },
    { offsetof(ConfSysinfo, chassis), "serial", "chassis_serial" },
    { offsetof(ConfSysinfo, chassis), "asset", "chassis_asset_tag" },
};

static void
add(GPtrArray *entries, const char *name, const char *value)
{
    ConfSysinfoEntry *entry = conf_table_new(&conf_sysinfo_entry_element);

    entry->name = g_strdup(name);
    entry->value = g_strdup(value);
    g_ptr_array_add(entries, entry);
}

/* What the kernel's files say in some locale or other is no text for XML. */
static char *
read_text(const char *folder, const char *file)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *text = file_read(path, TEXT_MAX, NULL, NULL);

    if (!text || !*g_strstrip(text))
        return NULL;
    for (char *c = text; *c; c++)
        if (!g_ascii_isprint(*c))
            *c = '?';
    return g_steal_pointer(&text);
}

ConfSysinfo *
conf_sysinfo_host(const char *folder)
{
    ConfSysinfo *sysinfo = conf_table_new(&conf_sysinfo_element);
    ConfSysinfoBoard *board = conf_table_new(&conf_sysinfo_board_element);

    sysinfo->type = CONF_SYSINFO_SMBIOS;
    g_ptr_array_add(sysinfo->boards, board);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *text = read_text(folder, texts[i].file);
        const void *member = (const char *)sysinfo + texts[i].list;

        if (text)
            add(texts[i].list ? *(GPtrArray *const *)member : board->entries,
                texts[i].name, text);
    }
    if (sysinfo->system->len > 0)
        return sysinfo;
    conf_sysinfo_free(sysinfo);
    return NULL;
}
