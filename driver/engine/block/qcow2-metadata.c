/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/block/qcow2.h"
#include "util/error.h"
#include "util/i18n.h"

/*
 * The clusters that hold the image's own structures. What an L2 table or the
 * reference counts say of them is not believed: data is never written there.
 */

/* Cluster numbers are below 2^47: one fits in a pointer. Number 0 is the
 * header, so they are kept plus one. */
static gpointer
key_of(const Qcow2 *q, uint64_t offset)
{
    return (gpointer)(uintptr_t)((offset >> q->cluster_bits) + 1);
}

bool
qcow2_metadata_add(Qcow2 *q, uint64_t offset, uint64_t size)
{
    bool all_new = true;

    for (uint64_t at = 0; at < size; at += q->cluster)
        if (!g_hash_table_add(q->metadata, key_of(q, offset + at)))
            all_new = false;
    return all_new;
}

void
qcow2_metadata_remove(Qcow2 *q, uint64_t offset, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += q->cluster)
        g_hash_table_remove(q->metadata, key_of(q, offset + at));
}

bool
qcow2_metadata_has(const Qcow2 *q, uint64_t offset)
{
    return g_hash_table_contains(q->metadata, key_of(q, offset));
}

/* --- snapshots -------------------------------------------------------------
 */
/* The fixed part of an entry of the snapshot table, big endian. */
typedef struct Entry {
    uint64_t l1_offset;
    uint32_t l1_count;
    uint16_t id_size, name_size;
    uint32_t seconds, nanoseconds;
    uint64_t run_ns;
    uint32_t state_size, extra_size;
} Entry;
G_STATIC_ASSERT(sizeof(Entry) == 40);

static bool
snapshots_damaged(const Qcow2 *q, GError **error)
{
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the snapshots in the qcow2 image '%s' are damaged"),
              q->node.file.path);
    return false;
}

static bool
snapshot_read(Qcow2 *q, uint64_t at, Qcow2Snapshot *ret_snapshot,
              uint64_t *ret_size, GError **error)
{
    Entry entry;
    uint64_t size;

    if (at >= q->end ||
        engine_block_file_read(&q->node.file, &entry, sizeof(entry), at) < 0)
        return snapshots_damaged(q, error);
    ret_snapshot->l1_offset = GUINT64_FROM_BE(entry.l1_offset);
    ret_snapshot->l1_count = GUINT32_FROM_BE(entry.l1_count);
    if (ret_snapshot->l1_count > QCOW2_L1_BYTES_MAX / sizeof(uint64_t) ||
        ret_snapshot->l1_offset % q->cluster != 0 ||
        ret_snapshot->l1_offset >= q->end ||
        ret_snapshot->l1_count * 8ull > q->end - ret_snapshot->l1_offset)
        return snapshots_damaged(q, error);
    size = sizeof(entry) + (uint64_t)GUINT32_FROM_BE(entry.extra_size) +
           GUINT16_FROM_BE(entry.id_size) + GUINT16_FROM_BE(entry.name_size);
    *ret_size = (size + 7) & ~7ull;
    return true;
}

GArray *
qcow2_snapshots_read(Qcow2 *q, uint64_t *ret_table_bytes, GError **error)
{
    g_autoptr(GArray) snapshots =
        g_array_new(FALSE, FALSE, sizeof(Qcow2Snapshot));
    uint64_t at = q->snapshots_offset;

    for (uint32_t i = 0; i < q->n_snapshots; i++) {
        Qcow2Snapshot snapshot;
        uint64_t size;

        if (at - q->snapshots_offset > QCOW2_SNAPSHOT_BYTES) {
            snapshots_damaged(q, error);
            return NULL;
        }
        if (!snapshot_read(q, at, &snapshot, &size, error))
            return NULL;
        g_array_append_val(snapshots, snapshot);
        at += size;
    }
    *ret_table_bytes = at - q->snapshots_offset;
    return g_steal_pointer(&snapshots);
}

/* --- at opening ------------------------------------------------------------
 */
static bool
overlaps(Qcow2 *q, uint64_t offset, GError **error)
{
    qcow2_corrupt(q, _("structures of the image overlap"), offset);
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the qcow2 image '%s' is corrupt: its structures overlap at "
                "offset 0x%llx"),
              q->node.file.path, (unsigned long long)offset);
    return false;
}

static bool
add(Qcow2 *q, uint64_t offset, uint64_t size, GError **error)
{
    return qcow2_metadata_add(q, offset, size) || overlaps(q, offset, error);
}

static bool
add_tables(Qcow2 *q, GError **error)
{
    uint64_t n_blocks = (uint64_t)q->reftable_clusters * qcow2_l2_entries(q);

    for (uint64_t i = 0; i < n_blocks; i++) {
        uint64_t offset = q->reftable[i];

        if (offset != 0 && offset % q->cluster == 0 &&
            offset < QCOW2_OFFSET_END && !add(q, offset, q->cluster, error))
            return false;
    }
    for (uint32_t i = 0; i < q->l1_count; i++) {
        uint64_t offset = q->l1[i] & QCOW2_OFFSET_MASK;

        if (offset != 0 && offset % q->cluster == 0 &&
            !add(q, offset, q->cluster, error))
            return false;
    }
    return true;
}

static bool
add_snapshots(Qcow2 *q, GError **error)
{
    uint64_t size;
    g_autoptr(GArray) snapshots = qcow2_snapshots_read(q, &size, error);

    if (!snapshots)
        return false;
    if (size > 0 && !add(q, q->snapshots_offset, size, error))
        return false;
    for (guint i = 0; i < snapshots->len; i++) {
        const Qcow2Snapshot *snapshot =
            &g_array_index(snapshots, Qcow2Snapshot, i);

        if (snapshot->l1_count > 0 &&
            !add(q, snapshot->l1_offset, snapshot->l1_count * 8ull, error))
            return false;
    }
    return true;
}

bool
qcow2_metadata_load(Qcow2 *q, GError **error)
{
    return add(q, 0, q->cluster, error) &&
           add(q, q->reftable_offset,
               (uint64_t)q->reftable_clusters << q->cluster_bits, error) &&
           (q->l1_count == 0 ||
            add(q, q->l1_offset, q->l1_count * 8ull, error)) &&
           add_tables(q, error) && add_snapshots(q, error);
}
