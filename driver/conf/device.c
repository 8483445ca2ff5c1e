/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/device.h"

#include <string.h>

#include "conf/element.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

/* Depth of a device in a domain's document */
#define LEVEL 2

static const struct {
    const ConfElement *element;
    size_t list, alias;
    size_t address; /* 0: it has no place on the PCI bus */
} kinds[] = {
    [CONF_DEVICE_DISK] = { &conf_disk_element, offsetof(ConfDomain, disks),
                           offsetof(ConfDisk, alias),
                           offsetof(ConfDisk, address) },
    [CONF_DEVICE_CONTROLLER] = { &conf_controller_element,
                                 offsetof(ConfDomain, controllers),
                                 offsetof(ConfController, alias),
                                 offsetof(ConfController, address) },
    [CONF_DEVICE_INTERFACE] = { &conf_interface_element,
                                offsetof(ConfDomain, interfaces),
                                offsetof(ConfInterface, alias),
                                offsetof(ConfInterface, address) },
    [CONF_DEVICE_SERIAL] = { &conf_serial_element,
                             offsetof(ConfDomain, serials),
                             offsetof(ConfChardev, alias), 0 },
    [CONF_DEVICE_CONSOLE] = { &conf_console_element,
                              offsetof(ConfDomain, consoles),
                              offsetof(ConfChardev, alias), 0 },
    [CONF_DEVICE_CHANNEL] = { &conf_channel_element,
                              offsetof(ConfDomain, channels),
                              offsetof(ConfChardev, alias), 0 },
    [CONF_DEVICE_MEMBALLOON] = { &conf_memballoon_element,
                                 offsetof(ConfDomain, memballoons),
                                 offsetof(ConfMemballoon, alias),
                                 offsetof(ConfMemballoon, address) },
    [CONF_DEVICE_RNG] = { &conf_rng_element, offsetof(ConfDomain, rngs),
                          offsetof(ConfRng, alias),
                          offsetof(ConfRng, address) },
    [CONF_DEVICE_PANIC] = { &conf_panic_element, offsetof(ConfDomain, panics),
                            offsetof(ConfPanic, alias),
                            offsetof(ConfPanic, address) },
};

const char *
conf_device_name(ConfDeviceKind kind)
{
    return kinds[kind].element->name;
}

static ConfFrame
frame_of(const ConfDevice *device, unsigned level)
{
    const ConfElement *element = kinds[device->kind].element;
    void *carried = (char *)device->data + element->carried;

    return (ConfFrame){ .element = element,
                        .base = device->data,
                        .carried = carried,
                        .level = level };
}

static ConfDevice *
device_new(ConfDeviceKind kind, void *data)
{
    ConfDevice *device = g_new(ConfDevice, 1);

    device->kind = kind;
    device->data = data;
    return device;
}

void
conf_device_free(ConfDevice *device)
{
    ConfFrame frame;

    if (!device)
        return;
    frame = frame_of(device, 0);
    conf_table_clear(frame.element, frame.base);
    conf_carried_clear(frame.carried);
    g_free(device->data);
    g_free(device);
}

ConfDevice *
conf_device_copy(const ConfDevice *device)
{
    ConfFrame from = frame_of(device, 0), to;
    ConfDevice *copy = device_new(device->kind, g_malloc0(from.element->size));

    to = frame_of(copy, 0);
    conf_table_copy(from.element, to.base, from.base);
    conf_carried_copy(to.carried, from.carried);
    return copy;
}

static bool
kind_of(const xmlNode *node, ConfDeviceKind *ret_kind, GError **error)
{
    const char *name = (const char *)node->name;

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (node->ns || strcmp(kinds[i].element->name, name) != 0)
            continue;
        *ret_kind = (ConfDeviceKind)i;
        return true;
    }
    if (!node->ns &&
        conf_table_find(&conf_devices_element, NULL, name, false) >= 0)
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("a device '%s' cannot be attached, detached or updated"),
                  name);
    else
        error_set(error, VIR_ERR_XML_ERROR, _("unknown device type '%s'"),
                  name);
    return false;
}

ConfDevice *
conf_device_parse(const char *xml, unsigned flags, GError **error)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse(xml, "device_definition", error);
    g_autoptr(ConfDevice) device = NULL;
    ConfDeviceKind kind;
    ConfFrame frame;
    xmlNode *root;

    if (!doc)
        return NULL;
    root = xmlDocGetRootElement(doc);
    if (!kind_of(root, &kind, error))
        return NULL;
    device = device_new(kind, conf_table_new(kinds[kind].element));
    frame = frame_of(device, LEVEL);
    return conf_table_parse(&frame, root, flags, error)
               ? g_steal_pointer(&device)
               : NULL;
}

char *
conf_device_format(const ConfDevice *device, unsigned flags)
{
    GString *out = g_string_new(NULL);
    ConfFrame frame = frame_of(device, 0);

    conf_table_format(out, &frame, frame.element->name, flags);
    return g_string_free(out, FALSE);
}

bool
conf_device_check_start(const ConfDevice *device, GPtrArray *warnings,
                        GError **error)
{
    ConfFrame frame = frame_of(device, 0);

    return conf_check_rows(&frame, warnings, error);
}

ConfFrame
conf_device_frame(const ConfDevice *device)
{
    return frame_of(device, 0);
}

