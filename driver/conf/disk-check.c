/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/disk.h"

#include <string.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "util/error.h"
#include "util/i18n.h"

/* Names of disks are made of these and letters, as libvirt's */
static const struct {
    const char *prefix;
    ConfDiskBus bus;
} prefixes[] = {
    { "fd", CONF_DISK_BUS_FDC },    { "hd", CONF_DISK_BUS_IDE },
    { "vd", CONF_DISK_BUS_VIRTIO }, { "sd", CONF_DISK_BUS_SCSI },
    { "xvd", CONF_DISK_BUS_XEN },   { "ubd", CONF_DISK_BUS_UML },
};

#define VENDOR_BYTES  8
#define PRODUCT_BYTES 16
#define WWN_DIGITS    16
#define HEX_DIGITS    "0123456789abcdefABCDEF"

/* Letters of a name: more cannot be counted */
#define LETTERS_MAX 5

/* Returns: the prefix's place in the table; -1 if @target is no name */
static int
prefix_of(const char *target)
{
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(target, prefixes[i].prefix))
            return (int)i;
    return -1;
}

int
conf_disk_number(const char *target)
{
    int prefix = prefix_of(target), number = 0;
    const char *letters;
    size_t count;

    if (prefix < 0)
        return -1;
    letters = target + strlen(prefixes[prefix].prefix);
    count = strspn(letters, "abcdefghijklmnopqrstuvwxyz");
    if (count == 0 || count > LETTERS_MAX ||
        strspn(letters + count, "0123456789") != strlen(letters + count))
        return -1;
    for (size_t i = 0; i < count; i++)
        number = (number + (i > 0)) * 26 + letters[i] - 'a';
    return number;
}

bool
conf_disk_is_virtio(const ConfDisk *disk)
{
    return disk->device == CONF_DISK_DISK &&
           (disk->bus == CONF_DISK_BUS_VIRTIO || disk->as_virtio);
}

bool
conf_disk_is_empty(const ConfDisk *disk)
{
    return !disk->path &&
           (disk->type == CONF_SOURCE_FILE || disk->type == CONF_SOURCE_BLOCK ||
            disk->type == CONF_SOURCE_DIR);
}

/* --- when it is read --------------------------------------------------------
 */
static bool
check_target(ConfDisk *disk, const xmlNode *node, GError **error)
{
    int prefix;

    if (!disk->target) {
        error_set(error, VIR_ERR_NO_TARGET, "%s",
                  disk->path ? disk->path : "<disk>");
        return false;
    }
    prefix = prefix_of(disk->target);
    if (disk->device == CONF_DISK_FLOPPY
            ? prefix != 0
            : prefix == 0 && disk->bus != CONF_DISK_BUS_FDC) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Invalid device name '%s' of a <disk> (line %ld)"),
                  disk->target, xmlGetLineNo(node));
        return false;
    }
    if (disk->bus != CONF_DISK_BUS_ABSENT)
        return true;
    if (prefix < 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Unknown bus of the disk '%s': name it with bus='' (line "
                    "%ld)"),
                  disk->target, xmlGetLineNo(node));
        return false;
    }
    disk->bus = prefixes[prefix].bus;
    return true;
}

/* Virtio's bounds and libvirt's: a power of two, of blocks and of entries */
static bool
check_number(const char *name, unsigned value, unsigned least, unsigned most,
             GError **error)
{
    bool power = (value & (value - 1)) == 0;

    if (value == 0 || (power && value >= least && value <= most))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("%s '%u' of a <disk> is not a power of two from %u to %u"),
              name, value, least, most);
    return false;
}

static bool
check_driver(const ConfDisk *disk, GError **error)
{
    if (disk->queues > CONF_DISK_QUEUES_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("a <disk> has at most %u queues, not %u"),
                  CONF_DISK_QUEUES_MAX, disk->queues);
        return false;
    }
    return check_number("queue_size", disk->queue_size, 2, 1024, error) &&
           check_number("logical_block_size", disk->logical_block_size, 512,
                        32768, error) &&
           check_number("physical_block_size", disk->physical_block_size, 512,
                        2u << 20, error);
}

