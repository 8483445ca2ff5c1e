/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/disk.h"

#include <string.h>

#include "conf/device-rows.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

#define BIT(TYPE)   (1u << CONF_SOURCE_##TYPE)
#define WHEN(TYPES) CONF_WHEN(ConfDisk, type, TYPES)
#define FILES       (BIT(ABSENT) | BIT(FILE))

static const char *const type_names[] = { NULL,   "file",      "block",
                                          "dir",  "network",   "volume",
                                          "nvme", "vhostuser", "" };
static const ConfVariant type_variant = { .name = "type",
                                          .count = CONF_SOURCE_VHOSTUSER + 1,
                                          .names = type_names };
static const char *const device_names[] = { NULL,     "disk", "cdrom",
                                            "floppy", "lun",  "" };
static const char *const bus_names[] = { NULL,   "virtio", "ide", "sata",
                                         "scsi", "usb",    "fdc", "xen",
                                         "uml",  "sd",     "" };
static const char *const cache_names[] = { NULL,        "default",
                                           "none",      "writethrough",
                                           "writeback", "directsync",
                                           "unsafe",    "" };
static const char *const io_names[] = { NULL, "native", "threads", "io_uring",
                                        "" };
static const char *const discard_names[] = { NULL, "unmap", "ignore", "" };
static const char *const zeroes_names[] = { NULL, "off", "on", "unmap", "" };
static const char *const policy_names[] = { NULL,     "stop",     "report",
                                            "ignore", "enospace", "" };
static const char *const rpolicy_names[] = { NULL, "stop", "report", "ignore",
                                             "" };
static const char *const tray_names[] = { NULL, "closed", "open", "" };
static const char *const startup_names[] = { NULL, "mandatory", "requisite",
                                             "optional", "" };

/* --- what the start thinks of it -------------------------------------------
 */
static ConfPolicy
judge_type(const char *text, const void *base)
{
    const ConfDisk *disk = base;

    return disk->type <= CONF_SOURCE_BLOCK ? CONF_HONOURED : CONF_REFUSED;
}

/* A drive without a medium says nothing that a guest would miss. */
static ConfPolicy
judge_device(const char *text, const void *base)
{
    const ConfDisk *disk = base;

    if (disk->device == CONF_DISK_DISK || conf_disk_is_unit(disk))
        return CONF_HONOURED;
    return disk->device != CONF_DISK_LUN && conf_disk_is_empty(disk)
               ? CONF_HARMLESS
               : CONF_REFUSED;
}

static ConfPolicy
judge_bus(const char *text, const void *base)
{
    const ConfDisk *disk = base;

    /* what is no disk has been judged already */
    return conf_disk_is_virtio(disk) || conf_disk_is_unit(disk) ||
                   disk->device != CONF_DISK_DISK
               ? CONF_HONOURED
               : CONF_REFUSED;
}

static ConfPolicy
judge_model(const char *text, const void *base)
{
    return conf_model_policy(((const ConfDisk *)base)->model);
}

static ConfPolicy
judge_driver(const char *text, const void *base)
{
    return strcmp(((const ConfDisk *)base)->driver, "qemu") == 0 ? CONF_HONOURED
                                                                 : CONF_REFUSED;
}

static bool
is_format(const char *format)
{
    return strcmp(format, "raw") == 0 || strcmp(format, "qcow2") == 0;
}

static ConfPolicy
judge_format(const char *text, const void *base)
{
    return is_format(((const ConfDisk *)base)->format) ? CONF_HONOURED
                                                       : CONF_REFUSED;
}

/* What the guest writes goes into a file beside the image. */
static ConfPolicy
judge_transient(const char *text, const void *base)
{
    const ConfDisk *disk = base;
    bool possible = disk->type == CONF_SOURCE_FILE && disk->path &&
                    disk->readonly != CONF_ONOFF_ON;

    return disk->transient != CONF_ONOFF_ON || possible ? CONF_HONOURED
                                                        : CONF_REFUSED;
}

/* What a disk on a SCSI controller says of itself; others have no words for
 * it. */
