/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rpc/message-device.h"

/** rpc_params_check: RPC unless a client may ask for @wanted elements
 * of an answer that holds @max */
bool rpc_params_check(int64_t wanted, unsigned max, GError **error);

/**
 * rpc_params_answer: the answer to a question for typed parameters
 * @params: what the driver said; taken over   @wanted: by the client; 0: only
 * their number; fewer than there are: the first of them
 * @flags: without VIR_TYPED_PARAM_STRING_OKAY texts are left out
 */
void rpc_params_answer(VirtkvmParams *params, int64_t wanted, unsigned flags,
                       RpcParams *ret);
