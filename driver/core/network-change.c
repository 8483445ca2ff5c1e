/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <unistd.h>

#include "conf/domain.h"
#include "core/api.h"
#include "core/calls.h"
#include "core/network.h"
#include "util/error.h"
#include "util/i18n.h"

/* The network with the name and uuid of @conf, or NULL for a new one. */
static bool
check_identity(VirtkvmState *state, const ConfNetwork *conf,
               CoreNetwork **ret_network, GError **error)
{
    CoreNetwork *same_uuid = core_network_by_uuid(state, conf->uuid);
    CoreNetwork *same_name = core_network_by_name(state, conf->name);
    char text[VIR_UUID_STRING_BUFLEN];

    if (same_uuid && same_uuid != same_name) {
        conf_uuid_format(conf->uuid, text);
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("network '%s' is already defined with uuid %s"),
                  same_uuid->name, text);
        return false;
    }
    if (same_name && !same_uuid) {
        conf_uuid_format(same_name->uuid, text);
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("network '%s' already exists with uuid %s"), conf->name,
                  text);
        return false;
    }
    *ret_network = same_uuid;
    return true;
}

static CoreNetwork *
add(VirtkvmState *state, const ConfNetwork *conf)
{
    CoreNetwork *network;

    g_mutex_lock(&state->networks->lock);
    network = core_network_add(state, conf);
    g_mutex_unlock(&state->networks->lock);
    return network;
}

/* --- define and create --------------------------------------------------- */

static bool
define(VirtkvmState *state, ConfNetwork **conf, VirtkvmNetworkRef *ret_network,
       GError **error)
{
    CoreNetwork *network;

    if (!check_identity(state, *conf, &network, error) ||
        !core_network_name_bridge(state, *conf, error) ||
        !core_network_save(state, *conf, error))
        return false;
    if (!network)
        network = add(state, *conf);
    core_network_set_config(state, network, g_steal_pointer(conf));
    core_network_event(state, network, VIR_NETWORK_EVENT_DEFINED);
    core_network_to_ref(network, ret_network);
    return true;
}

static bool
create(VirtkvmState *state, ConfNetwork **conf, VirtkvmNetworkRef *ret_network,
       GError **error)
{
    CoreNetwork *network;
    bool started;

    if (!check_identity(state, *conf, &network, error))
        return false;
    if (network && core_network_active(network)) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("network is already active as '%s'"), network->name);
        return false;
    }
    if (!network)
        network = add(state, *conf);
    started = core_network_start(state, network, g_steal_pointer(conf), error);
    if (started)
        core_network_to_ref(network, ret_network);
    core_network_retire(state, network);
    return started;
}

/** What becomes of a document, with `change` held; @conf is kept where it
 * succeeds. */
typedef bool (*Take)(VirtkvmState *state, ConfNetwork **conf,
                     VirtkvmNetworkRef *ret_network, GError **error);

/* @validate: the only flag that the call knows */
static bool
take(VirtkvmState *state, Take fn, const char *xml, unsigned flags,
     unsigned validate, VirtkvmNetworkRef *ret_network, GError **error)
{
    unsigned how =
        CONF_PARSE_INACTIVE | (flags & validate ? CONF_PARSE_VALIDATE : 0);
    g_autoptr(ConfNetwork) conf = conf_network_parse(xml, how, error);
    bool taken;

    if (!conf)
        return false;
    g_mutex_lock(&state->networks->change);
    taken = fn(state, &conf, ret_network, error);
    g_mutex_unlock(&state->networks->change);
    return taken;
}

bool
core_call_network_define(VirtkvmState *state, const VirtkvmCaller *who,
                         const char *xml, unsigned flags,
                         VirtkvmNetworkRef *ret_network, GError **error)
{
    return core_api_check_flags(flags, VIR_NETWORK_DEFINE_VALIDATE,
                                "networkDefineXMLFlags", error) &&
           take(state, define, xml, flags, VIR_NETWORK_DEFINE_VALIDATE,
                ret_network, error);
}

bool
core_call_network_create_xml(VirtkvmState *state, const VirtkvmCaller *who,
                             const char *xml, unsigned flags,
                             VirtkvmNetworkRef *ret_network, GError **error)
{
    return core_api_check_flags(flags, VIR_NETWORK_CREATE_VALIDATE,
                                "networkCreateXMLFlags", error) &&
           take(state, create, xml, flags, VIR_NETWORK_CREATE_VALIDATE,
                ret_network, error);
}

/* --- changes of one network ---------------------------------------------- */

/** One operation on a network that exists, with `change` held. */
typedef bool (*Change)(VirtkvmState *state, CoreNetwork *network,
                       const void *data, GError **error);

static bool
run_change(VirtkvmState *state, const VirtkvmNetworkRef *net, Change change,
           const void *data, GError **error)
{
    CoreNetwork *network;
    bool done;

    g_mutex_lock(&state->networks->change);
    network = core_network_find(state, net, error);
    done = network && change(state, network, data, error);
    g_mutex_unlock(&state->networks->change);
    return done;
}

static bool
start(VirtkvmState *state, CoreNetwork *network, const void *data,
      GError **error)
{
    if (core_network_active(network)) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("network is already active"));
        return false;
    }
    return core_network_start(state, network,
                              conf_network_copy(network->config), error);
}

