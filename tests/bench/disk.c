/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest's driver, in shared memory, that keeps a virtio-blk busy: the device
 * with its I/O thread, its image and nothing else; no KVM. Kicks and interrupts
 * are eventfds, as under KVM. The guest sleeps while it has nothing to do, or,
 * with --polls, looks at its ring all the time: then what is measured is the
 * device without the time that the guest takes to wake up.
 *
 *     bench-disk [--polls] FORMAT FILE PATTERN SIZE DEPTH SECONDS
 *                [BACKING-FORMAT BACKING]
 *
 * PATTERN is read, write, randread or randwrite; SIZE that of a request. Prints
 * requests a second.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../unit/guest-virtio.h"
#include "engine/dev/dev.h"
#include "engine/virtio/blk-host.h"
#include "engine/virtio/devices.h"

#include <linux/virtio_blk.h>

#define SLOT        5
#define BAR         ENGINE_PCI_HOLE_BASE
#define ENTRIES     256
#define DEPTH_MAX   64
#define REQUEST_MAX (1u << 20)
#define RINGS       0x1000000
#define PLACES      0x2000000
#define PLACE       (REQUEST_MAX + 0x1000) /* header and status, then the data */
#define MEMORY      (PLACES + DEPTH_MAX * PLACE)
#define FEATURES                                                             \
    (GUEST_FEATURE(VIRTIO_F_VERSION_1) | GUEST_FEATURE(VIRTIO_BLK_F_FLUSH) | \
     GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX) |                                \
     GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC))
#define MESSAGE 0x20

typedef struct Bench {
    Engine *engine;
    GuestVirtio virtio;
    GuestQueue queue;
    int irq_fd;
    bool write, random, polls;
    uint32_t size;
    unsigned depth;
    uint64_t blocks, next;    /* of the disk */
    unsigned places[ENTRIES]; /* by the request's id */
} Bench;

static uint64_t
place_gpa(unsigned place)
{
    return PLACES + (uint64_t)place * PLACE;
}

static uint64_t
choose(Bench *bench)
{
    if (bench->random)
        bench->next =
            bench->next * 6364136223846793005ull + 1442695040888963407ull;
    else
        bench->next++;
    return (bench->random ? bench->next >> 20 : bench->next) % bench->blocks;
}

static void
add(Bench *bench, unsigned place)
{
    uint64_t gpa = place_gpa(place);
    struct virtio_blk_outhdr header = {
        .type = bench->write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
        .sector = choose(bench) * (bench->size / 512),
    };
    const GuestBuffer buffers[] = {
        { gpa, sizeof(header), false },
        { gpa + 0x1000, bench->size, !bench->write },
        { gpa + 0x100, 1, true },
    };

    memcpy(fake_ram(bench->engine) + gpa, &header, sizeof(header));
    bench->places[guest_queue_add(&bench->queue, buffers, 3)] = place;
}

static void
kick(Bench *bench, uint16_t before)
{
    if (guest_queue_needs_kick(&bench->queue, before))
        guest_virtio_kick(&bench->virtio, 0);
}

/* Takes what is done and asks for as much. Returns: how many */
static unsigned
turn(Bench *bench)
{
    uint16_t id, before = bench->queue.next;
    uint32_t written;
    unsigned count = 0;

    while (guest_queue_take(&bench->queue, &id, &written)) {
        unsigned place = bench->places[id];

        if (fake_ram(bench->engine)[place_gpa(place) + 0x100] != 0)
            g_error("a request failed");
        add(bench, place);
        count++;
    }
    if (count > 0)
        kick(bench, before);
    return count;
}

static uint64_t
run(Bench *bench, double seconds)
{
    gint64 end = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
    uint64_t count = 0;
    eventfd_t messages;
    uint16_t before = bench->queue.next;

    for (unsigned i = 0; i < bench->depth; i++)
        add(bench, i);
    kick(bench, before);
    while (g_get_monotonic_time() < end) {
        unsigned done = turn(bench);

        count += done;
        if (done > 0)
            continue;
        if (bench->polls) {
            __builtin_ia32_pause();
            continue;
        }
        guest_queue_want(&bench->queue, 0);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if ((done = turn(bench)) > 0)
            count += done;
        else
            (void)eventfd_read(bench->irq_fd, &messages);
    }
    return count;
}

