/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/cpu.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/x86/cpu-leaf.h"
#include "engine/x86/cpu-models.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define MSR_CORE_CAPABILITIES 0xcf
#define MSR_ARCH_CAPABILITIES 0x10a
#define XCR0_TILE             (3u << 17) /* tile configuration and data */

/* Value of a feature MSR; 0 where KVM does not know it. */
static uint32_t
host_msr(int kvm_fd, uint32_t index)
{
    g_autofree struct kvm_msrs *msrs =
        g_malloc0(sizeof *msrs + sizeof msrs->entries[0]);

    msrs->nmsrs = 1;
    msrs->entries[0].index = index;
    if (ioctl(kvm_fd, KVM_GET_MSRS, msrs) != 1)
        return 0;
    return (uint32_t)msrs->entries[0].data;
}

/* Where KVM has no brand string for the guest, that of the host itself. Every
 * 64-bit processor has these leaves, but asking costs an exit where the host is
 * a virtual machine: not before KVM was asked. */
static void
host_read_brand(EngineCpuHost *host)
{
    for (uint32_t i = 0; i < 3; i++) {
        const struct kvm_cpuid_entry2 *leaf =
            engine_cpuid_find(host->supported, 0x80000002 + i, 0);
        unsigned *out = &host->brand[i * 4];

        if (leaf && (leaf->eax | leaf->ebx | leaf->ecx | leaf->edx)) {
            out[0] = leaf->eax;
            out[1] = leaf->ebx;
            out[2] = leaf->ecx;
            out[3] = leaf->edx;
        } else {
            __cpuid(0x80000002 + i, out[0], out[1], out[2], out[3]);
        }
    }
}

EngineCpuHost *
engine_cpu_host_new(int kvm_fd, GError **error)
{
    g_autoptr(EngineCpuHost) host = g_new0(EngineCpuHost, 1);

    host->supported =
        g_malloc0(sizeof *host->supported +
                  CPU_LEAVES_MAX * sizeof host->supported->entries[0]);
    host->supported->nent = CPU_LEAVES_MAX;
    if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, host->supported) < 0) {
        error_set_errno(error, errno,
                        _("KVM does not tell which CPU features it supports"));
        return NULL;
    }
    host->arch_capabilities = host_msr(kvm_fd, MSR_ARCH_CAPABILITIES);
    host->core_capabilities = host_msr(kvm_fd, MSR_CORE_CAPABILITIES);
    host->tsc_deadline =
        ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    host_read_brand(host);
    return g_steal_pointer(&host);
}

void
engine_cpu_host_free(EngineCpuHost *host)
{
    if (!host)
        return;
    g_free(host->supported);
    g_free(host);
}

const char *
engine_cpu_host_vendor(const EngineCpuHost *host, char buffer[static 13])
{
    static const char *const names[][2] = {
        { "GenuineIntel", "Intel" },
        { "AuthenticAMD", "AMD" },
        { "HygonGenuine", "Hygon" },
    };
    const struct kvm_cpuid_entry2 *leaf =
        engine_cpuid_find(host->supported, 0, 0);

    memset(buffer, 0, 13);
    if (leaf) {
        memcpy(buffer, &leaf->ebx, 4);
        memcpy(buffer + 4, &leaf->edx, 4);
        memcpy(buffer + 8, &leaf->ecx, 4);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i][0], buffer) == 0)
            return names[i][1];
    return buffer;
}

uint32_t
engine_cpu_host_signature(const EngineCpuHost *host)
{
    const struct kvm_cpuid_entry2 *leaf =
        engine_cpuid_find(host->supported, 1, 0);

    return leaf ? leaf->eax : 0;
}

/* Features that KVM names but that a guest cannot have without work that this
 * engine does not do, or that are no features but state. */
static void
set_remove_unusable(const EngineCpuHost *host, EngineCpuSet *set)
{
    static const EngineCpuBit never[] = {
        CPU_BIT_OSXSAVE, /* mirrors CR4, KVM keeps it */
        CPU_BIT_OSPKE,
        CPU_BIT_SGX, /* needs enclave memory */
        CPU_BIT_SGXLC,
    };
    static const EngineCpuBit tiles[] = {
        CPU_BIT_AMX_BF16, CPU_BIT_AMX_TILE,    CPU_BIT_AMX_INT8,
        CPU_BIT_AMX_FP16, CPU_BIT_AMX_COMPLEX,
    };
    const struct kvm_cpuid_entry2 *xsave =
        engine_cpuid_find(host->supported, 0xd, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(never); i++)
        engine_cpu_set_put(set, never[i], false);
    if (xsave && (xsave->eax & XCR0_TILE) == XCR0_TILE)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(tiles); i++)
        engine_cpu_set_put(set, tiles[i], false);
}

