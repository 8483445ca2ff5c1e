/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/x86/cpu-leaf.h"
#include "engine/x86/cpu-models.h"
#include "engine/x86/cpu.h"
#include "util/error.h"

/* A made-up host, and what is asked of it. */
typedef struct Fixture {
    EngineCpuHost host;
    EngineConfig config;
    EngineCpuFeature features[8];
    struct kvm_cpuid2 *cpuid;
    GError *error;
} Fixture;

static struct kvm_cpuid_entry2 *
put(Fixture *f, uint32_t function, uint32_t index, const uint32_t value[4])
{
    struct kvm_cpuid_entry2 *entry = engine_cpuid_make(
        f->host.supported, function, index, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);

    entry->eax = value[0];
    entry->ebx = value[1];
    entry->ecx = value[2];
    entry->edx = value[3];
    return entry;
}

/* The features of @model as KVM would list them. */
static void
put_features(Fixture *f, const char *model)
{
    EngineCpuSet set = engine_cpu_model_set(engine_cpu_model_find(model));

    for (unsigned i = 0; i < CPU_WORDS; i++) {
        const EngineCpuWordType *type = &engine_cpu_words[i];
        struct kvm_cpuid_entry2 *entry;

        if (type->reg == CPU_MSR || set.word[i] == 0)
            continue;
        entry = engine_cpuid_make(
            f->host.supported, type->function, type->index,
            type->has_index ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0);
        *engine_cpuid_word(entry, type->reg) = set.word[i];
    }
}

static void
put_vendor(Fixture *f, const char *vendor, const char *model)
{
    const EngineCpuModelType *type = engine_cpu_model_find(model);
    struct kvm_cpuid_entry2 *leaf;

    leaf = put(f, 0, 0, (uint32_t[4]){ 0x16 });
    memcpy(&leaf->ebx, vendor, 4);
    memcpy(&leaf->edx, vendor + 4, 4);
    memcpy(&leaf->ecx, vendor + 8, 4);
    put(f, 1, 0,
        (uint32_t[4]){ engine_cpu_model_signature(type), 0x12340800, 0, 0 });
    put(f, 0x80000000, 0, (uint32_t[4]){ 0x80000008 });
    put(f, 0x80000001, 0, (uint32_t[4]){ 0 });
    put(f, 0x80000008, 0, (uint32_t[4]){ 0x302e });
    put(f, 0x40000000, 0, (uint32_t[4]){ 0x40000001, 0, 0, 0 });
    put(f, 0x40000001, 0, (uint32_t[4]){ 0x01000029, 0, 0, 0 });
    put_features(f, model);
}

static void
make_intel(Fixture *f, const char *model)
{
    put_vendor(f, "GenuineIntel", model);
    f->host.tsc_deadline = true;
    put(f, 4, 0, (uint32_t[4]){ 0xfc004121, 0x01c0003f, 0x3f, 0 });
    put(f, 4, 1, (uint32_t[4]){ 0xfc004143, 0x03c0003f, 0x3ff, 0 });
    put(f, 4, 2, (uint32_t[4]){ 0xfc1fc163, 0x0280003f, 0xafff, 4 });
    put(f, 4, 3, (uint32_t[4]){ 0 });
    put(f, 0xa, 0, (uint32_t[4]){ 0x07300402, 0, 0, 0x603 });
    put(f, 0xb, 0, (uint32_t[4]){ 1, 2, 0x100, 0 });
    put(f, 0x12, 0, (uint32_t[4]){ 1, 0, 0, 0x241f });
    put(f, 0x80000007, 0, (uint32_t[4]){ 0, 0, 0, 0x100 });
    put(f, 0xd, 0, (uint32_t[4]){ 0x2ff, 0xa88, 0xa88, 0 });
    put(f, 0xd, 2, (uint32_t[4]){ 0x100, 0x240, 0, 0 });
    put(f, 0xd, 5, (uint32_t[4]){ 0x40, 0x440, 0, 0 });
    put(f, 0xd, 6, (uint32_t[4]){ 0x200, 0x480, 0, 0 });
    put(f, 0xd, 7, (uint32_t[4]){ 0x400, 0x680, 0, 0 });
    put(f, 0xd, 9, (uint32_t[4]){ 0x8, 0xa80, 0, 0 });
}

