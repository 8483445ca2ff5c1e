/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/carried.h"
#include "conf/onoff.h"
#include "conf/sysinfo.h"

typedef enum ConfFirmware {
    CONF_FIRMWARE_ABSENT = 0, /* <loader> names it, or there is none */
    CONF_FIRMWARE_BIOS,
    CONF_FIRMWARE_EFI,
} ConfFirmware;

typedef enum ConfLoaderType {
    CONF_LOADER_ABSENT = 0, /* as rom */
    CONF_LOADER_ROM,
    CONF_LOADER_PFLASH,
} ConfLoaderType;

/** <feature> of <firmware>: what is chosen must have it, or must not */
typedef struct ConfFirmwareFeature {
    ConfOnOff enabled;
    int name; /* ConfFirmwareFeatureName; 0: none */
    ConfCarried carried;
} ConfFirmwareFeature;

typedef enum ConfFirmwareFeatureName {
    CONF_FIRMWARE_SECURE_BOOT = 1,
    CONF_FIRMWARE_ENROLLED_KEYS,
} ConfFirmwareFeatureName;

/** <loader>: the firmware's image */
typedef struct ConfLoader {
    char *path;
    ConfLoaderType type;
    ConfOnOff readonly;
    ConfOnOff secure;
    ConfOnOff stateless; /* keeps no variables */
    char *format;        /* raw */
} ConfLoader;

typedef enum ConfNvramType {
    CONF_NVRAM_TEXT = 0, /* no type: the path is the element's text */
    CONF_NVRAM_FILE,     /* it is in <source> */
    CONF_NVRAM_BLOCK,
    CONF_NVRAM_NETWORK,
} ConfNvramType;

/** <nvram>: the file of the firmware's variables */
typedef struct ConfNvram {
    ConfNvramType type;
    char *path;
    char *source_file;
    char *template; /* what it is made of; NULL: as the firmware says */
    char *template_format;
    char *format;
} ConfNvram;

typedef enum ConfBootDevice {
    CONF_BOOT_FD = 1,
    CONF_BOOT_HD,
    CONF_BOOT_CDROM,
    CONF_BOOT_NETWORK,
} ConfBootDevice;

/** <boot>: what is tried, in the document's order */
typedef struct ConfBoot {
    int dev; /* ConfBootDevice */
    ConfCarried carried;
} ConfBoot;

typedef struct ConfOs {
    char *type;    /* hvm */
    char *arch;    /* x86_64 */
    char *machine; /* as the user wrote it, or the default filled in */
    char *kernel;  /* absolute path */
    char *initrd;
    char *cmdline;
    ConfFirmware firmware;
    GPtrArray *firmware_features; /* ConfFirmwareFeature */
    ConfLoader loader;
    ConfNvram nvram;
    GPtrArray *boot; /* ConfBoot; empty: the first disk */
    /* <bootmenu> and <bios>, numbers as they were written; NULL = absent */
    ConfOnOff menu;
    char *menu_timeout; /* ms, 0 to 65535 */
    ConfOnOff use_serial;
    char *reboot_timeout; /* ms, -1 (never) to 65535 */
    ConfSmbiosMode smbios;
} ConfOs;

/** conf_firmware_feature_new: empty, for firmware_features */
ConfFirmwareFeature *conf_firmware_feature_new(void);
/** conf_os_feature: what <firmware> says of a feature */
ConfOnOff conf_os_feature(const ConfOs *os, ConfFirmwareFeatureName name);
/** conf_os_nvram: the path of the file of variables; NULL if there is none */
const char *conf_os_nvram(const ConfOs *os);
/** conf_os_wants_nvram: is the firmware one that keeps variables in a file? */
bool conf_os_wants_nvram(const ConfOs *os);
