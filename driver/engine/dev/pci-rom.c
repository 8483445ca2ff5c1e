/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/dev/pci-rom.h"

#include <string.h>
#include <sys/mman.h>

#include "engine/dev/pci.h"
#include "engine/engine.h"
#include "engine/image-file.h"
#include "engine/rom.h"
#include "engine/x86/acpi.h"
#include "util/error.h"
#include "util/i18n.h"

/* The header (6.3.1.1), and the structure it points at (6.3.1.2) */
#define HEADER_POINTER 0x18
#define HEADER_BYTES   0x1a
#define PCIR_VENDOR    4
#define PCIR_DEVICE    6
#define PCIR_BYTES     24
#define CHECKSUM       6 /* iPXE's, which no jump covers */

#define SIZE_MIN 4096u /* a page can be shown */

static unsigned
load16(const uint8_t *bytes)
{
    return bytes[0] | (unsigned)bytes[1] << 8;
}

/* Returns: the structure of the first image, NULL if it is none */
static uint8_t *
find_structure(const EnginePciRom *rom)
{
    uint8_t *image = rom->image;
    unsigned at = load16(image + HEADER_POINTER);

    if (image[0] != 0x55 || image[1] != 0xaa || at < HEADER_BYTES ||
        at > rom->size - PCIR_BYTES || memcmp(image + at, "PCIR", 4) != 0)
        return NULL;
    return image + at;
}

/* The bytes of the image sum up to the same as before. */
static void
adopt(EnginePciRom *rom, uint8_t *structure, const uint8_t *config)
{
    uint8_t *device = structure + PCIR_DEVICE;

    if (memcmp(structure + PCIR_VENDOR, config + PCI_VENDOR_ID, 2) != 0)
        return;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t value = config[PCI_DEVICE_ID + i];

        rom->image[CHECKSUM] += (uint8_t)(device[i] - value);
        device[i] = value;
    }
}

static bool
read_image(EnginePciRom *rom, const EngineImage *file, GError **error)
{
    void *image;

    if (file->size > ENGINE_PCI_ROM_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the %s has %llu bytes: 16 MiB are possible"), file->name,
                  (unsigned long long)file->size);
        return false;
    }
    rom->size = SIZE_MIN;
    while (rom->size < file->size)
        rom->size *= 2;
    image = mmap(NULL, rom->size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image == MAP_FAILED) {
        error_set_errno(error, errno, _("cannot map %llu KiB of firmware"),
                        (unsigned long long)(rom->size >> 10));
        return false;
    }
    rom->image = image;
    return engine_image_read(file, 0, image, file->size, error);
}

static bool
load(EnginePciFunction *function, const EngineImage *file, GError **error)
{
    EnginePciRom *rom = &function->rom;
    uint8_t *structure;

    if (!read_image(rom, file, error))
        return false;
    structure = find_structure(rom);
    if (!structure) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the %s is no expansion ROM of a PCI device"), file->name);
        return false;
    }
    adopt(rom, structure, function->config);
    return true;
}

bool
engine_pci_add_rom(EnginePciFunction *function, const EngineFile *file,
                   GError **error)
{
    EngineImage image = { .fd = -1 };
    bool ok = engine_image_open(&image, file, "ROM", error) &&
              load(function, &image, error);

    engine_image_close(&image);
    if (ok)
        engine_pci_add_rom_bar(function, function->rom.size);
    else
        engine_pci_rom_clear(function);
    return ok;
}

void
engine_pci_rom_clear(EnginePciFunction *function)
{
    EnginePciRom *rom = &function->rom;

    if (!rom->image)
        return;
    engine_pci_rom_moved(function, ENGINE_PCI_UNMAPPED);
    munmap(rom->image, rom->size);
    rom->image = NULL;
}

/* Returns: whether a BAR may answer there */
static bool
is_window(Engine *engine, uint64_t base, uint64_t size)
{
    const EngineConfig *config = engine_config(engine);

    return base >= engine_pci_hole_base(config) &&
           base <= engine_pci_hole_end(config) - size;
}

void
engine_pci_rom_moved(EnginePciFunction *function, uint64_t base)
{
    Engine *engine = function->device->engine;
    EnginePciRom *rom = &function->rom;
    EngineRom shown = {
        .number = ENGINE_ROM_OPTION + function->slot * ENGINE_PCI_FUNCTIONS +
                  function->number,
        .gpa = rom->shown,
        .size = rom->size,
        .host = rom->image,
    };

    if (rom->shown)
        (void)engine_rom_hide(engine, &shown, NULL);
    rom->shown = 0;
    shown.gpa = base;
    if (base != ENGINE_PCI_UNMAPPED && is_window(engine, base, rom->size) &&
        engine_rom_show(engine, &shown, NULL))
        rom->shown = base;
}

uint64_t
engine_pci_rom_read(const EnginePciRom *rom, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, rom->image + offset, size);
    return value;
}
