/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/shell.h"

/**
 * vsh_complete: what the word after @before can be
 * @before: the words of the statement so far   @partial: the word's beginning
 * Returns: sorted candidates that begin with @partial, NULL-terminated, to
 * g_strfreev(); never NULL
 */
char **vsh_complete(VshShell *shell, const VshStatement *before,
                    const char *partial);
