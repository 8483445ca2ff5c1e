/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/params.h"

#include <glib.h>

/* Where the colon stands, unless the field is longer. */
#define FIELD_WIDTH 15

json_t *
vsh_param_json(const virTypedParameter *param)
{
    json_t *value = NULL;

    switch ((virTypedParameterType)param->type) {
    case VIR_TYPED_PARAM_INT:
        return json_integer(param->value.i);
    case VIR_TYPED_PARAM_UINT:
        return json_integer(param->value.ui);
    case VIR_TYPED_PARAM_LLONG:
        return json_integer(param->value.l);
    case VIR_TYPED_PARAM_ULLONG:
        return json_integer((json_int_t)param->value.ul);
    case VIR_TYPED_PARAM_DOUBLE:
        return json_real(param->value.d);
    case VIR_TYPED_PARAM_BOOLEAN:
        return json_boolean(param->value.b);
    case VIR_TYPED_PARAM_STRING:
        value = param->value.s ? json_string(param->value.s) : NULL;
        break;
    case VIR_TYPED_PARAM_LAST:
        break;
    }
    return value ? value : json_null();
}

char *
vsh_param_text(const virTypedParameter *param)
{
    switch ((virTypedParameterType)param->type) {
    case VIR_TYPED_PARAM_INT:
        return g_strdup_printf("%d", param->value.i);
    case VIR_TYPED_PARAM_UINT:
        return g_strdup_printf("%u", param->value.ui);
    case VIR_TYPED_PARAM_LLONG:
        return g_strdup_printf("%lld", param->value.l);
    case VIR_TYPED_PARAM_ULLONG:
        return g_strdup_printf("%llu", param->value.ul);
    case VIR_TYPED_PARAM_DOUBLE:
        return g_strdup_printf("%f", param->value.d);
    case VIR_TYPED_PARAM_BOOLEAN:
        return g_strdup(param->value.b ? "yes" : "no");
    case VIR_TYPED_PARAM_STRING:
        return g_strdup(param->value.s ? param->value.s : "");
    case VIR_TYPED_PARAM_LAST:
        break;
    }
    return g_strdup("");
}

json_t *
vsh_params_json(const virTypedParameter *params, int count)
{
    json_t *object = json_object();

    for (int i = 0; i < count; i++)
        json_object_set_new(object, params[i].field,
                            vsh_param_json(&params[i]));
    return object;
}

void
vsh_params_add(VshRecord *record, const virTypedParameter *params, int count)
{
    for (int i = 0; i < count; i++) {
        g_autofree char *label =
            g_strdup_printf("%-*s:", FIELD_WIDTH, params[i].field);
        g_autofree char *text = vsh_param_text(&params[i]);

        vsh_record_add(record, params[i].field, label, text,
                       vsh_param_json(&params[i]));
    }
}
