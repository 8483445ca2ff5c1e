/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/calls.h"
#include "core/change.h"
#include "core/device.h"
#include "core/engine-devices.h"
#include "core/throttle.h"
#include "util/error.h"
#include "util/i18n.h"

/** domainUpdateDeviceFlags: of a running guest, an interface's link, limits and
 * bridge or network, and a disk's limits, what is in a drive for discs, and
 * what the next start makes of it; of the next start, all that a device says.
 */

typedef struct Update {
    const char *xml;
    bool force; /* a drive that the guest has locked */
    /* filled in by applying it to the running definition: what it was, and
     * what it is to be */
    ConfDevice *before, *after;
    bool done;         /* @after has what only the running guest's has */
    ConfDomain *tried; /* the running definition with it */
} Update;

static void
forget(Update *update)
{
    g_clear_pointer(&update->before, conf_device_free);
    g_clear_pointer(&update->after, conf_device_free);
    g_clear_pointer(&update->tried, conf_domain_free);
}

/* --- what may be changed
 * --------------------------------------------------------- */

/* Rows of the elements; an alias or a place that is not given is no change. */
#define LIMIT_ROWS                                                            \
    "total_bytes_sec", "read_bytes_sec", "write_bytes_sec", "total_iops_sec", \
        "read_iops_sec", "write_iops_sec", "total_bytes_sec_max",             \
        "read_bytes_sec_max", "write_bytes_sec_max", "total_iops_sec_max",    \
        "read_iops_sec_max", "write_iops_sec_max", "size_iops_sec",           \
        "group_name", "total_bytes_sec_max_length",                           \
        "read_bytes_sec_max_length", "write_bytes_sec_max_length",            \
        "total_iops_sec_max_length", "read_iops_sec_max_length",              \
        "write_iops_sec_max_length"
/* beside what only a start asks for */
static const char *const disk_rows[] = { LIMIT_ROWS, "source/startupPolicy",
                                         "disk/snapshot", NULL };

/* The same, and what says which disc is in it. */
static const char *const media_rows[] = {
    LIMIT_ROWS,     "disk/type", "driver/type",   "source", "target/tray",
    "backingStore", "format",    "disk/snapshot", NULL,
};

static const char *const interface_rows[] = {
    "link",
    "inbound",
    "outbound",
    "source/bridge",
    "source/network",
    "source/portgroup",
    "interface/trustGuestRxFilters",
    NULL,
};

static const char *const *
rows_of(const ConfDisk *disk)
{
    return disk->device == CONF_DISK_CDROM && conf_disk_is_unit(disk)
               ? media_rows
               : disk_rows;
}

static bool
check_live(const ConfDevice *before, const ConfDevice *after, GError **error)
{
    bool is_disk = before->kind == CONF_DEVICE_DISK;
    const char *const *rows = is_disk ? rows_of(before->data) : interface_rows;
    g_autofree char *row = NULL;

    if (!is_disk && before->kind != CONF_DEVICE_INTERFACE) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("live update of device '%s' is not supported"),
                  conf_device_name(before->kind));
        return false;
    }
    row = conf_device_difference(before, after, rows);
    if (row && is_disk)
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("cannot modify field %s of the disk"), row);
    else if (row)
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("cannot modify field %s of the network interface"), row);
    return !row;
}

/* --- the definitions
 * -------------------------------------------------------------- */

/* The bridge of a network, which no client says */
static void
learn(const ConfDevice *device, const ConfDevice *after)
{
    ConfInterface *net = device->data;
    const ConfInterface *connected = after->data;

    if (device->kind != CONF_DEVICE_INTERFACE ||
        net->type != CONF_INTERFACE_NETWORK)
        return;
    g_free(net->bridge);
    net->bridge = g_strdup(connected->bridge);
}

