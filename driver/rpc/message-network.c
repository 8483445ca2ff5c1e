/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/message-network.h"

#include "rpc/message-table.h"
#include "rpc/message.h"

#define NET(Type) STRUCT(Type, net, &rpc_network)

DEFINE(rpc_network, VirtkvmNetworkRef, STRING(VirtkvmNetworkRef, name),
       PLAIN(VirtkvmNetworkRef, uuid, RPC_UUID));
DEFINE(rpc_one_network, RpcNetwork, NET(RpcNetwork));
DEFINE(rpc_network_flags, RpcNetworkFlags, NET(RpcNetworkFlags),
       INT(RpcNetworkFlags, flags));
DEFINE(rpc_network_int, RpcNetworkInt, NET(RpcNetworkInt),
       INT(RpcNetworkInt, value));
DEFINE(rpc_network_uuid, RpcNetworkUuid, NET(RpcNetworkUuid),
       PLAIN(RpcNetworkUuid, uuid, RPC_UUID));
DEFINE(rpc_network_list, RpcCountedList,
       LIST(RpcCountedList, list, &rpc_network, RPC_NETWORKS_MAX),
       INT(RpcCountedList, count));
DEFINE(rpc_network_list_args, RpcNetworkListArgs, NET(RpcNetworkListArgs),
       INT(RpcNetworkListArgs, need_results), INT(RpcNetworkListArgs, flags));
DEFINE(rpc_network_update_args, RpcNetworkUpdateArgs, NET(RpcNetworkUpdateArgs),
       INT(RpcNetworkUpdateArgs, command), INT(RpcNetworkUpdateArgs, section),
       INT(RpcNetworkUpdateArgs, parent_index),
       STRING(RpcNetworkUpdateArgs, xml), INT(RpcNetworkUpdateArgs, flags));
DEFINE(rpc_network_register_args, RpcNetworkRegisterArgs,
       INT(RpcNetworkRegisterArgs, event),
       { "net", RPC_OPTIONAL_STRUCT, offsetof(RpcNetworkRegisterArgs, net), 0,
         &rpc_network });
DEFINE(rpc_network_event, VirtkvmNetworkEvent,
       STRUCT(VirtkvmNetworkEvent, network, &rpc_network),
       INT(VirtkvmNetworkEvent, event), INT(VirtkvmNetworkEvent, detail));

/* --- leases ----------------------------------------------------------------
 */

DEFINE(rpc_leases_args, RpcLeasesArgs, NET(RpcLeasesArgs),
       OPTIONAL(RpcLeasesArgs, mac), INT(RpcLeasesArgs, need_results),
       INT(RpcLeasesArgs, flags));
DEFINE_OWN(rpc_lease, VirtkvmDhcpLease, STRING(VirtkvmDhcpLease, iface),
           HYPER(VirtkvmDhcpLease, expiry_s), INT(VirtkvmDhcpLease, type),
           OPTIONAL(VirtkvmDhcpLease, mac), OPTIONAL(VirtkvmDhcpLease, iaid),
           STRING(VirtkvmDhcpLease, address), INT(VirtkvmDhcpLease, prefix),
           OPTIONAL(VirtkvmDhcpLease, hostname),
           OPTIONAL(VirtkvmDhcpLease, client_id));
DEFINE(rpc_leases, RpcCountedList,
       LIST(RpcCountedList, list, &rpc_lease, RPC_LEASES_MAX),
       INT(RpcCountedList, count));
