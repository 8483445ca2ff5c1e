/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/cpu-models.h"

#include <glib.h>
#include <string.h>

/*
 * The models that libvirt 9.0 has for x86, and two newer ones. Which features
 * a name stands for is part of libvirt's interface: a test compares this table
 * with the one that an installed libvirt brings.
 */
/* clang-format off */
const EngineCpuModelType engine_cpu_models[] = {
    { "486", NULL, NULL, 4, { 8 }, { 0, 15 }, 0, CPU_MODEL_GENERIC,
      "fpu pse vme" },
    { "pentium", "486", NULL, 5, { 4 }, { 0, 15 }, 3, CPU_MODEL_GENERIC,
      "cx8 de mce mmx msr tsc" },
    { "pentiumpro", "pentium", NULL, 6, { 1 }, { 0, 15 }, 0, CPU_MODEL_GENERIC,
      "apic cmov fxsr pae pat pge sep sse sse2",
      "vme" },
    { "pentium2", "pentiumpro", NULL, 6, { 5 }, { 0, 15 }, 2, CPU_MODEL_GENERIC,
      "mca mtrr pse36 vme",
      "apic sse sse2" },
    { "pentium3", "pentium2", NULL, 6, { 7 }, { 0, 15 }, 3, CPU_MODEL_GENERIC,
      "sse" },
    { "coreduo", "pentium3", "Intel", 6, { 14 }, { 0, 15 }, 8,
      CPU_MODEL_GENERIC,
      "apic clflush monitor nx pni sse2",
      "pse36" },
    { "n270", "coreduo", "Intel", 6, { 28 }, { 0, 15 }, 2, CPU_MODEL_GENERIC,
      "ssse3" },
    { "core2duo", "n270", "Intel", 6, { 15 }, { 0, 15 }, 11, CPU_MODEL_GENERIC,
      "lm pse36 syscall" },
    { "kvm32", "pentium3", NULL, 15, { 6 }, { 0, 15 }, 1, CPU_MODEL_GENERIC,
      "apic clflush pni sse2",
      "vme" },
    { "kvm64", "kvm32", NULL, 15, { 6 }, { 0, 15 }, 1, CPU_MODEL_GENERIC,
      "cx16 lm nx syscall" },
    { "qemu32", "kvm32", NULL, 6, { 6 }, { 0, 15 }, 3, CPU_MODEL_GENERIC,
      "",
      "clflush mca mtrr pse36" },
    { "qemu64", "kvm64", NULL, 15, { 107 }, { 0, 15 }, 1, CPU_MODEL_GENERIC,
      "svm" },
    { "cpu64-rhel5", "kvm64", NULL, 6, { 13 }, { 0, 15 }, 3,
      CPU_MODEL_GENERIC | CPU_MODEL_GUEST_ONLY,
      "",
      "cx16" },
    { "cpu64-rhel6", "cpu64-rhel5", NULL, 6, { 13 }, { 0, 15 }, 3,
      CPU_MODEL_GENERIC | CPU_MODEL_GUEST_ONLY,
      "cx16 lahf_lm" },
    { "Conroe", "kvm64", "Intel", 6, { 15, 22 }, { 0, 15 }, 3, 0,
      "lahf_lm ssse3",
      "cx16" },
    { "Penryn", "Conroe", "Intel", 6, { 23, 29 }, { 0, 15 }, 3, 0,
      "cx16 sse4.1" },
    { "Nehalem", "Penryn", "Intel", 6, { 26, 30, 31, 46 }, { 0, 15 }, 3, 0,
      "popcnt sse4.2" },
    { "Nehalem-IBRS", "Nehalem", "Intel", 6, { 26, 30, 31, 46 }, { 0, 15 },
      3, 0,
      "spec-ctrl" },
    { "Westmere", "Nehalem", "Intel", 6, { 44, 47, 37 }, { 0, 15 }, 1, 0,
      "aes" },
    { "Westmere-IBRS", "Westmere", "Intel", 6, { 44 }, { 0, 15 }, 1, 0,
      "spec-ctrl" },
    { "SandyBridge", "Westmere", "Intel", 6, { 42, 45 }, { 0, 15 }, 1, 0,
      "avx pclmuldq rdtscp tsc-deadline x2apic xsave" },
    { "SandyBridge-IBRS", "SandyBridge", "Intel", 6, { 42, 45 }, { 0, 15 },
      1, 0,
      "spec-ctrl" },
    { "IvyBridge", "SandyBridge", "Intel", 6, { 58, 62 }, { 0, 15 }, 9, 0,
      "erms f16c fsgsbase rdrand smep vme" },
    { "IvyBridge-IBRS", "IvyBridge", "Intel", 6, { 58, 62 }, { 0, 15 }, 9, 0,
      "spec-ctrl" },
    { "Haswell-noTSX", "IvyBridge", "Intel", 6, { 60, 63, 69, 70 }, { 0,
      15 }, 1, 0,
      "avx2 bmi1 bmi2 fma invpcid movbe pcid",
      "f16c rdrand vme" },
    { "Haswell-noTSX-IBRS", "Haswell-noTSX", "Intel", 6, { 60, 63, 69, 70 },
      { 0, 15 }, 1, 0,
      "spec-ctrl" },
    { "Haswell", "Haswell-noTSX", "Intel", 6, { 60, 63, 69, 70 }, { 0, 15 },
      4, 0,
      "hle rtm" },
    { "Haswell-IBRS", "Haswell", "Intel", 6, { 60, 63, 69, 70 }, { 0, 15 },
      4, 0,
      "spec-ctrl" },
    { "Broadwell-noTSX", "Haswell-noTSX", "Intel", 6, { 61, 71, 79, 86 },
      { 0, 15 }, 2, 0,
      "3dnowprefetch adx rdseed smap" },
    { "Broadwell-noTSX-IBRS", "Broadwell-noTSX", "Intel", 6, { 61, 71, 79,
      86 }, { 0, 15 }, 2, 0,
      "spec-ctrl" },
    { "Broadwell", "Broadwell-noTSX", "Intel", 6, { 61, 71, 79, 86 }, { 0,
      15 }, 2, 0,
      "hle rtm" },
    { "Broadwell-IBRS", "Broadwell", "Intel", 6, { 61, 71, 79, 86 }, { 0,
      15 }, 2, 0,
      "spec-ctrl" },
    { "Skylake-Client", "Broadwell", "Intel", 6, { 94, 78, 142, 158 }, { 0,
      15 }, 3, 0,
      "abm arat f16c mpx rdrand vme xgetbv1 xsavec xsaveopt" },
    { "Skylake-Client-IBRS", "Skylake-Client", "Intel", 6, { 94, 78, 142,
      158 }, { 0, 15 }, 3, 0,
      "spec-ctrl" },
    { "Skylake-Client-noTSX-IBRS", "Skylake-Client-IBRS", "Intel", 6, { 94,
      78, 142, 158 }, { 0, 15 }, 3, 0,
      "",
      "hle rtm" },
    { "Skylake-Server", "Skylake-Client", "Intel", 6, { 85 }, { 0, 4 }, 4, 0,
      "avx512bw avx512cd avx512dq avx512f avx512vl clwb pdpe1gb" },
    { "Skylake-Server-IBRS", "Skylake-Server", "Intel", 6, { 85 }, { 0, 4 },
      4, 0,
      "spec-ctrl" },
    { "Skylake-Server-noTSX-IBRS", "Skylake-Server-IBRS", "Intel", 6, { 85 },
      { 0, 4 }, 4, 0,
      "",
      "hle rtm" },
    { "Cascadelake-Server", "Skylake-Server-IBRS", "Intel", 6, { 85 }, { 5,
      7 }, 6, 0,
      "avx512vnni clflushopt ssbd" },
    { "Cascadelake-Server-noTSX", "Cascadelake-Server", "Intel", 6, { 85 },
      { 5, 7 }, 6, 0,
      "",
      "hle rtm" },
    { "Cooperlake", "Cascadelake-Server", "Intel", 6, { 85 }, { 10, 11 }, 10, 0,
      "arch-capabilities avx512-bf16 ibrs-all mds-no pku pschange-mc-no "
      "rdctl-no skip-l1dfl-vmentry stibp taa-no",
      "mpx" },
    { "Icelake-Client", "Skylake-Client-IBRS", "Intel", 6, { 126 }, { 0,
      15 }, 0, 0,
      "avx512-vpopcntdq avx512bitalg avx512vbmi avx512vbmi2 avx512vnni "
      "gfni pku ssbd umip vaes vpclmulqdq wbnoinvd" },
    { "Icelake-Client-noTSX", "Icelake-Client", "Intel", 6, { 126 }, { 0,
      15 }, 0, 0,
      "",
      "hle rtm" },
    { "Icelake-Server", "Icelake-Client", "Intel", 6, { 106 }, { 0, 15 }, 6, 0,
      "avx512bw avx512cd avx512dq avx512f avx512vl clflushopt clwb la57 "
      "pdpe1gb" },
    { "Icelake-Server-noTSX", "Icelake-Server", "Intel", 6, { 106 }, { 0,
      15 }, 6, 0,
      "",
      "hle rtm" },
    { "SapphireRapids", "Icelake-Server", "Intel", 6, { 143 }, { 0, 15 }, 4, 0,
      "amx-bf16 amx-int8 amx-tile arch-capabilities avx-vnni avx512-bf16 "
      "avx512-fp16 avx512ifma bus-lock-detect fsrc fsrm fsrs fzrm "
      "ibrs-all mds-no pschange-mc-no rdctl-no rdpid serialize sha-ni "
      "skip-l1dfl-vmentry taa-no tsx-ldtrk xfd xsaves",
      "mpx" },
    { "Snowridge", "Skylake-Client-IBRS", "Intel", 6, { 134 }, { 0, 15 }, 1, 0,
      "arch-capabilities cldemote clflushopt clwb core-capability gfni "
      "movdir64b movdiri pdpe1gb sha-ni split-lock-detect ssbd umip",
      "abm adx avx avx2 bmi1 bmi2 f16c fma hle invpcid mpx pcid rtm" },
    { "athlon", "pentium3", "AMD", 6, { 2 }, { 0, 15 }, 3, CPU_MODEL_GENERIC,
      "3dnow 3dnowext apic mmxext sse2",
      "mca" },
    { "phenom", "kvm64", "AMD", 16, { 2 }, { 0, 15 }, 3, CPU_MODEL_GENERIC,
      "3dnow 3dnowext fxsr_opt mmxext monitor svm",
      "cx16" },
    { "Opteron_G1", "kvm64", "AMD", 15, { 6 }, { 0, 15 }, 1, 0,
      "",
      "cx16" },
    { "Opteron_G2", "Opteron_G1", "AMD", 15, { 6 }, { 0, 15 }, 1, 0,
      "cx16 lahf_lm rdtscp svm" },
    { "Opteron_G3", "Opteron_G2", "AMD", 16, { 2 }, { 0, 15 }, 3, 0,
      "abm misalignsse popcnt sse4a" },
    { "Opteron_G4", "Opteron_G3", "AMD", 21, { 1 }, { 0, 15 }, 2, 0,
      "3dnowprefetch aes avx fma4 pclmuldq pdpe1gb sse4.1 sse4.2 ssse3 "
      "xop xsave" },
    { "Opteron_G5", "Opteron_G4", "AMD", 21, { 2 }, { 0, 15 }, 0, 0,
      "f16c fma tbm" },
    { "EPYC", "Opteron_G3", "AMD", 23, { 1 }, { 0, 15 }, 2, 0,
      "3dnowprefetch adx aes arat avx avx2 bmi1 bmi2 clflushopt cr8legacy "
      "f16c fma fsgsbase fxsr_opt mmxext movbe osvw pclmuldq pdpe1gb "
      "rdrand rdseed sha-ni smap smep sse4.1 sse4.2 ssse3 vme xgetbv1 "
      "xsave xsavec xsaveopt" },
    { "EPYC-IBPB", "EPYC", "AMD", 23, { 1 }, { 0, 15 }, 2, 0,
      "ibpb" },
    { "EPYC-Rome", "EPYC-IBPB", "AMD", 23, { 49 }, { 0, 15 }, 0, 0,
      "amd-stibp clwb clzero npt nrip-save perfctr_core rdpid umip "
      "wbnoinvd xsaveerptr" },
    { "EPYC-Milan", "EPYC-Rome", "AMD", 25, { 1 }, { 0, 15 }, 1, 0,
      "amd-ssbd erms fsrm ibrs invpcid pcid pku svme-addr-chk xsaves" },
    { "EPYC-Genoa", "EPYC-Milan", "AMD", 25, { 17 }, { 0, 15 }, 0, 0,
      "amd-psfd auto-ibrs avx512-bf16 avx512-vpopcntdq avx512bitalg "
      "avx512bw avx512cd avx512dq avx512f avx512ifma avx512vbmi "
      "avx512vbmi2 avx512vl avx512vnni gfni la57 "
      "lfence-always-serializing no-nested-data-bp null-sel-clr-base "
      "stibp-always-on vaes vnmi vpclmulqdq x2apic" },
    { "Dhyana", "EPYC-IBPB", "Hygon", 24, { 0 }, { 0, 15 }, 1, 0,
      "",
      "aes pclmuldq sha-ni" },
};
/* clang-format on */
const unsigned engine_cpu_n_models = G_N_ELEMENTS(engine_cpu_models);

