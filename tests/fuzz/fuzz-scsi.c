/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest with a disk and a drive for discs on virtio-scsi that puts what it
 * likes into its rings, commands and registers, while the host fails, stops,
 * resizes, limits and changes the medium. The input is a Head (what is offered
 * and agreed on), then steps of 24 bytes. Whatever comes, no request leaves the
 * disk or the guest's memory.
 */
#include <config.h>

#include <errno.h>
#include <linux/virtio_scsi.h>
#include <stdint.h>
#include <string.h>

#include "../unit/fake-block.h"
#include "../unit/guest-virtio.h"
#include "engine/dev/dev.h"
#include "engine/scsi/unit.h"
#include "engine/virtio/devices.h"

#define SLOT      3
#define BAR       ENGINE_PCI_HOLE_BASE
#define RAM_BYTES 0xa0000
#define DISK      0x20000
#define DISK_MAX  0x40000
#define ENTRIES   16
#define QUEUES    4 /* control, events, two of commands */
#define RINGS     0x20000
#define DATA      0x80000
#define STEPS_MAX 1024
#define HEADER    offsetof(struct virtio_scsi_cmd_req, cdb)

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
    uint8_t sizes[4]; /* of buffers, by the table */
    uint8_t cdb[16];
} Step;

enum {
    COMMAND, /* where: target, unit, shape of the chain; cdb */
    MANAGE,
    LISTEN,
    POKE, /* a word of the rings */
    SCRIBBLE,
    KICK,
    CONFIG,
    COMMON_WRITE,
    RENEW,
    HOLD,
    FAIL,
    STOP_AND_GO,
    RESET,
    RESIZE,
    THROTTLE,
    MEDIUM,
    KINDS
};

typedef struct Run {
    EngineDeviceConfig controller, disk, disc;
    Engine *engine;
    EngineDevice *device, *units[2];
    FakeDisk *fake;
    GuestVirtio guest;
    GuestQueue queues[QUEUES];
    uint64_t features;
} Run;

/* Sizes of buffers that mean something, and some that don't. */
static const uint32_t sizes[] = { 0,   1,    18,  36,  50,     51,   52,  107,
                                  108, 109,  255, 512, 2048,   4096, 511, 8,
                                  40,  1024, 24,  16,  0x8000, 12,   4,   2 };

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

static uint32_t
size_of(const Step *step, unsigned index)
{
    return sizes[step->sizes[index] % G_N_ELEMENTS(sizes)];
}

/* Header, data to read, response, data to write; whole, or of any sizes */
static void
add_command(Run *run, const Step *step)
{
    struct virtio_scsi_cmd_req request = { .lun = { 1, step->where & 1, 0x40,
                                                    step->where >> 1 & 1 },
                                           .tag = step->value };
    GuestBuffer buffers[4] = { { DATA, HEADER + 32, false },
                               { DATA + 0x1000, size_of(step, 1), false },
                               { DATA + 0x9000, 108, true },
                               { DATA + 0xa000, size_of(step, 3), true } };
    GuestBuffer used[4];
    unsigned count = 0;

    memcpy(request.cdb, step->cdb, sizeof(step->cdb));
    memcpy(fake_ram(run->engine) + DATA, &request, sizeof(request));
    if (step->where & 0x80)
        buffers[0].size = size_of(step, 0);
    if (step->where & 0x40)
        buffers[2].size = size_of(step, 2);
    for (unsigned i = 0; i < 4; i++)
        if (buffers[i].size > 0)
            used[count++] = buffers[i];
    if (count == 0)
        return;
    guest_queue_add(&run->queues[2 + (step->where >> 2 & 1)], used, count);
    guest_virtio_kick(&run->guest, 2 + (step->where >> 2 & 1));
}

static void
add_control(Run *run, const Step *step)
{
    GuestBuffer buffers[2] = { { DATA + 0x200, 24, false },
                               { DATA + 0x300, 8, true } };

    memcpy(fake_ram(run->engine) + DATA + 0x200, step->cdb, 16);
    memcpy(fake_ram(run->engine) + DATA + 0x210, &step->value, 2);
    if (step->where & 1)
        buffers[0].size = 1 + step->sizes[0] % 32;
    if (step->where & 2)
        buffers[1].size = 1 + step->sizes[1] % 8;
    guest_queue_add(&run->queues[0], buffers, 2);
    guest_virtio_kick(&run->guest, 0);
}

static void
listen_for(Run *run, const Step *step)
{
    const GuestBuffer buffer = { DATA + 0x400,
                                 step->where & 1 ? 16u : 1 + step->value % 32u,
                                 true };

    guest_queue_add(&run->queues[1], &buffer, 1);
    guest_virtio_kick(&run->guest, 1);
}

static void
stop_and_go(Run *run)
{
    EngineIo *io = engine_io(run->engine, 0, NULL);

    engine_io_pause(io);
    for (unsigned i = 0; i < 2; i++)
        engine_scsi_unit_type.drain(run->units[i]);
    g_assert(run->fake->in_flight == 0);
    for (unsigned i = 0; i < 2; i++)
        engine_scsi_unit_type.resume(run->units[i]);
    engine_io_resume(io);
}

