/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

static const char *const placement_names[] = { NULL, "static", "auto", "" };

static bool
vcpu_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfVcpus *vcpus = base;

    if (vcpus->max == 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("a domain needs at least one vCPU (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (vcpus->max > CONF_VCPUS_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("%u vCPUs are more than the limit of %d (line %ld)"),
                  vcpus->max, CONF_VCPUS_MAX, xmlGetLineNo(node));
        return false;
    }
    if (vcpus->current > vcpus->max) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("maximum vCPU count must not be less than current vCPU "
                    "count (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    return true;
}

/* current='': may not be 0 where it stands. */
static bool
current_parse(const ConfField *field, const xmlNode *node, const char *text,
              void *member, GError **error)
{
    if (!conf_type_uint.parse(field, node, text, member, error))
        return false;
    if (*(unsigned *)member > 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("vcpu 0 can't be offline (line %ld)"), xmlGetLineNo(node));
    return false;
}

static const char *
current_format(const ConfField *field, const void *member, char *scratch)
{
    return conf_type_uint.format(field, member, scratch);
}

static void
current_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"positiveInteger\"/>");
}

static const ConfType conf_type_current = { .parse = current_parse,
                                            .format = current_format,
                                            .schema = current_schema };

static const ConfField vcpu_fields[] = {
    CONF_ATTR("placement", ConfVcpus, placement, enum,
              .names = placement_names),
    CONF_ATTR("cpuset", ConfVcpus, cpuset, cpuset),
    CONF_ATTR("current", ConfVcpus, current, current),
    CONF_TEXT(ConfVcpus, max, uint), CONF_END
};
const ConfElement conf_vcpu_element = { .name = "vcpu",
                                        .fields = vcpu_fields,
                                        .check = vcpu_check };

static void
each_init(void *base)
{
    ((ConfVcpu *)base)->id = -1;
}

static const ConfField each_fields[] = {
    CONF_ATTR("id", ConfVcpu, id, number, .flags = CONF_REQUIRED),
    CONF_ATTR("enabled", ConfVcpu, enabled, yesno),
    CONF_ATTR("hotpluggable", ConfVcpu, hotpluggable, yesno),
    CONF_ATTR("order", ConfVcpu, order, uint), CONF_END
};
static const ConfElement each_element = { .name = "vcpu",
                                          .fields = each_fields,
                                          .size = sizeof(ConfVcpu),
                                          .carried =
                                              offsetof(ConfVcpu, carried),
                                          .init = each_init };

static const ConfField vcpus_fields[] = {
    CONF_LIST("vcpu", ConfVcpus, each, each_element), CONF_END
};
const ConfElement conf_vcpus_element = { .name = "vcpus",
                                         .fields = vcpus_fields };
