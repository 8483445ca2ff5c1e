/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/block/block.h"

#include <errno.h>
#include <sys/stat.h>

#include "engine/block/format.h"
#include "util/error.h"
#include "util/i18n.h"

struct EngineBlock {
    const EngineDriveConfig *drive;
    EngineIo *io;
    EngineAio *aio;
    EngineBlockNode *node;                 /* the chain's first */
    EngineBlockRequest *first, **last;     /* in flight, oldest first */
    EngineBlockRequest *over, **over_last; /* done() is to be called */
    uint64_t next_number;
};

static const EngineBlockFormat *const formats[] = {
    [ENGINE_DRIVE_RAW] = &engine_block_raw,
    [ENGINE_DRIVE_QCOW2] = &engine_block_qcow2,
};

/* --- requests --------------------------------------------------------------
 */
static void
flight_add(EngineBlock *block, EngineBlockRequest *request)
{
    request->block = block;
    request->number = block->next_number++;
    request->next = NULL;
    request->link = block->last;
    *block->last = request;
    block->last = &request->next;
}

static void
flight_remove(EngineBlock *block, EngineBlockRequest *request)
{
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    else
        block->last = request->link;
}

uint64_t
engine_block_oldest(const EngineBlock *block)
{
    return block->first ? block->first->number : block->next_number;
}

uint64_t
engine_block_next(const EngineBlock *block)
{
    return block->next_number;
}

void
engine_block_begin_part(EngineBlockRequest *request)
{
    request->parts++;
}

/* A part of its own, so that the request ends after what @result is of. */
static void
flush_after(EngineBlockRequest *request)
{
    EngineBlockNode *node = request->block->node;

    request->synced = true;
    engine_block_begin_part(request);
    node->format->flush(node, request);
    engine_block_end_part(request, 0);
}

void
engine_block_end_part(EngineBlockRequest *request, int result)
{
    EngineBlock *block = request->block;

    if (result < 0 && request->result == 0)
        request->result = result;
    if (--request->parts > 0)
        return;
    if (request->fua && !request->synced && request->result == 0) {
        flush_after(request);
        return;
    }
    request->over = NULL;
    *block->over_last = request;
    block->over_last = &request->over;
}

static void
on_part(void *opaque, int result)
{
    engine_block_end_part(opaque, result);
}

void
engine_block_submit_part(EngineBlockRequest *request, EngineBlockIo *io)
{
    io->done = on_part;
    io->opaque = request;
    engine_block_begin_part(request);
    engine_block_file_submit(io);
}

/* Calls what may submit more, or close nothing: the list is taken from one by
 * one. */
static void
on_turn(void *opaque)
{
    EngineBlock *block = opaque;

    while (block->over) {
        EngineBlockRequest *request = block->over;
        EngineBlockNode *node = block->node;

        block->over = request->over;
        if (!block->over)
            block->over_last = &block->over;
        flight_remove(block, request);
        if (node->format->settle)
            node->format->settle(node, engine_block_oldest(block));
        request->done(request, request->result);
    }
}

static bool
is_write(const EngineBlockRequest *request)
{
    return request->op != ENGINE_BLOCK_READ &&
           request->op != ENGINE_BLOCK_FLUSH;
}

static int
check(const EngineBlockNode *node, const EngineBlockRequest *request)
{
    if (request->op == ENGINE_BLOCK_FLUSH)
        return 0;
    if (is_write(request) && !node->writable)
        return -EROFS;
    if ((request->offset | request->size) % ENGINE_BLOCK_SECTOR != 0 ||
        request->offset > node->size ||
        request->size > node->size - request->offset)
        return -EINVAL;
    return 0;
}

void
engine_block_submit(EngineBlock *block, EngineBlockRequest *request)
{
    EngineBlockNode *node = block->node;
    int rc = check(node, request);

    request->parts = 0;
    request->result = 0;
    request->synced = !is_write(request) || request->op == ENGINE_BLOCK_DISCARD;
    flight_add(block, request);
    engine_block_begin_part(request);
    if (rc == 0 && request->op == ENGINE_BLOCK_FLUSH && node->writable)
        node->format->flush(node, request);
    else if (rc == 0 && request->size > 0)
        node->format->submit(node, request);
    engine_block_end_part(request, rc);
}

void
engine_block_kick(EngineBlock *block)
{
    engine_aio_kick(block->aio);
}

void
engine_block_drain(EngineBlock *block)
{
    engine_block_kick(block);
    while (block->first)
        engine_aio_wait(block->aio);
}

/* --- the chain -------------------------------------------------------------
 */
