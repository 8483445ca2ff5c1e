/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/** core_console_end_all: ask the streams of all of a run's consoles to end;
 * with the domain's lock held */
void core_console_end_all(CoreRun *run);
