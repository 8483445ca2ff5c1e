/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <asm/bootparam.h>
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "engine/x86/boot.h"
#include "util/error.h"
#include "util/fd.h"

#define MIB            (1ull << 20)
#define GUEST_RAM      (64 * MIB)
#define FILE_MAX_BYTES (8 * MIB)

/* A guest of 64 MiB of RAM at 0, and another 64 MiB at 4 GiB. */
struct Engine {
    uint8_t *low, *high;
};

static const EngineE820 map[] = {
    { 0, 0x9fc00, 1 },
    { 0x9fc00, 0x60400, 2 },
    { MIB, GUEST_RAM - MIB, 1 },
    { 1ull << 32, GUEST_RAM, 1 },
};

void *
engine_memory_at(Engine *engine, uint64_t gpa, size_t size)
{
    uint8_t *ram = engine->low;

    if (gpa >= 1ull << 32) {
        gpa -= 1ull << 32;
        ram = engine->high;
    }
    if (gpa > GUEST_RAM || size > GUEST_RAM - gpa)
        return NULL;
    return ram + gpa;
}

bool
engine_memory_write(Engine *engine, uint64_t gpa, const void *buffer,
                    size_t size)
{
    void *to = engine_memory_at(engine, gpa, size);

    if (to)
        memcpy(to, buffer, size);
    return to != NULL;
}

bool
engine_memory_read(Engine *engine, uint64_t gpa, void *buffer, size_t size)
{
    void *from = engine_memory_at(engine, gpa, size);

    if (from)
        memcpy(buffer, from, size);
    return from != NULL;
}

/* One test's guest, its kernel file being built, and what came of it. */
typedef struct Fixture {
    Engine engine;
    EngineConfig config;
    EngineBoot boot;
    GError *error;
    uint8_t *file;
    size_t size;
    char cmdline[8192];
} Fixture;

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->engine.low = g_malloc0(GUEST_RAM);
    f->engine.high = g_malloc0(GUEST_RAM);
    f->file = g_malloc0(FILE_MAX_BYTES);
    f->config.memory = 2 * GUEST_RAM;
    f->config.kernel.fd = f->config.initrd.fd = -1;
    f->config.cmdline = f->cmdline;
    g_strlcpy(f->cmdline, "console=ttyS0", sizeof f->cmdline);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fd_clear(&f->config.kernel.fd);
    fd_clear(&f->config.initrd.fd);
    g_clear_error(&f->error);
    g_free(f->engine.low);
    g_free(f->engine.high);
    g_free(f->file);
    g_free(f);
    return 0;
}

static bool
load(Fixture *f)
{
    g_clear_error(&f->error);
    fd_clear(&f->config.kernel.fd);
    f->config.kernel.fd = fd_memfd("kernel", f->file, f->size);
    return engine_boot_load(&f->engine, &f->config, map, G_N_ELEMENTS(map),
                            0xe0000, &f->boot, &f->error);
}

static void
assert_refused(Fixture *f, virErrorNumber code, const char *words)
{
    assert_false(load(f));
    assert_non_null(f->error);
    assert_int_equal(error_code(f->error), code);
    if (!strstr(f->error->message, words))
        fail_msg("'%s' does not say '%s'", f->error->message, words);
    /* Every message names the file; a memory file's link says memfd. */
    assert_non_null(strstr(f->error->message, "kernel '"));
}

static void
set_initrd(Fixture *f, size_t size)
{
    g_autofree uint8_t *data = g_malloc(size);

    memset(data, 0x77, size);
    fd_clear(&f->config.initrd.fd);
    f->config.initrd.fd = fd_memfd("initrd", data, size);
}

/* --- bzImage -------------------------------------------------------------- */
#define BZ_SETUP   (5 * 512)
#define BZ_PAYLOAD 0x4000

static struct setup_header *
make_bzimage(Fixture *f)
{
    struct setup_header *header = (void *)(f->file + 0x1f1);

    header->setup_sects = 4;
    header->boot_flag = 0xaa55;
    header->jump = 0x6aeb;
    header->header = 0x53726448;
    header->version = 0x020f;
    header->loadflags = LOADED_HIGH;
    header->xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G;
    header->syssize = BZ_PAYLOAD / 16;
    header->init_size = 0x10000;
    header->pref_address = 16 * MIB;
    header->kernel_alignment = 2 * MIB;
    header->relocatable_kernel = 1;
    header->initrd_addr_max = 0x7fffffff;
    header->cmdline_size = 2047;
    memset(f->file + BZ_SETUP, 0x90, BZ_PAYLOAD);
    f->size = BZ_SETUP + BZ_PAYLOAD;
    return header;
}

