/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

#include <string.h>

static const char *const mode_names[] = { NULL,         "custom",
                                          "host-model", "host-passthrough",
                                          "maximum",    "" };
static const char *const policy_names[] = { "force",   "require", "optional",
                                            "disable", "forbid",  "" };

static bool
cpu_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfCpu *cpu = base;
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < cpu->features->len; i++) {
        const ConfCpuFeature *feature = g_ptr_array_index(cpu->features, i);

        if (!feature->name) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("a CPU feature has no name (line %ld)"),
                      xmlGetLineNo(node));
            return false;
        }
        if (!g_hash_table_add(names, feature->name)) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("CPU feature '%s' specified more than once (line %ld)"),
                      feature->name, xmlGetLineNo(node));
            return false;
        }
    }
    if (cpu->mode == CONF_CPU_CUSTOM && !cpu->model && cpu->features->len > 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Non-empty feature list specified without CPU model "
                    "(line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    return true;
}

static bool
topology_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfCpu *cpu = base;

    if (!cpu->dies)
        cpu->dies = 1;
    if (cpu->sockets && cpu->cores && cpu->threads)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("<topology> needs 'sockets', 'cores' and 'threads', each at "
                "least 1 (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

static void
feature_init(void *base)
{
    ((ConfCpuFeature *)base)->policy = CONF_CPU_POLICY_REQUIRE;
}

static ConfPolicy
judge_cache(const char *text, const void *base)
{
    return strstr(text, "passthrough") ? CONF_QUIET : CONF_HARMLESS;
}

static ConfPolicy
judge_maxphysaddr(const char *text, const void *base)
{
    return strstr(text, "passthrough") ? CONF_HONOURED : CONF_REFUSED;
}

/* A guest's CPU is the model that is named, no more and no less. */
static ConfPolicy
judge_match(const char *text, const void *base)
{
    const ConfCpu *cpu = base;

    return cpu->mode != CONF_CPU_CUSTOM || strcmp(cpu->match, "exact") == 0
               ? CONF_HONOURED
               : CONF_REFUSED;
}

static const ConfField model_fields[] = {
    CONF_ATTR("fallback", ConfCpu, fallback, token),
    CONF_CARRY_ATTR("vendor_id", .policy = CONF_REFUSED),
    CONF_TEXT(ConfCpu, model, token), CONF_END
};
static const ConfElement model_element = { .name = "model",
                                           .fields = model_fields };

static const ConfField topology_fields[] = {
    CONF_ATTR("sockets", ConfCpu, sockets, uint, .flags = CONF_REQUIRED),
    CONF_ATTR("dies", ConfCpu, dies, uint),
    CONF_ATTR("cores", ConfCpu, cores, uint, .flags = CONF_REQUIRED),
    CONF_ATTR("threads", ConfCpu, threads, uint, .flags = CONF_REQUIRED),
    CONF_END
};
static const ConfElement topology_element = { .name = "topology",
                                              .fields = topology_fields,
                                              .check = topology_check };

static const ConfField feature_fields[] = {
    CONF_ATTR("policy", ConfCpuFeature, policy, enum, .names = policy_names),
    CONF_ATTR("name", ConfCpuFeature, name, token, .flags = CONF_REQUIRED),
    CONF_END
};
static const ConfElement feature_element = { .name = "feature",
                                             .fields = feature_fields,
                                             .size = sizeof(ConfCpuFeature),
                                             .carried = offsetof(ConfCpuFeature,
                                                                 carried),
                                             .init = feature_init };

static const ConfField cpu_fields[] = {
    CONF_ATTR("mode", ConfCpu, mode, enum, .names = mode_names),
    CONF_ATTR("match", ConfCpu, match, token, .judge = judge_match,
              .advice = N_("only match='exact' is possible; host-model has all "
                           "that the host has")),
    CONF_ATTR("check", ConfCpu, check, token),
    CONF_ATTR("migratable", ConfCpu, migratable, onoff),
    CONF_CARRY("arch", .policy = CONF_QUIET),
    CONF_GROUP("model", model_element),
    CONF_LEAF("vendor", ConfCpu, vendor, token),
    CONF_GROUP("topology", topology_element),
    CONF_CARRY("cache", .policy = CONF_HARMLESS, .judge = judge_cache),
    CONF_CARRY("maxphysaddr", .policy = CONF_REFUSED,
               .judge = judge_maxphysaddr,
               .advice = N_("only mode='passthrough' is possible")),
    CONF_LIST("feature", ConfCpu, features, feature_element),
    CONF_CARRY("numa", .policy = CONF_REFUSED,
               .advice = N_("the guest's memory is one node: remove <numa>")),
    CONF_END
};
const ConfElement conf_cpu_element = { .name = "cpu",
                                       .fields = cpu_fields,
                                       .check = cpu_check };
