/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

#define ENGINE_FLASH_CHIPS 2

/** Flash chips below 4 GiB: the machine document's "firmware" if it is flash:
 * 0 its image, 1 its variables */
extern const EngineDeviceType engine_flash_type;
