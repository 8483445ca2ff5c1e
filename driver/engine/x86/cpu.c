/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/cpu.h"

#include <string.h>

#include "engine/x86/cpu-leaf.h"
#include "engine/x86/cpu-models.h"
#include "util/error.h"
#include "util/i18n.h"

#define XSAVE_LEGACY_SIZE                              \
    576u /* Intel SDM 1, 13.4: FPU, SSE and the header \
          */
#define XCR0_BASE      3u
#define KVM_LEAVES     0x40000000u
#define KVM_LEAVES_END 0x4fffffffu
#define BASIC_END      0x3fffffffu
#define EXTENDED       0x80000000u
#define EXTENDED_END   0x8fffffffu

/** What the configuration asks for, being worked out. */
typedef struct Wanted {
    const EngineCpuModelType *model; /* NULL: the host's own signature */
    EngineCpuSet host;               /* what this host can give */
    EngineCpuSet required;           /* what it must give */
    EngineCpuSet set;                /* what the guest gets */
    bool checked;
    bool amd; /* or Hygon: not Intel */
} Wanted;

static void
names_append(GString *names, const char *name)
{
    if (names->len > 0)
        g_string_append_c(names, ',');
    g_string_append(names, name);
}

static bool
find_feature(const char *name, EngineCpuBit *ret_bit, GError **error)
{
    if (engine_cpu_feature_find(name, ret_bit))
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unknown CPU feature '%s'"),
              name);
    return false;
}

/* Bits of a capability MSR are KVM's to say: a guest has those of its host. */
static bool
check_fixed(const EngineCpuFeature *feature, EngineCpuBit bit, bool has,
            bool given, GError **error)
{
    if (engine_cpu_words[bit.word].reg != CPU_MSR || has == given ||
        feature->policy == ENGINE_CPU_POLICY_REQUIRE ||
        feature->policy == ENGINE_CPU_POLICY_FORBID)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              has ? _("the CPU feature '%s' of this host cannot be disabled")
                  : _("the CPU feature '%s', which this host has not, cannot "
                      "be forced"),
              feature->name);
    return false;
}

/* libvirt's policies (formatdomain, "feature"). */
static bool
apply_policies(Wanted *wanted, const EngineCpuConfig *config, GError **error)
{
    g_autoptr(GString) forbidden = g_string_new(NULL);

    for (size_t i = 0; i < config->n_features; i++) {
        const EngineCpuFeature *feature = &config->features[i];
        bool required = false, given = false, has;
        EngineCpuBit bit;

        if (!find_feature(feature->name, &bit, error))
            return false;
        has = engine_cpu_set_has(&wanted->host, bit);
        switch (feature->policy) {
        case ENGINE_CPU_POLICY_FORCE:
            given = true;
            break;
        case ENGINE_CPU_POLICY_REQUIRE:
            required = true;
            given = has;
            break;
        case ENGINE_CPU_POLICY_OPTIONAL:
            given = has;
            break;
        case ENGINE_CPU_POLICY_FORBID:
            if (has)
                names_append(forbidden, feature->name);
            break;
        case ENGINE_CPU_POLICY_DISABLE:
            break;
        }
        if (!check_fixed(feature, bit, has, given, error))
            return false;
        engine_cpu_set_put(&wanted->required, bit, required);
        engine_cpu_set_put(&wanted->set, bit, given);
    }
    if (forbidden->len == 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the CPU is incompatible with host CPU: Host CPU provides "
                "forbidden features: %s"),
              forbidden->str);
    return false;
}

static bool
check_required(const Wanted *wanted, GError **error)
{
    g_autoptr(GString) missing = g_string_new(NULL);

    for (unsigned word = 0; word < CPU_WORDS && wanted->checked; word++)
        for (unsigned bit = 0; bit < 32; bit++)
            if ((wanted->required.word[word] & ~wanted->host.word[word]) >>
                    bit &
                1)
                names_append(missing, engine_cpu_words[word].names[bit]);
    if (missing->len == 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the CPU is incompatible with host CPU: Host CPU does not "
                "provide required features: %s"),
              missing->str);
    return false;
}

