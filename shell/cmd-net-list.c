/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/network.h"
#include "shell/table.h"
#include "util/i18n.h"

static const VshFlagBits filters[] = {
    { "persistent", VIR_CONNECT_LIST_NETWORKS_PERSISTENT },
    { "transient", VIR_CONNECT_LIST_NETWORKS_TRANSIENT },
    { "autostart", VIR_CONNECT_LIST_NETWORKS_AUTOSTART },
    { "no-autostart", VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART },
    { NULL },
};

static unsigned
filter_wanted(const VshArgs *args)
{
    unsigned filter = VIR_CONNECT_LIST_NETWORKS_ACTIVE;

    if (vsh_args_given(args, "inactive"))
        filter = VIR_CONNECT_LIST_NETWORKS_INACTIVE;
    if (vsh_args_given(args, "all"))
        filter = VIR_CONNECT_LIST_NETWORKS_ACTIVE |
                 VIR_CONNECT_LIST_NETWORKS_INACTIVE;
    return filter | vsh_args_bits(args, filters);
}

static void
add_yes_no(VshTable *table, int yes)
{
    vsh_table_add(table, yes > 0 ? _("yes") : _("no"), json_boolean(yes > 0));
}

static void
add_autostart(VshTable *table, virNetworkPtr network)
{
    int autostart = 0;

    if (virNetworkGetAutostart(network, &autostart) < 0)
        vsh_table_add(table, _("no autostart"), json_null());
    else
        add_yes_no(table, autostart);
}

static void
print_table(VshShell *shell, GPtrArray *networks)
{
    const VshColumn columns[] = { { "name", _("Name") },
                                  { "uuid", NULL },
                                  { "state", _("State") },
                                  { "autostart", _("Autostart") },
                                  { "persistent", _("Persistent") } };
    g_autoptr(VshTable) table = vsh_table_new(columns, G_N_ELEMENTS(columns));

    for (guint i = 0; i < networks->len; i++) {
        virNetworkPtr network = networks->pdata[i];
        char uuid[VIR_UUID_STRING_BUFLEN] = "";
        bool active = virNetworkIsActive(network) > 0;

        virNetworkGetUUIDString(network, uuid);
        vsh_table_add(table, virNetworkGetName(network), NULL);
        vsh_table_add(table, uuid, NULL);
        vsh_table_add_colored(table, active ? _("active") : _("inactive"),
                              active ? VSH_COLOR_GOOD : VSH_COLOR_DIM);
        add_autostart(table, network);
        add_yes_no(table, virNetworkIsPersistent(network));
    }
    vsh_table_print(table, &shell->out);
}

static void
print_plain(VshShell *shell, GPtrArray *networks, bool uuids)
{
    for (guint i = 0; i < networks->len; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        virNetworkGetUUIDString(networks->pdata[i], uuid);
        vsh_print(&shell->out, "%s\n",
                  uuids ? uuid : virNetworkGetName(networks->pdata[i]));
    }
}

static bool
run_net_list(VshShell *shell, const VshArgs *args, GError **error)
{
    bool plain =
        (vsh_args_given(args, "name") || vsh_args_given(args, "uuid")) &&
        shell->out.format == VSH_FORMAT_TABLE;
    g_autoptr(GPtrArray) networks = NULL;

    if (vsh_args_given(args, "table") + vsh_args_given(args, "name") +
            vsh_args_given(args, "uuid") >
        1) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("Only one argument from --table, --name and --uuid "
                        "may be specified."));
        return false;
    }
    networks = vsh_network_list(shell, filter_wanted(args), error);
    if (!networks)
        return false;
    if (plain)
        print_plain(shell, networks, vsh_args_given(args, "uuid"));
    else
        print_table(shell, networks);
    return true;
}

static const VshOption list_options[] = {
    VSH_FLAG("inactive", N_("list inactive networks")),
    VSH_FLAG("all", N_("list inactive & active networks")),
    VSH_FLAG("persistent", N_("list persistent networks")),
    VSH_FLAG("transient", N_("list transient networks")),
    VSH_FLAG("autostart", N_("list networks with autostart enabled")),
    VSH_FLAG("no-autostart", N_("list networks with autostart disabled")),
    VSH_FLAG("uuid", N_("list uuid's only")),
    VSH_FLAG("name", N_("list network names only")),
    VSH_FLAG("table", N_("list table (default)")),
    { NULL },
};

static const VshCommand command_net_list = {
    .name = "net-list",
    .group = "network",
    .summary = N_("list networks"),
    .details = N_("Lists the active networks, or those that the options name."),
    .options = list_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_net_list,
};

const VshCommand *const vsh_commands_net_list[] = { &command_net_list, NULL };
