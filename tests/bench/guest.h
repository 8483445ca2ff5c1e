/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A guest that is nothing but a driver of one virtio device, polls its rings
 * and tells on COM1 what it did. It has no library; all of it runs in one
 * thread.
 */
#define GUEST_ENTRIES       256         /* of each ring */
#define GUEST_ARENA         0x1000000ul /* memory for data, to the end */
#define GUEST_ARENA_SIZE    0x4000000ul
#define GUEST_FEATURE(NAME) (1ull << (NAME))

/* guest_gate() */
enum { GUEST_OUT_8, GUEST_OUT_32, GUEST_IN_32 };

/** guest_gate: read or write a port
 * @how: of the enumeration above   Returns: what was read */
uint32_t guest_gate(unsigned how, uint16_t port, uint32_t value);

void guest_print(const char *text);
void guest_print_number(uint64_t number);

/** guest_fail: say why, and leave the machine */
_Noreturn void guest_fail(const char *why);

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

static inline uint64_t
guest_ticks(void)
{
    return __builtin_ia32_rdtsc();
}

/* --- a load ----------------------------------------------------------------
 */
typedef struct GuestLoad {
    const char *pattern; /* ends at a colon */
    uint32_t size;       /* bytes of a request or a frame */
    unsigned depth;      /* requests at once */
} GuestLoad;

bool guest_load_is(const GuestLoad *load, const char *pattern);

/* Each sets its device up, and then does as the load says until guest_ticks()
 * has passed @end or @most requests or frames are done. Returns: how many are
 */
void guest_disk_begin(const GuestLoad *load);
uint64_t guest_disk_run(uint64_t end, uint64_t most);
void guest_net_begin(const GuestLoad *load);
uint64_t guest_net_run(uint64_t end, uint64_t most);

/** guest_disk_flush: what was written is on the disk; ends all else */
void guest_disk_flush(void);

/* --- virtio over PCI (virtio 1.2, 4.1), split rings (2.7) -------------------
 */
typedef struct GuestRing {
    struct vring_desc *table;
    struct vring_avail *avail;
    struct vring_used *used;
    volatile uint16_t *notify;
    uint16_t index;  /* of the queue */
    uint16_t size;   /* entries */
    uint16_t next;   /* that is made available */
    uint16_t taken;  /* of the used ones */
    uint16_t kicked; /* `next` when it was last told */
} GuestRing;

typedef struct GuestVirtio {
    volatile uint8_t *common, *device, *notify;
    uint32_t notify_multiplier;
} GuestVirtio;

/** guest_virtio_begin: find a device of type @id (5) and agree on features
 * @features: wanted; those that it has not are left out */
void guest_virtio_begin(GuestVirtio *virtio, unsigned id, uint64_t features);
void guest_virtio_add_queue(GuestVirtio *virtio, GuestRing *ring,
                            unsigned index);
void guest_virtio_go(GuestVirtio *virtio);

/* Entry @head of the table is filled by the caller; it is what comes back. */
static inline void
guest_ring_offer(GuestRing *ring, unsigned head)
{
    ring->avail->ring[ring->next++ % ring->size] = (uint16_t)head;
}

/** guest_ring_kick: publish what was offered, and tell the device if it asks */
void guest_ring_kick(GuestRing *ring);

/** guest_ring_take: Returns: the head of one that the device has done, or -1 */
static inline int
guest_ring_take(GuestRing *ring)
{
    uint16_t done = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE);
    int head;

    if (done == ring->taken)
        return -1;
    head = (int)ring->used->ring[ring->taken % ring->size].id;
    ring->taken++;
    /* An event that has passed: nothing asks for interrupts (2.7.7). */
    __atomic_store_n(&ring->avail->ring[ring->size],
                     (uint16_t)(ring->taken - 1), __ATOMIC_RELAXED);
    return head;
}
