/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/listen.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

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

VshListen
vsh_listen_of(VshShell *shell, VshEventQueue *queue, const VshArgs *args)
{
    return (VshListen){ .shell = shell,
                        .queue = queue,
                        .loop = vsh_args_given(args, "loop"),
                        .timestamp = vsh_args_given(args, "timestamp") };
}

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

bool
vsh_listen(VshListen *listen, const VshArgs *args, GError **error)
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
