/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/affect.h"

static const VshFlagBits bits[] = {
    { "live", VIR_DOMAIN_AFFECT_LIVE },
    { "config", VIR_DOMAIN_AFFECT_CONFIG },
    { NULL },
};

static bool
is_given(const VshArgs *args, const char *name)
{
    return vsh_args_has(args, name) && vsh_args_given(args, name);
}

bool
vsh_affect_given(const VshArgs *args)
{
    return is_given(args, "persistent") || is_given(args, "current") ||
           vsh_args_bits(args, bits) != 0;
}

bool
vsh_affect_flags(const VshArgs *args, unsigned *ret_flags, GError **error)
{
    static const char *const pairs[][3] = {
        { "persistent", "current", NULL },
        { "current", "live", NULL },
        { "current", "config", NULL },
    };
    size_t first = vsh_args_has(args, "persistent") ? 0 : 1;

    for (size_t i = first; i < G_N_ELEMENTS(pairs); i++)
        if (!vsh_args_exclusive(args, pairs[i], error))
            return false;
    *ret_flags = vsh_args_bits(args, bits);
    return true;
}

bool
vsh_affect_domain_flags(const VshArgs *args, virDomainPtr domain,
                        unsigned *ret_flags, GError **error)
{
    if (!vsh_affect_flags(args, ret_flags, error))
        return false;
    if (!is_given(args, "persistent"))
        return true;
    *ret_flags |= VIR_DOMAIN_AFFECT_CONFIG;
    if (virDomainIsActive(domain) == 1)
        *ret_flags |= VIR_DOMAIN_AFFECT_LIVE;
    return true;
}

bool
vsh_affect_reaches_live(unsigned flags)
{
    /* without any, or with --current, that of a domain that runs is meant */
    return flags == VIR_DOMAIN_AFFECT_CURRENT ||
           (flags & VIR_DOMAIN_AFFECT_LIVE);
}
