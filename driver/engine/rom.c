/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/rom.h"

#include <errno.h>

#include "engine/machine.h"
#include "util/error.h"
#include "util/i18n.h"

static bool
set_slot(Engine *engine, const EngineRom *rom, uint64_t size, GError **error)
{
    struct kvm_userspace_memory_region region = {
        .slot = ENGINE_MEMORY_SLOTS + rom->number,
        .flags = KVM_MEM_READONLY,
        .guest_phys_addr = rom->gpa,
        .memory_size = size,
        .userspace_addr = (uintptr_t)rom->host,
    };

    g_assert(rom->number < ENGINE_ROMS_MAX);
    if (engine_kvm_ioctl(engine->kvm.vm_fd, KVM_SET_USER_MEMORY_REGION,
                         &region) == 0)
        return true;
    error_set_errno(
        error, errno, _("KVM refuses %llu KiB of read-only memory at %#llx"),
        (unsigned long long)(rom->size >> 10), (unsigned long long)rom->gpa);
    return false;
}

bool
engine_rom_show(Engine *engine, const EngineRom *rom, GError **error)
{
    return set_slot(engine, rom, rom->size, error);
}

bool
engine_rom_hide(Engine *engine, const EngineRom *rom, GError **error)
{
    return set_slot(engine, rom, 0, error);
}
