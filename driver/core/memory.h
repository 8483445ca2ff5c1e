/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/view.h"

/** core_memory_stats: of a running domain: array of VirtkvmMemoryStat; asks the
 * engine, what it does not answer is left out */
GArray *core_memory_stats(const CoreView *view);
