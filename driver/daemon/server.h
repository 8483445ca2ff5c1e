/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/options.h"
#include "daemon/paths.h"

/** The running daemon. */
typedef struct DaemonServer DaemonServer;

/**
 * daemon_server_new: listen; clients can connect from now on, and wait
 * @options, @paths: kept   @config: taken over
 * @log_fd: where messages go
 */
DaemonServer *daemon_server_new(const DaemonOptions *options,
                                const DaemonPaths *paths, DaemonConfig *config,
                                int log_fd, GError **error);

/** daemon_server_start: load the drivers; calls are answered from now on.
 * Thread: main. SIGTERM, SIGINT and SIGHUP are blocked in every thread. */
bool daemon_server_start(DaemonServer *server, GError **error);

/** daemon_server_run: serve until the end: a signal, or the time without
 * clients and domains. Thread: main. */
void daemon_server_run(DaemonServer *server);

/** daemon_server_free: end all connections, wait for calls under way, stop the
 * drivers; running domains go on */
void daemon_server_free(DaemonServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonServer, daemon_server_free)
