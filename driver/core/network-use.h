/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/bandwidth.h"
#include "core/state.h"

/** What an interface with <source network=''> connects to. */
typedef struct CoreNetworkUse {
    bool user_mode;          /* there is no bridge: user mode in its place */
    char *bridge;            /* NULL with user_mode */
    unsigned mtu;            /* 0: the kernel's own */
    ConfBandwidth bandwidth; /* the portgroup's, for an interface without */
} CoreNetworkUse;

void core_network_use_clear(CoreNetworkUse *use);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CoreNetworkUse, core_network_use_clear)

/**
 * core_network_use: look a network up for an interface
 * @portgroup: NULL: the network's default one, if it has
 * @error: NO_NETWORK; OPERATION_INVALID "network 'x' is not active"
 * Thread: any; takes the networks' lock for a moment
 */
bool core_network_use(VirtkvmState *state, const char *name,
                      const char *portgroup, CoreNetworkUse *ret_use,
                      GError **error);

/** core_network_bridge: the bridge and mtu alone; *@ret_bridge NULL: user mode
 */
bool core_network_bridge(VirtkvmState *state, const char *name,
                         char **ret_bridge, unsigned *ret_mtu, GError **error);

/**
 * core_network_leases: the addresses that an interface has from any network
 * Returns: array of VirtkvmDhcpLease; empty if there is none
 */
GArray *core_network_leases(VirtkvmState *state, const char *mac);
