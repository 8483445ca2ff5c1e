/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/status-names.h"

#include <glib.h>
#include <libvirt/libvirt.h>

static const char *const names[] = {
    [VIR_DOMAIN_NOSTATE] = "no-state",
    [VIR_DOMAIN_RUNNING] = "running",
    [VIR_DOMAIN_BLOCKED] = "blocked",
    [VIR_DOMAIN_PAUSED] = "paused",
    [VIR_DOMAIN_SHUTDOWN] = "shutdown",
    [VIR_DOMAIN_SHUTOFF] = "shutoff",
    [VIR_DOMAIN_CRASHED] = "crashed",
    [VIR_DOMAIN_PMSUSPENDED] = "pmsuspended",
};

const char *
core_status_state_name(int state)
{
    return state >= 0 && state < (int)G_N_ELEMENTS(names)
               ? names[state]
               : names[VIR_DOMAIN_NOSTATE];
}

int
core_status_state_from_name(const char *name)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(names); i++)
        if (g_strcmp0(names[i], name) == 0)
            return i;
    return -1;
}
