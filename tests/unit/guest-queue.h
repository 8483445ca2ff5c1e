/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * A guest's driver of one virtqueue, in memory that starts at guest physical 0:
 * what a test's guest does, by the letter of virtio 1.2, 2.7 and 2.8, and apart
 * from the device's code. One request at a time may have up to GUEST_BUFFERS.
 */
#define GUEST_BUFFERS 16

typedef struct GuestBuffer {
    uint64_t gpa;
    uint32_t size;
    bool write;
} GuestBuffer;

typedef struct GuestQueue {
    uint8_t *memory;
    uint64_t descriptors, driver, device, tables; /* gpa */
    uint16_t size;
    bool packed, event_index, indirect;
    uint16_t next, used; /* split: free-running; packed: in the ring */
    bool next_wrap, used_wrap;
    uint16_t next_descriptor; /* split */
    uint16_t slots[1024];     /* packed: entries of request `id` */
    uint16_t next_id;
} GuestQueue;

static inline void *
guest_at(const GuestQueue *queue, uint64_t gpa)
{
    return queue->memory + gpa;
}

/** guest_queue_init_at: from @base on; with indirect tables it takes
 * GUEST_QUEUE_BYTES + @size * GUEST_BUFFERS * 16 */
#define GUEST_QUEUE_BYTES 0x10000
static inline void
guest_queue_init_at(GuestQueue *queue, uint8_t *memory, uint64_t base,
                    uint16_t size, uint64_t features)
{
    memset(queue, 0, sizeof(*queue));
    queue->memory = memory;
    queue->size = size;
    queue->packed = features & 1ull << VIRTIO_F_RING_PACKED;
    queue->event_index = features & 1ull << VIRTIO_RING_F_EVENT_IDX;
    queue->indirect = features & 1ull << VIRTIO_RING_F_INDIRECT_DESC;
    queue->next_wrap = queue->used_wrap = true;
    queue->descriptors = base + 0x1000;
    queue->driver = base + 0x8000;
    queue->device = base + 0xa000;
    queue->tables = base + GUEST_QUEUE_BYTES;
    memset(memory + queue->descriptors, 0, GUEST_QUEUE_BYTES - 0x1000);
}

static inline void
guest_queue_init(GuestQueue *queue, uint8_t *memory, uint16_t size,
                 uint64_t features)
{
    guest_queue_init_at(queue, memory, 0, size, features);
}

static inline void
guest_split_put(const GuestQueue *queue, uint64_t table, unsigned index,
                const GuestBuffer *buffer, unsigned flags, unsigned next)
{
    struct vring_desc *desc = (void *)(queue->memory + table);

    desc[index] = (struct vring_desc){
        buffer->gpa, buffer->size,
        (uint16_t)(flags | (buffer->write ? VRING_DESC_F_WRITE : 0)),
        (uint16_t)next
    };
}

static inline uint16_t
guest_split_add(GuestQueue *queue, const GuestBuffer *buffers, unsigned count)
{
    uint16_t *avail = guest_at(queue, queue->driver);
    uint16_t head = queue->next_descriptor;
    uint64_t table = queue->tables + (uint64_t)head * GUEST_BUFFERS * 16;

    for (unsigned i = 0; i < count; i++) {
        bool more = i + 1 < count;

        if (queue->indirect) {
            guest_split_put(queue, table, i, &buffers[i],
                            more ? VRING_DESC_F_NEXT : 0, i + 1);
        } else {
            guest_split_put(queue, queue->descriptors, (head + i) % queue->size,
                            &buffers[i], more ? VRING_DESC_F_NEXT : 0,
                            (head + i + 1) % queue->size);
        }
    }
    if (queue->indirect)
        guest_split_put(queue, queue->descriptors, head,
                        &(GuestBuffer){ table, count * 16, false },
                        VRING_DESC_F_INDIRECT, 0);
    queue->next_descriptor =
        (uint16_t)((head + (queue->indirect ? 1 : count)) % queue->size);
    avail[2 + queue->next % queue->size] = head;
    queue->next++;
    __atomic_store_n(&avail[1], queue->next, __ATOMIC_SEQ_CST);
    return head;
}

static inline void
guest_packed_put(GuestQueue *queue, const GuestBuffer *buffer, unsigned flags,
                 uint16_t id)
{
    struct vring_packed_desc *desc = guest_at(queue, queue->descriptors);

    desc += queue->next;
    flags |= queue->next_wrap ? 1u << VRING_PACKED_DESC_F_AVAIL
                              : 1u << VRING_PACKED_DESC_F_USED;
    flags |= buffer->write ? VRING_DESC_F_WRITE : 0;
    desc->addr = buffer->gpa;
    desc->len = buffer->size;
    desc->id = id;
    __atomic_store_n(&desc->flags, (uint16_t)flags, __ATOMIC_SEQ_CST);
    if (++queue->next == queue->size) {
        queue->next = 0;
        queue->next_wrap = !queue->next_wrap;
    }
}

