/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-blk.h"

#include <limits.h>
#include <string.h>

#include "engine/config-device.h"
#include "util/i18n.h"

#define QUEUES_MAX         16
#define QUEUE_SIZE_MIN     4 /* a request needs three entries */
#define QUEUE_SIZE_MAX     1024
#define QUEUE_SIZE_DEFAULT 256
#define BLOCK_SIZE_DEFAULT 512
#define LOGICAL_SIZE_MAX   4096
#define PHYSICAL_SIZE_MAX  (2u << 20)

static const char *const format_names[] = { "raw", "qcow2", NULL };
static const char *const aio_names[] = { "io_uring", "threads", NULL };
static const char *const discard_names[] = { "ignore", "unmap", NULL };
static const char *const zeroes_names[] = { "off", "on", "unmap", NULL };
static const char *const flush_names[] = { "honour", "ignore", NULL };
static const char *const werror_names[] = { "report", "stop", "ignore",
                                            "enospace", NULL };
static const char *const rerror_names[] = { "report", "stop", "ignore", NULL };

/* --- DRIVE ---------------------------------------------------------------- */
static bool read_backing(json_t *object, void *target, const EnginePlace *place,
                         GError **error);

const EngineMember engine_drive_members[] = {
    { "format", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineDriveConfig, format),
      .required = true, .names = format_names },
    { "fd", ENGINE_MEMBER_FD, ENGINE_AT(EngineDriveConfig, fd),
      .required = true },
    { "path", ENGINE_MEMBER_STRING, ENGINE_AT(EngineDriveConfig, path),
      .required = true, .min = 1, .max = PATH_MAX - 1 },
    { "writable", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineDriveConfig, writable) },
    { "direct", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineDriveConfig, direct) },
    { "aio", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineDriveConfig, aio),
      .names = aio_names },
    { "size", ENGINE_MEMBER_UINT64, ENGINE_AT(EngineDriveConfig, size),
      .max = INT64_MAX },
    { "backing", ENGINE_MEMBER_CUSTOM, ENGINE_AT(EngineDriveConfig, backing),
      .read = read_backing },
    { NULL },
};

void
engine_drive_config_free(EngineDriveConfig *drive)
{
    while (drive) {
        EngineDriveConfig *backing = drive->backing;

        g_free(drive->path);
        g_free(drive);
        drive = backing;
    }
}

/* Returns: how many files are above this one */
static unsigned
depth_of(const EnginePlace *place)
{
    unsigned depth = 0;

    for (; place; place = place->parent)
        depth += g_strcmp0(place->name, "backing") == 0;
    return depth;
}

static bool
read_backing(json_t *object, void *target, const EnginePlace *place,
             GError **error)
{
    EngineDriveConfig **backing = target;

    if (depth_of(place) >= ENGINE_DRIVE_DEPTH_MAX)
        return engine_place_refuse(place, VIR_ERR_CONFIG_UNSUPPORTED,
                                   _("is one file too many behind another"),
                                   error);
    *backing = g_new0(EngineDriveConfig, 1);
    (*backing)->fd = -1;
    if (!engine_members_read(object, engine_drive_members, *backing, place,
                             error))
        return false;
    if (!(*backing)->writable)
        return true;
    return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                               _("must not be writable"), error);
}

EngineDriveConfig *
engine_drive_config_new(json_t *object, const EnginePlace *place,
                        GError **error)
{
    EngineDriveConfig *drive = g_new0(EngineDriveConfig, 1);

    drive->fd = -1;
    if (engine_members_read(object, engine_drive_members, drive, place, error))
        return drive;
    engine_drive_config_free(drive);
    return NULL;
}

/* --- THROTTLE ------------------------------------------------------------- */
#define THROTTLE_MAX      1000000000000000ll /* units a second */
#define BURST_MAX_S       (365ll * 24 * 3600)
#define GROUP_MAX_BYTES   255
#define RATE(kind, field) ENGINE_AT(EngineThrottleConfig, rates[kind].field)
#define RATE_MEMBERS(name, kind)                                              \
    { name, ENGINE_MEMBER_UINT64, RATE(kind, average), .max = THROTTLE_MAX }, \
        { name "_max", ENGINE_MEMBER_UINT64, RATE(kind, peak),                \
          .max = THROTTLE_MAX },                                              \
    {                                                                         \
        name "_max_length", ENGINE_MEMBER_UINT64, RATE(kind, length_s),       \
            .max = BURST_MAX_S                                                \
    }

