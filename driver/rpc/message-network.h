/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>
#include <virtkvm/driver.h>

#include "rpc/xdr.h"

/** Messages about networks; see message.h. */

/** libvirt's bounds of lists. */
#define RPC_NETWORKS_MAX 16384
#define RPC_PORTS_MAX    16384
#define RPC_LEASES_MAX   65536

typedef struct RpcNetwork {
    VirtkvmNetworkRef net;
} RpcNetwork;

typedef struct RpcNetworkFlags {
    VirtkvmNetworkRef net;
    uint32_t flags;
} RpcNetworkFlags;

typedef struct RpcNetworkInt {
    VirtkvmNetworkRef net;
    int32_t value;
} RpcNetworkInt;

typedef struct RpcNetworkUpdateArgs {
    VirtkvmNetworkRef net;
    uint32_t command;
    uint32_t section;
    int32_t parent_index;
    char *xml;
    uint32_t flags;
} RpcNetworkUpdateArgs;

typedef struct RpcNetworkRegisterArgs {
    int32_t event;
    VirtkvmNetworkRef *net;
} RpcNetworkRegisterArgs;

typedef struct RpcLeasesArgs {
    VirtkvmNetworkRef net;
    char *mac;
    int32_t need_results;
    uint32_t flags;
} RpcLeasesArgs;

typedef struct RpcNetworkListArgs {
    VirtkvmNetworkRef net;
    int32_t need_results;
    uint32_t flags;
} RpcNetworkListArgs;

typedef struct RpcNetworkUuid {
    VirtkvmNetworkRef net;
    unsigned char uuid[VIR_UUID_BUFLEN];
} RpcNetworkUuid;

extern const RpcMessage rpc_leases; /* RpcCountedList of VirtkvmDhcpLease */
extern const RpcMessage rpc_leases_args;
extern const RpcMessage rpc_network;       /* VirtkvmNetworkRef */
extern const RpcMessage rpc_network_event; /* VirtkvmNetworkEvent */
extern const RpcMessage rpc_network_flags;
extern const RpcMessage rpc_network_int;
extern const RpcMessage rpc_network_list; /* RpcCountedList */
extern const RpcMessage rpc_network_list_args;
extern const RpcMessage rpc_network_register_args;
extern const RpcMessage rpc_network_update_args;
extern const RpcMessage rpc_network_uuid;
extern const RpcMessage rpc_one_network; /* RpcNetwork */
