/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Behind the name of a socket that does not listen yet. */
#define DAEMON_SOCKET_UNREADY ".n"

/** Where the daemon keeps what; all absolute. */
typedef struct DaemonPaths {
    bool privileged;  /* run by root */
    bool system;      /* the host's own daemon */
    char *config_dir; /* definitions, virtkvmd.conf */
    char *run_dir;    /* volatile */
    char *lib_dir;
    char *log_dir;
    char *cache_dir;
    char *socket;           /* where libvirt's clients look */
    char *socket_read_only; /* the same for read-only clients */
    char *config_file;
    char *pid_file;
    char *lock_file; /* one daemon for these folders */
    char *log_file;  /* when there is no terminal to write to */
} DaemonPaths;

/**
 * daemon_paths_new: the system's paths for root, the user's (XDG) for others
 * @root: not NULL: everything below this folder, a private daemon
 * @session: the user's paths also for root
 * @error: INVALID_ARG when a socket's path is too long for the kernel
 */
DaemonPaths *daemon_paths_new(const char *root, bool session, GError **error);

/** daemon_paths_make: make the folders that are missing */
bool daemon_paths_make(const DaemonPaths *paths, GError **error);

void daemon_paths_free(DaemonPaths *paths);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonPaths, daemon_paths_free)
