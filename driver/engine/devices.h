/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/** Every device of a machine, in the order in which they were realized. */
typedef struct EngineDevices {
    EngineDevice **items;
    unsigned count;
    unsigned listed; /* how many of the document's kinds there have been */
} EngineDevices;

/** engine_devices_init: realize those that the engine's configuration has */
bool engine_devices_init(Engine *engine, GError **error);
/** engine_devices_clear: unrealize, last first */
void engine_devices_clear(EngineDevices *devices);
void engine_devices_reset(const EngineDevices *devices);
void engine_devices_drain(const EngineDevices *devices);
void engine_devices_resume(const EngineDevices *devices);

/**
 * engine_devices_plug: realize one more
 * @config: taken over in the case of success
 */
bool engine_devices_plug(Engine *engine, EngineDeviceConfig *config,
                         GError **error);
/** engine_devices_unplug: unrealize it and close its descriptors */
void engine_devices_unplug(Engine *engine, EngineDevice *device);