static void
make_amd(Fixture *f, const char *model)
{
    put_vendor(f, "AuthenticAMD", model);
    put(f, 0x8000000a, 0, (uint32_t[4]){ 1, 8, 0, 0x9 });
    put(f, 0x8000001d, 0, (uint32_t[4]){ 0x00004121, 0x01c0003f, 0x3f, 0 });
    put(f, 0x8000001d, 1, (uint32_t[4]){ 0x0001c163, 0x03c0003f, 0x3fff, 1 });
    put(f, 0x8000001e, 0, (uint32_t[4]){ 99, 99, 99, 0 });
    put(f, 0x8000001f, 0, (uint32_t[4]){ 1, 0, 0, 0 });
    engine_cpuid_find(f->host.supported, 0x80000001, 0)->ecx |= 1u << 22;
}

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->host.supported =
        g_malloc0(sizeof *f->host.supported +
                  CPU_LEAVES_MAX * sizeof(struct kvm_cpuid_entry2));
    f->config.vcpus = 1;
    f->config.cpu.sockets = f->config.cpu.dies = 1;
    f->config.cpu.cores = f->config.cpu.threads = 1;
    f->config.apic = f->config.pae = f->config.kvmclock = true;
    f->config.cpu.features = f->features;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    g_clear_error(&f->error);
    g_free(f->cpuid);
    g_free(f->host.supported);
    g_free(f);
    return 0;
}

static void
want(Fixture *f, EngineCpuMode mode, const char *model)
{
    f->config.cpu.mode = mode;
    f->config.cpu.model = (char *)model;
    f->config.cpu.n_features = 0;
}

static void
want_feature(Fixture *f, const char *name, EngineCpuPolicy policy)
{
    f->features[f->config.cpu.n_features++] =
        (EngineCpuFeature){ (char *)name, policy };
}

static bool
build(Fixture *f)
{
    g_clear_error(&f->error);
    g_clear_pointer(&f->cpuid, g_free);
    f->cpuid = engine_cpuid_build(&f->host, &f->config, &f->error);
    return f->cpuid != NULL;
}

static void
assert_refused(Fixture *f, const char *message)
{
    assert_false(build(f));
    assert_int_equal(error_code(f->error), VIR_ERR_CONFIG_UNSUPPORTED);
    assert_string_equal(f->error->message, message);
}

static bool
has(const Fixture *f, const char *name)
{
    struct kvm_cpuid_entry2 *entry;
    const EngineCpuWordType *type;
    EngineCpuBit bit;

    assert_true(engine_cpu_feature_find(name, &bit));
    type = &engine_cpu_words[bit.word];
    entry = engine_cpuid_find(f->cpuid, type->function, type->index);
    return entry && *engine_cpuid_word(entry, type->reg) >> bit.bit & 1;
}

static const struct kvm_cpuid_entry2 *
leaf(const Fixture *f, uint32_t function, uint32_t index)
{
    const struct kvm_cpuid_entry2 *entry =
        engine_cpuid_find(f->cpuid, function, index);

    assert_non_null(entry);
    return entry;
}

/* --- the tables ----------------------------------------------------------- */
static void
test_feature_names(void **state)
{
    EngineCpuBit bit;

    assert_true(engine_cpu_feature_find("sse4-1", &bit));
    assert_int_equal(bit.word, CPU_WORD_1_ECX);
    assert_int_equal(bit.bit, 19);
    assert_false(engine_cpu_feature_find("avx3", &bit));
    assert_false(engine_cpu_feature_find("", &bit));
    for (unsigned word = 0; word < CPU_WORDS; word++)
        for (unsigned i = 0; i < 32; i++) {
            const char *name = engine_cpu_words[word].names[i];

            if (!name)
                continue;
            /* Unique: its name leads back to the same bit. */
            assert_true(engine_cpu_feature_find(name, &bit));
            assert_int_equal(bit.word, word);
            assert_int_equal(bit.bit, i);
        }
}