/* A named model, and what every guest of KVM gets beside it. */
static bool
want_model(Wanted *wanted, const EngineCpuConfig *config, GError **error)
{
    static const EngineCpuBit always[] = {
        CPU_BIT_HYPERVISOR,
        CPU_BIT_X2APIC,
        CPU_BIT_ARAT,
    };

    wanted->model = config->model ? engine_cpu_model_find(config->model) : NULL;
    if (!wanted->model) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("unknown CPU model '%s'"),
                  config->model ? config->model : "");
        return false;
    }
    wanted->required =
        engine_cpu_model_lacking(wanted->model, &(EngineCpuSet){ 0 });
    wanted->set = engine_cpu_model_set(wanted->model);
    for (unsigned i = 0; i < CPU_WORDS; i++)
        wanted->set.word[i] &= wanted->host.word[i];
    wanted->set.word[CPU_WORD_KVM_EAX] = wanted->host.word[CPU_WORD_KVM_EAX];
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
        if (engine_cpu_set_has(&wanted->host, always[i]))
            engine_cpu_set_put(&wanted->set, always[i], true);
    return true;
}

static void
want_host(Wanted *wanted)
{
    wanted->set = wanted->host;
    /* A guest that relies on it cannot be moved: only where it is asked for. */
    engine_cpu_set_put(&wanted->set, CPU_BIT_INVTSC, false);
}

/* Other parts of the domain that show in the features. */
static void
apply_machine(Wanted *wanted, const EngineConfig *config)
{
    if (!config->apic) {
        engine_cpu_set_put(&wanted->set, CPU_BIT_APIC, false);
        engine_cpu_set_put(&wanted->set, CPU_BIT_X2APIC, false);
        engine_cpu_set_put(&wanted->set, CPU_BIT_TSC_DEADLINE, false);
    }
    if (!config->pae)
        engine_cpu_set_put(&wanted->set, CPU_BIT_PAE, false);
    if (!config->kvmclock) {
        engine_cpu_set_put(&wanted->set, CPU_BIT_KVMCLOCK, false);
        engine_cpu_set_put(&wanted->set, CPU_BIT_KVMCLOCK2, false);
        engine_cpu_set_put(&wanted->set, CPU_BIT_KVMCLOCK_STABLE, false);
    }
    if (config->kvm_hidden)
        wanted->set.word[CPU_WORD_KVM_EAX] = 0;
}

/* Linux and others look for threads and dies of an AMD processor only where
 * this feature is. It is but a promise that leaf 0x8000001e tells of them. */
static void
apply_topology(Wanted *wanted, const EngineConfig *config)
{
    const EngineCpuConfig *cpu = &config->cpu;
    EngineCpuBit bit;

    if (!wanted->amd || MAX(cpu->threads, cpu->dies) < 2)
        return;
    for (size_t i = 0; i < cpu->n_features; i++)
        if (engine_cpu_feature_find(cpu->features[i].name, &bit) &&
            bit.word == CPU_BIT_TOPOEXT.word && bit.bit == CPU_BIT_TOPOEXT.bit)
            return;
    engine_cpu_set_put(&wanted->set, CPU_BIT_TOPOEXT, true);
}