static const struct boot_params *
params_of(Fixture *f)
{
    return (const void *)(f->engine.low + f->boot.info);
}

static void
test_bzimage(void **state)
{
    Fixture *f = *state;
    const struct boot_params *params;

    make_bzimage(f);
    assert_true(load(f));
    assert_int_equal(f->boot.mode, ENGINE_BOOT_LONG64);
    assert_int_equal(f->boot.entry, 16 * MIB + 0x200);
    assert_int_equal(f->engine.low[16 * MIB], 0x90);
    assert_int_equal(f->engine.low[16 * MIB + BZ_PAYLOAD - 1], 0x90);
    assert_int_equal(f->engine.low[16 * MIB + BZ_PAYLOAD], 0);
    params = params_of(f);
    assert_int_equal(params->hdr.type_of_loader, 0xff);
    assert_int_equal(params->hdr.header, 0x53726448);
    assert_int_equal(params->acpi_rsdp_addr, 0xe0000);
    assert_int_equal(params->e820_entries, 4);
    assert_int_equal(params->e820_table[3].addr, 1ull << 32);
    assert_int_equal(params->hdr.ramdisk_size, 0);
    assert_string_equal((char *)f->engine.low + params->hdr.cmd_line_ptr,
                        "console=ttyS0");
}

static void
test_bzimage_page_tables(void **state)
{
    Fixture *f = *state;
    const uint64_t *table;
    const uint64_t mask = ~0xfffull;

    make_bzimage(f);
    assert_true(load(f));
    for (uint64_t gpa = 0; gpa < 1ull << 32; gpa += 2 * MIB) {
        table = (void *)(f->engine.low + f->boot.page_table);
        assert_int_equal(table[0] & 3, 3);
        table = (void *)(f->engine.low + (table[0] & mask));
        table = (void *)(f->engine.low + (table[gpa >> 30] & mask));
        assert_int_equal(table[(gpa >> 21) & 511], gpa | 0x83);
    }
    table = (void *)(f->engine.low + f->boot.gdt);
    assert_int_equal(table[2], 0x00af9b000000ffff);
}

static void
test_bzimage_initrd(void **state)
{
    Fixture *f = *state;
    const struct boot_params *params;

    make_bzimage(f);
    set_initrd(f, 5000);
    assert_true(load(f));
    params = params_of(f);
    assert_int_equal(params->hdr.ramdisk_image, GUEST_RAM - 8192);
    assert_int_equal(params->hdr.ramdisk_size, 5000);
    assert_int_equal(f->engine.low[GUEST_RAM - 8192 + 4999], 0x77);
    assert_int_equal(f->engine.low[GUEST_RAM - 8192 + 5000], 0);
}

static void
test_bzimage_initrd_limit(void **state)
{
    Fixture *f = *state;

    make_bzimage(f)->initrd_addr_max = 48 * MIB - 1;
    set_initrd(f, 5000);
    assert_true(load(f));
    assert_int_equal(params_of(f)->hdr.ramdisk_image, 48 * MIB - 8192);
}

static void
test_bzimage_initrd_above_4g(void **state)
{
    Fixture *f = *state;
    const struct boot_params *params;

    make_bzimage(f)->init_size = 40 * MIB;
    set_initrd(f, 20 * MIB);
    assert_true(load(f));
    params = params_of(f);
    assert_int_equal(params->ext_ramdisk_image, 1);
    assert_int_equal(params->hdr.ramdisk_image, GUEST_RAM - 20 * MIB);
}

/* The initrd stays off a kernel that sits at the top of memory. */
static void
test_bzimage_initrd_below_kernel(void **state)
{
    Fixture *f = *state;
    struct setup_header *header = make_bzimage(f);

    header->xloadflags = XLF_KERNEL_64;
    header->pref_address = 60 * MIB;
    header->init_size = 4 * MIB;
    set_initrd(f, 5000);
    assert_true(load(f));
    assert_int_equal(params_of(f)->hdr.ramdisk_image, 60 * MIB - 8192);
}

