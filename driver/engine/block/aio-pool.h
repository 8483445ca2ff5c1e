/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/aio.h"

/** Threads that do operations one by one; see aio.h. */
typedef struct EngineAioPool EngineAioPool;

EngineAioPool *engine_aio_pool_new(GError **error);
/** engine_aio_pool_free: ends its threads; nothing may be in flight; NULL is
 * fine */
void engine_aio_pool_free(EngineAioPool *pool);
/** engine_aio_pool_fd: readable when something is to be taken */
int engine_aio_pool_fd(const EngineAioPool *pool);
void engine_aio_pool_submit(EngineAioPool *pool, EngineAioOp *op);
/** engine_aio_pool_take: what has completed: a list, oldest first, with the
 * results in `result` */
EngineAioOp *engine_aio_pool_take(EngineAioPool *pool);
