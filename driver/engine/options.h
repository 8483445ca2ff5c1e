/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** What the command line asks for; -1 and NULL where it doesn't. */
typedef struct EngineOptions {
    int machine_fd;
    const char *machine;
    const char *xml;
    int control_fd;
    const char *control;
    int exit_fd;
    int log_fd;
    bool version;
    bool help;
} EngineOptions;

/**
 * engine_options_parse: read the command line
 * @ret_options: points into @argv
 * @error: INVALID_ARG, naming the option
 */
bool engine_options_parse(int argc, char **argv, EngineOptions *ret_options,
                          GError **error);

/** engine_options_help: the help text, newly allocated */
char *engine_options_help(void);
