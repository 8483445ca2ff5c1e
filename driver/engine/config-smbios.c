/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-smbios.h"

#include <stdio.h>

#include "util/error.h"
#include "util/i18n.h"

#define TEXT(type, member)                                      \
    {                                                           \
#member, ENGINE_MEMBER_STRING, ENGINE_AT(type, member), \
            .max = ENGINE_SMBIOS_TEXT_MAX                       \
    }

static bool read_boards(json_t *array, void *target, const EnginePlace *place,
                        GError **error);
static bool read_oem_strings(json_t *array, void *target,
                             const EnginePlace *place, GError **error);

static const EngineMember bios_members[] = {
    TEXT(EngineSmbiosBios, vendor),
    TEXT(EngineSmbiosBios, version),
    TEXT(EngineSmbiosBios, date),
    TEXT(EngineSmbiosBios, release),
    { NULL },
};

static const EngineMember system_members[] = {
    TEXT(EngineSmbiosSystem, manufacturer),
    TEXT(EngineSmbiosSystem, product),
    TEXT(EngineSmbiosSystem, version),
    TEXT(EngineSmbiosSystem, serial),
    TEXT(EngineSmbiosSystem, sku),
    TEXT(EngineSmbiosSystem, family),
    { NULL },
};

static const EngineMember board_members[] = {
    TEXT(EngineSmbiosBoard, manufacturer),
    TEXT(EngineSmbiosBoard, product),
    TEXT(EngineSmbiosBoard, version),
    TEXT(EngineSmbiosBoard, serial),
    TEXT(EngineSmbiosBoard, asset),
    TEXT(EngineSmbiosBoard, location),
    { NULL },
};

static const EngineMember chassis_members[] = {
    TEXT(EngineSmbiosChassis, manufacturer), TEXT(EngineSmbiosChassis, version),
    TEXT(EngineSmbiosChassis, serial),       TEXT(EngineSmbiosChassis, asset),
    TEXT(EngineSmbiosChassis, sku),          { NULL },
};

static const EngineMember smbios_members[] = {
    { "bios", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineSmbiosConfig, bios),
      .members = bios_members },
    { "system", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineSmbiosConfig, system),
      .members = system_members },
    { "boards", ENGINE_MEMBER_CUSTOM, .offset = 0, .read = read_boards },
    { "chassis", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineSmbiosConfig, chassis),
      .members = chassis_members },
    { "oem_strings", ENGINE_MEMBER_CUSTOM, .offset = 0,
      .read = read_oem_strings },
    { NULL },
};

static bool
read_boards(json_t *array, void *target, const EnginePlace *place,
            GError **error)
{
    EngineSmbiosConfig *smbios = target;
    size_t count;

    if (!engine_place_array(place, array, ENGINE_SMBIOS_BOARDS_MAX, &count,
                            error))
        return false;
    smbios->boards = g_new0(EngineSmbiosBoard, count);
    smbios->n_boards = count;
    for (size_t i = 0; i < count; i++) {
        EnginePlace here = engine_place_item(place, i);

        if (!engine_members_read(json_array_get(array, i), board_members,
                                 &smbios->boards[i], &here, error))
            return false;
    }
    return true;
}

static bool
read_oem_strings(json_t *array, void *target, const EnginePlace *place,
                 GError **error)
{
    static const EngineMember text = { .kind = ENGINE_MEMBER_STRING,
                                       .max = ENGINE_SMBIOS_TEXT_MAX };
    EngineSmbiosConfig *smbios = target;
    size_t count;

    if (!engine_place_array(place, array, ENGINE_SMBIOS_OEM_STRINGS_MAX, &count,
                            error))
        return false;
    smbios->oem_strings = g_new0(char *, count);
    smbios->n_oem_strings = count;
    for (size_t i = 0; i < count; i++) {
        EnginePlace here = engine_place_item(place, i);

        if (!engine_member_read(&text, json_array_get(array, i),
                                &smbios->oem_strings[i], &here, error))
            return false;
    }
    return true;
}

bool
engine_smbios_config_read(json_t *value, void *target, const EnginePlace *place,
                          GError **error)
{
    EngineSmbiosConfig *smbios = target;
    unsigned *major = &smbios->release_major, *minor = &smbios->release_minor;
    EnginePlace bios = engine_place_member(place, "bios");
    EnginePlace release = engine_place_member(&bios, "release");
    int end = 0;

    if (!engine_members_read(value, smbios_members, smbios, place, error))
        return false;
    if (!smbios->bios.release)
        return true;
    if (sscanf(smbios->bios.release, "%3u.%3u%n", major, minor, &end) == 2 &&
        !smbios->bios.release[end] && *major < 256 && *minor < 256)
        return true;
    return engine_place_refuse(&release, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("must be two numbers below 256, as in 4.2"),
                               error);
}

static void
clear(const EngineMember *members, void *structure)
{
    for (; members->name; members++)
        g_free(*(char **)(void *)((char *)structure + members->offset));
}

void
engine_smbios_config_clear(EngineSmbiosConfig *smbios)
{
    clear(bios_members, &smbios->bios);
    clear(system_members, &smbios->system);
    clear(chassis_members, &smbios->chassis);
    for (size_t i = 0; i < smbios->n_boards; i++)
        clear(board_members, &smbios->boards[i]);
    for (size_t i = 0; i < smbios->n_oem_strings; i++)
        g_free(smbios->oem_strings[i]);
    g_free(smbios->boards);
    g_free(smbios->oem_strings);
}
