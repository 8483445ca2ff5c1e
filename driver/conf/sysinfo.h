/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

#include "conf/carried.h"

/** <smbios mode=''> of <os>: whose strings the guest reads */
typedef enum ConfSmbiosMode {
    CONF_SMBIOS_ABSENT = 0, /* as emulate */
    CONF_SMBIOS_EMULATE,    /* the engine's own */
    CONF_SMBIOS_HOST,
    CONF_SMBIOS_SYSINFO,
} ConfSmbiosMode;

typedef enum ConfSysinfoType {
    CONF_SYSINFO_SMBIOS = 1,
    CONF_SYSINFO_FWCFG,
} ConfSysinfoType;

/** <entry name=''>; of <oemStrings> without a name */
typedef struct ConfSysinfoEntry {
    char *name;
    char *value;
    ConfCarried carried;
} ConfSysinfoEntry;

/** <baseBoard> */
typedef struct ConfSysinfoBoard {
    GPtrArray *entries; /* ConfSysinfoEntry */
    ConfCarried carried;
} ConfSysinfoBoard;

/** <sysinfo>; the lists are of ConfSysinfoEntry */
typedef struct ConfSysinfo {
    ConfSysinfoType type;
    GPtrArray *bios;
    GPtrArray *system;
    GPtrArray *boards; /* ConfSysinfoBoard */
    GPtrArray *chassis;
    GPtrArray *oem_strings;
    ConfCarried carried;
} ConfSysinfo;

/** Where the host's kernel keeps what its SMBIOS says. */
#define CONF_SYSINFO_HOST_FOLDER "/sys/class/dmi/id"

/** conf_sysinfo_host: what the host's SMBIOS says, as far as this process may
 * read it; NULL: there is none
 * @folder: CONF_SYSINFO_HOST_FOLDER, or a test's */
ConfSysinfo *conf_sysinfo_host(const char *folder);
void conf_sysinfo_free(ConfSysinfo *sysinfo); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfSysinfo, conf_sysinfo_free)

/** conf_sysinfo_format: the element, two-space indent */
char *conf_sysinfo_format(ConfSysinfo *sysinfo);

/** conf_sysinfo_value: of the first entry @name in @entries; NULL if there is
 * none */
const char *conf_sysinfo_value(const GPtrArray *entries, const char *name);
