/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"
#include "engine/dev/dev.h"

/*
 * A way out for test guests: a byte written to the port ends the engine, with
 * that byte in its exit status.
 */
#define DEBUG_EXIT_PORT 0xf4

static bool
debug_exit_realize(EngineDevice *device, Engine *engine,
                   const EngineConfig *config, unsigned index, GError **error)
{
    return !config->debug_exit ||
           engine_bus_map(engine, device, ENGINE_SPACE_PIO, DEBUG_EXIT_PORT, 1,
                          0, error);
}

static void
debug_exit_write(EngineDevice *device, unsigned region, uint64_t offset,
                 unsigned size, uint64_t value)
{
    engine_request(device->engine, ENGINE_REQUEST_DEBUG_EXIT, value & 0xff);
}

const EngineDeviceType engine_debug_exit_type = {
    .name = "debug-exit",
    .size = sizeof(EngineDevice),
    .realize = debug_exit_realize,
    .write = debug_exit_write,
};