static void
assert_list_known(const char *list)
{
    g_auto(GStrv) names = g_strsplit(list ? list : "", " ", -1);

    for (char **name = names; *name; name++) {
        EngineCpuBit bit;

        if (!engine_cpu_feature_find(*name, &bit))
            fail_msg("no feature '%s'", *name);
    }
}

static void
test_models(void **state)
{
    for (unsigned i = 0; i < engine_cpu_n_models; i++) {
        const EngineCpuModelType *model = &engine_cpu_models[i];

        /* Unique, and its base stands before it: no circle. */
        assert_ptr_equal(engine_cpu_model_find(model->name), model);
        if (model->base)
            assert_true(engine_cpu_model_find(model->base) < model);
        if (*model->add)
            assert_list_known(model->add);
        assert_list_known(model->drop);
    }
    assert_int_equal(
        engine_cpu_model_signature(engine_cpu_model_find("Skylake-Server")),
        0x50654);
    assert_int_equal(
        engine_cpu_model_signature(engine_cpu_model_find("EPYC-Milan")),
        0xa00f11);
}

/* --- host-passthrough ----------------------------------------------------- */
static void
test_passthrough(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server-IBRS");
    put(f, 7, 0, (uint32_t[4]){ 1, 0xd19f4fbb, 1u << 29, 0xbc000400 });
    memcpy(f->host.brand, "Host brand", 10);
    want(f, ENGINE_CPU_HOST_PASSTHROUGH, NULL);
    assert_true(build(f));
    assert_int_equal(leaf(f, 1, 0)->eax, 0x50654);
    assert_true(has(f, "avx512f"));
    assert_true(has(f, "x2apic"));
    assert_true(has(f, "tsc-deadline"));
    assert_true(has(f, "hypervisor"));
    assert_true(has(f, "arat"));
    assert_true(has(f, "kvmclock"));
    assert_false(has(f, "invtsc"));
    assert_false(has(f, "sgx"));
    assert_false(has(f, "osxsave"));
    assert_null(engine_cpuid_find(f->cpuid, 0x12, 0));
    /* What has no name goes through too. */
    assert_int_equal(leaf(f, 7, 0)->ecx & 1u << 29, 1u << 29);
    assert_int_equal(leaf(f, 0xa, 0)->eax, 0x07300402);
    assert_memory_equal(&leaf(f, 0x80000002, 0)->eax, "Host", 4);
    assert_int_equal(leaf(f, 0x80000000, 0)->eax, 0x80000008);
    assert_int_equal(leaf(f, 0, 0)->eax, 0xd);
}

static void
test_passthrough_policies(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server-IBRS");
    want(f, ENGINE_CPU_HOST_PASSTHROUGH, NULL);
    want_feature(f, "invtsc", ENGINE_CPU_POLICY_REQUIRE);
    want_feature(f, "hypervisor", ENGINE_CPU_POLICY_DISABLE);
    want_feature(f, "sse4a", ENGINE_CPU_POLICY_OPTIONAL);
    want_feature(f, "xop", ENGINE_CPU_POLICY_FORCE);
    assert_true(build(f));
    assert_true(has(f, "invtsc"));
    assert_false(has(f, "hypervisor"));
    assert_false(has(f, "sse4a"));
    assert_true(has(f, "xop"));
}

static void
test_machine_features(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server");
    want(f, ENGINE_CPU_HOST_PASSTHROUGH, NULL);
    f->config.kvmclock = f->config.apic = f->config.pae = false;
    assert_true(build(f));
    assert_false(has(f, "kvmclock"));
    assert_false(has(f, "kvmclock-stable-bit"));
    assert_true(has(f, "kvm-steal-time"));
    assert_false(has(f, "apic"));
    assert_false(has(f, "x2apic"));
    assert_false(has(f, "pae"));
    f->config.kvm_hidden = true;
    assert_true(build(f));
    assert_null(engine_cpuid_find(f->cpuid, 0x40000000, 0));
    assert_null(engine_cpuid_find(f->cpuid, 0x40000001, 0));
    assert_true(has(f, "hypervisor"));
}

