/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/engine.h"

/** From the power button to the guest's end, and from the request to let go of
 * a device to its end. */
#define CORE_NULL_POWERDOWN_MS 100

/** Private to engine-null*.c. */
typedef struct NullEngine {
    CoreEngine engine;
    VirtkvmState *state;
    GMutex lock;
    CoreEngineEventFn event; /* NULL: detached, or ended */
    gpointer opaque;
    GSource *button; /* the guest is shutting down */
    bool paused;
    bool reboot; /* what it does then */
    /* alias -> uint64_t: what disks were resized to; none is really */
    GHashTable *sizes;
} NullEngine;

/** core_null_queue: deliver @event from the I/O thread, soon; its id is kept */
void core_null_queue(NullEngine *engine, const CoreEngineEvent *event);
