/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/event.h"

#include <string.h>

#include "rpc/dispatch.h"
#include "rpc/message-network.h"
#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

/* libvirt's daemon numbers its event messages so; clients do not look. */
#define EVENT_SERIAL 1

/* Event ids from 0 up; libvirt 9.0.0 knows so many. */
#define EVENT_IDS (VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE + 1)

/* The message of a network's event. */
#define NETWORK_LIFECYCLE 315

/* Parameters of one TUNABLE event. */
#define TUNABLE_MAX 2048

/* Registrations of one client. */
#define REGISTRATIONS_MAX 4096

typedef struct Registration {
    RpcSession *session;
    RpcEventFamily family;
    int event;
    int callback;
    bool one_object;
    unsigned char uuid[VIR_UUID_BUFLEN];
} Registration;

/* --- the events on the wire --------------------------------------------------
 */

#define FIELD(member, kind)                           \
    {                                                 \
#member, kind, offsetof(VirtkvmEvent, member) \
    }
#define DOMAIN_FIELD                                                      \
    {                                                                     \
        "dom", RPC_STRUCT, offsetof(VirtkvmEvent, domain), 0, &rpc_domain \
    }
#define BODY(name, ...)                                                    \
    static const RpcField name##_fields[] = { DOMAIN_FIELD, __VA_ARGS__ }; \
    static const RpcMessage name##_body = { #name, sizeof(VirtkvmEvent),   \
                                            name##_fields,                 \
                                            G_N_ELEMENTS(name##_fields) }

/* The tables describe VirtkvmEvent itself; they are only used to encode. */
BODY(lifecycle, FIELD(lifecycle.event, RPC_INT),
     FIELD(lifecycle.detail, RPC_INT));
BODY(rtc_change, FIELD(rtc_change.offset_s, RPC_HYPER));
BODY(balloon_change, FIELD(balloon_change.actual_kib, RPC_HYPER));
BODY(device, FIELD(device.alias, RPC_STRING));
BODY(io_error, FIELD(io_error.path, RPC_STRING),
     FIELD(io_error.alias, RPC_STRING), FIELD(io_error.action, RPC_INT));
BODY(io_error_reason, FIELD(io_error.path, RPC_STRING),
     FIELD(io_error.alias, RPC_STRING), FIELD(io_error.action, RPC_INT),
     FIELD(io_error.reason, RPC_STRING));
BODY(disk_change, FIELD(disk_change.old_path, RPC_OPTIONAL_STRING),
     FIELD(disk_change.new_path, RPC_OPTIONAL_STRING),
     FIELD(disk_change.alias, RPC_STRING), FIELD(disk_change.reason, RPC_INT));
BODY(tray_change, FIELD(tray_change.alias, RPC_STRING),
     FIELD(tray_change.reason, RPC_INT));
BODY(tunable, { "tunable", RPC_TYPED_PARAMETERS,
                offsetof(VirtkvmEvent, tunable), TUNABLE_MAX });
BODY(agent, FIELD(agent.state, RPC_INT), FIELD(agent.reason, RPC_INT));
BODY(metadata_change, FIELD(metadata_change.type, RPC_INT),
     FIELD(metadata_change.uri, RPC_OPTIONAL_STRING));

static const RpcField plain_fields[] = { DOMAIN_FIELD };
static const RpcMessage plain_body = { "event", sizeof(VirtkvmEvent),
                                       plain_fields, 1 };

typedef struct EventKind {
    int procedure; /* of the message with the callback's number */
    int legacy;    /* of the message without; 0: there is none */
    const RpcMessage *body;
} EventKind;

static const EventKind kinds[EVENT_IDS] = {
    [VIR_DOMAIN_EVENT_ID_LIFECYCLE] = { 318, 107, &lifecycle_body },
    [VIR_DOMAIN_EVENT_ID_REBOOT] = { 319, 169, &plain_body },
    [VIR_DOMAIN_EVENT_ID_RTC_CHANGE] = { 320, 170, &rtc_change_body },
    [VIR_DOMAIN_EVENT_ID_IO_ERROR] = { 322, 172, &io_error_body },
    [VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON] = { 324, 195, &io_error_reason_body },
    [VIR_DOMAIN_EVENT_ID_CONTROL_ERROR] = { 325, 224, &plain_body },
    [VIR_DOMAIN_EVENT_ID_DISK_CHANGE] = { 327, 248, &disk_change_body },
    [VIR_DOMAIN_EVENT_ID_TRAY_CHANGE] = { 328, 268, &tray_change_body },
    [VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE] = { 331, 276, &balloon_change_body },
    [VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED] = { 333, 311, &device_body },
    [VIR_DOMAIN_EVENT_ID_TUNABLE] = { 346, 0, &tunable_body },
    [VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE] = { 348, 0, &agent_body },
    [VIR_DOMAIN_EVENT_ID_DEVICE_ADDED] = { 354, 0, &device_body },
    [VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED] = { 367, 0, &device_body },
    [VIR_DOMAIN_EVENT_ID_METADATA_CHANGE] = { 379, 0, &metadata_change_body },
};

/* --- registrations ------------------------------------------------------- */

void
rpc_events_init(RpcEvents *events)
{
    g_mutex_init(&events->lock);
    events->registrations = g_ptr_array_new_with_free_func(g_free);
}

void
rpc_events_clear(RpcEvents *events)
{
    g_ptr_array_unref(events->registrations);
    g_mutex_clear(&events->lock);
}

static int
next_callback(RpcSession *session)
{
    int callback = -1;

    g_mutex_lock(&session->lock);
    if (!session->closed && session->next_callback < G_MAXINT)
        callback = session->next_callback++;
    g_mutex_unlock(&session->lock);
    return callback;
}

/* Index of a registration, -1 if there is none. The lock is held. */
static int
find(RpcEvents *events, RpcSession *session, RpcEventFamily family, int number)
{
    for (guint i = 0; i < events->registrations->len; i++) {
        Registration *item = g_ptr_array_index(events->registrations, i);
        int own = family == RPC_EVENTS_LEGACY ? item->event : item->callback;

        if (item->session == session && item->family == family && own == number)
            return (int)i;
    }
    return -1;
}

static unsigned
count(RpcEvents *events, RpcSession *session)
{
    unsigned sum = 0;

    for (guint i = 0; i < events->registrations->len; i++) {
        Registration *item = g_ptr_array_index(events->registrations, i);

        sum += item->session == session;
    }
    return sum;
}

static bool
check(RpcCall *call, RpcEventFamily family, int event, GError **error)
{
    RpcEvents *events = &call->session->service->events;
    bool of_domain = family == RPC_EVENTS_LEGACY || family == RPC_EVENTS_DOMAIN;

    if (event < 0 || (of_domain && event >= EVENT_IDS)) {
        error_set(error, VIR_ERR_INTERNAL_ERROR, _("unsupported event ID %d"),
                  event);
        return false;
    }
    if (family == RPC_EVENTS_LEGACY &&
        find(events, call->session, family, event) >= 0) {
        error_set(error, VIR_ERR_INVALID_ARG, "%s",
                  _("event callback already tracked"));
        return false;
    }
    if (count(events, call->session) < REGISTRATIONS_MAX)
        return true;
    error_set(error, VIR_ERR_RESOURCE_BUSY, "%s",
              _("this client has too many event registrations"));
    return false;
}

static bool
add(RpcCall *call, const Registration *registration, GError **error)
{
    RpcEvents *events = &call->session->service->events;
    RpcInt answer = { next_callback(call->session) };
    Registration *item;

    if (answer.value < 0) {
        error_set(error, VIR_ERR_INTERNAL_ERROR, "%s",
                  _("the connection is closed"));
        return false;
    }
    item = g_memdup2(registration, sizeof(*registration));
    item->callback = answer.value;
    g_ptr_array_add(events->registrations, item);
    if (registration->family == RPC_EVENTS_LEGACY)
        answer.value = 0; /* what libvirt's daemon answers */
    rpc_call_answer(call, &answer);
    return true;
}

bool
rpc_event_register(RpcCall *call, RpcEventFamily family, int event,
                   const unsigned char *uuid, GError **error)
{
    RpcEvents *events = &call->session->service->events;
    Registration registration = {
        .session = call->session,
        .family = family,
        .event = event,
        .one_object = uuid != NULL,
    };
    bool added;

    if (uuid)
        memcpy(registration.uuid, uuid, VIR_UUID_BUFLEN);
    g_mutex_lock(&events->lock);
    added =
        check(call, family, event, error) && add(call, &registration, error);
    g_mutex_unlock(&events->lock);
    return added;
}

bool
rpc_event_deregister(RpcCall *call, RpcEventFamily family, int number,
                     GError **error)
{
    RpcEvents *events = &call->session->service->events;
    int index;

    g_mutex_lock(&events->lock);
    index = find(events, call->session, family, number);
    if (index >= 0)
        g_ptr_array_remove_index(events->registrations, (guint)index);
    g_mutex_unlock(&events->lock);
    if (index >= 0)
        return true;
    if (family == RPC_EVENTS_LEGACY)
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("domain event %d not registered"), number);
    else if (family == RPC_EVENTS_DOMAIN)
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("domain event callback %d not registered"), number);
    else
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("event callback %d not registered"), number);
    return false;
}

