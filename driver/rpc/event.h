/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <virtkvm/driver.h>

typedef struct RpcSession RpcSession;
typedef struct RpcCall RpcCall;

/** What a client's registration is for; its number is that of the procedure
 * that makes it. */
typedef enum RpcEventFamily {
    RPC_EVENTS_LEGACY = 167, /* domain events, told apart by their id only */
    RPC_EVENTS_NETWORK = 313,
    RPC_EVENTS_DOMAIN = 316,
    RPC_EVENTS_POOL = 368, /* these and the following never happen here */
    RPC_EVENTS_NODE_DEVICE = 374,
    RPC_EVENTS_SECRET = 380,
} RpcEventFamily;

/** Who wants to hear of which events. */
typedef struct RpcEvents {
    GMutex lock;
    GPtrArray *registrations;
} RpcEvents;

void rpc_events_init(RpcEvents *events);
void rpc_events_clear(RpcEvents *events);

/**
 * rpc_event_register: from now on send the client of @call events of @event
 * @uuid: of the one domain or network meant, or NULL for all
 * Answers @call under the lock, with the callback's number where the procedure
 * has one: the answer comes before the first event, and no event after it is
 * missed. Returns: false with INTERNAL_ERROR
 */
bool rpc_event_register(RpcCall *call, RpcEventFamily family, int event,
                        const unsigned char *uuid, GError **error);

/** rpc_event_deregister: @number is the event's for RPC_EVENTS_LEGACY, else
 * the callback's */
bool rpc_event_deregister(RpcCall *call, RpcEventFamily family, int number,
                          GError **error);

/** rpc_event_forget: drop all registrations of @session, which is closed */
void rpc_event_forget(RpcEvents *events, RpcSession *session);

/** rpc_event_emit: tell everybody who wants to know. Any thread. */
void rpc_event_emit(RpcEvents *events, const VirtkvmEvent *event);

/** rpc_event_emit_network: the same of a network */
void rpc_event_emit_network(RpcEvents *events,
                            const VirtkvmNetworkEvent *event);
