/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

#include "core/engine.h"

/** A log that is larger when a domain starts is put aside as NAME.log.0. */
#define CORE_LOG_MAX_BYTES (2u << 20)

/** core_domain_log_open: append to <log_dir>/NAME.log; -1 with @error set */
int core_domain_log_open(VirtkvmState *state, const char *name, GError **error);

/** core_domain_log_start: write the command line and the warnings */
void core_domain_log_start(int fd, char *const *argv,
                           const GPtrArray *warnings);

/** core_domain_log_warnings: a line each; NULL is fine */
void core_domain_log_warnings(int fd, const GPtrArray *warnings);

/** core_domain_log_line: one line with the time before it */
void core_domain_log_line(int fd, const char *text);
