/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Loaded into the lab's QEMU, before its own libraries: when a guest's guest
 * writes CR8 while a virtual interrupt is pending, QEMU's emulation of that
 * instruction (helper_write_crN, seen in 7.2) notes an interrupt without the
 * lock that it then asserts to be held, and ends. EDK2 writes CR8 at the end of
 * every interrupt. A processor's thread notes it for itself, so nothing goes
 * wrong without the lock: the accelerator's module is told that it is held.
 */
#include <config.h>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ACCELERATOR "accel-tcg"

typedef struct Module Module; /* GModule */
Module *g_module_open(const char *name, int flags);

static bool
always(void)
{
    return true;
}

static bool
asks_for_lock(const char *name)
{
    return strcmp(name, "qemu_mutex_iothread_locked") == 0 ||
           strcmp(name, "bql_locked") == 0;
}

static uintptr_t
entry(const struct link_map *map, ElfW(Sxword) tag)
{
    for (const ElfW(Dyn) *dyn = map->l_ld; dyn->d_tag != DT_NULL; dyn++)
        if (dyn->d_tag == tag)
            return dyn->d_un.d_ptr;
    return 0;
}

/* Points what the module calls to ask for the lock at always(). */
static void
answer(const struct link_map *map)
{
    const char *names = (const char *)entry(map, DT_STRTAB);
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)entry(map, DT_SYMTAB);
    const ElfW(Rela) *calls = (const ElfW(Rela) *)entry(map, DT_JMPREL);
    size_t count = entry(map, DT_PLTRELSZ) / sizeof(*calls);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < count; i++) {
        uintptr_t *slot = (uintptr_t *)(map->l_addr + calls[i].r_offset);

        if (!asks_for_lock(names +
                           symbols[ELF64_R_SYM(calls[i].r_info)].st_name))
            continue;
        mprotect((void *)((uintptr_t)slot & -page), 2 * page,
                 PROT_READ | PROT_WRITE);
        *slot = (uintptr_t)always;
    }
}

Module *
g_module_open(const char *name, int flags)
{
    Module *(*next)(const char *, int);
    Module *module;
    struct link_map *map;
    void *handle;

    *(void **)&next = dlsym(RTLD_NEXT, "g_module_open");
    module = next(name, flags);
    if (!module || !name || !strstr(name, ACCELERATOR))
        return module;
    handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (handle && dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0)
        answer(map);
    return module;
}
