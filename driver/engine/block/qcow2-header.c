/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "engine/block/qcow2.h"
#include "util/error.h"
#include "util/i18n.h"

#define MAGIC             0x514649fbu /* "QFI", 0xfb */
#define HEADER_SIZE_V2    72u
#define HEADER_SIZE_V3    104u
#define COMPRESSION_BYTE  104u
#define COMPRESSION_ZLIB  0
#define COMPRESSION_ZSTD  1
#define REFCOUNT_ORDER_V2 4u
#define KNOWN_FEATURES                                       \
    (QCOW2_INCOMPATIBLE_DIRTY | QCOW2_INCOMPATIBLE_CORRUPT | \
     QCOW2_INCOMPATIBLE_PACKING)

/* The beginning of the file, big endian. */
typedef struct Header {
    uint32_t magic, version;
    uint64_t backing_name_offset;
    uint32_t backing_name_size, cluster_bits;
    uint64_t size;
    uint32_t crypt_method, l1_count;
    uint64_t l1_offset, reftable_offset;
    uint32_t reftable_clusters, n_snapshots;
    uint64_t snapshots_offset;
    /* version 3 */
    uint64_t incompatible, compatible, autoclear;
    uint32_t refcount_order, header_size;
    uint8_t compression, padding[7];
} Header;
G_STATIC_ASSERT(sizeof(Header) == 112);

static const struct {
    uint64_t bit;
    const char *name;
} refused_features[] = {
    { 1u << 2, N_("an external data file") },
    { 1u << 4, N_("extended L2 entries") },
};

static bool
refuse(const Qcow2 *q, const char *what, GError **error)
{
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the image '%s' uses %s, which is not supported"),
              q->node.file.path, what);
    return false;
}

static bool
damaged(const Qcow2 *q, const char *what, GError **error)
{
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the qcow2 image '%s' is damaged: %s"), q->node.file.path,
              what);
    return false;
}

static bool
check_features(const Qcow2 *q, const Header *header, GError **error)
{
    uint64_t unknown = q->incompatible & ~(uint64_t)KNOWN_FEATURES;

    if (header->crypt_method != 0)
        return refuse(q, _("encryption"), error);
    for (size_t i = 0; i < G_N_ELEMENTS(refused_features); i++)
        if (unknown & refused_features[i].bit)
            return refuse(q, _(refused_features[i].name), error);
    if (unknown != 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the image '%s' has unknown incompatible features: "
                    "0x%llx"),
                  q->node.file.path, (unsigned long long)unknown);
        return false;
    }
    if ((q->incompatible & QCOW2_INCOMPATIBLE_CORRUPT) && q->node.writable) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the image '%s' is marked as corrupt and can't be written "
                    "to; repair it with 'qemu-img check -r all'"),
                  q->node.file.path);
        return false;
    }
    return true;
}

/* What version 3 added. */
static bool
read_v3(Qcow2 *q, const Header *header, GError **error)
{
    uint32_t size = GUINT32_FROM_BE(header->header_size);
    uint8_t compression = COMPRESSION_ZLIB;

    q->incompatible = GUINT64_FROM_BE(header->incompatible);
    q->autoclear = GUINT64_FROM_BE(header->autoclear);
    q->refcount_order = GUINT32_FROM_BE(header->refcount_order);
    if (size < HEADER_SIZE_V3 || size % 8 != 0 || size > q->cluster)
        return damaged(q, _("the header has a wrong size"), error);
    if (q->refcount_order > 6)
        return damaged(q, _("its reference counts are too wide"), error);
    if (size > COMPRESSION_BYTE)
        compression = header->compression;
    if (compression > COMPRESSION_ZSTD)
        return refuse(q, _("an unknown compression"), error);
    q->zstd = compression == COMPRESSION_ZSTD;
    if (q->zstd != ((q->incompatible & QCOW2_INCOMPATIBLE_PACKING) != 0))
        return damaged(q, _("it contradicts itself about its compression"),
                       error);
    return true;
}

/* Whether a table of @size bytes can be at @offset. */
static bool
is_place(const Qcow2 *q, uint64_t offset, uint64_t size)
{
    return offset % q->cluster == 0 && offset > 0 && offset < q->end &&
           size <= q->end - offset;
}

static bool
check_size(Qcow2 *q, uint64_t size, GError **error)
{
    uint64_t per_table = q->cluster * qcow2_l2_entries(q);

    if (size > (uint64_t)INT64_MAX - q->cluster)
        return damaged(q, _("its size is impossible"), error);
    if (q->l1_count > QCOW2_L1_BYTES_MAX / sizeof(uint64_t))
        return damaged(q, _("its L1 table is too big"), error);
    if ((size + per_table - 1) / per_table > q->l1_count)
        return damaged(q, _("its L1 table is too small"), error);
    if (q->l1_count > 0 && !is_place(q, q->l1_offset, q->l1_count * 8ull))
        return damaged(q, _("its L1 table lies outside of the file"), error);
    q->node.size = (size + ENGINE_BLOCK_SECTOR - 1) / ENGINE_BLOCK_SECTOR *
                   ENGINE_BLOCK_SECTOR;
    return true;
}

