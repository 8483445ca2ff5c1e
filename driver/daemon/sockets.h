/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/paths.h"

/** The listening sockets. */
typedef struct DaemonSocket {
    int fd;
    bool read_only;
    char *path; /* of one that we made and remove; else NULL */
} DaemonSocket;

/**
 * daemon_sockets_open: the sockets that the service manager passed
 * (sd_listen_fds(3)'s protocol), else own ones at @paths
 *
 * A socket file that a dead daemon left is replaced: the caller holds the lock
 * of these paths. Returns: array of DaemonSocket; SYSTEM_ERROR
 */
GArray *daemon_sockets_open(const DaemonPaths *paths,
                            const DaemonConfig *config, GError **error);

/** daemon_sockets_close: close all, remove the files of own ones */
void daemon_sockets_close(GArray *sockets);