static void
change_medium(Run *run, const Step *step)
{
    EngineDriveConfig *drive = NULL;

    if (step->where & 1) {
        drive = g_new0(EngineDriveConfig, 1);
        drive->fd = -1;
        drive->path = g_strdup("fake");
    }
    if (step->where & 2)
        (void)engine_scsi_is_locked(run->units[1]);
    if (!engine_scsi_change_medium(run->units[1], drive, NULL))
        engine_drive_config_free(drive);
}

static void
set_throttle(Run *run, const Step *step)
{
    EngineThrottleConfig config = { .group =
                                        step->where & 1 ? (char *)"g" : NULL };

    config.rates[step->where % ENGINE_THROTTLE_KINDS].average = step->value;
    (void)engine_disk_set_throttle(
        &((ScsiUnit *)run->units[step->sizes[0] & 1])->disk, &config, NULL);
}

static void
act_host(Run *run, const Step *step, unsigned kind)
{
    static const int failures[] = { 0, -EIO, -ENOSPC, 0 };

    if (kind == HOLD)
        fake_disk_hold(run->fake, step->where & 1);
    else if (kind == FAIL)
        __atomic_store_n(&run->fake->fail, failures[step->where & 3],
                         __ATOMIC_SEQ_CST);
    else if (kind == STOP_AND_GO)
        stop_and_go(run);
    else if (kind == RESET)
        run->units[step->where & 1]->type->reset(run->units[step->where & 1]);
    else if (kind == RESIZE)
        (void)engine_scsi_resize(
            run->units[0],
            MIN(DISK + (step->value & 0xff) * 512u, DISK_MAX) |
                (step->where & 1),
            NULL);
    else if (kind == MEDIUM)
        change_medium(run, step);
    else
        set_throttle(run, step);
}

static void
act(Run *run, const Step *step)
{
    unsigned kind = step->what % KINDS, width = 1u << (step->where & 3);
    uint8_t *ram = fake_ram(run->engine);
    uint32_t place =
        (uint32_t)(step->cdb[0] << 16 | step->cdb[1] << 8 | step->cdb[2]);
    uint64_t value;

    memcpy(&value, step->cdb + 8, sizeof(value));
    switch (kind) {
    case COMMAND:
        add_command(run, step);
        break;
    case MANAGE:
        add_control(run, step);
        break;
    case LISTEN:
        listen_for(run, step);
        break;
    case POKE:
        memcpy(ram + ((place % (RINGS * QUEUES)) & ~1u), &step->value,
               sizeof(step->value));
        break;
    case SCRIBBLE:
        memset(ram + DATA + step->value % 0x8000, step->where,
               step->cdb[0] * 16u);
        memcpy(ram + DATA + 0x1000, step->cdb, sizeof(step->cdb));
        break;
    case KICK:
        guest_virtio_kick(&run->guest, step->where % (QUEUES + 1));
        break;
    case CONFIG:
        (void)fake_mmio_read(run->engine,
                             run->guest.config + step->value % 0x1000, width);
        fake_mmio_write(run->engine, run->guest.config + step->value % 0x40,
                        width, value);
        break;
    case COMMON_WRITE:
        guest_virtio_set(&run->guest, step->value % 64, width, value);
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
    run->controller = (EngineDeviceConfig){
        .id = (char *)"scsi0",
        .kind = ENGINE_DEVICE_VIRTIO_SCSI,
        .slot = SLOT,
        .packed = true,
        .scsi = { 2, ENTRIES, 8, 1024 },
    };
    run->disk = (EngineDeviceConfig){
        .id = (char *)"scsi0-0-0-0",
        .kind = ENGINE_DEVICE_UNIT,
        .unit = { .controller = (char *)"scsi0" },
    };
    run->disk.blk = (EngineBlkConfig){
        .drive = { .fd = -1,
                   .path = (char *)"fake",
                   .writable = !(head->disk & 1) },
        .serial = head->disk & 128 ? (char *)"serial" : NULL,
        .logical_block_size = head->disk & 2 ? 4096 : 512,
        .discard = head->disk & 4,
        .detect_zeroes = (EngineBlkZeroes)((head->disk >> 3) % 3),
        .write_cache = head->disk & 32,
        .ignore_flush = head->disk & 64,
        .werror = (EngineBlkPolicy)(head->policy & 3),
        .rerror = (EngineBlkPolicy)((head->policy >> 2) % 3),
    };
    run->disc = run->disk;
    run->disc.id = (char *)"scsi0-0-0-1";
    run->disc.unit.kind = ENGINE_UNIT_CDROM;
    run->disc.unit.lun = 1;
    run->disc.blk.readonly = true;
    run->fake = fake_disk_new(DISK);
    fake_device_new(run->engine, &engine_pci_type, 0);
    run->device = fake_device_add(run->engine, &engine_virtio_scsi_type,
                                  &run->controller);
    run->units[0] =
        fake_device_add(run->engine, &engine_scsi_unit_type, &run->disk);
    run->units[1] =
        fake_device_add(run->engine, &engine_scsi_unit_type, &run->disc);
    guest_virtio_init(&run->guest, run->engine, SLOT, BAR);
    run->features =
        guest_virtio_offered(&run->guest) & ~((uint64_t)head->features & 7) &
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

    engine_disk_info(&((ScsiUnit *)run->units[0])->disk, &info);
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
    g_assert(run->fake->strays == 0 && run->fake->in_flight == 0);
    fake_disk_free(run->fake);
    return 0;
}
