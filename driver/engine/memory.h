/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/x86/boot.h"

/** KVM's memory slots of RAM are those below; others follow (rom.h). */
#define ENGINE_MEMORY_SLOTS 2

/**
 * Guest RAM: mapped once, seen by the guest as two ranges. Private memory, as
 * the kernel gives huge pages for it everywhere, and not for memory files: with
 * them 1 MiB of a disk is read and written at two to three times the speed.
 */
typedef struct EngineMemory {
    uint8_t *host; /* NULL until engine_memory_init() */
    uint64_t size;
    uint64_t low_size; /* at guest physical 0; the rest starts at 4 GiB */
} EngineMemory;

/**
 * engine_memory_init: make @size bytes of zeroed RAM
 * @size: multiple of 4096   @low_size: how much of it lies below 4 GiB
 * @error: INVALID_ARG if the host has not that much; SYSTEM_ERROR
 */
bool engine_memory_init(EngineMemory *memory, uint64_t size, uint64_t low_size,
                        GError **error);
void engine_memory_clear(EngineMemory *memory);

/** engine_memory_plug: give it to a VM. @error: SYSTEM_ERROR if KVM refuses */
bool engine_memory_plug(const EngineMemory *memory, int vm_fd, GError **error);

/**
 * engine_memory_unplug: take it away again, before the VM is closed
 *
 * Not needed for its own sake. But the end of a VM waits for a grace period of
 * the kernel that the making of the interrupt controllers began, and this has
 * it hurried: a domain that ends at once is gone in 6 ms instead of 14 (Linux
 * 6.18); for others it costs nothing.
 */
void engine_memory_unplug(const EngineMemory *memory, int vm_fd);

/**
 * engine_memory_lookup: as engine_memory_at(), on the struct
 * Returns: NULL if any byte of [gpa, gpa+size) is not RAM
 */
void *engine_memory_lookup(const EngineMemory *memory, uint64_t gpa,
                           uint64_t size);

/**
 * engine_memory_e820: the memory map for the boot protocols
 * @ecam: whether the q35 configuration window must be reserved
 * @map: ENGINE_E820_MAX entries   Returns: how many were filled
 */
unsigned engine_memory_e820(const EngineMemory *memory, bool ecam,
                            EngineE820 *map);
