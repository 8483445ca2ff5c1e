/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "engine/member.h"

/** A file that the caller opened, or that the engine opens before it starts. */
typedef struct EngineFile {
    int fd;     /* -1: by path, or none */
    char *path; /* also the name in messages; NULL: none */
} EngineFile;

static inline bool
engine_file_is_named(const EngineFile *file)
{
    return file->fd >= 0 || file->path;
}

typedef enum EngineFirmwareType {
    ENGINE_FIRMWARE_ROM = 0, /* an image that nobody writes */
    ENGINE_FIRMWARE_FLASH,   /* flash memory */
} EngineFirmwareType;

/** The machine document's "firmware". */
typedef struct EngineFirmwareConfig {
    bool present;
    EngineFirmwareType type;
    EngineFile image;
    EngineFile vars;  /* FLASH: what it writes; not named: nothing */
    bool writable;    /* FLASH: the guest may write the image, too */
} EngineFirmwareConfig;

/** The machine document's "boot": what firmware is told. */
typedef struct EngineBootConfig {
    bool menu;
    unsigned menu_timeout_ms;  /* 0: the firmware's own default */
    int64_t reboot_timeout_ms; /* -1: never */
    bool serial;               /* the text console is COM1 as well */
} EngineBootConfig;

/** For OBJECT rows: EngineFile, EngineBootConfig */
extern const EngineMember engine_file_members[];
extern const EngineMember engine_boot_members[];

/** engine_firmware_config_read: for a CUSTOM row; @target: the
 * EngineFirmwareConfig */
bool engine_firmware_config_read(json_t *value, void *target,
                                 const EnginePlace *place, GError **error);
