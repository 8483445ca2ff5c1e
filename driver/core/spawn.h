/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/** A program to run in a session of its own. */
typedef struct CoreSpawn {
    const char *path;
    char *const *argv;
    /* fds[i] becomes descriptor i, all others are closed. Each source must be
     * CORE_SPAWN_FD_MIN or more (core_spawn_raise()) and the count at most
     * that, so that no duplication overwrites the source of a later one. */
    const int *fds;
    size_t n_fds;
} CoreSpawn;

#define CORE_SPAWN_FD_MIN 256

/** core_spawn_raise: make *@fd at least CORE_SPAWN_FD_MIN, close-on-exec */
bool core_spawn_raise(int *fd, GError **error);

/**
 * core_spawn: start it; costs no copy of this process, however large
 * @ret_pidfd: readable once it has ended
 * Returns: pid, -1 with @error SYSTEM_ERROR
 */
pid_t core_spawn(const CoreSpawn *spawn, int *ret_pidfd, GError **error);
