/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/** core_autostart_begin: start the domains marked so, in a thread of its own,
 * if that was not done since the host was booted */
void core_autostart_begin(VirtkvmState *state);

/** core_autostart_end: wait for that thread; it starts no further domain */
void core_autostart_end(VirtkvmState *state);
