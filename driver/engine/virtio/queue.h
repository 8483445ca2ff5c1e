/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * The device's side of a virtqueue, split or packed (virtio 1.2, 2.7 and 2.8).
 *
 * Whatever stands in guest memory may change at any time and may be a lie:
 * every value is read once and checked before it is used, and a chain that
 * comes out of here lies in guest memory in all its parts. A driver's mistake
 * kills the queue, which then gives nothing more until it is started anew.
 *
 * Threads: one at a time for a queue.
 */
#define ENGINE_QUEUE_SIZE_MAX 1024 /* entries of a ring */

/** How a queue reaches guest memory. */
typedef struct EngineGuest {
    /** Returns: [gpa, gpa+size) in our memory, NULL if not all of it is RAM.
     * Alignment is kept: a page of the guest is a page of ours. */
    void *(*at)(void *opaque, uint64_t gpa, size_t size);
    void *opaque;
} EngineGuest;

/** What the driver said of a queue. */
typedef struct EngineQueueSetup {
    uint64_t descriptors, driver, device; /* guest physical */
    uint16_t size;                        /* entries */
} EngineQueueSetup;

typedef struct EngineQueue {
    EngineGuest guest;
    uint16_t size; /* entries; 0: not started */
    bool packed, event_index, indirect;
    const char *mistake; /* the driver's, untranslated; NULL: none yet */
    uint64_t *descriptors;
    uint16_t *driver, *device; /* split: available and used ring */
    uint16_t next;             /* the next that we take */
    uint16_t used;             /* the next that we give back */
    bool next_wrap, used_wrap; /* packed: the wrap counters */
    uint64_t *held;            /* packed: flags that wait for the flush */
    uint64_t held_value;       /* their word */
    unsigned pending;          /* given back since notification was decided */
    unsigned in_flight;        /* entries taken and not given back */
} EngineQueue;

/**
 * One request: buffers that the device reads, then buffers that it writes. The
 * caller lends `iov` and says how many it has.
 */
typedef struct EngineChain {
    struct iovec *iov;
    unsigned capacity;
    unsigned n_read, n_write;
    uint32_t read_size, write_size; /* bytes */
    uint16_t id;                    /* the driver's name for it */
    uint16_t slots;                 /* entries of the ring that it takes */
} EngineChain;

typedef enum EnginePop {
    ENGINE_POP_NONE = 0, /* the driver has nothing more */
    ENGINE_POP_CHAIN,
    ENGINE_POP_MISTAKE, /* queue->mistake says which */
} EnginePop;

/**
 * engine_queue_start: begin with an empty queue
 * @features: as negotiated; of them INDIRECT_DESC, EVENT_IDX, RING_PACKED count
 * Returns: false with queue->mistake set if size, alignment or place are wrong
 */
bool engine_queue_start(EngineQueue *queue, const EngineGuest *guest,
                        const EngineQueueSetup *setup, uint64_t features);
/** engine_queue_stop: forget it; nothing is touched any more */
void engine_queue_stop(EngineQueue *queue);

/** engine_queue_is_available: would the next pop give something? */
bool engine_queue_is_available(const EngineQueue *queue);
/** engine_queue_pop: take the next request; its place in @chain is lent */
EnginePop engine_queue_pop(EngineQueue *queue, EngineChain *chain);
/** engine_queue_untake: as if the last pop had not been; the next gives it
 * again, read anew. @chain: what that pop gave */
void engine_queue_untake(EngineQueue *queue, const EngineChain *chain);

/**
 * engine_queue_push: give a request back, in any order
 * @written: bytes written to its buffers, from their start
 */
void engine_queue_push(EngineQueue *queue, const EngineChain *chain,
                       uint32_t written);
/** engine_queue_fill: the same, but the driver sees nothing of it before
 * engine_queue_flush(), and then all at once */
void engine_queue_fill(EngineQueue *queue, const EngineChain *chain,
                       uint32_t written);
void engine_queue_flush(EngineQueue *queue);

/** engine_queue_should_notify: after pushes: does the driver want to be told?
 */
bool engine_queue_should_notify(EngineQueue *queue);

/** engine_queue_mute: ask the driver to save its kicks, we look ourselves */
void engine_queue_mute(EngineQueue *queue);
/**
 * engine_queue_listen: ask for kicks again
 * Returns: whether something is there already, for which no kick may come
 */
bool engine_queue_listen(EngineQueue *queue);
