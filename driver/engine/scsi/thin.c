/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/scsi/scsi.h"

/* UNMAP (SBC-3, 5.28) and WRITE SAME (5.41, 5.43): ranges without their bytes,
 * done one after the other. */
#define HEADER     8
#define DESCRIPTOR 16
#define CHUNK      (256u * 1024) /* of what has a pattern */

#define ANCHOR    0x10 /* of WRITE SAME's byte 1 */
#define UNMAP     0x08
#define NO_OUTPUT 0x01 /* 16 only: the pattern is zeroes */
#define OLD_WAYS  0x06 /* PBDATA, LBDATA: obsolete */

/* --- UNMAP ---------------------------------------------------------------- */
static ScsiRange
range_at(const ScsiRequest *request, unsigned index)
{
    const uint8_t *at = request->buffer + HEADER + (size_t)index * DESCRIPTOR;

    return (ScsiRange){ scsi_get64(at), scsi_get32(at + 8) };
}

static void
unmap_next(ScsiRequest *request)
{
    unsigned block = request->unit->disk.block_size;
    EngineBlockRequest *io = &request->disk.io;

    while (request->left > 0) {
        ScsiRange range = range_at(request, request->at);

        request->left--;
        request->at++;
        if (range.blocks == 0)
            continue;
        io->op = ENGINE_BLOCK_DISCARD;
        io->offset = range.lba * block;
        io->size = range.blocks * block;
        scsi_begin(request, ENGINE_BLK_DISCARD, unmap_next);
        return;
    }
    scsi_good(request);
}

/* Before any of it is done. Returns: whether all ranges are on the medium */
static bool
check_ranges(ScsiRequest *request)
{
    unsigned block = request->unit->disk.block_size;

    for (unsigned i = 0; i < request->left; i++) {
        ScsiRange range = range_at(request, i);

        if (range.blocks > SCSI_RANGE_BYTES_MAX / block) {
            scsi_fail(request, &scsi_invalid_parameter);
            return false;
        }
        if (!scsi_range_check(request, &range))
            return false;
    }
    return true;
}

void
scsi_unmap(ScsiRequest *request)
{
    size_t size = scsi_get16(request->cdb + 7), ranges;

    if (!request->unit->disk.config->discard) {
        scsi_fail(request, &scsi_invalid_opcode);
        return;
    }
    if (request->cdb[1] & 1) { /* anchored blocks */
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    if (size < HEADER) {
        if (size == 0)
            scsi_good(request);
        else
            scsi_fail(request, &scsi_parameter_length);
        return;
    }
    if (size > HEADER + SCSI_UNMAP_RANGES_MAX * DESCRIPTOR) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    request->buffer = g_malloc(size);
    if (!scsi_parameters(request, request->buffer, size))
        return;
    ranges = scsi_get16(request->buffer + 2);
    request->left = MIN(ranges, size - HEADER) / DESCRIPTOR;
    if (check_ranges(request))
        unmap_next(request);
}

/* --- WRITE SAME ----------------------------------------------------------- */
static void
write_next(ScsiRequest *request)
{
    EngineBlockRequest *io = &request->disk.io;

    if (request->left == 0) {
        scsi_good(request);
        return;
    }
    io->op = ENGINE_BLOCK_WRITE;
    io->offset = request->offset;
    io->size = MIN(request->left, CHUNK);
    io->fua = !engine_disk_writes_back(&request->unit->disk);
    request->own = (struct iovec){ request->buffer, io->size };
    io->iov = &request->own;
    io->n_iov = 1;
    request->offset += io->size;
    request->left -= io->size;
    scsi_begin(request, ENGINE_BLK_WRITE, write_next);
}

static bool
all_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static void
write_zeroes(ScsiRequest *request)
{
    const EngineDisk *disk = &request->unit->disk;
    EngineBlockRequest *io = &request->disk.io;

    io->op = ENGINE_BLOCK_WRITE_ZEROES;
    io->offset = request->offset;
    io->size = request->left;
    io->unmap = (request->cdb[1] & UNMAP) && disk->config->discard;
    io->fua = !engine_disk_writes_back(disk);
    scsi_begin(request, ENGINE_BLK_WRITE, NULL);
}

/* The pattern, as often as it fits into a chunk. Returns: false if the command
 * has failed */
static bool
take_pattern(ScsiRequest *request)
{
    unsigned block = request->unit->disk.block_size;

    request->buffer = g_malloc(CHUNK);
    if (!scsi_parameters(request, request->buffer, block))
        return false;
    for (unsigned at = block; at + block <= CHUNK; at += block)
        memcpy(request->buffer + at, request->buffer, block);
    return true;
}

void
scsi_write_same(ScsiRequest *request)
{
    const uint8_t *cdb = request->cdb;
    unsigned block = request->unit->disk.block_size;
    ScsiRange range = scsi_range(cdb);
    bool none = cdb[0] == SCSI_WRITE_SAME_16 && (cdb[1] & NO_OUTPUT);

    if (!scsi_range_check(request, &range))
        return;
    if (range.blocks == 0) /* to the end, if that is not too much */
        range.blocks = engine_disk_blocks(&request->unit->disk) - range.lba;
    if ((cdb[1] & (ANCHOR | OLD_WAYS)) || range.blocks == 0 ||
        range.blocks > SCSI_RANGE_BYTES_MAX / block) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    request->offset = range.lba * block;
    request->left = range.blocks * block;
    if (!none && !take_pattern(request))
        return;
    if (none || all_zero(request->buffer, block))
        write_zeroes(request);
    else
        write_next(request);
}
