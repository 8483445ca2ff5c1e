/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/device.h"

/** Where, without firmware: the end of the range that guests search for the
 * entry point, which comes last; below it the structures (bytes, guest
 * physical) */
#define ENGINE_SMBIOS_GPA         0xfc000
#define ENGINE_SMBIOS_MAX         0x3fe0
#define ENGINE_SMBIOS_ANCHOR_GPA  (ENGINE_SMBIOS_GPA + ENGINE_SMBIOS_MAX)
#define ENGINE_SMBIOS_ANCHOR_SIZE 31

/** More sockets have no structure of their own: systems count processors by
 * ACPI. */
#define ENGINE_SMBIOS_SOCKETS_MAX 64

/** What the guest reads about the machine (SMBIOS 2.8, DSP0134). */
typedef struct EngineSmbios {
    GByteArray *tables; /* the structures, types 0 to 4, 11, 16, 17, 19, 32 */
    uint8_t anchor[ENGINE_SMBIOS_ANCHOR_SIZE]; /* the entry point */
} EngineSmbios;

/**
 * engine_smbios_new: all structures
 * @base: guest physical, of the structures; 0: firmware will place them
 * @error: CONFIG_UNSUPPORTED if they take more than ENGINE_SMBIOS_MAX
 */
EngineSmbios *engine_smbios_new(const EngineConfig *config, uint32_t base,
                                GError **error);
void engine_smbios_free(EngineSmbios *smbios); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineSmbios, engine_smbios_free)

/**
 * engine_smbios_build: into guest RAM, for a machine without firmware. Called
 * at start and again at every reset.
 * @error: as engine_smbios_new(); INVALID_ARG if RAM does not reach that far
 */
bool engine_smbios_build(Engine *engine, const EngineConfig *config,
                         GError **error);
