/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/event.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shell/params.h"
#include "util/fd.h"
#include "util/i18n.h"

/* Beyond so many unprinted events the oldest are dropped: the terminal may be
 * stopped for any time. */
#define QUEUE_MAX 10000

struct VshEventQueue {
    gatomicrefcount refs;
    GAsyncQueue *events;
    Fd wake; /* eventfd */
};

/* What a callback gets: where to put events, and of what kind they are. */
typedef struct VshEventSink {
    VshEventQueue *queue;
    int id;
} VshEventSink;

void
vsh_event_free(VshEvent *event)
{
    if (!event)
        return;
    g_free(event->text);
    json_decref(event->object);
    g_free(event);
}

static void
event_free(void *data)
{
    vsh_event_free(data);
}

VshEventQueue *
vsh_event_queue_new(void)
{
    VshEventQueue *queue = g_new0(VshEventQueue, 1);

    g_atomic_ref_count_init(&queue->refs);
    queue->events = g_async_queue_new_full(event_free);
    queue->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return queue;
}

void
vsh_event_queue_unref(VshEventQueue *queue)
{
    if (!queue || !g_atomic_ref_count_dec(&queue->refs))
        return;
    g_async_queue_unref(queue->events);
    fd_clear(&queue->wake);
    g_free(queue);
}

int
vsh_event_queue_fd(VshEventQueue *queue)
{
    return queue->wake;
}

VshEvent *
vsh_event_queue_pop(VshEventQueue *queue)
{
    uint64_t count;

    if (read(queue->wake, &count, sizeof(count)) < 0) {
        /* nothing new since the last time; there may be some left */
    }
    return g_async_queue_try_pop(queue->events);
}

static void
push(VshEventQueue *queue, VshEvent *event)
{
    uint64_t one = 1;

    if (g_async_queue_length(queue->events) >= QUEUE_MAX)
        vsh_event_free(g_async_queue_try_pop(queue->events));
    g_async_queue_push(queue->events, event);
    if (write(queue->wake, &one, sizeof(one)) < 0) {
        /* the counter is full of wake-ups already */
    }
}

/*
 * emit: queue an event
 * @details: more members for the object, taken over; or NULL
 * @format: what follows "event 'kind' for domain 'name'"
 */
static void G_GNUC_PRINTF(4, 5)
    emit(const VshEventSink *sink, virDomainPtr domain, json_t *details,
         const char *format, ...)
{
    const char *kind = vsh_event_names[sink->id];
    const char *name = virDomainGetName(domain);
    VshEvent *event = g_new0(VshEvent, 1);
    g_autoptr(GString) text = g_string_new(NULL);
    va_list args;

    g_string_printf(text, _("event '%s' for domain '%s'"), kind, name);
    va_start(args, format);
    g_string_append_vprintf(text, format, args);
    va_end(args);
    event->text = g_strdup(text->str);
    event->time_us = g_get_real_time();
    event->object = json_pack("{s:s, s:s}", "event", kind, "domain", name);
    if (details)
        json_object_update(event->object, details);
    json_decref(details);
    push(sink->queue, event);
}

/* A name out of a list, or "unknown". */
static const char *
name_of(const char *const *names, size_t count, int index)
{
    if (index >= 0 && (size_t)index < count && names[index])
        return _(names[index]);
    return _("unknown");
}

#define NAME_OF(names, index) name_of(names, G_N_ELEMENTS(names), index)

static json_t *
text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* virsh's word for a text that is not there */
static const char *
shown(const char *text)
{
    return text ? text : "<null>";
}

static const char *const lifecycle_names[] = {
    N_("Defined"),   N_("Undefined"),   N_("Started"),
    N_("Suspended"), N_("Resumed"),     N_("Stopped"),
    N_("Shutdown"),  N_("PMSuspended"), N_("Crashed"),
};