/* --- named models --------------------------------------------------------- */
static void
test_custom(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server-IBRS");
    want(f, ENGINE_CPU_CUSTOM, "Haswell");
    assert_true(build(f));
    assert_int_equal(leaf(f, 1, 0)->eax, 0x306c4);
    assert_true(has(f, "avx2"));
    assert_true(has(f, "x2apic"));
    assert_true(has(f, "hypervisor"));
    assert_true(has(f, "kvmclock"));
    assert_false(has(f, "avx512f"));
    assert_false(has(f, "adx"));
    assert_null(engine_cpuid_find(f->cpuid, 0xa, 0));
    assert_memory_equal(&leaf(f, 0x80000002, 0)->eax, "virt", 4);
    /* The vendor is always the host's. */
    assert_memory_equal(&leaf(f, 0, 0)->ebx, "Genu", 4);
    /* Only AVX is left of the state components. */
    assert_int_equal(leaf(f, 0xd, 0)->eax, 7);
    assert_int_equal(leaf(f, 0xd, 0)->ecx, 0x340);
    assert_int_equal(leaf(f, 0xd, 6)->eax, 0);
}

static void
test_custom_xsave_off(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server-IBRS");
    want(f, ENGINE_CPU_CUSTOM, "Skylake-Server");
    want_feature(f, "xsave", ENGINE_CPU_POLICY_DISABLE);
    assert_true(build(f));
    assert_false(has(f, "xsave"));
    assert_null(engine_cpuid_find(f->cpuid, 0xd, 0));
    assert_null(engine_cpuid_find(f->cpuid, 0xd, 1));
}

static void
test_custom_refused(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Haswell");
    want(f, ENGINE_CPU_CUSTOM, "Broadwell");
    assert_refused(f, "the CPU is incompatible with host CPU: Host CPU does "
                      "not provide required features: "
                      "rdseed,adx,smap,3dnowprefetch");
    /* A policy of the domain's own goes before the model. */
    want_feature(f, "rdseed", ENGINE_CPU_POLICY_DISABLE);
    want_feature(f, "adx", ENGINE_CPU_POLICY_OPTIONAL);
    want_feature(f, "smap", ENGINE_CPU_POLICY_FORBID);
    assert_refused(f, "the CPU is incompatible with host CPU: Host CPU does "
                      "not provide required features: 3dnowprefetch");
    want_feature(f, "3dnowprefetch", ENGINE_CPU_POLICY_FORCE);
    assert_true(build(f));
    assert_false(has(f, "adx"));
    assert_true(has(f, "3dnowprefetch"));
}

static void
test_policies_refused(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Haswell");
    want(f, ENGINE_CPU_CUSTOM, "Haswell");
    want_feature(f, "avx512f", ENGINE_CPU_POLICY_REQUIRE);
    assert_refused(f, "the CPU is incompatible with host CPU: Host CPU does "
                      "not provide required features: avx512f");
    want(f, ENGINE_CPU_HOST_PASSTHROUGH, NULL);
    want_feature(f, "rtm", ENGINE_CPU_POLICY_FORBID);
    want_feature(f, "hle", ENGINE_CPU_POLICY_FORBID);
    assert_refused(f, "the CPU is incompatible with host CPU: Host CPU "
                      "provides forbidden features: rtm,hle");
    want(f, ENGINE_CPU_CUSTOM, "Haswell");
    want_feature(f, "warp", ENGINE_CPU_POLICY_OPTIONAL);
    assert_refused(f, "unknown CPU feature 'warp'");
    want(f, ENGINE_CPU_CUSTOM, "Hasbeen");
    assert_refused(f, "unknown CPU model 'Hasbeen'");
    want(f, ENGINE_CPU_CUSTOM, NULL);
    assert_refused(f, "unknown CPU model ''");
    want(f, ENGINE_CPU_CUSTOM, "kvm64");
    f->config.cpu.vendor = (char *)"AMD";
    assert_refused(f, "the CPU is incompatible with host CPU: the host's "
                      "vendor is 'Intel', but 'AMD' is required");
    f->config.cpu.vendor = (char *)"Intel";
    assert_true(build(f));
}

