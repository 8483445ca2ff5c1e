/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "fake-block.h"

#include <errno.h>
#include <string.h>

#include "util/error.h"

struct EngineBlock {
    FakeDisk *disk;
    const EngineDriveConfig *drive;
    EngineIo *io;
    EngineIoTimer timer;
    EngineBlockRequest *flight; /* the newest first */
};

static FakeDisk *the_disk;
static EngineBlock *the_block;

FakeDisk *
fake_disk_new(uint64_t size)
{
    the_disk = g_new0(FakeDisk, 1);
    the_disk->size = size;
    the_disk->bytes = g_malloc0(size);
    return the_disk;
}

void
fake_disk_free(FakeDisk *disk)
{
    the_disk = NULL;
    g_free(disk->bytes);
    g_free(disk);
}

/* --- what requests do ------------------------------------------------------
 */
static void
transfer(const FakeDisk *disk, const EngineBlockRequest *request, bool write)
{
    uint8_t *at = disk->bytes + request->offset;

    for (unsigned i = 0; i < request->n_iov; i++) {
        const struct iovec *iov = &request->iov[i];

        memcpy(write ? at : iov->iov_base, write ? iov->iov_base : at,
               iov->iov_len);
        at += iov->iov_len;
    }
}

static bool
is_stray(const FakeDisk *disk, const EngineBlockRequest *request)
{
    bool data =
        request->op == ENGINE_BLOCK_READ || request->op == ENGINE_BLOCK_WRITE;
    uint64_t size = 0;

    for (unsigned i = 0; data && i < request->n_iov; i++)
        size += request->iov[i].iov_len;
    return request->offset > disk->size ||
           request->size > disk->size - request->offset ||
           (data && size != request->size) ||
           (request->op != ENGINE_BLOCK_FLUSH &&
            (request->offset | request->size) % ENGINE_BLOCK_SECTOR != 0);
}

static int
perform(const FakeDisk *disk, const EngineBlockRequest *request)
{
    if (request->result < 0)
        return request->result;
    if (is_stray(disk, request))
        return -EINVAL;
    if (request->op == ENGINE_BLOCK_READ || request->op == ENGINE_BLOCK_WRITE)
        transfer(disk, request, request->op == ENGINE_BLOCK_WRITE);
    else if (request->op != ENGINE_BLOCK_FLUSH)
        memset(disk->bytes + request->offset, 0, request->size);
    return 0;
}

static void
complete_all(EngineBlock *block)
{
    while (block->flight) {
        EngineBlockRequest *request = block->flight;

        block->flight = request->next;
        __atomic_fetch_sub(&block->disk->in_flight, 1, __ATOMIC_SEQ_CST);
        request->done(request, perform(block->disk, request));
    }
}

static void
on_timer(void *opaque)
{
    EngineBlock *block = opaque;

    if (!__atomic_load_n(&block->disk->held, __ATOMIC_SEQ_CST))
        complete_all(block);
}

/* --- engine/block/block.h --------------------------------------------------
 */
EngineBlock *
engine_block_open(const EngineDriveConfig *drive, EngineIo *io, GError **error)
{
    EngineBlock *block;

    if (!the_disk) {
        error_set(error, VIR_ERR_OPERATION_FAILED, "there is no fake disk");
        return NULL;
    }
    block = the_block = g_new0(EngineBlock, 1);
    block->disk = the_disk;
    block->drive = drive;
    block->io = io;
    engine_io_timer_init(&block->timer, io, on_timer, block);
    return block;
}

void
engine_block_submit(EngineBlock *block, EngineBlockRequest *request)
{
    FakeDisk *disk = block->disk;

    disk->strays += is_stray(disk, request);
    request->result = __atomic_load_n(&disk->fail, __ATOMIC_SEQ_CST);
    request->next = block->flight;
    block->flight = request;
    disk->offsets[disk->n_offsets++ % G_N_ELEMENTS(disk->offsets)] =
        request->offset;
    __atomic_fetch_add(&disk->counts[request->op], 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&disk->fuas, request->fua, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&disk->unmaps, request->unmap, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&disk->in_flight, 1, __ATOMIC_SEQ_CST);
}

void
engine_block_kick(EngineBlock *block)
{
    if (!block->flight)
        return;
    __atomic_fetch_add(&block->disk->kicks, 1, __ATOMIC_SEQ_CST);
    if (block->timer.deadline_ns == 0)
        engine_io_timer_set(&block->timer, 1);
}

void
engine_block_drain(EngineBlock *block)
{
    complete_all(block);
}

static void
let_go(void *opaque)
{
    engine_block_kick(opaque);
}

void
fake_disk_hold(FakeDisk *disk, bool held)
{
    __atomic_store_n(&disk->held, held, __ATOMIC_SEQ_CST);
    if (!held && the_block)
        engine_io_call(the_block->io, let_go, the_block);
}

typedef struct Resize {
    EngineBlock *block;
    uint64_t size;
} Resize;

static void
resize_here(void *opaque)
{
    const Resize *resize = opaque;
    FakeDisk *disk = resize->block->disk;

    complete_all(resize->block);
    disk->bytes = g_realloc(disk->bytes, resize->size);
    if (resize->size > disk->size)
        memset(disk->bytes + disk->size, 0, resize->size - disk->size);
    disk->size = resize->size;
}

bool
engine_block_resize(EngineBlock *block, uint64_t size, GError **error)
{
    Resize resize = { block, size };

    engine_io_call(block->io, resize_here, &resize);
    return true;
}

void
engine_block_info(EngineBlock *block, EngineBlockInfo *ret_info)
{
    *ret_info = (EngineBlockInfo){
        .size = block->disk->size,
        .physical = block->disk->size,
        .allocation = block->disk->size / 2,
        .highest_offset = block->disk->size / 4,
        .alignment = 512,
        .discard_granularity = 4096,
        .read_only = !block->drive->writable,
    };
}

static void
close_here(void *opaque)
{
    EngineBlock *block = opaque;

    complete_all(block);
    engine_io_timer_set(&block->timer, 0);
}

void
engine_block_close(EngineBlock *block)
{
    if (!block)
        return;
    engine_io_call(block->io, close_here, block);
    if (the_block == block)
        the_block = NULL;
    g_free(block);
}
