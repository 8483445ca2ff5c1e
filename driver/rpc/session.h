/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <virtkvm/driver.h>

#include "rpc/frame.h"
#include "rpc/keepalive.h"
#include "rpc/service.h"
#include "util/fd.h"

/* Bounds of what one client can make the daemon keep. */

/** No call of a client starts, and nothing more of it is read, while so many
 * bytes wait for it to read them. */
#define RPC_OUTPUT_HIGH (1024u * 1024)
/** A client that lets so many bytes of events wait does not follow them: it is
 * disconnected. */
#define RPC_EVENTS_MAX (4u * 1024 * 1024)
/** Calls that wait for the client's earlier ones before reading stops: enough
 * that a keep-alive behind them is seen and answered. */
#define RPC_PARKED_MAX       32u
#define RPC_PARKED_BYTES_MAX (1024u * 1024)
/** The largest message before a connection is open. */
#define RPC_GREETING_MAX (64u * 1024)
/** Input for consoles that do not take it, before reading stops. */
#define RPC_STREAM_INPUT_MAX (1024u * 1024)

/** One client's connection. */
struct RpcSession {
    gint refs;
    RpcService *service;
    VirtkvmCaller caller;
    Fd fd;
    RpcWatch *watch;

    /* I/O thread only */
    RpcFramer framer;
    RpcKeepalive keepalive;
    GQueue streams;      /* of RpcStream */
    size_t stream_input; /* bytes that wait for consoles */
    GList place;         /* in the service */

    GMutex lock; /* guards what follows */
    bool closed;
    bool close_when_sent;
    uint32_t events; /* that the watch waits for */
    GQueue output;   /* of RpcOutput */
    size_t output_bytes;
    size_t event_bytes; /* of output */
    unsigned in_flight;
    GQueue parked; /* of RpcCall */
    size_t parked_bytes;
    bool reading;          /* else whole messages may be left in the framer */
    bool stream_stalled;   /* stream_input is over its bound */
    const RpcRoute *route; /* NULL until CONNECT_OPEN; then constant */
    char *uri;
    int next_callback;
};

/** rpc_session_new: takes @fd over; the I/O thread owns the reference until
 * rpc_session_close(). Returns: NULL if the socket cannot be watched */
RpcSession *rpc_session_new(RpcService *service, int fd, bool read_only);

RpcSession *rpc_session_ref(RpcSession *session);

/** rpc_session_unref: any thread */
void rpc_session_unref(RpcSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcSession, rpc_session_unref)

/** rpc_session_close: end the connection. Thread: I/O. */
void rpc_session_close(RpcSession *session);

/** rpc_session_send: queue @frame, which is taken over. Any thread. */
void rpc_session_send(RpcSession *session, GByteArray *frame);

/** rpc_session_send_event: the same for what the client did not ask for now;
 * one that lets too much of it wait is disconnected. Any thread. */
void rpc_session_send_event(RpcSession *session, GByteArray *frame);

/** rpc_session_close_when_sent: end the connection once all queued output has
 * been sent; nothing more is read. Any thread. */
void rpc_session_close_when_sent(RpcSession *session);

/** rpc_session_call_done: a call of @session has been answered. Any thread. */
void rpc_session_call_done(RpcSession *session);

/** rpc_session_update: look again whether to read, to write and to start
 * waiting calls. The lock is held. */
void rpc_session_update(RpcSession *session);
