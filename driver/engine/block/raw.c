/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "engine/block/format.h"
#include "util/error.h"
#include "util/i18n.h"

/* The guest's bytes as they are. A file that ends inside a sector reads as
 * zeroes from there. */

static bool
raw_open(EngineBlockNode *node, GError **error)
{
    uint64_t size, wanted = node->drive->size;
    int rc = engine_block_file_size(&node->file, &size);

    if (rc < 0) {
        error_set_errno(error, -rc, _("cannot use the disk image '%s'"),
                        node->file.path);
        return false;
    }
    if (wanted > size || wanted % ENGINE_BLOCK_SECTOR != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the disk image '%s' has %llu bytes, not %llu"),
                  node->file.path, (unsigned long long)size,
                  (unsigned long long)wanted);
        return false;
    }
    if (wanted > 0)
        size = wanted;
    if (node->file.device)
        size &= ~(uint64_t)(ENGINE_BLOCK_SECTOR - 1);
    node->size = (size + ENGINE_BLOCK_SECTOR - 1) / ENGINE_BLOCK_SECTOR *
                 ENGINE_BLOCK_SECTOR;
    return true;
}

static EngineBlockIoKind
kind_of(const EngineBlockRequest *request)
{
    switch (request->op) {
    case ENGINE_BLOCK_READ:
        return ENGINE_BLOCK_IO_READ;
    case ENGINE_BLOCK_WRITE:
        return ENGINE_BLOCK_IO_WRITE;
    case ENGINE_BLOCK_FLUSH:
        return ENGINE_BLOCK_IO_SYNC;
    case ENGINE_BLOCK_DISCARD:
        return ENGINE_BLOCK_IO_DISCARD;
    case ENGINE_BLOCK_WRITE_ZEROES:
        return request->unmap ? ENGINE_BLOCK_IO_UNMAP : ENGINE_BLOCK_IO_ZERO;
    }
    g_assert_not_reached();
}

static void
raw_submit(EngineBlockNode *node, EngineBlockRequest *request)
{
    EngineBlockIo io = {
        .file = &node->file,
        .kind = kind_of(request),
        .offset = request->offset,
        .size = request->size,
        .data = { request->iov, request->n_iov, 0 },
    };

    engine_block_submit_part(request, &io);
}

static void
raw_flush(EngineBlockNode *node, EngineBlockRequest *request)
{
    EngineBlockIo io = { .file = &node->file, .kind = ENGINE_BLOCK_IO_SYNC };

    engine_block_submit_part(request, &io);
}

static int
raw_map(EngineBlockNode *node, uint64_t offset, uint64_t size,
        EngineExtent *ret_extent)
{
    *ret_extent = (EngineExtent){ ENGINE_EXTENT_DATA, node, offset, size, 0 };
    return 0;
}

/* The device must have changed itself. */
static bool
resize_device(EngineBlockNode *node, uint64_t size, GError **error)
{
    uint64_t real;
    int rc = engine_block_file_size(&node->file, &real);

    if (rc < 0) {
        error_set_errno(error, -rc, _("cannot use the disk image '%s'"),
                        node->file.path);
        return false;
    }
    if (size <= real)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the block device '%s' has only %llu bytes"), node->file.path,
              (unsigned long long)real);
    return false;
}

static bool
raw_resize(EngineBlockNode *node, uint64_t size, GError **error)
{
    if (node->drive->size > 0) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("'%s' is a part of a file and can't be resized"),
                  node->file.path);
        return false;
    }
    if (node->file.device) {
        if (!resize_device(node, size, error))
            return false;
    } else if (ftruncate(node->file.fd, (off_t)size) < 0) {
        error_set_errno(error, errno, _("cannot resize '%s'"), node->file.path);
        return false;
    }
    node->size = size;
    return true;
}

static void
raw_close(EngineBlockNode *node)
{
}

const EngineBlockFormat engine_block_raw = {
    .name = "raw",
    .size = sizeof(EngineBlockNode),
    .open = raw_open,
    .close = raw_close,
    .submit = raw_submit,
    .flush = raw_flush,
    .map = raw_map,
    .resize = raw_resize,
};
