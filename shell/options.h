/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/shell.h"

/** What the program is to do, from its command line. */
typedef struct VshProgram {
    char **words;     /* the command, or one text of commands; may be empty */
    const char *file; /* --file; NULL: none */
    bool done;        /* --help, --version: nothing more to do */
} VshProgram;

/**
 * vsh_options_parse: read the program's options into @shell
 * @words: NULL-terminated, without the program's name
 */
bool vsh_options_parse(VshShell *shell, char **words, VshProgram *ret_program,
                       GError **error);

/** vsh_options_help: usage, options, and the commands */
void vsh_options_help(VshOutput *out);

/**
 * vsh_options_complete: what the last of @words, a command line of the
 * program, can be; options before the command are obeyed (-c URI)
 * Returns: NULL-terminated; never NULL
 */
char **vsh_options_complete(VshShell *shell, GPtrArray *words);
