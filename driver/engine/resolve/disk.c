/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <string.h>

#include "engine/resolve/image.h"
#include "util/error.h"
#include "util/i18n.h"

/* virtio 1.2, 5.2.6.1: bytes of an identification */
#define SERIAL_MAX_BYTES 20

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
fill_driver(json_t *device, const ConfDomain *domain, const ConfDisk *disk)
{
    static const char *const zeroes[] = { [CONF_DISK_ZEROES_OFF] = "off",
                                          [CONF_DISK_ZEROES_ON] = "on",
                                          [CONF_DISK_ZEROES_UNMAP] = "unmap" };

    set(device, "packed", json_boolean(disk->packed == CONF_ONOFF_ON));
    set_number(device, "queues", disk->queues);
    set_number(device, "queue_size", disk->queue_size);
    if (disk->iothread)
        set_number(device, "iothread",
                   conf_domain_iothread(domain, disk->iothread));
    if (disk->discard == CONF_DISK_DISCARD_UNMAP)
        set(device, "discard", json_string("unmap"));
    if (disk->detect_zeroes != CONF_DISK_ZEROES_ABSENT)
        set(device, "detect_zeroes", json_string(zeroes[disk->detect_zeroes]));
    fill_cache(device, disk->cache);
    fill_policies(device, disk);
}

static void
fill_serial(json_t *device, const char *serial)
{
    g_autofree char *begin = NULL;

    if (!serial)
        return;
    /* a character is not cut in two */
    begin = g_strndup(serial, SERIAL_MAX_BYTES);
    while (!g_utf8_validate(begin, -1, NULL))
        begin[strlen(begin) - 1] = '\0';
    set(device, "serial", json_string(begin));
}

bool
engine_document_disk(EngineResolved *resolved, ConfDisk *disk, GError **error)
{
    json_t *device = engine_document_add(resolved, "virtio-blk", disk->alias,
                                         &disk->address, error);
    json_t *drive = device ? engine_image_chain(resolved, disk, error) : NULL;
    json_t *throttle;

    if (!drive) {
        g_prefix_error(error, _("disk '%s': "), disk->target);
        return false;
    }
    set(device, "drive", drive);
    set(device, "readonly", json_boolean(disk->readonly == CONF_ONOFF_ON));
    fill_driver(device, resolved->domain, disk);
    fill_serial(device, disk->serial);
    set_number(device, "logical_block_size", disk->logical_block_size);
    set_number(device, "physical_block_size", disk->physical_block_size);
    throttle = engine_document_throttle(&disk->iotune);
    if (json_object_size(throttle) > 0)
        set(device, "throttle", throttle);
    else
        json_decref(throttle);
    return true;
}
