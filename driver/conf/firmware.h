/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/domain.h"

/*
 * The host's firmware, as packages describe it: one JSON file each, of the
 * format that QEMU's docs/interop/firmware.json lays down.
 */

/** Where the guest finds it. */
typedef enum ConfFirmwareDevice {
    CONF_FIRMWARE_FLASH = 0,
    CONF_FIRMWARE_MEMORY,
    CONF_FIRMWARE_KERNEL, /* nobody runs these */
} ConfFirmwareDevice;

typedef enum ConfFlashMode {
    CONF_FLASH_SPLIT = 0, /* the variables are in a file of their own */
    CONF_FLASH_COMBINED,  /* ... in the image, which is written */
    CONF_FLASH_STATELESS, /* ... nowhere */
} ConfFlashMode;

/** For what a firmware is. */
typedef struct ConfFirmwareTarget {
    char *architecture;
    char **machines; /* patterns */
} ConfFirmwareTarget;

typedef struct ConfFirmwareDescriptor {
    char *file; /* that describes it */
    bool bios, uefi;
    ConfFirmwareDevice device;
    ConfFlashMode mode;
    char *path;
    char *format;
    char *template; /* NULL: none */
    char *template_format;
    GPtrArray *targets; /* ConfFirmwareTarget */
    char **features;
} ConfFirmwareDescriptor;

/** Bounds of a file from a foreign hand. */
#define CONF_FIRMWARE_MAX_BYTES (64u << 10)
#define CONF_FIRMWARE_MAX_FILES 1024
#define CONF_FIRMWARE_MAX_ITEMS 256 /* of one array */

/**
 * conf_firmware_parse: one descriptor
 * @file: for messages   @json: NUL-terminated
 * @error: INVALID_ARG, which names the file and what is wrong
 */
ConfFirmwareDescriptor *conf_firmware_parse(const char *file, const char *json,
                                            GError **error);
void conf_firmware_descriptor_free(ConfFirmwareDescriptor *descriptor);

/** conf_firmware_has: has it this feature? */
bool conf_firmware_has(const ConfFirmwareDescriptor *descriptor,
                       const char *feature);

/**
 * conf_firmware_folders: where descriptors are, the most important first
 * @user: the user's own folder counts as well
 */
GStrv conf_firmware_folders(bool user);

/**
 * conf_firmware_list: all descriptors of @folders, in the order of their names;
 * of two with the same name the one in the more important folder; an empty file
 * hides those of its name. A folder that is not there is fine.
 * @problems: gets a message (char *) for each file that is not a descriptor;
 * may be NULL
 * Returns: array of ConfFirmwareDescriptor
 */
GPtrArray *conf_firmware_list(const char *const *folders, GPtrArray *problems);

/** conf_firmware_fits: is it for this machine?
 * @machine: with its version, as conf_machine_canonical() has it */
bool conf_firmware_fits(const ConfFirmwareDescriptor *descriptor,
                        const char *arch, const char *machine);

/** conf_firmware_is_run: can the engine run it? That of no use to it are those
 * which need System Management Mode, or that other programs load as a kernel */
bool conf_firmware_is_run(const ConfFirmwareDescriptor *descriptor);

/**
 * conf_domain_choose_firmware: fill <loader> and <nvram template=''> of a
 * domain that asks for firmware='' or names an image that a descriptor knows.
 * Does nothing where nothing is to be chosen.
 * @firmware: conf_firmware_list()
 * @error: OPERATION_FAILED if none fits; CONFIG_UNSUPPORTED if one does that
 * cannot be run
 */
bool conf_domain_choose_firmware(ConfDomain *domain, const GPtrArray *firmware,
                                 GError **error);
