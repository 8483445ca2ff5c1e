/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest and a peer of its network interface that both do what they like: the
 * interface's other end is a stream socket. The input is a Head (features),
 * then steps of four bytes: what, where (a queue and an entry of its ring), and
 * a value; some take the bytes that follow them.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/guest-net.h"

#define QUEUES      3 /* receive, send, control */
#define RING        16
#define QUEUE_AT(Q) (0x1000u * ((Q) + 1))
#define RAM_BYTES   0x100000
#define DATA_AT     0x10000
#define STEPS_MAX   128
#define FRAME_MAX   70000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Head {
    uint64_t features;
} Head;

typedef struct Step {
    uint8_t what, where;
    uint16_t value;
} Step;

enum {
    DESCRIPTOR, /* 16 bytes follow */
    OFFER,
    KICK,
    POKE,
    PEER, /* `value % 64` bytes follow */
    FRAME,
    HEADER, /* 12 bytes follow */
    RESTART,
    LINK,
    LIMIT,
    DRAIN,
    SYNC,
    STEPS
};

typedef struct Run {
    GuestNet guest;
    int ours, peer;
    uint64_t features;
    uint16_t offered[QUEUES];
    bool link;
} Run;

static void
nothing(void *opaque)
{
}

/* What was kicked has been done by then, or almost. */
static void
synchronize(Run *run)
{
    engine_io_call(engine_io(run->guest.engine, 0, NULL), nothing, NULL);
}

static void
start(Run *run)
{
    const GuestVirtio *virtio = &run->guest.virtio;
    uint64_t offered = guest_virtio_offered(virtio);

    guest_virtio_begin(virtio, (run->features & offered) | GUEST_NET_VERSION_1);
    memset(run->offered, 0, sizeof(run->offered));
    for (unsigned i = 0; i < QUEUES; i++) {
        const GuestQueue queue = { .size = RING,
                                   .descriptors = QUEUE_AT(i),
                                   .driver = QUEUE_AT(i) + 0x400,
                                   .device = QUEUE_AT(i) + 0x800 };

        memset(fake_ram(run->guest.engine) + QUEUE_AT(i), 0, 0x1000);
        guest_virtio_add_queue(virtio, i, &queue, 0xffff);
    }
    guest_virtio_go(virtio);
}

/* So that not all of them are nonsense: addresses and sizes in memory. */
static void
put_descriptor(Run *run, const Step *step, const uint8_t *from)
{
    struct vring_desc *table = (void *)(fake_ram(run->guest.engine) +
                                        QUEUE_AT((step->where >> 4) % QUEUES));
    struct vring_desc desc;

    memcpy(&desc, from, sizeof(desc));
    if (step->value & 1) {
        desc.addr = DATA_AT + desc.addr % 0x20000;
        desc.len %= 0x11000;
        desc.next %= RING;
    }
    table[step->where % RING] = desc;
}

static void
offer(Run *run, const Step *step)
{
    unsigned queue = (step->where >> 4) % QUEUES;
    uint16_t *avail =
        (void *)(fake_ram(run->guest.engine) + QUEUE_AT(queue) + 0x400);

    avail[2 + run->offered[queue] % RING] = step->where % RING;
    avail[1] = ++run->offered[queue];
}

static void
peer_write(Run *run, const void *bytes, size_t size)
{
    (void)!send(run->peer, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
peer_send(Run *run, size_t size)
{
    static uint8_t frame[FRAME_MAX];
    uint32_t prefix = GUINT32_TO_BE((uint32_t)size);

    peer_write(run, &prefix, sizeof(prefix));
    peer_write(run, frame, size);
}

static void
drain(Run *run)
{
    char bytes[2048];

    while (recv(run->peer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
}

/* Returns: how many bytes behind the step it took */
static size_t
act(Run *run, const Step *step, const uint8_t *rest, size_t left)
{
    uint8_t *ram = fake_ram(run->guest.engine);
    const EngineNetBandwidth limit = {
        .inbound = { .average_kib = step->value },
        .outbound = { .average_kib = step->where },
    };

    switch (step->what % STEPS) {
    case DESCRIPTOR:
        if (left < 16)
            return 0;
        put_descriptor(run, step, rest);
        return 16;
    case OFFER:
        offer(run, step);
        return 0;
    case KICK:
        guest_virtio_kick(&run->guest.virtio, step->where % QUEUES);
        synchronize(run);
        return 0;
    case POKE:
        memcpy(ram + step->where * 64, &step->value, sizeof(step->value));
        return 0;
    case PEER:
        left = MIN(left, step->value % 64u);
        peer_write(run, rest, left);
        return left;
    case FRAME:
        peer_send(run, step->value);
        synchronize(run);
        return 0;
    case HEADER:
        if (left < GUEST_NET_HEADER)
            return 0;
        memcpy(ram + DATA_AT + step->where * 16, rest, GUEST_NET_HEADER);
        return GUEST_NET_HEADER;
    case RESTART:
        run->features ^= (uint64_t)step->value << step->where % 48;
        start(run);
        return 0;
    case LINK:
        run->link = !run->link;
        (void)engine_virtio_net_set_link(run->guest.net, run->link, NULL);
        return 0;
    case LIMIT:
        engine_virtio_net_set_bandwidth(run->guest.net, &limit);
        return 0;
    case DRAIN:
        drain(run);
        return 0;
    default:
        synchronize(run);
        return 0;
    }
}

static void
open_ends(Run *run)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        abort();
    run->ours = ends[0];
    run->peer = ends[1];
}

static void
make_guest(Run *run)
{
    guest_net_init(&run->guest);
    run->guest.config.memory = RAM_BYTES;
    run->guest.device.net.mtu = 1500;
    run->guest.device.net.backend =
        (EngineNetBackendConfig){ .kind = ENGINE_NET_STREAM, .fd = run->ours };
    guest_net_realize(&run->guest);
    run->link = true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Run *run = g_new0(Run, 1);
    size_t from = sizeof(Head);
    Head head = { 0 };

    memcpy(&head, data, MIN(size, sizeof(head)));
    run->features = head.features;
    open_ends(run);
    make_guest(run);
    start(run);
    for (unsigned i = 0; i < STEPS_MAX && from + sizeof(Step) <= size; i++) {
        Step step;

        memcpy(&step, data + from, sizeof(step));
        from += sizeof(step);
        from += act(run, &step, data + from, size - from);
    }
    synchronize(run);
    fake_engine_free(run->guest.engine);
    close(run->ours);
    close(run->peer);
    g_free(run);
    return 0;
}
