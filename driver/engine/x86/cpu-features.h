/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/** The registers that hold feature bits, in the order of the table. */
typedef enum EngineCpuWord {
    CPU_WORD_1_EDX = 0,
    CPU_WORD_1_ECX,
    CPU_WORD_6_EAX,
    CPU_WORD_7_0_EBX,
    CPU_WORD_7_0_ECX,
    CPU_WORD_7_0_EDX,
    CPU_WORD_7_1_EAX,
    CPU_WORD_7_1_EDX,
    CPU_WORD_7_2_EDX,
    CPU_WORD_D_1_EAX,
    CPU_WORD_F_1_EDX,
    CPU_WORD_12_0_EAX,
    CPU_WORD_12_0_EBX,
    CPU_WORD_12_1_EAX,
    CPU_WORD_14_0_ECX,
    CPU_WORD_80000001_EDX,
    CPU_WORD_80000001_ECX,
    CPU_WORD_80000007_EBX,
    CPU_WORD_80000007_EDX,
    CPU_WORD_80000008_EBX,
    CPU_WORD_8000000A_EDX,
    CPU_WORD_80000021_EAX,
    CPU_WORD_KVM_EAX, /* 0x40000001, KVM's own features */
    CPU_WORD_MSR_10A, /* IA32_ARCH_CAPABILITIES, low half */
    CPU_WORD_MSR_CF,  /* IA32_CORE_CAPABILITIES, low half */
    CPU_WORDS,
} EngineCpuWord;

typedef enum EngineCpuRegister {
    CPU_EAX = 0,
    CPU_EBX,
    CPU_ECX,
    CPU_EDX,
    CPU_MSR, /* function is the number of a model-specific register */
} EngineCpuRegister;

/** Where a word stands, and what its bits are called (NULL: no name). */
typedef struct EngineCpuWordType {
    uint32_t function, index;
    EngineCpuRegister reg;
    bool has_index; /* KVM_CPUID_FLAG_SIGNIFCANT_INDEX */
    const char *names[32];
} EngineCpuWordType;

extern const EngineCpuWordType engine_cpu_words[CPU_WORDS];

/** A set of features. */
typedef struct EngineCpuSet {
    uint32_t word[CPU_WORDS];
} EngineCpuSet;

/** A feature's place. */
typedef struct EngineCpuBit {
    EngineCpuWord word;
    unsigned bit;
} EngineCpuBit;

/**
 * engine_cpu_feature_find: by libvirt's name or one of its aliases
 * Returns: false if there is no such feature
 */
bool engine_cpu_feature_find(const char *name, EngineCpuBit *ret_bit);

static inline bool
engine_cpu_set_has(const EngineCpuSet *set, EngineCpuBit bit)
{
    return set->word[bit.word] >> bit.bit & 1;
}

static inline void
engine_cpu_set_put(EngineCpuSet *set, EngineCpuBit bit, bool on)
{
    if (on)
        set->word[bit.word] |= 1u << bit.bit;
    else
        set->word[bit.word] &= ~(1u << bit.bit);
}

/** engine_cpu_set_all: every bit that has a name */
EngineCpuSet engine_cpu_set_all(void);

/* For features that the code itself knows. */
#define CPU_BIT(word_, bit_)    ((EngineCpuBit){ CPU_WORD_##word_, bit_ })
#define CPU_BIT_APIC            CPU_BIT(1_EDX, 9)
#define CPU_BIT_PAE             CPU_BIT(1_EDX, 6)
#define CPU_BIT_ACPI            CPU_BIT(1_EDX, 22)
#define CPU_BIT_HT              CPU_BIT(1_EDX, 28)
#define CPU_BIT_MONITOR         CPU_BIT(1_ECX, 3)
#define CPU_BIT_VMX             CPU_BIT(1_ECX, 5)
#define CPU_BIT_X2APIC          CPU_BIT(1_ECX, 21)
#define CPU_BIT_TSC_DEADLINE    CPU_BIT(1_ECX, 24)
#define CPU_BIT_XSAVE           CPU_BIT(1_ECX, 26)
#define CPU_BIT_OSXSAVE         CPU_BIT(1_ECX, 27)
#define CPU_BIT_AVX             CPU_BIT(1_ECX, 28)
#define CPU_BIT_HYPERVISOR      CPU_BIT(1_ECX, 31)
#define CPU_BIT_ARAT            CPU_BIT(6_EAX, 2)
#define CPU_BIT_SGX             CPU_BIT(7_0_EBX, 2)
#define CPU_BIT_MPX             CPU_BIT(7_0_EBX, 14)
#define CPU_BIT_AVX512F         CPU_BIT(7_0_EBX, 16)
#define CPU_BIT_INTEL_PT        CPU_BIT(7_0_EBX, 25)
#define CPU_BIT_PKU             CPU_BIT(7_0_ECX, 3)
#define CPU_BIT_OSPKE           CPU_BIT(7_0_ECX, 4)
#define CPU_BIT_SHSTK           CPU_BIT(7_0_ECX, 7)
#define CPU_BIT_SGXLC           CPU_BIT(7_0_ECX, 30)
#define CPU_BIT_IBT             CPU_BIT(7_0_EDX, 20)
#define CPU_BIT_AMX_BF16        CPU_BIT(7_0_EDX, 22)
#define CPU_BIT_AMX_TILE        CPU_BIT(7_0_EDX, 24)
#define CPU_BIT_AMX_INT8        CPU_BIT(7_0_EDX, 25)
#define CPU_BIT_ARCH_CAPS       CPU_BIT(7_0_EDX, 29)
#define CPU_BIT_CORE_CAPS       CPU_BIT(7_0_EDX, 30)
#define CPU_BIT_AMX_FP16        CPU_BIT(7_1_EAX, 21)
#define CPU_BIT_AMX_COMPLEX     CPU_BIT(7_1_EDX, 8)
#define CPU_BIT_XSAVES          CPU_BIT(D_1_EAX, 3)
#define CPU_BIT_CMP_LEGACY      CPU_BIT(80000001_ECX, 1)
#define CPU_BIT_SVM             CPU_BIT(80000001_ECX, 2)
#define CPU_BIT_TOPOEXT         CPU_BIT(80000001_ECX, 22)
#define CPU_BIT_INVTSC          CPU_BIT(80000007_EDX, 8)
#define CPU_BIT_KVMCLOCK        CPU_BIT(KVM_EAX, 0)
#define CPU_BIT_KVMCLOCK2       CPU_BIT(KVM_EAX, 3)
#define CPU_BIT_KVMCLOCK_STABLE CPU_BIT(KVM_EAX, 24)
