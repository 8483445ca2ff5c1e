/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "engine/scsi/scsi.h"

/* Reading, writing and what goes with it (SBC-3, 5; MMC-6, 6). */
#define FUA        0x08 /* of byte 1, in CDBs of 10 bytes and more */
#define BYTE_CHECK 0x06
#define READ_6_ALL 256
#define LBA_6_MASK 0x1fffff

/* --- ranges --------------------------------------------------------------- */
/* The group code is in the three upper bits of the operation code (SPC-4,
 * 4.2.5.1). */
ScsiRange
scsi_range(const uint8_t *cdb)
{
    switch (cdb[0] >> 5) {
    case 0:
        return (ScsiRange){ scsi_get32(cdb) & LBA_6_MASK,
                            cdb[4] ? cdb[4] : READ_6_ALL };
    case 4:
        return (ScsiRange){ scsi_get64(cdb + 2), scsi_get32(cdb + 10) };
    case 5:
        return (ScsiRange){ scsi_get32(cdb + 2), scsi_get32(cdb + 6) };
    default:
        return (ScsiRange){ scsi_get32(cdb + 2), scsi_get16(cdb + 7) };
    }
}

bool
scsi_range_check(ScsiRequest *request, const ScsiRange *range)
{
    uint64_t all = engine_disk_blocks(&request->unit->disk);

    if (range->lba <= all && range->blocks <= all - range->lba)
        return true;
    scsi_fail(request, &scsi_out_of_range);
    return false;
}

/* The first @size bytes of a buffer, which has as many. Returns: its parts */
static unsigned
cut(struct iovec *iov, unsigned count, uint64_t size)
{
    unsigned i = 0;

    for (; i < count && size > 0; i++) {
        iov[i].iov_len = MIN(iov[i].iov_len, size);
        size -= iov[i].iov_len;
    }
    return i;
}

/* --- the disk's answers --------------------------------------------------- */
static const ScsiSense *
sense_of(EngineBlkKind kind, int result)
{
    if (kind == ENGINE_BLK_READ)
        return &scsi_medium_error_read;
    return result == -ENOSPC ? &scsi_no_space : &scsi_medium_error_write;
}

static void
on_disk(EngineDiskRequest *disk, int result)
{
    ScsiRequest *request = (ScsiRequest *)disk;

    if (result == -ECANCELED) {
        request->cancelled = result;
        g_clear_pointer(&request->buffer, g_free);
        request->done(request);
    } else if (result == -ENOMEDIUM) {
        scsi_fail(request, &scsi_not_ready_no_medium);
    } else if (result < 0) {
        request->transferred = 0;
        scsi_fail(request, sense_of(disk->kind, result));
    } else if (request->step) {
        request->step(request);
    } else {
        scsi_good(request);
    }
}

void
scsi_begin(ScsiRequest *request, EngineBlkKind kind,
           void (*step)(ScsiRequest *request))
{
    request->disk.kind = kind;
    request->disk.done = on_disk;
    request->step = step;
    engine_disk_submit(&request->unit->disk, &request->disk);
}

/* --- READ, WRITE ---------------------------------------------------------- */
/* Fills in what both have in common. Returns: whether there is anything to do;
 * else the command has ended */
static bool
prepare(ScsiRequest *request, struct iovec *iov, unsigned n_iov,
        uint64_t available)
{
    ScsiRange range = scsi_range(request->cdb);
    unsigned block = request->unit->disk.block_size;
    EngineBlockRequest *io = &request->disk.io;

    if (!scsi_range_check(request, &range))
        return false;
    if (range.blocks == 0) {
        scsi_good(request);
        return false;
    }
    io->offset = range.lba * block;
    io->size = range.blocks * block;
    if (io->size > available) {
        request->overrun = true;
        request->done(request);
        return false;
    }
    io->iov = iov;
    io->n_iov = cut(iov, n_iov, io->size);
    request->transferred = io->size;
    return true;
}

void
scsi_read(ScsiRequest *request)
{
    if (!prepare(request, request->in, request->n_in, request->in_size))
        return;
    request->disk.io.op = ENGINE_BLOCK_READ;
    scsi_begin(request, ENGINE_BLK_READ, NULL);
}

static bool
is_zero(const EngineBlockRequest *io)
{
    for (unsigned i = 0; i < io->n_iov; i++) {
        const uint8_t *bytes = io->iov[i].iov_base;
        size_t size = io->iov[i].iov_len;

        if (size > 0 &&
            (bytes[0] != 0 || memcmp(bytes, bytes + 1, size - 1) != 0))
            return false;
    }
    return true;
}

void
scsi_write(ScsiRequest *request)
{
    const EngineBlkConfig *config = request->unit->disk.config;
    EngineBlockRequest *io = &request->disk.io;

    if (!prepare(request, request->out, request->n_out, request->out_size))
        return;
    io->op = ENGINE_BLOCK_WRITE;
    io->fua = (request->cdb[0] != SCSI_WRITE_6 && (request->cdb[1] & FUA) &&
               !config->ignore_flush) ||
              !engine_disk_writes_back(&request->unit->disk);
    if (config->detect_zeroes != ENGINE_BLK_ZEROES_OFF && is_zero(io)) {
        io->op = ENGINE_BLOCK_WRITE_ZEROES;
        io->unmap =
            config->detect_zeroes == ENGINE_BLK_ZEROES_UNMAP && config->discard;
    }
    scsi_begin(request, ENGINE_BLK_WRITE, NULL);
}

/* --- without data --------------------------------------------------------- */
/* Without a comparison: the medium is the host's, which checks its own. */
void
scsi_verify(ScsiRequest *request)
{
    ScsiRange range = scsi_range(request->cdb);

    if (request->cdb[1] & BYTE_CHECK)
        scsi_fail(request, &scsi_invalid_field);
    else if (scsi_range_check(request, &range))
        scsi_good(request);
}

void
scsi_seek(ScsiRequest *request)
{
    ScsiRange range = { scsi_get32(request->cdb + 2), 1 };

    if (scsi_range_check(request, &range))
        scsi_good(request);
}

/* All of it, whichever range is asked for. */
void
scsi_synchronize(ScsiRequest *request)
{
    ScsiRange range = scsi_range(request->cdb);

    if (!scsi_range_check(request, &range))
        return;
    if (request->unit->disk.config->ignore_flush) {
        engine_disk_count(&request->unit->disk, ENGINE_BLK_FLUSH, false);
        scsi_good(request);
        return;
    }
    request->disk.io.op = ENGINE_BLOCK_FLUSH;
    scsi_begin(request, ENGINE_BLK_FLUSH, NULL);
}
