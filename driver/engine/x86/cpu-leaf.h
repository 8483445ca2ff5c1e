/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/kvm.h>

#include "engine/config.h"
#include "engine/x86/cpu-features.h"

/* KVM's own bound (KVM_MAX_CPUID_ENTRIES). */
#define CPU_LEAVES_MAX 256

/** What KVM on a host can give; everything else follows from it. */
typedef struct EngineCpuHost {
    struct kvm_cpuid2 *supported; /* room for CPU_LEAVES_MAX */
    uint32_t arch_capabilities;   /* low half of MSR 0x10a */
    uint32_t core_capabilities;   /* low half of MSR 0xcf */
    bool tsc_deadline;            /* KVM_CAP_TSC_DEADLINE_TIMER */
    uint32_t brand[12];           /* of the host's own leaves 0x80000002-4 */
} EngineCpuHost;

/** engine_cpu_host_new: ask KVM; NULL with SYSTEM_ERROR if it refuses */
EngineCpuHost *engine_cpu_host_new(int kvm_fd, GError **error);
void engine_cpu_host_free(EngineCpuHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineCpuHost, engine_cpu_host_free)

/** engine_cpu_host_vendor: libvirt's name ("Intel"), or the 12 characters */
const char *engine_cpu_host_vendor(const EngineCpuHost *host,
                                   char buffer[static 13]);

/** engine_cpu_host_set: the features that a guest can have on this host */
EngineCpuSet engine_cpu_host_set(const EngineCpuHost *host);

/** engine_cpu_host_signature: EAX of leaf 1 */
uint32_t engine_cpu_host_signature(const EngineCpuHost *host);

/**
 * engine_cpuid_build: engine_cpuid_new() for a given host; nothing but its
 * arguments decides
 */
struct kvm_cpuid2 *engine_cpuid_build(const EngineCpuHost *host,
                                      const EngineConfig *config,
                                      GError **error);

/** engine_cpuid_find: an entry, or NULL */
struct kvm_cpuid_entry2 *engine_cpuid_find(const struct kvm_cpuid2 *cpuid,
                                           uint32_t function, uint32_t index);

/**
 * engine_cpuid_make: an entry, added (all zero) if it is not there
 * @flags: of a new entry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX or 0
 * Returns: NULL if the table is full
 */
struct kvm_cpuid_entry2 *engine_cpuid_make(struct kvm_cpuid2 *cpuid,
                                           uint32_t function, uint32_t index,
                                           uint32_t flags);

/** engine_cpuid_drop: remove every entry from @first to @last */
void engine_cpuid_drop(struct kvm_cpuid2 *cpuid, uint32_t first, uint32_t last);

/** engine_cpuid_word: the register of @entry that @reg names */
uint32_t *engine_cpuid_word(struct kvm_cpuid_entry2 *entry,
                            EngineCpuRegister reg);

/**
 * engine_cpuid_set_topology: the leaves that tell of packages, dies, cores,
 * threads and who shares which cache; APIC ids are left for each vCPU
 * @error: CONFIG_UNSUPPORTED if an APIC id needs x2apic and it is off
 */
bool engine_cpuid_set_topology(struct kvm_cpuid2 *cpuid,
                               const EngineConfig *config, bool amd,
                               bool x2apic, GError **error);
