/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/boot-image.h"

#include <elf.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

#define ELF_SEGMENTS_MAX      128u
#define ELF_NOTES_MAX         (1u << 20) /* bytes of one note segment */
#define XEN_ELFNOTE_PHYS32    18u
#define PVH_MAGIC             0x336ec578u
#define LINUX_ELF_CMDLINE_MAX 2047 /* COMMAND_LINE_SIZE of x86 less its NUL */

/** An ELF file's headers, 32-bit ones widened. */
typedef struct Elf {
    bool is_64;
    uint64_t entry;
    unsigned n_segments;
    Elf64_Phdr segments[ELF_SEGMENTS_MAX];
} Elf;

bool
engine_elf_probe(const EngineBootJob *job)
{
    return job->head_size >= sizeof(Elf32_Ehdr) &&
           memcmp(job->head, ELFMAG, SELFMAG) == 0;
}

static bool
elf_refuse(const EngineBootJob *job, virErrorNumber code, const char *why,
           GError **error)
{
    error_set(error, code, _("the %s cannot be booted: %s"), job->kernel.name,
              why);
    return false;
}

static bool
elf_read_segments64(EngineBootJob *job, Elf *elf, GError **error)
{
    Elf64_Ehdr header = { 0 };

    memcpy(&header, job->head, MIN(sizeof header, job->head_size));
    if (header.e_machine != EM_X86_64)
        return elf_refuse(job, VIR_ERR_CONFIG_UNSUPPORTED,
                          _("it is for another kind of processor"), error);
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
        header.e_phnum > ELF_SEGMENTS_MAX)
        return elf_refuse(job, VIR_ERR_INVALID_ARG,
                          _("its program headers are malformed"), error);
    elf->entry = header.e_entry;
    elf->n_segments = header.e_phnum;
    return engine_image_read(&job->kernel, header.e_phoff, elf->segments,
                             header.e_phnum * sizeof(Elf64_Phdr), error);
}

static bool
elf_read_segments32(EngineBootJob *job, Elf *elf, GError **error)
{
    Elf32_Phdr segments[ELF_SEGMENTS_MAX / 2];
    Elf32_Ehdr header;

    memcpy(&header, job->head, sizeof header);
    if (header.e_machine != EM_386)
        return elf_refuse(job, VIR_ERR_CONFIG_UNSUPPORTED,
                          _("it is for another kind of processor"), error);
    if (header.e_phentsize != sizeof(Elf32_Phdr) || header.e_phnum == 0 ||
        header.e_phnum > G_N_ELEMENTS(segments))
        return elf_refuse(job, VIR_ERR_INVALID_ARG,
                          _("its program headers are malformed"), error);
    if (!engine_image_read(&job->kernel, header.e_phoff, segments,
                           header.e_phnum * sizeof(Elf32_Phdr), error))
        return false;
    elf->entry = header.e_entry;
    elf->n_segments = header.e_phnum;
    for (unsigned i = 0; i < header.e_phnum; i++)
        elf->segments[i] = (Elf64_Phdr){
            .p_type = segments[i].p_type,
            .p_offset = segments[i].p_offset,
            .p_paddr = segments[i].p_paddr,
            .p_filesz = segments[i].p_filesz,
            .p_memsz = segments[i].p_memsz,
            .p_align = segments[i].p_align,
        };
    return true;
}

static bool
elf_read(EngineBootJob *job, Elf *elf, GError **error)
{
    if (job->head[EI_DATA] != ELFDATA2LSB)
        return elf_refuse(job, VIR_ERR_CONFIG_UNSUPPORTED,
                          _("it is for another kind of processor"), error);
    elf->is_64 = job->head[EI_CLASS] == ELFCLASS64;
    return elf->is_64 ? elf_read_segments64(job, elf, error)
                      : elf_read_segments32(job, elf, error);
}

/* Loads the segments; what the file does not fill is cleared, since memory is
 * not fresh after a reset. */
static bool
elf_load_segments(EngineBootJob *job, const Elf *elf, GError **error)
{
    bool any = false;

    for (unsigned i = 0; i < elf->n_segments; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];
        uint8_t *ram;

        if (segment->p_type != PT_LOAD || segment->p_memsz == 0)
            continue;
        if (segment->p_filesz > segment->p_memsz)
            return elf_refuse(job, VIR_ERR_INVALID_ARG,
                              _("its program headers are malformed"), error);
        if (!engine_boot_claim(job, segment->p_paddr, segment->p_memsz, &ram,
                               error))
            return false;
        if (segment->p_filesz > 0 &&
            !engine_image_read(&job->kernel, segment->p_offset, ram,
                               segment->p_filesz, error))
            return false;
        memset(ram + segment->p_filesz, 0,
               segment->p_memsz - segment->p_filesz);
        any = true;
    }
    return any || elf_refuse(job, VIR_ERR_INVALID_ARG,
                             _("it has nothing to load"), error);
}

static uint64_t
align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

/* Looks through one segment's notes; all offsets are below ELF_NOTES_MAX. */
static bool
notes_find_pvh(const uint8_t *notes, uint64_t size, uint64_t align,
               uint64_t *ret_entry)
{
    uint64_t next = 0;

    while (size - next >= sizeof(Elf32_Nhdr)) {
        Elf32_Nhdr note;
        uint64_t name = next + sizeof note;
        uint64_t desc;

        memcpy(&note, notes + next, sizeof note);
        desc = align_up(name + note.n_namesz, align);
        next = align_up(desc + note.n_descsz, align);
        if (desc + note.n_descsz > size)
            return false;
        if (note.n_type == XEN_ELFNOTE_PHYS32 && note.n_namesz == 4 &&
            memcmp(notes + name, "Xen", 4) == 0 &&
            (note.n_descsz == 4 || note.n_descsz == 8)) {
            *ret_entry = 0;
            memcpy(ret_entry, notes + desc, note.n_descsz);
            return true;
        }
        if (next > size)
            return false;
    }
    return false;
}