static void
test_bzimage_initrd_too_large(void **state)
{
    Fixture *f = *state;

    make_bzimage(f);
    set_initrd(f, GUEST_RAM + 4096);
    assert_false(load(f));
    assert_int_equal(error_code(f->error), VIR_ERR_INVALID_ARG);
    assert_non_null(strstr(f->error->message, "initrd '"));
    assert_non_null(strstr(f->error->message, "does not fit"));
}

static void
test_bzimage_moves_when_small(void **state)
{
    Fixture *f = *state;

    make_bzimage(f)->pref_address = GUEST_RAM;
    assert_true(load(f));
    assert_int_equal(f->boot.entry, 2 * MIB + 0x200);
}

static void
test_bzimage_refusals(void **state)
{
    Fixture *f = *state;
    struct setup_header *header;

    make_bzimage(f)->version = 0x020a;
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "no 64-bit entry");
    make_bzimage(f)->xloadflags = 0;
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "no 64-bit entry");
    make_bzimage(f)->loadflags = 0;
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "zImage");
    make_bzimage(f)->setup_sects = 255;
    assert_refused(f, VIR_ERR_INVALID_ARG, "setup code is too long");
    make_bzimage(f)->syssize = 0;
    assert_refused(f, VIR_ERR_INVALID_ARG, "impossible size");
    make_bzimage(f)->syssize = UINT32_MAX;
    assert_refused(f, VIR_ERR_INVALID_ARG, "impossible size");
    make_bzimage(f);
    f->size -= 1;
    assert_refused(f, VIR_ERR_INVALID_ARG, "truncated");
    header = make_bzimage(f);
    header->init_size = GUEST_RAM;
    assert_refused(f, VIR_ERR_INVALID_ARG, "needs 67108864 bytes");
    header = make_bzimage(f);
    header->relocatable_kernel = 0;
    header->pref_address = UINT64_MAX - 4096;
    assert_refused(f, VIR_ERR_INVALID_ARG, "no free memory");
    make_bzimage(f);
    memset(f->cmdline, 'x', 2048);
    f->cmdline[2048] = '\0';
    assert_refused(f, VIR_ERR_INVALID_ARG, "2048 bytes");
}

/* --- ELF ------------------------------------------------------------------ */
#define ELF_CODE_OFFSET 0x1000
#define ELF_CODE_SIZE   0x2000
#define ELF_NOTE_OFFSET 0x200

static Elf64_Phdr *
make_elf64(Fixture *f)
{
    Elf64_Ehdr *header = (void *)f->file;
    Elf64_Phdr *segments = (void *)(f->file + 64);

    memset(f->file, 0, 0x4000);
    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_machine = EM_X86_64;
    header->e_entry = 16 * MIB + 0x10;
    header->e_phoff = 64;
    header->e_phentsize = sizeof *segments;
    header->e_phnum = 1;
    segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
                                .p_offset = ELF_CODE_OFFSET,
                                .p_paddr = 16 * MIB,
                                .p_filesz = ELF_CODE_SIZE,
                                .p_memsz = 2 * ELF_CODE_SIZE };
    memset(f->file + ELF_CODE_OFFSET, 0xcc, ELF_CODE_SIZE);
    f->size = ELF_CODE_OFFSET + ELF_CODE_SIZE;
    return segments;
}

static void
make_elf32(Fixture *f)
{
    Elf32_Ehdr *header = (void *)f->file;
    Elf32_Phdr *segments = (void *)(f->file + 52);

    memset(f->file, 0, 0x4000);
    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS32;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_machine = EM_386;
    header->e_entry = MIB + 0x20;
    header->e_phoff = 52;
    header->e_phentsize = sizeof *segments;
    header->e_phnum = 1;
    segments[0] = (Elf32_Phdr){ .p_type = PT_LOAD,
                                .p_offset = ELF_CODE_OFFSET,
                                .p_paddr = MIB,
                                .p_filesz = ELF_CODE_SIZE,
                                .p_memsz = 2 * ELF_CODE_SIZE };
    memset(f->file + ELF_CODE_OFFSET, 0xcc, ELF_CODE_SIZE);
    f->size = ELF_CODE_OFFSET + ELF_CODE_SIZE;
}

