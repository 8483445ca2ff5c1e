/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/block/file.h"

/*
 * A transfer goes by steps until all its bytes are through: what is aligned as
 * O_DIRECT wants goes from and to the caller's buffers, the rest by BOUNCE_SIZE
 * through a buffer of ours. A write that covers a block of the host in part
 * reads that block first; nothing else may write to it meanwhile.
 */
#define BOUNCE_SIZE (128u << 10)
#define IOV_INLINE  4

typedef enum Step { STEP_PLAIN, STEP_BOUNCE, STEP_FETCH } Step;

struct EngineTransfer {
    EngineAioOp op;
    EngineBlockIo io;
    uint64_t position; /* bytes that are through */
    Step step;
    uint64_t start; /* of what is in the bounce buffer, in the file */
    size_t length;
    uint8_t *bounce; /* NULL: none yet */
    struct iovec bounce_iov;
    struct iovec *iov; /* of a plain step, if not the caller's */
    struct iovec iov_inline[IOV_INLINE];
    EngineTransfer *next; /* in the file's lists */
};

static void advance(EngineTransfer *transfer);
static void begin(EngineTransfer *transfer);

static uint64_t
at(const EngineTransfer *transfer)
{
    return transfer->io.offset + transfer->position;
}

static uint64_t
left(const EngineTransfer *transfer)
{
    return transfer->io.size - transfer->position;
}

/* What has not been transferred yet. */
static EngineSlice
rest(const EngineTransfer *transfer)
{
    EngineSlice slice = transfer->io.data;

    slice.skip += transfer->position;
    return slice;
}

/* --- writes that wait for each other ---------------------------------------
 * Only where the host's blocks are greater than a guest's sector can two
 * requests that don't overlap meet in one block.
 */
static bool
is_ordered(const EngineTransfer *transfer)
{
    return transfer->io.kind == ENGINE_BLOCK_IO_WRITE &&
           transfer->io.file->direct && transfer->io.file->align > 512;
}

static bool
is_ragged(const EngineTransfer *transfer)
{
    return ((transfer->io.offset | transfer->io.size) &
            (transfer->io.file->align - 1)) != 0;
}

static bool
must_wait(const EngineTransfer *transfer)
{
    const EngineBlockIo *io = &transfer->io;
    uint64_t mask = io->file->align - 1;

    for (EngineTransfer *other = io->file->writes; other; other = other->next)
        if ((io->offset & ~mask) <
                ((other->io.offset + other->io.size + mask) & ~mask) &&
            (other->io.offset & ~mask) <
                ((io->offset + io->size + mask) & ~mask) &&
            (is_ragged(transfer) || is_ragged(other)))
            return true;
    return false;
}

static void
leave(EngineTransfer *transfer)
{
    EngineBlockFile *file = transfer->io.file;
    EngineTransfer **link = &file->writes;
    EngineTransfer *waiting = file->waiting;

    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    file->waiting = NULL;
    while (waiting) {
        EngineTransfer *next = waiting->next;

        begin(waiting);
        waiting = next;
    }
}

/* --- steps -----------------------------------------------------------------
 */
static void
finish(EngineTransfer *transfer, int result)
{
    EngineBlockIo *io = &transfer->io;

    if (io->kind == ENGINE_BLOCK_IO_WRITE && result == 0)
        io->file->highest = MAX(io->file->highest, io->offset + io->size);
    if (is_ordered(transfer))
        leave(transfer);
    io->done(io->opaque, result);
    free(transfer->bounce);
    if (transfer->iov != transfer->iov_inline)
        g_free(transfer->iov);
    g_free(transfer);
}

static bool
is_plain(const EngineTransfer *transfer)
{
    const EngineBlockFile *file = transfer->io.file;
    EngineSlice slice = rest(transfer);
    uint64_t skip = slice.skip, size = left(transfer);

    if (!file->direct)
        return true;
    if ((at(transfer) | size) & (file->align - 1))
        return false;
    for (unsigned i = 0; i < slice.n_iov && size > 0; i++) {
        const struct iovec *iov = &slice.iov[i];
        size_t part;

        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        part = MIN(iov->iov_len - skip, size);
        if ((((uintptr_t)iov->iov_base + skip) & (file->memory_align - 1)) ||
            (part & (file->align - 1)))
            return false;
        skip = 0;
        size -= part;
    }
    return true;
}

static void
send(EngineTransfer *transfer, EngineAioKind kind)
{
    transfer->op.kind = kind;
    engine_aio_submit(transfer->io.file->aio, &transfer->op);
}

static EngineAioKind
way(const EngineTransfer *transfer)
{
    return transfer->io.kind == ENGINE_BLOCK_IO_READ ? ENGINE_AIO_READ
                                                     : ENGINE_AIO_WRITE;
}

static void
send_plain(EngineTransfer *transfer)
{
    EngineSlice slice = rest(transfer);
    unsigned capacity = MIN(slice.n_iov, IOV_MAX);
    uint64_t size;

    if (!transfer->iov)
        transfer->iov = capacity <= IOV_INLINE ? transfer->iov_inline
                                               : g_new(struct iovec, capacity);
    transfer->step = STEP_PLAIN;
    transfer->op.n_iov = engine_slice_cut(&slice, left(transfer), transfer->iov,
                                          capacity, &size);
    transfer->op.iov = transfer->iov;
    transfer->op.offset = at(transfer);
    send(transfer, way(transfer));
}

