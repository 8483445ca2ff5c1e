/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/block/unpack.h"

#include <zlib.h>
#include <zstd.h>

#define ZSTD_WINDOW 27 /* log2 of bytes, at most */

/* A deflate stream without a header. */
static bool
unpack_zlib(const void *in, size_t in_size, void *out, size_t out_size)
{
    z_stream stream = { .next_in = (Bytef *)in,
                        .avail_in = (uInt)in_size,
                        .next_out = out,
                        .avail_out = (uInt)out_size };
    int rc;

    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    rc = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return stream.avail_out == 0 && (rc == Z_STREAM_END || rc == Z_BUF_ERROR);
}

static bool
unpack_zstd(const void *in, size_t in_size, void *out, size_t out_size)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer from = { in, in_size, 0 };
    ZSTD_outBuffer to = { out, out_size, 0 };
    size_t rc = 1, before = 1;

    if (!context)
        return false;
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW);
    /* More than one frame is allowed. */
    while (to.pos < to.size && !ZSTD_isError(rc) &&
           before != from.pos + to.pos) {
        before = from.pos + to.pos;
        rc = ZSTD_decompressStream(context, &to, &from);
    }
    ZSTD_freeDCtx(context);
    return !ZSTD_isError(rc) && to.pos == to.size;
}

bool
virtkvm_engine_unpack(bool zstd, const void *in, size_t in_size, void *out,
                      size_t out_size)
{
    return zstd ? unpack_zstd(in, in_size, out, out_size)
                : unpack_zlib(in, in_size, out, out_size);
}
