/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "rpc/frame.h"
#include "rpc/procedure.h"
#include "rpc/session.h"

/** A call under way. */
struct RpcCall {
    RpcSession *session;
    const RpcProcedure *procedure;
    RpcFrame *frame;
    const VirtkvmDriver *driver; /* of the connection; NULL before it is open */
    VirtkvmState *state;
    const VirtkvmCaller *who;
    VirtkvmConsole *console; /* a handler's: the answer opens a stream on it */
    bool answered;           /* by the handler itself */
};

/**
 * rpc_dispatch_call: the call that @frame (taken over) asks for
 * Returns: NULL when there is none; an error has been answered if the frame
 * was a call. Thread: I/O.
 */
RpcCall *rpc_dispatch_call(RpcSession *session, RpcFrame *frame);

/** rpc_call_start: hand @call to a worker, which answers and frees it */
void rpc_call_start(RpcCall *call);

/** rpc_call_size: bytes it keeps */
size_t rpc_call_size(const RpcCall *call);

/** rpc_call_answer: send struct @ret of the procedure's type as the answer.
 * For handlers that must do it at a certain moment. */
void rpc_call_answer(RpcCall *call, const void *ret);

void rpc_call_free(RpcCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcCall, rpc_call_free)

/**
 * rpc_call_supported: whether the driver has an operation
 * @error: NO_SUPPORT, with the name of libvirt's function
 */
bool rpc_call_supported(const RpcCall *call, bool has, GError **error);

/** RPC_DRIVER_CALL: the driver's OPERATION with the arguments that follow those
 * of every call, if it has one; for handlers, whose @error it takes */
#define RPC_DRIVER_CALL(CALL, OPERATION, ...)                      \
    (rpc_call_supported(CALL, (CALL)->driver->OPERATION, error) && \
     (CALL)->driver->OPERATION((CALL)->state, (CALL)->who, __VA_ARGS__))
