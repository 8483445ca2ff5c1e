/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/panic.h"

#include <string.h>

#include "conf/device-rows.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

static bool
panic_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    static const char *const models[] = { "isa",  "pseries", "hyperv",
                                          "s390", "pvpanic", NULL };
    ConfPanic *panic = base;

    panic->address.plain = true;
    if (!panic->model)
        panic->model = g_strdup("isa");
    if (g_strv_contains(models, panic->model))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("unknown panic model '%s' (line %ld)"), panic->model,
              xmlGetLineNo(node));
    return false;
}

static ConfPolicy
judge_model(const char *text, const void *base)
{
    return conf_panic_is_isa(base) ? CONF_HONOURED : CONF_HARMLESS;
}

static const ConfField panic_fields[] = {
    CONF_ATTR("model", ConfPanic, model, token, .judge = judge_model,
              .advice = N_("model='isa' is possible, and the guest runs "
                           "without it")),
    CONF_DEVICE_ROWS(ConfPanic), CONF_END
};
const ConfElement conf_panic_element = { .name = "panic",
                                         .fields = panic_fields,
                                         .size = sizeof(ConfPanic),
                                         .carried =
                                             offsetof(ConfPanic, carried),
                                         .check = panic_check };

bool
conf_panic_is_isa(const ConfPanic *panic)
{
    return strcmp(panic->model, "isa") == 0;
}
