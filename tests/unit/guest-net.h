/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/virtio_net.h>

#include "engine/config-device.h"
#include "engine/dev/dev.h"
#include "engine/dev/pci.h"
#include "engine/virtio/devices.h"
#include "engine/virtio/net.h"
#include "guest-virtio.h"

/*
 * A guest with a network interface: a driver of virtio 1.2, 5.1, that posts
 * buffers, sends frames from its memory and takes those that came. A test makes
 * the `device` and calls guest_net_realize().
 */
#define GUEST_NET_SLOT        5
#define GUEST_NET_BAR         ENGINE_PCI_HOLE_BASE
#define GUEST_NET_MEMORY      0x2000000
#define GUEST_NET_QUEUES      0x100000 /* one each */
#define GUEST_NET_QUEUE       0x40000
#define GUEST_NET_RECEIVE     0x1000000 /* buffers of pair 0, of pair 1 ... */
#define GUEST_NET_PAIR        0x100000
#define GUEST_NET_SEND        0x800000 /* frames, in turn */
#define GUEST_NET_FRAME       0x11000
#define GUEST_NET_TURNS       64
#define GUEST_NET_COMMAND     0x700000
#define GUEST_NET_SIZE        256 /* entries of a queue */
#define GUEST_NET_PATIENCE_US (5 * G_USEC_PER_SEC)
#define GUEST_NET_HEADER      sizeof(struct virtio_net_hdr_v1)
#define GUEST_NET_VERSION_1   GUEST_FEATURE(VIRTIO_F_VERSION_1)

typedef struct GuestNetPair {
    GuestQueue receive, send;
    uint64_t place[1024]; /* of a buffer, by the request's id */
    unsigned posted, sent;
} GuestNetPair;

typedef struct GuestNet {
    EngineConfig config;
    EngineDeviceConfig device;
    Engine *engine;
    EngineVirtioNet *net;
    GuestVirtio virtio;
    uint64_t features;
    unsigned pairs; /* with queues */
    uint32_t buffer_size;
    GuestNetPair pair[ENGINE_NET_PAIRS_MAX];
    GuestQueue control;
} GuestNet;

static inline void
guest_net_init(GuestNet *guest)
{
    memset(guest, 0, sizeof(*guest));
    guest->config.memory = GUEST_NET_MEMORY;
    guest->buffer_size = 1526 + GUEST_NET_HEADER;
    guest->device = (EngineDeviceConfig){
        .kind = ENGINE_DEVICE_VIRTIO_NET,
        .id = (char *)"net0",
        .slot = GUEST_NET_SLOT,
        .packed = true,
        .net = { .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 },
                 .queues = 1,
                 .queue_size = GUEST_NET_SIZE,
                 .link = true,
                 .offload = true },
    };
}

static inline void
guest_net_realize(GuestNet *guest)
{
    guest->engine = fake_engine_new(&guest->config, GUEST_NET_MEMORY);
    fake_device_new(guest->engine, &engine_pci_type, 0);
    guest->net = engine_virtio_net_of(fake_device_add(
        guest->engine, &engine_virtio_net_type, &guest->device));
    guest_virtio_init(&guest->virtio, guest->engine, GUEST_NET_SLOT,
                      GUEST_NET_BAR);
}

/* --- queues --------------------------------------------------------------- */
static inline void
guest_net_queue(GuestNet *guest, GuestQueue *queue, unsigned index)
{
    uint64_t at = GUEST_NET_QUEUES + (uint64_t)index * GUEST_NET_QUEUE;

    guest_queue_init(queue, fake_ram(guest->engine), GUEST_NET_SIZE,
                     guest->features);
    queue->descriptors = at;
    queue->driver = at + 0x4000;
    queue->device = at + 0x6000;
    queue->tables = at + 0x10000;
    memset(fake_ram(guest->engine) + at, 0, GUEST_NET_QUEUE);
}

static inline unsigned
guest_net_control_queue(const GuestNet *guest)
{
    bool several = guest->features & GUEST_FEATURE(VIRTIO_NET_F_MQ);

    return several ? 2 * guest->device.net.queues : 2;
}

/** guest_net_start: reset the device and drive it with @pairs of queues */
static inline void
guest_net_start(GuestNet *guest, uint64_t features, unsigned pairs)
{
    guest->features = features | GUEST_NET_VERSION_1;
    guest->pairs = pairs;
    guest_virtio_begin(&guest->virtio, guest->features);
    for (unsigned i = 0; i < pairs; i++) {
        GuestNetPair *pair = &guest->pair[i];

        pair->posted = pair->sent = 0;
        guest_net_queue(guest, &pair->receive, 2 * i);
        guest_net_queue(guest, &pair->send, 2 * i + 1);
        guest_virtio_add_queue(&guest->virtio, 2 * i, &pair->receive, 0xffff);
        guest_virtio_add_queue(&guest->virtio, 2 * i + 1, &pair->send, 0xffff);
    }
    if (features & GUEST_FEATURE(VIRTIO_NET_F_CTRL_VQ)) {
        unsigned index = guest_net_control_queue(guest);

        guest_net_queue(guest, &guest->control, index);
        guest_virtio_add_queue(&guest->virtio, index, &guest->control, 0xffff);
    }
    guest_virtio_go(&guest->virtio);
}

/* Has it all again what the driver must know: used entries. */
static inline bool
guest_net_wait(GuestQueue *queue, uint16_t *ret_id, uint32_t *ret_written,
               gint64 patience_us)
{
    gint64 end = g_get_monotonic_time() + patience_us;

    while (!guest_queue_take(queue, ret_id, ret_written)) {
        if (g_get_monotonic_time() > end)
            return false;
        g_usleep(50);
    }
    return true;
}

