/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "shell/args.h"
#include "shell/connection.h"
#include "shell/exit.h"
#include "shell/output.h"

/** One run of vshell. */
struct VshShell {
    VshOutput out;
    VshConnection connection;
    char escape;        /* the console's escape character, as a control code */
    bool interactive;   /* commands are typed on a terminal */
    bool stop_on_error; /* the first failure ends a chain or a script */
    bool quit;          /* quit, exit or a failure with stop_on_error */
    VshExit status;     /* of the first command that failed, else OK */
};

/** vsh_shell_init: defaults; nothing is opened */
void vsh_shell_init(VshShell *shell);
void vsh_shell_clear(VshShell *shell);

/**
 * vsh_run_text: run all commands of @text
 *
 * All of them are parsed and their options bound before the first one runs,
 * so that a slip anywhere in the text does nothing at all.
 * @ret_want: as vsh_parse(); if it is given and more text could help, nothing
 * is reported
 * Returns: did all succeed? Failures have been reported and their class
 * is in shell->status.
 */
bool vsh_run_text(VshShell *shell, const char *text, VshParseWant *ret_want);

/** vsh_run_words: one command whose words are given */
bool vsh_run_words(VshShell *shell, char *const *words);

/** vsh_run_file: commands from @path; "-" is standard input */
bool vsh_run_file(VshShell *shell, const char *path);

/** vsh_run_interactive: read commands from the terminal until quit or EOF */
void vsh_run_interactive(VshShell *shell);
