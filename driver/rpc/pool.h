/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

/**
 * Worker threads for calls, which may block. Two priorities: any worker takes
 * an urgent job before others, and some workers take nothing but urgent jobs,
 * so that questions are answered while every ordinary worker is blocked.
 * Threads are started when there is work and end when they have been idle.
 */
typedef struct RpcPool RpcPool;

typedef void (*RpcJob)(void *data);

/** @workers, @urgent_workers: at most so many threads of each sort, > 0 */
RpcPool *rpc_pool_new(unsigned workers, unsigned urgent_workers);

/** rpc_pool_submit: run @job on a worker. Any thread. */
void rpc_pool_submit(RpcPool *pool, bool urgent, RpcJob job, void *data);

/**
 * rpc_pool_open: jobs are only run from now on
 *
 * Until then they wait: the driver is still reading its definitions.
 */
void rpc_pool_open(RpcPool *pool);

/** rpc_pool_free: run what was submitted, wait for all threads to end */
void rpc_pool_free(RpcPool *pool);