bool
core_call_network_create(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmNetworkRef *net, GError **error)
{
    return run_change(state, net, start, NULL, error);
}

static bool
need_active(const CoreNetwork *network, GError **error)
{
    if (core_network_active(network))
        return true;
    error_set(error, VIR_ERR_OPERATION_INVALID, _("network '%s' is not active"),
              network->name);
    return false;
}

static bool
destroy(VirtkvmState *state, CoreNetwork *network, const void *data,
        GError **error)
{
    if (!need_active(network, error))
        return false;
    core_network_stop(state, network);
    return true;
}

bool
core_call_network_destroy(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmNetworkRef *net, GError **error)
{
    return run_change(state, net, destroy, NULL, error);
}

/* An active network becomes a transient one. */
static bool
undefine(VirtkvmState *state, CoreNetwork *network, const void *data,
         GError **error)
{
    g_autofree char *leases = core_network_lease_path(state, network->name);

    if (!network->config) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("can't undefine transient network"));
        return false;
    }
    if (!core_network_remove_files(state, network->name, error))
        return false;
    if (!core_network_active(network))
        (void)unlink(leases);
    core_network_set_autostart(state, network, false);
    core_network_set_config(state, network, NULL);
    core_network_event(state, network, VIR_NETWORK_EVENT_UNDEFINED);
    core_network_retire(state, network);
    return true;
}

bool
core_call_network_undefine(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmNetworkRef *net, GError **error)
{
    return run_change(state, net, undefine, NULL, error);
}

static bool
set_autostart(VirtkvmState *state, CoreNetwork *network, const void *data,
              GError **error)
{
    const bool *autostart = data;

    if (!network->config) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("cannot set autostart for transient network"));
        return false;
    }
    if (!core_network_mark(state, network->name, *autostart, error))
        return false;
    core_network_set_autostart(state, network, *autostart);
    return true;
}

bool
core_call_network_set_autostart(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmNetworkRef *net, bool autostart,
                                GError **error)
{
    return run_change(state, net, set_autostart, &autostart, error);
}

/* --- update -------------------------------------------------------------- */

static bool
update_config(VirtkvmState *state, CoreNetwork *network, ConfNetwork **conf,
              GError **error)
{
    if (!core_network_save(state, *conf, error))
        return false;
    core_network_set_config(state, network, g_steal_pointer(conf));
    return true;
}

static bool
update_live(VirtkvmState *state, CoreNetwork *network, ConfNetwork **conf,
            GError **error)
{
    if (network->run &&
        !state->profile->networks->update(network->run, *conf, error))
        return false;
    if (!core_network_save_status(state, *conf, error))
        return false;
    core_network_set_live(state, network, g_steal_pointer(conf));
    return true;
}

/* A changed copy of @conf; NULL: it cannot be. */
static ConfNetwork *
changed(const ConfNetwork *conf, const VirtkvmNetworkUpdate *update,
        GError **error)
{
    g_autoptr(ConfNetwork) copy = conf_network_copy(conf);
    ConfNetworkUpdate wanted = { .command = update->command,
                                 .section = update->section,
                                 .parent = update->parent_index,
                                 .xml = update->xml };

    return conf_network_update(copy, &wanted, error) ? g_steal_pointer(&copy)
                                                     : NULL;
}

static bool
choose(const CoreNetwork *network, unsigned flags, unsigned *ret_flags,
       GError **error)
{
    if (!flags)
        flags = core_network_active(network) ? VIR_NETWORK_UPDATE_AFFECT_LIVE
                                             : VIR_NETWORK_UPDATE_AFFECT_CONFIG;
    if ((flags & VIR_NETWORK_UPDATE_AFFECT_LIVE) &&
        !core_network_active(network)) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("network is not running"));
        return false;
    }
    if ((flags & VIR_NETWORK_UPDATE_AFFECT_CONFIG) && !network->config) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("cannot change persistent config of a transient network"));
        return false;
    }
    *ret_flags = flags;
    return true;
}

/* Both definitions are changed, or none of them: what can be refused is refused
 * before the first is kept. */
static bool
update(VirtkvmState *state, CoreNetwork *network, const void *data,
       GError **error)
{
    const VirtkvmNetworkUpdate *wanted = data;
    g_autoptr(ConfNetwork) config = NULL, live = NULL;
    unsigned flags;

    if (!choose(network, wanted->flags, &flags, error))
        return false;
    if (flags & VIR_NETWORK_UPDATE_AFFECT_CONFIG) {
        config = changed(network->config, wanted, error);
        if (!config)
            return false;
    }
    if (flags & VIR_NETWORK_UPDATE_AFFECT_LIVE) {
        live = changed(network->live, wanted, error);
        if (!live || !update_live(state, network, &live, error))
            return false;
    }
    return !config || update_config(state, network, &config, error);
}

bool
core_call_network_update(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmNetworkRef *net,
                         const VirtkvmNetworkUpdate *wanted, GError **error)
{
    return core_api_check_flags(wanted->flags,
                                VIR_NETWORK_UPDATE_AFFECT_LIVE |
                                    VIR_NETWORK_UPDATE_AFFECT_CONFIG,
                                "networkUpdate", error) &&
           run_change(state, net, update, wanted, error);
}
