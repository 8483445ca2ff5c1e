/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest that talks to a flash chip as it likes. The input is a list of
 * accesses, eight bytes each: what (bit 0: write; bits 1-2: size; bit 7:
 * reset), command (used if bit 3 of what is set), offset (two bytes), value
 * (four).
 */
#include <config.h>

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/fake-engine.h"
#include "engine/firmware/firmware.h"
#include "engine/firmware/flash-chip.h"

#define ACCESSES_MAX 4096
#define SIZE         (3 * ENGINE_FLASH_BLOCK)
#define BASE         ((UINT64_C(1) << 32) - SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Access {
    uint8_t what, command;
    uint16_t offset;
    uint32_t value;
} Access;

enum { WRITE = 1, COMMAND = 8, RESET = 0x80 };

static const uint8_t commands[] = { 0xff, 0x10, 0x20, 0x40, 0x50, 0x60,
                                    0x70, 0x90, 0x98, 0xd0, 0xe8 };

static void
act(Engine *engine, const Access *access)
{
    EngineDevice *device = engine_device_find(engine, &engine_flash_type, 0);
    unsigned size = 1u << (access->what >> 1 & 3);
    uint64_t gpa = BASE + access->offset % (SIZE - size + 1);
    uint64_t value = access->what & COMMAND
                         ? commands[access->command % sizeof(commands)]
                         : access->value;

    if (access->what & RESET)
        device->type->reset(device);
    else if (access->what & WRITE)
        fake_mmio_write(engine, gpa, size, value);
    else
        (void)fake_mmio_read(engine, gpa, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("flash", MFD_CLOEXEC);
    EngineConfig config = { .firmware = { .type = ENGINE_FIRMWARE_FLASH,
                                          .image = { fd, NULL },
                                          .vars = { -1, NULL },
                                          .writable = true } };
    struct stat info;
    Engine *engine;

    g_assert(fd >= 0 && ftruncate(fd, SIZE) == 0);
    engine = fake_engine_new(&config, 4096);
    fake_device_new(engine, &engine_flash_type, 0);
    for (size_t i = 0; i < MIN(size / sizeof(Access), ACCESSES_MAX); i++) {
        Access access;

        memcpy(&access, data + i * sizeof(access), sizeof(access));
        act(engine, &access);
    }
    fake_engine_free(engine);
    g_assert(fstat(fd, &info) == 0 && info.st_size == SIZE);
    close(fd);
    return 0;
}