const EngineMember engine_throttle_members[] = {
    { "group", ENGINE_MEMBER_STRING, ENGINE_AT(EngineThrottleConfig, group),
      .min = 1, .max = GROUP_MAX_BYTES },
    RATE_MEMBERS("total_bytes_sec", ENGINE_THROTTLE_TOTAL_BYTES),
    RATE_MEMBERS("read_bytes_sec", ENGINE_THROTTLE_READ_BYTES),
    RATE_MEMBERS("write_bytes_sec", ENGINE_THROTTLE_WRITE_BYTES),
    RATE_MEMBERS("total_iops_sec", ENGINE_THROTTLE_TOTAL_IOPS),
    RATE_MEMBERS("read_iops_sec", ENGINE_THROTTLE_READ_IOPS),
    RATE_MEMBERS("write_iops_sec", ENGINE_THROTTLE_WRITE_IOPS),
    { "size_iops_sec", ENGINE_MEMBER_UINT64,
      ENGINE_AT(EngineThrottleConfig, size_iops), .max = THROTTLE_MAX },
    { NULL },
};

static const char *const kind_names[ENGINE_THROTTLE_KINDS] = {
    [ENGINE_THROTTLE_TOTAL_BYTES] = "total_bytes_sec",
    [ENGINE_THROTTLE_READ_BYTES] = "read_bytes_sec",
    [ENGINE_THROTTLE_WRITE_BYTES] = "write_bytes_sec",
    [ENGINE_THROTTLE_TOTAL_IOPS] = "total_iops_sec",
    [ENGINE_THROTTLE_READ_IOPS] = "read_iops_sec",
    [ENGINE_THROTTLE_WRITE_IOPS] = "write_iops_sec",
};

/* A burst is faster than the rate and has a rate to return to. */
static bool
check_rate(const EngineThrottleRate *rate, const EnginePlace *place,
           GError **error)
{
    if (rate->peak > 0 && rate->average == 0)
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("has a burst but no rate"), error);
    if (rate->peak > 0 && rate->peak < rate->average)
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("has a burst slower than its rate"),
                                   error);
    if (rate->length_s > 0 && rate->peak == 0)
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("has a burst's length but no burst"),
                                   error);
    return true;
}

bool
engine_throttle_config_check(const EngineThrottleConfig *config,
                             const EnginePlace *place, GError **error)
{
    static const unsigned totals[] = { ENGINE_THROTTLE_TOTAL_BYTES,
                                       ENGINE_THROTTLE_TOTAL_IOPS };

    for (unsigned kind = 0; kind < ENGINE_THROTTLE_KINDS; kind++) {
        EnginePlace here = engine_place_member(place, kind_names[kind]);

        if (!check_rate(&config->rates[kind], &here, error))
            return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(totals); i++) {
        const EngineThrottleRate *total = &config->rates[totals[i]];
        EnginePlace here = engine_place_member(place, kind_names[totals[i]]);

        if (total[0].average > 0 && total[1].average + total[2].average > 0)
            return engine_place_refuse(
                &here, VIR_ERR_INVALID_ARG,
                _("does not go with limits of reads and writes"), error);
    }
    return true;
}

void
engine_throttle_config_clear(EngineThrottleConfig *config)
{
    g_clear_pointer(&config->group, g_free);
}

/* --- the device ----------------------------------------------------------- */
#define BLK(member) ENGINE_AT(EngineDeviceConfig, blk.member)

static bool read_flag(json_t *value, void *target, const char *const names[],
                      const EnginePlace *place, GError **error);

static bool
read_discard(json_t *value, void *target, const EnginePlace *place,
             GError **error)
{
    return read_flag(value, target, discard_names, place, error);
}

static bool
read_flush(json_t *value, void *target, const EnginePlace *place,
           GError **error)
{
    return read_flag(value, target, flush_names, place, error);
}

