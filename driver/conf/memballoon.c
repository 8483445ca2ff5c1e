/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/memballoon.h"

#include <string.h>

#include "conf/device-rows.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

static bool
is_none(const ConfMemballoon *balloon)
{
    return strcmp(balloon->model, "none") == 0;
}

static ConfPolicy
judge_model(const char *text, const void *base)
{
    const ConfMemballoon *balloon = base;

    return is_none(balloon) ? CONF_HONOURED : conf_model_policy(balloon->model);
}

static bool
memballoon_check(void *base, const xmlNode *node, unsigned flags,
                 GError **error)
{
    const ConfMemballoon *balloon = base;

    if (balloon->model &&
        (is_none(balloon) || strcmp(balloon->model, "xen") == 0 ||
         conf_model_is_virtio(balloon->model)))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("unknown memory balloon model '%s' (line %ld)"),
              balloon->model ? balloon->model : "", xmlGetLineNo(node));
    return false;
}

static const ConfField stats_fields[] = {
    CONF_ATTR("period", ConfMemballoon, period_s, uint), CONF_END
};
static const ConfElement stats_element = { .name = "stats",
                                           .fields = stats_fields };

static const ConfField driver_fields[] = { CONF_VIRTIO_ROWS(ConfMemballoon),
                                           CONF_END };
static const ConfElement driver_element = { .name = "driver",
                                            .fields = driver_fields };

static const ConfField memballoon_fields[] = {
    CONF_ATTR("model", ConfMemballoon, model, token, .flags = CONF_REQUIRED,
              .judge = judge_model, .advice = CONF_MODEL_ADVICE),
    CONF_ATTR("autodeflate", ConfMemballoon, autodeflate, onoff),
    CONF_ATTR("freePageReporting", ConfMemballoon, free_page_reporting, onoff),
    CONF_GROUP("stats", stats_element),
    CONF_DEVICE_ROWS(ConfMemballoon),
    CONF_GROUP("driver", driver_element),
    CONF_END
};
const ConfElement conf_memballoon_element = { .name = "memballoon",
                                              .fields = memballoon_fields,
                                              .size = sizeof(ConfMemballoon),
                                              .carried = offsetof(
                                                  ConfMemballoon, carried),
                                              .check = memballoon_check };

ConfMemballoon *
conf_domain_memballoon(const ConfDomain *domain)
{
    ConfMemballoon *balloon;

    if (domain->memballoons->len == 0)
        return NULL;
    balloon = g_ptr_array_index(domain->memballoons, 0);
    return is_none(balloon) ? NULL : balloon;
}

void
conf_domain_fill_memballoon(ConfDomain *domain)
{
    ConfMemballoon *balloon;

    if (domain->memballoons->len > 0 ||
        strcmp(domain->os.machine, "microvm") == 0)
        return;
    balloon = conf_table_new(&conf_memballoon_element);
    balloon->model = g_strdup("virtio");
    g_ptr_array_add(domain->memballoons, balloon);
}
