/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest that puts what it likes into a virtqueue and around it, also while
 * the device works. The input is a Head (features, size, places), then steps of
 * four bytes: what, where (in words of memory), and a word's new value; a step
 * FILL takes the 16 bytes that follow it as a descriptor.
 */
#include <config.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/virtio/queue.h"

#define MEMORY_BYTES 0x8000
#define BUFFERS      64
#define CHAINS       32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Head {
    uint8_t features; /* 1: packed, 2: event index, 4: indirect */
    uint8_t skew;     /* of the places, in bytes, to test alignment */
    uint16_t size;
    uint16_t descriptors, driver, device; /* in units of 16 bytes */
} Head;

typedef struct Step {
    uint8_t what, where;
    uint16_t value;
} Step;

enum { POKE, POP, PUSH, NOTIFY, MUTE, LISTEN, FILL, OFFER, STEPS };

typedef struct Run {
    uint8_t *memory;
    EngineQueue queue;
    EngineQueueSetup setup;
    EngineChain taken[CHAINS];
    struct iovec iov[CHAINS][BUFFERS];
    unsigned count;
} Run;

static void *
at(void *opaque, uint64_t gpa, size_t size)
{
    Run *run = opaque;

    if (gpa > MEMORY_BYTES || size > MEMORY_BYTES - gpa)
        return NULL;
    return run->memory + gpa;
}

/* What comes out lies in memory, and adds up. The sanitizer would find the
 * rest, for every byte is touched. */
static void
check_chain(const EngineChain *chain)
{
    uint64_t total = 0;

    if (chain->n_read + chain->n_write > BUFFERS || chain->slots == 0)
        abort();
    for (unsigned i = 0; i < chain->n_read + chain->n_write; i++) {
        volatile uint8_t *bytes = chain->iov[i].iov_base;

        total += chain->iov[i].iov_len;
        bytes[0] = bytes[0];
        bytes[chain->iov[i].iov_len - 1] = bytes[chain->iov[i].iov_len - 1];
    }
    if (total != (uint64_t)chain->read_size + chain->write_size)
        abort();
}

static void
pop(Run *run)
{
    EngineChain *chain = &run->taken[run->count];

    if (run->count == CHAINS)
        return;
    *chain = (EngineChain){ .iov = run->iov[run->count], .capacity = BUFFERS };
    switch (engine_queue_pop(&run->queue, chain)) {
    case ENGINE_POP_CHAIN:
        check_chain(chain);
        run->count++;
        break;
    case ENGINE_POP_MISTAKE:
        if (!run->queue.mistake)
            abort();
        break;
    case ENGINE_POP_NONE:
        break;
    }
}

static void
push(Run *run, const Step *step)
{
    unsigned which;

    if (run->count == 0)
        return;
    which = step->where % run->count;
    engine_queue_push(&run->queue, &run->taken[which], step->value);
    run->taken[which] = run->taken[--run->count];
    memcpy(run->iov[which], run->iov[run->count], sizeof(run->iov[which]));
    run->taken[which].iov = run->iov[which];
}

static void
poke(Run *run, uint64_t gpa, const void *bytes, size_t size)
{
    if (gpa <= MEMORY_BYTES && size <= MEMORY_BYTES - gpa)
        memcpy(run->memory + gpa, bytes, size);
}

/* Moves the available index (or makes entry `where` available, packed). */
static void
offer(Run *run, const Step *step)
{
    if (run->queue.packed)
        poke(run, run->setup.descriptors + step->where * 16u + 14, &step->value,
             2);
    else
        poke(run, run->setup.driver + 2, &step->value, 2);
}

static size_t
act(Run *run, const Step *step, const uint8_t *rest, size_t left)
{
    switch (step->what % STEPS) {
    case POKE:
        poke(run, run->setup.driver + step->where * 2u, &step->value, 2);
        break;
    case POP:
        pop(run);
        break;
    case PUSH:
        push(run, step);
        break;
    case NOTIFY:
        (void)engine_queue_should_notify(&run->queue);
        break;
    case MUTE:
        engine_queue_mute(&run->queue);
        break;
    case LISTEN:
        (void)engine_queue_listen(&run->queue);
        break;
    case FILL:
        if (left < 16)
            break;
        poke(run, run->setup.descriptors + step->where * 16u, rest, 16);
        return 16;
    case OFFER:
        offer(run, step);
        break;
    }
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Run *run = calloc(1, sizeof(*run));
    const EngineGuest guest = { at, run };
    uint64_t features = 0;
    size_t from = sizeof(Head);
    Head head = { 0 };

    memcpy(&head, data, size < sizeof(head) ? size : sizeof(head));
    if (posix_memalign((void **)&run->memory, 4096, MEMORY_BYTES) != 0)
        abort();
    memset(run->memory, 0, MEMORY_BYTES);
    features |= head.features & 1 ? 1ull << VIRTIO_F_RING_PACKED : 0;
    features |= head.features & 2 ? 1ull << VIRTIO_RING_F_EVENT_IDX : 0;
    features |= head.features & 4 ? 1ull << VIRTIO_RING_F_INDIRECT_DESC : 0;
    run->setup = (EngineQueueSetup){
        .descriptors = head.descriptors * 16ull + (head.skew & 3),
        .driver = head.driver * 16ull + (head.skew >> 2 & 3),
        .device = head.device * 16ull + (head.skew >> 4 & 3),
        .size = head.size,
    };
    (void)engine_queue_start(&run->queue, &guest, &run->setup, features);
    while (from + sizeof(Step) <= size) {
        Step step;

        memcpy(&step, data + from, sizeof(step));
        from += sizeof(step);
        from += act(run, &step, data + from, size - from);
    }
    engine_queue_stop(&run->queue);
    free(run->memory);
    free(run);
    return 0;
}
