/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/cpumap.h"

#include <glib.h>
#include <libvirt/libvirt.h>

char *
vsh_cpumap_ranges(const unsigned char *map, int cpus)
{
    GString *text = g_string_new(NULL);

    for (int cpu = 0; cpu < cpus; cpu++) {
        int last = cpu;

        if (!VIR_CPU_USED(map, cpu))
            continue;
        while (last + 1 < cpus && VIR_CPU_USED(map, last + 1))
            last++;
        g_string_append_printf(text, "%s%d", text->len ? "," : "", cpu);
        if (last > cpu)
            g_string_append_printf(text, "-%d", last);
        cpu = last;
    }
    return g_string_free(text, FALSE);
}
