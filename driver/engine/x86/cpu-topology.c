/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/cpu.h"

#include "engine/x86/cpu-leaf.h"
#include "util/error.h"
#include "util/i18n.h"

/* Intel SDM 3A, 9.9: an APIC id is package, die, core and thread, each in as
 * many bits as its count needs. */
typedef struct Topology {
    unsigned threads, cores, dies;
    unsigned core_shift, die_shift, package_shift;
} Topology;

#define APIC_ID_XAPIC_MAX 254u /* 255 is the broadcast */
#define LEVEL_THREAD      1u   /* leaf 0xb and 0x1f, ECX bits 15-8 */
#define LEVEL_CORE        2u
#define LEVEL_DIE         5u

static unsigned
width(unsigned count)
{
    return count > 1 ? 32u - (unsigned)__builtin_clz(count - 1) : 0;
}

static Topology
topology_of(const EngineConfig *config)
{
    Topology topology = {
        .threads = MAX(config->cpu.threads, 1u),
        .cores = MAX(config->cpu.cores, 1u),
        .dies = MAX(config->cpu.dies, 1u),
    };

    topology.core_shift = width(topology.threads);
    topology.die_shift = topology.core_shift + width(topology.cores);
    topology.package_shift = topology.die_shift + width(topology.dies);
    return topology;
}

unsigned
engine_apic_id(const EngineConfig *config, unsigned index)
{
    Topology topology = topology_of(config);
    unsigned thread = index % topology.threads;
    unsigned core = index / topology.threads % topology.cores;
    unsigned die = index / topology.threads / topology.cores % topology.dies;
    unsigned package =
        index / topology.threads / topology.cores / topology.dies;

    return package << topology.package_shift | die << topology.die_shift |
           core << topology.core_shift | thread;
}

/* Leaf 4 and AMD's 0x8000001d describe a cache each: EAX bits 7-5 its level,
 * 25-14 how many APIC ids can share it, less one. Bits 31-26 of leaf 4: how
 * many cores a package can have, less one. */
static void
set_cache(struct kvm_cpuid_entry2 *entry, const Topology *topology, bool intel)
{
    unsigned level = entry->eax >> 5 & 7;
    unsigned sharing;

    if ((entry->eax & 31) == 0)
        return;
    sharing =
        level >= 3 ? 1u << topology->die_shift : 1u << topology->core_shift;
    entry->eax &= intel ? 0x3fffu : 0xfc003fffu;
    entry->eax |= (MIN(sharing, 4096u) - 1) << 14;
    if (intel) {
        unsigned cores = 1u << (topology->package_shift - topology->core_shift);

        entry->eax |= (MIN(cores, 64u) - 1) << 26;
    }
}

static bool
set_level(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index,
          const uint32_t value[3])
{
    struct kvm_cpuid_entry2 *entry = engine_cpuid_make(
        cpuid, function, index, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);

    if (!entry)
        return false;
    entry->eax = value[0];
    entry->ebx = value[1];
    entry->ecx = index | value[2] << 8;
    return true;
}

/* Leaf 0xb always; 0x1f, which knows dies, where there are any. */
static bool
set_levels(struct kvm_cpuid2 *cpuid, const Topology *topology)
{
    const unsigned cores = topology->threads * topology->cores;
    const unsigned all = cores * topology->dies;
    const uint32_t thread[3] = { topology->core_shift, topology->threads,
                                 LEVEL_THREAD };
    const uint32_t core[3] = { topology->die_shift, cores, LEVEL_CORE };
    const uint32_t package[3] = { topology->package_shift, all, LEVEL_CORE };
    const uint32_t die[3] = { topology->package_shift, all, LEVEL_DIE };
    const uint32_t end[3] = { 0, 0, 0 };

    engine_cpuid_drop(cpuid, 0xb, 0xb);
    engine_cpuid_drop(cpuid, 0x1f, 0x1f);
    if (!set_level(cpuid, 0xb, 0, thread) ||
        !set_level(cpuid, 0xb, 1, package) || !set_level(cpuid, 0xb, 2, end))
        return false;
    return topology->dies == 1 ||
           (set_level(cpuid, 0x1f, 0, thread) &&
            set_level(cpuid, 0x1f, 1, core) && set_level(cpuid, 0x1f, 2, die) &&
            set_level(cpuid, 0x1f, 3, end));
}

