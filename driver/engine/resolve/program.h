/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** The descriptor that a program is given beside the standard ones. */
#define ENGINE_PROGRAM_FD 3

/**
 * engine_program_run: run a program of the host's, found by its name in the
 * path, and wait until it has ended or, if it does that, is in the background
 * @argv: NULL at the end
 * @fd: one of open.h's, which it has as ENGINE_PROGRAM_FD
 * @error: SYSTEM_ERROR: it cannot be run; OPERATION_FAILED, with its last
 * words. Thread: any; blocks
 */
bool engine_program_run(char *const *argv, int fd, GError **error);
