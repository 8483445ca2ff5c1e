/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/listen.h"
#include "shell/network.h"
#include "util/i18n.h"

static bool
list_kinds(VshShell *shell)
{
    vsh_print(&shell->out, "%s\n", vsh_network_event_names[0]);
    return true;
}

static bool
check_kind(const VshArgs *args, GError **error)
{
    const char *kind = vsh_args_string(args, "event");

    if (!kind)
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("either --list or --event <type> is required"));
    else if (!g_strv_contains(vsh_network_event_names, kind))
        vsh_error_set(error, VSH_EXIT_USAGE, _("unknown event type %s"), kind);
    else
        return true;
    return false;
}

static bool
run_net_event(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *name = vsh_args_string(args, "network");
    g_autoptr(virNetwork) network = NULL;
    g_autoptr(VshEventQueue) queue = vsh_event_queue_new();
    VshListen listen = vsh_listen_of(shell, queue, args);
    int number;
    bool ok;

    if (vsh_args_given(args, "list"))
        return list_kinds(shell);
    if (!check_kind(args, error))
        return false;
    if (name &&
        !(network = vsh_network_find(shell, name, VSH_NETWORK_BY_ANY, error)))
        return false;
    number = vsh_event_register_network(queue, shell->connection.conn, network);
    if (number < 0) {
        vsh_error_virt(error, _("the events cannot be registered"));
        return false;
    }
    ok = vsh_listen(&listen, args, error);
    if (vsh_connection_alive(&shell->connection))
        virConnectNetworkEventDeregisterAny(shell->connection.conn, number);
    return ok;
}

static const VshOption event_options[] = {
    { .name = "network",
      .kind = VSH_OPTION_STRING,
      .help = N_("filter by network name or uuid"),
      .complete = vsh_complete_network },
    VSH_LISTEN_EVENT_OPTION(vsh_network_event_names),
    VSH_LISTEN_LOOP_OPTIONS,
    { NULL },
};

static const VshCommand command_net_event = {
    .name = "net-event",
    .group = "network",
    .summary = N_("Network Events"),
    .details = N_("Waits for networks to be defined, undefined, started or "
                  "stopped, and prints it; as JSON each event is an object in "
                  "one line."),
    .options = event_options,
    .flags = VSH_COMMAND_QUERY | VSH_COMMAND_FOREGROUND,
    .run = run_net_event,
};

const VshCommand *const vsh_commands_net_event[] = { &command_net_event, NULL };
