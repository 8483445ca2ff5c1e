/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/event.h"
#include "shell/interrupt.h"
#include "util/i18n.h"

/* While nothing happens, the connection is looked at this often. */
#define CHECK_MS 500

typedef enum VshListenEnd {
    LISTEN_ON,
    LISTEN_DONE, /* one event, which is enough without --loop */
    LISTEN_TIMEOUT,
    LISTEN_INTERRUPTED,
    LISTEN_LOST,
    LISTEN_UNREAD, /* nobody reads the output any more */
} VshListenEnd;

/* One `event`: what is registered, and what came. */
typedef struct VshListen {
    VshShell *shell;
    VshEventQueue *queue;
    bool loop;
    bool timestamp;
    gint64 deadline_us; /* monotonic; 0: none */
    int numbers[VIR_DOMAIN_EVENT_ID_LAST];
    unsigned received;
} VshListen;

static char *
stamp(gint64 time_us)
{
    g_autoptr(GDateTime) when =
        g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    g_autofree char *seconds = g_date_time_format(when, "%Y-%m-%d %H:%M:%S");

    return g_strdup_printf("%s.%03d+0000", seconds,
                           (int)(time_us / 1000 % 1000));
}

static void
print_event(VshListen *listen, const VshEvent *event)
{
    VshOutput *out = &listen->shell->out;
    g_autofree char *when = stamp(event->time_us);
    char *line;

    listen->received++;
    if (out->format == VSH_FORMAT_JSON) {
        /* one event, one line: readers need not wait for the end */
        json_object_set_new(event->object, "time", json_string(when));
        line = json_dumps(event->object, JSON_COMPACT);
        vsh_print(out, "%s\n", line ? line : "null");
        free(line);
    } else if (listen->timestamp) {
        vsh_print(out, "%s: %s\n", when, event->text);
    } else {
        vsh_print(out, "%s\n", event->text);
    }
    fflush(stdout);
}

static VshListenEnd
print_pending(VshListen *listen)
{
    for (;;) {
        g_autoptr(VshEvent) event = vsh_event_queue_pop(listen->queue);

        if (!event)
            return LISTEN_ON;
        print_event(listen, event);
        if (ferror(stdout))
            return LISTEN_UNREAD;
        if (!listen->loop)
            return LISTEN_DONE;
    }
}

static int
wait_ms(const VshListen *listen)
{
    gint64 left;

    if (!listen->deadline_us)
        return CHECK_MS;
    left = (listen->deadline_us - g_get_monotonic_time() + 999) / 1000;
    return (int)CLAMP(left, 0, CHECK_MS);
}

static VshListenEnd
listen_for_events(VshListen *listen)
{
    struct pollfd waits[] = {
        { .fd = vsh_event_queue_fd(listen->queue), .events = POLLIN },
        { .fd = vsh_interrupt_fd(), .events = POLLIN },
    };
    VshListenEnd end = LISTEN_ON;

    while (end == LISTEN_ON) {
        poll(waits, G_N_ELEMENTS(waits), wait_ms(listen));
        end = print_pending(listen);
        if (end != LISTEN_ON)
            break;
        if (vsh_interrupted())
            end = LISTEN_INTERRUPTED;
        else if (!vsh_connection_alive(&listen->shell->connection))
            end = LISTEN_LOST;
        else if (listen->deadline_us &&
                 g_get_monotonic_time() >= listen->deadline_us)
            end = LISTEN_TIMEOUT;
    }
    return end;
}