/* By virDomainEventType and its detail. */
static const char *const lifecycle_details[][9] = {
    [VIR_DOMAIN_EVENT_DEFINED] = { N_("Added"), N_("Updated"), N_("Renamed"),
                                   N_("Snapshot") },
    [VIR_DOMAIN_EVENT_UNDEFINED] = { N_("Removed"), N_("Renamed") },
    [VIR_DOMAIN_EVENT_STARTED] = { N_("Booted"), N_("Migrated"), N_("Restored"),
                                   N_("Snapshot"), N_("Event wakeup") },
    [VIR_DOMAIN_EVENT_SUSPENDED] = { N_("Paused"), N_("Migrated"),
                                     N_("I/O Error"), N_("Watchdog"),
                                     N_("Restored"), N_("Snapshot"),
                                     N_("API error"), N_("Post-copy"),
                                     N_("Post-copy Error") },
    [VIR_DOMAIN_EVENT_RESUMED] = { N_("Unpaused"), N_("Migrated"),
                                   N_("Snapshot"), N_("Post-copy"),
                                   N_("Post-copy Error") },
    [VIR_DOMAIN_EVENT_STOPPED] = { N_("Shutdown"), N_("Destroyed"),
                                   N_("Crashed"), N_("Migrated"), N_("Saved"),
                                   N_("Failed"), N_("Snapshot") },
    [VIR_DOMAIN_EVENT_SHUTDOWN] = { N_("Finished"),
                                    N_("Finished after guest request"),
                                    N_("Finished after host request") },
    [VIR_DOMAIN_EVENT_PMSUSPENDED] = { N_("Memory"), N_("Disk") },
    [VIR_DOMAIN_EVENT_CRASHED] = { N_("Panicked"), N_("Crashloaded") },
};

static int
on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail,
             void *opaque)
{
    const char *type = NAME_OF(lifecycle_names, event);
    const char *more = _("unknown");

    if (event >= 0 && (size_t)event < G_N_ELEMENTS(lifecycle_details))
        more = NAME_OF(lifecycle_details[event], detail);
    emit(opaque, domain,
         json_pack("{s:s, s:s, s:i, s:i}", "type", type, "detail", more,
                   "type_number", event, "detail_number", detail),
         ": %s %s", type, more);
    return 0;
}

static void
on_generic(virConnectPtr conn, virDomainPtr domain, void *opaque)
{
    emit(opaque, domain, NULL, "%s", "");
}

/* pm-wakeup, pm-suspend, pm-suspend-disk: the reason says nothing yet */
static void
on_pm(virConnectPtr conn, virDomainPtr domain, int reason, void *opaque)
{
    emit(opaque, domain, NULL, "%s", "");
}

static void
on_rtc(virConnectPtr conn, virDomainPtr domain, long long offset, void *opaque)
{
    emit(opaque, domain, json_pack("{s:I}", "offset_s", (json_int_t)offset),
         ": %lld", offset);
}

static void
on_watchdog(virConnectPtr conn, virDomainPtr domain, int action, void *opaque)
{
    static const char *const names[] = {
        N_("none"),     N_("pause"), N_("reset"),      N_("poweroff"),
        N_("shutdown"), N_("debug"), N_("inject-nmi"),
    };
    const char *name = NAME_OF(names, action);

    emit(opaque, domain, json_pack("{s:s}", "action", name), ": %s", name);
}

static const char *const io_actions[] = { N_("none"), N_("pause"),
                                          N_("report") };

static void
on_io_error(virConnectPtr conn, virDomainPtr domain, const char *path,
            const char *alias, int action, void *opaque)
{
    const char *name = NAME_OF(io_actions, action);

    emit(opaque, domain,
         json_pack("{s:o, s:o, s:s}", "path", text_or_null(path), "device",
                   text_or_null(alias), "action", name),
         ": %s (%s) %s", shown(path), shown(alias), name);
}

static void
on_io_error_reason(virConnectPtr conn, virDomainPtr domain, const char *path,
                   const char *alias, int action, const char *reason,
                   void *opaque)
{
    const char *name = NAME_OF(io_actions, action);

    emit(opaque, domain,
         json_pack("{s:o, s:o, s:s, s:o}", "path", text_or_null(path), "device",
                   text_or_null(alias), "action", name, "reason",
                   text_or_null(reason)),
         ": %s (%s) %s due to %s", shown(path), shown(alias), name,
         shown(reason));
}

static void
append_identities(GString *text, json_t *list,
                  const virDomainEventGraphicsSubject *subject)
{
    for (int i = 0; subject && i < subject->nidentity; i++) {
        const char *type = subject->identities[i].type;
        const char *name = subject->identities[i].name;

        g_string_append_printf(text, "\n\t%s=%s", type, name);
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "type", type, "name", name));
    }
}

