/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/*
 * A firmware image of the type "rom" (engine_rom_type): it ends at 4 GiB, where
 * processors begin, and nobody writes it. A copy of its end lies in RAM below
 * 1 MiB, where it runs on; a reset makes the copy anew.
 */

/** engine_rom_shadow: copy the image's end; nothing if there is no such image
 * @error: INVALID_ARG if RAM does not reach so far. Thread: main */
bool engine_rom_shadow(Engine *engine, GError **error);
