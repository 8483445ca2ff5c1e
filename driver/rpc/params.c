/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/params.h"

#include "util/error.h"
#include "util/i18n.h"

bool
rpc_params_check(int64_t wanted, unsigned max, GError **error)
{
    if (wanted >= 0 && wanted <= max)
        return true;
    error_set(error, VIR_ERR_RPC,
              _("%lld elements exceed a limit of the protocol"),
              (long long)wanted);
    return false;
}

static void
drop(virTypedParameter *item)
{
    if (item->type == VIR_TYPED_PARAM_STRING)
        g_free(item->value.s);
}

void
rpc_params_answer(VirtkvmParams *params, int64_t wanted, unsigned flags,
                  RpcParams *ret)
{
    bool texts = flags & VIR_TYPED_PARAM_STRING_OKAY;
    size_t kept = 0, known = 0;

    for (size_t i = 0; i < params->count; i++) {
        virTypedParameter *item = &params->items[i];
        bool suits = texts || item->type != VIR_TYPED_PARAM_STRING;

        known += suits;
        if (suits && kept < (size_t)wanted)
            params->items[kept++] = *item;
        else
            drop(item);
    }
    params->count = kept;
    ret->params = *params;
    ret->nparams = (int32_t)(wanted ? kept : known);
    *params = (VirtkvmParams){ 0 };
}
