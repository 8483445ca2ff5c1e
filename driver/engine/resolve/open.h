/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/chardev.h"

/* What engine_resolve() opens. Each returns a close-on-exec descriptor numbered
 * ENGINE_RESOLVE_FD_MIN or above, or -1 with @error set. */

/** engine_open_image: a kernel or initrd; a regular file, for reading */
int engine_open_image(const char *path, GError **error);

/** engine_find_file: the first of @paths, which NULL ends, that can be read, or
 * NULL */
const char *engine_find_file(const char *const *paths);

/** engine_open_random: a source of random bytes: a character device */
int engine_open_random(const char *path, GError **error);

/** engine_open_output: a file that a character device writes; made if absent,
 * emptied unless @append. Never waits for the other end of a FIFO. */
int engine_open_output(const char *path, bool append, GError **error);

/** engine_open_pty: a new pseudo terminal; @ret_path: of its other side */
int engine_open_pty(char **ret_path, GError **error);

/** engine_open_unix: listen at, or connect to, a UNIX stream socket */
int engine_open_unix(const ConfChardev *chardev, GError **error);

/** engine_open_tcp: listen at, or connect to, host and service */
int engine_open_tcp(const ConfChardev *chardev, GError **error);

/** engine_open_high: @fd moved to a number that may be passed on; @fd is closed
 * in any case */
int engine_open_high(int fd, GError **error);