static bool
apply(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    Update *update = data;
    ConfDevice *device =
        live && update->done && update->after->kind == CONF_DEVICE_DISK
            ? conf_device_copy(update->after)
            : conf_device_parse(update->xml, live ? 0 : CONF_PARSE_INACTIVE,
                                error);
    g_autoptr(ConfDevice) before = NULL;
    ConfDevice found;
    bool done;

    if (!device)
        return false;
    done = conf_domain_find_device(conf, device, &found, error);
    if (done)
        before = conf_device_copy(&found);
    if (done && live && update->done)
        learn(device, update->after);
    done = done && conf_domain_replace_device(conf, &found, &device, error);
    conf_device_free(device);
    if (!done || !live)
        return done;
    done = conf_domain_device_by_alias(conf, conf_device_alias(before), &found,
                                       error) &&
           check_live(before, &found, error);
    if (!done)
        return false;
    forget(update);
    update->before = g_steal_pointer(&before);
    update->after = conf_device_copy(&found);
    update->tried = conf_domain_copy(conf);
    return true;
}

/* --- the engine
 * ----------------------------------------------------------------------- */

static bool
same_network(const ConfInterface *one, const ConfInterface *other)
{
    if (one->type == CONF_INTERFACE_BRIDGE)
        return g_strcmp0(one->bridge, other->bridge) == 0;
    return one->type != CONF_INTERFACE_NETWORK ||
           (g_strcmp0(one->network, other->network) == 0 &&
            g_strcmp0(one->portgroup, other->portgroup) == 0);
}

static bool
ask_interface(CoreEngine *engine, const ConfInterface *before,
              ConfInterface *after, GError **error)
{
    const CoreEngineDeviceOps *ops = engine->ops->devices;
    bool was_up = before->link != CONF_LINK_DOWN;
    bool up = after->link != CONF_LINK_DOWN;

    if (!same_network(before, after) &&
        !ops->net_connect(engine, before, after, error))
        return false;
    if (was_up != up && !ops->set_link(engine, before->alias, up, error))
        return false;
    return memcmp(&before->bandwidth, &after->bandwidth,
                  sizeof(before->bandwidth)) == 0 ||
           ops->net_bandwidth(engine, before->alias, &after->bandwidth, error);
}

static bool
is_another(const ConfDisk *before, const ConfDisk *after)
{
    return before->type != after->type ||
           g_strcmp0(before->path, after->path) != 0 ||
           g_strcmp0(before->format, after->format) != 0;
}

static bool
same_limits(const ConfThrottle *one, const ConfThrottle *other)
{
    for (size_t i = 0; i < CORE_THROTTLE_FIELDS; i++)
        if (core_throttle_get(one, i) != core_throttle_get(other, i))
            return false;
    return g_strcmp0(one->group_name, other->group_name) == 0;
}

static bool
ask_disk(CoreEngine *engine, const Update *update, GError **error)
{
    const CoreEngineDeviceOps *ops = engine->ops->devices;
    const ConfDisk *before = update->before->data;
    ConfDisk *disk = update->after->data;

    if (is_another(before, disk) &&
        !ops->change_medium(engine, update->tried, disk, update->force, error))
        return false;
    return same_limits(&before->iotune, &disk->iotune) ||
           ops->block_throttle(engine, disk->alias, &disk->iotune, error);
}

static bool
ask(CoreEngine *engine, gpointer data, GError **error)
{
    Update *update = data;

    if (update->after->kind == CONF_DEVICE_INTERFACE)
        update->done = ask_interface(engine, update->before->data,
                                     update->after->data, error);
    else
        update->done = ask_disk(engine, update, error);
    return update->done;
}

static bool
update_act(CoreCall *call, GError **error)
{
    Update *update = call->data;
    CoreChange change = { apply, ask, update };
    bool done = core_change(call, &change, error);

    forget(update);
    return done;
}

static const CoreOperation update_operation = {
    .name = "domainUpdateDeviceFlags",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = VIR_DOMAIN_DEVICE_MODIFY_LIVE | VIR_DOMAIN_DEVICE_MODIFY_CONFIG |
             VIR_DOMAIN_DEVICE_MODIFY_FORCE,
    .act = update_act,
};

bool
core_call_update(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, const char *xml, unsigned flags,
                 GError **error)
{
    Update update = { .xml = xml,
                      .force = flags & VIR_DOMAIN_DEVICE_MODIFY_FORCE };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &update
    };

    return core_api_call(&update_operation, &call, dom, error);
}
