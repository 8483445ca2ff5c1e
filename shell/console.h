/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/shell.h"

/** How a console is opened, and what ends it. */
typedef struct VshConsoleOptions {
    const char *devname; /* alias of the character device; NULL: the first */
    unsigned flags;      /* virDomainConsoleFlags */
    bool resume;         /* resume the domain once the console is there */
    unsigned timeout_s;  /* leave after so many seconds; 0: never */
    const char *until;   /* leave when the guest has printed this; or NULL */
} VshConsoleOptions;

/**
 * vsh_console_run: join this terminal and the guest's console
 *
 * With a terminal as standard input it is made raw, and the escape character
 * ends the console. Else standard input is sent as it is up to its end, and
 * the console goes on until the guest closes it, the timeout, or Ctrl-C.
 *
 * Returns: false if it could not be opened, broke, or ended (TIMEOUT:
 * because of the timeout) before options->until was seen
 */
bool vsh_console_run(VshShell *shell, virDomainPtr domain,
                     const VshConsoleOptions *options, GError **error);