void
rpc_event_forget(RpcEvents *events, RpcSession *session)
{
    g_mutex_lock(&events->lock);
    for (guint i = events->registrations->len; i > 0; i--) {
        Registration *item = g_ptr_array_index(events->registrations, i - 1);

        if (item->session == session)
            g_ptr_array_remove_index(events->registrations, i - 1);
    }
    g_mutex_unlock(&events->lock);
}

/* --- sending ------------------------------------------------------------- */

static bool
wants(const Registration *item, const VirtkvmEvent *event)
{
    return (item->family == RPC_EVENTS_DOMAIN ||
            item->family == RPC_EVENTS_LEGACY) &&
           item->event == event->id &&
           (!item->one_object ||
            memcmp(item->uuid, event->domain.uuid, VIR_UUID_BUFLEN) == 0);
}

/* @procedure: of the message, 0: there is none   @event: the body's struct */
static void
send_message(const Registration *item, int procedure, const RpcMessage *body,
             const void *event)
{
    RpcHeader header = {
        .program = RPC_PROGRAM_REMOTE,
        .version = RPC_PROGRAM_VERSION,
        .procedure = procedure,
        .type = RPC_EVENT,
        .serial = EVENT_SERIAL,
    };
    g_autoptr(GByteArray) frame = NULL;

    if (procedure == 0)
        return;
    frame = rpc_frame_begin(&header);
    if (item->family != RPC_EVENTS_LEGACY)
        rpc_write_u32(frame, (uint32_t)item->callback);
    if (!rpc_message_encode(frame, body, event, NULL))
        return;
    rpc_frame_end(frame);
    rpc_session_send_event(item->session, g_steal_pointer(&frame));
}

