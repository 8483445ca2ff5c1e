/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/device.h"

/** How the boot vCPU begins. */
typedef enum EngineBootMode {
    ENGINE_BOOT_RESET,  /* as hardware does: 16 bytes below 4 GiB */
    ENGINE_BOOT_LONG64, /* 64-bit, identity paging, rsi = boot_params */
    ENGINE_BOOT_PROT32, /* 32-bit flat, no paging, ebx = info block, eax = magic
                         */
} EngineBootMode;

typedef struct EngineBoot {
    EngineBootMode mode;
    uint64_t entry;      /* guest physical */
    uint64_t info;       /* boot_params, hvm_start_info or multiboot info */
    uint32_t magic;      /* eax: multiboot 0x2BADB002 */
    uint64_t page_table; /* cr3 for LONG64 */
    uint64_t gdt; /* guest physical; entries 2 code64, 3 data, 4 code32 */
} EngineBoot;

/**
 * Low memory: who may put what where (bytes, guest physical)
 *   0x00500-0x007ff GDT/IDT   0x07000 boot_params / start_info
 *   0x09000-0x0efff page tables   0x20000-0x2ffff command line
 *   0x9fc00-0x9ffff EBDA (RSDP pointer)   0xe0000-0xfbfff ACPI tables, RSDP
 *   0xf0000- MP table of a small machine   0xfc000-0xfffff SMBIOS
 *   0x100000- kernel; initrd at the top of RAM below 4 GiB or below its limit
 */
#define ENGINE_GDT_GPA         0x500
#define ENGINE_BOOT_PARAMS_GPA 0x7000
#define ENGINE_PAGE_TABLE_GPA  0x9000
#define ENGINE_CMDLINE_GPA     0x20000
#define ENGINE_CMDLINE_MAX     0x10000
#define ENGINE_ACPI_GPA        0xe0000
#define ENGINE_ACPI_MAX        0x1c000

/** One e820 entry; type as in the BIOS call: 1 RAM, 2 reserved, 3 ACPI */
typedef struct EngineE820 {
    uint64_t base, size;
    uint32_t type;
} EngineE820;
#define ENGINE_E820_MAX 16

/**
 * engine_boot_load: put kernel, initrd, command line and the boot protocol's
 * structures into guest RAM. Called at start and again at every reset.
 *
 * Recognises bzImage (64-bit entry, xloadflags), ELF64/ELF32 with a PVH note,
 * ELF64 with a 64-bit entry (Linux boot_params), multiboot 1. Every length and
 * address that the file gives is checked against the file and against RAM.
 * @e820, @n_e820: the memory map   @rsdp: guest physical, 0 without ACPI
 * @error: INVALID_ARG / CONFIG_UNSUPPORTED / SYSTEM_ERROR, naming the file
 */
bool engine_boot_load(Engine *engine, const EngineConfig *config,
                      const EngineE820 *e820, unsigned n_e820, uint64_t rsdp,
                      EngineBoot *ret_boot, GError **error);

/**
 * engine_kernel_unpack: the ELF inside a bzImage, for a faster start
 *
 * Recognises the payload's compression (gzip, xz, lzma, lz4, zstd, none; others
 * answer CONFIG_UNSUPPORTED) and writes the ELF to @out_fd. Linked only where
 * the machine document is made, not into the engine (libengine-unpack.la).
 * @fd: the bzImage   @name: for messages   @out_fd: written from its offset on
 * @error: INVALID_ARG if the file is damaged, SYSTEM_ERROR if it cannot be
 * read or the ELF not be written
 * Thread: any; does not move @fd's offset
 */
bool engine_kernel_unpack(int fd, const char *name, int out_fd, GError **error);

/** How many unpacked kernels a folder keeps; the longest unused goes first. */
#define ENGINE_KERNEL_CACHE_ENTRIES 8

/**
 * engine_kernel_cached: the same kernel in the form that starts fastest
 *
 * For a bzImage the ELF inside it, unpacked once and kept in @cache_dir (made
 * if needed, for this user alone) under what identifies the file: device,
 * inode, size, times and both ends of its contents. Any failure on the way,
 * another process just unpacking included, gives the kernel as it is: the
 * guest then unpacks it itself. So does a file that is no bzImage.
 *
 * What it costs: the kernel's own address randomisation (KASLR) is part of the
 * code that unpacks it, and so does not happen.
 * @fd: the kernel, open for reading   @name: for messages
 * Returns: a new descriptor, close-on-exec; -1 with SYSTEM_ERROR only if there
 * are no more descriptors
 * Thread: any
 */
int engine_kernel_cached(int fd, const char *name, const char *cache_dir,
                         GError **error);
