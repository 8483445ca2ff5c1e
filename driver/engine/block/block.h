/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "engine/block/drive.h"
#include "engine/io.h"

/*
 * A disk image, raw or qcow2 with its backing chain, and asynchronous requests
 * on it. An image is served by one EngineIo thread; there are no locks on the
 * way of the data. What overlaps in flight has no order, as on a real disk.
 */
#define ENGINE_BLOCK_SECTOR 512 /* every offset and size is a multiple */

typedef enum EngineBlockOp {
    ENGINE_BLOCK_READ,
    ENGINE_BLOCK_WRITE,
    ENGINE_BLOCK_FLUSH,
    ENGINE_BLOCK_DISCARD, /* advice: the bytes' contents are undefined then */
    ENGINE_BLOCK_WRITE_ZEROES,
} EngineBlockOp;

typedef struct EngineBlock EngineBlock;
typedef struct EngineBlockRequest EngineBlockRequest;

/**
 * A request; the caller's memory until done() is called, which may free it.
 * @iov: READ and WRITE: @size bytes in all, of any alignment; unchanged and
 *       valid until done()
 * @fua: WRITE, WRITE_ZEROES: on stable storage before done()
 * @unmap: WRITE_ZEROES: the space may be given back to the host
 * @done: Thread: the image's. @result: 0 or -errno; ENOSPC is -ENOSPC. Never
 *       called from inside engine_block_submit(); may submit more (also this
 *       request anew), which needs no kick.
 */
struct EngineBlockRequest {
    EngineBlockOp op;
    uint64_t offset, size; /* 0 for FLUSH */
    const struct iovec *iov;
    unsigned n_iov;
    bool fua;
    bool unmap;
    void (*done)(EngineBlockRequest *request, int result);
    /* the block layer's own, while it is in flight */
    EngineBlock *block;
    EngineBlockRequest *next, **link, *over;
    uint64_t number;
    unsigned parts; /* not yet over */
    int result;
    bool synced; /* FUA has been seen to, or isn't asked for */
};

/** What is told about an image. */
typedef struct EngineBlockInfo {
    uint64_t size;           /* as the guest sees it, multiple of 512 */
    uint64_t physical;       /* of the host's file or device */
    uint64_t allocation;     /* bytes of the host's file that take space */
    uint64_t highest_offset; /* bytes of the host's file written to, at most */
    uint32_t alignment; /* of requests that need no second copy of the data */
    uint32_t discard_granularity; /* smaller discards may do nothing */
    bool read_only;
} EngineBlockInfo;

/**
 * engine_block_open: open the image of a chain
 * @drive, @io: outlive the image
 * @error: names the file; CONFIG_UNSUPPORTED: a feature we don't have
 * Thread: main
 */
EngineBlock *engine_block_open(const EngineDriveConfig *drive, EngineIo *io,
                               GError **error);

/**
 * engine_block_submit: begin a request
 * What lies beyond the image's end, isn't a multiple of 512 or writes to a
 * read-only image is answered with -EINVAL or -EROFS. Thread: the image's
 */
void engine_block_submit(EngineBlock *block, EngineBlockRequest *request);

/** engine_block_kick: hand what was submitted to the kernel in one batch;
 * done() of some may be called from here. Thread: the image's */
void engine_block_kick(EngineBlock *block);

/** engine_block_drain: returns when nothing is in flight, also what done()
 * submitted meanwhile. Thread: the image's; not from done() */
void engine_block_drain(EngineBlock *block);

/**
 * engine_block_resize: the image has @size bytes (multiple of 512) from now on
 * A host's block device is only looked at again: its size must have changed.
 * @error: OPERATION_UNSUPPORTED: a qcow2 image can't shrink. Thread: any
 */
bool engine_block_resize(EngineBlock *block, uint64_t size, GError **error);

/** engine_block_info: Thread: any */
void engine_block_info(EngineBlock *block, EngineBlockInfo *ret_info);

/** engine_block_close: waits for what is in flight and writes out what the
 * image's tables miss; NULL is fine. Thread: any */
void engine_block_close(EngineBlock *block);
