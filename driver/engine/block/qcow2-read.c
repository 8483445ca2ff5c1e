/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/block/qcow2.h"
#include "engine/block/unpack.h"
#include "util/i18n.h"
#include "util/module.h"

/*
 * Reading. A compressed cluster is read and unpacked on a thread of the pool;
 * who wants the same meanwhile waits for the same, and the last one is kept for
 * who reads on.
 */
typedef struct Reader {
    EngineBlockRequest *request;
    EngineSlice slice;
    uint64_t within, size; /* of the cluster */
    struct Reader *next;
} Reader;

struct Qcow2Unpack {
    EngineAioOp op;
    Qcow2 *q;
    uint64_t entry;
    EngineUnpackFunction *unpack;
    uint8_t *cluster;
    Reader *readers;
    Qcow2Unpack *next;
};

static EngineUnpackFunction *
load_module(Qcow2 *q)
{
    g_autoptr(GError) error = NULL;
    EngineUnpackFunction *function = NULL;

    *(void **)&function =
        module_symbol(ENGINE_UNPACK_MODULE, ENGINE_UNPACK_FUNCTION, &error);
    if (!function)
        log_limited(&q->log, LOG_LEVEL_ERROR, "%s", error->message);
    return function;
}

static int
unpack_job(EngineAioOp *op)
{
    Qcow2Unpack *unpack = (Qcow2Unpack *)op;
    Qcow2 *q = unpack->q;
    g_autofree uint8_t *packed = NULL;
    uint64_t offset, size;
    int rc;

    qcow2_packed_where(q, unpack->entry, &offset, &size);
    packed = g_malloc(size);
    rc = engine_block_file_read(&q->node.file, packed, size, offset);
    if (rc < 0)
        return rc;
    return unpack->unpack(q->zstd, packed, size, unpack->cluster, q->cluster)
               ? 0
               : -EILSEQ;
}

static void
on_unpacked(EngineAioOp *op, int result)
{
    Qcow2Unpack *unpack = (Qcow2Unpack *)op, **link;
    Qcow2 *q = unpack->q;
    Reader *reader = unpack->readers;

    for (link = &q->unpacking; *link != unpack; link = &(*link)->next)
        ;
    *link = unpack->next;
    if (result == -EILSEQ)
        result = qcow2_corrupt(q, _("a compressed cluster can't be unpacked"),
                               unpack->entry & (QCOW2_COMPRESSED - 1));
    while (reader) {
        Reader *next = reader->next;

        if (result == 0)
            engine_slice_copy_to(
                &reader->slice, unpack->cluster + reader->within, reader->size);
        engine_block_end_part(reader->request, result);
        g_free(reader);
        reader = next;
    }
    if (result == 0) {
        free(q->unpacked);
        q->unpacked = g_steal_pointer(&unpack->cluster);
        q->unpacked_entry = unpack->entry;
    }
    free(unpack->cluster);
    g_free(unpack);
}

static Qcow2Unpack *
unpack_of(Qcow2 *q, uint64_t entry)
{
    Qcow2Unpack *unpack = q->unpacking;
    EngineUnpackFunction *function;

    while (unpack && unpack->entry != entry)
        unpack = unpack->next;
    if (unpack)
        return unpack;
    function = load_module(q);
    if (!function)
        return NULL;
    unpack = g_new0(Qcow2Unpack, 1);
    unpack->q = q;
    unpack->entry = entry;
    unpack->unpack = function;
    unpack->cluster = engine_block_buffer_new(q->cluster);
    unpack->next = q->unpacking;
    q->unpacking = unpack;
    unpack->op.kind = ENGINE_AIO_JOB;
    unpack->op.job = unpack_job;
    unpack->op.done = on_unpacked;
    engine_aio_submit(q->node.file.aio, &unpack->op);
    return unpack;
}

static int
read_packed(const EngineExtent *extent, EngineBlockRequest *request,
            const EngineSlice *slice)
{
    Qcow2 *q = qcow2_of(extent->node);
    Qcow2Unpack *unpack;
    Reader *reader;

    if (q->unpacked_entry == extent->entry) {
        engine_slice_copy_to(slice, q->unpacked + extent->offset, extent->size);
        return 0;
    }
    unpack = unpack_of(q, extent->entry);
    if (!unpack)
        return -EIO;
    reader = g_new(Reader, 1);
    *reader = (Reader){ request, *slice, extent->offset, extent->size,
                        unpack->readers };
    unpack->readers = reader;
    engine_block_begin_part(request);
    return 0;
}

static int
read_extent(const EngineExtent *extent, EngineBlockRequest *request,
            const EngineSlice *slice)
{
    EngineBlockIo io = { .kind = ENGINE_BLOCK_IO_READ,
                         .offset = extent->offset,
                         .size = extent->size,
                         .data = *slice };

    switch (extent->kind) {
    case ENGINE_EXTENT_ZERO:
        engine_slice_zero(slice, extent->size);
        return 0;
    case ENGINE_EXTENT_PACKED:
        return read_packed(extent, request, slice);
    case ENGINE_EXTENT_DATA:
        io.file = &extent->node->file;
        engine_block_submit_part(request, &io);
        return 0;
    }
    g_assert_not_reached();
}

void
qcow2_read(Qcow2 *q, EngineBlockRequest *request)
{
    EngineSlice slice = { request->iov, request->n_iov, 0 };
    int rc = 0;

    while (rc == 0 && slice.skip < request->size) {
        EngineExtent extent = { 0 };

        rc = engine_block_map(&q->node, request->offset + slice.skip,
                              request->size - slice.skip, &extent);
        if (rc == 0)
            rc = read_extent(&extent, request, &slice);
        slice.skip += extent.size;
    }
    engine_block_begin_part(request);
    engine_block_end_part(request, rc);
}