static bool
report_end(const VshListen *listen, VshListenEnd end, GError **error)
{
    VshOutput *out = &listen->shell->out;
    bool text = out->format == VSH_FORMAT_TABLE;

    if (text && end == LISTEN_TIMEOUT)
        vsh_print(out, _("event loop timed out\n"));
    if (text && end == LISTEN_INTERRUPTED)
        vsh_print(out, _("event loop interrupted\n"));
    if (text)
        vsh_print(out, _("events received: %u\n"), listen->received);
    if (end == LISTEN_LOST)
        vsh_error_set(error, VSH_EXIT_CONNECT, _("the connection was lost"));
    else if (listen->received > 0)
        return true;
    else if (end == LISTEN_TIMEOUT)
        vsh_error_set(error, VSH_EXIT_TIMEOUT, _("no event came in time"));
    else
        vsh_error_set(error, VSH_EXIT_INTERRUPTED, _("interrupted"));
    return false;
}

/* Registers one kind, or all: then those that the driver lacks are left out. */
static bool
register_kinds(VshListen *listen, virDomainPtr domain, const char *kind,
               GError **error)
{
    virConnectPtr conn = listen->shell->connection.conn;
    unsigned registered = 0;

    for (int id = 0; vsh_event_names[id]; id++) {
        if (kind && strcmp(kind, vsh_event_names[id]) != 0)
            continue;
        listen->numbers[id] =
            vsh_event_register(listen->queue, conn, domain, id);
        if (listen->numbers[id] >= 0)
            registered++;
    }
    if (registered > 0)
        return true;
    vsh_error_virt(error, _("the events cannot be registered"));
    return false;
}

static void
deregister_kinds(VshListen *listen)
{
    if (!vsh_connection_alive(&listen->shell->connection))
        return;
    for (size_t id = 0; id < G_N_ELEMENTS(listen->numbers); id++)
        if (listen->numbers[id] >= 0)
            virConnectDomainEventDeregisterAny(listen->shell->connection.conn,
                                               listen->numbers[id]);
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
listen_registered(VshListen *listen, const VshArgs *args, GError **error)
{
    unsigned timeout_s = vsh_args_number(args, "timeout", 0);
    VshListenEnd end;

    if (timeout_s > 0)
        listen->deadline_us =
            g_get_monotonic_time() + (gint64)timeout_s * G_USEC_PER_SEC;
    vsh_interrupt_begin();
    end = listen_for_events(listen);
    vsh_interrupt_end();
    return report_end(listen, end, error);
}

static bool
run_event(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *name = vsh_args_string(args, "domain");
    const char *kind =
        vsh_args_given(args, "all") ? NULL : vsh_args_string(args, "event");
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(VshEventQueue) queue = vsh_event_queue_new();
    VshListen listen = { .shell = shell,
                         .queue = queue,
                         .loop = vsh_args_given(args, "loop"),
                         .timestamp = vsh_args_given(args, "timestamp") };
    bool ok;

    if (vsh_args_given(args, "list"))
        return list_kinds(shell);
    if (!check_kind(args, error))
        return false;
    if (name && !(domain = vsh_domain_find(shell, name, error)))
        return false;
    for (size_t id = 0; id < G_N_ELEMENTS(listen.numbers); id++)
        listen.numbers[id] = -1;
    ok = register_kinds(&listen, domain, kind, error) &&
         listen_registered(&listen, args, error);
    deregister_kinds(&listen);
    return ok;
}

static const VshOption event_options[] = {
    { .name = "domain",
      .kind = VSH_OPTION_STRING,
      .help = N_("filter by domain name, id or uuid"),
      .complete = vsh_complete_domain },
    { .name = "event",
      .kind = VSH_OPTION_STRING,
      .help = N_("which event type to wait for"),
      .complete = vsh_complete_word,
      .words = vsh_event_names },
    VSH_FLAG("all", N_("wait for all events instead of just one type")),
    VSH_FLAG("loop",
             N_("loop until timeout or interrupt, rather than one-shot")),
    { .name = "timeout",
      .kind = VSH_OPTION_NUMBER,
      .help = N_("timeout seconds") },
    VSH_FLAG("list", N_("list valid event types")),
    VSH_FLAG("timestamp", N_("show timestamp for each printed event")),
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
