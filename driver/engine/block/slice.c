/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/block/file.h"

typedef void (*VisitFn)(uint8_t *part, size_t size, void *opaque);

static void
visit(const EngineSlice *slice, uint64_t size, VisitFn fn, void *opaque)
{
    uint64_t skip = slice->skip;

    for (unsigned i = 0; i < slice->n_iov && size > 0; i++) {
        const struct iovec *iov = &slice->iov[i];
        size_t part;

        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        part = MIN(iov->iov_len - skip, size);
        fn((uint8_t *)iov->iov_base + skip, part, opaque);
        skip = 0;
        size -= part;
    }
    g_assert(size == 0);
}

static void
copy_in(uint8_t *part, size_t size, void *opaque)
{
    const uint8_t **from = opaque;

    memcpy(part, *from, size);
    *from += size;
}

static void
copy_out(uint8_t *part, size_t size, void *opaque)
{
    uint8_t **to = opaque;

    memcpy(*to, part, size);
    *to += size;
}

static void
zero(uint8_t *part, size_t size, void *opaque)
{
    memset(part, 0, size);
}

void
engine_slice_copy_to(const EngineSlice *slice, const void *buffer, size_t size)
{
    const uint8_t *from = buffer;

    visit(slice, size, copy_in, &from);
}

void
engine_slice_copy_from(const EngineSlice *slice, void *buffer, size_t size)
{
    uint8_t *to = buffer;

    visit(slice, size, copy_out, &to);
}

void
engine_slice_zero(const EngineSlice *slice, uint64_t size)
{
    visit(slice, size, zero, NULL);
}

unsigned
engine_slice_cut(const EngineSlice *slice, uint64_t size, struct iovec *iov,
                 unsigned capacity, uint64_t *ret_size)
{
    uint64_t skip = slice->skip, got = 0;
    unsigned count = 0;

    for (unsigned i = 0; i < slice->n_iov && count < capacity; i++) {
        const struct iovec *from = &slice->iov[i];
        size_t part;

        if (skip >= from->iov_len) {
            skip -= from->iov_len;
            continue;
        }
        part = MIN(from->iov_len - skip, size - got);
        if (part == 0)
            break;
        iov[count++] = (struct iovec){ (uint8_t *)from->iov_base + skip, part };
        skip = 0;
        got += part;
    }
    *ret_size = got;
    return count;
}