/* Whole words of features that mean nothing without another one. */
static void
apply_dependencies(EngineCpuSet *set)
{
    static const struct {
        EngineCpuWord word;
        EngineCpuBit needs;
    } table[] = {
        { CPU_WORD_D_1_EAX, CPU_BIT_XSAVE },
        { CPU_WORD_12_0_EAX, CPU_BIT_SGX },
        { CPU_WORD_12_0_EBX, CPU_BIT_SGX },
        { CPU_WORD_12_1_EAX, CPU_BIT_SGX },
        { CPU_WORD_14_0_ECX, CPU_BIT_INTEL_PT },
        { CPU_WORD_8000000A_EDX, CPU_BIT_SVM },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (!engine_cpu_set_has(set, table[i].needs))
            set->word[table[i].word] = 0;
}

static bool
check_vendor(const EngineCpuHost *host, const EngineCpuConfig *config,
             GError **error)
{
    char buffer[13];
    const char *vendor = engine_cpu_host_vendor(host, buffer);

    if (!config->vendor || strcmp(config->vendor, vendor) == 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the CPU is incompatible with host CPU: the host's vendor is "
                "'%s', but '%s' is required"),
              vendor, config->vendor);
    return false;
}

static bool
work_out(Wanted *wanted, const EngineCpuHost *host, const EngineConfig *config,
         GError **error)
{
    char buffer[13];
    const char *vendor = engine_cpu_host_vendor(host, buffer);

    wanted->host = engine_cpu_host_set(host);
    wanted->checked = !config->cpu.unchecked;
    switch (config->cpu.mode) {
    case ENGINE_CPU_HOST_PASSTHROUGH:
        want_host(wanted);
        break;
    case ENGINE_CPU_HOST_MODEL:
        want_host(wanted);
        wanted->model = engine_cpu_model_nearest(
            &wanted->host, vendor, engine_cpu_host_signature(host));
        break;
    case ENGINE_CPU_CUSTOM:
        if (!want_model(wanted, &config->cpu, error))
            return false;
        break;
    }
    if (!check_vendor(host, &config->cpu, error) ||
        !apply_policies(wanted, &config->cpu, error) ||
        !check_required(wanted, error))
        return false;
    wanted->amd = strcmp(vendor, "Intel") != 0;
    apply_machine(wanted, config);
    apply_topology(wanted, config);
    apply_dependencies(&wanted->set);
    return true;
}

/* --- from the features to the leaves -------------------------------------- */
/* Leaves that go unless a feature needs them; a feature that is asked for by
 * name although its leaf went makes it anew. */
