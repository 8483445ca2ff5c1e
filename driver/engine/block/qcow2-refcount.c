/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/block/qcow2.h"
#include "util/i18n.h"

#define AHEAD_MIN (1u << 20) /* bytes */
#define AHEAD_MAX (16u << 20)

uint64_t
qcow2_refcount_per_block(const Qcow2 *q)
{
    return (q->cluster * 8) >> q->refcount_order;
}

uint64_t
qcow2_refcount_load(const Qcow2 *q, const uint8_t *block, uint64_t index)
{
    unsigned bits = 1u << q->refcount_order;
    uint64_t value = 0;

    if (bits < 8) {
        uint8_t byte = block[index * bits / 8];

        return (byte >> (index * bits % 8)) & ((1u << bits) - 1);
    }
    for (unsigned i = 0; i < bits / 8; i++)
        value = value << 8 | block[index * (bits / 8) + i];
    return value;
}

void
qcow2_refcount_store(const Qcow2 *q, uint8_t *block, uint64_t index,
                     uint64_t value)
{
    unsigned bits = 1u << q->refcount_order;

    if (bits < 8) {
        uint8_t *byte = &block[index * bits / 8];
        unsigned shift = index * bits % 8;
        unsigned mask = ((1u << bits) - 1) << shift;

        *byte = (uint8_t)((*byte & ~mask) | (value << shift & mask));
        return;
    }
    for (unsigned i = 0; i < bits / 8; i++)
        block[index * (bits / 8) + i] = (uint8_t)(value >> (bits - 8 - 8 * i));
}

static uint64_t
n_blocks(const Qcow2 *q)
{
    return (uint64_t)q->reftable_clusters * qcow2_l2_entries(q);
}

/* The block of @cluster; *@ret_table is NULL if there is none. */
static int
block_get(Qcow2 *q, uint64_t cluster, Qcow2Table **ret_table)
{
    uint64_t block = cluster / qcow2_refcount_per_block(q);
    uint64_t offset = block < n_blocks(q) ? q->reftable[block] : 0;

    *ret_table = NULL;
    if (offset == 0)
        return 0;
    if (offset % q->cluster != 0 || offset >= q->end)
        return qcow2_corrupt(q, _("a wrong refcount block"), offset);
    return qcow2_table_get(q, QCOW2_REFCOUNTS, offset, false, ret_table);
}

int
qcow2_refcount_get(Qcow2 *q, uint64_t cluster, uint64_t *ret_count)
{
    Qcow2Table *table;
    int rc = block_get(q, cluster, &table);

    if (rc < 0)
        return rc;
    *ret_count =
        table ? qcow2_refcount_load(q, table->data,
                                    cluster % qcow2_refcount_per_block(q))
              : 0;
    return 0;
}

static void
set_in(Qcow2 *q, Qcow2Table *table, uint64_t cluster, uint64_t value)
{
    uint64_t index = cluster % qcow2_refcount_per_block(q);
    uint64_t byte = (index << q->refcount_order) / 8;
    uint64_t size = MAX(1, (1u << q->refcount_order) / 8);

    qcow2_refcount_store(q, table->data, index, value);
    qcow2_table_dirty(q, table, (uint32_t)byte, (uint32_t)(byte + size));
}

int
qcow2_refcount_drop(Qcow2 *q, uint64_t cluster)
{
    Qcow2Table *table;
    uint64_t count = 0;
    int rc = block_get(q, cluster, &table);

    if (rc < 0)
        return rc;
    if (table)
        count = qcow2_refcount_load(q, table->data,
                                    cluster % qcow2_refcount_per_block(q));
    if (count == 0)
        return qcow2_corrupt(q, _("a cluster in use has no references"),
                             cluster << q->cluster_bits);
    set_in(q, table, cluster, count - 1);
    if (count == 1)
        q->free_hint = MIN(q->free_hint, cluster);
    return 0;
}

/* --- more blocks, and a greater table --------------------------------------
 */
/* Writes that make a file longer, or fill its holes, wait for each other: the
 * space is taken ahead of them, by more at once the greater the image is. What
 * isn't used of it goes back when the image is closed. */
