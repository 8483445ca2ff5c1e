/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rpc/frame.h"
#include "rpc/loop.h"

typedef struct RpcSession RpcSession;

/**
 * Keep-alives: a client's PING is answered at once; a client that said it
 * knows them is asked after a silence of one interval, and is dead when so
 * many questions stay without any message from it. Thread: I/O.
 */
typedef struct RpcKeepalive {
    RpcTimer *timer; /* NULL: not asking */
    unsigned unanswered;
    gint64 heard_us; /* monotonic; when the last message came */
} RpcKeepalive;

/** rpc_keepalive_start: begin to ask, if the service is set to */
void rpc_keepalive_start(RpcSession *session);

void rpc_keepalive_stop(RpcSession *session);

/** rpc_keepalive_heard: any message came */
void rpc_keepalive_heard(RpcSession *session);

/** rpc_keepalive_handle: true if @frame is the keep-alive program's */
bool rpc_keepalive_handle(RpcSession *session, const RpcFrame *frame);
