/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/image-file.h"
#include "engine/x86/boot.h"

/** Shared by the boot loaders only (boot*.c). */

/* The first bytes of the kernel: where multiboot 1, 3.1, looks for a header. */
#define BOOT_HEAD_MAX 8192
/* Kernels start here at the earliest; what is below is ours (boot.h). */
#define BOOT_KERNEL_MIN 0x100000ull
/* Where a 32-bit entry and its structures can reach. */
#define BOOT_4G (1ull << 32)

/** One run of the boot loader. */
typedef struct EngineBootJob {
    Engine *engine;
    const EngineConfig *config;
    const EngineE820 *e820;
    unsigned n_e820;
    uint64_t rsdp;
    EngineImage kernel;
    EngineImage initrd;
    uint64_t kernel_start, kernel_end; /* guest physical; what it occupies */
    uint64_t initrd_gpa;               /* 0 without an initrd */
    size_t head_size;
    uint8_t head[BOOT_HEAD_MAX];
} EngineBootJob;

/**
 * engine_boot_copy: @size bytes of the kernel at @offset straight into guest
 * RAM at @gpa; the range becomes part of what the kernel occupies
 */
bool engine_boot_copy(EngineBootJob *job, uint64_t offset, uint64_t size,
                      uint64_t gpa, GError **error);

/**
 * engine_boot_claim: the kernel will use [@gpa, @gpa + @size)
 * @ret_ram: where that is, or NULL if not wanted
 * @error: INVALID_ARG unless all of it is usable RAM from 1 MiB on
 */
bool engine_boot_claim(EngineBootJob *job, uint64_t gpa, uint64_t size,
                       uint8_t **ret_ram, GError **error);

/** engine_boot_is_ram: [@gpa, @gpa + @size) lies in one usable range */
bool engine_boot_is_ram(const EngineBootJob *job, uint64_t gpa, uint64_t size);

/**
 * engine_boot_place_initrd: load the initrd as high as possible, so that its
 * end is at most @limit, else, if @above_4g, at the top of RAM
 */
bool engine_boot_place_initrd(EngineBootJob *job, uint64_t limit, bool above_4g,
                              GError **error);

/** engine_boot_cmdline: the command line to its place; @max: without the NUL */
bool engine_boot_cmdline(EngineBootJob *job, uint64_t max, GError **error);

/** engine_boot_long_mode: identity page tables for the first 4 GiB */
bool engine_boot_long_mode(EngineBootJob *job, EngineBoot *ret_boot,
                           GError **error);

/** engine_boot_store: @size bytes into our low memory; false is our own bug */
bool engine_boot_store(EngineBootJob *job, uint64_t gpa, const void *data,
                       size_t size, GError **error);

/* --- the loaders: probe says whether the kernel is theirs --------------- */
bool engine_bzimage_probe(const EngineBootJob *job);
bool engine_bzimage_load(EngineBootJob *job, EngineBoot *ret_boot,
                         GError **error);

bool engine_elf_probe(const EngineBootJob *job);
bool engine_elf_load(EngineBootJob *job, EngineBoot *ret_boot, GError **error);

bool engine_multiboot_probe(const EngineBootJob *job);
/** engine_multiboot_load: for files that are not ELF, by address fields */
bool engine_multiboot_load(EngineBootJob *job, EngineBoot *ret_boot,
                           GError **error);
/** engine_multiboot_enter: the information block, the kernel being in place */
bool engine_multiboot_enter(EngineBootJob *job, uint32_t entry,
                            EngineBoot *ret_boot, GError **error);

/** engine_pvh_enter: start_info for the PVH entry, the kernel being in place */
bool engine_pvh_enter(EngineBootJob *job, uint32_t entry, EngineBoot *ret_boot,
                      GError **error);

/**
 * engine_linux_enter: boot_params for Linux's 64-bit entry
 * @header, @header_size: the setup header from offset 0x1f1 of the bzImage, or
 * NULL for an ELF, which has none
 */
bool engine_linux_enter(EngineBootJob *job, uint64_t entry, const void *header,
                        size_t header_size, EngineBoot *ret_boot,
                        GError **error);