/* What KVM alone decides is not said to be otherwise. */
static void
test_msr_policies(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Cooperlake");
    f->host.arch_capabilities = 1;
    want(f, ENGINE_CPU_HOST_PASSTHROUGH, NULL);
    want_feature(f, "rdctl-no", ENGINE_CPU_POLICY_REQUIRE);
    want_feature(f, "taa-no", ENGINE_CPU_POLICY_DISABLE);
    assert_true(build(f));
    want_feature(f, "rdctl-no", ENGINE_CPU_POLICY_DISABLE);
    assert_refused(f, "the CPU feature 'rdctl-no' of this host cannot be "
                      "disabled");
    want(f, ENGINE_CPU_HOST_PASSTHROUGH, NULL);
    want_feature(f, "mds-no", ENGINE_CPU_POLICY_FORCE);
    assert_refused(f, "the CPU feature 'mds-no', which this host has not, "
                      "cannot be forced");
    want(f, ENGINE_CPU_CUSTOM, "Cooperlake");
    assert_refused(f, "the CPU is incompatible with host CPU: Host CPU does "
                      "not provide required features: ibrs-all,"
                      "skip-l1dfl-vmentry,mds-no,pschange-mc-no,taa-no");
}

static void
test_custom_unchecked(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Nehalem");
    f->config.cpu.unchecked = true;
    want(f, ENGINE_CPU_CUSTOM, "Westmere");
    want_feature(f, "avx", ENGINE_CPU_POLICY_REQUIRE);
    assert_true(build(f));
    assert_false(has(f, "aes"));
    assert_false(has(f, "avx"));
    assert_int_equal(leaf(f, 1, 0)->eax, 0x206c1);
}

/* qemu64 has svm, which no Intel host has: that alone is no reason. */
static void
test_svm_is_not_missed(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Haswell");
    want(f, ENGINE_CPU_CUSTOM, "qemu64");
    assert_true(build(f));
    assert_false(has(f, "svm"));
}

static void
test_host_model(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Cascadelake-Server");
    want(f, ENGINE_CPU_HOST_MODEL, NULL);
    want_feature(f, "clwb", ENGINE_CPU_POLICY_DISABLE);
    assert_true(build(f));
    assert_int_equal(leaf(f, 1, 0)->eax, 0x50656);
    assert_true(has(f, "avx512vnni"));
    assert_true(has(f, "hypervisor"));
    assert_false(has(f, "clwb"));
    assert_false(has(f, "invtsc"));
}

static void
assert_nearest(Fixture *f, const char *vendor, const char *expected)
{
    EngineCpuSet set = engine_cpu_host_set(&f->host);
    const EngineCpuModelType *model = engine_cpu_model_nearest(
        &set, vendor, engine_cpu_host_signature(&f->host));

    assert_string_equal(model->name, expected);
}

static void
test_nearest(void **state)
{
    Fixture *f = *state;
    struct kvm_cpuid_entry2 *entry;

    make_intel(f, "Haswell-noTSX-IBRS");
    assert_nearest(f, "Intel", "Haswell-noTSX-IBRS");
    /* A processor that no model knows: the features decide. */
    entry = engine_cpuid_find(f->host.supported, 1, 0);
    entry->eax = 0xf06f1;
    assert_nearest(f, "Intel", "Haswell-noTSX-IBRS");
    /* And one that is known goes by its number, whatever it lacks. */
    entry->eax = 0x306a9;
    assert_nearest(f, "Intel", "IvyBridge-IBRS");
}

