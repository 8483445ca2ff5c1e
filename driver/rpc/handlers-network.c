/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message-network.h"
#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

/* The driver's network operations, if it has @operation. */
#define NETWORK(call, operation)                                         \
    (rpc_call_supported(                                                 \
        call, call->driver->network && call->driver->network->operation, \
        error))

/* --- finding ------------------------------------------------------------- */

/* A driver without networks has none of any name. */
bool
rpc_network_lookup_by_name(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    const RpcString *name = args;

    if (!call->driver->network)
        return rpc_missing_by_name(call, args, ret, error);

    return NETWORK(call, networkLookupByName) &&
           call->driver->network->networkLookupByName(call->state, call->who,
                                                      name->text, ret, error);
}

bool
rpc_network_lookup_by_uuid(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    const RpcUuid *key = args;

    if (!call->driver->network)
        return rpc_missing_by_uuid(call, args, ret, error);
    return NETWORK(call, networkLookupByUUID) &&
           call->driver->network->networkLookupByUUID(call->state, call->who,
                                                      key->uuid, ret, error);
}

/* A driver without networks has an empty list of them. */
static GArray *
list_networks(RpcCall *call, unsigned flags, GError **error)
{
    const VirtkvmNetworkDriver *driver = call->driver->network;
    GArray *networks = NULL;

    if (!driver || !driver->connectListAllNetworks)
        return g_array_new(FALSE, FALSE, sizeof(VirtkvmNetworkRef));
    if (!driver->connectListAllNetworks(call->state, call->who, flags,
                                        &networks, error))
        return NULL;
    return networks;
}

bool
rpc_connect_list_all_networks(RpcCall *call, const void *args, void *ret,
                              GError **error)
{
    const RpcListArgs *wanted = args;
    RpcCountedList *answer = ret;
    g_autoptr(GArray) networks = list_networks(call, wanted->flags, error);
    gsize count = 0;

    if (!networks)
        return false;
    answer->count = networks->len;
    if (wanted->need_results) {
        answer->list.items = g_array_steal(networks, &count);
        answer->list.count = count;
    }
    return true;
}

static bool
count_networks(RpcCall *call, unsigned flags, RpcInt *ret, GError **error)
{
    g_autoptr(GArray) networks = list_networks(call, flags, error);

    if (networks)
        ret->value = (int32_t)networks->len;
    return networks != NULL;
}

bool
rpc_connect_num_of_networks(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    return count_networks(call, VIR_CONNECT_LIST_NETWORKS_ACTIVE, ret, error);
}

bool
rpc_connect_num_of_defined_networks(RpcCall *call, const void *args, void *ret,
                                    GError **error)
{
    return count_networks(call, VIR_CONNECT_LIST_NETWORKS_INACTIVE, ret, error);
}

static bool
list_names(RpcCall *call, unsigned flags, int32_t max, RpcJustList *ret,
           GError **error)
{
    g_autoptr(GArray) networks = NULL;
    RpcString *items;
    guint count;

    if (max < 0 || max > RPC_NETWORKS_MAX) {
        error_set(error, VIR_ERR_RPC,
                  _("a list of %d networks was asked for, the limit is %d"),
                  max, RPC_NETWORKS_MAX);
        return false;
    }
    networks = list_networks(call, flags, error);
    if (!networks)
        return false;
    count = MIN(networks->len, (guint)max);
    items = g_new0(RpcString, count);
    ret->list = (RpcList){ items, count };
    for (guint i = 0; i < count; i++)
        items[i].text =
            g_strdup(g_array_index(networks, VirtkvmNetworkRef, i).name);
    return true;
}

bool
rpc_connect_list_networks(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcInt *max = args;

    return list_names(call, VIR_CONNECT_LIST_NETWORKS_ACTIVE, max->value, ret,
                      error);
}

bool
rpc_connect_list_defined_networks(RpcCall *call, const void *args, void *ret,
                                  GError **error)
{
    const RpcInt *max = args;

    return list_names(call, VIR_CONNECT_LIST_NETWORKS_INACTIVE, max->value, ret,
                      error);
}

/* --- definitions and life ------------------------------------------------ */

static bool
define(RpcCall *call, const char *xml, unsigned flags, RpcNetwork *ret,
       GError **error)
{
    return NETWORK(call, networkDefineXMLFlags) &&
           call->driver->network->networkDefineXMLFlags(
               call->state, call->who, xml, flags, &ret->net, error);
}

bool
rpc_network_define_xml(RpcCall *call, const void *args, void *ret,
                       GError **error)
{
    const RpcString *xml = args;

    return define(call, xml->text, 0, ret, error);
}

bool
rpc_network_define_xml_flags(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcStringFlags *xml = args;

    return define(call, xml->text, xml->flags, ret, error);
}

static bool
create(RpcCall *call, const char *xml, unsigned flags, RpcNetwork *ret,
       GError **error)
{
    return NETWORK(call, networkCreateXMLFlags) &&
           call->driver->network->networkCreateXMLFlags(
               call->state, call->who, xml, flags, &ret->net, error);
}

