/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/cpu-leaf.h"

#include <string.h>

struct kvm_cpuid_entry2 *
engine_cpuid_find(const struct kvm_cpuid2 *cpuid, uint32_t function,
                  uint32_t index)
{
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

        if (entry->function == function &&
            (entry->index == index ||
             !(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
            return (struct kvm_cpuid_entry2 *)entry;
    }
    return NULL;
}

struct kvm_cpuid_entry2 *
engine_cpuid_make(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index,
                  uint32_t flags)
{
    struct kvm_cpuid_entry2 *entry = engine_cpuid_find(cpuid, function, index);

    if (entry)
        return entry;
    if (cpuid->nent >= CPU_LEAVES_MAX)
        return NULL;
    entry = &cpuid->entries[cpuid->nent++];
    memset(entry, 0, sizeof *entry);
    entry->function = function;
    entry->index = index;
    entry->flags = flags;
    return entry;
}

void
engine_cpuid_drop(struct kvm_cpuid2 *cpuid, uint32_t first, uint32_t last)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < cpuid->nent; i++) {
        uint32_t function = cpuid->entries[i].function;

        if (function < first || function > last)
            cpuid->entries[kept++] = cpuid->entries[i];
    }
    cpuid->nent = kept;
}

uint32_t *
engine_cpuid_word(struct kvm_cpuid_entry2 *entry, EngineCpuRegister reg)
{
    switch (reg) {
    case CPU_EAX:
        return &entry->eax;
    case CPU_EBX:
        return &entry->ebx;
    case CPU_ECX:
        return &entry->ecx;
    case CPU_EDX:
        return &entry->edx;
    case CPU_MSR:
        break;
    }
    g_assert_not_reached();
}
