/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <virtkvm/driver.h>

#include "rpc/event.h"
#include "rpc/loop.h"
#include "rpc/pool.h"

/** One read; also what a client may take before it is the others' turn. */
#define RPC_SCRATCH_SIZE (64u * 1024)

typedef struct RpcSession RpcSession;

/** A driver that is ready, and what connections to it are handed. */
typedef struct RpcRoute {
    const VirtkvmDriver *driver;
    VirtkvmState *state;
} RpcRoute;

typedef struct RpcLimits {
    unsigned max_clients;
    unsigned max_client_requests;
    unsigned keepalive_interval_s; /* 0: the server does not ask */
    unsigned keepalive_count;      /* questions without an answer */
} RpcLimits;

/** What the daemon supplies. Any thread. */
typedef struct RpcServiceCalls {
    /** the driver for @uri ("" when the client gave none), or NULL */
    const RpcRoute *(*route)(void *opaque, const char *uri, GError **error);
    /** a client has come (+1) or gone (-1) */
    void (*clients)(void *opaque, int change);
} RpcServiceCalls;

/** What all connections share. */
typedef struct RpcService {
    RpcLoop *loop;
    RpcPool *pool;
    RpcEvents events;
    RpcLimits limits;
    const RpcServiceCalls *calls;
    void *opaque;    /* of calls */
    bool privileged; /* for the URI of a connection that named none */
    /* I/O thread: */
    GQueue sessions;
    guint64 last_id;
    uint8_t *scratch; /* RPC_SCRATCH_SIZE, for reading */
} RpcService;

/** rpc_service_init: @service keeps @loop, @pool, @calls and @opaque */
void rpc_service_init(RpcService *service, RpcLoop *loop, RpcPool *pool,
                      const RpcServiceCalls *calls, void *opaque);

/** rpc_service_accept: serve the client at socket @fd, which is taken over.
 * Thread: I/O. */
void rpc_service_accept(RpcService *service, int fd, bool read_only);

/** rpc_service_close_all: end all connections. Thread: I/O. */
void rpc_service_close_all(RpcService *service);

/** rpc_service_clear: after the pool has ended */
void rpc_service_clear(RpcService *service);
