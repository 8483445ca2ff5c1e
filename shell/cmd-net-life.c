/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/network.h"
#include "util/i18n.h"

static bool
run_net_start(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    const char *name = network ? virNetworkGetName(network) : NULL;

    if (!network)
        return false;
    if (virNetworkCreate(network) < 0) {
        vsh_error_virt(error, _("Failed to start network %s"), name);
        return false;
    }
    vsh_message(&shell->out, _("Network %s started"), name);
    return true;
}

static bool
run_net_destroy(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    g_autofree char *name =
        network ? g_strdup(virNetworkGetName(network)) : NULL;

    if (!network)
        return false;
    if (virNetworkDestroy(network) < 0) {
        vsh_error_virt(error, _("Failed to destroy network %s"), name);
        return false;
    }
    vsh_message(&shell->out, _("Network %s destroyed"), name);
    return true;
}

static bool
run_net_undefine(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    g_autofree char *name =
        network ? g_strdup(virNetworkGetName(network)) : NULL;

    if (!network)
        return false;
    if (virNetworkUndefine(network) < 0) {
        vsh_error_virt(error, _("Failed to undefine network %s"), name);
        return false;
    }
    vsh_message(&shell->out, _("Network %s has been undefined"), name);
    return true;
}

static bool
run_net_autostart(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    const char *name = network ? virNetworkGetName(network) : NULL;
    bool autostart = !vsh_args_given(args, "disable");

    if (!network)
        return false;
    if (virNetworkSetAutostart(network, autostart) < 0) {
        vsh_error_virt(error,
                       autostart
                           ? _("failed to mark network %s as autostarted")
                           : _("failed to unmark network %s as autostarted"),
                       name);
        return false;
    }
    vsh_message(&shell->out,
                autostart ? _("Network %s marked as autostarted")
                          : _("Network %s unmarked as autostarted"),
                name);
    return true;
}

static const VshOption network_options[] = { VSH_OPTION_NETWORK, { NULL } };

static const VshOption autostart_options[] = {
    VSH_OPTION_NETWORK,
    VSH_FLAG("disable", N_("disable autostarting")),
    { NULL },
};

static const VshCommand command_net_start = {
    .name = "net-start",
    .group = "network",
    .summary = N_("start a (previously defined) inactive network"),
    .details = N_("Builds a network: its bridge, its rules, and the server of "
                  "addresses and names. A user's own daemon cannot, and puts "
                  "user mode in its place."),
    .options = network_options,
    .run = run_net_start,
};

static const VshCommand command_net_destroy = {
    .name = "net-destroy",
    .group = "network",
    .summary = N_("destroy (stop) a network"),
    .details = N_("Removes all that net-start built. A network without a "
                  "definition vanishes."),
    .options = network_options,
    .run = run_net_destroy,
};

static const VshCommand command_net_undefine = {
    .name = "net-undefine",
    .group = "network",
    .summary = N_("undefine a persistent network"),
    .details = N_("Removes the definition of a network; one that is active "
                  "goes on until it stops."),
    .options = network_options,
    .run = run_net_undefine,
};

static const VshCommand command_net_autostart = {
    .name = "net-autostart",
    .group = "network",
    .summary = N_("autostart a network"),
    .details = N_("Has a network started when the host has been booted and "
                  "the daemon starts."),
    .options = autostart_options,
    .run = run_net_autostart,
};

const VshCommand *const vsh_commands_net_life[] = {
    &command_net_autostart,
    &command_net_destroy,
    &command_net_start,
    &command_net_undefine,
    NULL,
};