static ConfPolicy
judge_identity(const char *text, const void *base)
{
    return conf_disk_is_unit(base) ? CONF_HONOURED : CONF_HARMLESS;
}

static ConfPolicy
judge_backing_type(const char *text, const void *base)
{
    return ((const ConfBacking *)base)->type <= CONF_SOURCE_BLOCK
               ? CONF_HONOURED
               : CONF_REFUSED;
}

static ConfPolicy
judge_backing_format(const char *text, const void *base)
{
    return is_format(((const ConfBacking *)base)->format) ? CONF_HONOURED
                                                          : CONF_REFUSED;
}

/* --- <backingStore> ---------------------------------------------------------
 */
#define FORMAT_ADVICE                                                        \
    N_("the formats raw and qcow2 are possible; qemu-img convert makes one " \
       "of the other")
#define TYPE_ADVICE \
    N_("an image is a file or a block device: use type='file' or 'block'")

static bool
backing_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfBacking *backing = base;

    if (backing->type == CONF_SOURCE_ABSENT || backing->format)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("missing disk backing store format (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

static const ConfField format_fields[] = {
    CONF_ATTR("type", ConfBacking, format, token, .flags = CONF_REQUIRED,
              .judge = judge_backing_format, .advice = FORMAT_ADVICE),
    CONF_CARRY("metadata_cache", .policy = CONF_QUIET), CONF_END
};
static const ConfElement format_element = { .name = "format",
                                            .fields = format_fields };

#define BACKING_WHEN(TYPES) CONF_WHEN(ConfBacking, type, TYPES)
/* Inside <source>, whichever image's it is */
#define SOURCE_ROWS                                                          \
    CONF_CARRY("slices", .policy = CONF_REFUSED),                            \
        CONF_CARRY("reservations", .policy = CONF_REFUSED),                  \
        CONF_CARRY("encryption", .policy = CONF_REFUSED, .advice = CRYPTED), \
        CONF_CARRY("seclabel", .flags = CONF_MANY, .policy = CONF_QUIET),    \
        CONF_CARRY("privateData", .policy = CONF_QUIET)
#define CRYPTED N_("encrypted images are not supported")

static const ConfField backing_source_fields[] = {
    CONF_ATTR("file", ConfBacking, path, string, BACKING_WHEN(FILES)),
    CONF_ATTR("dev", ConfBacking, path, string, BACKING_WHEN(BIT(BLOCK))),
    CONF_ATTR("dir", ConfBacking, path, string, BACKING_WHEN(BIT(DIR))),
    CONF_CARRY_ATTR("startupPolicy", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("index", .policy = CONF_QUIET),
    SOURCE_ROWS,
    CONF_END
};
static const ConfElement backing_source_element = { .name = "source",
                                                    .fields =
                                                        backing_source_fields };

static const ConfElement backing_element;

static const ConfField backing_fields[] = {
    CONF_ATTR("type", ConfBacking, type, enum, .names = type_names,
              .judge = judge_backing_type, .advice = TYPE_ADVICE),
    CONF_ATTR("index", ConfBacking, index, uint, .flags = CONF_LIVE),
    CONF_GROUP("format", format_element),
    CONF_GROUP("source", backing_source_element,
               BACKING_WHEN(FILES | BIT(BLOCK) | BIT(DIR))),
    CONF_CARRY("source", BACKING_WHEN(~(FILES | BIT(BLOCK) | BIT(DIR))),
               .policy = CONF_QUIET),
    CONF_LIST("backingStore", ConfBacking, backing, backing_element,
              .flags = CONF_ONE),
    CONF_END
};
static const ConfElement backing_element = { .name = "backingStore",
                                             .fields = backing_fields,
                                             .size = sizeof(ConfBacking),
                                             .carried =
                                                 offsetof(ConfBacking, carried),
                                             .variant = &type_variant,
                                             .recursive = true,
                                             .check = backing_check };

/* --- <disk> -----------------------------------------------------------------
 */
static const ConfField driver_fields[] = {
    CONF_ATTR("name", ConfDisk, driver, token, .judge = judge_driver,
              .advice = N_("use name='qemu', which stands for this engine")),
    CONF_ATTR("type", ConfDisk, format, token, .judge = judge_format,
              .advice = FORMAT_ADVICE),
    CONF_ATTR("cache", ConfDisk, cache, enum, .names = cache_names),
    CONF_ATTR("error_policy", ConfDisk, error_policy, enum,
              .names = policy_names),
    CONF_ATTR("rerror_policy", ConfDisk, rerror_policy, enum,
              .names = rpolicy_names),
    CONF_ATTR("io", ConfDisk, io, enum, .names = io_names),
    CONF_CARRY_ATTR("ioeventfd", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("event_idx", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("copy_on_read", .judge = conf_judge_off,
                    .advice = N_("nothing is copied up from a backing image "
                                 "by reading it")),
    CONF_ATTR("discard", ConfDisk, discard, enum, .names = discard_names),
    CONF_ATTR("iothread", ConfDisk, iothread, uint),
    CONF_ATTR("detect_zeroes", ConfDisk, detect_zeroes, enum,
              .names = zeroes_names),
    CONF_ATTR("queues", ConfDisk, queues, uint),
    CONF_ATTR("queue_size", ConfDisk, queue_size, uint),
    CONF_VIRTIO_ROWS(ConfDisk),
    CONF_CARRY("metadata_cache", .policy = CONF_QUIET),
    CONF_END
};
static const ConfElement driver_element = { .name = "driver",
                                            .fields = driver_fields };

static const ConfField source_fields[] = {
    CONF_ATTR("file", ConfDisk, path, string, WHEN(FILES)),
    CONF_ATTR("dev", ConfDisk, path, string, WHEN(BIT(BLOCK))),
    CONF_ATTR("dir", ConfDisk, path, string, WHEN(BIT(DIR))),
    CONF_CARRY_ATTR("fdgroup", .policy = CONF_REFUSED),
    CONF_ATTR("startupPolicy", ConfDisk, startup, enum, .names = startup_names),
    CONF_ATTR("index", ConfDisk, source_index, uint, .flags = CONF_LIVE),
    SOURCE_ROWS,
    CONF_END
};
static const ConfElement source_element = { .name = "source",
                                            .fields = source_fields };

static const ConfField blockio_fields[] = {
    CONF_ATTR("logical_block_size", ConfDisk, logical_block_size, uint),
    CONF_ATTR("physical_block_size", ConfDisk, physical_block_size, uint),
    CONF_END
};
static const ConfElement blockio_element = { .name = "blockio",
                                             .fields = blockio_fields };

static const ConfField target_fields[] = {
    CONF_ATTR("dev", ConfDisk, target, token, .flags = CONF_REQUIRED),
    CONF_ATTR("bus", ConfDisk, bus, enum, .names = bus_names,
              .judge = judge_bus,
              .advice = N_(
                  "use bus='virtio' or 'scsi', or set <virtkvm:disk-bus>virtio"
                  "</virtkvm:disk-bus> in <metadata> to have it taken so")),
    CONF_ATTR("tray", ConfDisk, tray, enum, .names = tray_names),
    CONF_CARRY_ATTR("removable", .policy = CONF_QUIET),
    CONF_ATTR("rotation_rate", ConfDisk, rotation_rate, uint),
    CONF_END
};
static const ConfElement target_element = { .name = "target",
                                            .fields = target_fields };

#define LIMIT(MEMBER) CONF_LEAF(#MEMBER, ConfThrottle, MEMBER, uint64)
#define SIX_LIMITS(SUFFIX)                                             \
    LIMIT(total_bytes_sec##SUFFIX), LIMIT(read_bytes_sec##SUFFIX),     \
        LIMIT(write_bytes_sec##SUFFIX), LIMIT(total_iops_sec##SUFFIX), \
        LIMIT(read_iops_sec##SUFFIX), LIMIT(write_iops_sec##SUFFIX)
static const ConfField iotune_fields[] = { SIX_LIMITS(),
                                           SIX_LIMITS(_max),
                                           LIMIT(size_iops_sec),
                                           CONF_LEAF("group_name", ConfThrottle,
                                                     group_name, token),
                                           SIX_LIMITS(_max_length),
                                           CONF_END };
static const ConfElement iotune_element = { .name = "iotune",
                                            .fields = iotune_fields,
                                            .check = conf_throttle_check };

static const ConfField transient_fields[] = {
    /* other domains may use the image in any case: nobody writes it */
    CONF_ATTR("shareBacking", ConfDisk, share_backing, yesno),
    CONF_TEXT(ConfDisk, transient, present, .judge = judge_transient,
              .advice = N_("what is written to a disk can be thrown away only "
                           "if it is of type='file' and not <readonly/>")),
    CONF_END
};
static const ConfElement transient_element = { .name = "transient",
                                               .fields = transient_fields };

static const ConfField disk_fields[] = {
    CONF_ATTR("type", ConfDisk, type, enum, .names = type_names,
              .judge = judge_type, .advice = TYPE_ADVICE),
    CONF_ATTR("device", ConfDisk, device, enum, .names = device_names,
              .judge = judge_device,
              .advice = N_("a disc is read from device='cdrom' with "
                           "bus='scsi'; all else is device='disk'")),
    CONF_ATTR("model", ConfDisk, model, token, .judge = judge_model,
              .advice = CONF_MODEL_ADVICE),
    CONF_CARRY_ATTR("rawio", .policy = CONF_REFUSED),
    CONF_CARRY_ATTR("sgio", .policy = CONF_REFUSED),
    CONF_CARRY_ATTR("snapshot", .policy = CONF_QUIET),
    CONF_GROUP("driver", driver_element),
    CONF_CARRY("auth", .policy = CONF_REFUSED),
    CONF_GROUP("source", source_element, WHEN(FILES | BIT(BLOCK) | BIT(DIR))),
    CONF_CARRY("source", WHEN(~(FILES | BIT(BLOCK) | BIT(DIR))),
               .policy = CONF_QUIET),
    CONF_LIST("backingStore", ConfDisk, backing, backing_element,
              .flags = CONF_ONE),
    CONF_CARRY("backenddomain", .policy = CONF_REFUSED),
    CONF_CARRY("geometry", .policy = CONF_HARMLESS),
    CONF_GROUP("blockio", blockio_element),
    CONF_CARRY("mirror", .policy = CONF_QUIET),
    CONF_GROUP("target", target_element, .flags = CONF_REQUIRED),
    CONF_CHILD("iotune", ConfDisk, iotune, iotune_element),
    CONF_LEAF("readonly", ConfDisk, readonly, present),
    CONF_LEAF("shareable", ConfDisk, shareable, present),
    CONF_GROUP("transient", transient_element),
    CONF_LEAF("serial", ConfDisk, serial, string),
    CONF_LEAF("wwn", ConfDisk, wwn, token, .judge = judge_identity),
    CONF_LEAF("vendor", ConfDisk, vendor, token, .judge = judge_identity),
    CONF_LEAF("product", ConfDisk, product, token, .judge = judge_identity),
    CONF_CARRY("encryption", .policy = CONF_REFUSED, .advice = CRYPTED),
    CONF_CHILD("boot", ConfDisk, boot_order, conf_boot_element),
    CONF_DEVICE_ROWS(ConfDisk),
    CONF_END
};
const ConfElement conf_disk_element = { .name = "disk",
                                        .fields = disk_fields,
                                        .size = sizeof(ConfDisk),
                                        .carried = offsetof(ConfDisk, carried),
                                        .variant = &type_variant,
                                        .check = conf_disk_check };

void
conf_disk_add_backing(GPtrArray *backing, const char *path, const char *format)
{
    ConfBacking *added = conf_table_new(&backing_element);

    g_ptr_array_add(backing, added);
    if (!path) {
        /* the element alone ends a chain */
        conf_carried_add(&added->carried, CONF_CARRIED_MARK, 0, 0, "");
        return;
    }
    added->type = CONF_SOURCE_FILE;
    added->path = g_strdup(path);
    added->format = g_strdup(format);
}
