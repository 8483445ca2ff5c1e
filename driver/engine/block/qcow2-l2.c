/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "engine/block/qcow2.h"
#include "util/i18n.h"

uint64_t
qcow2_l2_index(const Qcow2 *q, uint64_t offset)
{
    return (offset >> q->cluster_bits) & (qcow2_l2_entries(q) - 1);
}

uint64_t
qcow2_l2_get(const Qcow2Table *table, uint64_t index)
{
    uint64_t entry;

    memcpy(&entry, table->data + index * 8, sizeof(entry));
    return GUINT64_FROM_BE(entry);
}

void
qcow2_l2_set(Qcow2 *q, Qcow2Table *table, uint64_t index, uint64_t entry)
{
    entry = GUINT64_TO_BE(entry);
    memcpy(table->data + index * 8, &entry, sizeof(entry));
    qcow2_table_dirty(q, table, (uint32_t)(index * 8),
                      (uint32_t)(index * 8 + 8));
}

static uint64_t
l1_index(const Qcow2 *q, uint64_t offset)
{
    return (offset >> q->cluster_bits) / qcow2_l2_entries(q);
}

int
qcow2_l2_read(Qcow2 *q, uint64_t offset, Qcow2Table **ret_table)
{
    uint64_t index = l1_index(q, offset);
    uint64_t entry = index < q->l1_count ? q->l1[index] : 0;
    uint64_t at = entry & QCOW2_OFFSET_MASK;

    *ret_table = NULL;
    if (entry & QCOW2_L1_RESERVED)
        return qcow2_corrupt(q, _("a wrong L1 entry"), at);
    if (at == 0)
        return 0;
    if (at % q->cluster != 0 || at >= q->end)
        return qcow2_corrupt(q, _("a wrong L2 table"), at);
    return qcow2_table_get(q, QCOW2_L2, at, false, ret_table);
}

static void
l1_set(Qcow2 *q, uint64_t index, uint64_t entry)
{
    q->l1[index] = entry;
    q->dirty = true;
    if (q->l1_dirty_from == q->l1_dirty_to) {
        q->l1_dirty_from = (uint32_t)index;
        q->l1_dirty_to = (uint32_t)index + 1;
    } else {
        q->l1_dirty_from = MIN(q->l1_dirty_from, (uint32_t)index);
        q->l1_dirty_to = MAX(q->l1_dirty_to, (uint32_t)index + 1);
    }
}

/* A table of our own, with the contents of the one at @old, if not 0. */
static int
l2_new(Qcow2 *q, uint64_t index, uint64_t old, Qcow2Table **ret_table)
{
    g_autofree uint8_t *copy = NULL;
    uint64_t at, count;
    int rc;

    if (old != 0)
        copy = g_memdup2((*ret_table)->data, q->cluster);
    rc = qcow2_allocate(q, 1, 1, &at, &count);
    if (rc < 0)
        return rc;
    rc = qcow2_table_get(q, QCOW2_L2, at, true, ret_table);
    if (rc < 0) {
        qcow2_unallocate(q, at, 1);
        return rc;
    }
    if (copy)
        memcpy((*ret_table)->data, copy, q->cluster);
    qcow2_metadata_add(q, at, q->cluster);
    l1_set(q, index, at | QCOW2_COPIED);
    if (old != 0) {
        qcow2_metadata_remove(q, old, q->cluster);
        qcow2_release(q, old);
    }
    return 0;
}

int
qcow2_l2_write(Qcow2 *q, uint64_t offset, Qcow2Table **ret_table)
{
    uint64_t index = l1_index(q, offset);
    int rc = qcow2_l2_read(q, offset, ret_table);

    if (rc < 0)
        return rc;
    if (index >= q->l1_count)
        return qcow2_corrupt(q, _("no L1 entry for a cluster"), offset);
    if (*ret_table && (q->l1[index] & QCOW2_COPIED))
        return 0;
    return l2_new(q, index, *ret_table ? (*ret_table)->offset : 0, ret_table);
}

