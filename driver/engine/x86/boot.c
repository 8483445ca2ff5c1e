/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/boot-image.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

#define GDT_ENTRIES   5
#define PAGE_SIZE     4096ull
#define PAGE_PRESENT  0x3ull  /* present, writable */
#define PAGE_LARGE    0x83ull /* and a 2 MiB page */
#define PAGES_PER_DIR 512u

/* Flat segments at the selectors that Linux, PVH and multiboot all accept:
 * 0x10 64-bit code, 0x18 data, 0x20 32-bit code (Intel SDM 3A, 3.4.5). */
static const uint64_t gdt[GDT_ENTRIES] = {
    0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff,
};

static void
engine_boot_job_free(EngineBootJob *job)
{
    if (!job)
        return;
    engine_image_close(&job->kernel);
    engine_image_close(&job->initrd);
    g_free(job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineBootJob, engine_boot_job_free)

bool
engine_boot_is_ram(const EngineBootJob *job, uint64_t gpa, uint64_t size)
{
    for (unsigned i = 0; i < job->n_e820; i++) {
        const EngineE820 *range = &job->e820[i];

        if (range->type == 1 && gpa >= range->base && size <= range->size &&
            gpa - range->base <= range->size - size)
            return true;
    }
    return false;
}

bool
engine_boot_claim(EngineBootJob *job, uint64_t gpa, uint64_t size,
                  uint8_t **ret_ram, GError **error)
{
    uint8_t *ram = NULL;

    if (size > 0 && gpa >= BOOT_KERNEL_MIN &&
        engine_boot_is_ram(job, gpa, size))
        ram = engine_memory_at(job->engine, gpa, size);
    if (!ram) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the %s needs %llu bytes of guest memory at 0x%llx, where "
                    "the domain with its %llu MiB has no free memory"),
                  job->kernel.name, (unsigned long long)size,
                  (unsigned long long)gpa,
                  (unsigned long long)(job->config->memory >> 20));
        return false;
    }
    if (job->kernel_end == 0 || gpa < job->kernel_start)
        job->kernel_start = gpa;
    job->kernel_end = MAX(job->kernel_end, gpa + size);
    if (ret_ram)
        *ret_ram = ram;
    return true;
}

bool
engine_boot_copy(EngineBootJob *job, uint64_t offset, uint64_t size,
                 uint64_t gpa, GError **error)
{
    uint8_t *ram;

    return engine_boot_claim(job, gpa, size, &ram, error) &&
           engine_image_read(&job->kernel, offset, ram, size, error);
}

bool
engine_boot_store(EngineBootJob *job, uint64_t gpa, const void *data,
                  size_t size, GError **error)
{
    if (engine_memory_write(job->engine, gpa, data, size))
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the domain's memory of %llu bytes is too small to boot"),
              (unsigned long long)job->config->memory);
    return false;
}

/* The highest page-aligned place in @range for @size bytes that ends at
 * @limit at most and does not touch the kernel, or 0. */
static uint64_t
initrd_place(const EngineBootJob *job, const EngineE820 *range, uint64_t limit)
{
    uint64_t size = job->initrd.size;
    uint64_t start = MAX(range->base, BOOT_KERNEL_MIN);
    uint64_t end = MIN(range->base + range->size, limit);
    uint64_t gpa;

    if (range->type != 1 || end <= start || end - start < size)
        return 0;
    gpa = (end - size) & ~(PAGE_SIZE - 1);
    if (gpa < job->kernel_end && gpa + size > job->kernel_start) {
        if (job->kernel_start < start || job->kernel_start - start < size)
            return 0;
        gpa = (job->kernel_start - size) & ~(PAGE_SIZE - 1);
    }
    return gpa >= start ? gpa : 0;
}

static uint64_t
initrd_search(const EngineBootJob *job, uint64_t limit)
{
    uint64_t best = 0;

    for (unsigned i = 0; i < job->n_e820; i++)
        best = MAX(best, initrd_place(job, &job->e820[i], limit));
    return best;
}

bool
engine_boot_place_initrd(EngineBootJob *job, uint64_t limit, bool above_4g,
                         GError **error)
{
    uint8_t *ram = NULL;

    if (job->initrd.fd < 0)
        return true;
    job->initrd_gpa = initrd_search(job, MIN(limit, BOOT_4G));
    if (!job->initrd_gpa && above_4g)
        job->initrd_gpa = initrd_search(job, UINT64_MAX);
    if (job->initrd_gpa)
        ram = engine_memory_at(job->engine, job->initrd_gpa, job->initrd.size);
    if (!ram) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the %s with its %llu KiB does not fit beside the kernel "
                    "into the domain's %llu MiB of memory"),
                  job->initrd.name,
                  (unsigned long long)(job->initrd.size >> 10),
                  (unsigned long long)(job->config->memory >> 20));
        return false;
    }
    return engine_image_read(&job->initrd, 0, ram, job->initrd.size, error);
}

