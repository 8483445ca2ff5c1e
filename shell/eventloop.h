/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/** The thread that runs libvirt's event loop: events, streams, keepalive. */
typedef struct VshEventLoop VshEventLoop;

/** vsh_event_loop_start: must come before the first connection */
VshEventLoop *vsh_event_loop_start(void);

/**
 * vsh_event_loop_barrier: wait until the callbacks that run now have returned;
 * one that was removed before does not run any more after this
 * Thread: any but the loop's own
 */
void vsh_event_loop_barrier(VshEventLoop *loop);

/** vsh_event_loop_stop: ends the thread; NULL is fine */
void vsh_event_loop_stop(VshEventLoop *loop);
