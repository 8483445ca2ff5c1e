/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/* A virtio disk over an image that does what a test tells it to. */
#include <errno.h>
#include <stdlib.h>

#include "blk-guest.h"
#include "engine/control-command.h"
#include "engine/dev/dev.h"
#include "engine/virtio/blk-host.h"
#include "engine/virtio/devices.h"
#include "fake-block.h"

#define SECTORS   2048
#define VERSION_1 GUEST_FEATURE(VIRTIO_F_VERSION_1)
#define EVENT     GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT  GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED    GUEST_FEATURE(VIRTIO_F_RING_PACKED)
#define BLK(NAME) GUEST_FEATURE(VIRTIO_BLK_F_##NAME)
#define ALL       UINT64_MAX

typedef struct Fixture {
    BlkGuest guest;
    FakeDisk *disk;
} Fixture;

static inline Fixture *
fixture_new(void)
{
    Fixture *f = calloc(1, sizeof(*f));

    f->disk = fake_disk_new(SECTORS * 512);
    f->guest.device.blk = (EngineBlkConfig){
        .queues = 1,
        .queue_size = BLK_ENTRIES,
        .drive = { .fd = -1, .path = (char *)"fake", .writable = true },
        .serial = (char *)"a-serial",
        .logical_block_size = 512,
        .discard = true,
        .write_cache = true,
        .werror = ENGINE_BLK_ENOSPACE,
    };
    return f;
}

static inline void
make(Fixture *f)
{
    blk_guest_init(&f->guest, &engine_virtio_blk_type, &engine_pci_type);
}

static inline int
setup(void **state)
{
    *state = fixture_new();
    return 0;
}

static inline int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->guest.engine);
    assert_int_equal(f->disk->strays, 0);
    fake_disk_free(f->disk);
    free(f);
    return 0;
}

static inline uint64_t
config_at(Fixture *f, unsigned offset, unsigned size)
{
    return fake_mmio_read(f->guest.engine, f->guest.virtio.config + offset,
                          size);
}

#define CONFIG(f, member)                                    \
    config_at(f, offsetof(struct virtio_blk_config, member), \
              sizeof(((struct virtio_blk_config *)0)->member))

static inline bool
needs_reset(Fixture *f)
{
    gint64 end = g_get_monotonic_time() + BLK_PATIENCE;
    uint8_t status;

    do {
        status = guest_virtio_status(&f->guest.virtio);
    } while (!(status & VIRTIO_CONFIG_S_NEEDS_RESET) &&
             g_get_monotonic_time() < end);
    return status & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static inline unsigned
flying(Fixture *f)
{
    return __atomic_load_n(&f->disk->in_flight, __ATOMIC_SEQ_CST);
}

static inline void
await_flying(Fixture *f, unsigned count)
{
    gint64 end = g_get_monotonic_time() + BLK_PATIENCE;

    while (flying(f) != count && g_get_monotonic_time() < end)
        g_usleep(50);
    assert_int_equal(flying(f), count);
}

static inline EngineBlkInfo
info(Fixture *f)
{
    EngineBlkInfo got;

    engine_blk_info(f->guest.disk, &got);
    return got;
}
