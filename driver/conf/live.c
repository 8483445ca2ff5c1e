/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"

#include <string.h>

static void
name_devices(GPtrArray *devices, const char *prefix)
{
    for (guint i = 0; i < devices->len; i++) {
        ConfChardev *device = g_ptr_array_index(devices, i);

        if (!device->alias)
            device->alias = g_strdup_printf("%s%u", prefix, i);
    }
}

void
conf_domain_assign_live(ConfDomain *domain)
{
    name_devices(domain->serials, "serial");
    conf_domain_tie_console(domain);
    name_devices(domain->consoles, "console");
    for (guint i = 0; i < domain->rngs->len; i++) {
        ConfRng *rng = g_ptr_array_index(domain->rngs, i);

        if (!rng->alias)
            rng->alias = g_strdup_printf("rng%u", i);
    }
}

/* The serial port that @console is, or @console itself. */
static ConfChardev *
behind(const ConfDomain *domain, ConfChardev *console)
{
    if (g_strcmp0(console->target_type, "serial") == 0 &&
        domain->serials->len > 0)
        return g_ptr_array_index(domain->serials, 0);
    return console;
}

static ConfChardev *
find_alias(GPtrArray *devices, const char *alias)
{
    for (guint i = 0; i < devices->len; i++) {
        ConfChardev *device = g_ptr_array_index(devices, i);

        if (g_strcmp0(device->alias, alias) == 0)
            return device;
    }
    return NULL;
}

ConfChardev *
conf_domain_console(const ConfDomain *domain, const char *alias)
{
    ConfChardev *found;

    if (alias) {
        found = find_alias(domain->serials, alias);
        if (!found)
            found = find_alias(domain->consoles, alias);
        return found ? behind(domain, found) : NULL;
    }
    if (domain->consoles->len > 0)
        return behind(domain, g_ptr_array_index(domain->consoles, 0));
    return domain->serials->len > 0 ? g_ptr_array_index(domain->serials, 0)
                                    : NULL;
}