/* As libvirt takes them */
static bool
check_identity(const ConfDisk *disk, GError **error)
{
    const struct {
        const char *name, *text;
        size_t most;
    } texts[] = { { "vendor", disk->vendor, VENDOR_BYTES },
                  { "product", disk->product, PRODUCT_BYTES } };

    if (disk->wwn && (strlen(disk->wwn) != WWN_DIGITS ||
                      strspn(disk->wwn, HEX_DIGITS) != WWN_DIGITS)) {
        error_set(error, VIR_ERR_XML_ERROR, _("Malformed wwn: %s"), disk->wwn);
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text = texts[i].text;
        bool good = true;

        for (const char *at = text; at && *at; at++)
            good &= g_ascii_isprint(*at);
        if (!text || (good && strlen(text) <= texts[i].most))
            continue;
        error_set(error, VIR_ERR_XML_ERROR,
                  _("<%s> '%s' of a <disk> is not of at most %zu printable "
                    "characters"),
                  texts[i].name, text, texts[i].most);
        return false;
    }
    return true;
}

bool
conf_disk_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfDisk *disk = base;

    if (disk->type == CONF_SOURCE_ABSENT)
        disk->type = CONF_SOURCE_FILE;
    if (disk->device == CONF_DISK_ABSENT)
        disk->device = CONF_DISK_DISK;
    if (!check_target(disk, node, error) || !check_driver(disk, error) ||
        !check_identity(disk, error))
        return false;
    if (disk->tray == CONF_TRAY_CLOSED)
        disk->tray = CONF_TRAY_ABSENT;
    disk->address.plain = !conf_disk_is_virtio(disk);
    if (disk->device == CONF_DISK_CDROM)
        disk->readonly = CONF_ONOFF_ON;
    if (!disk->driver)
        disk->driver = g_strdup("qemu");
    if (!disk->format && disk->type != CONF_SOURCE_VOLUME &&
        disk->type != CONF_SOURCE_VHOSTUSER)
        disk->format = g_strdup("raw");
    return true;
}

/* A total and its parts exclude each other. */
typedef struct Limits {
    const char *name;
    size_t total, read, write;
} Limits;

#define LIMITS(NAME)                                                  \
    {                                                                 \
        .name = #NAME, .total = offsetof(ConfThrottle, total_##NAME), \
        .read = offsetof(ConfThrottle, read_##NAME),                  \
        .write = offsetof(ConfThrottle, write_##NAME),                \
    }
static const Limits limits[] = { LIMITS(bytes_sec), LIMITS(iops_sec),
                                 LIMITS(bytes_sec_max), LIMITS(iops_sec_max) };

static uint64_t
limit_at(const ConfThrottle *throttle, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)throttle + offset, sizeof(value));
    return value;
}

bool
conf_throttle_check(void *base, const xmlNode *node, unsigned flags,
                    GError **error)
{
    const ConfThrottle *throttle = base;

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (!limit_at(throttle, limits[i].total) ||
            (!limit_at(throttle, limits[i].read) &&
             !limit_at(throttle, limits[i].write)))
            continue;
        error_set(error, VIR_ERR_XML_ERROR,
                  _("total and read/write %s cannot be set at the same time"),
                  limits[i].name);
        return false;
    }
    return true;
}

/* --- in a domain ------------------------------------------------------------
 */
ConfDisk *
conf_domain_disk(const ConfDomain *domain, const char *name)
{
    for (guint i = 0; i < domain->disks->len; i++) {
        ConfDisk *disk = g_ptr_array_index(domain->disks, i);

        if (g_strcmp0(disk->target, name) == 0 ||
            (*name == '/' && g_strcmp0(disk->path, name) == 0))
            return disk;
    }
    return NULL;
}

void
conf_domain_mark_disks(ConfDomain *domain)
{
    bool all = domain->disks_as_virtio ||
               domain->virtkvm.disk_bus == CONF_DISK_BUS_VIRTIO;

    for (guint i = 0; i < domain->disks->len; i++) {
        ConfDisk *disk = g_ptr_array_index(domain->disks, i);

        disk->as_virtio = all && disk->bus != CONF_DISK_BUS_VIRTIO;
    }
}

void
conf_domain_disks_as_virtio(ConfDomain *domain)
{
    domain->disks_as_virtio = true;
    conf_domain_mark_disks(domain);
}
