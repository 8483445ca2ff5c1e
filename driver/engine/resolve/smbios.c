/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"
#include "util/error.h"
#include "util/i18n.h"

/* What the guest reads in SMBIOS: libvirt's entries under the engine's names.
 */

static const char *const bios_names[] = { "vendor", "version", "date",
                                          "release", NULL };
static const char *const system_names[] = {
    "manufacturer", "product", "version", "serial", "sku", "family", NULL
};
static const char *const board_names[] = {
    "manufacturer", "product", "version", "serial", "asset", "location", NULL
};
static const char *const chassis_names[] = { "manufacturer", "version",
                                             "serial",       "asset",
                                             "sku",          NULL };

static json_t *
entries_of(const GPtrArray *entries, const char *const *names)
{
    json_t *object = json_object();

    for (; *names; names++) {
        const char *value = conf_sysinfo_value(entries, *names);

        if (value)
            json_object_set_new(object, *names, json_string(value));
    }
    return object;
}

static json_t *
boards_of(const GPtrArray *boards)
{
    json_t *array = json_array();

    for (guint i = 0; i < boards->len; i++) {
        const ConfSysinfoBoard *board = g_ptr_array_index(boards, i);

        json_array_append_new(array, entries_of(board->entries, board_names));
    }
    return array;
}

static json_t *
strings_of(const GPtrArray *entries)
{
    json_t *array = json_array();

    for (guint i = 0; i < entries->len; i++) {
        const ConfSysinfoEntry *entry = g_ptr_array_index(entries, i);

        json_array_append_new(array,
                              json_string(entry->value ? entry->value : ""));
    }
    return array;
}

static json_t *
of_sysinfo(const ConfSysinfo *sysinfo)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "bios",
                     entries_of(sysinfo->bios, bios_names), "system",
                     entries_of(sysinfo->system, system_names), "boards",
                     boards_of(sysinfo->boards), "chassis",
                     entries_of(sysinfo->chassis, chassis_names), "oem_strings",
                     strings_of(sysinfo->oem_strings));
}

bool
engine_document_smbios(EngineResolved *resolved, GError **error)
{
    const ConfDomain *domain = resolved->domain;
    g_autoptr(ConfSysinfo) host = NULL;
    const ConfSysinfo *chosen = NULL;

    if (domain->os.smbios == CONF_SMBIOS_SYSINFO)
        chosen = conf_domain_sysinfo(domain);
    if (domain->os.smbios == CONF_SMBIOS_HOST) {
        chosen = host = conf_sysinfo_host(CONF_SYSINFO_HOST_FOLDER);
        if (!host) {
            error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      _("Host SMBIOS information is not available"));
            return false;
        }
    }
    if (chosen)
        json_object_set_new(resolved->root, "smbios", of_sysinfo(chosen));
    return true;
}
