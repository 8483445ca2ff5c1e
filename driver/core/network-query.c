/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "core/api.h"
#include "core/calls.h"
#include "core/network-lease.h"
#include "core/network.h"
#include "util/error.h"
#include "util/i18n.h"

static void
ref_clear(gpointer data)
{
    VirtkvmNetworkRef *ref = data;

    g_free(ref->name);
}

/* A network is there for clients once it is persistent or active. */
static bool
exists(const CoreNetwork *network)
{
    return network->config || network->live;
}

/* --- lists ---------------------------------------------------------------- */

#define ACTIVE_FLAGS \
    (VIR_CONNECT_LIST_NETWORKS_ACTIVE | VIR_CONNECT_LIST_NETWORKS_INACTIVE)
#define PERSISTENT_FLAGS \
    (VIR_CONNECT_LIST_NETWORKS_PERSISTENT | VIR_CONNECT_LIST_NETWORKS_TRANSIENT)
#define AUTOSTART_FLAGS                    \
    (VIR_CONNECT_LIST_NETWORKS_AUTOSTART | \
     VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART)

static bool
matches(const CoreNetwork *network, unsigned flags)
{
    unsigned has =
        (network->live ? VIR_CONNECT_LIST_NETWORKS_ACTIVE
                       : VIR_CONNECT_LIST_NETWORKS_INACTIVE) |
        (network->config ? VIR_CONNECT_LIST_NETWORKS_PERSISTENT
                         : VIR_CONNECT_LIST_NETWORKS_TRANSIENT) |
        (network->autostart ? VIR_CONNECT_LIST_NETWORKS_AUTOSTART
                            : VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART);
    static const unsigned groups[] = { ACTIVE_FLAGS, PERSISTENT_FLAGS,
                                       AUTOSTART_FLAGS };

    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        if ((flags & groups[i]) && !(flags & groups[i] & has))
            return false;
    }
    return exists(network);
}

static bool
network_list(VirtkvmState *state, const VirtkvmCaller *who, unsigned flags,
             GArray **ret_networks, GError **error)
{
    CoreNetworks *networks = state->networks;
    GArray *found;

    if (!core_api_check_flags(flags,
                              ACTIVE_FLAGS | PERSISTENT_FLAGS | AUTOSTART_FLAGS,
                              "connectListAllNetworks", error))
        return false;
    found = g_array_new(FALSE, FALSE, sizeof(VirtkvmNetworkRef));
    g_array_set_clear_func(found, ref_clear);
    g_mutex_lock(&networks->lock);
    for (guint i = 0; i < networks->all->len; i++) {
        const CoreNetwork *network = g_ptr_array_index(networks->all, i);
        VirtkvmNetworkRef ref;

        if (!matches(network, flags))
            continue;
        core_network_to_ref(network, &ref);
        g_array_append_val(found, ref);
    }
    g_mutex_unlock(&networks->lock);
    *ret_networks = found;
    return true;
}

/* @network: with `lock` held, which is released; NULL: there is none */
static bool
answer_unlock(VirtkvmState *state, const CoreNetwork *network,
              VirtkvmNetworkRef *ret_network)
{
    bool found = network && exists(network);

    if (found)
        core_network_to_ref(network, ret_network);
    g_mutex_unlock(&state->networks->lock);
    return found;
}

static bool
network_lookup_uuid(VirtkvmState *state, const VirtkvmCaller *who,
                    const unsigned char *uuid, VirtkvmNetworkRef *ret_network,
                    GError **error)
{
    char text[VIR_UUID_STRING_BUFLEN];

    g_mutex_lock(&state->networks->lock);
    if (answer_unlock(state, core_network_by_uuid(state, uuid), ret_network))
        return true;
    conf_uuid_format(uuid, text);
    error_set(error, VIR_ERR_NO_NETWORK,
              _("no network with matching uuid '%s'"), text);
    return false;
}

static bool
network_lookup_name(VirtkvmState *state, const VirtkvmCaller *who,
                    const char *name, VirtkvmNetworkRef *ret_network,
                    GError **error)
{
    g_mutex_lock(&state->networks->lock);
    if (answer_unlock(state, core_network_by_name(state, name), ret_network))
        return true;
    error_set(error, VIR_ERR_NO_NETWORK,
              _("no network with matching name '%s'"), name);
    return false;
}

/* --- questions about one network ------------------------------------------ */

/** The middle of a question, with `lock` held. */
typedef bool (*Ask)(const CoreNetwork *network, void *data, GError **error);

static bool
ask(VirtkvmState *state, const VirtkvmNetworkRef *net, Ask question, void *data,
    GError **error)
{
    const CoreNetwork *network;
    bool answered;

    g_mutex_lock(&state->networks->lock);
    network = core_network_find(state, net, error);
    answered = network && question(network, data, error);
    g_mutex_unlock(&state->networks->lock);
    return answered;
}

