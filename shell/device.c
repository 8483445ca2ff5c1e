/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/device.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/xml.h"
#include "util/i18n.h"

/* Where a member of VshDevice stands in the element. */
typedef struct VshDeviceField {
    size_t offset;
    const char *path;
} VshDeviceField;

#define FIELDS_MAX 8

#define FIELD(member, path)               \
    {                                     \
        offsetof(VshDevice, member), path \
    }

static const struct {
    const char *xpath;
    VshDeviceField fields[FIELDS_MAX];
} kinds[] = {
    [VSH_DEVICE_DISK] = { "/domain/devices/disk",
                          {
                              FIELD(type, "@type"),
                              FIELD(device, "@device"),
                              FIELD(source, "source/@file | source/@dev | "
                                            "source/@dir | source/@volume | "
                                            "source/@name | source/@path"),
                              FIELD(target, "target/@dev"),
                              FIELD(alias, "alias/@name"),
                          } },
    [VSH_DEVICE_INTERFACE] = { "/domain/devices/interface",
                               {
                                   FIELD(type, "@type"),
                                   FIELD(source,
                                         "source/@bridge | source/@dev | "
                                         "source/@network | source/@name | "
                                         "source/@path"),
                                   FIELD(target, "target/@dev"),
                                   FIELD(alias, "alias/@name"),
                                   FIELD(model, "model/@type"),
                                   FIELD(mac, "mac/@address"),
                                   FIELD(link, "link/@state"),
                               } },
    [VSH_DEVICE_ANY] = { "/domain/devices/*[alias/@name]",
                         {
                             FIELD(target, "target/@dev"),
                             FIELD(alias, "alias/@name"),
                             FIELD(mac, "mac/@address"),
                         } },
};

static void
device_free(void *data)
{
    VshDevice *device = data;

    g_free(device->xml);
    g_free(device->type);
    g_free(device->source);
    g_free(device->target);
    g_free(device->alias);
    g_free(device->device);
    g_free(device->model);
    g_free(device->mac);
    g_free(device->link);
    g_free(device);
}

/* A list that is being filled. */
typedef struct VshDeviceFill {
    const VshDeviceField *fields;
    GPtrArray *devices;
} VshDeviceFill;

static void
add_device(const char *xml, char *const *texts, void *data)
{
    const VshDeviceFill *fill = data;
    VshDevice *device = g_new0(VshDevice, 1);

    device->xml = g_strdup(xml);
    for (size_t i = 0; i < FIELDS_MAX && fill->fields[i].path; i++)
        G_STRUCT_MEMBER(char *, device, fill->fields[i].offset) =
            g_strdup(texts[i]);
    g_ptr_array_add(fill->devices, device);
}

GPtrArray *
vsh_device_list(virDomainPtr domain, VshDeviceKind kind, unsigned xml_flags,
                GError **error)
{
    const char *name = virDomainGetName(domain);
    g_autofree char *xml = virDomainGetXMLDesc(domain, xml_flags);
    g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func(device_free);
    VshDeviceFill fill = { kinds[kind].fields, devices };
    const char *paths[FIELDS_MAX + 1] = { NULL };

    if (!xml) {
        vsh_error_virt(error, _("Failed to get the XML of domain '%s'"), name);
        return NULL;
    }
    for (size_t i = 0; i < FIELDS_MAX; i++)
        paths[i] = kinds[kind].fields[i].path;
    if (!vsh_xml_each(xml, kinds[kind].xpath, paths, add_device, &fill)) {
        vsh_error_set(error, VSH_EXIT_DOCUMENT,
                      _("the hypervisor's XML is malformed"));
        return NULL;
    }
    return g_steal_pointer(&devices);
}

static void
add_hint(VshDeviceKind kind, const char *domain, GError **error)
{
    if (kind == VSH_DEVICE_DISK)
        vsh_error_hint(
            error, _("'domblklist %s' shows the disks of the domain"), domain);
    else if (kind == VSH_DEVICE_INTERFACE)
        vsh_error_hint(error,
                       _("'domiflist %s' shows the interfaces of the domain"),
                       domain);
    else
        vsh_error_hint(error,
                       _("'dumpxml %s' shows the devices of the domain and "
                         "their aliases"),
                       domain);
}

void
vsh_device_hint(VshDeviceKind kind, const char *domain, GError **error)
{
    int code = virGetLastErrorCode();

    if (code == VIR_ERR_INVALID_ARG || code == VIR_ERR_DEVICE_MISSING)
        add_hint(kind, domain, error);
}

const VshDevice *
vsh_device_disk(GPtrArray *disks, virDomainPtr domain, const char *name,
                GError **error)
{
    for (guint i = 0; i < disks->len; i++) {
        const VshDevice *disk = disks->pdata[i];

        if (g_strcmp0(disk->target, name) == 0 ||
            g_strcmp0(disk->source, name) == 0)
            return disk;
    }
    vsh_error_set(error, VSH_EXIT_NOT_FOUND,
                  _("No disk found whose source path or target is %s"), name);
    add_hint(VSH_DEVICE_DISK, virDomainGetName(domain), error);
    return NULL;
}

bool
vsh_device_is_mac(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, ":", 7);

    if (g_strv_length(parts) != 6)
        return false;
    for (size_t i = 0; i < 6; i++)
        if (!g_ascii_isxdigit(parts[i][0]) ||
            (parts[i][1] && (!g_ascii_isxdigit(parts[i][1]) || parts[i][2])))
            return false;
    return true;
}

const VshDevice *
vsh_device_interface(GPtrArray *interfaces, const char *name,
                     unsigned *ret_count)
{
    const VshDevice *found = NULL;
    unsigned count = 0;

    for (guint i = 0; i < interfaces->len; i++) {
        const VshDevice *interface = interfaces->pdata[i];

        if (g_strcmp0(interface->target, name) != 0 &&
            (!interface->mac || g_ascii_strcasecmp(interface->mac, name) != 0))
            continue;
        found = interface;
        count++;
    }
    *ret_count = count;
    return count == 1 ? found : NULL;
}

char *
vsh_device_live_alias(virDomainPtr domain, const char *target, const char *mac)
{
    g_autoptr(GPtrArray) devices = NULL;

    if ((!target && !mac) || virDomainIsActive(domain) != 1)
        return NULL;
    devices = vsh_device_list(domain, VSH_DEVICE_ANY, 0, NULL);
    for (guint i = 0; devices && i < devices->len; i++) {
        const VshDevice *device = devices->pdata[i];

        if ((target && g_strcmp0(device->target, target) == 0) ||
            (mac && device->mac && g_ascii_strcasecmp(device->mac, mac) == 0))
            return g_strdup(device->alias);
    }
    return NULL;
}
