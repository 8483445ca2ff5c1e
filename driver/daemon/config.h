/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "util/log.h"

/** The largest configuration file read, bytes. */
#define DAEMON_CONFIG_MAX (1024 * 1024)

/** virtkvmd.conf. */
typedef struct DaemonConfig {
    unsigned max_clients;
    unsigned max_client_requests;
    unsigned max_workers;
    unsigned prio_workers;
    unsigned keepalive_interval_s;
    unsigned keepalive_count;
    LogLevel log_level;
    char *log_file; /* NULL: standard error, or the log folder */
    mode_t socket_mode;
    mode_t socket_read_only_mode;
    char *socket_group; /* NULL: the daemon's */
    char *driver_dir;   /* NULL: the installed one */
    char *engine;       /* NULL: the installed one */
    GHashTable *values; /* all keys of the file as text, for the drivers */
} DaemonConfig;

/** daemon_config_new: the defaults; @system: of the host's own daemon */
DaemonConfig *daemon_config_new(bool system);

/**
 * daemon_config_parse: set what @text says: `key = value`, comments from '#'
 * @name: of the file, for messages
 * @error: CONF_SYNTAX "file:line: what", for the first wrong line
 */
bool daemon_config_parse(DaemonConfig *config, const char *name,
                         const char *text, GError **error);

/** daemon_config_load: the file at @path; one that is not there is fine unless
 * it is @required */
bool daemon_config_load(DaemonConfig *config, const char *path, bool required,
                        GError **error);

void daemon_config_free(DaemonConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonConfig, daemon_config_free)
