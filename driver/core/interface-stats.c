/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/calls.h"
#include "core/interface.h"
#include "util/error.h"
#include "util/i18n.h"

/** What network interfaces have done. */

GArray *
core_interface_ask(const CoreView *view, GError **error)
{
    return view->engine->ops->devices->net_stats(view->engine, view->conf,
                                                 error);
}

const CoreNetStats *
core_interface_of(const GArray *all, const ConfInterface *interface)
{
    for (guint i = 0; i < all->len; i++) {
        const CoreNetStats *stats = &g_array_index(all, CoreNetStats, i);

        if (g_strcmp0(stats->id, interface->alias) == 0)
            return stats;
    }
    return NULL;
}

ConfInterface *
core_interface_find(const ConfDomain *conf, const char *name, GError **error)
{
    ConfInterface *interface = conf_domain_interface(conf, name);

    if (!interface)
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%s' is not a known interface"), name);
    return interface;
}

static const CoreOperation stats_operation = { .name = "domainInterfaceStats",
                                               .needs = CORE_ACTIVE };

bool
core_call_interface_stats(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, const char *device,
                          VirtkvmInterfaceStats *ret_stats, GError **error)
{
    CoreCall call = { .state = state, .who = who };
    g_auto(CoreView) view = { 0 };
    g_autoptr(GArray) all = NULL;
    const ConfInterface *interface;
    const CoreNetStats *stats;

    if (!core_view(&stats_operation, &call, dom, &view, error))
        return false;
    interface = core_interface_find(view.conf, device, error);
    all = interface ? core_interface_ask(&view, error) : NULL;
    if (!all)
        return false;
    stats = core_interface_of(all, interface);
    if (stats)
        *ret_stats = stats->counts;
    else
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("the engine knows no interface '%s'"), device);
    return stats != NULL;
}
