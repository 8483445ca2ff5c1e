/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <pthread.h>

/** Stack of the engine's threads, bytes: each costs what it touches of it. */
#define ENGINE_THREAD_STACK (128 * 1024)

/**
 * engine_thread_start: a joinable thread with a small stack and every signal
 * blocked, so that those for the process are left to the main thread
 * Returns: 0 or an errno value
 */
int engine_thread_start(pthread_t *ret_thread, void *(*run)(void *opaque),
                        void *opaque);
