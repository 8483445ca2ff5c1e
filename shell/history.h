/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/output.h"

/**
 * The lines typed at the prompt, in $XDG_CACHE_HOME/vshell/history: each is
 * appended as soon as it is entered, so that neither a crash nor a second
 * shell loses any. VSHELL_HISTSIZE is the number of lines kept.
 */
typedef struct VshHistory VshHistory;

#define VSH_HISTORY_DEFAULT 500
#define VSH_HISTORY_MAX     500000

/** vsh_history_open: load it; a file that cannot be used is only noted */
VshHistory *vsh_history_open(VshOutput *out);

/** vsh_history_add: not empty lines, nor the same line twice in a row */
void vsh_history_add(VshHistory *history, const char *text);

void vsh_history_close(VshHistory *history);