typedef struct XmlQuestion {
    unsigned flags;
    char *xml;
} XmlQuestion;

static bool
ask_xml(const CoreNetwork *network, void *data, GError **error)
{
    XmlQuestion *question = data;
    bool inactive = question->flags & VIR_NETWORK_XML_INACTIVE;
    const ConfNetwork *conf = inactive && network->config
                                  ? network->config
                                  : core_network_def(network);

    question->xml =
        conf_network_format(conf, inactive ? CONF_FORMAT_INACTIVE : 0);
    return true;
}

static char *
network_xml(VirtkvmState *state, const VirtkvmCaller *who,
            const VirtkvmNetworkRef *net, unsigned flags, GError **error)
{
    XmlQuestion question = { .flags = flags };

    if (!core_api_check_flags(flags, VIR_NETWORK_XML_INACTIVE,
                              "networkGetXMLDesc", error) ||
        !ask(state, net, ask_xml, &question, error))
        return NULL;
    return question.xml;
}

static bool
ask_bridge(const CoreNetwork *network, void *data, GError **error)
{
    const ConfNetwork *conf = core_network_def(network);
    char **name = data;

    if (!conf->bridge.name) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("network '%s' does not have a bridge name."),
                  network->name);
        return false;
    }
    *name = g_strdup(conf->bridge.name);
    return true;
}

static char *
network_bridge(VirtkvmState *state, const VirtkvmCaller *who,
               const VirtkvmNetworkRef *net, GError **error)
{
    char *name = NULL;

    return ask(state, net, ask_bridge, &name, error) ? name : NULL;
}

static bool
ask_autostart(const CoreNetwork *network, void *data, GError **error)
{
    *(bool *)data = network->autostart;
    return true;
}

static bool
network_autostart(VirtkvmState *state, const VirtkvmCaller *who,
                  const VirtkvmNetworkRef *net, bool *ret_autostart,
                  GError **error)
{
    return ask(state, net, ask_autostart, ret_autostart, error);
}

static bool
ask_active(const CoreNetwork *network, void *data, GError **error)
{
    *(int *)data = network->live != NULL;
    return true;
}

static bool
ask_persistent(const CoreNetwork *network, void *data, GError **error)
{
    *(int *)data = network->config != NULL;
    return true;
}

/* Returns: 1 or 0; -1: no such network */
static int
yes_or_no(VirtkvmState *state, const VirtkvmNetworkRef *net, Ask question,
          GError **error)
{
    int answer = 0;

    return ask(state, net, question, &answer, error) ? answer : -1;
}

static int
network_is_active(VirtkvmState *state, const VirtkvmCaller *who,
                  const VirtkvmNetworkRef *net, GError **error)
{
    return yes_or_no(state, net, ask_active, error);
}

static int
network_is_persistent(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmNetworkRef *net, GError **error)
{
    return yes_or_no(state, net, ask_persistent, error);
}

/* --- leases ----------------------------------------------------------------
 */

static bool
ask_conf(const CoreNetwork *network, void *data, GError **error)
{
    *(ConfNetwork **)data = conf_network_copy(core_network_def(network));
    return true;
}

static bool
network_leases(VirtkvmState *state, const VirtkvmCaller *who,
               const VirtkvmNetworkRef *net, const char *mac, unsigned flags,
               GArray **ret_leases, GError **error)
{
    g_autoptr(ConfNetwork) conf = NULL;

    if (!core_api_check_flags(flags, 0, "networkGetDHCPLeases", error) ||
        !ask(state, net, ask_conf, &conf, error))
        return false;
    *ret_leases = core_network_lease_array();
    return core_network_read_leases(state, conf, mac, *ret_leases, error);
}

/* --- the table --------------------------------------------------------------
 */

const VirtkvmNetworkDriver core_network_driver = {
    .connectListAllNetworks = network_list,
    .networkLookupByUUID = network_lookup_uuid,
    .networkLookupByName = network_lookup_name,
    .networkDefineXMLFlags = core_call_network_define,
    .networkCreateXMLFlags = core_call_network_create_xml,
    .networkCreate = core_call_network_create,
    .networkDestroy = core_call_network_destroy,
    .networkUndefine = core_call_network_undefine,
    .networkUpdate = core_call_network_update,
    .networkGetXMLDesc = network_xml,
    .networkGetBridgeName = network_bridge,
    .networkGetAutostart = network_autostart,
    .networkSetAutostart = core_call_network_set_autostart,
    .networkIsActive = network_is_active,
    .networkIsPersistent = network_is_persistent,
    .networkGetDHCPLeases = network_leases,
};
