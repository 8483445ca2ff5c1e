/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/cpu-features.h"

#include <glib.h>
#include <string.h>

/*
 * The names are libvirt's (and, where libvirt 9.0 has none, QEMU's); the bits
 * are those of the Intel SDM, volume 2A, CPUID; AMD APM, volume 3, appendix E;
 * Linux, Documentation/virt/kvm/x86/cpuid.rst.
 */
/* clang-format off */
const EngineCpuWordType engine_cpu_words[CPU_WORDS] = {
    [CPU_WORD_1_EDX] = { 0x1, 0, CPU_EDX, false, {
        [0] = "fpu",     [1] = "vme",    [2] = "de",    [3] = "pse",
        [4] = "tsc",     [5] = "msr",    [6] = "pae",   [7] = "mce",
        [8] = "cx8",     [9] = "apic",   [11] = "sep",  [12] = "mtrr",
        [13] = "pge",    [14] = "mca",   [15] = "cmov", [16] = "pat",
        [17] = "pse36",  [18] = "pn",    [19] = "clflush", [21] = "ds",
        [22] = "acpi",   [23] = "mmx",   [24] = "fxsr", [25] = "sse",
        [26] = "sse2",   [27] = "ss",    [28] = "ht",   [29] = "tm",
        [30] = "ia64",   [31] = "pbe",
    } },
    [CPU_WORD_1_ECX] = { 0x1, 0, CPU_ECX, false, {
        [0] = "pni",     [1] = "pclmuldq", [2] = "dtes64", [3] = "monitor",
        [4] = "ds_cpl",  [5] = "vmx",    [6] = "smx",   [7] = "est",
        [8] = "tm2",     [9] = "ssse3",  [10] = "cid",  [12] = "fma",
        [13] = "cx16",   [14] = "xtpr",  [15] = "pdcm", [17] = "pcid",
        [18] = "dca",    [19] = "sse4.1", [20] = "sse4.2", [21] = "x2apic",
        [22] = "movbe",  [23] = "popcnt", [24] = "tsc-deadline",
        [25] = "aes",    [26] = "xsave", [27] = "osxsave", [28] = "avx",
        [29] = "f16c",   [30] = "rdrand", [31] = "hypervisor",
    } },
    [CPU_WORD_6_EAX] = { 0x6, 0, CPU_EAX, false, {
        [2] = "arat",
    } },
    [CPU_WORD_7_0_EBX] = { 0x7, 0, CPU_EBX, true, {
        [0] = "fsgsbase", [1] = "tsc_adjust", [2] = "sgx", [3] = "bmi1",
        [4] = "hle",     [5] = "avx2",   [6] = "fdp-excptn-only",
        [7] = "smep",    [8] = "bmi2",   [9] = "erms",  [10] = "invpcid",
        [11] = "rtm",    [12] = "cmt",   [13] = "zero-fcs-fds",
        [14] = "mpx",    [16] = "avx512f", [17] = "avx512dq",
        [18] = "rdseed", [19] = "adx",   [20] = "smap",
        [21] = "avx512ifma", [22] = "pcommit", [23] = "clflushopt",
        [24] = "clwb",   [25] = "intel-pt", [26] = "avx512pf",
        [27] = "avx512er", [28] = "avx512cd", [29] = "sha-ni",
        [30] = "avx512bw", [31] = "avx512vl",
    } },
    [CPU_WORD_7_0_ECX] = { 0x7, 0, CPU_ECX, true, {
        [1] = "avx512vbmi", [2] = "umip", [3] = "pku",  [4] = "ospke",
        [5] = "waitpkg", [6] = "avx512vbmi2", [7] = "shstk", [8] = "gfni",
        [9] = "vaes",    [10] = "vpclmulqdq", [11] = "avx512vnni",
        [12] = "avx512bitalg", [14] = "avx512-vpopcntdq", [16] = "la57",
        [22] = "rdpid",  [24] = "bus-lock-detect", [25] = "cldemote",
        [27] = "movdiri", [28] = "movdir64b", [30] = "sgxlc", [31] = "pks",
    } },
    [CPU_WORD_7_0_EDX] = { 0x7, 0, CPU_EDX, true, {
        [2] = "avx512-4vnniw", [3] = "avx512-4fmaps", [4] = "fsrm",
        [8] = "avx512-vp2intersect", [10] = "md-clear",
        [14] = "serialize", [16] = "tsx-ldtrk", [18] = "pconfig",
        [19] = "arch-lbr", [20] = "ibt", [22] = "amx-bf16",
        [23] = "avx512-fp16", [24] = "amx-tile", [25] = "amx-int8",
        [26] = "spec-ctrl", [27] = "stibp", [28] = "flush-l1d",
        [29] = "arch-capabilities", [30] = "core-capability", [31] = "ssbd",
    } },
    [CPU_WORD_7_1_EAX] = { 0x7, 1, CPU_EAX, true, {
        [0] = "sha512",  [1] = "sm3",    [2] = "sm4",   [4] = "avx-vnni",
        [5] = "avx512-bf16", [7] = "cmpccxadd", [10] = "fzrm",
        [11] = "fsrs",   [12] = "fsrc",  [17] = "fred", [18] = "lkgs",
        [19] = "wrmsrns", [21] = "amx-fp16", [23] = "avx-ifma",
        [26] = "lam",
    } },
    [CPU_WORD_7_1_EDX] = { 0x7, 1, CPU_EDX, true, {
        [4] = "avx-vnni-int8", [5] = "avx-ne-convert", [8] = "amx-complex",
        [10] = "avx-vnni-int16", [14] = "prefetchiti", [19] = "avx10",
    } },
    [CPU_WORD_7_2_EDX] = { 0x7, 2, CPU_EDX, true, {
        [0] = "intel-psfd", [1] = "ipred-ctrl", [2] = "rrsba-ctrl",
        [3] = "ddpd-u",  [4] = "bhi-ctrl", [5] = "mcdt-no",
    } },
    [CPU_WORD_D_1_EAX] = { 0xd, 1, CPU_EAX, true, {
        [0] = "xsaveopt", [1] = "xsavec", [2] = "xgetbv1", [3] = "xsaves",
        [4] = "xfd",
    } },
    [CPU_WORD_F_1_EDX] = { 0xf, 1, CPU_EDX, true, {
        [1] = "mbm_total", [2] = "mbm_local",
    } },
    [CPU_WORD_12_0_EAX] = { 0x12, 0, CPU_EAX, true, {
        [0] = "sgx1",    [1] = "sgx2",
    } },
    [CPU_WORD_12_0_EBX] = { 0x12, 0, CPU_EBX, true, {
        [0] = "sgx-exinfo",
    } },
    [CPU_WORD_12_1_EAX] = { 0x12, 1, CPU_EAX, true, {
        [1] = "sgx-debug", [2] = "sgx-mode64", [4] = "sgx-provisionkey",
        [5] = "sgx-tokenkey", [7] = "sgx-kss",
    } },
    [CPU_WORD_14_0_ECX] = { 0x14, 0, CPU_ECX, true, {
        [31] = "intel-pt-lip",
    } },
    [CPU_WORD_80000001_EDX] = { 0x80000001, 0, CPU_EDX, false, {
        [11] = "syscall", [20] = "nx",   [22] = "mmxext", [25] = "fxsr_opt",
        [26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext",
        [31] = "3dnow",
    } },
    [CPU_WORD_80000001_ECX] = { 0x80000001, 0, CPU_ECX, false, {
        [0] = "lahf_lm", [1] = "cmp_legacy", [2] = "svm", [3] = "extapic",
        [4] = "cr8legacy", [5] = "abm",  [6] = "sse4a", [7] = "misalignsse",
        [8] = "3dnowprefetch", [9] = "osvw", [10] = "ibs", [11] = "xop",
        [12] = "skinit", [13] = "wdt",   [15] = "lwp",  [16] = "fma4",
        [17] = "tce",    [18] = "cvt16", [19] = "nodeid_msr", [21] = "tbm",
        [22] = "topoext", [23] = "perfctr_core", [24] = "perfctr_nb",
    } },
    [CPU_WORD_80000007_EBX] = { 0x80000007, 0, CPU_EBX, false, {
        [0] = "overflow-recov", [1] = "succor",
    } },
    [CPU_WORD_80000007_EDX] = { 0x80000007, 0, CPU_EDX, false, {
        [8] = "invtsc",
    } },
    [CPU_WORD_80000008_EBX] = { 0x80000008, 0, CPU_EBX, false, {
        [0] = "clzero",  [2] = "xsaveerptr", [9] = "wbnoinvd",
        [12] = "ibpb",   [14] = "ibrs",  [15] = "amd-stibp",
        [17] = "stibp-always-on", [24] = "amd-ssbd", [25] = "virt-ssbd",
        [26] = "amd-no-ssb", [28] = "amd-psfd", [29] = "btc-no",
    } },
    [CPU_WORD_8000000A_EDX] = { 0x8000000a, 0, CPU_EDX, false, {
        [0] = "npt",     [1] = "lbrv",   [2] = "svm-lock", [3] = "nrip-save",
        [4] = "tsc-scale", [5] = "vmcb-clean", [6] = "flushbyasid",
        [7] = "decodeassists", [10] = "pause-filter", [12] = "pfthreshold",
        [13] = "avic",   [15] = "v-vmsave-vmload", [16] = "vgif",
        [25] = "vnmi",   [28] = "svme-addr-chk",
    } },
    [CPU_WORD_80000021_EAX] = { 0x80000021, 0, CPU_EAX, false, {
        [0] = "no-nested-data-bp", [2] = "lfence-always-serializing",
        [6] = "null-sel-clr-base", [8] = "auto-ibrs", [20] = "prefetchi",
        [27] = "sbpb",   [28] = "ibpb-brtype", [29] = "srso-no",
    } },
    [CPU_WORD_KVM_EAX] = { 0x40000001, 0, CPU_EAX, false, {
        [0] = "kvmclock-old", [1] = "kvm-nopiodelay", [2] = "kvm-mmu",
        [3] = "kvmclock", [4] = "kvm-asyncpf", [5] = "kvm-steal-time",
        [6] = "kvm-pv-eoi", [7] = "kvm-pv-unhalt", [9] = "kvm-pv-tlb-flush",
        [10] = "kvm-asyncpf-vmexit", [11] = "kvm-pv-ipi",
        [12] = "kvm-poll-control", [13] = "kvm-pv-sched-yield",
        [14] = "kvm-asyncpf-int", [15] = "kvm-msi-ext-dest-id",
        [24] = "kvmclock-stable-bit",
    } },
    [CPU_WORD_MSR_10A] = { 0x10a, 0, CPU_MSR, false, {
        [0] = "rdctl-no", [1] = "ibrs-all", [2] = "rsba",
        [3] = "skip-l1dfl-vmentry", [4] = "ssb-no", [5] = "mds-no",
        [6] = "pschange-mc-no", [7] = "tsx-ctrl", [8] = "taa-no",
        [13] = "sbdr-ssdp-no", [14] = "fbsdp-no", [15] = "psdp-no",
        [17] = "fb-clear", [19] = "rrsba", [20] = "bhi-no", [24] = "pbrsb-no",
        [26] = "gds-no", [27] = "rfds-no", [28] = "rfds-clear",
    } },
    [CPU_WORD_MSR_CF] = { 0xcf, 0, CPU_MSR, false, {
        [5] = "split-lock-detect",
    } },
};
/* clang-format on */

/* Other names that libvirt accepts for the same bit. */
static const struct {
    const char *alias, *name;
} aliases[] = {
    { "sse3", "pni" },
    { "pclmulqdq", "pclmuldq" },
    { "ds-cpl", "ds_cpl" },
    { "sse4-1", "sse4.1" },
    { "sse4_1", "sse4.1" },
    { "sse4-2", "sse4.2" },
    { "sse4_2", "sse4.2" },
    { "tsc-adjust", "tsc_adjust" },
    { "cqm", "cmt" },
    { "md_clear", "md-clear" },
    { "arch_capabilities", "arch-capabilities" },
    { "xd", "nx" },
    { "ffxsr", "fxsr_opt" },
    { "fxsr-opt", "fxsr_opt" },
    { "i64", "lm" },
    { "lahf-lm", "lahf_lm" },
    { "cmp-legacy", "cmp_legacy" },
    { "nodeid-msr", "nodeid_msr" },
    { "perfctr-core", "perfctr_core" },
    { "perfctr-nb", "perfctr_nb" },
    { "svm_lock", "svm-lock" },
    { "nrip_save", "nrip-save" },
    { "tsc_scale", "tsc-scale" },
    { "vmcb_clean", "vmcb-clean" },
    { "pause_filter", "pause-filter" },
};

bool
engine_cpu_feature_find(const char *name, EngineCpuBit *ret_bit)
{
    for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (strcmp(aliases[i].alias, name) == 0) {
            name = aliases[i].name;
            break;
        }
    for (unsigned word = 0; word < CPU_WORDS; word++)
        for (unsigned bit = 0; bit < 32; bit++) {
            const char *known = engine_cpu_words[word].names[bit];

            if (known && strcmp(known, name) == 0) {
                *ret_bit = (EngineCpuBit){ (EngineCpuWord)word, bit };
                return true;
            }
        }
    return false;
}

EngineCpuSet
engine_cpu_set_all(void)
{
    EngineCpuSet set = { 0 };

    for (unsigned word = 0; word < CPU_WORDS; word++)
        for (unsigned bit = 0; bit < 32; bit++)
            if (engine_cpu_words[word].names[bit])
                set.word[word] |= 1u << bit;
    return set;
}
