/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-firmware.h"

#include <limits.h>

#include "util/error.h"
#include "util/i18n.h"

#define TIMEOUT_MAX_MS 65535 /* as far as firmware can count */

static const char *const firmware_names[] = { "rom", "flash", NULL };

const EngineMember engine_file_members[] = {
    { "fd", ENGINE_MEMBER_FD, ENGINE_AT(EngineFile, fd) },
    { "path", ENGINE_MEMBER_STRING, ENGINE_AT(EngineFile, path),
      .max = PATH_MAX - 1 },
    { NULL },
};

static const EngineMember firmware_members[] = {
    { "type", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineFirmwareConfig, type),
      .required = true, .names = firmware_names },
    { "fd", ENGINE_MEMBER_FD, ENGINE_AT(EngineFirmwareConfig, image.fd) },
    { "path", ENGINE_MEMBER_STRING, ENGINE_AT(EngineFirmwareConfig, image.path),
      .max = PATH_MAX - 1 },
    { "vars", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineFirmwareConfig, vars),
      .members = engine_file_members },
    { "writable", ENGINE_MEMBER_BOOL,
      ENGINE_AT(EngineFirmwareConfig, writable) },
    { NULL },
};

const EngineMember engine_boot_members[] = {
    { "menu", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineBootConfig, menu) },
    { "menu_timeout_ms", ENGINE_MEMBER_UINT,
      ENGINE_AT(EngineBootConfig, menu_timeout_ms), .max = TIMEOUT_MAX_MS },
    { "reboot_timeout_ms", ENGINE_MEMBER_INT64,
      ENGINE_AT(EngineBootConfig, reboot_timeout_ms), .min = -1,
      .max = TIMEOUT_MAX_MS },
    { "serial", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineBootConfig, serial) },
    { NULL },
};

bool
engine_firmware_config_read(json_t *value, void *target,
                            const EnginePlace *place, GError **error)
{
    EngineFirmwareConfig *firmware = target;

    if (!engine_members_read(value, firmware_members, firmware, place, error))
        return false;
    firmware->present = true;
    if (firmware->type != ENGINE_FIRMWARE_FLASH &&
        (firmware->writable || engine_file_is_named(&firmware->vars)))
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("can only be written in flash"), error);
    if (engine_file_is_named(&firmware->image))
        return true;
    return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                               _("needs 'fd' or 'path'"), error);
}
