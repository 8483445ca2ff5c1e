/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest that accesses every device as it likes. The input is a list of
 * accesses, eight bytes each: what (bits 0-1), size (bits 2-3), device (byte
 * 1), offset (two bytes), value (four). It is the guest's memory, too, where
 * the balloon and the ports find their rings.
 */
#include <config.h>

#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "../unit/fake-engine.h"
#include "engine/dev/dev.h"
#include "engine/virtio/devices.h"
#include "engine/x86/acpi.h"

#define ACCESSES_MAX 4096
#define RAM_BYTES    65536
#define BAR(SLOT)    (ENGINE_PCI_HOLE_BASE + ((SLOT)-RNG_SLOT) * 0x10000ull)
#define RNG_SLOT     3
#define BALLOON_SLOT 4
#define SERIAL_SLOT  5
#define QUEUES       6
#define QUEUE_SIZE   16
#define NOTIFY       0x3000 /* in a BAR */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Access {
    uint8_t what, device;
    uint16_t offset;
    uint32_t value;
} Access;

enum { WRITE = 1, RESET = 2, RUN_LOOP = 3 };

static const struct {
    EngineSpace space;
    uint64_t base;
    uint32_t size; /* offsets are taken modulo */
} targets[] = {
    { ENGINE_SPACE_PIO, 0x3f8, 8 },
    { ENGINE_SPACE_PIO, 0x2f8, 8 },
    { ENGINE_SPACE_PIO, 0x70, 2 },
    { ENGINE_SPACE_PIO, 0x60, 5 },
    { ENGINE_SPACE_PIO, 0x92, 1 },
    { ENGINE_SPACE_PIO, ENGINE_PM1_EVT_PORT, 0x40 },
    { ENGINE_SPACE_PIO, 0xcf8, 8 },
    { ENGINE_SPACE_PIO, 0xf4, 1 },
    { ENGINE_SPACE_PIO, 0, 0x10000 },
    { ENGINE_SPACE_MMIO, ENGINE_ECAM_BASE, 0x10000 },
    { ENGINE_SPACE_MMIO, ENGINE_ECAM_BASE + (3 << 15), 0x100 },
    { ENGINE_SPACE_MMIO, ENGINE_PCI_HOLE_BASE, 0x40 }, /* virtio's registers */
    { ENGINE_SPACE_MMIO, ENGINE_PCI_HOLE_BASE, 0x10000 },
    { ENGINE_SPACE_MMIO, BAR(BALLOON_SLOT) + NOTIFY, 4 * QUEUES },
    { ENGINE_SPACE_MMIO, BAR(SERIAL_SLOT) + NOTIFY, 4 * QUEUES },
    { ENGINE_SPACE_MMIO, BAR(BALLOON_SLOT), 0x10000 },
    { ENGINE_SPACE_MMIO, BAR(SERIAL_SLOT), 0x10000 },
    { ENGINE_SPACE_PIO, ENGINE_SLOTS_PORT, ENGINE_SLOTS_SIZE },
    { ENGINE_SPACE_PIO, ENGINE_PVPANIC_PORT, 1 },
};

static const EngineDeviceType *const types[] = {
    &engine_pci_type,     &engine_debug_exit_type, &engine_i8042_type,
    &engine_pm_type,      &engine_rtc_type,        &engine_serial_type,
    &engine_hotplug_type, &engine_pvpanic_type,
};

static void
access_port(Engine *engine, const Access *access, unsigned target)
{
    uint64_t address =
        targets[target].base + access->offset % targets[target].size;
    unsigned size = 1u << (access->what >> 2 & 3);

    if (targets[target].space == ENGINE_SPACE_MMIO) {
        if (access->what & WRITE)
            fake_mmio_write(engine, address, size, access->value);
        else
            (void)fake_mmio_read(engine, address, size);
        return;
    }
    size = MIN(size, 4);
    if (access->what & WRITE)
        fake_out(engine, (uint16_t)address, size, access->value);
    else
        (void)fake_in(engine, (uint16_t)address, size);
}

