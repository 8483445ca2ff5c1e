/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "guest.h"

/*
 * The guest's network interface: PATTERN is send or receive. Frames larger
 * than ONE_FRAME are TCP, left to the host to cut; they are in pieces as
 * Linux has them.
 */
#define HEADER       sizeof(struct virtio_net_hdr_v1)
#define ETHERNET     14
#define IP           20
#define TCP          20
#define HEADERS      (ETHERNET + IP + TCP)
#define SEGMENT      1448
#define ONE_FRAME    1514
#define PIECE        32768
#define PIECES       4
#define BUFFER       1536 /* to receive to */
#define LARGE_BUFFER 4096
#define CSUM_OFFSET  16 /* in TCP's header */
#define FRAME_AT     (GUEST_ARENA + GUEST_ARENA_SIZE - (1 << 20))
#define F(NAME)      GUEST_FEATURE(VIRTIO_NET_F_##NAME)

static GuestVirtio virtio;
static GuestRing receive, send;
static bool is_send;
static uint32_t buffer;
static unsigned left; /* buffers of the frame that comes */
static struct vring_desc pieces[PIECES];

static void
put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* For a host that looks at it and has no use for it. */
static void
make_frame(uint8_t *frame, uint32_t size)
{
    memset(frame, 0, size);
    memset(frame, 2, ETHERNET - 2);
    put16(frame + ETHERNET - 2, 0x88b5);
    if (size <= ONE_FRAME)
        return;
    put16(frame + ETHERNET - 2, 0x0800);
    frame[ETHERNET] = 0x45;
    put16(frame + ETHERNET + 2, size - ETHERNET);
    frame[ETHERNET + 8] = 64; /* time to live */
    frame[ETHERNET + 9] = 6;  /* TCP */
    memcpy(frame + ETHERNET + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
    frame[ETHERNET + IP + 12] = TCP / 4 << 4;
    frame[ETHERNET + IP + 13] = 0x10; /* ACK */
}

/* Returns: how many descriptors of `pieces` the frame takes */
static unsigned
cut(uint32_t size)
{
    uint64_t at = FRAME_AT;
    uint32_t rest = (uint32_t)HEADER + size;
    uint32_t part = size > ONE_FRAME ? (uint32_t)HEADER + HEADERS : rest;
    unsigned count = 0;

    for (; rest > 0; count++) {
        if (count == PIECES)
            guest_fail("the frame is too large");
        pieces[count] = (struct vring_desc){ at, part, 0, 0 };
        if (count > 0) {
            pieces[count - 1].flags = VRING_DESC_F_NEXT;
            pieces[count - 1].next = (uint16_t)count;
        }
        at += part;
        rest -= part;
        part = rest < PIECE ? rest : PIECE;
    }
    return count;
}

static void
offer_frames(uint32_t size)
{
    struct virtio_net_hdr_v1 *header = (void *)FRAME_AT;
    unsigned count = cut(size);

    memset(header, 0, HEADER);
    make_frame((uint8_t *)FRAME_AT + HEADER, size);
    if (size > ONE_FRAME)
        *header = (struct virtio_net_hdr_v1){
            .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
            .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
            .hdr_len = HEADERS,
            .gso_size = SEGMENT,
            .csum_start = ETHERNET + IP,
            .csum_offset = CSUM_OFFSET,
        };
    for (unsigned i = 0; i < send.size; i++) {
        send.table[i] = count == 1
                            ? pieces[0]
                            : (struct vring_desc){ (uintptr_t)pieces,
                                                   count * sizeof(pieces[0]),
                                                   VRING_DESC_F_INDIRECT, 0 };
        guest_ring_offer(&send, i);
    }
    guest_ring_kick(&send);
}

static void
offer_buffers(void)
{
    memset((void *)GUEST_ARENA, 1, (size_t)receive.size * buffer);
    for (unsigned i = 0; i < receive.size; i++) {
        receive.table[i] =
            (struct vring_desc){ GUEST_ARENA + (uint64_t)i * buffer, buffer,
                                 VRING_DESC_F_WRITE, 0 };
        guest_ring_offer(&receive, i);
    }
    guest_ring_kick(&receive);
}

void
guest_net_begin(const GuestLoad *load)
{
    is_send = guest_load_is(load, "send");
    buffer = load->size > ONE_FRAME ? LARGE_BUFFER : BUFFER;
    guest_virtio_begin(&virtio, VIRTIO_ID_NET,
                       F(CSUM) | F(HOST_TSO4) | F(GUEST_CSUM) | F(GUEST_TSO4) |
                           F(MRG_RXBUF));
    guest_virtio_add_queue(&virtio, &receive, 0);
    guest_virtio_add_queue(&virtio, &send, 1);
    guest_virtio_go(&virtio);
    if (is_send)
        offer_frames(load->size);
    else
        offer_buffers();
}

static unsigned
count_frame(int i)
{
    const struct virtio_net_hdr_v1 *header =
        (void *)(GUEST_ARENA + (uint64_t)i * buffer);

    if (left == 0)
        left = header->num_buffers;
    return --left == 0;
}

uint64_t
guest_net_run(uint64_t end, uint64_t most)
{
    GuestRing *ring = is_send ? &send : &receive;
    uint64_t count = 0;

    while (count < most && guest_ticks() < end) {
        int i = guest_ring_take(ring);

        if (i < 0)
            __builtin_ia32_pause();
        for (; i >= 0; i = guest_ring_take(ring)) {
            count += is_send ? 1 : count_frame(i);
            guest_ring_offer(ring, (unsigned)i);
        }
        guest_ring_kick(ring);
    }
    return count;
}
