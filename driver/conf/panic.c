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

static const ConfField panic_fields[] = {
    CONF_ATTR("model", ConfPanic, model, token, .policy = CONF_HARMLESS,
              .advice = N_("the guest has no such device yet, and runs without "
                           "it")),
    CONF_DEVICE_ROWS(ConfPanic), CONF_END
};
const ConfElement conf_panic_element = { .name = "panic",
                                         .fields = panic_fields,
                                         .size = sizeof(ConfPanic),
                                         .carried =
                                             offsetof(ConfPanic, carried),
                                         .check = panic_check };
