/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/resolve/image.h"
#include "util/error.h"
#include "util/i18n.h"

/* virtio 1.2, 5.2.6.1: bytes of an identification; of a unit, as the engine
 * takes it */
#define SERIAL_MAX_BYTES      20
#define UNIT_SERIAL_MAX_BYTES 64
#define QUEUES_BY_ITSELF_MAX  16 /* as the engine takes them */

static void
set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void
set_number(json_t *object, const char *key, uint64_t value)
{
    if (value > 0)
        set(object, key,
            json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX)));
}

/* --- <iotune> ---------------------------------------------------------------
 */
#define LIMIT(MEMBER)                           \
    {                                           \
#MEMBER, offsetof(ConfThrottle, MEMBER) \
    }
#define SIX_LIMITS(SUFFIX)                                             \
    LIMIT(total_bytes_sec##SUFFIX), LIMIT(read_bytes_sec##SUFFIX),     \
        LIMIT(write_bytes_sec##SUFFIX), LIMIT(total_iops_sec##SUFFIX), \
        LIMIT(read_iops_sec##SUFFIX), LIMIT(write_iops_sec##SUFFIX)
static const struct {
    const char *name;
    size_t offset;
} limits[] = { SIX_LIMITS(), SIX_LIMITS(_max), SIX_LIMITS(_max_length),
               LIMIT(size_iops_sec) };

json_t *
engine_document_throttle(const ConfThrottle *throttle)
{
    json_t *object = json_object();

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        uint64_t value;

        memcpy(&value, (const char *)throttle + limits[i].offset,
               sizeof(value));
        set_number(object, limits[i].name, value);
    }
    if (json_object_size(object) > 0 && throttle->group_name)
        set(object, "group", json_string(throttle->group_name));
    return object;
}

/* --- <driver> ---------------------------------------------------------------
 */
static void
fill_cache(json_t *device, ConfDiskCache cache)
{
    if (cache == CONF_DISK_CACHE_WRITETHROUGH ||
        cache == CONF_DISK_CACHE_DIRECTSYNC)
        set(device, "write_cache", json_false());
    if (cache == CONF_DISK_CACHE_UNSAFE)
        set(device, "flush", json_string("ignore"));
}

static const char *
policy_name(ConfDiskPolicy policy)
{
    switch (policy) {
    case CONF_DISK_POLICY_STOP:
        return "stop";
    case CONF_DISK_POLICY_REPORT:
        return "report";
    case CONF_DISK_POLICY_IGNORE:
        return "ignore";
    case CONF_DISK_POLICY_ENOSPACE:
        return "enospace";
    case CONF_DISK_POLICY_ABSENT:
        break;
    }
    return NULL;
}

/* error_policy is that of reads too, where it can be and nothing else is said.
 */
static void
fill_policies(json_t *device, const ConfDisk *disk)
{
    const char *on_write = policy_name(disk->error_policy);
    const char *on_read = policy_name(disk->rerror_policy);

    if (!on_read && disk->error_policy != CONF_DISK_POLICY_ENOSPACE)
        on_read = on_write;
    if (on_write)
        set(device, "werror", json_string(on_write));
    if (on_read)
        set(device, "rerror", json_string(on_read));
}

static void
fill_driver(json_t *device, const ConfDisk *disk)
{
    static const char *const zeroes[] = { [CONF_DISK_ZEROES_OFF] = "off",
                                          [CONF_DISK_ZEROES_ON] = "on",
                                          [CONF_DISK_ZEROES_UNMAP] = "unmap" };

    if (disk->discard == CONF_DISK_DISCARD_UNMAP)
        set(device, "discard", json_string("unmap"));
    if (disk->detect_zeroes != CONF_DISK_ZEROES_ABSENT)
        set(device, "detect_zeroes", json_string(zeroes[disk->detect_zeroes]));
    fill_cache(device, disk->cache);
    fill_policies(device, disk);
}

/* Where nothing is said, each vCPU has one of its own: a request is over where
 * it began, without a word from one vCPU to another. */
static void
fill_queues(json_t *device, const ConfDomain *domain, unsigned asked)
{
    unsigned count =
        MIN(engine_document_vcpus(&domain->vcpus), QUEUES_BY_ITSELF_MAX);

    if (asked > 0 || count > 1)
        set_number(device, "queues", asked > 0 ? asked : count);
}

static void
fill_virtio(json_t *device, const ConfDomain *domain, const ConfDisk *disk)
{
    set(device, "packed", json_boolean(disk->packed == CONF_ONOFF_ON));
    fill_queues(device, domain, disk->queues);
    set_number(device, "queue_size", disk->queue_size);
    if (disk->iothread)
        set_number(device, "iothread",
                   conf_domain_iothread(domain, disk->iothread));
}

static void
fill_serial(json_t *device, const char *serial, size_t most)
{
    g_autofree char *begin = NULL;

    if (!serial)
        return;
    /* a character is not cut in two */
    begin = g_strndup(serial, most);
    while (!g_utf8_validate(begin, -1, NULL))
        begin[strlen(begin) - 1] = '\0';
    set(device, "serial", json_string(begin));
}

/* What all kinds of disks have but their images. */
static void
fill_disk(json_t *device, const ConfDisk *disk)
{
    json_t *throttle = engine_document_throttle(&disk->iotune);

    set(device, "readonly", json_boolean(disk->readonly == CONF_ONOFF_ON));
    fill_driver(device, disk);
    set_number(device, "logical_block_size", disk->logical_block_size);
    set_number(device, "physical_block_size", disk->physical_block_size);
    if (json_object_size(throttle) > 0)
        set(device, "throttle", throttle);
    else
        json_decref(throttle);
}

static bool
add_virtio(EngineResolved *resolved, ConfDisk *disk, GError **error)
{
    json_t *device = engine_document_add(resolved, "virtio-blk", disk->alias,
                                         &disk->address, error);
    json_t *drive = device ? engine_image_chain(resolved, disk, error) : NULL;

    if (!drive)
        return false;
    set(device, "drive", drive);
    fill_virtio(device, resolved->domain, disk);
    fill_serial(device, disk->serial, SERIAL_MAX_BYTES);
    fill_disk(device, disk);
    return true;
}

/* --- on a controller --------------------------------------------------------
 */
static void
fill_identity(json_t *device, const ConfDisk *disk)
{
    fill_serial(device, disk->serial, UNIT_SERIAL_MAX_BYTES);
    if (disk->vendor)
        set(device, "vendor", json_string(disk->vendor));
    if (disk->product)
        set(device, "product", json_string(disk->product));
    if (disk->wwn)
        set(device, "wwn", json_string(disk->wwn));
    set_number(device, "rotation_rate", disk->rotation_rate);
}

/* A medium that need not be there, and is not: the drive starts empty. */
static void
drop_missing(EngineResolved *resolved, ConfDisk *disk)
{
    if (!disk->path || disk->device != CONF_DISK_CDROM ||
        disk->startup != CONF_STARTUP_OPTIONAL ||
        access(disk->path, F_OK) == 0 || errno != ENOENT)
        return;
    engine_document_warn(
        resolved,
        g_strdup_printf(_("the disk '%s' starts without '%s', which does not "
                          "exist: startupPolicy='optional'"),
                        disk->target, disk->path));
    conf_disk_eject(disk);
}

static bool
add_unit(EngineResolved *resolved, ConfDisk *disk, GError **error)
{
    const ConfController *controller =
        conf_disk_controller(resolved->domain, disk, error);
    json_t *device, *drive;

    if (!controller)
        return false;
    device = json_pack(
        "{s:s,s:s,s:s,s:s,s:i,s:i}", "type", "unit", "id", disk->alias,
        "device", disk->device == CONF_DISK_CDROM ? "cdrom" : "disk",
        "controller", controller->alias, "target", (int)disk->address.target,
        "lun", (int)disk->address.unit);
    json_array_append_new(json_object_get(resolved->root, "devices"), device);
    drop_missing(resolved, disk);
    if (disk->path) {
        drive = engine_image_chain(resolved, disk, error);
        if (!drive)
            return false;
        set(device, "drive", drive);
    }
    fill_identity(device, disk);
    fill_disk(device, disk);
    return true;
}

bool
engine_document_disk(EngineResolved *resolved, ConfDisk *disk, GError **error)
{
    bool done = true;

    if (conf_disk_is_virtio(disk))
        done = add_virtio(resolved, disk, error);
    else if (conf_disk_is_unit(disk))
        done = add_unit(resolved, disk, error);
    if (!done)
        g_prefix_error(error, _("disk '%s': "), disk->target);
    return done;
}

bool
engine_document_controller(EngineResolved *resolved, ConfController *controller,
                           GError **error)
{
    json_t *device;

    if (!conf_controller_is_scsi(controller))
        return true;
    device = engine_document_add(resolved, "virtio-scsi", controller->alias,
                                 &controller->address, error);
    if (!device)
        return false;
    set(device, "packed", json_boolean(controller->packed == CONF_ONOFF_ON));
    fill_queues(device, resolved->domain, controller->queues);
    set_number(device, "cmd_per_lun", controller->cmd_per_lun);
    set_number(device, "max_sectors", controller->max_sectors);
    if (controller->iothread)
        set_number(
            device, "iothread",
            conf_domain_iothread(resolved->domain, controller->iothread));
    return true;
}
