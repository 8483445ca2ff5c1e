/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

/** Why an engine ended; docs/engine-protocol.md, "Ending". */
typedef struct EngineExitNote {
    const char *reason;
    const char *error;  /* start-failed; else NULL */
    const char *report; /* internal-error; else NULL */
    int status;         /* debug-exit; else -1 */
} EngineExitNote;

/**
 * engine_exit_file_write: leave @note as one line of JSON in the exit file
 * @fd: -1 for none; failure to write is logged, nothing more can be done
 */
void engine_exit_file_write(int fd, const EngineExitNote *note);
