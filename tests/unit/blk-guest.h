/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/virtio_blk.h>

#include "guest-virtio.h"

/*
 * A guest with a virtio-blk at 00:05.0 and its driver: requests of up to
 * BLK_BUFFERS, each with a page-aligned place of its own for header, status and
 * data.
 */
#define BLK_SLOT      5
#define BLK_BAR       ENGINE_PCI_HOLE_BASE
#define BLK_QUEUES    4
#define BLK_ENTRIES   64 /* of a ring */
#define BLK_PLACES    64 /* requests at once */
#define BLK_DATA_MAX  0x10000
#define BLK_RINGS     0x100000 /* from here on, a megabyte each */
#define BLK_AREA      0x800000 /* of the places */
#define BLK_PLACE     (BLK_DATA_MAX + 0x1000)
#define BLK_MEMORY    (BLK_AREA + (BLK_PLACES + 1) * BLK_PLACE)
#define BLK_BUFFERS   12
#define BLK_NO_STATUS 0xfe
#define BLK_PATIENCE  (10 * G_USEC_PER_SEC)
#define BLK_MSI       0x20 /* + the queue's number: data of its message */

typedef struct BlkGuest {
    EngineConfig config;
    EngineDeviceConfig device;
    Engine *engine;
    EngineDevice *disk;
    GuestVirtio virtio;
    GuestQueue queues[BLK_QUEUES];
    uint64_t features; /* agreed on */
} BlkGuest;

/** blk_guest_init: with guest->device filled in but for its place */
static inline void
blk_guest_init(BlkGuest *guest, const EngineDeviceType *type,
               const EngineDeviceType *pci)
{
    guest->device.id = (char *)"virtio-disk0";
    guest->device.kind = ENGINE_DEVICE_VIRTIO_BLK;
    guest->device.slot = BLK_SLOT;
    guest->device.packed = true;
    guest->config.memory = BLK_MEMORY;
    guest->engine = fake_engine_new(&guest->config, BLK_MEMORY);
    fake_device_new(guest->engine, pci, 0);
    guest->disk = fake_device_add(guest->engine, type, &guest->device);
    guest_virtio_init(&guest->virtio, guest->engine, BLK_SLOT, BLK_BAR);
    for (unsigned i = 0; i <= guest->device.blk.queues; i++)
        guest_virtio_set_vector(&guest->virtio, BLK_BAR, i, BLK_MSI - 1 + i);
}

/** blk_guest_go: a driver that wants @features of those offered */
static inline void
blk_guest_go(BlkGuest *guest, uint64_t features)
{
    unsigned count = MIN(guest->device.blk.queues, BLK_QUEUES);

    guest->features = features & guest_virtio_offered(&guest->virtio);
    guest_virtio_begin(&guest->virtio, guest->features);
    guest_virtio_set(&guest->virtio, VIRTIO_PCI_COMMON_MSIX, 2, 0);
    for (unsigned i = 0; i < count; i++) {
        guest_queue_init_at(&guest->queues[i], fake_ram(guest->engine),
                            BLK_RINGS * (i + 1ull), BLK_ENTRIES,
                            guest->features);
        guest_virtio_add_queue(&guest->virtio, i, &guest->queues[i],
                               (uint16_t)(i + 1));
    }
    guest_virtio_go(&guest->virtio);
}

/* The place of request @place: header, status, then the data. */
static inline uint64_t
blk_header_gpa(unsigned place)
{
    return BLK_AREA + (uint64_t)place * BLK_PLACE;
}

static inline uint64_t
blk_status_gpa(unsigned place)
{
    return blk_header_gpa(place) + 0x100;
}

static inline uint64_t
blk_data_gpa(unsigned place)
{
    return blk_header_gpa(place) + 0x1000;
}

static inline uint8_t *
blk_data(const BlkGuest *guest, unsigned place)
{
    return fake_ram(guest->engine) + blk_data_gpa(place);
}

static inline uint8_t
blk_status(const BlkGuest *guest, unsigned place)
{
    return fake_ram(guest->engine)[blk_status_gpa(place)];
}

/** blk_put_header: of the request in @place */
static inline void
blk_put_header(const BlkGuest *guest, unsigned place, uint32_t type,
               uint64_t sector)
{
    struct virtio_blk_outhdr header = { type, 0, sector };
    uint8_t *ram = fake_ram(guest->engine);

    memcpy(ram + blk_header_gpa(place), &header, sizeof(header));
    ram[blk_status_gpa(place)] = BLK_NO_STATUS;
}

/** blk_guest_add: offer a request with its data in one buffer. Returns: id */
static inline uint16_t
blk_guest_add(BlkGuest *guest, unsigned queue, unsigned place, uint32_t type,
              uint64_t sector, uint32_t size)
{
    GuestBuffer buffers[3] = { { blk_header_gpa(place), 16, false } };
    unsigned count = 1;

    blk_put_header(guest, place, type, sector);
    if (size > 0)
        buffers[count++] = (GuestBuffer){ blk_data_gpa(place), size,
                                          type == VIRTIO_BLK_T_IN ||
                                              type == VIRTIO_BLK_T_GET_ID };
    buffers[count++] = (GuestBuffer){ blk_status_gpa(place), 1, true };
    return guest_queue_add(&guest->queues[queue], buffers, count);
}

/** blk_guest_wait: for @count answers in @queue. Returns: whether they came */
static inline bool
blk_guest_wait(BlkGuest *guest, unsigned queue, unsigned count)
{
    gint64 end = g_get_monotonic_time() + BLK_PATIENCE;

    while (count > 0) {
        uint32_t written;
        uint16_t id;

        if (guest_queue_take(&guest->queues[queue], &id, &written))
            count--;
        else if (g_get_monotonic_time() > end)
            return false;
        else
            g_usleep(50);
    }
    return true;
}

/** blk_guest_do: one request and its answer. Returns: the status, or
 * BLK_NO_STATUS */
static inline uint8_t
blk_guest_do(BlkGuest *guest, uint32_t type, uint64_t sector, uint32_t size)
{
    blk_guest_add(guest, 0, 0, type, sector, size);
    guest_virtio_kick(&guest->virtio, 0);
    (void)blk_guest_wait(guest, 0, 1);
    return blk_status(guest, 0);
}
