/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/virtio_blk.h>
#include <string.h>

#include "engine/virtio/blk.h"
#include "util/i18n.h"

/*
 * Chains into requests (virtio 1.2, 5.2.6). Where one buffer ends and the next
 * begins means nothing (2.7.4): the header is the first 16 bytes to read, the
 * status the last one to write, the data what is between.
 */
#define HEADER_BYTES sizeof(struct virtio_blk_outhdr)
#define RANGE_BYTES  sizeof(struct virtio_blk_discard_write_zeroes)
#define ID_BYTES     VIRTIO_BLK_ID_BYTES
#define GO_ON        (-1)

/* Part of a request's buffers. */
typedef struct Span {
    struct iovec *iov;
    unsigned count;
    uint64_t size;
} Span;

/* Moves @size bytes from the span's start to @target; it has so many. */
static void
span_read(Span *span, void *target, size_t size)
{
    uint8_t *to = target;

    span->size -= size;
    while (size > 0) {
        size_t part = MIN(size, span->iov->iov_len);

        memcpy(to, span->iov->iov_base, part);
        to += part;
        size -= part;
        span->iov->iov_base = (uint8_t *)span->iov->iov_base + part;
        span->iov->iov_len -= part;
        if (span->iov->iov_len == 0) {
            span->iov++;
            span->count--;
        }
    }
}

static void
span_write(const Span *span, const void *source, size_t size)
{
    const uint8_t *from = source;

    for (unsigned i = 0; i < span->count && size > 0; i++) {
        size_t part = MIN(size, span->iov[i].iov_len);

        memcpy(span->iov[i].iov_base, from, part);
        from += part;
        size -= part;
    }
}

/* Takes the last byte away. Returns: where it is */
static uint8_t *
span_cut_byte(Span *span)
{
    struct iovec *last = &span->iov[span->count - 1];

    span->size--;
    if (--last->iov_len == 0)
        span->count--;
    return (uint8_t *)last->iov_base + last->iov_len;
}

static bool
is_zero(const Span *span)
{
    for (unsigned i = 0; i < span->count; i++) {
        const uint8_t *bytes = span->iov[i].iov_base;
        size_t size = span->iov[i].iov_len;

        if (bytes[0] != 0 || memcmp(bytes, bytes + 1, size - 1) != 0)
            return false;
    }
    return true;
}

/* --- checks --------------------------------------------------------------- */
static bool
in_range(const Blk *blk, uint64_t sector, uint64_t size)
{
    uint64_t capacity = __atomic_load_n(&blk->capacity, __ATOMIC_RELAXED);
    unsigned block = blk->config->logical_block_size;

    return size % block == 0 && sector % (block / BLK_SECTOR) == 0 &&
           sector <= capacity && size / BLK_SECTOR <= capacity - sector;
}

static bool
offers(const Blk *blk, unsigned feature)
{
    return blk->virtio.offered & 1ull << feature;
}

/* --- by type -------------------------------------------------------------- */
static int
prepare_data(BlkRequest *request, EngineBlockOp op, uint64_t sector,
             const Span *data)
{
    request->kind =
        op == ENGINE_BLOCK_READ ? ENGINE_BLK_READ : ENGINE_BLK_WRITE;
    request->bytes = data->size;
    if (!in_range(request->blk, sector, data->size))
        return VIRTIO_BLK_S_IOERR;
    request->io.op = op;
    request->io.offset = sector * BLK_SECTOR;
    request->io.size = data->size;
    request->io.iov = data->iov;
    request->io.n_iov = data->count;
    return GO_ON;
}

static int
prepare_write(BlkRequest *request, uint64_t sector, const Span *data)
{
    const EngineBlkConfig *config = request->blk->config;
    int status = prepare_data(request, ENGINE_BLOCK_WRITE, sector, data);

    if (status != GO_ON || request->blk->read_only)
        return VIRTIO_BLK_S_IOERR;
    if (config->detect_zeroes == ENGINE_BLK_ZEROES_OFF || !is_zero(data))
        return GO_ON;
    request->io.op = ENGINE_BLOCK_WRITE_ZEROES;
    request->io.unmap =
        config->detect_zeroes == ENGINE_BLK_ZEROES_UNMAP && config->discard;
    return GO_ON;
}

/* 5.2.6.2: flags that a type does not have are answered with UNSUPP. */
static int
prepare_range(BlkRequest *request, const BlkRange *range, uint64_t sector,
              uint32_t flags)
{
    const uint32_t known = request->io.op == ENGINE_BLOCK_DISCARD
                               ? 0
                               : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

    if (flags & ~known)
        return VIRTIO_BLK_S_UNSUPP;
    return in_range(request->blk, sector, range->size) ? GO_ON
                                                       : VIRTIO_BLK_S_IOERR;
}