static bool
check_refcounts(Qcow2 *q, GError **error)
{
    uint64_t size = (uint64_t)q->reftable_clusters << q->cluster_bits;

    if (size == 0 || size > MAX(QCOW2_REFTABLE_MAX, q->cluster))
        return damaged(q, _("its refcount table has a wrong size"), error);
    if (!is_place(q, q->reftable_offset, size))
        return damaged(q, _("its refcount table lies outside of the file"),
                       error);
    if (q->n_snapshots > QCOW2_SNAPSHOTS_MAX)
        return damaged(q, _("it has too many snapshots"), error);
    if (q->n_snapshots > 0 && !is_place(q, q->snapshots_offset, 1))
        return damaged(q, _("its snapshots lie outside of the file"), error);
    return true;
}

static bool
check_backing(const Qcow2 *q, const Header *header, GError **error)
{
    if (header->backing_name_offset == 0 || q->node.backing)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the image '%s' has a backing file, but none was given"),
              q->node.file.path);
    return false;
}

static bool
read_file(Qcow2 *q, Header *header, GError **error)
{
    uint64_t size;
    int rc = engine_block_file_size(&q->node.file, &size);

    if (rc == 0)
        rc = engine_block_file_read(&q->node.file, header, sizeof(*header), 0);
    if (rc < 0) {
        error_set_errno(error, -rc, _("cannot read the image '%s'"),
                        q->node.file.path);
        return false;
    }
    if (header->magic != GUINT32_TO_BE(MAGIC)) {
        error_set(error, VIR_ERR_INVALID_ARG, _("'%s' is not a qcow2 image"),
                  q->node.file.path);
        return false;
    }
    q->end = size;
    return true;
}

static bool
read_geometry(Qcow2 *q, const Header *header, GError **error)
{
    q->version = GUINT32_FROM_BE(header->version);
    if (q->version != 2 && q->version != 3)
        return refuse(q, _("an unknown version of the format"), error);
    q->cluster_bits = GUINT32_FROM_BE(header->cluster_bits);
    if (q->cluster_bits < QCOW2_CLUSTER_BITS_MIN ||
        q->cluster_bits > QCOW2_CLUSTER_BITS_MAX)
        return refuse(q, _("a cluster size outside of 512 bytes to 2 MiB"),
                      error);
    q->cluster = 1ull << q->cluster_bits;
    if (q->node.file.direct && q->cluster < q->node.file.align)
        return refuse(q,
                      _("clusters smaller than the host's blocks, without "
                        "the host's cache"),
                      error);
    if (q->end >= QCOW2_OFFSET_END)
        return damaged(q, _("its size is impossible"), error);
    q->end = qcow2_round_up(q, q->end);
    return true;
}

bool
qcow2_header_read(Qcow2 *q, GError **error)
{
    Header header;

    if (!read_file(q, &header, error) || !read_geometry(q, &header, error))
        return false;
    q->refcount_order = REFCOUNT_ORDER_V2;
    if (q->version > 2 && !read_v3(q, &header, error))
        return false;
    q->l1_count = GUINT32_FROM_BE(header.l1_count);
    q->l1_offset = GUINT64_FROM_BE(header.l1_offset);
    q->reftable_offset = GUINT64_FROM_BE(header.reftable_offset);
    q->reftable_clusters = GUINT32_FROM_BE(header.reftable_clusters);
    q->n_snapshots = GUINT32_FROM_BE(header.n_snapshots);
    q->snapshots_offset = GUINT64_FROM_BE(header.snapshots_offset);
    return check_features(q, &header, error) &&
           check_size(q, GUINT64_FROM_BE(header.size), error) &&
           check_refcounts(q, error) && check_backing(q, &header, error);
}

int
qcow2_header_set(Qcow2 *q, const void *data, size_t size, unsigned offset)
{
    int rc = engine_block_file_write(&q->node.file, data, size, offset);

    return rc < 0 ? rc : engine_block_file_sync(&q->node.file);
}

int
qcow2_header_set64(Qcow2 *q, uint64_t value, unsigned offset)
{
    value = GUINT64_TO_BE(value);
    return qcow2_header_set(q, &value, sizeof(value), offset);
}

int
qcow2_corrupt(Qcow2 *q, const char *what, uint64_t offset)
{
    log_limited(&q->log, LOG_LEVEL_ERROR,
                _("the qcow2 image '%s' is corrupt at offset 0x%llx: %s"),
                q->node.file.path, (unsigned long long)offset, what);
    if (q->node.writable && !q->corrupt && q->version > 2) {
        q->incompatible |= QCOW2_INCOMPATIBLE_CORRUPT;
        (void)qcow2_header_set64(q, q->incompatible, QCOW2_AT_INCOMPATIBLE);
    }
    /* A backing file that is wrong in one place may serve in others. */
    q->corrupt = q->node.writable;
    return -EIO;
}
