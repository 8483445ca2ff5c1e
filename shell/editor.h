/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/shell.h"

/**
 * vsh_editor_run: have the user edit @text in $VISUAL, $EDITOR or vi
 * @suffix: of the temporary file, so that editors know the language (".xml")
 * Returns: the new text, or NULL
 */
char *vsh_editor_run(const char *text, const char *suffix, GError **error);

/** What the user wants after an edit that was refused. */
typedef enum VshReedit {
    VSH_REEDIT_YES,   /* edit again */
    VSH_REEDIT_NO,    /* throw the changes away */
    VSH_REEDIT_RELAX, /* try the same text without validation */
    VSH_REEDIT_FORCE, /* try the same text again */
} VshReedit;

/**
 * vsh_editor_ask: show @message and ask what to do; NO without a terminal
 * @relax: is RELAX a choice?
 */
VshReedit vsh_editor_ask(VshShell *shell, const char *message, bool relax);
