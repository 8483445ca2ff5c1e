/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/params.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

CoreParams
core_params_new(void)
{
    CoreParams params = { g_array_new(FALSE, TRUE, sizeof(virTypedParameter)) };

    return params;
}

static virTypedParameter *
add(CoreParams *params, const char *name, int type)
{
    virTypedParameter *item;

    g_array_set_size(params->items, params->items->len + 1);
    item = &g_array_index(params->items, virTypedParameter,
                          params->items->len - 1);
    g_strlcpy(item->field, name, sizeof(item->field));
    item->type = type;
    return item;
}

void
core_params_int(CoreParams *params, const char *name, int value)
{
    add(params, name, VIR_TYPED_PARAM_INT)->value.i = value;
}

void
core_params_uint(CoreParams *params, const char *name, unsigned value)
{
    add(params, name, VIR_TYPED_PARAM_UINT)->value.ui = value;
}

void
core_params_llong(CoreParams *params, const char *name, int64_t value)
{
    add(params, name, VIR_TYPED_PARAM_LLONG)->value.l = value;
}

void
core_params_ullong(CoreParams *params, const char *name, uint64_t value)
{
    add(params, name, VIR_TYPED_PARAM_ULLONG)->value.ul = value;
}

void
core_params_bool(CoreParams *params, const char *name, bool value)
{
    add(params, name, VIR_TYPED_PARAM_BOOLEAN)->value.b = value;
}

void
core_params_string(CoreParams *params, const char *name, const char *value)
{
    add(params, name, VIR_TYPED_PARAM_STRING)->value.s = g_strdup(value);
}

void
core_params_append(CoreParams *params, VirtkvmParams *list)
{
    g_array_append_vals(params->items, list->items, (guint)list->count);
    g_clear_pointer(&list->items, g_free);
    list->count = 0;
}

VirtkvmParams
core_params_end(CoreParams *params)
{
    VirtkvmParams list = { .count = params->items->len };

    list.items = (virTypedParameter *)(void *)g_array_free(
        g_steal_pointer(&params->items), FALSE);
    return list;
}

void
core_params_clear(VirtkvmParams *params)
{
    for (size_t i = 0; i < params->count; i++)
        if (params->items[i].type == VIR_TYPED_PARAM_STRING)
            g_free(params->items[i].value.s);
    g_clear_pointer(&params->items, g_free);
    params->count = 0;
}

/* --- what a client gives ----------------------------------------------------
 */

static const char *
type_name(int type)
{
    static const char *const names[] = {
        [VIR_TYPED_PARAM_INT] = "int",
        [VIR_TYPED_PARAM_UINT] = "uint",
        [VIR_TYPED_PARAM_LLONG] = "llong",
        [VIR_TYPED_PARAM_ULLONG] = "ullong",
        [VIR_TYPED_PARAM_DOUBLE] = "double",
        [VIR_TYPED_PARAM_BOOLEAN] = "boolean",
        [VIR_TYPED_PARAM_STRING] = "string",
    };

    if (type < 0 || type >= (int)G_N_ELEMENTS(names) || !names[type])
        return "unknown";
    return names[type];
}

const virTypedParameter *
core_params_find(const VirtkvmParams *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->items[i].field, name) == 0)
            return &params->items[i];
    return NULL;
}

static const CoreParamKind *
kind_of(const virTypedParameter *param, const CoreParamKind *kinds,
        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(kinds[i].name, param->field) == 0)
            return &kinds[i];
    return NULL;
}

bool
core_params_check(const VirtkvmParams *params, const CoreParamKind *kinds,
                  size_t count, GError **error)
{
    for (size_t i = 0; i < params->count; i++) {
        const virTypedParameter *param = &params->items[i];
        const CoreParamKind *kind = kind_of(param, kinds, count);

        if (!kind)
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("parameter '%s' not supported"), param->field);
        else if (kind->type != param->type)
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("invalid type '%s' for parameter '%s', expected '%s'"),
                      type_name(param->type), param->field,
                      type_name(kind->type));
        else if (core_params_find(params, param->field) != param)
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("parameter '%s' occurs multiple times"), param->field);
        else
            continue;
        return false;
    }
    return true;
}
