/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/block/qcow2.h"

/* Bytes of tables that are kept, and how many at least. */
static const unsigned cache_bytes[QCOW2_KINDS] = {
    [QCOW2_REFCOUNTS] = 4u << 20,
    [QCOW2_L2] = 32u << 20,
};
#define TABLES_MIN 8u

static void
table_free(gpointer data)
{
    Qcow2Table *table = data;

    free(table->data);
    g_free(table);
}

void
qcow2_caches_init(Qcow2 *q)
{
    for (int kind = 0; kind < QCOW2_KINDS; kind++) {
        q->caches[kind].tables = g_hash_table_new_full(
            g_int64_hash, g_int64_equal, NULL, table_free);
        q->caches[kind].max =
            MAX(cache_bytes[kind] >> q->cluster_bits, TABLES_MIN);
    }
}

void
qcow2_caches_clear(Qcow2 *q)
{
    for (int kind = 0; kind < QCOW2_KINDS; kind++)
        g_clear_pointer(&q->caches[kind].tables, g_hash_table_unref);
}

static void
unlink_table(Qcow2Cache *cache, Qcow2Table *table)
{
    if (table->older)
        table->older->newer = table->newer;
    else
        cache->oldest = table->newer;
    if (table->newer)
        table->newer->older = table->older;
    else
        cache->newest = table->older;
}

static void
link_newest(Qcow2Cache *cache, Qcow2Table *table)
{
    table->older = cache->newest;
    table->newer = NULL;
    if (cache->newest)
        cache->newest->newer = table;
    else
        cache->oldest = table;
    cache->newest = table;
}

static void
remove_table(Qcow2Cache *cache, Qcow2Table *table)
{
    unlink_table(cache, table);
    cache->count--;
    g_hash_table_remove(cache->tables, &table->offset);
}

static bool
is_dirty(const Qcow2Table *table)
{
    return table->dirty_from < table->dirty_to || table->writing;
}

/* The newest may be in use. Returns: whether one was dropped */
static bool
evict_clean(Qcow2Cache *cache)
{
    for (Qcow2Table *table = cache->oldest; table && table != cache->newest;
         table = table->newer)
        if (!is_dirty(table)) {
            remove_table(cache, table);
            return true;
        }
    return false;
}

static int
make_room(Qcow2 *q, Qcow2Cache *cache)
{
    int rc;

    if (cache->count < cache->max || evict_clean(cache))
        return 0;
    rc = qcow2_write_back_now(q);
    if (rc == 0)
        evict_clean(cache);
    return rc;
}

static void
clean(Qcow2 *q, Qcow2Table *table)
{
    memset(table->data, 0, q->cluster);
    qcow2_table_dirty(q, table, 0, (uint32_t)q->cluster);
}

int
qcow2_table_get(Qcow2 *q, Qcow2TableKind kind, uint64_t offset, bool fresh,
                Qcow2Table **ret_table)
{
    Qcow2Cache *cache = &q->caches[kind];
    Qcow2Table *table = g_hash_table_lookup(cache->tables, &offset);
    int rc;

    if (table) {
        unlink_table(cache, table);
        link_newest(cache, table);
        if (fresh) /* its cluster held another table once */
            clean(q, table);
        *ret_table = table;
        return 0;
    }
    rc = make_room(q, cache);
    if (rc < 0)
        return rc;
    table = g_new0(Qcow2Table, 1);
    table->kind = kind;
    table->offset = offset;
    table->data = engine_block_buffer_new(q->cluster);
    if (fresh) {
        clean(q, table);
    } else {
        rc = engine_block_file_read(&q->node.file, table->data, q->cluster,
                                    offset);
    }
    if (rc < 0) {
        table_free(table);
        return rc;
    }
    g_hash_table_insert(cache->tables, &table->offset, table);
    link_newest(cache, table);
    cache->count++;
    *ret_table = table;
    return 0;
}

void
qcow2_table_dirty(Qcow2 *q, Qcow2Table *table, uint32_t from, uint32_t to)
{
    q->dirty = true;
    if (table->dirty_from == table->dirty_to) {
        table->dirty_from = from;
        table->dirty_to = to;
    } else {
        table->dirty_from = MIN(table->dirty_from, from);
        table->dirty_to = MAX(table->dirty_to, to);
    }
}
