/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/device.h"

#define ENGINE_FLASH_CHIPS 2

/** Flash chips below 4 GiB: the machine document's "firmware" if it is flash:
 * 0 its image, 1 its variables */
extern const EngineDeviceType engine_flash_type;

/** The machine document's "firmware" if it is a ROM (image.h) */
extern const EngineDeviceType engine_rom_type;

/** Port 0x402, where firmware says what it does: each line becomes one of the
 * engine's log, as fast as 300 lines at once and 10 a second in the long run
 * allow, so that no guest fills the host's disk. With firmware only. */
extern const EngineDeviceType engine_debug_port_type;

/** The configuration device (fw-cfg.h) */
extern const EngineDeviceType engine_fw_cfg_type;

/**
 * engine_firmware_load: what firmware finds when it begins: its own copy in RAM
 * and all that the configuration device says. Called at start and again at
 * every reset.
 * @config: has firmware
 */
bool engine_firmware_load(Engine *engine, const EngineConfig *config,
                          GError **error);