EngineCpuSet
engine_cpu_host_set(const EngineCpuHost *host)
{
    const EngineCpuSet all = engine_cpu_set_all();
    EngineCpuSet set = { 0 };

    for (unsigned i = 0; i < CPU_WORDS; i++) {
        const EngineCpuWordType *type = &engine_cpu_words[i];
        struct kvm_cpuid_entry2 *entry;

        if (type->reg == CPU_MSR)
            continue;
        entry = engine_cpuid_find(host->supported, type->function, type->index);
        if (entry)
            set.word[i] = *engine_cpuid_word(entry, type->reg) & all.word[i];
    }
    if (engine_cpu_set_has(&set, CPU_BIT_ARCH_CAPS))
        set.word[CPU_WORD_MSR_10A] =
            host->arch_capabilities & all.word[CPU_WORD_MSR_10A];
    if (engine_cpu_set_has(&set, CPU_BIT_CORE_CAPS))
        set.word[CPU_WORD_MSR_CF] =
            host->core_capabilities & all.word[CPU_WORD_MSR_CF];
    /* With the local APIC in the kernel these come from KVM itself, and not
     * every version of it lists them. */
    engine_cpu_set_put(&set, CPU_BIT_X2APIC, true);
    engine_cpu_set_put(&set, CPU_BIT_HYPERVISOR, true);
    engine_cpu_set_put(&set, CPU_BIT_ARAT, true);
    if (host->tsc_deadline)
        engine_cpu_set_put(&set, CPU_BIT_TSC_DEADLINE, true);
    set_remove_unusable(host, &set);
    return set;
}

/* --- documents ------------------------------------------------------------ */
/* Names of the features in @set that documents about a CPU speak of. */
static GPtrArray *
set_names(const EngineCpuSet *set)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (unsigned word = 0; word < CPU_WORDS; word++)
        for (unsigned bit = 0; bit < 32; bit++)
            if (word != CPU_WORD_KVM_EAX && set->word[word] >> bit & 1)
                g_ptr_array_add(names,
                                g_strdup(engine_cpu_words[word].names[bit]));
    return names;
}

static void
host_cpu_describe(EngineHostCpu *cpu, const EngineCpuSet *set,
                  uint32_t signature)
{
    const EngineCpuModelType *model =
        engine_cpu_model_nearest(set, cpu->vendor, signature);
    const EngineCpuSet named = engine_cpu_model_set(model);
    EngineCpuSet more = *set, missing = named;

    for (unsigned i = 0; i < CPU_WORDS; i++) {
        more.word[i] &= ~named.word[i];
        missing.word[i] &= ~set->word[i];
    }
    /* Not migratable, so never given unless asked for. */
    engine_cpu_set_put(&more, CPU_BIT_INVTSC, false);
    cpu->model = g_strdup(model->name);
    cpu->features = set_names(&more);
    cpu->missing = set_names(&missing);
}

EngineHostCpu *
engine_host_cpu_query(GError **error)
{
    static const EngineCpuSet none = { 0 };
    g_auto(Fd) kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    g_autoptr(EngineCpuHost) host = NULL;
    EngineHostCpu *cpu;
    EngineCpuSet set;
    char vendor[13];

    if (kvm_fd < 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), "/dev/kvm");
        return NULL;
    }
    host = engine_cpu_host_new(kvm_fd, error);
    if (!host)
        return NULL;
    set = engine_cpu_host_set(host);
    cpu = g_new0(EngineHostCpu, 1);
    cpu->vendor = g_strdup(engine_cpu_host_vendor(host, vendor));
    host_cpu_describe(cpu, &set, engine_cpu_host_signature(host));
    cpu->models = g_array_new(FALSE, FALSE, sizeof(EngineCpuModel));
    for (unsigned i = 0; i < engine_cpu_n_models; i++) {
        const EngineCpuModelType *type = &engine_cpu_models[i];
        EngineCpuSet lacking = engine_cpu_model_lacking(type, &set);
        EngineCpuModel model = {
            .name = type->name,
            .vendor = type->vendor,
            .usable = memcmp(&lacking, &none, sizeof none) == 0,
        };

        g_array_append_val(cpu->models, model);
    }
    return cpu;
}

void
engine_host_cpu_free(EngineHostCpu *cpu)
{
    if (!cpu)
        return;
    g_free(cpu->vendor);
    g_free(cpu->model);
    g_ptr_array_unref(cpu->features);
    g_ptr_array_unref(cpu->missing);
    g_array_unref(cpu->models);
    g_free(cpu);
}