static void
send_bounce(EngineTransfer *transfer, Step step, EngineAioKind kind)
{
    transfer->step = step;
    transfer->bounce_iov = (struct iovec){ transfer->bounce, transfer->length };
    transfer->op.iov = &transfer->bounce_iov;
    transfer->op.n_iov = 1;
    transfer->op.offset = transfer->start;
    send(transfer, kind);
}

/* Chooses what the bounce buffer holds next. */
static void
step_bounce(EngineTransfer *transfer)
{
    uint64_t mask = transfer->io.file->align - 1;
    uint64_t end = at(transfer) + left(transfer);
    EngineSlice slice = rest(transfer);

    transfer->start = at(transfer) & ~mask;
    if (transfer->io.kind == ENGINE_BLOCK_IO_READ) {
        transfer->length =
            (size_t)MIN(((end + mask) & ~mask) - transfer->start, BOUNCE_SIZE);
        send_bounce(transfer, STEP_BOUNCE, ENGINE_AIO_READ);
    } else if (transfer->start == at(transfer) &&
               (end & ~mask) > at(transfer)) {
        transfer->length =
            (size_t)MIN((end & ~mask) - transfer->start, BOUNCE_SIZE);
        engine_slice_copy_from(&slice, transfer->bounce, transfer->length);
        send_bounce(transfer, STEP_BOUNCE, ENGINE_AIO_WRITE);
    } else {
        transfer->length = transfer->io.file->align;
        send_bounce(transfer, STEP_FETCH, ENGINE_AIO_READ);
    }
}

static void
step(EngineTransfer *transfer)
{
    if (is_plain(transfer)) {
        send_plain(transfer);
        return;
    }
    if (!transfer->bounce)
        transfer->bounce = engine_block_buffer_new(BOUNCE_SIZE);
    step_bounce(transfer);
}

/* A block was fetched to be written with some of its bytes changed. */
static void
merge(EngineTransfer *transfer, size_t got)
{
    size_t before = (size_t)(at(transfer) - transfer->start);
    size_t size = (size_t)MIN(left(transfer), transfer->length - before);
    EngineSlice slice = rest(transfer);

    memset(transfer->bounce + got, 0, transfer->length - got);
    engine_slice_copy_from(&slice, transfer->bounce + before, size);
    send_bounce(transfer, STEP_BOUNCE, ENGINE_AIO_WRITE);
}

/* Returns: how many of the transfer's bytes the step has got through */
static uint64_t
progress(EngineTransfer *transfer, size_t got)
{
    uint64_t before, size;
    EngineSlice slice = rest(transfer);

    if (transfer->step == STEP_PLAIN)
        return got;
    before = at(transfer) - transfer->start;
    if (got <= before)
        return 0;
    size = MIN(got - before, left(transfer));
    if (transfer->io.kind == ENGINE_BLOCK_IO_READ)
        engine_slice_copy_to(&slice, transfer->bounce + before, (size_t)size);
    return size;
}

static void
on_done(EngineAioOp *op, int result)
{
    EngineTransfer *transfer = (EngineTransfer *)op;
    EngineSlice slice;
    uint64_t through;

    if (result == -EINTR || result == -EAGAIN) {
        engine_aio_submit(transfer->io.file->aio, op);
        return;
    }
    if (result < 0) {
        finish(transfer, result);
        return;
    }
    if (transfer->step == STEP_FETCH) {
        merge(transfer, (size_t)result);
        return;
    }
    through = progress(transfer, (size_t)result);
    if (through == 0 && transfer->io.kind == ENGINE_BLOCK_IO_READ) {
        slice = rest(transfer);
        engine_slice_zero(&slice, left(transfer));
        through = left(transfer);
    } else if (through == 0) {
        finish(transfer, -EIO);
        return;
    }
    transfer->position += through;
    advance(transfer);
}

static void
advance(EngineTransfer *transfer)
{
    if (left(transfer) == 0)
        finish(transfer, 0);
    else
        step(transfer);
}

static void
begin(EngineTransfer *transfer)
{
    EngineBlockFile *file = transfer->io.file;

    if (is_ordered(transfer)) {
        EngineTransfer **list =
            must_wait(transfer) ? &file->waiting : &file->writes;
        bool waits = list == &file->waiting;

        transfer->next = *list;
        *list = transfer;
        if (waits)
            return;
    }
    step(transfer);
}

static void
on_synced(EngineAioOp *op, int result)
{
    EngineTransfer *transfer = (EngineTransfer *)op;

    if (result == -EINTR)
        engine_aio_submit(transfer->io.file->aio, op);
    else
        finish(transfer, result);
}

void
engine_block_file_submit(const EngineBlockIo *io)
{
    EngineTransfer *transfer;

    if (io->kind != ENGINE_BLOCK_IO_READ && io->kind != ENGINE_BLOCK_IO_WRITE &&
        io->kind != ENGINE_BLOCK_IO_SYNC) {
        engine_block_file_zero(io);
        return;
    }
    transfer = g_new0(EngineTransfer, 1);
    transfer->io = *io;
    transfer->op.fd = io->file->fd;
    transfer->op.number = io->file->number;
    transfer->op.done = io->kind == ENGINE_BLOCK_IO_SYNC ? on_synced : on_done;
    if (io->kind == ENGINE_BLOCK_IO_SYNC)
        send(transfer, ENGINE_AIO_SYNC);
    else
        begin(transfer);
}