int
qcow2_l2_check(Qcow2 *q, uint64_t entry)
{
    uint64_t at = entry & QCOW2_OFFSET_MASK;

    if ((entry & QCOW2_L2_RESERVED) || at % q->cluster != 0 ||
        ((entry & QCOW2_ZERO) && q->version == 2) ||
        ((entry & QCOW2_COPIED) && at == 0))
        return qcow2_corrupt(q, _("a wrong L2 entry"), entry);
    return 0;
}

/* --- where bytes are -------------------------------------------------------
 */
typedef enum EntryKind {
    ENTRY_NONE,
    ENTRY_ZERO,
    ENTRY_DATA,
    ENTRY_PACKED
} EntryKind;

static int
classify(Qcow2 *q, uint64_t entry, EntryKind *ret_kind)
{
    if (entry & QCOW2_COMPRESSED) {
        *ret_kind = ENTRY_PACKED;
        return 0;
    }
    if (entry & QCOW2_ZERO)
        *ret_kind = ENTRY_ZERO;
    else
        *ret_kind = (entry & QCOW2_OFFSET_MASK) ? ENTRY_DATA : ENTRY_NONE;
    return qcow2_l2_check(q, entry);
}

/* How many clusters from @index on are like it, at most @most. */
static uint64_t
run_of(Qcow2 *q, const Qcow2Table *table, uint64_t index, uint64_t most)
{
    uint64_t first = qcow2_l2_get(table, index), count = 1;
    uint64_t mask = first & QCOW2_ZERO
                        ? QCOW2_ZERO
                        : QCOW2_OFFSET_MASK | QCOW2_ZERO | QCOW2_COMPRESSED;
    uint64_t step = (first & mask & QCOW2_OFFSET_MASK) ? q->cluster : 0;

    if (first & QCOW2_COMPRESSED)
        return 1;
    while (count < most) {
        uint64_t entry = qcow2_l2_get(table, index + count);

        if ((entry & QCOW2_COMPRESSED) ||
            (entry & mask) != (first & mask) + count * step ||
            qcow2_l2_check(q, entry) < 0)
            break;
        count++;
    }
    return count;
}

/* The range that one L2 table, or the lack of it, describes. */
static uint64_t
within_table(const Qcow2 *q, uint64_t offset, uint64_t size)
{
    uint64_t span = q->cluster * qcow2_l2_entries(q);

    return MIN(size, span - offset % span);
}

int
qcow2_map(EngineBlockNode *node, uint64_t offset, uint64_t size,
          EngineExtent *ret_extent)
{
    Qcow2 *q = qcow2_of(node);
    uint64_t within = offset % q->cluster, index, entry, run;
    EntryKind kind;
    Qcow2Table *table;
    int rc = qcow2_l2_read(q, offset, &table);

    size = within_table(q, offset, size);
    if (rc < 0)
        return rc;
    if (!table)
        return engine_block_map(node->backing, offset, size, ret_extent);
    index = qcow2_l2_index(q, offset);
    entry = qcow2_l2_get(table, index);
    rc = classify(q, entry, &kind);
    if (rc < 0)
        return rc;
    run = run_of(q, table, index, (within + size - 1) / q->cluster + 1);
    size = MIN(size, run * q->cluster - within);
    if (kind == ENTRY_NONE)
        return engine_block_map(node->backing, offset, size, ret_extent);
    *ret_extent = (EngineExtent){ .node = node, .size = size, .entry = entry };
    if (kind == ENTRY_ZERO)
        ret_extent->kind = ENGINE_EXTENT_ZERO;
    else if (kind == ENTRY_PACKED)
        ret_extent->kind = ENGINE_EXTENT_PACKED;
    else
        ret_extent->kind = ENGINE_EXTENT_DATA;
    ret_extent->offset =
        (kind == ENTRY_PACKED) ? within : (entry & QCOW2_OFFSET_MASK) + within;
    return 0;
}

void
qcow2_packed_where(const Qcow2 *q, uint64_t entry, uint64_t *ret_offset,
                   uint64_t *ret_size)
{
    unsigned bits = 62 - (q->cluster_bits - 8);
    uint64_t offset = entry & ((1ull << bits) - 1);
    uint64_t sectors = (entry & (QCOW2_COMPRESSED - 1)) >> bits;

    offset &= QCOW2_OFFSET_END - 1;
    *ret_offset = offset;
    *ret_size = (sectors + 1) * 512 - offset % 512;
}