int
engine_block_map(EngineBlockNode *node, uint64_t offset, uint64_t size,
                 EngineExtent *ret_extent)
{
    if (node && offset < node->size)
        return node->format->map(node, offset, MIN(size, node->size - offset),
                                 ret_extent);
    *ret_extent = (EngineExtent){ ENGINE_EXTENT_ZERO, NULL, 0, size, 0 };
    return 0;
}

static void
node_free(EngineBlockNode *node)
{
    while (node) {
        EngineBlockNode *backing = node->backing;

        node->format->close(node);
        g_free(node);
        node = backing;
    }
}

static const EngineBlockFormat *
format_of(const EngineDriveConfig *drive, GError **error)
{
    if ((size_t)drive->format < G_N_ELEMENTS(formats))
        return formats[drive->format];
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the disk image '%s' has an unknown format"), drive->path);
    return NULL;
}

static EngineBlockNode *
node_new(EngineBlock *block, const EngineDriveConfig *drive, unsigned depth,
         GError **error)
{
    const EngineBlockFormat *format = format_of(drive, error);
    EngineBlockNode *node;

    if (!format)
        return NULL;
    if (depth == ENGINE_DRIVE_DEPTH_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("a backing chain has more than %d files"),
                  ENGINE_DRIVE_DEPTH_MAX);
        return NULL;
    }
    node = g_malloc0(format->size);
    node->format = format;
    node->drive = drive;
    node->block = block;
    node->writable = drive->writable && depth == 0;
    if (drive->backing)
        node->backing = node_new(block, drive->backing, depth + 1, error);
    if ((drive->backing && !node->backing) ||
        !engine_block_file_open(&node->file, drive, block->aio, error) ||
        !format->open(node, error)) {
        node_free(node);
        return NULL;
    }
    return node;
}

/* --- from other threads ----------------------------------------------------
 */
typedef struct Call {
    EngineBlock *block;
    GError **error;
    uint64_t size;
    EngineBlockInfo *info;
    bool ok;
} Call;

static void
open_here(void *opaque)
{
    Call *call = opaque;
    EngineBlock *block = call->block;

    block->aio = engine_aio_new(
        block->io, block->drive->aio == ENGINE_DRIVE_AIO_IO_URING, call->error);
    if (!block->aio)
        return;
    engine_aio_set_turn(block->aio, on_turn, block);
    block->node = node_new(block, block->drive, 0, call->error);
}

static void
close_here(void *opaque)
{
    Call *call = opaque;
    EngineBlock *block = call->block;

    if (block->aio)
        engine_block_drain(block);
    node_free(block->node);
    engine_aio_free(block->aio);
}

EngineBlock *
engine_block_open(const EngineDriveConfig *drive, EngineIo *io, GError **error)
{
    EngineBlock *block = g_new0(EngineBlock, 1);
    Call call = { .block = block, .error = error };

    block->drive = drive;
    block->io = io;
    block->last = &block->first;
    block->over_last = &block->over;
    engine_io_call(io, open_here, &call);
    if (block->node)
        return block;
    engine_block_close(block);
    return NULL;
}

void
engine_block_close(EngineBlock *block)
{
    Call call = { .block = block };

    if (!block)
        return;
    engine_io_call(block->io, close_here, &call);
    g_free(block);
}

static void
resize_here(void *opaque)
{
    Call *call = opaque;
    EngineBlockNode *node = call->block->node;

    engine_block_drain(call->block);
    call->ok = node->size == call->size ||
               node->format->resize(node, call->size, call->error);
}

bool
engine_block_resize(EngineBlock *block, uint64_t size, GError **error)
{
    Call call = { .block = block, .error = error, .size = size };
    const EngineBlockNode *node = block->node;

    if (!node->writable || size == 0 || size % ENGINE_BLOCK_SECTOR != 0 ||
        size > INT64_MAX) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%s' can't have a size of %llu bytes"), node->file.path,
                  (unsigned long long)size);
        return false;
    }
    engine_io_call(block->io, resize_here, &call);
    return call.ok;
}

static void
info_here(void *opaque)
{
    Call *call = opaque;
    EngineBlockNode *node = call->block->node;
    EngineBlockInfo *info = call->info;
    struct stat st = { 0 };

    *info = (EngineBlockInfo){
        .size = node->size,
        .highest_offset = node->file.highest,
        .alignment = node->file.align,
        .discard_granularity = node->format->granularity
                                   ? node->format->granularity(node)
                                   : node->file.align,
        .read_only = !node->writable,
    };
    (void)engine_block_file_size(&node->file, &info->physical);
    if (fstat(node->file.fd, &st) == 0)
        info->allocation =
            node->file.device ? info->physical : (uint64_t)st.st_blocks * 512;
}

void
engine_block_info(EngineBlock *block, EngineBlockInfo *ret_info)
{
    Call call = { .block = block, .info = ret_info };

    engine_io_call(block->io, info_here, &call);
}
