/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/device.h"

#include <string.h>

#include "conf/element.h"
#include "util/error.h"
#include "util/i18n.h"

/* Which device of a domain does one mean? And how do two differ? */

/* --- by kind ----------------------------------------------------------------
 */
static bool
match_disk(const void *own, const void *wanted)
{
    const ConfDisk *disk = own, *other = wanted;

    return strcmp(disk->target, other->target) == 0;
}

static bool
is_given(const ConfAddress *address)
{
    return address->pci && (address->domain || address->bus || address->slot ||
                            address->function);
}

static bool
same_place(const ConfAddress *one, const ConfAddress *other)
{
    return one->pci && one->domain == other->domain && one->bus == other->bus &&
           one->slot == other->slot && one->function == other->function;
}

static bool
match_interface(const void *own, const void *wanted)
{
    const ConfInterface *net = own, *other = wanted;

    return (!other->mac_given || strcmp(net->mac, other->mac) == 0) &&
           (!is_given(&other->address) ||
            same_place(&net->address, &other->address)) &&
           (!other->alias || g_strcmp0(net->alias, other->alias) == 0);
}

static bool
match_controller(const void *own, const void *wanted)
{
    const ConfController *controller = own, *other = wanted;

    return controller->type == other->type &&
           controller->index == MAX(other->index, 0);
}

static bool
match_chardev(const void *own, const void *wanted)
{
    const ConfChardev *chardev = own, *other = wanted;

    if (other->alias)
        return g_strcmp0(chardev->alias, other->alias) == 0;
    return chardev->type == other->type &&
           (!other->path || g_strcmp0(chardev->path, other->path) == 0) &&
           g_strcmp0(chardev->host, other->host) == 0 &&
           g_strcmp0(chardev->service, other->service) == 0 &&
           (!other->target_type ||
            g_strcmp0(chardev->target_type, other->target_type) == 0) &&
           g_strcmp0(chardev->name, other->name) == 0 &&
           (other->port < 0 || chardev->port == other->port);
}

static bool
match_rng(const void *own, const void *wanted)
{
    const ConfRng *rng = own, *other = wanted;

    return strcmp(rng->model, other->model) == 0 &&
           rng->backend == other->backend &&
           g_strcmp0(rng->path, other->path) == 0 &&
           rng->bytes == other->bytes && rng->period_ms == other->period_ms &&
           (!is_given(&other->address) ||
            same_place(&rng->address, &other->address));
}

static bool
match_memballoon(const void *own, const void *wanted)
{
    const ConfMemballoon *balloon = own, *other = wanted;

    return strcmp(balloon->model, other->model) == 0;
}

static bool
match_panic(const void *own, const void *wanted)
{
    const ConfPanic *panic = own, *other = wanted;

    return strcmp(panic->model, other->model) == 0;
}

static bool (*const matches[])(const void *own, const void *wanted) = {
    [CONF_DEVICE_DISK] = match_disk,
    [CONF_DEVICE_CONTROLLER] = match_controller,
    [CONF_DEVICE_INTERFACE] = match_interface,
    [CONF_DEVICE_SERIAL] = match_chardev,
    [CONF_DEVICE_CONSOLE] = match_chardev,
    [CONF_DEVICE_CHANNEL] = match_chardev,
    [CONF_DEVICE_MEMBALLOON] = match_memballoon,
    [CONF_DEVICE_RNG] = match_rng,
    [CONF_DEVICE_PANIC] = match_panic,
};

static bool
missing_interface(const ConfInterface *net, GError **error)
{
    const ConfAddress *address = &net->address;
    g_autofree char *place =
        g_strdup_printf("%04x:%02x:%02x.%x", address->domain, address->bus,
                        address->slot, address->function);

    if (net->mac_given && is_given(address))
        error_set(error, VIR_ERR_DEVICE_MISSING,
                  _("no device matching MAC address %s found on PCI address "
                    "%s"),
                  net->mac, place);
    else if (net->mac_given)
        error_set(error, VIR_ERR_DEVICE_MISSING,
                  _("no device matching MAC address %s found"), net->mac);
    else if (is_given(address))
        error_set(error, VIR_ERR_DEVICE_MISSING,
                  _("no device found on PCI address %s"), place);
    else
        error_set(error, VIR_ERR_DEVICE_MISSING, _("no matching device found"));
    return false;
}

static bool
missing(const ConfDevice *device, GError **error)
{
    if (device->kind == CONF_DEVICE_INTERFACE)
        return missing_interface(device->data, error);
    if (device->kind == CONF_DEVICE_DISK)
        error_set(error, VIR_ERR_DEVICE_MISSING, _("no target device %s"),
                  ((const ConfDisk *)device->data)->target);
    else
        error_set(error, VIR_ERR_DEVICE_MISSING,
                  _("matching device '%s' not found"),
                  conf_device_name(device->kind));
    return false;
}

static bool
several(const ConfDevice *device, GError **error)
{
    const ConfInterface *net = device->data;

    if (device->kind == CONF_DEVICE_INTERFACE && net->mac_given)
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("multiple devices matching MAC address %s found"),
                  net->mac);
    else
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("multiple matching devices found"));
    return false;
}

bool
conf_domain_find_device(const ConfDomain *domain, const ConfDevice *device,
                        ConfDevice *ret_found, GError **error)
{
    GPtrArray *list = conf_device_list(domain, device->kind);
    void *found = NULL;

    for (guint i = 0; i < list->len; i++) {
        void *own = g_ptr_array_index(list, i);

        if (!matches[device->kind](own, device->data))
            continue;
        if (found && device->kind == CONF_DEVICE_INTERFACE)
            return several(device, error);
        if (!found)
            found = own;
    }
    if (!found)
        return missing(device, error);
    ret_found->kind = device->kind;
    ret_found->data = found;
    return true;
}
