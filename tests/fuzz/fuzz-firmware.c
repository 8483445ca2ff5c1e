/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest that accesses what is there for firmware as it likes: the
 * configuration device with its DMA, the host bridge and the configuration
 * window that it places, the bridges, power management wherever they put it,
 * CMOS, the debug port. The input's first eight bytes choose the machine, what
 * follows is a list of accesses, eight bytes each: what (bit 0: write, bit 1:
 * reset, bits 2-3: size), target (byte 1), offset (two bytes), value (four). It
 * is the guest's memory, too, where DMA finds its commands.
 */
#include <config.h>

#include <stdint.h>
#include <string.h>

#include "../unit/fake-engine.h"
#include "engine/dev/dev.h"
#include "engine/firmware/firmware.h"
#include "engine/x86/acpi.h"

#define ACCESSES_MAX 4096
#define RAM_BYTES    0x200000
#define RESET        2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Access {
    uint8_t what, target;
    uint16_t offset;
    uint32_t value;
} Access;

static const struct {
    EngineSpace space;
    uint64_t base;
    uint32_t size; /* offsets are taken modulo */
} targets[] = {
    { ENGINE_SPACE_PIO, 0x510, 2 },
    { ENGINE_SPACE_PIO, 0x514, 8 },
    { ENGINE_SPACE_PIO, 0x402, 1 },
    { ENGINE_SPACE_PIO, 0xb2, 2 },
    { ENGINE_SPACE_PIO, 0xcf8, 8 },
    { ENGINE_SPACE_PIO, 0x70, 2 },
    { ENGINE_SPACE_PIO, ENGINE_PM1_EVT_PORT, 0x80 },
    { ENGINE_SPACE_PIO, 0xb000, 0x80 },
    { ENGINE_SPACE_PIO, 0, 0x10000 },
    { ENGINE_SPACE_MMIO, ENGINE_FIRMWARE_ECAM_BASE, 0x10000 },
    { ENGINE_SPACE_MMIO, ENGINE_FIRMWARE_ECAM_BASE + (31 << 15), 0x1000 },
    { ENGINE_SPACE_MMIO, ENGINE_FIRMWARE_HOLE_END - 0x10000, 0x10000 },
};

static const EngineDeviceType *const types[] = {
    &engine_pci_type, &engine_fw_cfg_type, &engine_debug_port_type,
    &engine_lpc_type, &engine_pm_type,     &engine_rtc_type,
};

static void
act(Engine *engine, const Access *access)
{
    unsigned target = access->target % G_N_ELEMENTS(targets);
    uint64_t address =
        targets[target].base + access->offset % targets[target].size;
    unsigned size = 1u << (access->what >> 2 & 3);
    bool write = access->what & 1;

    if (access->what & RESET) {
        const EngineDeviceType *type =
            types[access->target % G_N_ELEMENTS(types)];

        if (type->reset)
            type->reset(engine_device_find(engine, type, 0));
    } else if (targets[target].space == ENGINE_SPACE_MMIO && write) {
        fake_mmio_write(engine, address, size, access->value);
    } else if (targets[target].space == ENGINE_SPACE_MMIO) {
        (void)fake_mmio_read(engine, address, size);
    } else if (write) {
        fake_out(engine, (uint16_t)address, MIN(size, 4), access->value);
    } else {
        (void)fake_in(engine, (uint16_t)address, MIN(size, 4));
    }
}

static Engine *
machine(EngineConfig *config, uint8_t choice)
{
    Engine *engine;

    *config = (EngineConfig){
        .machine = choice & 1 ? ENGINE_MACHINE_PC : ENGINE_MACHINE_Q35,
        .memory = choice & 2 ? UINT64_C(5) << 30 : 64 << 20,
        .vcpus = 1 + (choice >> 4),
        .acpi = !(choice & 4),
        .rtc = true,
        .boot = { .menu = true, .reboot_timeout_ms = -1 },
        .firmware = { .present = true, .type = ENGINE_FIRMWARE_FLASH },
    };
    config->cpu.sockets = config->vcpus;
    config->cpu.dies = config->cpu.cores = config->cpu.threads = 1;
    engine = fake_engine_new(config, RAM_BYTES);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        fake_device_new(engine, types[i], 0);
    if (!engine_firmware_load(engine, config, NULL))
        g_error("no firmware");
    return engine;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    EngineConfig config;
    Engine *engine;

    if (size < sizeof(Access))
        return 0;
    engine = machine(&config, data[0]);
    memcpy(fake_ram(engine), data, MIN(size, RAM_BYTES));
    for (size_t i = 1; i < MIN(size / sizeof(Access), ACCESSES_MAX); i++) {
        Access access;

        memcpy(&access, data + i * sizeof(access), sizeof(access));
        act(engine, &access);
    }
    fake_engine_free(engine);
    return 0;
}