bool
rpc_network_create_xml(RpcCall *call, const void *args, void *ret,
                       GError **error)
{
    const RpcString *xml = args;

    return create(call, xml->text, 0, ret, error);
}

bool
rpc_network_create_xml_flags(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcStringFlags *xml = args;

    return create(call, xml->text, xml->flags, ret, error);
}

bool
rpc_network_create(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcNetwork *of = args;

    return NETWORK(call, networkCreate) &&
           call->driver->network->networkCreate(call->state, call->who,
                                                &of->net, error);
}

bool
rpc_network_destroy(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcNetwork *of = args;

    return NETWORK(call, networkDestroy) &&
           call->driver->network->networkDestroy(call->state, call->who,
                                                 &of->net, error);
}

bool
rpc_network_undefine(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcNetwork *of = args;

    return NETWORK(call, networkUndefine) &&
           call->driver->network->networkUndefine(call->state, call->who,
                                                  &of->net, error);
}

bool
rpc_network_update(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcNetworkUpdateArgs *wanted = args;
    VirtkvmNetworkUpdate update = { .command = wanted->command,
                                    .section = wanted->section,
                                    .parent_index = wanted->parent_index,
                                    .xml = wanted->xml,
                                    .flags = wanted->flags };

    return NETWORK(call, networkUpdate) &&
           call->driver->network->networkUpdate(call->state, call->who,
                                                &wanted->net, &update, error);
}

bool
rpc_network_set_autostart(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcNetworkInt *to = args;

    return NETWORK(call, networkSetAutostart) &&
           call->driver->network->networkSetAutostart(
               call->state, call->who, &to->net, to->value != 0, error);
}

/* --- questions ----------------------------------------------------------- */

bool
rpc_network_get_xml_desc(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    const RpcNetworkFlags *of = args;
    RpcString *xml = ret;

    if (!NETWORK(call, networkGetXMLDesc))
        return false;
    xml->text = call->driver->network->networkGetXMLDesc(
        call->state, call->who, &of->net, of->flags, error);
    return xml->text != NULL;
}

bool
rpc_network_get_bridge_name(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    const RpcNetwork *of = args;
    RpcString *name = ret;

    if (!NETWORK(call, networkGetBridgeName))
        return false;
    name->text = call->driver->network->networkGetBridgeName(
        call->state, call->who, &of->net, error);
    return name->text != NULL;
}

bool
rpc_network_get_autostart(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcNetwork *of = args;
    RpcInt *answer = ret;
    bool autostart = false;

    if (!NETWORK(call, networkGetAutostart) ||
        !call->driver->network->networkGetAutostart(
            call->state, call->who, &of->net, &autostart, error))
        return false;
    answer->value = autostart;
    return true;
}

bool
rpc_network_is_active(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    const RpcNetwork *of = args;
    RpcInt *answer = ret;

    if (!NETWORK(call, networkIsActive))
        return false;
    answer->value = call->driver->network->networkIsActive(
        call->state, call->who, &of->net, error);
    return answer->value >= 0;
}

bool
rpc_network_is_persistent(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcNetwork *of = args;
    RpcInt *answer = ret;

    if (!NETWORK(call, networkIsPersistent))
        return false;
    answer->value = call->driver->network->networkIsPersistent(
        call->state, call->who, &of->net, error);
    return answer->value >= 0;
}

bool
rpc_network_get_dhcp_leases(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    const RpcLeasesArgs *wanted = args;
    RpcCountedList *answer = ret;
    g_autoptr(GArray) leases = NULL;
    gsize count = 0;

    if (!NETWORK(call, networkGetDHCPLeases) ||
        !call->driver->network->networkGetDHCPLeases(
            call->state, call->who, &wanted->net, wanted->mac, wanted->flags,
            &leases, error))
        return false;
    answer->count = leases->len;
    if (wanted->need_results) {
        answer->list.items = g_array_steal(leases, &count);
        answer->list.count = count;
    }
    return true;
}

/* --- ports: there are none, of networks that exist ------------------------ */

static bool
exists(RpcCall *call, const VirtkvmNetworkRef *net, GError **error)
{
    RpcNetwork found = { 0 };
    bool known = NETWORK(call, networkLookupByUUID) &&
                 call->driver->network->networkLookupByUUID(
                     call->state, call->who, net->uuid, &found.net, error);

    rpc_message_clear(&rpc_one_network, &found);
    return known;
}

bool
rpc_network_list_all_ports(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    const RpcNetworkListArgs *of = args;

    return exists(call, &of->net, error);
}

bool
rpc_network_port_lookup_by_uuid(RpcCall *call, const void *args, void *ret,
                                GError **error)
{
    const RpcNetworkUuid *of = args;

    if (exists(call, &of->net, error))
        error_set(error, VIR_ERR_NO_NETWORK_PORT, "%s",
                  _("the network has no ports"));
    return false;
}