const EngineCpuModelType *
engine_cpu_model_find(const char *name)
{
    for (unsigned i = 0; i < engine_cpu_n_models; i++)
        if (strcmp(engine_cpu_models[i].name, name) == 0)
            return &engine_cpu_models[i];
    return NULL;
}

/* Puts the features of a blank-separated list into @set, or takes them out. */
static void
set_put_list(EngineCpuSet *set, const char *list, bool on)
{
    while (list && *list) {
        size_t length = strcspn(list, " ");
        char name[32];
        EngineCpuBit bit;

        g_assert(length < sizeof name);
        memcpy(name, list, length);
        name[length] = '\0';
        if (engine_cpu_feature_find(name, &bit))
            engine_cpu_set_put(set, bit, on);
        list += length + strspn(list + length, " ");
    }
}

EngineCpuSet
engine_cpu_model_set(const EngineCpuModelType *model)
{
    EngineCpuSet set = { 0 };

    if (model->base)
        set = engine_cpu_model_set(engine_cpu_model_find(model->base));
    set_put_list(&set, model->add, true);
    set_put_list(&set, model->drop, false);
    return set;
}

/* Intel SDM 2A, CPUID, leaf 1: families from 15 on are split in two fields,
 * so is the model. */
uint32_t
engine_cpu_model_signature(const EngineCpuModelType *model)
{
    uint32_t family = MIN(model->family, 15u);
    uint32_t extended = model->family - family;
    uint32_t number = model->models[0];

    return extended << 20 | (number >> 4) << 16 | family << 8 |
           (number & 15) << 4 | model->stepping;
}

