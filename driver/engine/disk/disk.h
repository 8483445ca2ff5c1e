/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/block.h"
#include "engine/disk/error.h"
#include "engine/throttle.h"

/*
 * A drive as a SCSI or ATA device sees it: an image (or no medium), with the
 * limits, the counts and the answers to the host's errors that its
 * configuration asks for. Requests are of whole logical blocks; what overlaps
 * in flight has no order.
 *
 * Threads: what begins with a request is the EngineIo's; the rest says so.
 */
typedef struct EngineDisk EngineDisk;
typedef struct EngineDiskRequest EngineDiskRequest;

/**
 * A request: the caller's memory until done() is called, which may free it.
 * @io: filled in by the caller but for done(): op, offset, size, iov, n_iov,
 *      fua, unmap; offset and size are within the disk
 * @kind: what it is counted as
 * @done: @result: 0, -errno of the host (the guest is to be told),
 *        -ECANCELED: a reset, -ENOMEDIUM: the medium has gone. Never called
 *        from inside engine_disk_submit(); may submit the request anew
 */
struct EngineDiskRequest {
    EngineBlockRequest io; /* first: it is what the block layer's done() gets */
    EngineBlkKind kind;
    void (*done)(EngineDiskRequest *request, int result);
    /* the disk's own, while it is in flight */
    EngineDisk *disk;
    EngineDiskRequest *next;
    int64_t begin_ns;
};

/** Requests in the order in which they came. */
typedef struct EngineDiskList {
    EngineDiskRequest *first, **last;
} EngineDiskList;

struct EngineDisk {
    Engine *engine;
    const char *name; /* of the device in the domain: scsi0-0-0-0 */
    const EngineBlkConfig *config;
    EngineIo *io;
    unsigned block_size; /* bytes, logical */

    EngineBlock *block; /* NULL: there is no medium; changed on the I/O thread
                         * while nothing is in flight */
    bool read_only;
    uint32_t discard_granularity; /* bytes */
    uint64_t blocks;              /* of the medium; atomic */
    bool writeback; /* the guest wants its writes cached; atomic */

    /* the I/O thread's */
    EngineIoTimer end; /* of this wake-up */
    EngineThrottle throttle;
    EngineDiskList waiting[ENGINE_THROTTLE_WAYS]; /* for it */
    EngineDiskList held; /* failed, and tried again when the domain goes on */
    EngineBlkStats stats;
    EngineDiskFailures failures;
    int error; /* why it stopped the domain: -errno; atomic */
    bool cancelling;
};

/**
 * engine_disk_init: begin, without a medium
 * @disk: zeroed but for engine, name, config, io and block_size
 * @error: as engine_throttle_set(). Thread: main, as of all below
 */
bool engine_disk_init(EngineDisk *disk, GError **error);
/** engine_disk_clear: nothing is in flight; NULL fields are fine */
void engine_disk_clear(EngineDisk *disk);
/**
 * engine_disk_load: open the image of a chain as the medium, in the place of
 * the one that is there, whose requests end first or are cancelled
 * @drive: outlives the medium; NULL: take it out
 * @error: as engine_block_open(): the one that was there stays
 */
bool engine_disk_load(EngineDisk *disk, const EngineDriveConfig *drive,
                      GError **error);
/** engine_disk_drain: the domain stops: returns when nothing is in flight */
void engine_disk_drain(EngineDisk *disk);
/** engine_disk_resume: the domain goes on: what is held begins anew */
void engine_disk_resume(EngineDisk *disk);
/** engine_disk_info, _resize, _set_throttle: as those of virtio-blk */
void engine_disk_info(EngineDisk *disk, EngineBlkInfo *ret_info);
bool engine_disk_resize(EngineDisk *disk, uint64_t size, GError **error);
bool engine_disk_set_throttle(EngineDisk *disk,
                              const EngineThrottleConfig *config,
                              GError **error);

/* --- thread: I/O ---------------------------------------------------------- */
void engine_disk_submit(EngineDisk *disk, EngineDiskRequest *request);
/** engine_disk_count: an answer that needed no request, or (@failed) had none
 */
void engine_disk_count(EngineDisk *disk, EngineBlkKind kind, bool failed);
/** engine_disk_cancel: end all requests; those that the host has already end
 * as they do, the others with @result */
void engine_disk_cancel(EngineDisk *disk, int result);
/** engine_disk_cancel_one: end @request, which may have ended when it returns,
 * with @result if the host has not got it, else as it does */
void engine_disk_cancel_one(EngineDisk *disk, EngineDiskRequest *request,
                            int result);
/** engine_disk_writes_back: may writes wait in the host's cache for a flush? */
bool engine_disk_writes_back(const EngineDisk *disk);
static inline bool
engine_disk_has_medium(const EngineDisk *disk)
{
    return disk->block != NULL;
}
static inline uint64_t
engine_disk_blocks(const EngineDisk *disk)
{
    return __atomic_load_n(&disk->blocks, __ATOMIC_RELAXED);
}
