/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * The I/O thread: one epoll set for every socket and console of the daemon,
 * with timers and a queue of functions that other threads want run there.
 * Nothing that it runs may block.
 */
typedef struct RpcLoop RpcLoop;

/** A watched descriptor; its owner keeps the descriptor open meanwhile. */
typedef struct RpcWatch RpcWatch;

/** A moment at which a function runs once. */
typedef struct RpcTimer RpcTimer;

typedef void (*RpcWatchFunc)(uint32_t events, void *data);
typedef void (*RpcLoopFunc)(void *data);

RpcLoop *rpc_loop_new(GError **error);

/** rpc_loop_free: after rpc_loop_run() returned and all watches are gone */
void rpc_loop_free(RpcLoop *loop);

/** rpc_loop_run: dispatch until rpc_loop_quit(). This is the I/O thread. */
void rpc_loop_run(RpcLoop *loop);

/** rpc_loop_quit: any thread; what was invoked before is still run */
void rpc_loop_quit(RpcLoop *loop);

/** rpc_loop_invoke: run @func in the I/O thread, in the order of the calls.
 * Any thread. */
void rpc_loop_invoke(RpcLoop *loop, RpcLoopFunc func, void *data);

/**
 * rpc_loop_watch: call @func when @fd has one of @events (EPOLLIN, ...; 0 is
 * nothing, not even a hang-up)
 * Thread: I/O, or any before rpc_loop_run(). Returns: NULL with SYSTEM_ERROR
 */
RpcWatch *rpc_loop_watch(RpcLoop *loop, int fd, uint32_t events,
                         RpcWatchFunc func, void *data, GError **error);

/** rpc_watch_set: change the events. Any thread, while the watch lives. */
void rpc_watch_set(RpcWatch *watch, uint32_t events);

/** rpc_watch_free: stop; the function is not called again. Thread: I/O. */
void rpc_watch_free(RpcWatch *watch);

/** rpc_loop_timer: call @func once, @delay_ms from now. Thread: I/O. */
RpcTimer *rpc_loop_timer(RpcLoop *loop, uint64_t delay_ms, RpcLoopFunc func,
                         void *data);

/** rpc_timer_free: a timer that has not run yet. Thread: I/O. */
void rpc_timer_free(RpcTimer *timer);