static void
set_counts(struct kvm_cpuid2 *cpuid, const Topology *topology, bool amd)
{
    const unsigned all = topology->threads * topology->cores * topology->dies;
    struct kvm_cpuid_entry2 *leaf1 = engine_cpuid_find(cpuid, 1, 0);
    struct kvm_cpuid_entry2 *amd1 = engine_cpuid_find(cpuid, 0x80000001, 0);
    struct kvm_cpuid_entry2 *amd8 = engine_cpuid_find(cpuid, 0x80000008, 0);

    if (leaf1) {
        leaf1->ebx &= 0xff00ffff;
        leaf1->ebx |= MIN(all, 255u) << 16;
        leaf1->edx &= ~(1u << 28); /* HTT: the count above means something */
        if (all > 1)
            leaf1->edx |= 1u << 28;
    }
    if (amd1) {
        amd1->ecx &= ~2u; /* CmpLegacy: cores, not threads */
        if (amd && topology->threads == 1 && all > 1)
            amd1->ecx |= 2u;
    }
    if (amd8)
        amd8->ecx =
            amd ? (MIN(all, 256u) - 1) | MIN(topology->package_shift, 15u) << 12
                : 0;
}

static bool
has_topoext(const struct kvm_cpuid2 *cpuid)
{
    const struct kvm_cpuid_entry2 *entry =
        engine_cpuid_find(cpuid, 0x80000001, 0);

    return entry && entry->ecx >> CPU_BIT_TOPOEXT.bit & 1;
}

bool
engine_cpuid_set_topology(struct kvm_cpuid2 *cpuid, const EngineConfig *config,
                          bool amd, bool x2apic, GError **error)
{
    Topology topology = topology_of(config);
    unsigned last = engine_apic_id(config, MAX(config->vcpus, 1u) - 1);

    if (last > APIC_ID_XAPIC_MAX && !x2apic) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("%u vCPUs in this topology need the CPU feature 'x2apic'"),
                  config->vcpus);
        return false;
    }
    set_counts(cpuid, &topology, amd);
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        if (cpuid->entries[i].function == 4)
            set_cache(&cpuid->entries[i], &topology, true);
        if (cpuid->entries[i].function == 0x8000001d)
            set_cache(&cpuid->entries[i], &topology, false);
    }
    if (set_levels(cpuid, &topology) &&
        (!has_topoext(cpuid) || engine_cpuid_make(cpuid, 0x8000001e, 0, 0)))
        return true;
    error_set(error, VIR_ERR_INTERNAL_ERROR,
              _("this host has too many CPUID leaves"));
    return false;
}

void
engine_cpuid_set_vcpu(struct kvm_cpuid2 *cpuid, const EngineConfig *config,
                      unsigned index)
{
    Topology topology = topology_of(config);
    unsigned id = engine_apic_id(config, index);
    unsigned in_package = id & ((1u << topology.package_shift) - 1);

    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

        switch (entry->function) {
        case 1:
            entry->ebx = (entry->ebx & 0x00ffffff) | id << 24;
            break;
        case 0xb:
        case 0x1f:
            entry->edx = id;
            break;
        case 0x8000001e: /* AMD APM 3, E.4.17 */
            entry->eax = id;
            entry->ebx = ((in_package >> topology.core_shift) & 0xff) |
                         (MIN(topology.threads, 256u) - 1) << 8;
            entry->ecx = ((id >> topology.die_shift) & 0xff) |
                         (MIN(topology.dies, 8u) - 1) << 8;
            break;
        default:
            break;
        }
    }
}
