/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/queue.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "util/i18n.h"

/* Section numbers are those of virtio 1.2. Rings are little-endian, as is
 * every host of this engine. */
#define DESCRIPTOR_BYTES 16
#define DESCRIPTOR_WORDS 2 /* of 64 bits */

/* The split rings in units of 16 bits (2.7.6, 2.7.8) */
#define AVAIL_FLAGS 0
#define AVAIL_INDEX 1
#define AVAIL_RING  2
#define USED_FLAGS  0
#define USED_INDEX  1
#define USED_RING   2
#define USED_UNITS  4 /* of one entry */

/* The packed ring's flags (2.8.1) and its event areas (2.8.14) */
#define PACKED_AVAIL    (1u << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED     (1u << VRING_PACKED_DESC_F_USED)
#define PACKED_POSITION 0
#define PACKED_FLAGS    1

typedef struct Descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags;
    uint16_t link; /* split: the next one; packed: the buffer's id */
} Descriptor;

static uint16_t
load16(const uint16_t *from)
{
    return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void
store16(uint16_t *to, uint16_t value)
{
    __atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* Orders our stores before our later loads, as the driver does its own. */
static void
fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The word with the flags first: what it publishes is read after it. */
static Descriptor
descriptor_at(const EngineQueue *queue, const uint64_t *table, unsigned index)
{
    const uint64_t *words = table + (size_t)index * DESCRIPTOR_WORDS;
    uint64_t second = __atomic_load_n(&words[1], __ATOMIC_ACQUIRE);
    uint16_t third = (uint16_t)(second >> 32);
    uint16_t fourth = (uint16_t)(second >> 48);

    return (Descriptor){
        .address = __atomic_load_n(&words[0], __ATOMIC_RELAXED),
        .size = (uint32_t)second,
        .flags = queue->packed ? fourth : third,
        .link = queue->packed ? third : fourth,
    };
}

static bool
mistake(EngineQueue *queue, const char *what)
{
    queue->mistake = what;
    return false;
}

/* --- setting up ----------------------------------------------------------- */
static void *
area(EngineQueue *queue, uint64_t gpa, unsigned alignment, size_t size)
{
    if (gpa % alignment != 0) {
        mistake(queue, N_("a part of the queue is not aligned"));
        return NULL;
    }
    void *host = queue->guest.at(queue->guest.opaque, gpa, size);

    if (!host)
        mistake(queue, N_("a part of the queue is outside the guest's memory"));
    return host;
}

/* 2.7, 2.8: alignments and sizes. The event fields are counted in any case, as
 * drivers make room for them in any case. */
static bool
map_areas(EngineQueue *queue, const EngineQueueSetup *setup)
{
    size_t size = setup->size;
    bool packed = queue->packed;

    queue->descriptors =
        area(queue, setup->descriptors, 16, size * DESCRIPTOR_BYTES);
    queue->driver = area(queue, setup->driver, packed ? 4 : 2,
                         packed ? 4 : 4 + 2 * size + 2);
    queue->device =
        area(queue, setup->device, 4, packed ? 4 : 4 + 8 * size + 2);
    return queue->descriptors && queue->driver && queue->device;
}

bool
engine_queue_start(EngineQueue *queue, const EngineGuest *guest,
                   const EngineQueueSetup *setup, uint64_t features)
{
    uint16_t size = setup->size;

    memset(queue, 0, sizeof(*queue));
    queue->guest = *guest;
    queue->packed = features & 1ull << VIRTIO_F_RING_PACKED;
    queue->event_index = features & 1ull << VIRTIO_RING_F_EVENT_IDX;
    queue->indirect = features & 1ull << VIRTIO_RING_F_INDIRECT_DESC;
    queue->next_wrap = queue->used_wrap = true;
    if (size == 0 || size > ENGINE_QUEUE_SIZE_MAX ||
        (!queue->packed && (size & (size - 1)) != 0))
        return mistake(queue, N_("the queue has an impossible size"));
    if (!map_areas(queue, setup))
        return false;
    queue->size = size;
    return true;
}

void
engine_queue_stop(EngineQueue *queue)
{
    memset(queue, 0, sizeof(*queue));
}

/* --- taking chains -------------------------------------------------------- */
static bool
add_buffer(EngineQueue *queue, EngineChain *chain, const Descriptor *buffer)
{
    bool write = buffer->flags & VRING_DESC_F_WRITE;
    uint32_t *total = write ? &chain->write_size : &chain->read_size;
    unsigned count = chain->n_read + chain->n_write;
    void *host;

    if (!write && chain->n_write > 0)
        return mistake(queue, N_("a buffer to read follows one to write"));
    if (buffer->size == 0)
        return true;
    if (count == chain->capacity)
        return mistake(queue, N_("a request has too many buffers"));
    if (__builtin_add_overflow(*total, buffer->size, total))
        return mistake(queue, N_("a request is larger than 4 GiB"));
    host = queue->guest.at(queue->guest.opaque, buffer->address, buffer->size);
    if (!host)
        return mistake(queue, N_("a buffer is outside the guest's memory"));
    chain->iov[count] = (struct iovec){ host, buffer->size };
    *(write ? &chain->n_write : &chain->n_read) += 1;
    return true;
}

/* A table of descriptors that one entry of the ring points at (2.7.5.3,
 * 2.8.7). In the packed format they simply follow each other. */
static bool
add_table(EngineQueue *queue, EngineChain *chain, const Descriptor *at)
{
    unsigned count = at->size / DESCRIPTOR_BYTES;
    unsigned index = 0;
    const uint64_t *table;

    if (!queue->indirect || (at->flags & VRING_DESC_F_NEXT))
        return mistake(queue, N_("an indirect table where none may be"));
    if (count == 0 || count > ENGINE_QUEUE_SIZE_MAX ||
        at->size % DESCRIPTOR_BYTES != 0)
        return mistake(queue, N_("an indirect table has an impossible size"));
    table = queue->guest.at(queue->guest.opaque, at->address, at->size);
    if (!table || at->address % sizeof(uint64_t) != 0)
        return mistake(queue,
                       N_("an indirect table is outside the guest's memory or "
                          "not aligned"));
    for (unsigned seen = 0; seen < count; seen++) {
        Descriptor buffer = descriptor_at(queue, table, index);

        if (!queue->packed && (buffer.flags & VRING_DESC_F_INDIRECT))
            return mistake(queue, N_("an indirect table within another"));
        if (!add_buffer(queue, chain, &buffer))
            return false;
        if (!queue->packed && !(buffer.flags & VRING_DESC_F_NEXT))
            return true;
        index = queue->packed ? index + 1 : buffer.link;
        if (index >= count && !(queue->packed && index == count))
            return mistake(queue, N_("a descriptor's number is too large"));
    }
    return queue->packed || mistake(queue, N_("a chain of descriptors loops"));
}

/* Follows a chain from entry @index of the ring: linked (split) or in the
 * order of the ring (packed). */
static bool
add_chain(EngineQueue *queue, EngineChain *chain, unsigned index)
{
    for (unsigned seen = 1; seen <= queue->size; seen++) {
        Descriptor buffer = descriptor_at(queue, queue->descriptors, index);
        bool indirect = buffer.flags & VRING_DESC_F_INDIRECT;

        if (indirect ? !add_table(queue, chain, &buffer)
                     : !add_buffer(queue, chain, &buffer))
            return false;
        if (queue->packed) {
            chain->slots = (uint16_t)seen;
            chain->id = buffer.link;
        }
        if (!(buffer.flags & VRING_DESC_F_NEXT))
            return true;
        index = queue->packed ? (index + 1) % queue->size : buffer.link;
        if (index >= queue->size)
            return mistake(queue, N_("a descriptor's number is too large"));
    }
    return mistake(queue, N_("a chain of descriptors loops"));
}

bool
engine_queue_is_available(const EngineQueue *queue)
{
    unsigned flags;

    if (queue->size == 0 || queue->mistake)
        return false;
    if (!queue->packed)
        return load16(&queue->driver[AVAIL_INDEX]) != queue->next;
    flags = descriptor_at(queue, queue->descriptors, queue->next).flags;
    /* 2.8.1: the driver's flag is its wrap counter, the device's is not */
    return !!(flags & PACKED_AVAIL) == queue->next_wrap &&
           !!(flags & PACKED_USED) != queue->next_wrap;
}

static bool
take_split(EngineQueue *queue, EngineChain *chain)
{
    uint16_t index = load16(&queue->driver[AVAIL_INDEX]);
    uint16_t head;

    if ((uint16_t)(index - queue->next) > queue->size)
        return mistake(queue, N_("the available index runs ahead"));
    head = load16(&queue->driver[AVAIL_RING + queue->next % queue->size]);
    if (head >= queue->size)
        return mistake(queue, N_("a descriptor's number is too large"));
    chain->id = head;
    chain->slots = 1;
    if (!add_chain(queue, chain, head))
        return false;
    queue->next++;
    return true;
}

static bool
take_packed(EngineQueue *queue, EngineChain *chain)
{
    unsigned next;

    if (!add_chain(queue, chain, queue->next))
        return false;
    next = queue->next + chain->slots;
    if (next >= queue->size) {
        next -= queue->size;
        queue->next_wrap = !queue->next_wrap;
    }
    queue->next = (uint16_t)next;
    return true;
}

EnginePop
engine_queue_pop(EngineQueue *queue, EngineChain *chain)
{
    bool taken;

    if (queue->mistake)
        return ENGINE_POP_MISTAKE;
    if (!engine_queue_is_available(queue))
        return ENGINE_POP_NONE;
    chain->n_read = chain->n_write = 0;
    chain->read_size = chain->write_size = 0;
    taken =
        queue->packed ? take_packed(queue, chain) : take_split(queue, chain);
    /* A ring holds no more than its size, whatever the driver puts there. */
    if (taken && queue->in_flight + chain->slots > queue->size)
        taken = mistake(queue, N_("more requests than the queue has room for"));
    if (!taken)
        return ENGINE_POP_MISTAKE;
    queue->in_flight += chain->slots;
    return ENGINE_POP_CHAIN;
}

void
engine_queue_untake(EngineQueue *queue, const EngineChain *chain)
{
    unsigned back = queue->packed ? chain->slots : 1;

    if (queue->size == 0 || queue->mistake)
        return;
    g_assert(queue->in_flight >= chain->slots);
    queue->in_flight -= chain->slots;
    if (!queue->packed) {
        queue->next--;
        return;
    }
    if (queue->next < back) {
        queue->next = (uint16_t)(queue->next + queue->size);
        queue->next_wrap = !queue->next_wrap;
    }
    queue->next = (uint16_t)(queue->next - back);
}

/* --- giving back ---------------------------------------------------------- */
static void
fill_split(EngineQueue *queue, const EngineChain *chain, uint32_t written)
{
    unsigned entry = queue->used % queue->size;
    uint32_t *slot =
        (uint32_t *)(void *)(queue->device + USED_RING + entry * USED_UNITS);

    __atomic_store_n(&slot[0], chain->id, __ATOMIC_RELAXED);
    __atomic_store_n(&slot[1], written, __ATOMIC_RELAXED);
    queue->used++;
}

/* 2.8.6: the used descriptor stands where the next is due, and stands for all
 * entries of the chain; its flags publish it, and those behind it that are
 * there already: the first one's are stored last. */
static void
fill_packed(EngineQueue *queue, const EngineChain *chain, uint32_t written)
{
    uint64_t *words = queue->descriptors + queue->used * DESCRIPTOR_WORDS;
    unsigned flags = (queue->used_wrap ? PACKED_AVAIL | PACKED_USED : 0) |
                     (written ? VRING_DESC_F_WRITE : 0);
    uint64_t second =
        written | (uint64_t)chain->id << 32 | (uint64_t)flags << 48;
    unsigned used = queue->used + chain->slots;

    if (queue->held) {
        __atomic_store_n(&words[1], second, __ATOMIC_RELEASE);
    } else {
        queue->held = &words[1];
        queue->held_value = second;
    }
    if (used >= queue->size) {
        used -= queue->size;
        queue->used_wrap = !queue->used_wrap;
    }
    queue->used = (uint16_t)used;
}

void
engine_queue_fill(EngineQueue *queue, const EngineChain *chain,
                  uint32_t written)
{
    if (queue->size == 0 || queue->mistake)
        return;
    g_assert(queue->in_flight >= chain->slots);
    queue->in_flight -= chain->slots;
    queue->pending += chain->slots;
    if (queue->packed)
        fill_packed(queue, chain, written);
    else
        fill_split(queue, chain, written);
}

void
engine_queue_flush(EngineQueue *queue)
{
    if (queue->size == 0 || queue->mistake)
        return;
    if (!queue->packed)
        store16(&queue->device[USED_INDEX], queue->used);
    else if (queue->held)
        __atomic_store_n(queue->held, queue->held_value, __ATOMIC_RELEASE);
    queue->held = NULL;
}

void
engine_queue_push(EngineQueue *queue, const EngineChain *chain,
                  uint32_t written)
{
    engine_queue_fill(queue, chain, written);
    engine_queue_flush(queue);
}

/* --- notifications -------------------------------------------------------- */
/* 2.7.7.1: has the used index passed the entry that the driver waits for? */
static bool
split_wants(const EngineQueue *queue, unsigned pending)
{
    uint16_t event;

    if (!queue->event_index)
        return !(load16(&queue->driver[AVAIL_FLAGS]) &
                 VRING_AVAIL_F_NO_INTERRUPT);
    event = load16(&queue->driver[AVAIL_RING + queue->size]);
    return (uint16_t)(queue->used - 1 - event) < pending;
}

/* 2.8.10: positions go round the ring twice, once for each wrap counter. */
static bool
packed_wants(const EngineQueue *queue, unsigned pending)
{
    unsigned flags = load16(&queue->driver[PACKED_FLAGS]) & 3;
    uint16_t position = load16(&queue->driver[PACKED_POSITION]);
    unsigned offset = position & 0x7fff, round = 2u * queue->size;
    unsigned event = offset + (position & 0x8000 ? 0 : queue->size);
    unsigned now = queue->used + (queue->used_wrap ? 0 : queue->size);
    unsigned distance;

    if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
        return false;
    if (flags != VRING_PACKED_EVENT_FLAG_DESC || !queue->event_index ||
        offset >= queue->size)
        return true;
    distance = (now + round - event) % round;
    return distance >= 1 && distance <= pending;
}

bool
engine_queue_should_notify(EngineQueue *queue)
{
    unsigned pending = queue->pending;

    queue->pending = 0;
    if (pending == 0 || queue->size == 0 || queue->mistake)
        return false;
    fence();
    return queue->packed ? packed_wants(queue, pending)
                         : split_wants(queue, pending);
}

void
engine_queue_mute(EngineQueue *queue)
{
    if (queue->size == 0 || queue->mistake)
        return;
    if (queue->packed)
        store16(&queue->device[PACKED_FLAGS], VRING_PACKED_EVENT_FLAG_DISABLE);
    else if (!queue->event_index)
        store16(&queue->device[USED_FLAGS], VRING_USED_F_NO_NOTIFY);
    else /* an event that is passed already (2.7.10) */
        store16(&queue->device[USED_RING + queue->size * USED_UNITS],
                (uint16_t)(queue->next - 1));
}

bool
engine_queue_listen(EngineQueue *queue)
{
    if (queue->size == 0 || queue->mistake)
        return false;
    if (queue->packed && queue->event_index) {
        store16(&queue->device[PACKED_POSITION],
                (uint16_t)(queue->next | (queue->next_wrap ? 0x8000 : 0)));
        store16(&queue->device[PACKED_FLAGS], VRING_PACKED_EVENT_FLAG_DESC);
    } else if (queue->packed) {
        store16(&queue->device[PACKED_FLAGS], VRING_PACKED_EVENT_FLAG_ENABLE);
    } else if (queue->event_index) {
        store16(&queue->device[USED_RING + queue->size * USED_UNITS],
                queue->next);
    } else {
        store16(&queue->device[USED_FLAGS], 0);
    }
    fence();
    return engine_queue_is_available(queue);
}
