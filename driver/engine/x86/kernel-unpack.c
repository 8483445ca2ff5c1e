/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/boot.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* Linux, Documentation/arch/x86/boot.rst */
#define SETUP_HEADER_OFFSET 0x1f1
#define SETUP_SECTOR        512u
#define HDRS_MAGIC          0x53726448u /* "HdrS" */
#define BOOT_FLAG           0xaa55u
#define VERSION_PAYLOAD     0x0208u /* payload_offset and payload_length */

#define CHUNK       (256u << 10)
#define ELF_MAX     (512ull << 20) /* of the unpacked kernel */
#define LZMA_MEMORY (128ull << 20)
#define ZSTD_WINDOW 27         /* log2 of bytes */
#define LZ4_BLOCK   (8u << 20) /* of the legacy format, unpacked */

/** One run: from where in the file, to where, with which buffers. */
typedef struct Unpack {
    int fd, out_fd;
    const char *name;
    uint64_t offset, left; /* of the payload that was not read yet */
    uint64_t written;
    uint8_t *in, *out; /* CHUNK bytes each */
    size_t n_in;
} Unpack;

static bool
damaged(const Unpack *unpack, GError **error)
{
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the compressed kernel in '%s' is damaged"), unpack->name);
    return false;
}

/* The next at most @size bytes of the payload; none at its end. */
static bool
source_read(Unpack *unpack, void *buffer, size_t size, size_t *ret_size,
            GError **error)
{
    ssize_t n;

    size = MIN(size, unpack->left);
    n = fd_pread_all(unpack->fd, buffer, size, (off_t)unpack->offset);
    if (n < 0) {
        error_set_errno(error, errno, _("cannot read '%s'"), unpack->name);
        return false;
    }
    if ((size_t)n < size)
        return damaged(unpack, error);
    unpack->offset += size;
    unpack->left -= size;
    *ret_size = size;
    return true;
}

static bool
source_fill(Unpack *unpack, GError **error)
{
    return source_read(unpack, unpack->in, CHUNK, &unpack->n_in, error);
}

static bool
sink_write(Unpack *unpack, const void *data, size_t size, GError **error)
{
    if (unpack->written == 0 && size > 0 &&
        (size < SELFMAG || memcmp(data, ELFMAG, SELFMAG) != 0)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("what is compressed in '%s' is not an ELF file"),
                  unpack->name);
        return false;
    }
    unpack->written += size;
    if (unpack->written > ELF_MAX) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the kernel in '%s' has more than %llu MiB unpacked"),
                  unpack->name, ELF_MAX >> 20);
        return false;
    }
    if (fd_write_all(unpack->out_fd, data, size))
        return true;
    error_set_errno(error, errno,
                    _("cannot write the kernel unpacked from "
                      "'%s'"),
                    unpack->name);
    return false;
}

/* --- the formats; what follows the end of the stream is not looked at ------
 */
static bool
unpack_none(Unpack *unpack, GError **error)
{
    while (unpack->left > 0)
        if (!source_fill(unpack, error) ||
            !sink_write(unpack, unpack->in, unpack->n_in, error))
            return false;
    return true;
}

static bool
inflate_all(Unpack *unpack, z_stream *stream, GError **error)
{
    int rc = Z_OK;

    while (rc != Z_STREAM_END) {
        if (stream->avail_in == 0) {
            if (!source_fill(unpack, error))
                return false;
            stream->next_in = unpack->in;
            stream->avail_in = (uInt)unpack->n_in;
        }
        stream->next_out = unpack->out;
        stream->avail_out = CHUNK;
        rc = inflate(stream, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return damaged(unpack, error);
        if (!sink_write(unpack, unpack->out, CHUNK - stream->avail_out, error))
            return false;
    }
    return true;
}

static bool
unpack_gzip(Unpack *unpack, GError **error)
{
    z_stream stream = { 0 };
    bool ok;

    if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK)
        return damaged(unpack, error);
    ok = inflate_all(unpack, &stream, error);
    inflateEnd(&stream);
    return ok;
}

static bool
lzma_all(Unpack *unpack, lzma_stream *stream, GError **error)
{
    lzma_ret rc = LZMA_OK;

    while (rc != LZMA_STREAM_END) {
        if (stream->avail_in == 0) {
            if (!source_fill(unpack, error))
                return false;
            stream->next_in = unpack->in;
            stream->avail_in = unpack->n_in;
        }
        stream->next_out = unpack->out;
        stream->avail_out = CHUNK;
        rc = lzma_code(stream, unpack->left ? LZMA_RUN : LZMA_FINISH);
        if (rc != LZMA_OK && rc != LZMA_STREAM_END)
            return damaged(unpack, error);
        if (!sink_write(unpack, unpack->out, CHUNK - stream->avail_out, error))
            return false;
    }
    return true;
}

static bool
unpack_lzma(Unpack *unpack, GError **error)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    bool ok;

    /* Tells xz from the older lzma by itself. */
    if (lzma_auto_decoder(&stream, LZMA_MEMORY, 0) != LZMA_OK)
        return damaged(unpack, error);
    ok = lzma_all(unpack, &stream, error);
    lzma_end(&stream);
    return ok;
}

