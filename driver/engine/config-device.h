/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/config-blk.h"
#include "engine/config-chardev.h"
#include "engine/config-firmware.h"
#include "engine/config-net.h"
#include "engine/member.h"

/** An element of the machine document's "devices". Each kind's own members are
 * in a struct and a file of its own, config-KIND.c. */
typedef enum EngineDeviceKind {
    ENGINE_DEVICE_VIRTIO_RNG = 0,
    ENGINE_DEVICE_VIRTIO_BALLOON,
    ENGINE_DEVICE_VIRTIO_BLK,
    ENGINE_DEVICE_VIRTIO_NET,
    ENGINE_DEVICE_VIRTIO_SERIAL,
    ENGINE_DEVICE_VIRTIO_SCSI,
    ENGINE_DEVICE_UNIT, /* on a controller, not on the bus */
} EngineDeviceKind;

#define ENGINE_BALLOON_PERIOD_MAX_S (24 * 3600 * 365)

typedef struct EngineBalloonConfig {
    uint64_t target; /* bytes that the guest is to have; 0: all */
    bool deflate_on_oom, free_page_reporting;
    unsigned stats_period_s; /* 0: not asked for */
} EngineBalloonConfig;

typedef struct EngineRngConfig {
    int fd;             /* the host's source */
    uint64_t bytes;     /* at most, in a period; 0: no bound */
    unsigned period_ms; /* > 0 */
} EngineRngConfig;

#define ENGINE_PORTS_MAX 31 /* two queues each, and two for control */

typedef struct EnginePortConfig {
    unsigned number;
    char *name;   /* NULL: none */
    bool console; /* the guest may log in there */
    EngineChardevConfig chardev;
} EnginePortConfig;

typedef struct EngineVirtioSerialConfig {
    EnginePortConfig *ports[ENGINE_PORTS_MAX];
    unsigned n_ports;
} EngineVirtioSerialConfig;

#define ENGINE_BOOTINDEX_MAX 10000

typedef struct EngineScsiConfig {
    unsigned queues;      /* for requests, > 0 */
    unsigned queue_size;  /* entries, a power of two */
    unsigned cmd_per_lun; /* that the driver may have under way */
    unsigned max_sectors; /* of one command, of 512 bytes */
} EngineScsiConfig;

typedef enum EngineUnitKind {
    ENGINE_UNIT_DISK = 0,
    ENGINE_UNIT_CDROM,
} EngineUnitKind;

/** A disk, or a drive for discs; the rest stands in `blk`, where a drive
 * without a path is an empty one. */
typedef struct EngineUnitConfig {
    EngineUnitKind kind;
    char *controller; /* id of a device that stands before this one */
    unsigned target, lun;
    char *vendor, *product; /* NULL: ours */
    uint64_t wwn;           /* 0: none */
    unsigned rotation_rate; /* a minute; 1: nothing turns; 0: not said */
} EngineUnitConfig;

#define ENGINE_UNIT_TARGET_MAX 255
#define ENGINE_UNIT_LUN_MAX    16383

/** A device on the PCI bus, or on one that is; which part counts, `kind` says.
 */
typedef struct EngineDeviceConfig EngineDeviceConfig;
struct EngineDeviceConfig {
    EngineDeviceKind kind;
    char *id;                /* in commands, messages and events */
    unsigned slot, function; /* on bus 0; slot 0: it is on a controller */
    unsigned bootindex; /* firmware tries them in this order; 0: not at all */
    bool packed;        /* virtio: offer packed rings */
    unsigned iothread;  /* virtio: the thread's number, 0: the shared one */
    EngineFile *rom;    /* that firmware runs; NULL: none */
    /* int: all that its part names. They outlive the device, which never closes
     * them: whoever removes it does. */
    GArray *fds;
    EngineBlkConfig blk;
    EngineRngConfig rng;
    EngineBalloonConfig balloon;
    EngineNetConfig net;
    EngineVirtioSerialConfig serial;
    EngineScsiConfig scsi;
    EngineUnitConfig unit;
};

/** How a kind is read: one row of the list in config-device.c. */
typedef struct EngineDeviceSchema {
    const char *type;
    const EngineMember *members; /* begins with engine_device_members, or, off
                                  * the PCI bus, engine_named_members */
    void (*init)(EngineDeviceConfig *device); /* defaults; may be NULL */
    bool (*check)(const EngineDeviceConfig *device, const EnginePlace *place,
                  GError **error);             /* may be NULL */
    void (*clear)(EngineDeviceConfig *device); /* may be NULL */
} EngineDeviceSchema;

/** What every device has, and what those on the PCI bus have; for
 * ENGINE_MEMBERS(). */
extern const EngineMember engine_named_members[];
extern const EngineMember engine_device_members[];
/** What disks of all kinds have: rows of EngineDeviceConfig.blk */
extern const EngineMember engine_disk_members[];
extern const EngineMember engine_drive_members[];
/** engine_disk_config_init, _check: their defaults; do they go together? */
void engine_disk_config_init(EngineBlkConfig *blk);
bool engine_disk_config_check(const EngineBlkConfig *blk,
                              const EnginePlace *place, GError **error);
void engine_disk_config_clear(EngineBlkConfig *blk);

extern const EngineDeviceSchema engine_balloon_schema;
extern const EngineDeviceSchema engine_blk_schema;
extern const EngineDeviceSchema engine_net_schema;
extern const EngineDeviceSchema engine_rng_schema;
extern const EngineDeviceSchema engine_unit_schema;
extern const EngineDeviceSchema engine_virtio_scsi_schema;
extern const EngineDeviceSchema engine_virtio_serial_schema;

/** engine_device_config_new: read one device; @place: of @object */
EngineDeviceConfig *engine_device_config_new(json_t *object,
                                             const EnginePlace *place,
                                             GError **error);
void engine_device_config_free(EngineDeviceConfig *device); /* NULL is fine */
/** engine_device_kind_name: as in "type" */
const char *engine_device_kind_name(EngineDeviceKind kind);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineDeviceConfig, engine_device_config_free)

/** engine_device_configs_read: for the CUSTOM row "devices"; @target: the
 * EngineConfig */
bool engine_device_configs_read(json_t *array, void *target,
                                const EnginePlace *place, GError **error);
