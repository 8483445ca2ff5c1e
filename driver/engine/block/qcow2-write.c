/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/block/qcow2.h"
#include "util/i18n.h"

/*
 * Writing. A cluster of our own is written in place. Others get a new one: what
 * the write doesn't cover of it is read from where it was before, all is
 * written at once, and then only does the L2 table name it. Whatever else would
 * change those clusters waits until then.
 */
#define CLUSTERS_MAX 256u /* that are allocated at once */

/* One end of the clusters that the write doesn't cover. */
typedef struct Edge {
    EngineBlockRequest read; /* of what was there */
    Qcow2Allocation *allocation;
    uint64_t offset, size; /* of the guest's; size 0: none */
    uint8_t *data;         /* NULL: the new cluster is zero as it is */
    struct iovec iov;
} Edge;

struct Qcow2Allocation {
    Qcow2 *q;
    EngineBlockRequest *request;
    uint64_t guest, host, count; /* clusters: offsets, how many in a row */
    bool reused;                 /* the L2 table named them already, as zero */
    EngineSlice data;
    uint64_t from, to; /* of the guest's: what is written */
    Edge head, tail;
    unsigned reading;
    int result; /* of reading */
    struct iovec *iov;
    Qcow2Allocation *next;
};

/* --- requests that wait ----------------------------------------------------
 */
bool
qcow2_must_wait(Qcow2 *q, EngineBlockRequest *request)
{
    uint64_t from = request->offset & ~(q->cluster - 1);
    uint64_t to = qcow2_round_up(q, request->offset + request->size);

    for (const Qcow2Allocation *one = q->allocations; one; one = one->next)
        if (from < one->guest + one->count * q->cluster && one->guest < to) {
            engine_block_begin_part(request);
            g_queue_push_tail(&q->waiting, request);
            return true;
        }
    return false;
}

static void
wake(Qcow2 *q)
{
    GQueue waiting = q->waiting;
    EngineBlockRequest *request;

    g_queue_init(&q->waiting);
    while ((request = g_queue_pop_head(&waiting))) {
        qcow2_submit(&q->node, request);
        engine_block_end_part(request, 0);
    }
}

/* --- after the data --------------------------------------------------------
 */
static int
link_clusters(Qcow2Allocation *one)
{
    Qcow2 *q = one->q;
    uint64_t index = qcow2_l2_index(q, one->guest);
    Qcow2Table *table;
    int rc = qcow2_l2_write(q, one->guest, &table);

    for (uint64_t i = 0; rc == 0 && i < one->count; i++) {
        uint64_t old = qcow2_l2_get(table, index + i);

        qcow2_l2_set(q, table, index + i,
                     (one->host + i * q->cluster) | QCOW2_COPIED);
        if (!one->reused)
            qcow2_release(q, old);
    }
    return rc;
}

static void
end(Qcow2Allocation *one, int result)
{
    Qcow2 *q = one->q;
    Qcow2Allocation **link = &q->allocations;

    if (result == 0)
        result = link_clusters(one);
    if (result < 0 && !one->reused)
        qcow2_unallocate(q, one->host, one->count);
    while (*link != one)
        link = &(*link)->next;
    *link = one->next;
    engine_block_end_part(one->request, result);
    free(one->head.data);
    free(one->tail.data);
    g_free(one->iov);
    g_free(one);
    wake(q);
}

static void
on_written(void *opaque, int result)
{
    end(opaque, result);
}

static void
write_data(Qcow2Allocation *one)
{
    Qcow2 *q = one->q;
    unsigned capacity = one->data.n_iov + 2, n = 0;
    uint64_t size = one->to - one->from, got;
    EngineBlockIo io = { .file = &q->node.file,
                         .kind = ENGINE_BLOCK_IO_WRITE,
                         .offset = one->host + (one->from - one->guest),
                         .size = size,
                         .data = one->data,
                         .done = on_written,
                         .opaque = one };

    if (one->head.data || one->tail.data) {
        one->iov = g_new(struct iovec, capacity);
        if (one->head.data) {
            one->iov[n++] = (struct iovec){ one->head.data, one->head.size };
            io.offset -= one->head.size;
            io.size += one->head.size;
        }
        n += engine_slice_cut(&one->data, size, one->iov + n, capacity - n - 1,
                              &got);
        if (one->tail.data) {
            one->iov[n++] = (struct iovec){ one->tail.data, one->tail.size };
            io.size += one->tail.size;
        }
        io.data = (EngineSlice){ one->iov, n, 0 };
    }
    engine_block_file_submit(&io);
}