static void
send_event(const Registration *item, const VirtkvmEvent *event)
{
    const EventKind *kind = &kinds[event->id];
    bool legacy = item->family == RPC_EVENTS_LEGACY;

    send_message(item, legacy ? kind->legacy : kind->procedure, kind->body,
                 event);
}

void
rpc_event_emit(RpcEvents *events, const VirtkvmEvent *event)
{
    if (event->id < 0 || event->id >= EVENT_IDS || !kinds[event->id].body)
        return;
    g_mutex_lock(&events->lock);
    for (guint i = 0; i < events->registrations->len; i++) {
        const Registration *item = g_ptr_array_index(events->registrations, i);

        if (wants(item, event))
            send_event(item, event);
    }
    g_mutex_unlock(&events->lock);
}

void
rpc_event_emit_network(RpcEvents *events, const VirtkvmNetworkEvent *event)
{
    g_mutex_lock(&events->lock);
    for (guint i = 0; i < events->registrations->len; i++) {
        const Registration *item = g_ptr_array_index(events->registrations, i);

        if (item->family == RPC_EVENTS_NETWORK &&
            item->event == VIR_NETWORK_EVENT_ID_LIFECYCLE &&
            (!item->one_object ||
             memcmp(item->uuid, event->network.uuid, VIR_UUID_BUFLEN) == 0))
            send_message(item, NETWORK_LIFECYCLE, &rpc_network_event, event);
    }
    g_mutex_unlock(&events->lock);
}
