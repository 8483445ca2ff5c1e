/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/boot-image.h"

#include <asm/bootparam.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

/* Offsets and meanings: Linux, Documentation/arch/x86/boot.rst. */
#define SETUP_HEADER_OFFSET 0x1f1
#define SETUP_SECTOR        512u
#define SETUP_SECTS_DEFAULT 4u
#define SETUP_SECTS_MAX     64u
#define ENTRY64_OFFSET      0x200u
#define HDRS_MAGIC          0x53726448u /* "HdrS" */
#define BOOT_FLAG           0xaa55u
#define VERSION_64BIT       0x020cu
#define INITRD_MAX_OLD      0x37ffffffull
#define LOADER_UNDEFINED    0xff

typedef struct BzImage {
    struct setup_header header;
    size_t header_size; /* what the file has of it */
    uint64_t offset;    /* of the protected-mode kernel in the file */
    uint64_t size;
    uint64_t gpa;
} BzImage;

bool
engine_bzimage_probe(const EngineBootJob *job)
{
    struct setup_header header;

    if (job->head_size < SETUP_HEADER_OFFSET + sizeof header)
        return false;
    memcpy(&header, job->head + SETUP_HEADER_OFFSET, sizeof header);
    return header.boot_flag == BOOT_FLAG && header.header == HDRS_MAGIC;
}

static bool
bzimage_refuse(const EngineBootJob *job, virErrorNumber code, const char *why,
               GError **error)
{
    error_set(error, code, _("the %s cannot be booted: %s"), job->kernel.name,
              why);
    return false;
}

static bool
bzimage_check(const EngineBootJob *job, BzImage *image, GError **error)
{
    struct setup_header *header = &image->header;
    unsigned sects;

    if (header->version < VERSION_64BIT ||
        !(header->xloadflags & XLF_KERNEL_64))
        return bzimage_refuse(
            job, VIR_ERR_CONFIG_UNSUPPORTED,
            _("it has no 64-bit entry (boot protocol 2.12 or newer with "
              "XLF_KERNEL_64 is needed)"),
            error);
    if (!(header->loadflags & LOADED_HIGH))
        return bzimage_refuse(job, VIR_ERR_CONFIG_UNSUPPORTED,
                              _("it is a zImage, not a bzImage"), error);
    sects = header->setup_sects ? header->setup_sects : SETUP_SECTS_DEFAULT;
    if (sects > SETUP_SECTS_MAX)
        return bzimage_refuse(job, VIR_ERR_INVALID_ARG,
                              _("its setup code is too long"), error);
    image->offset = (sects + 1) * SETUP_SECTOR;
    image->size = (uint64_t)header->syssize * 16;
    if (image->size <= ENTRY64_OFFSET || image->size > header->init_size)
        return bzimage_refuse(job, VIR_ERR_INVALID_ARG,
                              _("its header gives an impossible size"), error);
    if (image->offset > job->kernel.size ||
        image->size > job->kernel.size - image->offset) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the %s is truncated: it has %llu bytes, its header says "
                    "%llu"),
                  job->kernel.name, (unsigned long long)job->kernel.size,
                  (unsigned long long)(image->offset + image->size));
        return false;
    }
    return true;
}

/* The preferred address, or where memory is small and the kernel can move,
 * the lowest aligned one. */
static void
bzimage_place(const EngineBootJob *job, BzImage *image)
{
    const struct setup_header *header = &image->header;
    uint64_t align = header->kernel_alignment;

    image->gpa = header->pref_address;
    if (engine_boot_is_ram(job, image->gpa, header->init_size) ||
        !header->relocatable_kernel || align == 0 || (align & (align - 1)) != 0)
        return;
    image->gpa = (BOOT_KERNEL_MIN + align - 1) & ~(align - 1);
}

/* The header's length is one byte at 0x201, from 0x202 on. */
static size_t
bzimage_header_size(const EngineBootJob *job)
{
    size_t size = 0x202 + job->head[0x201] - SETUP_HEADER_OFFSET;

    return MIN(size, sizeof(struct setup_header));
}

bool
engine_bzimage_load(EngineBootJob *job, EngineBoot *ret_boot, GError **error)
{
    BzImage image = { .header_size = bzimage_header_size(job) };
    const struct setup_header *header = &image.header;
    uint64_t initrd_limit;
    bool above_4g;

    memcpy(&image.header, job->head + SETUP_HEADER_OFFSET, image.header_size);
    if (!bzimage_check(job, &image, error))
        return false;
    bzimage_place(job, &image);
    if (!engine_boot_claim(job, image.gpa, header->init_size, NULL, error) ||
        !engine_boot_copy(job, image.offset, image.size, image.gpa, error))
        return false;
    above_4g = header->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G;
    initrd_limit =
        header->initrd_addr_max ? header->initrd_addr_max : INITRD_MAX_OLD;
    return engine_boot_place_initrd(job, initrd_limit + 1, above_4g, error) &&
           engine_boot_cmdline(job, header->cmdline_size, error) &&
           engine_linux_enter(job, image.gpa + ENTRY64_OFFSET, header,
                              image.header_size, ret_boot, error);
}

/* What a bzImage would say of itself, for an ELF that cannot. */
static void
linux_default_header(struct setup_header *header)
{
    header->boot_flag = BOOT_FLAG;
    header->header = HDRS_MAGIC;
    header->version = 0x020f;
    header->loadflags = LOADED_HIGH;
    header->kernel_alignment = 0x1000000;
    header->cmdline_size = 2047;
    header->initrd_addr_max = 0x7fffffff;
}

bool
engine_linux_enter(EngineBootJob *job, uint64_t entry, const void *header,
                   size_t header_size, EngineBoot *ret_boot, GError **error)
{
    g_autofree struct boot_params *params = g_new0(struct boot_params, 1);
    uint64_t initrd_size = job->initrd_gpa ? job->initrd.size : 0;
    struct setup_header *hdr = &params->hdr;

    if (header)
        memcpy(hdr, header, MIN(header_size, sizeof *hdr));
    else
        linux_default_header(hdr);
    hdr->type_of_loader = LOADER_UNDEFINED;
    hdr->loadflags &= (uint8_t)~CAN_USE_HEAP;
    hdr->cmd_line_ptr = ENGINE_CMDLINE_GPA;
    hdr->setup_data = 0;
    hdr->ramdisk_image = (uint32_t)job->initrd_gpa;
    hdr->ramdisk_size = (uint32_t)initrd_size;
    params->ext_ramdisk_image = (uint32_t)(job->initrd_gpa >> 32);
    params->ext_ramdisk_size = (uint32_t)(initrd_size >> 32);
    params->acpi_rsdp_addr = job->rsdp;
    G_STATIC_ASSERT(ENGINE_E820_MAX <= E820_MAX_ENTRIES_ZEROPAGE);
    params->e820_entries = (uint8_t)MIN(job->n_e820, ENGINE_E820_MAX);
    for (unsigned i = 0; i < params->e820_entries; i++) {
        params->e820_table[i].addr = job->e820[i].base;
        params->e820_table[i].size = job->e820[i].size;
        params->e820_table[i].type = job->e820[i].type;
    }
    ret_boot->entry = entry;
    ret_boot->info = ENGINE_BOOT_PARAMS_GPA;
    /* screen_info stays zero: no text screen, none of its sizes to believe. */
    return engine_boot_store(job, ENGINE_BOOT_PARAMS_GPA, params,
                             sizeof *params, error) &&
           engine_boot_long_mode(job, ret_boot, error);
}