/* --- before the data -------------------------------------------------------
 */
static void
on_read(EngineBlockRequest *request, int result)
{
    Qcow2Allocation *one = ((Edge *)request)->allocation;

    if (result < 0)
        one->result = result;
    if (--one->reading > 0)
        return;
    if (one->result < 0)
        end(one, one->result);
    else
        write_data(one);
}

/* Whether the guest reads only zeroes there now. */
static int
is_zero(Qcow2 *q, uint64_t offset, uint64_t size, bool *ret_zero)
{
    *ret_zero = true;
    while (size > 0 && *ret_zero && offset < q->node.size) {
        EngineExtent extent;
        int rc = engine_block_map(&q->node, offset,
                                  MIN(size, q->node.size - offset), &extent);

        if (rc < 0)
            return rc;
        *ret_zero = extent.kind == ENGINE_EXTENT_ZERO;
        offset += extent.size;
        size -= MIN(size, extent.size);
    }
    return 0;
}

/* Prepares an edge: *@ret_read: it must be read. */
static int
edge_prepare(Qcow2Allocation *one, Edge *edge, bool *ret_zero)
{
    int rc = 0;

    *ret_zero = true;
    edge->allocation = one;
    if (edge->size > 0)
        rc = is_zero(one->q, edge->offset, edge->size, ret_zero);
    return rc;
}

static void
edge_fill(Edge *edge, bool zero)
{
    Qcow2Allocation *one = edge->allocation;
    uint64_t size = one->q->node.size;

    if (edge->size == 0)
        return;
    edge->data = engine_block_buffer_new(edge->size);
    if (zero || size < edge->offset + edge->size)
        memset(edge->data, 0, edge->size);
    if (zero)
        return;
    size = MIN(edge->size, size - edge->offset);
    edge->iov = (struct iovec){ edge->data, size };
    edge->read = (EngineBlockRequest){ .op = ENGINE_BLOCK_READ,
                                       .offset = edge->offset,
                                       .size = size,
                                       .iov = &edge->iov,
                                       .n_iov = 1,
                                       .done = on_read };
    one->reading++;
}

static int
edges(Qcow2Allocation *one, bool fresh)
{
    bool head_zero, tail_zero;
    int rc = edge_prepare(one, &one->head, &head_zero);

    if (rc == 0)
        rc = edge_prepare(one, &one->tail, &tail_zero);
    if (rc < 0)
        return rc;
    if (fresh && head_zero && tail_zero)
        return 0;
    edge_fill(&one->head, head_zero);
    edge_fill(&one->tail, tail_zero);
    return 0;
}

static void
begin(Qcow2Allocation *one)
{
    Qcow2 *q = one->q;
    Edge *both[] = { &one->head, &one->tail };

    one->next = q->allocations;
    q->allocations = one;
    engine_block_begin_part(one->request);
    if (one->reading == 0)
        write_data(one);
    for (size_t i = 0; i < G_N_ELEMENTS(both); i++)
        if (both[i]->read.done)
            engine_block_submit(q->node.block, &both[i]->read);
}

/* --- which way a cluster is written ----------------------------------------
 */
typedef enum Way {
    WAY_PLACE, /* where it is */
    WAY_REUSE, /* where it is, but what isn't written is to be zero */
    WAY_NEW,
} Way;

static Way
way_of(uint64_t entry)
{
    if ((entry & QCOW2_COMPRESSED) || !(entry & QCOW2_COPIED))
        return WAY_NEW;
    return entry & QCOW2_ZERO ? WAY_REUSE : WAY_PLACE;
}

/* Whether our data may go to the cluster that @entry names. */
static int
check_place(Qcow2 *q, uint64_t entry)
{
    uint64_t at = entry & QCOW2_OFFSET_MASK, count;
    int rc;

    if (qcow2_metadata_has(q, at))
        return qcow2_corrupt(q, _("a structure is in use for data"), at);
    if (at < q->end)
        return 0;
    rc = qcow2_refcount_get(q, at >> q->cluster_bits, &count);
    if (rc == 0 && count != 1)
        rc = qcow2_corrupt(q, _("data outside of the file"), at);
    return rc;
}

