/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/params.h"

#include <string.h>

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
core_params_ullong(CoreParams *params, const char *name, uint64_t value)
{
    add(params, name, VIR_TYPED_PARAM_ULLONG)->value.ul = value;
}

void
core_params_bool(CoreParams *params, const char *name, bool value)
{
    add(params, name, VIR_TYPED_PARAM_BOOLEAN)->value.b = value;
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
