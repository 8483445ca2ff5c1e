/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

#include "rpc/session.h"

/**
 * rpc_output_flush: write queued output until the socket is full
 * The lock is held. Returns: false if the connection is broken
 */
bool rpc_output_flush(RpcSession *session);

/** rpc_output_clear: drop what is queued. The lock is held. */
void rpc_output_clear(RpcSession *session);
