/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <virtkvm/driver.h>

#include "rpc/frame.h"
#include "rpc/session.h"

/**
 * Streams: after the answer to a call its serial carries data both ways,
 * between the client and a console's descriptor.
 *
 * A client that does not read keeps at most RPC_STREAM_OUTPUT_HIGH bytes
 * waiting here: the console is not read meanwhile.
 */
#define RPC_STREAM_OUTPUT_HIGH (256u * 1024)

/**
 * rpc_stream_open: answer the call @request and start its stream
 * @console: taken over. Any thread.
 */
void rpc_stream_open(RpcSession *session, const RpcHeader *request,
                     VirtkvmConsole *console);

/** rpc_stream_handle: true if @frame belongs to streams, open or not.
 * Thread: I/O. */
bool rpc_stream_handle(RpcSession *session, const RpcFrame *frame);

/** rpc_stream_resume_all: the client has read some. Thread: I/O. */
void rpc_stream_resume_all(RpcSession *session);

/** rpc_stream_abort_all: the connection ends. Thread: I/O. */
void rpc_stream_abort_all(RpcSession *session);
