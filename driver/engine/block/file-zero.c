/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "engine/block/file.h"

/*
 * Making a range zero, or giving it back to the host: the ways are tried in
 * their order, and one that a file has refused is not tried on it again.
 */
#define ZERO_PAGE  4096u
#define ZERO_PAGES 64u /* that one write names */

typedef enum Way {
    WAY_END = 0,
    WAY_PUNCH,
    WAY_RANGE,
    WAY_DISCARD, /* of block devices */
    WAY_WRITE,
    WAY_NOTHING, /* advice need not be taken */
} Way;

static const uint8_t zero_page[ZERO_PAGE] __attribute__((aligned(ZERO_PAGE)));

static const Way zero_ways[] = { WAY_RANGE, WAY_WRITE, WAY_END };
static const Way unmap_ways[] = { WAY_PUNCH, WAY_RANGE, WAY_WRITE };
static const Way discard_ways[] = { WAY_PUNCH, WAY_NOTHING, WAY_END };
static const Way device_discard_ways[] = { WAY_DISCARD, WAY_NOTHING, WAY_END };

typedef struct Zero {
    EngineAioOp op;
    EngineBlockIo io;
    const Way *way;
    uint64_t position; /* of writing */
    uint64_t length;   /* of the current write */
    struct iovec iov[ZERO_PAGES];
} Zero;

static void try_way(Zero *zero);

static void
finish(Zero *zero, int result)
{
    zero->io.done(zero->io.opaque, result);
    g_free(zero);
}

static void
write_some(Zero *zero)
{
    uint64_t left = zero->io.size - zero->position;

    zero->length = MIN(left, (uint64_t)ZERO_PAGE * ZERO_PAGES);
    zero->op.offset = zero->io.offset + zero->position;
}

static void on_written(void *opaque, int result);

static void
write_next(Zero *zero)
{
    EngineBlockIo io = {
        .file = zero->io.file,
        .kind = ENGINE_BLOCK_IO_WRITE,
        .data = { zero->iov, ZERO_PAGES, 0 },
        .done = on_written,
        .opaque = zero,
    };

    write_some(zero);
    io.offset = zero->op.offset;
    io.size = zero->length;
    engine_block_file_submit(&io);
}

static void
on_written(void *opaque, int result)
{
    Zero *zero = opaque;

    zero->position += zero->length;
    if (result < 0 || zero->position == zero->io.size)
        finish(zero, result);
    else
        write_next(zero);
}

static void
write_zeroes(Zero *zero)
{
    for (unsigned i = 0; i < ZERO_PAGES; i++)
        zero->iov[i] = (struct iovec){ (void *)zero_page, ZERO_PAGE };
    write_next(zero);
}

static int
discard_job(EngineAioOp *op)
{
    uint64_t range[2] = { op->offset, op->size };

    return ioctl(op->fd, BLKDISCARD, range) < 0 ? -errno : 0;
}

static int
nothing_job(EngineAioOp *op)
{
    return 0;
}

static void
on_done(EngineAioOp *op, int result)
{
    Zero *zero = (Zero *)op;

    if (result == -EINTR) {
        engine_aio_submit(zero->io.file->aio, op);
    } else if (result == -EOPNOTSUPP || result == -ENOSYS ||
               result == -EINVAL || result == -ENOTTY) {
        if (result != -EINVAL)
            zero->io.file->unable |= 1u << *zero->way;
        zero->way++;
        try_way(zero);
    } else {
        finish(zero, result);
    }
}

static void
try_way(Zero *zero)
{
    EngineAioOp *op = &zero->op;

    while (zero->io.file->unable & (1u << *zero->way))
        zero->way++;
    op->kind = ENGINE_AIO_ALLOCATE;
    switch (*zero->way) {
    case WAY_PUNCH:
        op->mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        break;
    case WAY_RANGE:
        op->mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
        break;
    case WAY_DISCARD:
        op->kind = ENGINE_AIO_JOB;
        op->job = discard_job;
        break;
    case WAY_WRITE:
        write_zeroes(zero);
        return;
    case WAY_NOTHING:
    case WAY_END:
        op->kind = ENGINE_AIO_JOB;
        op->job = nothing_job;
        break;
    }
    engine_aio_submit(zero->io.file->aio, op);
}

static const Way *
ways_for(const EngineBlockIo *io)
{
    if (io->kind == ENGINE_BLOCK_IO_ZERO)
        return zero_ways;
    if (io->kind == ENGINE_BLOCK_IO_UNMAP)
        return unmap_ways;
    return io->file->device ? device_discard_ways : discard_ways;
}

void
engine_block_file_zero(const EngineBlockIo *io)
{
    Zero *zero = g_new0(Zero, 1);

    zero->io = *io;
    zero->way = ways_for(io);
    zero->op.fd = io->file->fd;
    zero->op.number = io->file->number;
    zero->op.offset = io->offset;
    zero->op.size = io->size;
    zero->op.done = on_done;
    try_way(zero);
}
