/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/memory.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "engine/device.h"
#include "engine/kvm.h"
#include "engine/x86/acpi.h"
#include "util/error.h"
#include "util/i18n.h"

#define HUGE_PAGE     (2ull << 20)
#define HIGH_BASE     (1ull << 32)
#define EBDA_BASE     0x9fc00ull /* boot.h: the RSDP pointer lives there */
#define VIDEO_BASE    0xa0000ull
#define BIOS_BASE     ((uint64_t)ENGINE_ACPI_GPA)
#define BIOS_END      0x100000ull
#define E820_RAM      1
#define E820_RESERVED 2

/* More than RAM and swap can only end in the host's out-of-memory killer. */
static bool
check_host(uint64_t size, GError **error)
{
    struct sysinfo info;
    uint64_t host;

    if (sysinfo(&info) != 0)
        return true;
    host = ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
    if (size <= host)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the domain's memory of %llu MiB is more than the host's %llu "
                "MiB"),
              (unsigned long long)(size >> 20),
              (unsigned long long)(host >> 20));
    return false;
}

/* Begins where a huge page can.
 * Returns: MAP_FAILED on failure */
static void *
map_aligned(uint64_t size)
{
    uint64_t all = size + HUGE_PAGE;
    uint8_t *at = mmap(NULL, all, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t before;

    if (at == MAP_FAILED)
        return at;
    before = -(uintptr_t)at % HUGE_PAGE;
    if (before > 0)
        munmap(at, before);
    munmap(at + before + size, HUGE_PAGE - before);
    return at + before;
}

bool
engine_memory_init(EngineMemory *memory, uint64_t size, uint64_t low_size,
                   GError **error)
{
    void *host;

    if (!check_host(size, error))
        return false;
    host = map_aligned(size);
    if (host == MAP_FAILED) {
        error_set_errno(error, errno, _("cannot map %llu MiB of memory"),
                        (unsigned long long)(size >> 20));
        return false;
    }
    /* A core dump of the engine must not hold the guest's secrets. */
    madvise(host, size, MADV_DONTDUMP);
    /* A host without huge pages has the others. */
    madvise(host, size, MADV_HUGEPAGE);
    *memory =
        (EngineMemory){ .host = host, .size = size, .low_size = low_size };
    return true;
}

void
engine_memory_clear(EngineMemory *memory)
{
    if (!memory->host)
        return;
    munmap(memory->host, memory->size);
    memory->host = NULL;
}

static bool
set_slot(const EngineMemory *memory, int vm_fd, uint32_t slot, uint64_t gpa,
         uint64_t offset, uint64_t size, GError **error)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .guest_phys_addr = gpa,
        .memory_size = size,
        .userspace_addr = (uintptr_t)(memory->host + offset),
    };

    if (engine_kvm_ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) == 0)
        return true;
    error_set_errno(error, errno, _("KVM refuses %llu MiB of memory at %#llx"),
                    (unsigned long long)(size >> 20), (unsigned long long)gpa);
    return false;
}

bool
engine_memory_plug(const EngineMemory *memory, int vm_fd, GError **error)
{
    uint64_t high = memory->size - memory->low_size;

    return set_slot(memory, vm_fd, 0, 0, 0, memory->low_size, error) &&
           (high == 0 || set_slot(memory, vm_fd, 1, HIGH_BASE, memory->low_size,
                                  high, error));
}

void
engine_memory_unplug(const EngineMemory *memory, int vm_fd)
{
    if (memory->host && vm_fd >= 0)
        (void)set_slot(memory, vm_fd, 0, 0, 0, 0, NULL);
}

void *
engine_memory_lookup(const EngineMemory *memory, uint64_t gpa, uint64_t size)
{
    uint64_t high = memory->size - memory->low_size;

    if (gpa <= memory->low_size && size <= memory->low_size - gpa)
        return memory->host + gpa;
    if (gpa >= HIGH_BASE && gpa - HIGH_BASE <= high &&
        size <= high - (gpa - HIGH_BASE))
        return memory->host + memory->low_size + (gpa - HIGH_BASE);
    return NULL;
}

/* The rest of a huge page stays; the host frees what nobody has of it when it
 * needs memory. */
void
engine_memory_release(Engine *engine, void *at, size_t size)
{
    (void)madvise(at, size, MADV_DONTNEED);
}

static void
e820_add(EngineE820 *map, unsigned *count, uint64_t base, uint64_t end,
         uint32_t type)
{
    if (end <= base)
        return;
    g_assert(*count < ENGINE_E820_MAX);
    map[(*count)++] = (EngineE820){ base, end - base, type };
}

unsigned
engine_memory_e820(const EngineMemory *memory, bool ecam, EngineE820 *map)
{
    uint64_t high = memory->size - memory->low_size;
    unsigned count = 0;

    e820_add(map, &count, 0, EBDA_BASE, E820_RAM);
    e820_add(map, &count, EBDA_BASE, VIDEO_BASE, E820_RESERVED);
    e820_add(map, &count, BIOS_BASE, BIOS_END, E820_RESERVED);
    e820_add(map, &count, BIOS_END, memory->low_size, E820_RAM);
    /* Linux trusts MCFG only if the map or ACPI keeps the window from others.
     */
    if (ecam)
        e820_add(map, &count, ENGINE_ECAM_BASE,
                 ENGINE_ECAM_BASE + ENGINE_ECAM_SIZE, E820_RESERVED);
    e820_add(map, &count, HIGH_BASE, HIGH_BASE + high, E820_RAM);
    return count;
}
