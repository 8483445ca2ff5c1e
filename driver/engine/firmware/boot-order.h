/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"

/**
 * engine_boot_order: which devices firmware tries, by their Open Firmware
 * paths, one a line in the order of their bootindex; the end of the list is the
 * end of the search
 * @devices: EngineDeviceConfig, in any order
 * Returns: text; NULL if no device has a bootindex
 */
char *engine_boot_order(const GPtrArray *devices);
