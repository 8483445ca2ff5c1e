/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest that accesses every device as it likes. The input is a list of
 * accesses, eight bytes each: what (bits 0-1), size (bits 2-3), device (byte
 * 1), offset (two bytes), value (four).
 */
#include <config.h>

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "../unit/fake-engine.h"
#include "engine/dev/dev.h"
#include "engine/virtio/devices.h"
#include "engine/x86/acpi.h"

#define ACCESSES_MAX 4096
#define RAM_BYTES    65536

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
};

static const EngineDeviceType *const types[] = {
    &engine_pci_type, &engine_debug_exit_type, &engine_i8042_type,
    &engine_pm_type,  &engine_rtc_type,        &engine_serial_type,
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

/* So that inputs need not find out how: 00:03.0 answers at the first of the
 * window's addresses. */
static void
place_bar(Engine *engine)
{
    fake_mmio_write(engine, ENGINE_ECAM_BASE + (3 << 15) + 0x10, 4,
                    ENGINE_PCI_HOLE_BASE);
    fake_mmio_write(engine, ENGINE_ECAM_BASE + (3 << 15) + 4, 2, 6);
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
    };
    EngineDeviceConfig rng = {
        .id = (char *)"rng0",
        .slot = 3,
        .packed = true,
        .rng = { .fd = open("/dev/zero", O_RDONLY | O_CLOEXEC),
                 .period_ms = 1 },
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
    fake_device_new(engine, &engine_serial_type, 1);
    place_bar(engine);
    for (size_t i = 0; i < MIN(size / sizeof(Access), ACCESSES_MAX); i++) {
        Access access;

        memcpy(&access, data + i * sizeof(access), sizeof(access));
        act(engine, &access);
    }
    fake_engine_free(engine);
    close(rng.rng.fd);
    return 0;
}