static void
drop_leaves(struct kvm_cpuid2 *cpuid, const EngineCpuSet *set, bool named_model,
            bool kvm_hidden)
{
    static const struct {
        uint32_t first, last;
        bool always; /* else for named models, which show what they name only */
    } plain[] = {
        { 0x03, 0x03, false },
        { 0x08, 0x0a, false },
        { 0x0c, 0x0c, false },
        { 0x0e, 0x11, false },
        { 0x12, 0x12, true }, /* SGX */
        { 0x13, 0x13, false },
        { 0x15, 0x1c, false },
        { 0x20, BASIC_END, false },
        { 0x80000009, 0x80000009, false },
        { 0x8000000b, 0x8000001c, false },
        { 0x8000001f, 0x8000001f, true }, /* encrypted memory */
        { 0x80000020, 0x80000020, false },
        { 0x80000022, EXTENDED_END, false },
    };
    const struct {
        uint32_t first, last;
        EngineCpuBit feature;
    } needed[] = {
        { 0x05, 0x05, CPU_BIT_MONITOR },
        { 0x0d, 0x0d, CPU_BIT_XSAVE },
        { 0x14, 0x14, CPU_BIT_INTEL_PT },
        { 0x1d, 0x1e, CPU_BIT_AMX_TILE },
        { 0x8000000a, 0x8000000a, CPU_BIT_SVM },
        { 0x8000001d, 0x8000001e, CPU_BIT_TOPOEXT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (plain[i].always || named_model)
            engine_cpuid_drop(cpuid, plain[i].first, plain[i].last);
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
        if (!engine_cpu_set_has(set, needed[i].feature))
            engine_cpuid_drop(cpuid, needed[i].first, needed[i].last);
    if (kvm_hidden)
        engine_cpuid_drop(cpuid, KVM_LEAVES, KVM_LEAVES_END);
}

static bool
write_features(struct kvm_cpuid2 *cpuid, const EngineCpuSet *set,
               bool keep_unnamed, GError **error)
{
    const EngineCpuSet all = engine_cpu_set_all();

    for (unsigned i = 0; i < CPU_WORDS; i++) {
        const EngineCpuWordType *type = &engine_cpu_words[i];
        struct kvm_cpuid_entry2 *entry;
        uint32_t *word;

        if (type->reg == CPU_MSR)
            continue;
        entry = engine_cpuid_find(cpuid, type->function, type->index);
        if (!entry && set->word[i] == 0)
            continue;
        if (!entry)
            entry = engine_cpuid_make(
                cpuid, type->function, type->index,
                type->has_index ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0);
        if (!entry) {
            error_set(error, VIR_ERR_INTERNAL_ERROR,
                      _("this host has too many CPUID leaves"));
            return false;
        }
        word = engine_cpuid_word(entry, type->reg);
        *word = (keep_unnamed ? *word & ~all.word[i] : 0) | set->word[i];
    }
    return true;
}

/* AMD repeats part of leaf 1 in 0x80000001 (APM 3, E.4.2). */
static void
mirror_amd(struct kvm_cpuid2 *cpuid)
{
    const uint32_t mirrored = 0x0183f3ff;
    const struct kvm_cpuid_entry2 *from = engine_cpuid_find(cpuid, 1, 0);
    struct kvm_cpuid_entry2 *to = engine_cpuid_find(cpuid, 0x80000001, 0);

    if (from && to)
        to->edx = (to->edx & ~mirrored) | (from->edx & mirrored);
}

/* State components whose feature the guest has not (Intel SDM 1, 13.2). */
static uint32_t
xsave_unwanted(const EngineCpuSet *set)
{
    const struct {
        uint32_t components;
        EngineCpuBit feature;
    } table[] = {
        { 0x4, CPU_BIT_AVX },          { 0x18, CPU_BIT_MPX },
        { 0xe0, CPU_BIT_AVX512F },     { 0x100, CPU_BIT_INTEL_PT },
        { 0x200, CPU_BIT_PKU },        { 0x1800, CPU_BIT_SHSTK },
        { 0x60000, CPU_BIT_AMX_TILE },
    };
    uint32_t unwanted = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (!engine_cpu_set_has(set, table[i].feature))
            unwanted |= table[i].components;
    return unwanted;
}

/* Makes leaf 0xd agree with the features: which components there are, and how
 * much memory all of them take. */
static void
fit_xsave(struct kvm_cpuid2 *cpuid, const EngineCpuSet *set)
{
    struct kvm_cpuid_entry2 *user = engine_cpuid_find(cpuid, 0xd, 0);
    struct kvm_cpuid_entry2 *kernel = engine_cpuid_find(cpuid, 0xd, 1);
    const uint32_t unwanted = xsave_unwanted(set);
    uint32_t left, size = XSAVE_LEGACY_SIZE;

    if (!user)
        return;
    user->eax &= ~unwanted | XCR0_BASE;
    left = user->eax;
    if (kernel) {
        kernel->ecx &= engine_cpu_set_has(set, CPU_BIT_XSAVES) ? ~unwanted : 0;
        left |= kernel->ecx;
    }
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

        if (entry->function != 0xd || entry->index < 2)
            continue;
        if (entry->index >= 32 || !(left >> entry->index & 1))
            entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
        else if (user->eax >> entry->index & 1)
            size = MAX(size, entry->ebx + entry->eax);
    }
    user->ecx = size;
    user->ebx = XSAVE_LEGACY_SIZE;
}

/* The largest leaf of a range into EAX of its first one. */
static void
fit_limit(struct kvm_cpuid2 *cpuid, uint32_t first, uint32_t last)
{
    struct kvm_cpuid_entry2 *head = engine_cpuid_find(cpuid, first, 0);

    if (!head)
        return;
    head->eax = first;
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        uint32_t function = cpuid->entries[i].function;

        if (function > head->eax && function <= last)
            head->eax = function;
    }
}

