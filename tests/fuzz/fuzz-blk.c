/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest with a disk that puts what it likes into its rings, requests and
 * registers, while the host fails, stops, resizes and limits the disk. The
 * input is a Head (what is offered and agreed on), then steps of eight bytes.
 * Whatever comes, no request leaves the disk or the guest's memory.
 */
#include <config.h>

#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdint.h>
#include <string.h>

#include "../unit/fake-block.h"
#include "../unit/guest-virtio.h"
#include "engine/dev/dev.h"
#include "engine/virtio/blk-host.h"
#include "engine/virtio/devices.h"

#define SLOT      3
#define BAR       ENGINE_PCI_HOLE_BASE
#define RAM_BYTES 0x80000
#define DISK      0x20000
#define DISK_MAX  0x40000
#define ENTRIES   16
#define QUEUES    2
#define RINGS     0x20000 /* from here on, and as much for each */
#define DATA      0x60000
#define STEPS_MAX 2048
#define BUFFERS   8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Head {
    uint8_t ring;     /* bits: packed, event index, indirect */
    uint8_t disk;     /* bits: see make() */
    uint8_t features; /* of the device's own, which are not accepted */
    uint8_t policy;   /* two bits of werror, two of rerror */
} Head;

typedef struct Step {
    uint8_t what, where;
    uint16_t value;
    uint32_t more;
} Step;

enum {
    REQUEST, /* where: type and buffers, value: sector, more: sizes */
    POKE,    /* a word of the rings */
    SCRIBBLE,
    KICK,
    CONFIG_READ,
    CONFIG_WRITE,
    COMMON_WRITE,
    RENEW, /* the driver begins again */
    HOLD,
    FAIL,
    STOP_AND_GO,
    RESET,
    RESIZE,
    THROTTLE,
    KINDS
};

typedef struct Run {
    EngineDeviceConfig config;
    Engine *engine;
    EngineDevice *device;
    FakeDisk *disk;
    GuestVirtio guest;
    GuestQueue queues[QUEUES];
    uint64_t features;
} Run;

static const uint32_t types[] = {
    VIRTIO_BLK_T_IN,     VIRTIO_BLK_T_OUT,          VIRTIO_BLK_T_FLUSH,
    VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD,      VIRTIO_BLK_T_WRITE_ZEROES,
    VIRTIO_BLK_T_IN,     VIRTIO_BLK_T_SECURE_ERASE,
};

/* Sizes of buffers that mean something, and some that don't. */
static const uint32_t sizes[] = { 0,    1,    15, 16, 17,   511,     512, 513,
                                  1024, 4096, 32, 48, 8192, 0x10000, 2,   496 };

static void
renew(Run *run)
{
    guest_virtio_begin(&run->guest, run->features);
    for (unsigned i = 0; i < QUEUES; i++) {
        guest_queue_init_at(&run->queues[i], fake_ram(run->engine), RINGS * i,
                            ENTRIES, run->features);
        guest_virtio_add_queue(&run->guest, i, &run->queues[i],
                               (uint16_t)(i + 1));
    }
    guest_virtio_go(&run->guest);
}

/* A chain that may be a request: header, data, status, more or less. */
static void
add_request(Run *run, const Step *step)
{
    GuestBuffer buffers[BUFFERS];
    unsigned count = 1 + (step->where >> 3) % BUFFERS;
    uint32_t type = types[step->where & 7];
    struct virtio_blk_outhdr header = { type, 0, step->value };
    uint64_t gpa = DATA + (step->more & 0xf00);
    bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;

    if (step->value & 0x8000)
        header.sector = UINT64_MAX - (step->value & 0x7fff);
    memcpy(fake_ram(run->engine) + gpa, &header, sizeof(header));
    for (unsigned i = 0; i < count; i++) {
        uint32_t size = sizes[step->more >> (4 * (i % 8)) & 15];

        buffers[i] = (GuestBuffer){ gpa, size, in && i > 0 };
        gpa += size;
    }
    if (step->where & 0x40)
        buffers[0].size = sizeof(header);
    if (step->where & 0x80)
        buffers[count - 1] = (GuestBuffer){ gpa, 1, true };
    guest_queue_add(&run->queues[step->what & 1], buffers, count);
}

static void
stop_and_go(Run *run)
{
    EngineIo *io = engine_io(run->engine, 0, NULL);

    engine_io_pause(io);
    engine_virtio_blk_type.drain(run->device);
    g_assert(run->disk->in_flight == 0);
    engine_virtio_blk_type.resume(run->device);
    engine_io_resume(io);
}

static void
set_throttle(Run *run, const Step *step)
{
    EngineThrottleConfig config = { .group =
                                        step->where & 1 ? (char *)"g" : NULL };

    config.rates[step->where % ENGINE_THROTTLE_KINDS].average = step->value;
    config.size_iops = step->more & 0xffff;
    (void)engine_blk_set_throttle(run->device, &config, NULL);
}

