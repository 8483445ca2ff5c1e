/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/firmware/image.h"

#include <string.h>
#include <sys/mman.h>

#include "engine/config.h"
#include "engine/firmware/firmware.h"
#include "engine/image-file.h"
#include "engine/rom.h"
#include "util/error.h"
#include "util/i18n.h"

#define IMAGE_UNIT   0x10000u   /* 64 KiB */
#define IMAGE_MAX    0x1000000u /* 16 MiB: below it are the interrupt chips */
#define IMAGE_END    (UINT64_C(1) << 32)
#define SHADOW_MAX   0x40000u /* as far as the BIOS area can go */
#define SHADOW_END   0x100000u
#define RESET_OFFSET 16 /* from the end: the first instruction */

typedef struct Rom {
    EngineDevice device;
    uint8_t *image; /* NULL: none */
    size_t size;
    EngineRom shown; /* size 0: not yet */
} Rom;

static Rom *
rom_of(EngineDevice *device)
{
    return (Rom *)device;
}

static bool
check_size(const EngineImage *file, GError **error)
{
    if (file->size % IMAGE_UNIT == 0 && file->size <= IMAGE_MAX)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the %s has %llu bytes: a firmware image has a multiple of 64 "
                "KiB, and 16 MiB at most; it may be truncated"),
              file->name, (unsigned long long)file->size);
    return false;
}

/* The first instruction can only be a jump, there being 16 bytes; some clear a
 * flag or waste a byte before it. */
static bool
check_start(const Rom *rom, const char *name, GError **error)
{
    static const uint8_t starts[] = { 0xea, 0xe9, 0xeb, 0xfa, 0xfc, 0x90 };
    uint8_t first = rom->image[rom->size - RESET_OFFSET];

    if (memchr(starts, first, sizeof(starts)))
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the %s is no firmware: there is nothing to execute where a "
                "processor begins"),
              name);
    return false;
}

static bool
read_image(Rom *rom, const EngineImage *file, GError **error)
{
    void *image;

    if (!check_size(file, error))
        return false;
    image = mmap(NULL, file->size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image == MAP_FAILED) {
        error_set_errno(error, errno, _("cannot map %llu KiB of firmware"),
                        (unsigned long long)(file->size >> 10));
        return false;
    }
    rom->image = image;
    rom->size = file->size;
    return engine_image_read(file, 0, image, file->size, error) &&
           check_start(rom, file->name, error);
}

static void
rom_unrealize(EngineDevice *device)
{
    Rom *rom = rom_of(device);

    if (!rom->image)
        return;
    if (rom->shown.size)
        (void)engine_rom_hide(device->engine, &rom->shown, NULL);
    munmap(rom->image, rom->size);
    rom->image = NULL;
}

static bool
show(Rom *rom, Engine *engine, GError **error)
{
    const EngineRom shown = {
        .number = ENGINE_FLASH_CHIPS, /* theirs come first */
        .gpa = IMAGE_END - rom->size,
        .size = rom->size,
        .host = rom->image,
    };

    if (!engine_rom_show(engine, &shown, error))
        return false;
    rom->shown = shown;
    return true;
}

static bool
rom_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    Rom *rom = rom_of(device);
    EngineImage file = { .fd = -1 };
    bool ok;

    if (!engine_config_has_firmware(config) ||
        config->firmware.type != ENGINE_FIRMWARE_ROM)
        return true;
    ok = engine_image_open(&file, &config->firmware.image, "firmware", error) &&
         read_image(rom, &file, error) && show(rom, engine, error);
    engine_image_close(&file);
    if (!ok)
        rom_unrealize(device);
    return ok;
}

bool
engine_rom_shadow(Engine *engine, GError **error)
{
    EngineDevice *device = engine_device_of(engine, &engine_rom_type);
    const Rom *rom = device ? rom_of(device) : NULL;
    size_t size;
    uint8_t *ram;

    if (!rom || !rom->image)
        return true;
    size = MIN(rom->size, SHADOW_MAX);
    ram = engine_memory_at(engine, SHADOW_END - size, size);
    if (!ram) {
        error_set(
            error, VIR_ERR_INVALID_ARG,
            _("the domain's memory is too small for firmware, which needs "
              "1 MiB and more"));
        return false;
    }
    memcpy(ram, rom->image + rom->size - size, size);
    return true;
}

const EngineDeviceType engine_rom_type = {
    .name = "rom",
    .size = sizeof(Rom),
    .realize = rom_realize,
    .unrealize = rom_unrealize,
};