/* How many clusters from @index on go the same way, at most @most, in a row in
 * the file if they are there. */
static int
run_of(Qcow2 *q, const Qcow2Table *table, uint64_t index, uint64_t most,
       uint64_t *ret_run)
{
    uint64_t first = qcow2_l2_get(table, index), run;
    Way way = way_of(first);

    for (run = 0; run < most; run++) {
        uint64_t entry = qcow2_l2_get(table, index + run);
        int rc = 0;

        if (way_of(entry) != way)
            break;
        if (way != WAY_NEW && entry != first + run * q->cluster)
            break;
        if (!(entry & QCOW2_COMPRESSED))
            rc = qcow2_l2_check(q, entry);
        if (rc == 0 && way != WAY_NEW)
            rc = check_place(q, entry);
        if (rc < 0)
            return rc;
    }
    *ret_run = run;
    return 0;
}

static int
write_new(Qcow2 *q, EngineBlockRequest *request, const EngineSlice *slice,
          uint64_t entry, uint64_t *run)
{
    uint64_t offset = request->offset + slice->skip;
    uint64_t fresh_from = q->fresh_from;
    g_autofree Qcow2Allocation *one = g_new0(Qcow2Allocation, 1);
    uint64_t guest_end;
    int rc = 0;

    one->q = q;
    one->request = request;
    one->data = *slice;
    one->guest = offset & ~(q->cluster - 1);
    one->reused = way_of(entry) == WAY_REUSE;
    one->host = entry & QCOW2_OFFSET_MASK;
    one->count = MIN(*run, CLUSTERS_MAX);
    if (!one->reused)
        rc = qcow2_allocate(q, 1, one->count, &one->host, &one->count);
    if (rc < 0)
        return rc;
    *run = one->count;
    guest_end = one->guest + one->count * q->cluster;
    one->from = offset;
    one->to = MIN(guest_end, request->offset + request->size);
    one->head.offset = one->guest;
    one->head.size = one->from - one->guest;
    one->tail.offset = one->to;
    one->tail.size = guest_end - one->to;
    rc = edges(one, !one->reused && one->host >= fresh_from);
    if (rc == 0)
        begin(g_steal_pointer(&one));
    else if (!one->reused)
        qcow2_unallocate(q, one->host, one->count);
    return rc;
}

static void
write_place(Qcow2 *q, EngineBlockRequest *request, const EngineSlice *slice,
            uint64_t entry, uint64_t size)
{
    uint64_t within = (request->offset + slice->skip) % q->cluster;
    EngineBlockIo io = { .file = &q->node.file,
                         .kind = ENGINE_BLOCK_IO_WRITE,
                         .offset = (entry & QCOW2_OFFSET_MASK) + within,
                         .size = size,
                         .data = *slice };

    engine_block_submit_part(request, &io);
}

/* Begins to write what comes next. *@ret_size: of it */
static int
write_some(Qcow2 *q, EngineBlockRequest *request, const EngineSlice *slice,
           uint64_t *ret_size)
{
    uint64_t offset = request->offset + slice->skip;
    uint64_t left = request->size - slice->skip;
    uint64_t index = qcow2_l2_index(q, offset), within = offset % q->cluster;
    uint64_t most =
        MIN((within + left - 1) / q->cluster + 1, qcow2_l2_entries(q) - index);
    uint64_t entry, run;
    Qcow2Table *table;
    int rc = qcow2_l2_write(q, offset, &table);

    if (rc < 0)
        return rc;
    entry = qcow2_l2_get(table, index);
    rc = run_of(q, table, index, most, &run);
    if (rc == 0 && way_of(entry) != WAY_PLACE)
        rc = write_new(q, request, slice, entry, &run);
    *ret_size = MIN(run * q->cluster - within, left);
    if (rc == 0 && way_of(entry) == WAY_PLACE)
        write_place(q, request, slice, entry, *ret_size);
    return rc;
}

void
qcow2_write(Qcow2 *q, EngineBlockRequest *request)
{
    EngineSlice slice = { request->iov, request->n_iov, 0 };
    int rc = 0;

    if (qcow2_must_wait(q, request))
        return;
    while (rc == 0 && slice.skip < request->size) {
        uint64_t size = 0;

        rc = write_some(q, request, &slice, &size);
        slice.skip += size;
    }
    engine_block_begin_part(request);
    engine_block_end_part(request, rc);
}
