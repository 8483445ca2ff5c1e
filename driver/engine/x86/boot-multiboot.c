/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/boot-image.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

/* Multiboot Specification 0.6.96; numbers in comments are its sections. */
#define HEADER_MAGIC  0x1badb002u
#define BOOT_MAGIC    0x2badb002u
#define NEEDS_VIDEO   (1u << 2)
#define HAS_ADDRESSES (1u << 16)
#define NEEDS_OTHERS  0xfff8u /* required (0-15) and unknown to us, 3.1.2 */
#define INFO_MEMORY   (1u << 0)
#define INFO_CMDLINE  (1u << 2)
#define INFO_MODULES  (1u << 3)
#define INFO_MMAP     (1u << 6)
#define INFO_NAME     (1u << 9)

/* 3.1.1; the fields from header_addr on are there with HAS_ADDRESSES only */
typedef struct MultibootHeader {
    uint32_t magic, flags, checksum;
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} MultibootHeader;

/* 3.3, up to boot_loader_name */
typedef struct MultibootInfo {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
    uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
    uint32_t drives_length, drives_addr, config_table, boot_loader_name;
    uint32_t apm_table, vbe[4];
} MultibootInfo;

typedef struct MultibootModule {
    uint32_t start, end, string, reserved;
} MultibootModule;

typedef struct __attribute__((packed)) MultibootRange {
    uint32_t size; /* of the entry without this member */
    uint64_t base, length;
    uint32_t type;
} MultibootRange;

typedef struct MultibootBlock {
    MultibootInfo info;
    MultibootModule module;
    MultibootRange mmap[ENGINE_E820_MAX];
    char name[8];
    char empty[4];
} MultibootBlock;

/* The header lies in the first 8 KiB at a multiple of 4 (3.1). */
static bool
multiboot_find(const EngineBootJob *job, MultibootHeader *ret_header,
               size_t *ret_offset)
{
    const size_t least = 3 * sizeof(uint32_t);

    for (size_t i = 0; i + least <= job->head_size; i += 4) {
        MultibootHeader header = { 0 };

        memcpy(&header, job->head + i, least);
        if (header.magic != HEADER_MAGIC ||
            header.magic + header.flags + header.checksum != 0)
            continue;
        memcpy(&header, job->head + i, MIN(sizeof header, job->head_size - i));
        *ret_header = header;
        *ret_offset = i;
        return true;
    }
    return false;
}

bool
engine_multiboot_probe(const EngineBootJob *job)
{
    MultibootHeader header;
    size_t offset;

    return multiboot_find(job, &header, &offset);
}

static bool
multiboot_refuse(const EngineBootJob *job, virErrorNumber code, const char *why,
                 GError **error)
{
    error_set(error, code, _("the %s cannot be booted: %s"), job->kernel.name,
              why);
    return false;
}

/* Puts the image in place as the address fields say (3.1.3). */
static bool
multiboot_load_flat(EngineBootJob *job, const MultibootHeader *header,
                    size_t header_offset, GError **error)
{
    uint64_t skipped = (uint64_t)header->header_addr - header->load_addr;
    uint64_t offset, size, memory;
    uint8_t *ram;

    if (header->header_addr < header->load_addr || skipped > header_offset)
        return multiboot_refuse(job, VIR_ERR_INVALID_ARG,
                                _("its multiboot header gives impossible "
                                  "addresses"),
                                error);
    offset = header_offset - skipped;
    size = header->load_end_addr
               ? (uint64_t)header->load_end_addr - header->load_addr
               : job->kernel.size - offset;
    memory = header->bss_end_addr
                 ? (uint64_t)header->bss_end_addr - header->load_addr
                 : size;
    if ((header->load_end_addr && header->load_end_addr < header->load_addr) ||
        memory < size || memory > BOOT_4G ||
        header->entry_addr < header->load_addr ||
        header->entry_addr - header->load_addr >= memory)
        return multiboot_refuse(job, VIR_ERR_INVALID_ARG,
                                _("its multiboot header gives impossible "
                                  "addresses"),
                                error);
    if (!engine_boot_claim(job, header->load_addr, memory, &ram, error) ||
        !engine_image_read(&job->kernel, offset, ram, size, error))
        return false;
    memset(ram + size, 0, memory - size);
    return true;
}

bool
engine_multiboot_load(EngineBootJob *job, EngineBoot *ret_boot, GError **error)
{
    MultibootHeader header;
    size_t offset;

    if (!multiboot_find(job, &header, &offset) ||
        !(header.flags & HAS_ADDRESSES))
        return multiboot_refuse(job, VIR_ERR_CONFIG_UNSUPPORTED,
                                _("it is no ELF file and its multiboot header "
                                  "has no addresses"),
                                error);
    return multiboot_load_flat(job, &header, offset, error) &&
           engine_multiboot_enter(job, header.entry_addr, ret_boot, error);
}

static void
multiboot_fill_memory(const EngineBootJob *job, MultibootBlock *block)
{
    unsigned n = MIN(job->n_e820, ENGINE_E820_MAX);

    block->info.mmap_length = n * (uint32_t)sizeof(MultibootRange);
    block->info.mmap_addr =
        ENGINE_BOOT_PARAMS_GPA + offsetof(MultibootBlock, mmap);
    for (unsigned i = 0; i < n; i++) {
        const EngineE820 *range = &job->e820[i];

        block->mmap[i] = (MultibootRange){
            .size = sizeof(MultibootRange) - sizeof(uint32_t),
            .base = range->base,
            .length = range->size,
            .type = range->type,
        };
        if (range->type == 1 && range->base == 0)
            block->info.mem_lower = (uint32_t)(range->size >> 10);
        if (range->type == 1 && range->base == BOOT_KERNEL_MIN)
            block->info.mem_upper = (uint32_t)(range->size >> 10);
    }
}

bool
engine_multiboot_enter(EngineBootJob *job, uint32_t entry, EngineBoot *ret_boot,
                       GError **error)
{
    const uint32_t gpa = ENGINE_BOOT_PARAMS_GPA;
    MultibootBlock block = { .name = "virtkvm" };
    MultibootHeader header = { 0 };
    size_t offset;

    if (multiboot_find(job, &header, &offset) &&
        (header.flags & (NEEDS_VIDEO | NEEDS_OTHERS)))
        return multiboot_refuse(job, VIR_ERR_CONFIG_UNSUPPORTED,
                                _("its multiboot header requires a feature "
                                  "that this machine does not have"),
                                error);
    if (!engine_boot_place_initrd(job, BOOT_4G, false, error) ||
        !engine_boot_cmdline(job, ENGINE_CMDLINE_MAX, error))
        return false;
    block.info.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MMAP | INFO_NAME;
    block.info.cmdline = ENGINE_CMDLINE_GPA;
    block.info.boot_loader_name = gpa + offsetof(MultibootBlock, name);
    multiboot_fill_memory(job, &block);
    if (job->initrd_gpa) {
        block.info.flags |= INFO_MODULES;
        block.info.mods_count = 1;
        block.info.mods_addr = gpa + offsetof(MultibootBlock, module);
        block.module.start = (uint32_t)job->initrd_gpa;
        block.module.end = (uint32_t)(job->initrd_gpa + job->initrd.size);
        block.module.string = gpa + offsetof(MultibootBlock, empty);
    }
    ret_boot->mode = ENGINE_BOOT_PROT32;
    ret_boot->entry = entry;
    ret_boot->info = gpa;
    ret_boot->magic = BOOT_MAGIC;
    return engine_boot_store(job, gpa, &block, sizeof block, error);
}
