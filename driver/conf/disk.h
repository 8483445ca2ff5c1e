/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/address.h"
#include "conf/carried.h"
#include "conf/onoff.h"

/** Where an image is: type='' of <disk> and <backingStore> */
typedef enum ConfSource {
    CONF_SOURCE_ABSENT = 0, /* of a <disk>: as file */
    CONF_SOURCE_FILE,
    CONF_SOURCE_BLOCK,
    CONF_SOURCE_DIR, /* this and what follows: carried, refused at start */
    CONF_SOURCE_NETWORK,
    CONF_SOURCE_VOLUME,
    CONF_SOURCE_NVME,
    CONF_SOURCE_VHOSTUSER,
} ConfSource;

typedef enum ConfDiskDevice {
    CONF_DISK_ABSENT = 0, /* as disk */
    CONF_DISK_DISK,
    CONF_DISK_CDROM,
    CONF_DISK_FLOPPY, /* this and what follows: carried, refused at start */
    CONF_DISK_LUN,
} ConfDiskDevice;

typedef enum ConfDiskBus {
    CONF_DISK_BUS_ABSENT = 0,
    CONF_DISK_BUS_VIRTIO,
    CONF_DISK_BUS_IDE,
    CONF_DISK_BUS_SATA,
    CONF_DISK_BUS_SCSI,
    CONF_DISK_BUS_USB,
    CONF_DISK_BUS_FDC,
    CONF_DISK_BUS_XEN,
    CONF_DISK_BUS_UML,
    CONF_DISK_BUS_SD,
} ConfDiskBus;

typedef enum ConfDiskCache {
    CONF_DISK_CACHE_ABSENT = 0,
    CONF_DISK_CACHE_DEFAULT, /* as writeback */
    CONF_DISK_CACHE_NONE,
    CONF_DISK_CACHE_WRITETHROUGH,
    CONF_DISK_CACHE_WRITEBACK,
    CONF_DISK_CACHE_DIRECTSYNC,
    CONF_DISK_CACHE_UNSAFE,
} ConfDiskCache;

typedef enum ConfDiskIo {
    CONF_DISK_IO_ABSENT = 0,
    CONF_DISK_IO_NATIVE, /* as io_uring */
    CONF_DISK_IO_THREADS,
    CONF_DISK_IO_URING,
} ConfDiskIo;

typedef enum ConfDiskDiscard {
    CONF_DISK_DISCARD_ABSENT = 0,
    CONF_DISK_DISCARD_UNMAP,
    CONF_DISK_DISCARD_IGNORE,
} ConfDiskDiscard;

typedef enum ConfDiskZeroes {
    CONF_DISK_ZEROES_ABSENT = 0,
    CONF_DISK_ZEROES_OFF,
    CONF_DISK_ZEROES_ON,
    CONF_DISK_ZEROES_UNMAP,
} ConfDiskZeroes;

/** error_policy, rerror_policy */
typedef enum ConfDiskPolicy {
    CONF_DISK_POLICY_ABSENT = 0,
    CONF_DISK_POLICY_STOP,
    CONF_DISK_POLICY_REPORT,
    CONF_DISK_POLICY_IGNORE,
    CONF_DISK_POLICY_ENOSPACE,
} ConfDiskPolicy;

/** tray='' of <target> */
typedef enum ConfTray {
    CONF_TRAY_ABSENT = 0, /* as closed */
    CONF_TRAY_CLOSED,
    CONF_TRAY_OPEN,
} ConfTray;

/** startupPolicy */
typedef enum ConfStartup {
    CONF_STARTUP_ABSENT = 0,
    CONF_STARTUP_MANDATORY,
    CONF_STARTUP_REQUISITE,
    CONF_STARTUP_OPTIONAL,
} ConfStartup;

/** <iotune>; 0 = no limit */
typedef struct ConfThrottle {
    uint64_t total_bytes_sec, read_bytes_sec, write_bytes_sec;
    uint64_t total_iops_sec, read_iops_sec, write_iops_sec;
    uint64_t total_bytes_sec_max, read_bytes_sec_max, write_bytes_sec_max;
    uint64_t total_iops_sec_max, read_iops_sec_max, write_iops_sec_max;
    uint64_t size_iops_sec; /* bytes */
    char *group_name;
    /* seconds */
    uint64_t total_bytes_sec_max_length, read_bytes_sec_max_length;
    uint64_t write_bytes_sec_max_length, total_iops_sec_max_length;
    uint64_t read_iops_sec_max_length, write_iops_sec_max_length;
} ConfThrottle;

