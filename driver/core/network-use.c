/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/network-use.h"

#include "core/network-lease.h"
#include "core/network.h"
#include "util/error.h"
#include "util/i18n.h"

void
core_network_use_clear(CoreNetworkUse *use)
{
    g_clear_pointer(&use->bridge, g_free);
}

static bool
use_locked(VirtkvmState *state, const char *name, const char *portgroup,
           CoreNetworkUse *ret_use, GError **error)
{
    const CoreNetwork *network = core_network_by_name(state, name);
    const ConfPortgroup *group;

    if (!network || !core_network_def(network)) {
        error_set(error, VIR_ERR_NO_NETWORK,
                  _("no network with matching name '%s'"), name);
        return false;
    }
    if (!core_network_active(network)) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("network '%s' is not active"), name);
        return false;
    }
    group = conf_network_portgroup(network->live, portgroup);
    if (portgroup && !group) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("network '%s' has no portgroup '%s'"), name, portgroup);
        return false;
    }
    *ret_use = (CoreNetworkUse){ .user_mode = core_network_user_mode(state),
                                 .mtu = network->live->bridge.mtu };
    if (!ret_use->user_mode)
        ret_use->bridge = g_strdup(network->live->bridge.name);
    if (group)
        ret_use->bandwidth = group->bandwidth;
    return true;
}

bool
core_network_use(VirtkvmState *state, const char *name, const char *portgroup,
                 CoreNetworkUse *ret_use, GError **error)
{
    bool found;

    g_mutex_lock(&state->networks->lock);
    found = use_locked(state, name, portgroup, ret_use, error);
    g_mutex_unlock(&state->networks->lock);
    return found;
}

bool
core_network_bridge(VirtkvmState *state, const char *name, char **ret_bridge,
                    unsigned *ret_mtu, GError **error)
{
    CoreNetworkUse use;

    if (!core_network_use(state, name, NULL, &use, error))
        return false;
    *ret_bridge = use.bridge;
    *ret_mtu = use.mtu;
    return true;
}

GArray *
core_network_leases(VirtkvmState *state, const char *mac)
{
    GArray *leases = core_network_lease_array();
    g_autoptr(GPtrArray) live =
        g_ptr_array_new_with_free_func((GDestroyNotify)conf_network_free);

    g_mutex_lock(&state->networks->lock);
    for (guint i = 0; i < state->networks->all->len; i++) {
        const CoreNetwork *network = g_ptr_array_index(state->networks->all, i);

        if (network->live)
            g_ptr_array_add(live, conf_network_copy(network->live));
    }
    g_mutex_unlock(&state->networks->lock);
    for (guint i = 0; i < live->len; i++)
        (void)core_network_read_leases(state, g_ptr_array_index(live, i), mac,
                                       leases, NULL);
    return leases;
}