static int
prepare_ranges(BlkRequest *request, EngineBlockOp op, Span *data)
{
    uint64_t count = data->size / RANGE_BYTES;

    request->kind =
        op == ENGINE_BLOCK_DISCARD ? ENGINE_BLK_DISCARD : ENGINE_BLK_WRITE;
    request->io.op = op;
    if (request->blk->read_only || count == 0 || count > BLK_RANGES_MAX ||
        data->size % RANGE_BYTES != 0)
        return VIRTIO_BLK_S_IOERR;
    request->ranges = g_new0(BlkRange, count);
    request->n_ranges = (unsigned)count;
    for (unsigned i = 0; i < count; i++) {
        BlkRange *range = &request->ranges[i];
        struct virtio_blk_discard_write_zeroes raw;
        int status;

        span_read(data, &raw, sizeof(raw));
        range->size = (uint64_t)raw.num_sectors * BLK_SECTOR;
        range->unmap = request->blk->config->discard && raw.flags;
        status = prepare_range(request, range, raw.sector, raw.flags);
        if (status != GO_ON)
            return status;
        range->offset = raw.sector * BLK_SECTOR; /* within the capacity */
        request->bytes += range->size;
    }
    return GO_ON;
}

static int
prepare_flush(BlkRequest *request)
{
    request->kind = ENGINE_BLK_FLUSH;
    request->io.op = ENGINE_BLOCK_FLUSH;
    return request->blk->config->ignore_flush ? VIRTIO_BLK_S_OK : GO_ON;
}

static int
answer_id(const BlkRequest *request, const Span *data)
{
    const char *serial = request->blk->config->serial;
    char id[ID_BYTES] = { 0 };

    if (serial)
        memcpy(id, serial, MIN(strlen(serial), ID_BYTES));
    span_write(data, id, sizeof(id));
    return VIRTIO_BLK_S_OK;
}

static int
prepare(BlkRequest *request, const struct virtio_blk_outhdr *header,
        Span *to_read, const Span *to_write)
{
    const Blk *blk = request->blk;

    switch (header->type) {
    case VIRTIO_BLK_T_IN:
        return prepare_data(request, ENGINE_BLOCK_READ, header->sector,
                            to_write);
    case VIRTIO_BLK_T_OUT:
        return prepare_write(request, header->sector, to_read);
    case VIRTIO_BLK_T_FLUSH:
        return prepare_flush(request);
    case VIRTIO_BLK_T_GET_ID:
        return answer_id(request, to_write);
    case VIRTIO_BLK_T_DISCARD:
        return offers(blk, VIRTIO_BLK_F_DISCARD)
                   ? prepare_ranges(request, ENGINE_BLOCK_DISCARD, to_read)
                   : VIRTIO_BLK_S_UNSUPP;
    case VIRTIO_BLK_T_WRITE_ZEROES:
        return offers(blk, VIRTIO_BLK_F_WRITE_ZEROES)
                   ? prepare_ranges(request, ENGINE_BLOCK_WRITE_ZEROES, to_read)
                   : VIRTIO_BLK_S_UNSUPP;
    default:
        return VIRTIO_BLK_S_UNSUPP;
    }
}

BlkRequest *
blk_request_new(Blk *blk, unsigned queue, const EngineChain *chain,
                int *ret_status)
{
    unsigned count = chain->n_read + chain->n_write;
    struct virtio_blk_outhdr header;
    BlkRequest *request;
    Span to_read, to_write;

    if (chain->read_size < HEADER_BYTES || chain->write_size == 0) {
        engine_virtio_fail(&blk->virtio,
                           chain->write_size == 0
                               ? N_("a request has no room for its status")
                               : N_("a request has no header"));
        return NULL;
    }
    request =
        g_malloc(sizeof(*request) + (size_t)count * sizeof(request->iov[0]));
    memset(request, 0, sizeof(*request));
    memcpy(request->iov, chain->iov, count * sizeof(request->iov[0]));
    request->blk = blk;
    request->queue = queue;
    request->chain = *chain;
    request->kind = ENGINE_BLK_KINDS;
    request->begin_ns = blk_now(blk);
    to_read = (Span){ request->iov, chain->n_read, chain->read_size };
    to_write = (Span){ request->iov + chain->n_read, chain->n_write,
                       chain->write_size };
    span_read(&to_read, &header, sizeof(header));
    request->status = span_cut_byte(&to_write);
    *ret_status = prepare(request, &header, &to_read, &to_write);
    return request;
}
