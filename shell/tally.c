/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/tally.h"

#include "shell/interrupt.h"

void
vsh_tally_failure(VshTally *tally, VshShell *shell, GError *failure,
                  GError **error)
{
    tally->failed++;
    if (tally->first == VSH_EXIT_OK)
        tally->first = vsh_error_exit(failure);
    if (!tally->several) {
        g_propagate_error(error, failure);
        return;
    }
    vsh_print_error(&shell->out, failure);
    g_error_free(failure);
}

bool
vsh_tally_goes_on(const VshTally *tally, const VshShell *shell)
{
    return !(tally->failed > 0 && shell->stop_on_error) && !vsh_interrupted();
}
