/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/i18n.h"

#include <string.h>

#define STATE_ADVICE N_("it is left as the engine has it")

/* <NAME state='on|off'/>; without state it is on. The macro's judge says what
 * to think of the wish that the engine does not grant. */
#define STATE_ELEMENT(MEMBER, NAME, UNMET, ...)                              \
    static bool MEMBER##_check(void *base, const xmlNode *node,              \
                               unsigned flags, GError **error)               \
    {                                                                        \
        ConfFeatures *features = base;                                       \
                                                                             \
        if (features->MEMBER == CONF_ONOFF_ABSENT)                           \
            features->MEMBER = CONF_ONOFF_ON;                                \
        return true;                                                         \
    }                                                                        \
    static ConfPolicy MEMBER##_judge(const char *text, const void *base)     \
    {                                                                        \
        const ConfFeatures *features = base;                                 \
                                                                             \
        return features->MEMBER == (UNMET) ? CONF_HARMLESS : CONF_HONOURED;  \
    }                                                                        \
    static const ConfField MEMBER##_fields[] = {                             \
        CONF_ATTR("state", ConfFeatures, MEMBER, onoff,                      \
                  .judge = MEMBER##_judge, .advice = STATE_ADVICE),          \
        __VA_ARGS__ CONF_END                                                 \
    };                                                                       \
    static const ConfElement MEMBER##_element = { .name = NAME,              \
                                                  .fields = MEMBER##_fields, \
                                                  .check = MEMBER##_check }

STATE_ELEMENT(pvspinlock, "pvspinlock", CONF_ONOFF_OFF);
STATE_ELEMENT(pmu, "pmu", CONF_ONOFF_OFF);
STATE_ELEMENT(vmport, "vmport", CONF_ONOFF_ON);
STATE_ELEMENT(smm, "smm", CONF_ONOFF_ON,
              CONF_CARRY("tseg", .policy = CONF_QUIET), );
STATE_ELEMENT(vmcoreinfo, "vmcoreinfo", CONF_ONOFF_ON);

static const ConfField apic_fields[] = {
    CONF_CARRY_ATTR("eoi", .policy = CONF_HARMLESS),
    CONF_TEXT(ConfFeatures, apic, present), CONF_END
};
static const ConfElement apic_element = { .name = "apic",
                                          .fields = apic_fields };

static const ConfField hidden_fields[] = {
    CONF_ATTR("state", ConfFeatures, kvm_hidden, onoff), CONF_END
};
static const ConfElement hidden_element = { .name = "hidden",
                                            .fields = hidden_fields };

static const ConfField kvm_fields[] = {
    CONF_GROUP("hidden", hidden_element),
    CONF_CARRY("hint-dedicated", .policy = CONF_HARMLESS),
    CONF_CARRY("poll-control", .policy = CONF_HARMLESS),
    CONF_CARRY("pv-ipi", .policy = CONF_HARMLESS),
    CONF_CARRY("dirty-ring", .policy = CONF_QUIET),
    CONF_END
};
static const ConfElement kvm_element = { .name = "kvm", .fields = kvm_fields };

static const ConfField features_fields[] = {
    CONF_LEAF("acpi", ConfFeatures, acpi, present),
    CONF_GROUP("apic", apic_element),
    CONF_LEAF("pae", ConfFeatures, pae, present),
    CONF_CARRY("hap", .policy = CONF_QUIET),
    CONF_CARRY("viridian", .policy = CONF_HARMLESS),
    CONF_CARRY("privnet", .policy = CONF_REFUSED),
    CONF_CARRY("hyperv", .policy = CONF_HARMLESS),
    CONF_GROUP("kvm", kvm_element),
    CONF_GROUP("pvspinlock", pvspinlock_element),
    CONF_CARRY("capabilities", .policy = CONF_REFUSED),
    CONF_GROUP("pmu", pmu_element),
    CONF_GROUP("vmport", vmport_element),
    CONF_CARRY("gic", .policy = CONF_REFUSED),
    CONF_GROUP("smm", smm_element),
    CONF_CARRY("ioapic", .policy = CONF_QUIET),
    CONF_CARRY("hpt", .policy = CONF_REFUSED),
    CONF_GROUP("vmcoreinfo", vmcoreinfo_element),
    CONF_CARRY("htm", .policy = CONF_REFUSED),
    CONF_CARRY("nested-hv", .policy = CONF_REFUSED),
    CONF_CARRY("msrs", .policy = CONF_HARMLESS),
    CONF_CARRY("ccf-assist", .policy = CONF_REFUSED),
    CONF_CARRY("xen", .policy = CONF_REFUSED),
    CONF_CARRY("cfpc", .policy = CONF_REFUSED),
    CONF_CARRY("sbbc", .policy = CONF_REFUSED),
    CONF_CARRY("ibs", .policy = CONF_REFUSED),
    CONF_CARRY("tcg", .policy = CONF_QUIET),
    CONF_CARRY("async-teardown", .policy = CONF_QUIET),
    CONF_END
};
const ConfElement conf_features_element = { .name = "features",
                                            .fields = features_fields };

static const struct {
    const char *name;
    size_t offset;
} by_name[] = {
    { "acpi", offsetof(ConfFeatures, acpi) },
    { "apic", offsetof(ConfFeatures, apic) },
    { "pae", offsetof(ConfFeatures, pae) },
    { "kvm-hidden", offsetof(ConfFeatures, kvm_hidden) },
    { "pvspinlock", offsetof(ConfFeatures, pvspinlock) },
    { "pmu", offsetof(ConfFeatures, pmu) },
    { "vmport", offsetof(ConfFeatures, vmport) },
    { "smm", offsetof(ConfFeatures, smm) },
    { "vmcoreinfo", offsetof(ConfFeatures, vmcoreinfo) },
};

bool
conf_domain_feature(const ConfDomain *domain, const char *name, bool absent)
{
    for (size_t i = 0; i < G_N_ELEMENTS(by_name); i++) {
        const char *base = (const char *)&domain->features;
        ConfOnOff value;

        if (strcmp(by_name[i].name, name) != 0)
            continue;
        memcpy(&value, base + by_name[i].offset, sizeof(value));
        return value == CONF_ONOFF_ABSENT ? absent : value == CONF_ONOFF_ON;
    }
    return absent;
}
