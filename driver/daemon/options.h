/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** virtkvmd's command line. */
typedef struct DaemonOptions {
    gboolean background;
    gboolean verbose;
    gboolean version;
    gboolean session; /* the user's paths, also for root */
    int timeout_s;    /* 0: never */
    char *config_file;
    char *pid_file;
    char *root;
} DaemonOptions;

/** daemon_options_parse: @error: INVALID_ARG. --help prints and exits. */
bool daemon_options_parse(DaemonOptions *options, int argc, char **argv,
                          GError **error);

void daemon_options_clear(DaemonOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DaemonOptions, daemon_options_clear)
