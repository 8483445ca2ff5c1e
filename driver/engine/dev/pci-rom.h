/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/device.h"

typedef struct EnginePciFunction EnginePciFunction;

/*
 * Expansion ROMs of functions (PCI Local Bus 3.0, 6.2.5.2 and 6.3): images that
 * firmware copies and runs. Where the guest places one it is read-only memory;
 * where KVM cannot have it there, a read is a vCPU's exit.
 */
typedef struct EnginePciRom {
    uint8_t *image; /* NULL: none */
    uint64_t size;  /* bytes of its BAR, a power of two */
    uint64_t shown; /* guest physical; 0: nowhere */
} EnginePciRom;

#define ENGINE_PCI_ROM_MAX (16u << 20) /* bytes */

/**
 * engine_pci_add_rom: before engine_pci_add(). An image that is for another
 * device of the same vendor becomes one for this: those of virtio name the
 * transitional devices, and their drivers know the modern ones as well.
 * @file: not empty
 * @error: CONFIG_UNSUPPORTED if it is no such image; as engine_image_open()
 */
bool engine_pci_add_rom(EnginePciFunction *function, const EngineFile *file,
                        GError **error);
/** engine_pci_rom_clear: from unrealize; fine if there is none */
void engine_pci_rom_clear(EnginePciFunction *function);

/** engine_pci_rom_moved: the guest placed it at @base, or ENGINE_PCI_UNMAPPED.
 * Thread: vCPU, one at a time */
void engine_pci_rom_moved(EnginePciFunction *function, uint64_t base);
/** engine_pci_rom_read: @offset + @size stays within its BAR; @size: 1 to 8 */
uint64_t engine_pci_rom_read(const EnginePciRom *rom, uint64_t offset,
                             unsigned size);
