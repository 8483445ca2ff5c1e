/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/engine-devices.h"

static void
block_stats_clear(gpointer stats)
{
    g_free(((CoreBlockStats *)stats)->id);
}

static void
net_stats_clear(gpointer stats)
{
    g_free(((CoreNetStats *)stats)->id);
}

GArray *
core_block_stats_array(void)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(CoreBlockStats));

    g_array_set_clear_func(all, block_stats_clear);
    return all;
}

GArray *
core_net_stats_array(void)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(CoreNetStats));

    g_array_set_clear_func(all, net_stats_clear);
    return all;
}
