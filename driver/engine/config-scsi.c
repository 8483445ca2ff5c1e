/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-device.h"

#include <string.h>

#include "util/i18n.h"

/* --- the controller ------------------------------------------------------- */
#define QUEUES_MAX          16
#define QUEUE_SIZE_MIN      8
#define QUEUE_SIZE_MAX      1024
#define QUEUE_SIZE_DEFAULT  256
#define CMD_PER_LUN_DEFAULT 128
#define CMD_PER_LUN_MAX     1024
#define MAX_SECTORS_DEFAULT 65535
#define MAX_SECTORS_MAX     (1 << 20)
#define SCSI(member)        ENGINE_AT(EngineDeviceConfig, scsi.member)

static const EngineMember scsi_members[] = {
    ENGINE_MEMBERS(engine_device_members),
    { "queues", ENGINE_MEMBER_UINT, SCSI(queues), .min = 1, .max = QUEUES_MAX },
    { "queue_size", ENGINE_MEMBER_UINT, SCSI(queue_size), .min = QUEUE_SIZE_MIN,
      .max = QUEUE_SIZE_MAX },
    { "cmd_per_lun", ENGINE_MEMBER_UINT, SCSI(cmd_per_lun), .min = 1,
      .max = CMD_PER_LUN_MAX },
    { "max_sectors", ENGINE_MEMBER_UINT, SCSI(max_sectors), .min = 8,
      .max = MAX_SECTORS_MAX },
    { NULL },
};

static void
scsi_init(EngineDeviceConfig *device)
{
    device->scsi = (EngineScsiConfig){
        .queues = 1,
        .queue_size = QUEUE_SIZE_DEFAULT,
        .cmd_per_lun = CMD_PER_LUN_DEFAULT,
        .max_sectors = MAX_SECTORS_DEFAULT,
    };
}

static bool
scsi_check(const EngineDeviceConfig *device, const EnginePlace *place,
           GError **error)
{
    return engine_member_check_power(device->scsi.queue_size, "queue_size",
                                     place, error);
}

const EngineDeviceSchema engine_virtio_scsi_schema = {
    .type = "virtio-scsi",
    .members = scsi_members,
    .init = scsi_init,
    .check = scsi_check,
};

/* --- what hangs on it ----------------------------------------------------- */
#define ID_MAX_BYTES     255
#define SERIAL_MAX_BYTES 64
#define VENDOR_BYTES     8
#define PRODUCT_BYTES    16
#define WWN_DIGITS       16
#define UNIT(member)     ENGINE_AT(EngineDeviceConfig, unit.member)

static const char *const kind_names[] = { "disk", "cdrom", NULL };

/* A number of 64 bits does not go through JSON: it is written out. */
static bool
read_wwn(json_t *value, void *target, const EnginePlace *place, GError **error)
{
    const char *text = json_string_value(value);

    if (text && strlen(text) == WWN_DIGITS &&
        strspn(text, "0123456789abcdefABCDEF") == WWN_DIGITS) {
        *(uint64_t *)target = g_ascii_strtoull(text, NULL, 16);
        return true;
    }
    return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                               _("must be 16 hexadecimal digits"), error);
}

static const EngineMember unit_members[] = {
    ENGINE_MEMBERS(engine_named_members),
    ENGINE_MEMBERS(engine_disk_members),
    { "device", ENGINE_MEMBER_ENUM, UNIT(kind), .names = kind_names },
    { "controller", ENGINE_MEMBER_STRING, UNIT(controller), .required = true,
      .min = 1, .max = ID_MAX_BYTES },
    { "target", ENGINE_MEMBER_UINT, UNIT(target),
      .max = ENGINE_UNIT_TARGET_MAX },
    { "lun", ENGINE_MEMBER_UINT, UNIT(lun), .max = ENGINE_UNIT_LUN_MAX },
    { "drive", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineDeviceConfig, blk.drive),
      .members = engine_drive_members },
    { "serial", ENGINE_MEMBER_STRING, ENGINE_AT(EngineDeviceConfig, blk.serial),
      .max = SERIAL_MAX_BYTES },
    { "vendor", ENGINE_MEMBER_STRING, UNIT(vendor), .max = VENDOR_BYTES },
    { "product", ENGINE_MEMBER_STRING, UNIT(product), .max = PRODUCT_BYTES },
    { "wwn", ENGINE_MEMBER_CUSTOM, UNIT(wwn), .read = read_wwn },
    { "rotation_rate", ENGINE_MEMBER_UINT, UNIT(rotation_rate),
      .max = UINT16_MAX - 1 },
    { NULL },
};

static void
unit_init(EngineDeviceConfig *device)
{
    engine_disk_config_init(&device->blk);
}

static bool
unit_check(const EngineDeviceConfig *device, const EnginePlace *place,
           GError **error)
{
    EnginePlace drive = engine_place_member(place, "drive");

    if (!device->blk.drive.path && device->unit.kind == ENGINE_UNIT_DISK)
        return engine_place_refuse(&drive, VIR_ERR_INVALID_ARG, _("is missing"),
                                   error);
    return engine_disk_config_check(&device->blk, place, error);
}

static void
unit_clear(EngineDeviceConfig *device)
{
    EngineUnitConfig *unit = &device->unit;

    engine_disk_config_clear(&device->blk);
    g_free(unit->controller);
    g_free(unit->vendor);
    g_free(unit->product);
}

const EngineDeviceSchema engine_unit_schema = {
    .type = "unit",
    .members = unit_members,
    .init = unit_init,
    .check = unit_check,
    .clear = unit_clear,
};