static void
on_graphics(virConnectPtr conn, virDomainPtr domain, int phase,
            const virDomainEventGraphicsAddress *local,
            const virDomainEventGraphicsAddress *remote, const char *scheme,
            const virDomainEventGraphicsSubject *subject, void *opaque)
{
    static const char *const phases[] = { N_("connect"), N_("initialize"),
                                          N_("disconnect") };
    static const char *const families[] = { N_("IPv4"), N_("IPv6"),
                                            N_("unix") };
    g_autoptr(GString) identities = g_string_new(NULL);
    json_t *list = json_array();
    const char *name = NAME_OF(phases, phase);

    append_identities(identities, list, subject);
    emit(opaque, domain,
         json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "phase", name,
                   "local", text_or_null(local->node), "local_service",
                   text_or_null(local->service), "remote",
                   text_or_null(remote->node), "remote_service",
                   text_or_null(remote->service), "scheme",
                   text_or_null(scheme), "identities", list),
         ": %s local[%s %s %s] remote[%s %s %s] %s%s", name,
         NAME_OF(families, local->family), shown(local->node),
         shown(local->service), NAME_OF(families, remote->family),
         shown(remote->node), shown(remote->service), shown(scheme),
         identities->str);
}

static void
on_block_job(virConnectPtr conn, virDomainPtr domain, const char *disk,
             int type, int status, void *opaque)
{
    static const char *const types[] = {
        N_("unknown job"),  N_("Block Pull"),          N_("Block Copy"),
        N_("Block Commit"), N_("Active Block Commit"), N_("Backup"),
    };
    static const char *const states[] = { N_("completed"), N_("failed"),
                                          N_("canceled"), N_("ready") };
    const char *job = NAME_OF(types, type);
    const char *state = NAME_OF(states, status);

    emit(opaque, domain,
         json_pack("{s:s, s:o, s:s}", "job", job, "disk", text_or_null(disk),
                   "status", state),
         ": %s for %s %s", job, disk, state);
}

static void
on_disk_change(virConnectPtr conn, virDomainPtr domain, const char *before,
               const char *after, const char *alias, int reason, void *opaque)
{
    static const char *const reasons[] = { N_("changed"), N_("dropped") };
    const char *name = NAME_OF(reasons, reason);

    emit(opaque, domain,
         json_pack("{s:o, s:o, s:o, s:s}", "disk", text_or_null(alias), "old",
                   text_or_null(before), "new", text_or_null(after), "reason",
                   name),
         _(" disk %s: %s -> %s: %s"), shown(alias), shown(before), shown(after),
         name);
}

static void
on_tray_change(virConnectPtr conn, virDomainPtr domain, const char *alias,
               int reason, void *opaque)
{
    static const char *const reasons[] = { N_("opened"), N_("closed") };
    const char *name = NAME_OF(reasons, reason);

    emit(opaque, domain,
         json_pack("{s:o, s:s}", "disk", text_or_null(alias), "reason", name),
         _(" disk %s: %s"), alias, name);
}

static void
on_balloon(virConnectPtr conn, virDomainPtr domain, unsigned long long kib,
           void *opaque)
{
    emit(opaque, domain, json_pack("{s:I}", "actual_kib", (json_int_t)kib),
         ": %lluKiB", kib);
}

static void
on_device(virConnectPtr conn, virDomainPtr domain, const char *alias,
          void *opaque)
{
    emit(opaque, domain, json_pack("{s:o}", "device", text_or_null(alias)),
         ": %s", alias);
}

/* tunable, job-completed: whatever parameters there are */
static void
on_params(virConnectPtr conn, virDomainPtr domain, virTypedParameterPtr params,
          int count, void *opaque)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < count; i++) {
        g_autofree char *value = vsh_param_text(&params[i]);

        g_string_append_printf(text, "\n\t%s: %s", params[i].field, value);
    }
    emit(opaque, domain,
         json_pack("{s:o}", "params", vsh_params_json(params, count)), ":%s",
         text->str);
}

