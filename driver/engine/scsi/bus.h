/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"
#include "engine/io.h"

typedef struct ScsiUnit ScsiUnit;

/** What a unit has to tell of itself. */
typedef enum ScsiNews {
    SCSI_NEWS_CAPACITY, /* another size */
    SCSI_NEWS_MEDIUM,   /* another medium, or none, or one is asked for */
} ScsiNews;

/** A controller, to the units that hang on it. Thread: main, unless it says
 * otherwise. */
typedef struct ScsiBus {
    /** Serves the units. */
    EngineIo *(*io)(EngineDevice *controller);
    /** @error: INVALID_ARG if the place is taken or there is no such place */
    bool (*attach)(EngineDevice *controller, ScsiUnit *unit, GError **error);
    /** When it returns, no request comes any more, and none is under way. */
    void (*detach)(EngineDevice *controller, ScsiUnit *unit);
    /** NULL: the guest finds out by itself. Thread: I/O */
    void (*news)(EngineDevice *controller, ScsiUnit *unit, ScsiNews news);
} ScsiBus;
