/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/block/qcow2.h"
#include "util/error.h"
#include "util/i18n.h"

/*
 * An image with lazy reference counts that wasn't closed: the counts are made
 * anew from what the tables refer to, written behind all that is in use, and
 * one write to the header puts them in place of the old and clears the mark.
 */
#define CLUSTERS_MAX (64u << 20) /* that we count; 4 TiB of 64 KiB */

typedef struct Repair {
    Qcow2 *q;
    uint32_t *counts;
    uint64_t clusters;
    GArray *tables; /* offsets of L2 tables, for each reference to one */
    uint8_t *table; /* one L2 table */
} Repair;

/* @weight: how often what lies there is referred to */
static int
count(Repair *repair, uint64_t offset, uint64_t size, uint32_t weight)
{
    unsigned bits = repair->q->cluster_bits;

    if (size == 0)
        return 0;
    for (uint64_t i = offset >> bits; i <= (offset + size - 1) >> bits; i++) {
        if (i >= repair->clusters || repair->counts[i] > UINT32_MAX - weight)
            return -ERANGE;
        repair->counts[i] += weight;
    }
    return 0;
}

static int
count_entry(Repair *repair, uint64_t entry, uint32_t weight)
{
    uint64_t offset, size;

    if (entry & QCOW2_COMPRESSED) {
        qcow2_packed_where(repair->q, entry, &offset, &size);
        return count(repair, offset, size, weight);
    }
    if ((entry & QCOW2_OFFSET_MASK) == 0)
        return 0;
    return count(repair, entry & QCOW2_OFFSET_MASK, repair->q->cluster, weight);
}

static int
count_l2(Repair *repair, uint64_t offset, uint32_t weight)
{
    Qcow2 *q = repair->q;
    int rc = count(repair, offset, q->cluster, weight);

    if (rc == 0)
        rc = engine_block_file_read(&q->node.file, repair->table, q->cluster,
                                    offset);
    for (uint64_t i = 0; rc == 0 && i < qcow2_l2_entries(q); i++) {
        uint64_t entry;

        memcpy(&entry, repair->table + i * 8, sizeof(entry));
        rc = count_entry(repair, GUINT64_FROM_BE(entry), weight);
    }
    return rc;
}

static int
count_l1(Repair *repair, uint64_t offset, uint32_t n, const uint64_t *l1)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t table = l1[i] & QCOW2_OFFSET_MASK;

        if (table != 0)
            g_array_append_val(repair->tables, table);
    }
    return count(repair, offset, n * 8ull, 1);
}

static int
count_snapshot(Repair *repair, const Qcow2Snapshot *snapshot)
{
    g_autofree uint64_t *l1 = g_new(uint64_t, snapshot->l1_count);
    int rc =
        engine_block_file_read(&repair->q->node.file, l1,
                               snapshot->l1_count * 8ull, snapshot->l1_offset);

    for (uint32_t i = 0; i < snapshot->l1_count; i++)
        l1[i] = GUINT64_FROM_BE(l1[i]);
    if (rc == 0)
        rc = count_l1(repair, snapshot->l1_offset, snapshot->l1_count, l1);
    return rc;
}

/* L1 tables that share clusters would have us read more than there is. */
static bool
fits(const Qcow2 *q, const GArray *snapshots)
{
    uint64_t entries = q->l1_count;

    for (guint i = 0; i < snapshots->len; i++)
        entries += g_array_index(snapshots, Qcow2Snapshot, i).l1_count;
    return entries <= CLUSTERS_MAX && entries * 8 <= q->end;
}

static int
compare_offsets(const void *a, const void *b)
{
    uint64_t one, other;

    memcpy(&one, a, sizeof(one));
    memcpy(&other, b, sizeof(other));
    return one < other ? -1 : one > other;
}

/* Snapshots share most L2 tables: each is read once. */
static int
count_tables(Repair *repair)
{
    const GArray *tables = repair->tables;
    int rc = 0;

    g_array_sort(repair->tables, compare_offsets);
    for (guint i = 0, next; rc == 0 && i < tables->len; i = next) {
        uint64_t offset = g_array_index(tables, uint64_t, i);

        for (next = i + 1; next < tables->len; next++)
            if (g_array_index(tables, uint64_t, next) != offset)
                break;
        rc = count_l2(repair, offset, next - i);
    }
    return rc;
}

static int
count_all(Repair *repair, const GArray *snapshots, uint64_t table_bytes)
{
    Qcow2 *q = repair->q;
    int rc = fits(q, snapshots) ? count(repair, 0, q->cluster, 1) : -ERANGE;

    if (rc == 0)
        rc = count_l1(repair, q->l1_offset, q->l1_count, q->l1);
    if (rc == 0)
        rc = count(repair, q->snapshots_offset, table_bytes, 1);
    for (guint i = 0; rc == 0 && i < snapshots->len; i++)
        rc =
            count_snapshot(repair, &g_array_index(snapshots, Qcow2Snapshot, i));
    return rc < 0 ? rc : count_tables(repair);
}

/* --- the new tables --------------------------------------------------------
 * First the blocks, then the table, all at `first` and after it.
 */