static int
open_image(const char *path, int flags)
{
    int fd = open(path, flags | O_DIRECT | O_CLOEXEC);

    if (fd < 0)
        g_error("%s: %s", path, g_strerror(errno));
    return fd;
}

static EngineDriveFormat
format_of(const char *name)
{
    return strcmp(name, "qcow2") == 0 ? ENGINE_DRIVE_QCOW2 : ENGINE_DRIVE_RAW;
}

static void
begin(Bench *bench, const EngineDeviceConfig *config)
{
    EngineDevice *disk;
    EngineBlkInfo info;

    fake_allow_ioevents(bench->engine);
    fake_device_new(bench->engine, &engine_pci_type, 0);
    disk = fake_device_add(bench->engine, &engine_virtio_blk_type, config);
    engine_blk_info(disk, &info);
    bench->blocks = info.image.size / bench->size;
    guest_virtio_init(&bench->virtio, bench->engine, SLOT, BAR);
    guest_virtio_set_vector(&bench->virtio, BAR, 1, MESSAGE);
    guest_virtio_begin(&bench->virtio, FEATURES);
    guest_queue_init_at(&bench->queue, fake_ram(bench->engine), RINGS, ENTRIES,
                        FEATURES);
    guest_virtio_add_queue(&bench->virtio, 0, &bench->queue, 1);
    guest_virtio_go(&bench->virtio);
}

int
main(int argc, char **argv)
{
    EngineConfig machine = { .memory = MEMORY };
    EngineDeviceConfig config = {
        .id = (char *)"virtio-disk0",
        .kind = ENGINE_DEVICE_VIRTIO_BLK,
        .slot = SLOT,
        .blk = { .queues = 1,
                 .queue_size = ENTRIES,
                 .logical_block_size = 512,
                 .write_cache = true },
    };
    EngineDriveConfig *drive = &config.blk.drive, backing = { 0 };
    g_autofree Bench *bench = g_new0(Bench, 1);
    double seconds;
    uint64_t count;

    if (argc > 1 && strcmp(argv[1], "--polls") == 0) {
        bench->polls = true;
        argv++;
        argc--;
    }
    if (argc != 7 && argc != 9)
        g_error("usage: bench-disk [--polls] FORMAT FILE PATTERN SIZE DEPTH "
                "SECONDS [BACKING-FORMAT BACKING]");
    *drive = (EngineDriveConfig){ .format = format_of(argv[1]),
                                  .fd = open_image(argv[2], O_RDWR),
                                  .path = argv[2],
                                  .writable = true,
                                  .direct = true };
    if (argc == 9) {
        backing = (EngineDriveConfig){ .format = format_of(argv[7]),
                                       .fd = open_image(argv[8], O_RDONLY),
                                       .path = argv[8],
                                       .direct = true };
        drive->backing = &backing;
    }
    bench->irq_fd = eventfd(0, EFD_CLOEXEC);
    bench->write = strstr(argv[3], "write") != NULL;
    bench->random = strncmp(argv[3], "rand", 4) == 0;
    bench->size = (uint32_t)strtoul(argv[4], NULL, 10);
    bench->depth = (unsigned)strtoul(argv[5], NULL, 10);
    seconds = strtod(argv[6], NULL);
    if (bench->size < 512 || bench->size > REQUEST_MAX || bench->depth < 1 ||
        bench->depth > DEPTH_MAX)
        g_error("SIZE or DEPTH is out of range");
    bench->engine = fake_engine_new(&machine, MEMORY);
    fake_msi_listen(bench->engine, bench->irq_fd);
    begin(bench, &config);
    count = run(bench, seconds);
    printf("%.1f\n", (double)count / seconds);
    fake_engine_free(bench->engine);
    return 0;
}
