/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include "guest.h"

/* The guest's disk: PATTERN is read, write, randread, randwrite, or shuffle:
 * each block is written once, in no order. */
#define PARTS  3 /* of a request: header, data, status */
#define SECTOR 512

static GuestVirtio virtio;
static GuestRing ring;
static GuestLoad load;
static uint64_t blocks, next; /* of the load's size */
static bool is_random, is_shuffled;

static struct {
    struct vring_desc parts[PARTS];
    struct virtio_blk_outhdr header;
    uint8_t status;
} requests[GUEST_ENTRIES];

static uint64_t
choose(void)
{
    if (!is_random && !is_shuffled)
        return next++ % blocks;
    /* Its lower bits take all values in turn. */
    next = next * 6364136223846793005ull + 1442695040888963407ull;
    return is_shuffled ? next & (blocks - 1) : (next >> 20) % blocks;
}

static void
make_request(unsigned i, bool is_write)
{
    const uint16_t writes = VRING_DESC_F_WRITE, more = VRING_DESC_F_NEXT;
    uint64_t data = GUEST_ARENA + (uint64_t)i * load.size;

    requests[i].header.type = is_write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
    requests[i].parts[0] =
        (struct vring_desc){ (uintptr_t)&requests[i].header,
                             sizeof(requests[i].header), more, 1 };
    requests[i].parts[1] =
        (struct vring_desc){ data, load.size, more | (is_write ? 0 : writes),
                             2 };
    requests[i].parts[2] =
        (struct vring_desc){ (uintptr_t)&requests[i].status, 1, writes, 0 };
    ring.table[i] = (struct vring_desc){ (uintptr_t)requests[i].parts,
                                         sizeof(requests[i].parts),
                                         VRING_DESC_F_INDIRECT, 0 };
    /* so that the memory is there, and not of zeroes */
    memset((void *)data, (int)i + 1, load.size);
}

static void
offer(unsigned i)
{
    requests[i].header.sector = choose() * (load.size / SECTOR);
    requests[i].status = 0xff;
    guest_ring_offer(&ring, i);
}

void
guest_disk_begin(const GuestLoad *wanted)
{
    bool is_write =
        !guest_load_is(wanted, "read") && !guest_load_is(wanted, "randread");
    uint64_t capacity;

    load = *wanted;
    is_random =
        guest_load_is(wanted, "randread") || guest_load_is(wanted, "randwrite");
    is_shuffled = guest_load_is(wanted, "shuffle");
    /* Without a cache that can be flushed, each write would be. */
    guest_virtio_begin(&virtio, VIRTIO_ID_BLOCK,
                       GUEST_FEATURE(VIRTIO_BLK_F_FLUSH));
    guest_virtio_add_queue(&virtio, &ring, 0);
    guest_virtio_go(&virtio);
    capacity = *(volatile uint64_t *)virtio.device;
    blocks = capacity * SECTOR / load.size;
    if (blocks == 0 || (is_shuffled && (blocks & (blocks - 1)) != 0))
        guest_fail("the disk's size does not fit the load");
    for (unsigned i = 0; i < load.depth; i++) {
        make_request(i, is_write);
        offer(i);
    }
    guest_ring_kick(&ring);
}

static bool
is_done(int i)
{
    if (i < 0)
        return false;
    if (requests[i].status != VIRTIO_BLK_S_OK)
        guest_fail("a request failed");
    return true;
}

uint64_t
guest_disk_run(uint64_t end, uint64_t most)
{
    uint64_t count = 0, offered = load.depth;

    while (count < most && guest_ticks() < end) {
        int i = guest_ring_take(&ring);

        if (i < 0)
            __builtin_ia32_pause();
        for (; is_done(i); i = guest_ring_take(&ring)) {
            count++;
            if (offered++ < most)
                offer((unsigned)i);
        }
        guest_ring_kick(&ring);
    }
    return count;
}

void
guest_disk_flush(void)
{
    requests[0].header =
        (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_FLUSH };
    requests[0].parts[0].next = 2;
    requests[0].status = 0xff;
    guest_ring_offer(&ring, 0);
    guest_ring_kick(&ring);
    while (!is_done(guest_ring_take(&ring)))
        __builtin_ia32_pause();
}