bool
engine_boot_cmdline(EngineBootJob *job, uint64_t max, GError **error)
{
    const char *cmdline = job->config->cmdline ? job->config->cmdline : "";
    size_t length = strlen(cmdline);

    max = MIN(max, ENGINE_CMDLINE_MAX - 1);
    if (length > max) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the kernel command line has %zu bytes, but the %s takes "
                    "at most %llu"),
                  length, job->kernel.name, (unsigned long long)max);
        return false;
    }
    return engine_boot_store(job, ENGINE_CMDLINE_GPA, cmdline, length + 1,
                             error);
}

/* One PML4 page, one page-directory-pointer page, four page directories of
 * 2 MiB pages: CPUs without 1 GiB pages are served too. */
bool
engine_boot_long_mode(EngineBootJob *job, EngineBoot *ret_boot, GError **error)
{
    g_autofree uint64_t *table = g_new0(uint64_t, PAGES_PER_DIR);
    uint64_t gpa = ENGINE_PAGE_TABLE_GPA;

    table[0] = (gpa + PAGE_SIZE) | PAGE_PRESENT;
    if (!engine_boot_store(job, gpa, table, PAGE_SIZE, error))
        return false;
    gpa += PAGE_SIZE;
    for (unsigned i = 0; i < 4; i++)
        table[i] = (gpa + (i + 1) * PAGE_SIZE) | PAGE_PRESENT;
    if (!engine_boot_store(job, gpa, table, PAGE_SIZE, error))
        return false;
    for (uint64_t dir = 0; dir < 4; dir++) {
        gpa += PAGE_SIZE;
        for (uint64_t i = 0; i < PAGES_PER_DIR; i++)
            table[i] = (dir << 30) | (i << 21) | PAGE_LARGE;
        if (!engine_boot_store(job, gpa, table, PAGE_SIZE, error))
            return false;
    }
    ret_boot->mode = ENGINE_BOOT_LONG64;
    ret_boot->page_table = ENGINE_PAGE_TABLE_GPA;
    return true;
}

static bool
load_kernel(EngineBootJob *job, EngineBoot *ret_boot, GError **error)
{
    static const struct {
        bool (*probe)(const EngineBootJob *job);
        bool (*load)(EngineBootJob *job, EngineBoot *ret_boot, GError **error);
    } loaders[] = {
        { engine_bzimage_probe, engine_bzimage_load },
        { engine_elf_probe, engine_elf_load },
        { engine_multiboot_probe, engine_multiboot_load },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(loaders); i++)
        if (loaders[i].probe(job))
            return loaders[i].load(job, ret_boot, error);
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the %s is neither a bzImage, nor an ELF file, nor a "
                "multiboot image"),
              job->kernel.name);
    return false;
}

bool
engine_boot_load(Engine *engine, const EngineConfig *config,
                 const EngineE820 *e820, unsigned n_e820, uint64_t rsdp,
                 EngineBoot *ret_boot, GError **error)
{
    g_autoptr(EngineBootJob) job = g_new0(EngineBootJob, 1);
    EngineBoot boot = { .gdt = ENGINE_GDT_GPA };

    job->engine = engine;
    job->config = config;
    job->e820 = e820;
    job->n_e820 = n_e820;
    job->rsdp = rsdp;
    job->kernel.fd = job->initrd.fd = -1;
    if (config->kernel.fd < 0 && !config->kernel.path) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the domain has no kernel to boot"));
        return false;
    }
    if (!engine_image_open(&job->kernel, &config->kernel, "kernel", error))
        return false;
    if ((config->initrd.fd >= 0 || config->initrd.path) &&
        !engine_image_open(&job->initrd, &config->initrd, "initrd", error))
        return false;
    job->head_size = MIN(job->kernel.size, sizeof job->head);
    if (!engine_image_read(&job->kernel, 0, job->head, job->head_size, error) ||
        !load_kernel(job, &boot, error) ||
        !engine_boot_store(job, ENGINE_GDT_GPA, gdt, sizeof gdt, error))
        return false;
    *ret_boot = boot;
    return true;
}