static void
fit_limits(struct kvm_cpuid2 *cpuid)
{
    struct kvm_cpuid_entry2 *leaf7 = engine_cpuid_find(cpuid, 7, 0);

    fit_limit(cpuid, 0, BASIC_END);
    fit_limit(cpuid, EXTENDED, EXTENDED_END);
    if (!leaf7)
        return;
    leaf7->eax = 0;
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

        if (entry->function == 7 &&
            (entry->eax | entry->ebx | entry->ecx | entry->edx))
            leaf7->eax = MAX(leaf7->eax, entry->index);
    }
}

/* The name that /proc/cpuinfo shows: leaves 0x80000002 to 0x80000004. */
static void
write_brand(struct kvm_cpuid2 *cpuid, const EngineCpuHost *host,
            const EngineCpuModelType *model)
{
    uint32_t brand[12] = { 0 };
    g_autofree char *name = NULL;

    memcpy(brand, host->brand, sizeof brand);
    if (model) {
        name = g_strdup_printf("virtkvm virtual CPU %s", model->name);
        memset(brand, 0, sizeof brand);
        memcpy(brand, name, MIN(strlen(name), sizeof brand - 1));
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct kvm_cpuid_entry2 *entry =
            engine_cpuid_make(cpuid, 0x80000002 + i, 0, 0);

        if (!entry)
            return;
        entry->eax = brand[i * 4];
        entry->ebx = brand[i * 4 + 1];
        entry->ecx = brand[i * 4 + 2];
        entry->edx = brand[i * 4 + 3];
    }
}

static struct kvm_cpuid2 *
cpuid_copy(const struct kvm_cpuid2 *from)
{
    const size_t entry = sizeof from->entries[0];
    struct kvm_cpuid2 *to = g_malloc0(sizeof *to + CPU_LEAVES_MAX * entry);

    to->nent = MIN(from->nent, CPU_LEAVES_MAX);
    memcpy(to->entries, from->entries, to->nent * entry);
    return to;
}

struct kvm_cpuid2 *
engine_cpuid_build(const EngineCpuHost *host, const EngineConfig *config,
                   GError **error)
{
    g_autofree struct kvm_cpuid2 *cpuid = NULL;
    struct kvm_cpuid_entry2 *leaf1;
    Wanted wanted = { 0 };

    if (!work_out(&wanted, host, config, error))
        return NULL;
    cpuid = cpuid_copy(host->supported);
    leaf1 = engine_cpuid_find(cpuid, 1, 0);
    if (leaf1 && wanted.model)
        leaf1->eax = engine_cpu_model_signature(wanted.model);
    drop_leaves(cpuid, &wanted.set, wanted.model != NULL, config->kvm_hidden);
    if (!write_features(cpuid, &wanted.set, !wanted.model, error))
        return NULL;
    write_brand(cpuid, host, wanted.model);
    fit_xsave(cpuid, &wanted.set);
    if (!engine_cpuid_set_topology(
            cpuid, config, wanted.amd,
            engine_cpu_set_has(&wanted.set, CPU_BIT_X2APIC), error))
        return NULL;
    if (wanted.amd)
        mirror_amd(cpuid);
    fit_limits(cpuid);
    engine_cpuid_set_vcpu(cpuid, config, 0);
    return g_steal_pointer(&cpuid);
}

struct kvm_cpuid2 *
engine_cpuid_new(int kvm_fd, const EngineConfig *config, GError **error)
{
    g_autoptr(EngineCpuHost) host = engine_cpu_host_new(kvm_fd, error);

    return host ? engine_cpuid_build(host, config, error) : NULL;
}
