/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>

/** An event of a domain in words and as data. */
typedef struct VshEvent {
    char *text;     /* without newline at its end */
    json_t *object; /* event, domain, and what belongs to the kind */
    gint64 time_us; /* of day, when it came */
} VshEvent;

void vsh_event_free(VshEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshEvent, vsh_event_free)

/** Events between libvirt's thread, which fills it, and the main thread. */
typedef struct VshEventQueue VshEventQueue;

VshEventQueue *vsh_event_queue_new(void);

/** vsh_event_queue_unref: registrations hold references of their own */
void vsh_event_queue_unref(VshEventQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshEventQueue, vsh_event_queue_unref)

/** vsh_event_queue_fd: readable while there may be an event; for poll() */
int vsh_event_queue_fd(VshEventQueue *queue);

/** vsh_event_queue_pop: the next event or NULL; never waits */
VshEvent *vsh_event_queue_pop(VshEventQueue *queue);

/** vsh_event_names: of all kinds by virDomainEventID; NULL-terminated */
extern const char *const vsh_event_names[];

/**
 * vsh_event_register: have events of kind @id put into @queue
 * @domain: of this domain only, or NULL
 * Returns: the number for virConnectDomainEventDeregisterAny(), or -1
 */
int vsh_event_register(VshEventQueue *queue, virConnectPtr conn,
                       virDomainPtr domain, int id);

/** Kinds of events of networks; ends with NULL. */
extern const char *const vsh_network_event_names[];

/** vsh_event_register_network: as vsh_event_register(), lifecycle events of
 * @network; NULL: of all */
int vsh_event_register_network(VshEventQueue *queue, virConnectPtr conn,
                               virNetworkPtr network);
