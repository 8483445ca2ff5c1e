/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/** Their numbers: firmware's (firmware/firmware.h), and those of the functions
 * on bus 0 */
#define ENGINE_ROM_OPTION 4
#define ENGINE_ROMS_MAX   (ENGINE_ROM_OPTION + 256)

/** What the guest reads and executes like RAM and cannot write. */
typedef struct EngineRom {
    unsigned number;    /* below ENGINE_ROMS_MAX, one for each */
    uint64_t gpa, size; /* bytes, multiples of 4096 */
    void *host;         /* page-aligned, readable */
} EngineRom;

/**
 * engine_rom_show: let the guest see @rom; its writes, and once it is hidden
 * its reads, go where engine_bus_map() has put the range, or nowhere
 * @error: SYSTEM_ERROR if KVM refuses
 * Thread: any, one at a time for a number; vCPUs may run
 */
bool engine_rom_show(Engine *engine, const EngineRom *rom, GError **error);
/** engine_rom_hide: take it away again; returns when no vCPU sees it */
bool engine_rom_hide(Engine *engine, const EngineRom *rom, GError **error);