static bool
model_is(const EngineCpuModelType *model, uint32_t signature)
{
    unsigned family = signature >> 8 & 15;
    unsigned number = (signature >> 4 & 15) | (signature >> 12 & 0xf0);
    unsigned stepping = signature & 15;

    if (family == 15)
        family += signature >> 20 & 255;
    if (model->flags & CPU_MODEL_GENERIC || model->family != family ||
        stepping < model->steppings[0] || stepping > model->steppings[1])
        return false;
    for (unsigned i = 0; i < CPU_MODEL_NUMBERS_MAX; i++)
        if (model->models[i] == number && (number || i == 0))
            return true;
    return false;
}

static unsigned
set_distance(const EngineCpuSet *a, const EngineCpuSet *b)
{
    unsigned distance = 0;

    for (unsigned i = 0; i < CPU_WORDS; i++)
        distance += (unsigned)__builtin_popcount(a->word[i] ^ b->word[i]);
    return distance;
}

const EngineCpuModelType *
engine_cpu_model_nearest(const EngineCpuSet *host, const char *vendor,
                         uint32_t signature)
{
    const EngineCpuModelType *best = NULL;
    unsigned best_distance = 0;
    bool best_is = false;

    for (unsigned i = 0; i < engine_cpu_n_models; i++) {
        const EngineCpuModelType *model = &engine_cpu_models[i];
        EngineCpuSet set;
        unsigned distance;
        bool is;

        if (model->flags & CPU_MODEL_GUEST_ONLY ||
            (model->vendor && strcmp(model->vendor, vendor) != 0))
            continue;
        set = engine_cpu_model_set(model);
        distance = set_distance(&set, host);
        is = model_is(model, signature);
        if (best &&
            (is < best_is || (is == best_is && distance >= best_distance)))
            continue;
        best = model;
        best_distance = distance;
        best_is = is;
    }
    return best;
}

EngineCpuSet
engine_cpu_model_lacking(const EngineCpuModelType *model,
                         const EngineCpuSet *host)
{
    EngineCpuSet set = engine_cpu_model_set(model);

    engine_cpu_set_put(&set, CPU_BIT_SVM, false);
    engine_cpu_set_put(&set, CPU_BIT_VMX, false);
    engine_cpu_set_put(&set, CPU_BIT_MONITOR, false);
    engine_cpu_set_put(&set, CPU_BIT_ACPI, false);
    for (unsigned i = 0; i < CPU_WORDS; i++)
        set.word[i] &= ~host->word[i];
    return set;
}
