/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/network.h"

#include <net/if.h>
#include <string.h>

#include "conf/domain.h"
#include "conf/inet.h"
#include "util/error.h"
#include "util/i18n.h"

/* Numbers that are tried for a bridge. */
#define BRIDGES_MAX 256

static void
network_free(gpointer data)
{
    CoreNetwork *network = data;

    conf_network_free(network->config);
    conf_network_free(network->live);
    g_free(network->name);
    g_free(network);
}

CoreNetworks *
core_networks_new(VirtkvmState *state)
{
    CoreNetworks *networks = g_new0(CoreNetworks, 1);
    const VirtkvmHost *host = state->host;

    g_mutex_init(&networks->change);
    g_mutex_init(&networks->lock);
    networks->all = g_ptr_array_new_with_free_func(network_free);
    networks->config_dir =
        g_build_filename(state->config_dir, "networks", NULL);
    networks->autostart_dir =
        g_build_filename(networks->config_dir, "autostart", NULL);
    networks->status_dir = g_build_filename(state->run_dir, "networks", NULL);
    networks->run_dir = g_build_filename(state->run_dir, "dnsmasq", NULL);
    networks->lease_dir =
        g_build_filename(host->lib_dir, state->profile->name, "dnsmasq", NULL);
    return networks;
}

void
core_networks_free(VirtkvmState *state)
{
    CoreNetworks *networks = state->networks;

    for (guint i = 0; i < networks->all->len; i++) {
        CoreNetwork *network = g_ptr_array_index(networks->all, i);

        if (network->run)
            state->profile->networks->detach(network->run);
    }
    g_ptr_array_unref(networks->all);
    g_mutex_clear(&networks->change);
    g_mutex_clear(&networks->lock);
    g_free(networks->config_dir);
    g_free(networks->autostart_dir);
    g_free(networks->status_dir);
    g_free(networks->run_dir);
    g_free(networks->lease_dir);
    g_free(networks);
}

void
core_network_to_ref(const CoreNetwork *network, VirtkvmNetworkRef *ret_network)
{
    ret_network->name = g_strdup(network->name);
    memcpy(ret_network->uuid, network->uuid, VIR_UUID_BUFLEN);
}

CoreNetwork *
core_network_by_name(VirtkvmState *state, const char *name)
{
    GPtrArray *all = state->networks->all;

    for (guint i = 0; i < all->len; i++) {
        CoreNetwork *network = g_ptr_array_index(all, i);

        if (strcmp(network->name, name) == 0)
            return network;
    }
    return NULL;
}

CoreNetwork *
core_network_by_uuid(VirtkvmState *state, const unsigned char *uuid)
{
    GPtrArray *all = state->networks->all;

    for (guint i = 0; i < all->len; i++) {
        CoreNetwork *network = g_ptr_array_index(all, i);

        if (memcmp(network->uuid, uuid, VIR_UUID_BUFLEN) == 0)
            return network;
    }
    return NULL;
}

CoreNetwork *
core_network_find(VirtkvmState *state, const VirtkvmNetworkRef *net,
                  GError **error)
{
    CoreNetwork *network = core_network_by_uuid(state, net->uuid);
    char text[VIR_UUID_STRING_BUFLEN];

    /* one that is just being created is not there yet */
    if (network && core_network_def(network))
        return network;
    conf_uuid_format(net->uuid, text);
    error_set(error, VIR_ERR_NO_NETWORK,
              _("no network with matching uuid '%s' (%s)"), text, net->name);
    return NULL;
}

CoreNetwork *
core_network_add(VirtkvmState *state, const ConfNetwork *conf)
{
    CoreNetwork *network = g_new0(CoreNetwork, 1);

    memcpy(network->uuid, conf->uuid, VIR_UUID_BUFLEN);
    network->name = g_strdup(conf->name);
    g_ptr_array_add(state->networks->all, network);
    return network;
}

void
core_network_retire(VirtkvmState *state, CoreNetwork *network)
{
    g_mutex_lock(&state->networks->lock);
    if (!network->config && !network->live)
        g_ptr_array_remove(state->networks->all, network);
    g_mutex_unlock(&state->networks->lock);
}

static void
set_definition(VirtkvmState *state, ConfNetwork **member, ConfNetwork *conf)
{
    ConfNetwork *old = *member;

    g_mutex_lock(&state->networks->lock);
    *member = conf;
    g_mutex_unlock(&state->networks->lock);
    conf_network_free(old);
}

void
core_network_set_config(VirtkvmState *state, CoreNetwork *network,
                        ConfNetwork *conf)
{
    set_definition(state, &network->config, conf);
}

void
core_network_set_live(VirtkvmState *state, CoreNetwork *network,
                      ConfNetwork *conf)
{
    set_definition(state, &network->live, conf);
}

void
core_network_set_autostart(VirtkvmState *state, CoreNetwork *network,
                           bool autostart)
{
    g_mutex_lock(&state->networks->lock);
    network->autostart = autostart;
    g_mutex_unlock(&state->networks->lock);
}

void
core_network_event(VirtkvmState *state, const CoreNetwork *network, int event)
{
    const VirtkvmHost *host = state->host;
    VirtkvmNetworkEvent message = { .network.name = network->name,
                                    .event = event };

    if (!host->network_event)
        return;
    memcpy(message.network.uuid, network->uuid, VIR_UUID_BUFLEN);
    host->network_event(host, &message);
}

bool
core_network_user_mode(const VirtkvmState *state)
{
    return state->profile->networks && !state->host->privileged;
}

/* --- names of bridges ---------------------------------------------------- */

static bool
has_bridge(const ConfNetwork *conf, const char *name)
{
    return conf && conf_network_owns_bridge(conf) &&
           g_strcmp0(conf->bridge.name, name) == 0;
}

/* Does a network other than @conf have it? */
static bool
is_used(VirtkvmState *state, const ConfNetwork *conf, const char *name)
{
    GPtrArray *all = state->networks->all;

    for (guint i = 0; i < all->len; i++) {
        const CoreNetwork *network = g_ptr_array_index(all, i);

        if (memcmp(network->uuid, conf->uuid, VIR_UUID_BUFLEN) != 0 &&
            (has_bridge(network->config, name) ||
             has_bridge(network->live, name)))
            return true;
    }
    return false;
}

static char *
unused_name(VirtkvmState *state, const ConfNetwork *conf, const char *pattern)
{
    g_auto(GStrv) parts = g_strsplit(pattern, "%d", 2);

    for (int i = 0; i < BRIDGES_MAX; i++) {
        g_autofree char *name =
            g_strdup_printf("%s%d%s", parts[0], i, parts[1]);

        if (conf_ifname_valid(name) && !is_used(state, conf, name) &&
            !if_nametoindex(name))
            return g_steal_pointer(&name);
    }
    return NULL;
}

bool
core_network_name_bridge(VirtkvmState *state, ConfNetwork *conf, GError **error)
{
    const char *given = conf->bridge.name;
    g_autofree char *name = NULL;

    if (!conf_network_owns_bridge(conf))
        return true;
    if (given && !strchr(given, '%')) {
        if (!is_used(state, conf, given))
            return true;
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("bridge name '%s' already in use."), given);
        return false;
    }
    if (!given || strstr(given, "%d"))
        name = unused_name(state, conf, given ? given : "virbr%d");
    if (!name) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("Bridge generation exceeded max id %d"), BRIDGES_MAX);
        return false;
    }
    g_free(conf->bridge.name);
    conf->bridge.name = g_steal_pointer(&name);
    return true;
}
