/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/block.h"
#include "engine/disk/error.h"
#include "engine/throttle.h"
#include "engine/virtio/blk-host.h"
#include "engine/virtio/virtio.h"

/*
 * The block device (virtio 1.2, 5.2) over the block layer. A chain of the guest
 * becomes a request (blk-request.c), which is handed to the image and whose
 * result goes back to the guest (blk-run.c) or, where the policy wants that,
 * waits for the domain to go on (blk-error.c).
 *
 * Whatever comes in during one wake-up of the thread is handed to the kernel in
 * one batch, and whatever is done is told to the guest by one interrupt.
 *
 * Threads: all on the device's I/O thread unless it says otherwise.
 */
#define BLK_SECTOR     512
#define BLK_RANGES_MAX 16  /* of one discard */
#define BLK_FLIGHT_MAX 512 /* requests; the guest's others wait in its ring */

typedef struct Blk Blk;
typedef struct BlkRequest BlkRequest;

typedef struct BlkRange {
    uint64_t offset, size;
    bool unmap;
} BlkRange;

struct BlkRequest {
    EngineBlockRequest io; /* first: it is what done() gets */
    Blk *blk;
    BlkRequest *next; /* in a list */
    unsigned queue;
    EngineChain chain;
    uint8_t *status;    /* in guest memory; written once */
    EngineBlkKind kind; /* or ENGINE_BLK_KINDS: not counted */
    uint64_t bytes;     /* in all */
    int64_t begin_ns;
    BlkRange *ranges; /* DISCARD, WRITE_ZEROES: one after the other */
    unsigned n_ranges, range;
    struct iovec iov[];
};

/** Requests in the order in which they came. */
typedef struct BlkList {
    BlkRequest *first, **last;
} BlkList;

struct Blk {
    EngineVirtio virtio;
    const EngineBlkConfig *config;
    EngineBlock *block;
    bool read_only;
    uint32_t discard_granularity; /* bytes */
    uint64_t capacity;            /* sectors; atomic */
    bool writeback;               /* what the driver wrote; atomic */

    /* the I/O thread's */
    EngineIoTimer end; /* of this wake-up */
    int64_t now_ns;    /* of this wake-up; 0: not asked for yet */
    unsigned in_flight;
    uint32_t pushed; /* queues whose driver has not been told yet */
    uint32_t hungry; /* queues with more than was taken */
    struct iovec *iov;
    EngineThrottle throttle;
    BlkList waiting[ENGINE_THROTTLE_WAYS]; /* for it */
    BlkList held; /* failed, and tried again when the domain goes on */
    EngineBlkStats stats;
    int error; /* why it stopped the domain: -errno; atomic */
    EngineDiskFailures failures;
};

/* --- blk.c ---------------------------------------------------------------- */
/** blk_now: about what time it is, ns: one look at the clock in a wake-up */
int64_t blk_now(Blk *blk);
/** blk_at_end: there is something to do at the end of this wake-up */
void blk_at_end(Blk *blk);
/** blk_set_capacity: @size: of the image, bytes. Thread: main */
void blk_set_capacity(Blk *blk, uint64_t size);
/** blk_writes_back: may writes wait in the host's cache for a flush? */
bool blk_writes_back(const Blk *blk);

/* --- blk-request.c -------------------------------------------------------- */
/**
 * blk_request_new: understand a chain
 * @chain: in blk->iov, which is free again afterwards
 * @ret_status: what is to be answered at once, or -1
 * Returns: NULL if the driver made a mistake, which has been dealt with
 */
BlkRequest *blk_request_new(Blk *blk, unsigned queue, const EngineChain *chain,
                            int *ret_status);

/* --- blk-run.c ------------------------------------------------------------ */
/** blk_serve: take what the driver has put into a queue */
void blk_serve(Blk *blk, unsigned queue);
/** blk_ready: an EngineThrottleFn; @opaque: the Blk */
void blk_ready(void *opaque, EngineThrottleWay way);
/** blk_submit: begin a request, or its next range */
void blk_submit(BlkRequest *request);
/** blk_finish: answer with VIRTIO_BLK_S_*; the request is freed */
void blk_finish(BlkRequest *request, uint8_t status);
void blk_forget(BlkRequest *request);

void blk_list_init(BlkList *list);
void blk_list_add(BlkList *list, BlkRequest *request);
/** blk_list_take: the oldest, or NULL */
BlkRequest *blk_list_take(BlkList *list);

/* --- blk-error.c ---------------------------------------------------------- */
/** blk_failed: do as the policy says. @result: -errno */
void blk_failed(BlkRequest *request, int result);
/** blk_retry: what is held begins anew */
void blk_retry(Blk *blk);