/* --- receiving ------------------------------------------------------------ */
static inline void
guest_net_offer(GuestNet *guest, unsigned index)
{
    GuestNetPair *pair = &guest->pair[index];
    uint64_t at =
        GUEST_NET_RECEIVE + (uint64_t)index * GUEST_NET_PAIR +
        (uint64_t)(pair->posted++ % GUEST_NET_SIZE) * guest->buffer_size;
    const GuestBuffer buffer = { at, guest->buffer_size, true };

    pair->place[guest_queue_add(&pair->receive, &buffer, 1)] = at;
}

/** guest_net_post: give it @count buffers to receive to */
static inline void
guest_net_post(GuestNet *guest, unsigned index, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        guest_net_offer(guest, index);
    guest_virtio_kick(&guest->virtio, 2 * index);
}

/**
 * guest_net_receive: take the next frame
 * @ret_header: as the device wrote it   @frame: room for ENGINE_NET_FRAME_MAX
 * Returns: its bytes; 0: none came in time
 */
static inline size_t
guest_net_receive(GuestNet *guest, unsigned index,
                  struct virtio_net_hdr_v1 *ret_header, uint8_t *frame,
                  gint64 patience_us)
{
    GuestNetPair *pair = &guest->pair[index];
    size_t size = 0, skip = GUEST_NET_HEADER;
    unsigned left = 1;
    uint16_t id;
    uint32_t written;

    if (!guest_net_wait(&pair->receive, &id, &written, patience_us))
        return 0;
    memcpy(ret_header, fake_ram(guest->engine) + pair->place[id],
           GUEST_NET_HEADER);
    if (guest->features & GUEST_FEATURE(VIRTIO_NET_F_MRG_RXBUF))
        left = ret_header->num_buffers;
    for (;;) {
        memcpy(frame + size, fake_ram(guest->engine) + pair->place[id] + skip,
               written - skip);
        size += written - skip;
        skip = 0;
        /* those that belong together are there together */
        if (--left == 0 || !guest_queue_take(&pair->receive, &id, &written))
            return left == 0 ? size : 0;
    }
}

/* --- sending -------------------------------------------------------------- */
/** guest_net_offer_frame: put it into the queue, without a kick */
static inline void
guest_net_offer_frame(GuestNet *guest, unsigned index,
                      const struct virtio_net_hdr_v1 *header, const void *frame,
                      size_t size)
{
    GuestNetPair *pair = &guest->pair[index];
    uint64_t at = GUEST_NET_SEND +
                  (uint64_t)(pair->sent++ % GUEST_NET_TURNS) * GUEST_NET_FRAME;
    uint8_t *ram = fake_ram(guest->engine) + at;
    const GuestBuffer buffers[] = {
        { at, GUEST_NET_HEADER, false },
        { at + GUEST_NET_HEADER, (uint32_t)size, false },
    };

    memcpy(ram, header, GUEST_NET_HEADER);
    memcpy(ram + GUEST_NET_HEADER, frame, size);
    guest_queue_add(&pair->send, buffers, size > 0 ? 2 : 1);
}

/** guest_net_sent: whether the device gave a frame back */
static inline bool
guest_net_sent(GuestNet *guest, unsigned index, gint64 patience_us)
{
    uint16_t id;
    uint32_t written;

    return guest_net_wait(&guest->pair[index].send, &id, &written, patience_us);
}

/** guest_net_send: and wait until the device gives it back */
static inline bool
guest_net_send(GuestNet *guest, unsigned index,
               const struct virtio_net_hdr_v1 *header, const void *frame,
               size_t size)
{
    guest_net_offer_frame(guest, index, header, frame, size);
    guest_virtio_kick(&guest->virtio, 2 * index + 1);
    return guest_net_sent(guest, index, GUEST_NET_PATIENCE_US);
}

/* --- commands ------------------------------------------------------------- */
/** guest_net_command: Returns: the answer, or 0xff if there is none */
static inline uint8_t
guest_net_command(GuestNet *guest, uint8_t class, uint8_t command,
                  const void *data, size_t size)
{
    uint8_t *ram = fake_ram(guest->engine) + GUEST_NET_COMMAND;
    const GuestBuffer buffers[] = {
        { GUEST_NET_COMMAND, (uint32_t)(2 + size), false },
        { GUEST_NET_COMMAND + 0x8000, 1, true },
    };
    uint16_t id;
    uint32_t written;

    ram[0] = class;
    ram[1] = command;
    if (size > 0)
        memcpy(ram + 2, data, size);
    ram[0x8000] = 0xee;
    guest_queue_add(&guest->control, buffers, 2);
    guest_virtio_kick(&guest->virtio, guest_net_control_queue(guest));
    if (!guest_net_wait(&guest->control, &id, &written, GUEST_NET_PATIENCE_US))
        return 0xff;
    return ram[0x8000];
}

/** guest_net_make: a frame from us to @to (NULL: to all), of @size bytes that
 * @seed tells from others */
static inline void
guest_net_make(uint8_t *frame, size_t size, const uint8_t *to, unsigned seed)
{
    static const uint8_t all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    for (size_t i = 0; i < size; i++)
        frame[i] = (uint8_t)(seed * 31 + i * 7 + i / 251);
    memcpy(frame, to ? to : all, MIN(size, 6));
    if (size >= 14) {
        frame[12] = 0x88; /* for experiments, as IEEE 802 has it */
        frame[13] = 0xb5;
    }
}