/** <backingStore>: what lies below an image; without type='' the chain's end */
typedef struct ConfBacking {
    ConfSource type;
    unsigned index; /* live */
    char *format;
    char *path;         /* file, block, dir */
    GPtrArray *backing; /* ConfBacking; at most one */
    ConfCarried carried;
} ConfBacking;

/** <disk> */
typedef struct ConfDisk {
    ConfSource type;
    ConfDiskDevice device;
    char *model; /* virtio ...; NULL = absent */
    /* <driver> */
    char *driver; /* name=''; "qemu" is what every tool writes */
    char *format; /* type='': raw, qcow2 */
    ConfDiskCache cache;
    ConfDiskPolicy error_policy, rerror_policy;
    ConfDiskIo io;
    ConfDiskDiscard discard;
    unsigned iothread; /* its id; 0 = absent */
    ConfDiskZeroes detect_zeroes;
    unsigned queues, queue_size; /* 0 = absent */
    ConfOnOff packed;
    /* <source> */
    char *path; /* of type file, block, dir; NULL: there is no medium */
    ConfStartup startup;
    unsigned source_index; /* live */
    GPtrArray *backing;    /* ConfBacking; at most one, as the user gave it */
    unsigned logical_block_size, physical_block_size; /* 0 = absent */
    char *target;                                     /* dev='': vda */
    ConfDiskBus bus;
    ConfThrottle iotune;
    ConfOnOff readonly, shareable, transient;
    ConfOnOff share_backing; /* of <transient> */
    ConfTray tray;          /* of a drive for discs, live */
    unsigned rotation_rate; /* 0 = absent */
    char *serial, *wwn, *vendor, *product;
    unsigned boot_order; /* 0 = absent; carried */
    char *alias;         /* live, or the user's own */
    ConfAddress address;
    /* of no document: see conf_domain_disks_as_virtio() */
    bool as_virtio;
    ConfCarried carried;
} ConfDisk;

/** conf_disk_is_virtio: is it on the virtio bus, or taken as if it were? */
bool conf_disk_is_virtio(const ConfDisk *disk);

/** conf_disk_is_unit: is it a disk or a drive for discs on a SCSI controller?
 */
bool conf_disk_is_unit(const ConfDisk *disk);

/** conf_disk_is_empty: a drive in which there is no medium */
bool conf_disk_is_empty(const ConfDisk *disk);

/** conf_disk_eject: nothing is in the drive any more */
void conf_disk_eject(ConfDisk *disk);

/** Queues of one disk. */
#define CONF_DISK_QUEUES_MAX 16u

/** conf_disk_add_backing: say in @backing, which is empty, what lies below an
 * image: a file; NULL: nothing */
void conf_disk_add_backing(GPtrArray *backing, const char *path,
                           const char *format);

/** conf_disk_number: of the target's name: 0 for "vda", 26 for "vdaa"; -1 where
 * it has no such name */
int conf_disk_number(const char *target);

typedef struct ConfDomain ConfDomain;
typedef struct ConfController ConfController;

/**
 * conf_domain_fill_units: give each disk on a SCSI controller its place, as its
 * name has it where the document says nothing, and add the controllers that
 * they need
 * @error: XML_ERROR if two have the same place
 */
bool conf_domain_fill_units(ConfDomain *domain, GError **error);

/** conf_disk_controller: that of a unit. @error: CONFIG_UNSUPPORTED if it is of
 * a model that no guest has */
const ConfController *conf_disk_controller(const ConfDomain *domain,
                                           const ConfDisk *disk,
                                           GError **error);

/** conf_domain_disk: by its target ("vda") or the path of its source; or NULL
 */
ConfDisk *conf_domain_disk(const ConfDomain *domain, const char *name);

/** conf_domain_disks_as_virtio: disks on an ide, sata, scsi, usb or fdc bus are
 * taken as virtio from now on, also those to come, as the daemon's
 * configuration says; what the metadata say about it needs no call */
void conf_domain_disks_as_virtio(ConfDomain *domain);