/* Adds a segment with the PVH note, its entry @entry. */
static Elf32_Nhdr *
add_pvh_note(Fixture *f, uint32_t entry)
{
    Elf64_Ehdr *header = (void *)f->file;
    Elf64_Phdr *segments = (void *)(f->file + 64);
    Elf32_Nhdr *note = (void *)(f->file + ELF_NOTE_OFFSET);

    /* A foreign note with an odd name length comes first. */
    *note = (Elf32_Nhdr){ .n_namesz = 5, .n_descsz = 3, .n_type = 18 };
    memcpy(note + 1, "Xenx", 5);
    note = (void *)(f->file + ELF_NOTE_OFFSET + 24);
    *note = (Elf32_Nhdr){ .n_namesz = 4, .n_descsz = 4, .n_type = 18 };
    memcpy(note + 1, "Xen", 4);
    memcpy(note + 1, "Xen", 4);
    memcpy((uint8_t *)(note + 1) + 4, &entry, 4);
    header->e_phnum = 2;
    segments[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
                                .p_offset = ELF_NOTE_OFFSET,
                                .p_filesz = 24 + 20,
                                .p_align = 4 };
    return note;
}

static void
test_elf64_linux(void **state)
{
    Fixture *f = *state;
    const struct boot_params *params;

    make_elf64(f);
    set_initrd(f, 4096);
    /* Memory after a reset is not clean. */
    memset(f->engine.low + 16 * MIB, 0xff, 3 * ELF_CODE_SIZE);
    assert_true(load(f));
    assert_int_equal(f->boot.mode, ENGINE_BOOT_LONG64);
    assert_int_equal(f->boot.entry, 16 * MIB + 0x10);
    assert_int_equal(f->engine.low[16 * MIB + ELF_CODE_SIZE - 1], 0xcc);
    assert_int_equal(f->engine.low[16 * MIB + ELF_CODE_SIZE], 0);
    assert_int_equal(f->engine.low[16 * MIB + 2 * ELF_CODE_SIZE], 0xff);
    params = params_of(f);
    assert_int_equal(params->hdr.boot_flag, 0xaa55);
    assert_int_equal(params->hdr.ramdisk_image, GUEST_RAM - 4096);
    assert_int_equal(params->hdr.type_of_loader, 0xff);
}

static void
test_elf64_pvh(void **state)
{
    Fixture *f = *state;
    const uint32_t *info;
    const uint64_t *wide;

    make_elf64(f);
    add_pvh_note(f, 16 * MIB + 0x100);
    set_initrd(f, 4096);
    assert_true(load(f));
    assert_int_equal(f->boot.mode, ENGINE_BOOT_PROT32);
    assert_int_equal(f->boot.entry, 16 * MIB + 0x100);
    info = (void *)(f->engine.low + f->boot.info);
    wide = (void *)info;
    assert_int_equal(info[0], 0x336ec578);
    assert_int_equal(info[1], 1);
    assert_int_equal(info[3], 1);
    assert_string_equal((char *)f->engine.low + wide[3], "console=ttyS0");
    assert_int_equal(wide[4], 0xe0000);
    assert_int_equal(info[12], G_N_ELEMENTS(map));
    wide = (void *)(f->engine.low + wide[2]);
    assert_int_equal(wide[0], GUEST_RAM - 4096);
    assert_int_equal(wide[1], 4096);
    wide = (void *)(f->engine.low + ((const uint64_t *)(const void *)info)[5]);
    assert_int_equal(wide[3 * 2], MIB);
    assert_int_equal(wide[3 * 2 + 1], GUEST_RAM - MIB);
}

