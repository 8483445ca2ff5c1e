/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/domain.h"

/** The devices of a domain, as its XML names them. */

/** The option "interface" of commands about one. */
#define VSH_OPTION_INTERFACE(text)                      \
    {                                                   \
        .name = "interface", .kind = VSH_OPTION_STRING, \
        .flags = VSH_OPTION_REQUIRED, .help = text,     \
        .complete = vsh_complete_interface              \
    }

typedef enum VshDeviceKind {
    VSH_DEVICE_DISK,
    VSH_DEVICE_INTERFACE,
    VSH_DEVICE_ANY, /* every one that has an alias */
} VshDeviceKind;

/** A device; what it doesn't have is NULL. */
typedef struct VshDevice {
    char *xml;    /* the element */
    char *type;   /* file, block ...; network, bridge ... */
    char *source; /* file, device, volume, network ... */
    char *target; /* vda; vnet0 */
    char *alias;
    char *device; /* of a disk: disk, cdrom ... */
    char *model;  /* of an interface, as all below */
    char *mac;
    char *link; /* up, down */
} VshDevice;

/**
 * vsh_device_list: the devices of a kind, in the order of the XML
 * @xml_flags: VIR_DOMAIN_XML_INACTIVE: of the definition
 * Returns: VshDevice that the array owns
 */
GPtrArray *vsh_device_list(virDomainPtr domain, VshDeviceKind kind,
                           unsigned xml_flags, GError **error);

/**
 * vsh_device_disk: the disk whose target or source is @name
 * Returns: a member of @disks; NULL with NOT_FOUND
 */
const VshDevice *vsh_device_disk(GPtrArray *disks, virDomainPtr domain,
                                 const char *name, GError **error);

/**
 * vsh_device_interface: the interface whose target or MAC address is @name
 * @ret_count: how many there are
 * Returns: a member of @interfaces; NULL if there is not exactly one
 */
const VshDevice *vsh_device_interface(GPtrArray *interfaces, const char *name,
                                      unsigned *ret_count);

/** vsh_device_is_mac: does @name look like a MAC address? */
bool vsh_device_is_mac(const char *name);

/**
 * vsh_device_hint: add to *@error, just made by vsh_error_virt(), where the
 * devices of @domain are listed, if it says that there is no such device
 */
void vsh_device_hint(VshDeviceKind kind, const char *domain, GError **error);

/**
 * vsh_device_live_alias: the alias of the device of a running domain that has
 * this target or MAC address (NULL: any); NULL if there is none
 */
char *vsh_device_live_alias(virDomainPtr domain, const char *target,
                            const char *mac);
