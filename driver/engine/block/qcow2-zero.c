/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "engine/block/qcow2.h"

/*
 * Discarding and writing zeroes: whole clusters by their L2 entries; what is
 * left, and what version 2 can't say of a cluster, by writing.
 */
#define PAGE  4096u
#define PAGES 256u /* of one write */

static const uint8_t zero_page[PAGE] __attribute__((aligned(PAGE)));

/* Zeroes that are written, one piece after the other. */
typedef struct Writer {
    EngineBlockRequest request;
    EngineBlockRequest *parent;
    uint64_t left;
    struct iovec iov[PAGES];
} Writer;

static void
write_next(Writer *writer)
{
    writer->request.size = MIN(writer->left, (uint64_t)PAGE * PAGES);
    engine_block_submit(writer->parent->block, &writer->request);
}

static void
on_written(EngineBlockRequest *request, int result)
{
    Writer *writer = (Writer *)request;

    request->offset += request->size;
    writer->left -= request->size;
    if (result == 0 && writer->left > 0) {
        write_next(writer);
        return;
    }
    engine_block_end_part(writer->parent, result);
    g_free(writer);
}

static void
write_zeroes(EngineBlockRequest *parent, uint64_t offset, uint64_t size)
{
    Writer *writer;

    if (size == 0 || parent->op == ENGINE_BLOCK_DISCARD)
        return;
    writer = g_new0(Writer, 1);
    for (unsigned i = 0; i < PAGES; i++)
        writer->iov[i] = (struct iovec){ (void *)zero_page, PAGE };
    writer->parent = parent;
    writer->left = size;
    writer->request = (EngineBlockRequest){ .op = ENGINE_BLOCK_WRITE,
                                            .offset = offset,
                                            .iov = writer->iov,
                                            .n_iov = PAGES,
                                            .done = on_written };
    engine_block_begin_part(parent);
    write_next(writer);
}

/* --- whole clusters --------------------------------------------------------
 */
/* Version 2 has no way to say that a backing file's data are gone. */
static bool
can_say_zero(const Qcow2 *q)
{
    return q->version > 2 || !q->node.backing;
}

/* What @old becomes. */
static uint64_t
new_entry(const Qcow2 *q, const EngineBlockRequest *request, uint64_t old)
{
    bool allocated = (old & QCOW2_COPIED) && !(old & QCOW2_COMPRESSED);

    if (request->op == ENGINE_BLOCK_DISCARD)
        return old == 0 || !q->node.backing ? 0 : QCOW2_ZERO;
    if (q->version == 2)
        return 0;
    if (old == 0 && !q->node.backing)
        return 0;
    return allocated && !request->unmap ? old | QCOW2_ZERO : QCOW2_ZERO;
}

static int
zero_cluster(Qcow2 *q, const EngineBlockRequest *request, uint64_t offset)
{
    uint64_t index = qcow2_l2_index(q, offset), old, entry;
    Qcow2Table *table;
    int rc = qcow2_l2_read(q, offset, &table);

    if (rc < 0)
        return rc;
    old = table ? qcow2_l2_get(table, index) : 0;
    if (!(old & QCOW2_COMPRESSED))
        rc = qcow2_l2_check(q, old);
    entry = new_entry(q, request, old);
    if (rc < 0 || entry == old)
        return rc;
    rc = qcow2_l2_write(q, offset, &table);
    if (rc < 0)
        return rc;
    qcow2_l2_set(q, table, index, entry);
    if (entry != (old | QCOW2_ZERO) || !(old & QCOW2_COPIED))
        qcow2_release(q, old);
    return 0;
}

/* What has no table has nothing that could be let go. */
static bool
skip_table(const Qcow2 *q, uint64_t offset, uint64_t *ret_next)
{
    uint64_t span = q->cluster * qcow2_l2_entries(q);
    uint64_t index = offset / span;

    *ret_next = (index + 1) * span;
    return !q->node.backing && (index >= q->l1_count || q->l1[index] == 0);
}

static int
zero_clusters(Qcow2 *q, const EngineBlockRequest *request, uint64_t from,
              uint64_t to)
{
    int rc = 0;

    while (rc == 0 && from < to) {
        uint64_t next;

        if (!skip_table(q, from, &next)) {
            rc = zero_cluster(q, request, from);
            next = from + q->cluster;
        }
        from = next;
    }
    return rc;
}

void
qcow2_zero(Qcow2 *q, EngineBlockRequest *request)
{
    uint64_t offset = request->offset, stop = offset + request->size;
    uint64_t from = qcow2_round_up(q, offset);
    uint64_t to = stop == q->node.size ? qcow2_round_up(q, stop)
                                       : stop & ~(q->cluster - 1);
    int rc = 0;

    if (qcow2_must_wait(q, request))
        return;
    if (from >= to || !can_say_zero(q)) {
        write_zeroes(request, offset, request->size);
    } else {
        write_zeroes(request, offset, from - offset);
        if (to < stop)
            write_zeroes(request, to, stop - to);
        rc = zero_clusters(q, request, from, to);
    }
    engine_block_begin_part(request);
    engine_block_end_part(request, rc);
}