static bool
zstd_all(Unpack *unpack, ZSTD_DCtx *context, GError **error)
{
    ZSTD_inBuffer in = { unpack->in, 0, 0 };
    size_t rc = 1;

    while (rc != 0) {
        ZSTD_outBuffer out = { unpack->out, CHUNK, 0 };
        size_t before = in.pos;

        if (in.pos == in.size) {
            if (!source_fill(unpack, error))
                return false;
            in = (ZSTD_inBuffer){ unpack->in, unpack->n_in, 0 };
            before = 0;
        }
        rc = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(rc) || (in.pos == before && out.pos == 0))
            return damaged(unpack, error);
        if (!sink_write(unpack, unpack->out, out.pos, error))
            return false;
    }
    return true;
}

static bool
unpack_zstd(Unpack *unpack, GError **error)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    bool ok;

    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW);
    ok = zstd_all(unpack, context, error);
    ZSTD_freeDCtx(context);
    return ok;
}

/* LZ4's legacy format: after the magic number blocks, each with its packed
 * size before it and at most 8 MiB unpacked. Linux's build appends the size of
 * the whole, which is shorter than a block with its size can be. */
static bool
unpack_lz4(Unpack *unpack, GError **error)
{
    const size_t packed_max = (size_t)LZ4_compressBound((int)LZ4_BLOCK);
    g_autofree char *packed = g_malloc(packed_max);
    g_autofree char *block = g_malloc(LZ4_BLOCK);
    uint32_t header;
    size_t n;

    if (!source_read(unpack, &header, sizeof header, &n, error))
        return false;
    while (unpack->left > sizeof header) {
        int size;

        if (!source_read(unpack, &header, sizeof header, &n, error))
            return false;
        if (header == 0 || header > packed_max || header > unpack->left)
            return damaged(unpack, error);
        if (!source_read(unpack, packed, header, &n, error))
            return false;
        size = LZ4_decompress_safe(packed, block, (int)n, (int)LZ4_BLOCK);
        if (size < 0)
            return damaged(unpack, error);
        if (!sink_write(unpack, block, (size_t)size, error))
            return false;
    }
    return true;
}

static const struct {
    const char *name;
    uint8_t magic[6];
    unsigned magic_size;
    bool (*unpack)(Unpack *unpack, GError **error); /* NULL: not supported */
} formats[] = {
    { "none", { 0x7f, 'E', 'L', 'F' }, 4, unpack_none },
    { "gzip", { 0x1f, 0x8b }, 2, unpack_gzip },
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_lzma },
    { "lzma", { 0x5d, 0x00, 0x00 }, 3, unpack_lzma },
    { "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
    { "lz4", { 0x02, 0x21, 0x4c, 0x18 }, 4, unpack_lz4 },
    { "bzip2", { 'B', 'Z', 'h' }, 3, NULL },
    { "lzo", { 0x89, 'L', 'Z', 'O' }, 4, NULL },
};

static bool
unpack_payload(Unpack *unpack, GError **error)
{
    uint8_t magic[6] = { 0 };
    ssize_t n = fd_pread_all(unpack->fd, magic, MIN(sizeof magic, unpack->left),
                             (off_t)unpack->offset);

    if (n < 0) {
        error_set_errno(error, errno, _("cannot read '%s'"), unpack->name);
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (memcmp(magic, formats[i].magic, formats[i].magic_size) != 0)
            continue;
        if (formats[i].unpack)
            return formats[i].unpack(unpack, error);
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the kernel '%s' is compressed with %s, which cannot be "
                    "unpacked here"),
                  unpack->name, formats[i].name);
        return false;
    }
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the kernel '%s' is compressed in an unknown way"),
              unpack->name);
    return false;
}

/* Finds the payload from the setup header. */
static bool
find_payload(Unpack *unpack, GError **error)
{
    struct setup_header header;
    struct stat st;
    uint64_t sects;
    ssize_t n =
        fd_pread_all(unpack->fd, &header, sizeof header, SETUP_HEADER_OFFSET);

    if (n < 0 || fstat(unpack->fd, &st) < 0) {
        error_set_errno(error, errno, _("cannot read '%s'"), unpack->name);
        return false;
    }
    if ((size_t)n < sizeof header || header.boot_flag != BOOT_FLAG ||
        header.header != HDRS_MAGIC || header.version < VERSION_PAYLOAD ||
        header.payload_length == 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("'%s' is not a bzImage with a compressed kernel"),
                  unpack->name);
        return false;
    }
    sects = header.setup_sects ? header.setup_sects : 4;
    unpack->offset = (sects + 1) * SETUP_SECTOR + header.payload_offset;
    unpack->left = header.payload_length;
    if (unpack->offset > (uint64_t)st.st_size ||
        unpack->left > (uint64_t)st.st_size - unpack->offset)
        return damaged(unpack, error);
    return true;
}

bool
engine_kernel_unpack(int fd, const char *name, int out_fd, GError **error)
{
    g_autofree uint8_t *in = g_malloc(CHUNK);
    g_autofree uint8_t *out = g_malloc(CHUNK);
    Unpack unpack = {
        .fd = fd, .out_fd = out_fd, .name = name, .in = in, .out = out
    };

    return find_payload(&unpack, error) && unpack_payload(&unpack, error) &&
           (unpack.written > 0 || damaged(&unpack, error));
}