static void
test_elf_refusals(void **state)
{
    Fixture *f = *state;
    Elf64_Phdr *segment;
    Elf32_Nhdr *note;

    make_elf64(f);
    ((Elf64_Ehdr *)(void *)f->file)->e_machine = EM_AARCH64;
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "another kind");
    make_elf64(f);
    ((Elf64_Ehdr *)(void *)f->file)->e_phnum = 0xffff;
    assert_refused(f, VIR_ERR_INVALID_ARG, "malformed");
    make_elf64(f);
    ((Elf64_Ehdr *)(void *)f->file)->e_phoff = UINT64_MAX - 8;
    assert_refused(f, VIR_ERR_INVALID_ARG, "truncated");
    make_elf64(f);
    f->size = 70;
    assert_refused(f, VIR_ERR_INVALID_ARG, "truncated");
    make_elf64(f);
    f->size = 56;
    assert_refused(f, VIR_ERR_INVALID_ARG, "malformed");
    make_elf64(f);
    f->size -= 1;
    assert_refused(f, VIR_ERR_INVALID_ARG, "truncated");
    segment = make_elf64(f);
    segment->p_memsz = segment->p_filesz - 1;
    assert_refused(f, VIR_ERR_INVALID_ARG, "malformed");
    segment = make_elf64(f);
    segment->p_memsz = UINT64_MAX;
    assert_refused(f, VIR_ERR_INVALID_ARG, "no free memory");
    segment = make_elf64(f);
    segment->p_paddr = UINT64_MAX - 0x1000;
    assert_refused(f, VIR_ERR_INVALID_ARG, "no free memory");
    segment = make_elf64(f);
    segment->p_paddr = 0x7000;
    assert_refused(f, VIR_ERR_INVALID_ARG, "no free memory");
    segment = make_elf64(f);
    segment->p_type = PT_NULL;
    assert_refused(f, VIR_ERR_INVALID_ARG, "nothing to load");
    make_elf64(f);
    ((Elf64_Ehdr *)(void *)f->file)->e_entry = 0x100;
    assert_refused(f, VIR_ERR_INVALID_ARG, "entry 0x100");
    segment = make_elf64(f);
    note = add_pvh_note(f, MIB);
    assert_refused(f, VIR_ERR_INVALID_ARG, "entry 0x100000");
    /* A note that runs off its segment is no note. */
    note->n_descsz = UINT32_MAX;
    assert_true(load(f));
    assert_int_equal(f->boot.mode, ENGINE_BOOT_LONG64);
    segment[1].p_filesz = UINT64_MAX;
    assert_refused(f, VIR_ERR_INVALID_ARG, "notes are too large");
    make_elf32(f);
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "neither a PVH note");
}

/* --- multiboot ------------------------------------------------------------ */
static void
put_multiboot(Fixture *f, size_t offset, uint32_t flags)
{
    uint32_t header[3] = { 0x1badb002, flags, 0u - 0x1badb002u - flags };

    memcpy(f->file + offset, header, sizeof header);
}

static uint32_t *
make_flat(Fixture *f)
{
    uint32_t *address = (void *)(f->file + 0x40 + 12);

    memset(f->file, 0, 0x4000);
    memset(f->file + 0x60, 0xcc, 0x2000 - 0x60);
    put_multiboot(f, 0x40, 1u << 16);
    address[0] = MIB + 0x40; /* header */
    address[1] = MIB;        /* load */
    address[2] = 0;          /* to the end of the file */
    address[3] = MIB + 0x3000;
    address[4] = MIB + 0x60;
    f->size = 0x2000;
    return address;
}

static void
test_multiboot_elf32(void **state)
{
    Fixture *f = *state;
    const uint32_t *info, *module;

    make_elf32(f);
    put_multiboot(f, ELF_CODE_OFFSET, 3);
    set_initrd(f, 4097);
    assert_true(load(f));
    assert_int_equal(f->boot.mode, ENGINE_BOOT_PROT32);
    assert_int_equal(f->boot.entry, MIB + 0x20);
    assert_int_equal(f->boot.magic, 0x2badb002);
    info = (void *)(f->engine.low + f->boot.info);
    assert_int_equal(info[0], 1 | 4 | 8 | 64 | 512);
    assert_int_equal(info[1], 639);
    assert_int_equal(info[2], 63 * 1024);
    assert_string_equal((char *)f->engine.low + info[4], "console=ttyS0");
    assert_int_equal(info[5], 1);
    module = (void *)(f->engine.low + info[6]);
    assert_int_equal(module[0], GUEST_RAM - 8192);
    assert_int_equal(module[1], GUEST_RAM - 8192 + 4097);
    assert_int_equal(info[11], 24 * G_N_ELEMENTS(map));
    assert_int_equal(((uint32_t *)(void *)(f->engine.low + info[12]))[0], 20);
}

static void
test_multiboot_flat(void **state)
{
    Fixture *f = *state;

    make_flat(f);
    memset(f->engine.low + MIB, 0xff, 0x4000);
    assert_true(load(f));
    assert_int_equal(f->boot.entry, MIB + 0x60);
    assert_int_equal(f->engine.low[MIB + 0x1fff], 0xcc);
    assert_int_equal(f->engine.low[MIB + 0x2000], 0);
    assert_int_equal(f->engine.low[MIB + 0x3000], 0xff);
}