static void
on_agent(virConnectPtr conn, virDomainPtr domain, int state, int reason,
         void *opaque)
{
    static const char *const states[] = { N_("unknown"), N_("connected"),
                                          N_("disconnected") };
    static const char *const reasons[] = { N_("unknown"), N_("domain started"),
                                           N_("channel event") };
    const char *name = NAME_OF(states, state);
    const char *why = NAME_OF(reasons, reason);

    emit(opaque, domain, json_pack("{s:s, s:s}", "state", name, "reason", why),
         _(": state: '%s' reason: '%s'"), name, why);
}

static void
on_iteration(virConnectPtr conn, virDomainPtr domain, int iteration,
             void *opaque)
{
    emit(opaque, domain, json_pack("{s:i}", "iteration", iteration),
         _(": iteration: '%d'"), iteration);
}

static void
on_metadata(virConnectPtr conn, virDomainPtr domain, int type, const char *uri,
            void *opaque)
{
    static const char *const types[] = { N_("description"), N_("title"),
                                         N_("element") };
    const char *name = NAME_OF(types, type);

    emit(opaque, domain,
         json_pack("{s:s, s:o}", "type", name, "uri", text_or_null(uri)),
         _(": type %s, uri %s"), name, shown(uri));
}

static void
on_threshold(virConnectPtr conn, virDomainPtr domain, const char *device,
             const char *path, unsigned long long threshold,
             unsigned long long excess, void *opaque)
{
    emit(opaque, domain,
         json_pack("{s:o, s:o, s:I, s:I}", "device", text_or_null(device),
                   "path", text_or_null(path), "threshold",
                   (json_int_t)threshold, "excess", (json_int_t)excess),
         _(": dev: %s(%s) %llu %llu"), device, shown(path), threshold, excess);
}

static void
on_memory_failure(virConnectPtr conn, virDomainPtr domain, int recipient,
                  int action, unsigned flags, void *opaque)
{
    static const char *const recipients[] = { N_("hypervisor"), N_("guest") };
    static const char *const actions[] = { N_("ignore"), N_("inject"),
                                           N_("fatal"), N_("reset") };
    const char *who = NAME_OF(recipients, recipient);
    const char *what = NAME_OF(actions, action);
    int required = (flags & VIR_DOMAIN_MEMORY_FAILURE_ACTION_REQUIRED) != 0;
    int recursive = (flags & VIR_DOMAIN_MEMORY_FAILURE_RECURSIVE) != 0;

    emit(opaque, domain,
         json_pack("{s:s, s:s, s:b, s:b}", "recipient", who, "action", what,
                   "action_required", required, "recursive", recursive),
         _(":\nrecipient: %s\naction: %s\nflags:\n"
           "\taction required: %d\n\trecursive: %d"),
         who, what, required, recursive);
}

static void
on_memory_size(virConnectPtr conn, virDomainPtr domain, const char *alias,
               unsigned long long kib, void *opaque)
{
    emit(opaque, domain,
         json_pack("{s:o, s:I}", "device", text_or_null(alias), "size_kib",
                   (json_int_t)kib),
         _(":\nalias: %s\nsize: %llu"), alias, kib);
}

const char *const vsh_event_names[] = {
    "lifecycle",
    "reboot",
    "rtc-change",
    "watchdog",
    "io-error",
    "graphics",
    "io-error-reason",
    "control-error",
    "block-job",
    "disk-change",
    "tray-change",
    "pm-wakeup",
    "pm-suspend",
    "balloon-change",
    "pm-suspend-disk",
    "device-removed",
    "block-job-2",
    "tunable",
    "agent-lifecycle",
    "device-added",
    "migration-iteration",
    "job-completed",
    "device-removal-failed",
    "metadata-change",
    "block-threshold",
    "memory-failure",
    "memory-device-size-change",
    NULL,
};

#define CALLBACK(function) \
    (virConnectDomainEventGenericCallback)(void (*)(void)) function

