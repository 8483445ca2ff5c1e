/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <libvirt/libvirt.h>

#include "shell/shell.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetwork, virNetworkFree)

/** The option "network" of commands that take one. */
#define VSH_OPTION_NETWORK                                                \
    {                                                                     \
        .name = "network", .kind = VSH_OPTION_STRING,                     \
        .flags = VSH_OPTION_REQUIRED, .help = N_("network name or uuid"), \
        .complete = vsh_complete_network                                  \
    }

/** How a word may name a network. */
typedef enum VshNetworkBy {
    VSH_NETWORK_BY_UUID = 1 << 0,
    VSH_NETWORK_BY_NAME = 1 << 1,
    VSH_NETWORK_BY_ANY = 3,
} VshNetworkBy;

/** vsh_network_list: @flags: virConnectListAllNetworksFlags
 * Returns: virNetworkPtr that the array owns, sorted by name */
GPtrArray *vsh_network_list(VshShell *shell, unsigned flags, GError **error);

/** vsh_network_find: @by: VshNetworkBy; NULL with NOT_FOUND and a hint */
virNetworkPtr vsh_network_find(VshShell *shell, const char *word, unsigned by,
                               GError **error);

/** vsh_network_of: the network that the option "network" names */
virNetworkPtr vsh_network_of(VshShell *shell, const VshArgs *args,
                             GError **error);
