/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

#include "shell/uri.h"

/** A daemon that we started ends this many seconds after its last use. */
#define VSH_DAEMON_IDLE_S 120
/** A private one (embed) ends with its last client and domain; two commands of
 * a script, one after the other, find the same. */
#define VSH_DAEMON_PRIVATE_IDLE_S 2

/** How long a daemon may take until it listens. */
#define VSH_DAEMON_WAIT_MS 15000

/** vsh_daemon_listens: does something accept connections at @socket? */
bool vsh_daemon_listens(const char *socket);

/**
 * vsh_daemon_find: the program virtkvmd: $VIRTKVM_DAEMON, beside this
 * program, in its sbin, or where it was to be installed
 * Returns: NULL if there is none
 */
char *vsh_daemon_find(void);

/**
 * vsh_daemon_start: start virtkvmd for @target and wait until it listens
 *
 * Two that start it at once are fine: the daemon's own lock lets one live,
 * and both wait for the socket.
 * Returns: false with CONNECT, and the daemon's own words where it left any
 */
bool vsh_daemon_start(const VshTarget *target, GError **error);
