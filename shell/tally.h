/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/shell.h"

/** The failures of a command that acts on several things. */
typedef struct VshTally {
    unsigned total;
    unsigned failed;
    bool several;  /* failures are reported at once, not handed up */
    VshExit first; /* class of the first failure */
} VshTally;

/**
 * vsh_tally_failure: take @failure over: the only one is handed up in @error,
 * one of several is printed
 */
void vsh_tally_failure(VshTally *tally, VshShell *shell, GError *failure,
                       GError **error);

/** vsh_tally_goes_on: may the next thing be done? */
bool vsh_tally_goes_on(const VshTally *tally, const VshShell *shell);
