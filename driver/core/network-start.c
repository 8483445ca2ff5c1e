/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <unistd.h>

#include "core/network.h"
#include "util/error.h"
#include "util/i18n.h"
#include "util/log.h"

static void
log_warnings(const ConfNetwork *conf, const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        log_warning("network '%s': %s", conf->name,
                    (char *)g_ptr_array_index(warnings, i));
}

static bool
check(VirtkvmState *state, ConfNetwork *conf, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);

    if (!conf_network_check_start(conf, warnings, error) ||
        !core_network_name_bridge(state, conf, error))
        return false;
    if (conf->forward.mode == CONF_FORWARD_BRIDGE && !conf->bridge.name) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("<forward mode='bridge'> of network '%s' cannot be "
                    "honoured without <bridge name=''>: name a bridge of the "
                    "host"),
                  conf->name);
        return false;
    }
    log_warnings(conf, warnings);
    return true;
}

/* The status is there before anything is built: whatever becomes of this
 * process, the next one finds what there is. */
static bool
build(VirtkvmState *state, CoreNetwork *network, const ConfNetwork *conf,
      GError **error)
{
    const CoreNetworkOps *ops = state->profile->networks;

    if (!core_network_save_status(state, conf, error))
        return false;
    if (!ops)
        return true;
    if (core_network_user_mode(state)) {
        log_info("network '%s' is active: its interfaces are user-mode ones, "
                 "since only root can build networks",
                 conf->name);
        return true;
    }
    network->run = ops->start(state, conf, error);
    if (!network->run) {
        core_network_remove_status(state, conf->name);
        return false;
    }
    if (state->host->hold)
        state->host->hold(state->host, 1);
    return true;
}

bool
core_network_start(VirtkvmState *state, CoreNetwork *network, ConfNetwork *conf,
                   GError **error)
{
    g_autoptr(ConfNetwork) live = conf;

    if (!check(state, live, error))
        return false;
    conf_network_assign_live(live);
    if (!build(state, network, live, error))
        return false;
    core_network_set_live(state, network, g_steal_pointer(&live));
    core_network_event(state, network, VIR_NETWORK_EVENT_STARTED);
    return true;
}

void
core_network_stop(VirtkvmState *state, CoreNetwork *network)
{
    g_autofree char *leases = core_network_lease_path(state, network->name);

    if (network->run) {
        state->profile->networks->stop(network->run);
        network->run = NULL;
        if (state->host->hold)
            state->host->hold(state->host, -1);
    }
    core_network_remove_status(state, network->name);
    if (!network->config)
        (void)unlink(leases);
    core_network_set_live(state, network, NULL);
    core_network_event(state, network, VIR_NETWORK_EVENT_STOPPED);
    core_network_retire(state, network);
}