static inline uint16_t
guest_packed_add(GuestQueue *queue, const GuestBuffer *buffers, unsigned count)
{
    uint16_t id = queue->next_id++ % queue->size;
    uint64_t table = queue->tables + (uint64_t)id * GUEST_BUFFERS * 16;
    struct vring_packed_desc *inside = guest_at(queue, table);

    queue->slots[id] = (uint16_t)(queue->indirect ? 1 : count);
    for (unsigned i = 0; i < count; i++) {
        if (queue->indirect)
            inside[i] = (struct vring_packed_desc){
                buffers[i].gpa, buffers[i].size, 0,
                buffers[i].write ? VRING_DESC_F_WRITE : 0
            };
        else
            guest_packed_put(queue, &buffers[i],
                             i + 1 < count ? VRING_DESC_F_NEXT : 0, id);
    }
    if (queue->indirect)
        guest_packed_put(queue, &(GuestBuffer){ table, count * 16, false },
                         VRING_DESC_F_INDIRECT, id);
    return id;
}

/** guest_queue_add: offer a request. Returns: its id */
static inline uint16_t
guest_queue_add(GuestQueue *queue, const GuestBuffer *buffers, unsigned count)
{
    return queue->packed ? guest_packed_add(queue, buffers, count)
                         : guest_split_add(queue, buffers, count);
}

/** guest_queue_take: take one back; false if there is none */
static inline bool
guest_queue_take(GuestQueue *queue, uint16_t *ret_id, uint32_t *ret_written)
{
    uint16_t *ring = guest_at(queue, queue->device);
    struct vring_packed_desc *desc = guest_at(queue, queue->descriptors);
    unsigned flags;

    if (!queue->packed) {
        uint32_t *entry = (void *)(ring + 2 + queue->used % queue->size * 4);

        if (__atomic_load_n(&ring[1], __ATOMIC_SEQ_CST) == queue->used)
            return false;
        *ret_id = (uint16_t)entry[0];
        *ret_written = entry[1];
        queue->used++;
        return true;
    }
    desc += queue->used;
    flags = __atomic_load_n(&desc->flags, __ATOMIC_SEQ_CST);
    if (!!(flags & 1u << VRING_PACKED_DESC_F_AVAIL) != queue->used_wrap ||
        !!(flags & 1u << VRING_PACKED_DESC_F_USED) != queue->used_wrap)
        return false;
    *ret_id = desc->id;
    *ret_written = desc->len;
    queue->used = (uint16_t)(queue->used + queue->slots[desc->id]);
    if (queue->used >= queue->size) {
        queue->used = (uint16_t)(queue->used - queue->size);
        queue->used_wrap = !queue->used_wrap;
    }
    return true;
}

/** guest_queue_needs_kick: after requests were added: does the device want to
 * be told? @before: queue->next before them. Packed: whenever it might */
static inline bool
guest_queue_needs_kick(const GuestQueue *queue, uint16_t before)
{
    const uint16_t *ring = guest_at(queue, queue->device);

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (queue->packed)
        return __atomic_load_n(&ring[1], __ATOMIC_SEQ_CST) !=
               VRING_PACKED_EVENT_FLAG_DISABLE;
    if (!queue->event_index)
        return !(__atomic_load_n(&ring[0], __ATOMIC_SEQ_CST) &
                 VRING_USED_F_NO_NOTIFY);
    return vring_need_event(
        __atomic_load_n(&ring[2 + queue->size * 4], __ATOMIC_SEQ_CST),
        queue->next, before);
}

/** guest_queue_want: ask for an interrupt when @ahead more entries of the ring
 * are used: 0: with the next one; needs the event index */
static inline void
guest_queue_want(GuestQueue *queue, unsigned ahead)
{
    uint16_t *ring = guest_at(queue, queue->driver);
    unsigned at = queue->used + ahead;
    bool wrap = queue->used_wrap;

    if (!queue->packed) {
        ring[2 + queue->size] = (uint16_t)at;
        return;
    }
    if (at >= queue->size) {
        at -= queue->size;
        wrap = !wrap;
    }
    ring[0] = (uint16_t)(at | (wrap ? 0x8000 : 0));
    ring[1] = VRING_PACKED_EVENT_FLAG_DESC;
}