const EngineMember engine_disk_members[] = {
    { "readonly", ENGINE_MEMBER_BOOL, BLK(readonly) },
    { "logical_block_size", ENGINE_MEMBER_UINT, BLK(logical_block_size),
      .min = BLOCK_SIZE_DEFAULT, .max = LOGICAL_SIZE_MAX },
    { "physical_block_size", ENGINE_MEMBER_UINT, BLK(physical_block_size),
      .min = BLOCK_SIZE_DEFAULT, .max = PHYSICAL_SIZE_MAX },
    { "discard", ENGINE_MEMBER_CUSTOM, BLK(discard), .read = read_discard },
    { "detect_zeroes", ENGINE_MEMBER_ENUM, BLK(detect_zeroes),
      .names = zeroes_names },
    { "write_cache", ENGINE_MEMBER_BOOL, BLK(write_cache) },
    { "flush", ENGINE_MEMBER_CUSTOM, BLK(ignore_flush), .read = read_flush },
    { "werror", ENGINE_MEMBER_ENUM, BLK(werror), .names = werror_names },
    { "rerror", ENGINE_MEMBER_ENUM, BLK(rerror), .names = rerror_names },
    { "throttle", ENGINE_MEMBER_OBJECT, BLK(throttle),
      .members = engine_throttle_members },
    { NULL },
};

static const EngineMember blk_members[] = {
    ENGINE_MEMBERS(engine_device_members),
    ENGINE_MEMBERS(engine_disk_members),
    { "queues", ENGINE_MEMBER_UINT, BLK(queues), .min = 1, .max = QUEUES_MAX },
    { "queue_size", ENGINE_MEMBER_UINT, BLK(queue_size), .min = QUEUE_SIZE_MIN,
      .max = QUEUE_SIZE_MAX },
    { "drive", ENGINE_MEMBER_OBJECT, BLK(drive), .required = true,
      .members = engine_drive_members },
    { "serial", ENGINE_MEMBER_STRING, BLK(serial), .max = 20 },
    { NULL },
};

/* The second of two words is true. */
static bool
read_flag(json_t *value, void *target, const char *const names[],
          const EnginePlace *place, GError **error)
{
    const EngineMember member = { "", ENGINE_MEMBER_ENUM, .names = names };
    int which = 0;

    if (!engine_member_read(&member, value, &which, place, error))
        return false;
    *(bool *)target = which == 1;
    return true;
}

void
engine_disk_config_init(EngineBlkConfig *blk)
{
    blk->logical_block_size = BLOCK_SIZE_DEFAULT;
    blk->write_cache = true;
    blk->werror = ENGINE_BLK_ENOSPACE;
    blk->drive.fd = -1;
}

static void
blk_init(EngineDeviceConfig *device)
{
    device->blk.queues = 1;
    device->blk.queue_size = QUEUE_SIZE_DEFAULT;
    engine_disk_config_init(&device->blk);
}

bool
engine_disk_config_check(const EngineBlkConfig *blk, const EnginePlace *place,
                         GError **error)
{
    EnginePlace throttle = engine_place_member(place, "throttle");

    return engine_member_check_power(blk->logical_block_size,
                                     "logical_block_size", place, error) &&
           engine_member_check_power(
               MAX(blk->physical_block_size, blk->logical_block_size),
               "physical_block_size", place, error) &&
           engine_throttle_config_check(&blk->throttle, &throttle, error);
}

static bool
blk_check(const EngineDeviceConfig *device, const EnginePlace *place,
          GError **error)
{
    return engine_member_check_power(device->blk.queue_size, "queue_size",
                                     place, error) &&
           engine_disk_config_check(&device->blk, place, error);
}

void
engine_disk_config_clear(EngineBlkConfig *blk)
{
    engine_drive_config_free(blk->drive.backing);
    g_free(blk->drive.path);
    g_free(blk->serial);
    engine_throttle_config_clear(&blk->throttle);
}

static void
blk_clear(EngineDeviceConfig *device)
{
    engine_disk_config_clear(&device->blk);
}

const EngineDeviceSchema engine_blk_schema = {
    .type = "virtio-blk",
    .members = blk_members,
    .init = blk_init,
    .check = blk_check,
    .clear = blk_clear,
};