static char **
alias_of(const ConfDevice *device)
{
    void *member = (char *)device->data + kinds[device->kind].alias;

    return member;
}

const char *
conf_device_alias(const ConfDevice *device)
{
    return *alias_of(device);
}

GPtrArray *
conf_device_list(const ConfDomain *domain, ConfDeviceKind kind)
{
    const void *member = (const char *)domain + kinds[kind].list;

    return *(GPtrArray *const *)member;
}

bool
conf_domain_device_by_alias(const ConfDomain *domain, const char *alias,
                            ConfDevice *ret_found, GError **error)
{
    for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        GPtrArray *list = conf_device_list(domain, (ConfDeviceKind)kind);

        for (guint i = 0; i < list->len; i++) {
            ConfDevice device = { .kind = (ConfDeviceKind)kind,
                                  .data = g_ptr_array_index(list, i) };

            if (g_strcmp0(conf_device_alias(&device), alias) != 0)
                continue;
            *ret_found = device;
            return true;
        }
    }
    error_set(error, VIR_ERR_DEVICE_MISSING, _("no device found with alias %s"),
              alias);
    return false;
}

/* --- in and out of a domain -------------------------------------------------
 */
static bool
check_new(const ConfDomain *domain, const ConfDevice *device, GError **error)
{
    const ConfDisk *disk = device->data;

    if (device->kind == CONF_DEVICE_DISK &&
        conf_domain_disk(domain, disk->target)) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("target %s already exists"), disk->target);
        return false;
    }
    if (device->kind == CONF_DEVICE_MEMBALLOON &&
        domain->memballoons->len > 0) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("the domain already has a memory balloon"));
        return false;
    }
    return true;
}

bool
conf_domain_add_device(ConfDomain *domain, ConfDevice **device, GError **error)
{
    GPtrArray *list = conf_device_list(domain, (*device)->kind);

    if (!check_new(domain, *device, error))
        return false;
    g_ptr_array_add(list, (*device)->data);
    if (!conf_domain_settle_devices(domain, error)) {
        g_ptr_array_remove(list, (*device)->data);
        return false;
    }
    g_clear_pointer(device, g_free);
    return true;
}

ConfDevice *
conf_domain_remove_device(ConfDomain *domain, const ConfDevice *found)
{
    GPtrArray *list = conf_device_list(domain, found->kind);
    bool known = g_ptr_array_remove(list, found->data);

    g_assert(known);
    return device_new(found->kind, found->data);
}

static ConfAddress *
address_of(const ConfDevice *device)
{
    void *member = (char *)device->data + kinds[device->kind].address;

    return kinds[device->kind].address ? member : NULL;
}

/* What a running guest's interface has of the host. An MTU that is not given is
 * its network's. */
static void
inherit_interface(ConfInterface *net, const ConfInterface *old)
{
    if (!net->target)
        net->target = g_strdup(old->target);
    if (net->type != CONF_INTERFACE_NETWORK || old->type != net->type)
        return;
    g_free(net->bridge);
    net->bridge = g_strdup(old->bridge);
    if (net->mtu == 0)
        net->mtu = old->mtu;
}

/* What lies below the image that it has open; @device may leave it out. */
static void
inherit_backing(ConfDisk *disk, const ConfDevice *found)
{
    g_autoptr(ConfDevice) copy = NULL;
    const ConfDisk *old = found->data;
    GPtrArray *none = disk->backing;
    ConfDisk *copied;

    if (none->len > 0 || g_strcmp0(disk->path, old->path) != 0)
        return;
    copy = conf_device_copy(found);
    copied = copy->data;
    disk->backing = copied->backing;
    copied->backing = none;
}

static void
inherit_live(const ConfDevice *device, const ConfDevice *found)
{
    if (device->kind == CONF_DEVICE_INTERFACE)
        inherit_interface(device->data, found->data);
    if (device->kind == CONF_DEVICE_DISK)
        inherit_backing(device->data, found);
}

/* What @device does not say of its place is as @found has it. */
static void
inherit(const ConfDevice *device, const ConfDevice *found)
{
    ConfAddress *address = address_of(device);

    if (!*alias_of(device))
        *alias_of(device) = g_strdup(*alias_of(found));
    if (address && !address->type)
        conf_address_copy(address, address_of(found));
    if (device->kind == CONF_DEVICE_INTERFACE) {
        ConfInterface *net = device->data;
        const ConfInterface *old = found->data;

        if (!net->mac_given) {
            g_free(net->mac);
            net->mac = g_strdup(old->mac);
        }
    }
}

bool
conf_domain_replace_device(ConfDomain *domain, const ConfDevice *found,
                           ConfDevice **device, GError **error)
{
    GPtrArray *list = conf_device_list(domain, found->kind);
    void *old = found->data;
    guint index;

    g_assert((*device)->kind == found->kind &&
             g_ptr_array_find(list, old, &index));
    inherit(*device, found);
    if (domain->live.id >= 0)
        inherit_live(*device, found);
    list->pdata[index] = (*device)->data;
    if (!conf_domain_settle_devices(domain, error)) {
        list->pdata[index] = old;
        return false;
    }
    g_clear_pointer(device, g_free);
    conf_device_free(device_new(found->kind, old));
    return true;
}