/* --- topology ------------------------------------------------------------- */
static void
set_topology(Fixture *f, unsigned sockets, unsigned dies, unsigned cores,
             unsigned threads)
{
    f->config.cpu.sockets = sockets;
    f->config.cpu.dies = dies;
    f->config.cpu.cores = cores;
    f->config.cpu.threads = threads;
    f->config.vcpus = sockets * dies * cores * threads;
}

static void
test_topology_intel(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server");
    set_topology(f, 2, 1, 3, 2);
    assert_true(build(f));
    assert_int_equal(engine_apic_id(&f->config, 0), 0);
    assert_int_equal(engine_apic_id(&f->config, 1), 1);
    assert_int_equal(engine_apic_id(&f->config, 5), 5);
    assert_int_equal(engine_apic_id(&f->config, 6), 8);
    assert_int_equal(leaf(f, 1, 0)->ebx, 0x00060800);
    assert_true(has(f, "ht"));
    /* L1: the threads of a core; L3: the package; 4 ids for cores. */
    assert_int_equal(leaf(f, 4, 0)->eax, 0x0c004121);
    assert_int_equal(leaf(f, 4, 2)->eax, 0x0c01c163);
    assert_int_equal(leaf(f, 4, 3)->eax, 0);
    assert_int_equal(leaf(f, 0xb, 0)->eax, 1);
    assert_int_equal(leaf(f, 0xb, 0)->ebx, 2);
    assert_int_equal(leaf(f, 0xb, 0)->ecx, 0x100);
    assert_int_equal(leaf(f, 0xb, 1)->eax, 3);
    assert_int_equal(leaf(f, 0xb, 1)->ebx, 6);
    assert_int_equal(leaf(f, 0xb, 1)->ecx, 0x201);
    assert_int_equal(leaf(f, 0xb, 2)->ebx, 0);
    assert_null(engine_cpuid_find(f->cpuid, 0x1f, 0));
    engine_cpuid_set_vcpu(f->cpuid, &f->config, 7);
    assert_int_equal(leaf(f, 1, 0)->ebx, 0x09060800);
    assert_int_equal(leaf(f, 0xb, 1)->edx, 9);
}

static void
test_topology_single(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server");
    assert_true(build(f));
    assert_int_equal(leaf(f, 1, 0)->ebx, 0x00010800);
    assert_false(has(f, "ht"));
    assert_int_equal(leaf(f, 4, 2)->eax, 0x163);
    assert_int_equal(leaf(f, 0xb, 1)->ebx, 1);
}

static void
test_topology_dies(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server");
    set_topology(f, 1, 2, 4, 1);
    assert_true(build(f));
    assert_int_equal(leaf(f, 0, 0)->eax, 0x1f);
    assert_int_equal(leaf(f, 0x1f, 1)->eax, 2);
    assert_int_equal(leaf(f, 0x1f, 1)->ebx, 4);
    assert_int_equal(leaf(f, 0x1f, 2)->eax, 3);
    assert_int_equal(leaf(f, 0x1f, 2)->ebx, 8);
    assert_int_equal(leaf(f, 0x1f, 2)->ecx, 0x502);
    assert_int_equal(leaf(f, 0x1f, 3)->ecx, 3);
    assert_int_equal(leaf(f, 0xb, 1)->eax, 3);
    /* The last-level cache belongs to a die. */
    assert_int_equal(leaf(f, 4, 2)->eax >> 14 & 0xfff, 3);
}

static void
test_topology_amd(void **state)
{
    Fixture *f = *state;

    make_amd(f, "EPYC");
    set_topology(f, 1, 1, 4, 2);
    assert_true(build(f));
    assert_int_equal(leaf(f, 0x80000008, 0)->ecx, 0x3007);
    assert_int_equal(leaf(f, 0x8000001d, 0)->eax, 0x4121);
    assert_int_equal(leaf(f, 0x8000001d, 1)->eax, 0x1c163);
    assert_null(engine_cpuid_find(f->cpuid, 0x8000001f, 0));
    assert_false(has(f, "cmp_legacy"));
    engine_cpuid_set_vcpu(f->cpuid, &f->config, 5);
    assert_int_equal(leaf(f, 0x8000001e, 0)->eax, 5);
    assert_int_equal(leaf(f, 0x8000001e, 0)->ebx, 0x102);
    assert_int_equal(leaf(f, 0x8000001e, 0)->ecx, 0);
    /* AMD's copy of leaf 1. */
    assert_int_equal(leaf(f, 0x80000001, 0)->edx & 0x0183f3ff,
                     leaf(f, 1, 0)->edx & 0x0183f3ff);
    set_topology(f, 1, 1, 4, 1);
    assert_true(build(f));
    assert_true(has(f, "cmp_legacy"));
}