static void
take_space(Qcow2 *q)
{
    uint64_t size = CLAMP(q->end / 8, AHEAD_MIN, AHEAD_MAX);

    size = qcow2_round_up(q, size);
    if (q->node.file.device || q->end <= q->ahead)
        return;
    if (fallocate(q->node.file.fd, 0, (off_t)q->end, (off_t)size) == 0)
        q->has_ahead = true;
    q->ahead = q->end + size; /* after a failure, too: no use to try again */
}

static void
note_end(Qcow2 *q, uint64_t end)
{
    q->fresh_from = MAX(q->fresh_from, end);
    if (end > q->end) {
        q->end = end;
        take_space(q);
    }
}

/* Writes a block that says that its first @used clusters, from its own on, are
 * in use. */
static int
block_write(Qcow2 *q, uint64_t offset, uint64_t used)
{
    uint8_t *block = engine_block_buffer_new(q->cluster);
    int rc;

    memset(block, 0, q->cluster);
    for (uint64_t i = 0; i < used; i++)
        qcow2_refcount_store(q, block, i, 1);
    rc = engine_block_file_write(&q->node.file, block, q->cluster, offset);
    free(block);
    return rc;
}

static int
take_for_tables(Qcow2 *q, uint64_t offset, uint64_t size)
{
    if (offset + size >= QCOW2_OFFSET_END)
        return -EFBIG;
    if (!qcow2_metadata_add(q, offset, size))
        return qcow2_corrupt(
            q, _("structures in clusters that are not counted"), offset);
    note_end(q, offset + size);
    return 0;
}

/* A block for clusters none of which is in use: the first of them holds it. */
static int
block_new(Qcow2 *q, uint64_t block)
{
    uint64_t offset = (block * qcow2_refcount_per_block(q)) << q->cluster_bits;
    uint64_t entry = GUINT64_TO_BE(offset);
    int rc = take_for_tables(q, offset, q->cluster);

    if (rc == 0)
        rc = block_write(q, offset, 1);
    if (rc == 0)
        rc = engine_block_file_sync(&q->node.file);
    if (rc == 0)
        rc = engine_block_file_write(&q->node.file, &entry, sizeof(entry),
                                     q->reftable_offset + block * 8);
    if (rc == 0)
        rc = engine_block_file_sync(&q->node.file);
    if (rc < 0) {
        qcow2_metadata_remove(q, offset, q->cluster);
        return rc;
    }
    q->reftable[block] = offset;
    return 0;
}

/* Writes the table that is @table, of @clusters, to @offset, and makes it the
 * image's. */
static int
reftable_switch(Qcow2 *q, const uint64_t *table, uint64_t offset,
                uint32_t clusters)
{
    size_t size = (size_t)clusters << q->cluster_bits;
    g_autofree uint64_t *raw = g_malloc(size);
    struct {
        uint64_t offset;
        uint32_t clusters;
    } __attribute__((packed))
    header = { GUINT64_TO_BE(offset), GUINT32_TO_BE(clusters) };
    int rc;

    for (size_t i = 0; i < size / 8; i++)
        raw[i] = GUINT64_TO_BE(table[i]);
    rc = engine_block_file_write(&q->node.file, raw, size, offset);
    if (rc == 0)
        rc = engine_block_file_sync(&q->node.file);
    if (rc == 0)
        rc = qcow2_header_set(q, &header, sizeof(header), QCOW2_AT_REFTABLE);
    return rc;
}

static void
reftable_forget(Qcow2 *q, uint64_t offset, uint32_t clusters)
{
    qcow2_metadata_remove(q, offset, (uint64_t)clusters << q->cluster_bits);
    for (uint32_t i = 0; i < clusters; i++)
        (void)qcow2_refcount_drop(q, (offset >> q->cluster_bits) + i);
}

/* A greater table, with its first new block before it, behind all that the
 * present one can count. */
