/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/event.h"
#include "shell/listen.h"
#include "util/i18n.h"

/* One `event`: what is registered. */
typedef struct Registered {
    VshListen listen;
    int numbers[VIR_DOMAIN_EVENT_ID_LAST];
} Registered;

/* Registers one kind, or all: then those that the driver lacks are left out. */
static bool
register_kinds(Registered *events, virDomainPtr domain, const char *kind,
               GError **error)
{
    virConnectPtr conn = events->listen.shell->connection.conn;
    unsigned registered = 0;

    for (int id = 0; vsh_event_names[id]; id++) {
        if (kind && strcmp(kind, vsh_event_names[id]) != 0)
            continue;
        events->numbers[id] =
            vsh_event_register(events->listen.queue, conn, domain, id);
        if (events->numbers[id] >= 0)
            registered++;
    }
    if (registered > 0)
        return true;
    vsh_error_virt(error, _("the events cannot be registered"));
    return false;
}

static void
deregister_kinds(Registered *events)
{
    if (!vsh_connection_alive(&events->listen.shell->connection))
        return;
    for (size_t id = 0; id < G_N_ELEMENTS(events->numbers); id++)
        if (events->numbers[id] >= 0)
            virConnectDomainEventDeregisterAny(
                events->listen.shell->connection.conn, events->numbers[id]);
}

static bool
list_kinds(VshShell *shell)
{
    const VshColumn columns[] = { { "event", _("Event") } };
    g_autoptr(VshTable) table = vsh_table_new(columns, 1);

    for (int id = 0; vsh_event_names[id]; id++) {
        if (shell->out.format == VSH_FORMAT_TABLE)
            vsh_print(&shell->out, "%s\n", vsh_event_names[id]);
        vsh_table_add(table, vsh_event_names[id], NULL);
    }
    if (shell->out.format == VSH_FORMAT_JSON)
        vsh_table_print(table, &shell->out);
    return true;
}

static bool
check_kind(const VshArgs *args, GError **error)
{
    const char *kind = vsh_args_string(args, "event");
    const char *nearest;

    if (!kind && !vsh_args_given(args, "all")) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("one of --list, --all, or --event <type> is required"));
        return false;
    }
    if (!kind || g_strv_contains(vsh_event_names, kind))
        return true;
    nearest = vsh_nearest(kind, vsh_event_names);
    vsh_error_set(error, VSH_EXIT_USAGE, _("unknown event type %s"), kind);
    if (nearest)
        vsh_error_hint(error, _("did you mean '%s'?"), nearest);
    return false;
}

static bool
run_event(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *name = vsh_args_string(args, "domain");
    const char *kind =
        vsh_args_given(args, "all") ? NULL : vsh_args_string(args, "event");
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(VshEventQueue) queue = vsh_event_queue_new();
    Registered events = { .listen = vsh_listen_of(shell, queue, args) };
    bool ok;

    if (vsh_args_given(args, "list"))
        return list_kinds(shell);
    if (!check_kind(args, error))
        return false;
    if (name && !(domain = vsh_domain_find(shell, name, error)))
        return false;
    for (size_t id = 0; id < G_N_ELEMENTS(events.numbers); id++)
        events.numbers[id] = -1;
    ok = register_kinds(&events, domain, kind, error) &&
         vsh_listen(&events.listen, args, error);
    deregister_kinds(&events);
    return ok;
}

static const VshOption event_options[] = {
    { .name = "domain",
      .kind = VSH_OPTION_STRING,
      .help = N_("filter by domain name, id or uuid"),
      .complete = vsh_complete_domain },
    VSH_LISTEN_EVENT_OPTION(vsh_event_names),
    VSH_FLAG("all", N_("wait for all events instead of just one type")),
    VSH_LISTEN_LOOP_OPTIONS,
    { NULL },
};

static const VshCommand command_event = {
    .name = "event",
    .group = "events",
    .summary = N_("Domain Events"),
    .details = N_("Lists the types of events, or waits for events of domains "
                  "and prints them; as JSON each is an object in one line."),
    .options = event_options,
    .flags = VSH_COMMAND_QUERY | VSH_COMMAND_FOREGROUND,
    .run = run_event,
};

const VshCommand *const vsh_commands_event[] = { &command_event, NULL };
