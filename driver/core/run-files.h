/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/state.h"

/**
 * core_run_files_sweep: remove what a killed daemon left behind
 *
 * Sockets and exit files of domains that are not active, and half-written
 * temporary files. Before anything else writes into these folders.
 */
void core_run_files_sweep(VirtkvmState *state);