static int
reftable_grow(Qcow2 *q)
{
    const uint64_t old_blocks = n_blocks(q);
    const uint64_t old_offset = q->reftable_offset;
    const uint32_t old_clusters = q->reftable_clusters;
    uint32_t clusters = old_clusters + old_clusters / 2 + 1;
    uint64_t offset = (old_blocks * qcow2_refcount_per_block(q))
                      << q->cluster_bits;
    uint64_t size = (1ull + clusters) << q->cluster_bits;
    g_autofree uint64_t *table = NULL;
    int rc;

    if ((uint64_t)clusters << q->cluster_bits > QCOW2_REFTABLE_MAX ||
        clusters + 1 > qcow2_refcount_per_block(q))
        return -EFBIG;
    rc = take_for_tables(q, offset, size);
    if (rc < 0)
        return rc;
    table = g_malloc0((size_t)clusters << q->cluster_bits);
    memcpy(table, q->reftable, old_blocks * 8);
    table[old_blocks] = offset;
    rc = block_write(q, offset, 1ull + clusters);
    if (rc == 0)
        rc = reftable_switch(q, table, offset + q->cluster, clusters);
    if (rc < 0) {
        qcow2_metadata_remove(q, offset, size);
        return rc;
    }
    g_free(q->reftable);
    q->reftable = g_steal_pointer(&table);
    q->reftable_offset = offset + q->cluster;
    q->reftable_clusters = clusters;
    reftable_forget(q, old_offset, old_clusters);
    return 0;
}

/* As block_get(), but there will be one. */
static int
block_need(Qcow2 *q, uint64_t cluster, Qcow2Table **ret_table)
{
    uint64_t block = cluster / qcow2_refcount_per_block(q);
    int rc = block_get(q, cluster, ret_table);

    if (rc < 0 || *ret_table)
        return rc;
    if (block >= n_blocks(q))
        rc = reftable_grow(q);
    if (rc == 0 && q->reftable[block] == 0)
        rc = block_new(q, block);
    return rc < 0 ? rc : block_get(q, cluster, ret_table);
}

/* --- allocation ------------------------------------------------------------
 */
/* Counts free clusters from @cluster on. */
static int
free_run(Qcow2 *q, uint64_t cluster, uint64_t most, uint64_t *ret_count)
{
    uint64_t per_block = qcow2_refcount_per_block(q), count = 0;

    while (count < most) {
        Qcow2Table *table;
        int rc = block_need(q, cluster + count, &table);

        if (rc < 0)
            return rc;
        if (qcow2_refcount_load(q, table->data,
                                (cluster + count) % per_block) != 0)
            break;
        count++;
    }
    *ret_count = count;
    return 0;
}

static int
take(Qcow2 *q, uint64_t cluster, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        Qcow2Table *table;
        int rc;

        if (qcow2_metadata_has(q, (cluster + i) << q->cluster_bits))
            return qcow2_corrupt(q, _("a structure is counted as free"),
                                 (cluster + i) << q->cluster_bits);
        rc = block_need(q, cluster + i, &table);
        if (rc < 0) {
            qcow2_unallocate(q, cluster << q->cluster_bits, i);
            return rc;
        }
        set_in(q, table, cluster + i, 1);
    }
    return 0;
}

int
qcow2_allocate(Qcow2 *q, uint64_t least, uint64_t most, uint64_t *ret_offset,
               uint64_t *ret_count)
{
    uint64_t cluster = q->free_hint, count;
    bool first = true;

    for (;;) {
        int rc;

        if ((cluster + most) << q->cluster_bits >= QCOW2_OFFSET_END)
            return -EFBIG;
        rc = free_run(q, cluster, most, &count);
        if (rc < 0)
            return rc;
        if (count >= least)
            break;
        if (count > 0)
            first = false;
        cluster += count + 1;
        if (first)
            q->free_hint = cluster;
    }
    if (cluster == q->free_hint)
        q->free_hint = cluster + count;
    *ret_offset = cluster << q->cluster_bits;
    *ret_count = count;
    note_end(q, (cluster + count) << q->cluster_bits);
    return take(q, cluster, count);
}

void
qcow2_unallocate(Qcow2 *q, uint64_t offset, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        (void)qcow2_refcount_drop(q, (offset >> q->cluster_bits) + i);
}
