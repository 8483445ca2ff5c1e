/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/io.h"

/*
 * What an EngineIo looks at before it sleeps, and for how long. That is worth
 * while only if the next event comes soon, which each watch tells from its last
 * wait. A thread that is alone with its CPU loses at most a moment before it
 * sleeps; one that had to give it up meanwhile stops looking for a while.
 */
typedef struct EngineIoPolling {
    EngineIoWatch *first;
    int64_t stop_ns; /* no looking before this time */
    unsigned round;
} EngineIoPolling;

void engine_io_polling_add(EngineIoPolling *polling, EngineIoWatch *watch);
void engine_io_polling_remove(EngineIoPolling *polling, EngineIoWatch *watch);
/** engine_io_polling_look: call all that are ready. Returns: whether any was */
bool engine_io_polling_look(EngineIoPolling *polling);
/** engine_io_polling_arm: empty the list, each one armed and called if it is
 * ready. Returns: whether any was */
bool engine_io_polling_arm(EngineIoPolling *polling);
/** engine_io_polling_end: until when it is worth while to look, ns */
int64_t engine_io_polling_end(const EngineIoPolling *polling, int64_t now_ns);
/** engine_io_polling_stop: the CPU is wanted by others */
void engine_io_polling_stop(EngineIoPolling *polling, int64_t now_ns);