static void
act(Engine *engine, const Access *access)
{
    unsigned kind = access->what & 3;

    if (kind == RESET && access->what & 0x80) {
        const EngineDeviceType *type =
            types[access->device % G_N_ELEMENTS(types)];

        if (type->reset)
            type->reset(engine_device_find(engine, type, 0));
    } else if (kind == RUN_LOOP && access->what & 0x80) {
        for (unsigned i = 0; i < 8; i++)
            g_main_context_iteration(NULL, FALSE);
    } else {
        access_port(engine, access, access->device % G_N_ELEMENTS(targets));
    }
}

/* So that inputs need not find out how: the device answers in the window. */
static void
place_bar(Engine *engine, unsigned slot)
{
    uint64_t config = ENGINE_ECAM_BASE + (slot << 15);

    fake_mmio_write(engine, config + 0x10, 4, BAR(slot));
    fake_mmio_write(engine, config + 4, 2, 6);
}

/* Nor how a driver begins. */
static void
start_queues(Engine *engine, unsigned slot, uint32_t features)
{
    uint64_t common = BAR(slot);

    fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_GF, 4, 1);
    fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_GF, 4, features);
    fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_STATUS, 1,
                    VIRTIO_CONFIG_S_FEATURES_OK);
    for (unsigned i = 0; i < QUEUES; i++) {
        uint64_t ring = (slot - RNG_SLOT) * 0x4000 + i * 0x800;

        fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
        fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_Q_SIZE, 2,
                        QUEUE_SIZE);
        fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, ring);
        fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_Q_AVAILLO, 4,
                        ring + 0x200);
        fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_Q_USEDLO, 4,
                        ring + 0x400);
        fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    }
    fake_mmio_write(engine, common + VIRTIO_PCI_COMMON_STATUS, 1,
                    VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void
fill_memory(Engine *engine, const uint8_t *data, size_t size)
{
    for (size_t at = 0; size > 0 && at < RAM_BYTES; at += size)
        memcpy(fake_ram(engine) + at, data, MIN(size, RAM_BYTES - at));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    EngineConfig config = {
        .memory = 64 << 20,
        .vcpus = 1,
        .acpi = true,
        .rtc = true,
        .debug_exit = true,
        .pvpanic = true,
    };
    EngineDeviceConfig rng = {
        .id = (char *)"rng0",
        .slot = 3,
        .packed = true,
        .rng = { .fd = open("/dev/zero", O_RDONLY | O_CLOEXEC),
                 .period_ms = 1 },
    };
    EngineDeviceConfig balloon = {
        .kind = ENGINE_DEVICE_VIRTIO_BALLOON,
        .id = (char *)"balloon0",
        .slot = BALLOON_SLOT,
        .balloon = { .free_page_reporting = true },
    };
    EnginePortConfig port = {
        .name = (char *)"port",
        .chardev = { ENGINE_CHARDEV_NULL, -1, -1 },
    };
    EngineDeviceConfig ports = {
        .kind = ENGINE_DEVICE_VIRTIO_SERIAL,
        .id = (char *)"virtio-serial0",
        .slot = SERIAL_SLOT,
        .serial = { .ports = { &port }, .n_ports = 1 },
    };
    Engine *engine;

    for (unsigned i = 0; i < 2; i++) {
        config.serials[i].present = true;
        config.serials[i].chardev = (EngineChardevConfig){
            .type = ENGINE_CHARDEV_NULL, .fd = -1, .log_fd = -1
        };
    }
    engine = fake_engine_new(&config, RAM_BYTES);
    fake_allow_ioevents(engine);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        fake_device_new(engine, types[i], 0);
    fake_device_add(engine, &engine_virtio_rng_type, &rng);
    fake_device_add(engine, &engine_virtio_balloon_type, &balloon);
    fake_device_add(engine, &engine_virtio_serial_type, &ports);
    fake_device_new(engine, &engine_serial_type, 1);
    fill_memory(engine, data, size);
    for (unsigned slot = RNG_SLOT; slot <= SERIAL_SLOT; slot++)
        place_bar(engine, slot);
    start_queues(engine, BALLOON_SLOT, 1 << 1 | 1 << 5);
    start_queues(engine, SERIAL_SLOT, 2);
    for (size_t i = 0; i < MIN(size / sizeof(Access), ACCESSES_MAX); i++) {
        Access access;

        memcpy(&access, data + i * sizeof(access), sizeof(access));
        act(engine, &access);
    }
    fake_engine_free(engine);
    close(rng.rng.fd);
    return 0;
}