typedef struct Layout {
    uint64_t first, blocks, table; /* clusters */
} Layout;

static Layout
plan(const Qcow2 *q, uint64_t used)
{
    uint64_t per_block = qcow2_refcount_per_block(q);
    Layout layout = { used, 0, 0 };

    for (;;) {
        uint64_t all = used + layout.blocks + layout.table;
        uint64_t blocks = (all + per_block - 1) / per_block;
        uint64_t table =
            (blocks + qcow2_l2_entries(q) - 1) / qcow2_l2_entries(q);

        if (blocks == layout.blocks && table == layout.table)
            return layout;
        layout.blocks = blocks;
        layout.table = table;
    }
}

static int
write_block(Repair *repair, const Layout *layout, uint64_t number)
{
    Qcow2 *q = repair->q;
    uint64_t per_block = qcow2_refcount_per_block(q);
    uint64_t end = layout->first + layout->blocks + layout->table;
    unsigned bits = 1u << q->refcount_order;
    uint64_t most = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;

    memset(repair->table, 0, q->cluster);
    for (uint64_t i = 0; i < per_block; i++) {
        uint64_t cluster = number * per_block + i, value = 0;

        if (cluster < layout->first)
            value = repair->counts[cluster];
        else if (cluster < end)
            value = 1;
        if (value > most)
            return -ERANGE;
        qcow2_refcount_store(q, repair->table, i, value);
    }
    return engine_block_file_write(&q->node.file, repair->table, q->cluster,
                                   (layout->first + number) << q->cluster_bits);
}

/* One write of the first sector. */
static int
switch_header(Qcow2 *q, const Layout *layout)
{
    uint64_t offset = (layout->first + layout->blocks) << q->cluster_bits;
    uint8_t sector[ENGINE_BLOCK_SECTOR];
    uint64_t value = GUINT64_TO_BE(offset);
    uint32_t clusters = GUINT32_TO_BE((uint32_t)layout->table);
    int rc = engine_block_file_read(&q->node.file, sector, sizeof(sector), 0);

    if (rc < 0)
        return rc;
    q->incompatible &= ~(uint64_t)QCOW2_INCOMPATIBLE_DIRTY;
    memcpy(sector + QCOW2_AT_REFTABLE, &value, sizeof(value));
    memcpy(sector + QCOW2_AT_REFTABLE + 8, &clusters, sizeof(clusters));
    value = GUINT64_TO_BE(q->incompatible);
    memcpy(sector + QCOW2_AT_INCOMPATIBLE, &value, sizeof(value));
    rc = qcow2_header_set(q, sector, sizeof(sector), 0);
    if (rc == 0) {
        q->reftable_offset = offset;
        q->reftable_clusters = (uint32_t)layout->table;
    }
    return rc;
}

static int
write_all(Repair *repair, const Layout *layout)
{
    Qcow2 *q = repair->q;
    size_t size = (size_t)layout->table << q->cluster_bits;
    uint64_t end = layout->first + layout->blocks + layout->table;
    g_autofree uint64_t *table = g_malloc0(size);
    g_autofree uint64_t *raw = g_malloc0(size);
    int rc = 0;

    if (size > QCOW2_REFTABLE_MAX)
        return -EFBIG;
    for (uint64_t i = 0; rc == 0 && i < layout->blocks; i++) {
        table[i] = (layout->first + i) << q->cluster_bits;
        raw[i] = GUINT64_TO_BE(table[i]);
        rc = write_block(repair, layout, i);
    }
    if (rc == 0)
        rc = engine_block_file_write(&q->node.file, raw, size,
                                     (layout->first + layout->blocks)
                                         << q->cluster_bits);
    if (rc == 0)
        rc = engine_block_file_sync(&q->node.file);
    if (rc == 0)
        rc = switch_header(q, layout);
    if (rc < 0)
        return rc;
    g_free(q->reftable);
    q->reftable = g_steal_pointer(&table);
    q->end = MAX(q->end, end << q->cluster_bits);
    return 0;
}

bool
qcow2_repair(Qcow2 *q, GError **error)
{
    Repair repair = { .q = q, .clusters = q->end >> q->cluster_bits };
    uint64_t bytes;
    g_autoptr(GArray) snapshots = qcow2_snapshots_read(q, &bytes, error);
    Layout layout;
    int rc = -EFBIG;

    if (!snapshots)
        return false;
    layout = plan(q, repair.clusters);
    if (repair.clusters <= CLUSTERS_MAX) {
        repair.counts = g_new0(uint32_t, repair.clusters);
        repair.table = engine_block_buffer_new(q->cluster);
        repair.tables = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        rc = count_all(&repair, snapshots, bytes);
        g_array_unref(repair.tables);
    }
    if (rc == 0)
        rc = write_all(&repair, &layout);
    g_free(repair.counts);
    free(repair.table);
    if (rc == 0)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the qcow2 image '%s' wasn't closed, and its reference counts "
                "can't be repaired: %s; try 'qemu-img check -r all'"),
              q->node.file.path, g_strerror(-rc));
    return false;
}
