/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* The head of a qcow2 image (docs/interop/qcow2.txt of QEMU): of all that it
 * says, only its size and the name and format of its backing image are read. */
#define MAGIC            0x514649fbu /* "QFI\xfb" */
#define HEADER_V2        72
#define HEADER_V3        104
#define HEADER_MAX       4096
#define CLUSTER_MIN      9 /* bits */
#define CLUSTER_MAX      21
#define NAME_MAX_BYTES   1023
#define EXTENSIONS_MAX   64
#define EXTENSION_END    0u
#define EXTENSION_FORMAT 0xe2792acau
#define FORMAT_MAX_BYTES 63
#define SECTOR_BYTES     512

typedef struct Header {
    int fd;
    const char *path;
    unsigned version;
    uint64_t cluster_size;
    uint64_t name_offset;
    uint32_t name_size;
    uint32_t header_size;
    uint64_t size; /* of the disk */
} Header;

void
engine_backing_name_clear(EngineBackingName *name)
{
    g_clear_pointer(&name->name, g_free);
    g_clear_pointer(&name->format, g_free);
}

static uint32_t
be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static uint64_t
be64(const uint8_t *at)
{
    return (uint64_t)be32(at) << 32 | be32(at + 4);
}

static bool
bad(const Header *header, const char *what, GError **error)
{
    error_set(error, VIR_ERR_INVALID_ARG, _("the qcow2 image '%s' is bad: %s"),
              header->path, what);
    return false;
}

static bool
read_at(const Header *header, uint64_t offset, void *data, size_t size,
        GError **error)
{
    ssize_t got = fd_pread_all(header->fd, data, size, (off_t)offset);

    if (got == (ssize_t)size)
        return true;
    if (got >= 0)
        return bad(header, _("it ends within its header"), error);
    error_set_errno(error, errno, _("cannot read '%s'"), header->path);
    return false;
}

static bool
read_header(Header *header, GError **error)
{
    uint8_t bytes[HEADER_V3] = { 0 };
    uint32_t bits;

    if (!read_at(header, 0, bytes, HEADER_V2, error))
        return false;
    if (be32(bytes) != MAGIC)
        return bad(header,
                   _("it does not begin as one: is its format another?"),
                   error);
    header->version = be32(bytes + 4);
    bits = be32(bytes + 20);
    if (header->version != 2 && header->version != 3)
        return bad(header, _("its version is neither 2 nor 3"), error);
    if (bits < CLUSTER_MIN || bits > CLUSTER_MAX)
        return bad(header, _("the size of its clusters is impossible"), error);
    header->cluster_size = 1ull << bits;
    header->name_offset = be64(bytes + 8);
    header->name_size = be32(bytes + 16);
    header->size = be64(bytes + 24);
    header->header_size = HEADER_V2;
    if (header->version == 2)
        return true;
    if (!read_at(header, 0, bytes, HEADER_V3, error))
        return false;
    header->header_size = be32(bytes + 100);
    return (header->header_size >= HEADER_V3 &&
            header->header_size <= HEADER_MAX &&
            header->header_size <= header->cluster_size) ||
           bad(header, _("the size of its header is impossible"), error);
}

/* The name lies in the first cluster, behind header and extensions. */
static bool
read_name(const Header *header, char **ret_name, GError **error)
{
    g_autofree char *name = NULL;

    if (header->name_size == 0 || header->name_size > NAME_MAX_BYTES ||
        header->name_offset < header->header_size ||
        header->name_offset > header->cluster_size - header->name_size)
        return bad(header, _("the name of its backing image is out of place"),
                   error);
    name = g_malloc0(header->name_size + 1);
    if (!read_at(header, header->name_offset, name, header->name_size, error))
        return false;
    if (strlen(name) != header->name_size)
        return bad(header, _("the name of its backing image has a zero byte"),
                   error);
    *ret_name = g_steal_pointer(&name);
    return true;
}

static bool
read_format(const Header *header, uint64_t offset, uint32_t size,
            char **ret_format, GError **error)
{
    char format[FORMAT_MAX_BYTES + 1] = "";

    if (size > FORMAT_MAX_BYTES)
        return bad(header, _("the format of its backing image has no name"),
                   error);
    if (!read_at(header, offset, format, size, error))
        return false;
    g_free(*ret_format);
    *ret_format = *format ? g_strdup(format) : NULL;
    return true;
}

static bool
read_extensions(const Header *header, char **ret_format, GError **error)
{
    uint64_t at = header->header_size;

    for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
        uint8_t bytes[8];
        uint32_t type, size;

        if (at + sizeof(bytes) > header->name_offset)
            return true;
        if (!read_at(header, at, bytes, sizeof(bytes), error))
            return false;
        type = be32(bytes);
        size = be32(bytes + 4);
        at += sizeof(bytes);
        if (type == EXTENSION_END)
            return true;
        if (size > header->name_offset - at)
            return bad(header, _("an extension of its header is too long"),
                       error);
        if (type == EXTENSION_FORMAT &&
            !read_format(header, at, size, ret_format, error))
            return false;
        at += (size + 7u) & ~7u;
    }
    return bad(header, _("its header has too many extensions"), error);
}

bool
engine_backing_read(int fd, const char *path, EngineBackingName *ret_name,
                    GError **error)
{
    Header header = { .fd = fd, .path = path };

    if (!read_header(&header, error))
        return false;
    if (header.name_offset == 0)
        return true;
    return read_name(&header, &ret_name->name, error) &&
           read_extensions(&header, &ret_name->format, error);
}

/* --- sizes ------------------------------------------------------------------
 */
static bool
size_of_file(int fd, const char *path, uint64_t *ret_size, GError **error)
{
    off_t size = lseek(fd, 0, SEEK_END);

    if (size >= 0) {
        *ret_size = (uint64_t)size;
        return true;
    }
    error_set_errno(error, errno, _("cannot find the size of '%s'"), path);
    return false;
}

bool
engine_image_size(int fd, const char *path, const char *format,
                  uint64_t *ret_size, GError **error)
{
    Header header = { .fd = fd, .path = path };

    if (strcmp(format, "qcow2") == 0
            ? !read_header(&header, error)
            : !size_of_file(fd, path, &header.size, error))
        return false;
    if (header.size > INT64_MAX - SECTOR_BYTES)
        return bad(&header, _("the size of its disk is impossible"), error);
    *ret_size =
        (header.size + SECTOR_BYTES - 1) & ~(uint64_t)(SECTOR_BYTES - 1);
    return true;
}
