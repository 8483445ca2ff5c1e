/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "engine/block/qcow2.h"
#include "util/error.h"
#include "util/i18n.h"

/* The part of the header that says how big the image is, big endian. */
typedef struct Geometry {
    uint64_t size;
    uint32_t crypt_method, l1_count;
    uint64_t l1_offset;
} Geometry;
G_STATIC_ASSERT(sizeof(Geometry) == 24);

/* L1 as it will be, of @count entries at @offset. */
typedef struct NewL1 {
    uint64_t *entries, offset;
    uint32_t count;
} NewL1;

static int
set_geometry(Qcow2 *q, uint64_t size, uint64_t l1_offset, uint32_t l1_count)
{
    const Geometry geometry = { GUINT64_TO_BE(size), 0, GUINT32_TO_BE(l1_count),
                                GUINT64_TO_BE(l1_offset) };

    return qcow2_header_set(q, &geometry, sizeof(geometry), QCOW2_AT_SIZE);
}

static int
l1_write(Qcow2 *q, const NewL1 *l1)
{
    size_t size = qcow2_round_up(q, l1->count * 8ull);
    g_autofree uint64_t *raw = g_malloc0(size);
    int rc;

    for (uint32_t i = 0; i < l1->count; i++)
        raw[i] = GUINT64_TO_BE(l1->entries[i]);
    rc = engine_block_file_write(&q->node.file, raw, size, l1->offset);
    return rc < 0 ? rc : engine_block_file_sync(&q->node.file);
}

/* Before the header names the new table, the counts say that it is in use;
 * after that, the old one isn't. */
static int
grow_l1(Qcow2 *q, uint64_t size, uint32_t count)
{
    uint64_t clusters = qcow2_round_up(q, count * 8ull) >> q->cluster_bits;
    uint64_t old_size = qcow2_round_up(q, q->l1_count * 8ull);
    uint64_t old_offset = q->l1_offset, got;
    NewL1 l1 = { g_new0(uint64_t, count), 0, count };
    int rc = qcow2_allocate(q, clusters, clusters, &l1.offset, &got);

    if (rc < 0) {
        g_free(l1.entries);
        return rc;
    }
    memcpy(l1.entries, q->l1, q->l1_count * 8ull);
    rc = qcow2_write_back_now(q);
    if (rc == 0)
        rc = l1_write(q, &l1);
    if (rc == 0)
        rc = set_geometry(q, size, l1.offset, count);
    if (rc < 0) {
        qcow2_unallocate(q, l1.offset, clusters);
        g_free(l1.entries);
        return rc;
    }
    g_free(q->l1);
    q->l1 = l1.entries;
    q->l1_count = count;
    q->l1_offset = l1.offset;
    qcow2_metadata_add(q, l1.offset, count * 8ull);
    if (old_size > 0) {
        qcow2_metadata_remove(q, old_offset, old_size);
        qcow2_unallocate(q, old_offset, old_size >> q->cluster_bits);
    }
    return 0;
}

static void
on_zeroed(EngineBlockRequest *request, int result)
{
    /* Its own memory says how it ended. */
}

/* What a greater backing file has behind the old end isn't to be seen. */
static int
hide_backing(Qcow2 *q, uint64_t old_size)
{
    const EngineBlockNode *backing = q->node.backing;
    EngineBlockRequest request = { .op = ENGINE_BLOCK_WRITE_ZEROES,
                                   .offset = old_size,
                                   .unmap = true,
                                   .done = on_zeroed };

    if (!backing || backing->size <= old_size)
        return 0;
    request.size = MIN(backing->size, q->node.size) - old_size;
    engine_block_submit(q->node.block, &request);
    engine_block_drain(q->node.block);
    return request.result;
}

static int
grow(Qcow2 *q, uint64_t size)
{
    uint64_t span = q->cluster * qcow2_l2_entries(q), old = q->node.size;
    uint64_t count = (size + span - 1) / span;
    int rc;

    if (q->corrupt)
        return -EIO;
    if (count * 8 > QCOW2_L1_BYTES_MAX)
        return -EFBIG;
    rc = count > q->l1_count ? grow_l1(q, size, (uint32_t)count)
                             : set_geometry(q, size, q->l1_offset, q->l1_count);
    if (rc < 0)
        return rc;
    q->node.size = size;
    return hide_backing(q, old);
}

bool
qcow2_resize(EngineBlockNode *node, uint64_t size, GError **error)
{
    int rc;

    if (size < node->size) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("the qcow2 image '%s' can't be made smaller"),
                  node->file.path);
        return false;
    }
    rc = grow(qcow2_of(node), size);
    if (rc == 0)
        return true;
    error_set_errno(error, -rc, _("cannot resize '%s'"), node->file.path);
    return false;
}