static void
act_host(Run *run, const Step *step, unsigned kind)
{
    static const int failures[] = { 0, -EIO, -ENOSPC, 0 };

    if (kind == HOLD)
        fake_disk_hold(run->disk, step->where & 1);
    else if (kind == FAIL)
        __atomic_store_n(&run->disk->fail, failures[step->where & 3],
                         __ATOMIC_SEQ_CST);
    else if (kind == STOP_AND_GO)
        stop_and_go(run);
    else if (kind == RESET)
        engine_virtio_blk_type.reset(run->device);
    else if (kind == RESIZE)
        (void)engine_blk_resize(
            run->device,
            MIN(DISK + (step->value & 0xff) * 512u, DISK_MAX) |
                (step->where & 1),
            NULL);
    else
        set_throttle(run, step);
}

static void
act(Run *run, const Step *step)
{
    unsigned kind = (step->what >> 1) % KINDS, width = 1u << (step->where & 3);
    uint8_t *ram = fake_ram(run->engine);

    switch (kind) {
    case REQUEST:
        add_request(run, step);
        break;
    case POKE:
        memcpy(ram + ((step->more % (RINGS * QUEUES)) & ~1u), &step->value,
               sizeof(step->value));
        break;
    case SCRIBBLE:
        memset(ram + DATA + step->value % 0x8000, step->where,
               step->more % 0x1000);
        break;
    case KICK:
        guest_virtio_kick(&run->guest, step->where % (QUEUES + 1));
        break;
    case CONFIG_READ:
        (void)fake_mmio_read(run->engine,
                             run->guest.config + step->value % 0x1000, width);
        break;
    case CONFIG_WRITE:
        fake_mmio_write(run->engine, run->guest.config + step->value % 0x1000,
                        width, step->more);
        break;
    case COMMON_WRITE:
        guest_virtio_set(&run->guest, step->value % 64, width, step->more);
        break;
    case RENEW:
        renew(run);
        break;
    default:
        act_host(run, step, kind);
        break;
    }
}

static void
make(Run *run, const Head *head)
{
    EngineBlkConfig *blk = &run->config.blk;

    run->config = (EngineDeviceConfig){
        .id = (char *)"virtio-disk0",
        .kind = ENGINE_DEVICE_VIRTIO_BLK,
        .slot = SLOT,
        .packed = true,
    };
    *blk = (EngineBlkConfig){
        .queues = QUEUES,
        .queue_size = ENTRIES,
        .drive = { .fd = -1,
                   .path = (char *)"fake",
                   .writable = !(head->disk & 1) },
        .serial = (char *)"serial",
        .logical_block_size = head->disk & 2 ? 4096 : 512,
        .discard = head->disk & 4,
        .detect_zeroes = (EngineBlkZeroes)((head->disk >> 3) % 3),
        .write_cache = head->disk & 32,
        .ignore_flush = head->disk & 64,
        .werror = (EngineBlkPolicy)(head->policy & 3),
        .rerror = (EngineBlkPolicy)((head->policy >> 2) % 3),
    };
    run->disk = fake_disk_new(DISK);
    fake_device_new(run->engine, &engine_pci_type, 0);
    run->device =
        fake_device_add(run->engine, &engine_virtio_blk_type, &run->config);
    guest_virtio_init(&run->guest, run->engine, SLOT, BAR);
    run->features =
        guest_virtio_offered(&run->guest) & ~((uint64_t)head->features << 6) &
        ~(!(head->ring & 1) * GUEST_FEATURE(VIRTIO_F_RING_PACKED)) &
        ~(!(head->ring & 2) * GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX)) &
        ~(!(head->ring & 4) * GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
    renew(run);
}

/* Until the I/O thread has seen to all that it was told. */
static void
settle(Run *run)
{
    EngineBlkInfo info;

    engine_blk_info(run->device, &info);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const EngineConfig machine = { .memory = RAM_BYTES };
    g_autofree Run *run = g_new0(Run, 1);
    Head head;
    Step step;

    if (size < sizeof(head))
        return 0;
    memcpy(&head, data, sizeof(head));
    data += sizeof(head);
    size -= sizeof(head);
    run->engine = fake_engine_new(&machine, RAM_BYTES);
    make(run, &head);
    for (size_t i = 0; i < MIN(size / sizeof(step), STEPS_MAX); i++) {
        memcpy(&step, data + i * sizeof(step), sizeof(step));
        act(run, &step);
        settle(run);
    }
    fake_engine_free(run->engine);
    g_assert(run->disk->strays == 0 && run->disk->in_flight == 0);
    fake_disk_free(run->disk);
    return 0;
}