static void
test_multiboot_refusals(void **state)
{
    Fixture *f = *state;

    make_flat(f);
    put_multiboot(f, 0x40, 0);
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "no addresses");
    make_flat(f);
    put_multiboot(f, 0x40, (1u << 16) | (1u << 5));
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "requires a feature");
    make_flat(f)[0] = MIB - 1;
    assert_refused(f, VIR_ERR_INVALID_ARG, "impossible addresses");
    make_flat(f)[0] = MIB + 0x44;
    assert_refused(f, VIR_ERR_INVALID_ARG, "impossible addresses");
    make_flat(f)[2] = MIB - 4;
    assert_refused(f, VIR_ERR_INVALID_ARG, "impossible addresses");
    make_flat(f)[2] = MIB + 0x2001;
    assert_refused(f, VIR_ERR_INVALID_ARG, "truncated");
    make_flat(f)[3] = MIB + 0x100;
    assert_refused(f, VIR_ERR_INVALID_ARG, "impossible addresses");
    make_flat(f)[3] = UINT32_MAX;
    assert_refused(f, VIR_ERR_INVALID_ARG, "no free memory");
    make_flat(f)[4] = MIB + 0x3000;
    assert_refused(f, VIR_ERR_INVALID_ARG, "impossible addresses");
    /* A header that the end of the file cuts off. */
    memset(f->file, 0, 0x4000);
    put_multiboot(f, 0x40, 1u << 16);
    f->size = 0x4c;
    assert_false(load(f));
}

/* --- files ---------------------------------------------------------------- */
static void
assert_file_refused(Fixture *f, const char *path, virErrorNumber code,
                    const char *words)
{
    g_clear_error(&f->error);
    fd_clear(&f->config.kernel.fd);
    f->config.kernel.path = (char *)path;
    assert_false(engine_boot_load(&f->engine, &f->config, map,
                                  G_N_ELEMENTS(map), 0, &f->boot, &f->error));
    assert_int_equal(error_code(f->error), code);
    assert_non_null(strstr(f->error->message, words));
    if (path)
        assert_non_null(strstr(f->error->message, path));
}

static void
test_files(void **state)
{
    Fixture *f = *state;
    g_autofree char *dir = g_dir_make_tmp("virtkvm-boot-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "kernel", NULL);

    assert_file_refused(f, NULL, VIR_ERR_CONFIG_UNSUPPORTED, "no kernel");
    assert_file_refused(f, path, VIR_ERR_SYSTEM_ERROR, "No such file");
    assert_file_refused(f, dir, VIR_ERR_INVALID_ARG, "is a directory");
    assert_file_refused(f, "/dev/null", VIR_ERR_INVALID_ARG, "not a regular");
    assert_true(g_file_set_contents(path, "", 0, NULL));
    assert_file_refused(f, path, VIR_ERR_INVALID_ARG, "is empty");
    assert_true(g_file_set_contents(path, "#!/bin/sh\n", -1, NULL));
    assert_file_refused(f, path, VIR_ERR_CONFIG_UNSUPPORTED, "neither a");
    unlink(path);
    rmdir(dir);
}

/* What is given stays usable: a reset loads again from the same descriptor. */
static void
test_reload(void **state)
{
    Fixture *f = *state;

    make_bzimage(f);
    assert_true(load(f));
    memset(f->engine.low, 0, GUEST_RAM);
    assert_true(engine_boot_load(&f->engine, &f->config, map, G_N_ELEMENTS(map),
                                 0, &f->boot, &f->error));
    assert_int_equal(f->engine.low[16 * MIB], 0x90);
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bzimage),
        TEST(test_bzimage_page_tables),
        TEST(test_bzimage_initrd),
        TEST(test_bzimage_initrd_limit),
        TEST(test_bzimage_initrd_above_4g),
        TEST(test_bzimage_initrd_below_kernel),
        TEST(test_bzimage_initrd_too_large),
        TEST(test_bzimage_moves_when_small),
        TEST(test_bzimage_refusals),
        TEST(test_elf64_linux),
        TEST(test_elf64_pvh),
        TEST(test_elf_refusals),
        TEST(test_multiboot_elf32),
        TEST(test_multiboot_flat),
        TEST(test_multiboot_refusals),
        TEST(test_files),
        TEST(test_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