static bool
elf_find_pvh(EngineBootJob *job, const Elf *elf, uint64_t *ret_entry,
             bool *ret_found, GError **error)
{
    *ret_found = false;
    for (unsigned i = 0; i < elf->n_segments && !*ret_found; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];
        g_autofree uint8_t *notes = NULL;

        if (segment->p_type != PT_NOTE || segment->p_filesz == 0)
            continue;
        if (segment->p_filesz > ELF_NOTES_MAX)
            return elf_refuse(job, VIR_ERR_INVALID_ARG,
                              _("its notes are too large"), error);
        notes = g_malloc(segment->p_filesz);
        if (!engine_image_read(&job->kernel, segment->p_offset, notes,
                               segment->p_filesz, error))
            return false;
        *ret_found = notes_find_pvh(notes, segment->p_filesz,
                                    segment->p_align == 8 ? 8 : 4, ret_entry);
    }
    return true;
}

/* An entry outside what was loaded can only be a damaged file. */
static bool
elf_check_entry(const EngineBootJob *job, uint64_t entry, uint64_t end,
                GError **error)
{
    if (entry >= job->kernel_start && entry < job->kernel_end && entry < end)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the %s cannot be booted: its entry 0x%llx lies outside of it"),
              job->kernel.name, (unsigned long long)entry);
    return false;
}

static bool
elf_enter(EngineBootJob *job, const Elf *elf, EngineBoot *ret_boot,
          GError **error)
{
    uint64_t entry = 0;
    bool pvh;

    if (!elf_find_pvh(job, elf, &entry, &pvh, error))
        return false;
    if (pvh)
        return elf_check_entry(job, entry, BOOT_4G, error) &&
               engine_pvh_enter(job, (uint32_t)entry, ret_boot, error);
    if (engine_multiboot_probe(job))
        return elf_check_entry(job, elf->entry, BOOT_4G, error) &&
               engine_multiboot_enter(job, (uint32_t)elf->entry, ret_boot,
                                      error);
    if (!elf->is_64)
        return elf_refuse(job, VIR_ERR_CONFIG_UNSUPPORTED,
                          _("it is a 32-bit ELF file with neither a PVH note "
                            "nor a multiboot header"),
                          error);
    return elf_check_entry(job, elf->entry, BOOT_4G, error) &&
           engine_boot_place_initrd(job, BOOT_4G, true, error) &&
           engine_boot_cmdline(job, LINUX_ELF_CMDLINE_MAX, error) &&
           engine_linux_enter(job, elf->entry, NULL, 0, ret_boot, error);
}

bool
engine_elf_load(EngineBootJob *job, EngineBoot *ret_boot, GError **error)
{
    g_autofree Elf *elf = g_new0(Elf, 1);

    return elf_read(job, elf, error) && elf_load_segments(job, elf, error) &&
           elf_enter(job, elf, ret_boot, error);
}

/* --- PVH: Xen's public headers, arch-x86/hvm/start_info.h ---------------- */
typedef struct PvhModule {
    uint64_t paddr, size, cmdline_paddr, reserved;
} PvhModule;

typedef struct PvhRange {
    uint64_t addr, size;
    uint32_t type, reserved;
} PvhRange;

typedef struct PvhStartInfo {
    uint32_t magic, version, flags, n_modules;
    uint64_t modules, cmdline, rsdp, memmap;
    uint32_t n_memmap, reserved;
} PvhStartInfo;

typedef struct PvhBlock {
    PvhStartInfo info;
    PvhModule module;
    PvhRange memmap[ENGINE_E820_MAX];
} PvhBlock;

bool
engine_pvh_enter(EngineBootJob *job, uint32_t entry, EngineBoot *ret_boot,
                 GError **error)
{
    const uint64_t gpa = ENGINE_BOOT_PARAMS_GPA;
    PvhBlock block = { 0 };

    if (!engine_boot_place_initrd(job, BOOT_4G, false, error) ||
        !engine_boot_cmdline(job, ENGINE_CMDLINE_MAX, error))
        return false;
    block.info = (PvhStartInfo){
        .magic = PVH_MAGIC,
        .version = 1,
        .n_modules = job->initrd_gpa ? 1 : 0,
        .modules = job->initrd_gpa ? gpa + offsetof(PvhBlock, module) : 0,
        .cmdline = ENGINE_CMDLINE_GPA,
        .rsdp = job->rsdp,
        .memmap = gpa + offsetof(PvhBlock, memmap),
        .n_memmap = MIN(job->n_e820, ENGINE_E820_MAX),
    };
    if (job->initrd_gpa)
        block.module =
            (PvhModule){ .paddr = job->initrd_gpa, .size = job->initrd.size };
    for (unsigned i = 0; i < block.info.n_memmap; i++)
        block.memmap[i] = (PvhRange){ .addr = job->e820[i].base,
                                      .size = job->e820[i].size,
                                      .type = job->e820[i].type };
    ret_boot->mode = ENGINE_BOOT_PROT32;
    ret_boot->entry = entry;
    ret_boot->info = gpa;
    return engine_boot_store(job, gpa, &block, sizeof block, error);
}
