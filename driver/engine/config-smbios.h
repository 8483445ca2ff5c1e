/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stddef.h>

#include "engine/member.h"

#define ENGINE_SMBIOS_TEXT_MAX        256 /* bytes of one string */
#define ENGINE_SMBIOS_BOARDS_MAX      16
#define ENGINE_SMBIOS_OEM_STRINGS_MAX 64

typedef struct EngineSmbiosBios {
    char *vendor, *version, *date, *release;
} EngineSmbiosBios;

typedef struct EngineSmbiosSystem {
    char *manufacturer, *product, *version, *serial, *sku, *family;
} EngineSmbiosSystem;

typedef struct EngineSmbiosBoard {
    char *manufacturer, *product, *version, *serial, *asset, *location;
} EngineSmbiosBoard;

typedef struct EngineSmbiosChassis {
    char *manufacturer, *version, *serial, *asset, *sku;
} EngineSmbiosChassis;

/** The machine document's "smbios": what is NULL is the engine's own. */
typedef struct EngineSmbiosConfig {
    EngineSmbiosBios bios;
    unsigned release_major, release_minor; /* of bios.release */
    EngineSmbiosSystem system;
    EngineSmbiosBoard *boards;
    size_t n_boards;
    EngineSmbiosChassis chassis;
    char **oem_strings;
    size_t n_oem_strings;
} EngineSmbiosConfig;

/** engine_smbios_config_read: for a CUSTOM row; @target: the
 * EngineSmbiosConfig */
bool engine_smbios_config_read(json_t *value, void *target,
                               const EnginePlace *place, GError **error);
void engine_smbios_config_clear(EngineSmbiosConfig *smbios);