/* Threads and dies need a feature that not every AMD host has. */
static void
test_topology_amd_extended(void **state)
{
    Fixture *f = *state;

    make_amd(f, "Opteron_G3");
    engine_cpuid_find(f->host.supported, 0x80000001, 0)->ecx &= ~(1u << 22);
    engine_cpuid_drop(f->host.supported, 0x8000001d, 0x8000001e);
    set_topology(f, 2, 2, 2, 1);
    assert_true(build(f));
    assert_true(has(f, "topoext"));
    assert_int_equal(leaf(f, 0x80000000, 0)->eax, 0x8000001e);
    engine_cpuid_set_vcpu(f->cpuid, &f->config, 7);
    assert_int_equal(leaf(f, 0x8000001e, 0)->eax, 7);
    assert_int_equal(leaf(f, 0x8000001e, 0)->ebx, 3);
    assert_int_equal(leaf(f, 0x8000001e, 0)->ecx, 0x103);
    want_feature(f, "topoext", ENGINE_CPU_POLICY_DISABLE);
    assert_true(build(f));
    assert_false(has(f, "topoext"));
    assert_null(engine_cpuid_find(f->cpuid, 0x8000001e, 0));
    want(f, ENGINE_CPU_HOST_PASSTHROUGH, NULL);
    set_topology(f, 1, 1, 4, 1);
    assert_true(build(f));
    assert_false(has(f, "topoext"));
}

static void
test_topology_large(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server");
    set_topology(f, 16, 1, 32, 2);
    assert_true(build(f));
    engine_cpuid_set_vcpu(f->cpuid, &f->config, 1023);
    assert_int_equal(leaf(f, 0xb, 0)->edx, 1023);
    assert_int_equal(leaf(f, 1, 0)->ebx >> 24, 255);
    want_feature(f, "x2apic", ENGINE_CPU_POLICY_DISABLE);
    assert_refused(f, "1024 vCPUs in this topology need the CPU feature "
                      "'x2apic'");
}

/* A table as full as KVM's can be is no reason to run over its end. */
static void
test_full_table(void **state)
{
    Fixture *f = *state;

    make_intel(f, "Skylake-Server");
    for (uint32_t i = 0; f->host.supported->nent < CPU_LEAVES_MAX; i++)
        put(f, 0x18, i, (uint32_t[4]){ 0 });
    set_topology(f, 1, 2, 4, 1);
    want_feature(f, "prefetchiti", ENGINE_CPU_POLICY_FORCE);
    assert_false(build(f));
    assert_int_equal(error_code(f->error), VIR_ERR_INTERNAL_ERROR);
    assert_null(engine_cpuid_make(f->host.supported, 0x77, 0, 0));
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_feature_names),
        TEST(test_models),
        TEST(test_passthrough),
        TEST(test_passthrough_policies),
        TEST(test_machine_features),
        TEST(test_custom),
        TEST(test_custom_xsave_off),
        TEST(test_custom_refused),
        TEST(test_policies_refused),
        TEST(test_msr_policies),
        TEST(test_custom_unchecked),
        TEST(test_svm_is_not_missed),
        TEST(test_host_model),
        TEST(test_nearest),
        TEST(test_topology_intel),
        TEST(test_topology_single),
        TEST(test_topology_dies),
        TEST(test_topology_amd),
        TEST(test_topology_amd_extended),
        TEST(test_topology_large),
        TEST(test_full_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
