/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/net/net.h"

/*
 * Several frames to a descriptor with one system call, where the kernel has
 * io_uring and lets us use it.
 *
 * Threads: that which made it.
 */
typedef struct EngineNetBurst EngineNetBurst;

/** engine_net_burst_new: Returns: NULL if the kernel has no such thing to give
 */
EngineNetBurst *engine_net_burst_new(void);
/** engine_net_burst_free: NULL is fine */
void engine_net_burst_free(EngineNetBurst *burst);

/**
 * engine_net_burst_write: one after another, each with all of its `iov`
 * @fd: does not block   @count: at most ENGINE_NET_BURST_MAX
 * @ret_sent: what became of each that was tried; behind one that is FULL all
 * are
 * Returns: how many were tried, from the first on; if they are less than @count
 * the kernel has stopped to take them, and will take no others
 */
unsigned engine_net_burst_write(EngineNetBurst *burst, int fd,
                                const EngineNetFrame *frames, unsigned count,
                                EngineNetSent *ret_sent);