static const virConnectDomainEventGenericCallback callbacks[] = {
    [VIR_DOMAIN_EVENT_ID_LIFECYCLE] = CALLBACK(on_lifecycle),
    [VIR_DOMAIN_EVENT_ID_REBOOT] = on_generic,
    [VIR_DOMAIN_EVENT_ID_RTC_CHANGE] = CALLBACK(on_rtc),
    [VIR_DOMAIN_EVENT_ID_WATCHDOG] = CALLBACK(on_watchdog),
    [VIR_DOMAIN_EVENT_ID_IO_ERROR] = CALLBACK(on_io_error),
    [VIR_DOMAIN_EVENT_ID_GRAPHICS] = CALLBACK(on_graphics),
    [VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON] = CALLBACK(on_io_error_reason),
    [VIR_DOMAIN_EVENT_ID_CONTROL_ERROR] = on_generic,
    [VIR_DOMAIN_EVENT_ID_BLOCK_JOB] = CALLBACK(on_block_job),
    [VIR_DOMAIN_EVENT_ID_DISK_CHANGE] = CALLBACK(on_disk_change),
    [VIR_DOMAIN_EVENT_ID_TRAY_CHANGE] = CALLBACK(on_tray_change),
    [VIR_DOMAIN_EVENT_ID_PMWAKEUP] = CALLBACK(on_pm),
    [VIR_DOMAIN_EVENT_ID_PMSUSPEND] = CALLBACK(on_pm),
    [VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE] = CALLBACK(on_balloon),
    [VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK] = CALLBACK(on_pm),
    [VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED] = CALLBACK(on_device),
    [VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2] = CALLBACK(on_block_job),
    [VIR_DOMAIN_EVENT_ID_TUNABLE] = CALLBACK(on_params),
    [VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE] = CALLBACK(on_agent),
    [VIR_DOMAIN_EVENT_ID_DEVICE_ADDED] = CALLBACK(on_device),
    [VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION] = CALLBACK(on_iteration),
    [VIR_DOMAIN_EVENT_ID_JOB_COMPLETED] = CALLBACK(on_params),
    [VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED] = CALLBACK(on_device),
    [VIR_DOMAIN_EVENT_ID_METADATA_CHANGE] = CALLBACK(on_metadata),
    [VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD] = CALLBACK(on_threshold),
    [VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE] = CALLBACK(on_memory_failure),
    [VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE] = CALLBACK(on_memory_size),
};

G_STATIC_ASSERT(G_N_ELEMENTS(callbacks) + 1 == G_N_ELEMENTS(vsh_event_names));

static void
sink_free(void *data)
{
    VshEventSink *sink = data;

    vsh_event_queue_unref(sink->queue);
    g_free(sink);
}

int
vsh_event_register(VshEventQueue *queue, virConnectPtr conn,
                   virDomainPtr domain, int id)
{
    VshEventSink *sink = g_new0(VshEventSink, 1);
    int number;

    sink->queue = queue;
    sink->id = id;
    g_atomic_ref_count_inc(&queue->refs);
    number = virConnectDomainEventRegisterAny(conn, domain, id, callbacks[id],
                                              sink, sink_free);
    if (number < 0)
        sink_free(sink);
    return number;
}

/* --- networks --------------------------------------------------------------
 */

const char *const vsh_network_event_names[] = { "lifecycle", NULL };

static void
on_network(virConnectPtr conn, virNetworkPtr network, int event, int detail,
           void *opaque)
{
    static const char *const names[] = { N_("Defined"), N_("Undefined"),
                                         N_("Started"), N_("Stopped") };
    const VshEventSink *sink = opaque;
    const char *type = NAME_OF(names, event);
    const char *name = virNetworkGetName(network);
    VshEvent *item = g_new0(VshEvent, 1);

    item->text =
        g_strdup_printf(_("event 'lifecycle' for network %s: %s"), name, type);
    item->time_us = g_get_real_time();
    item->object =
        json_pack("{s:s, s:s, s:s, s:i}", "event", "lifecycle", "network", name,
                  "type", type, "type_number", event);
    push(sink->queue, item);
}

int
vsh_event_register_network(VshEventQueue *queue, virConnectPtr conn,
                           virNetworkPtr network)
{
    VshEventSink *sink = g_new0(VshEventSink, 1);
    int number;

    sink->queue = queue;
    g_atomic_ref_count_inc(&queue->refs);
    number = virConnectNetworkEventRegisterAny(
        conn, network, VIR_NETWORK_EVENT_ID_LIFECYCLE,
        VIR_NETWORK_EVENT_CALLBACK(on_network), sink, sink_free);
    if (number < 0)
        sink_free(sink);
    return number;
}
