/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/document.h"

#include <string.h>

#include "shell/tally.h"
#include "util/file.h"
#include "util/i18n.h"

char *
vsh_document_read(const char *path, GError **error)
{
    const char *file = strcmp(path, "-") == 0 ? "/dev/stdin" : path;

    return file_read(file, VSH_DOCUMENT_MAX, NULL, error);
}

bool
vsh_document_each(VshShell *shell, const VshArgs *args,
                  VshDocumentAction action, GError **error)
{
    GPtrArray *files = vsh_args_strings(args, "file");
    VshTally tally = { .total = files->len, .several = files->len > 1 };

    for (guint i = 0; i < files->len && vsh_tally_goes_on(&tally, shell); i++) {
        GError *failure = NULL;

        if (!action(shell, args, files->pdata[i], &failure))
            vsh_tally_failure(&tally, shell, failure, error);
    }
    if (tally.failed > 0 && tally.several)
        vsh_error_set(error, tally.first,
                      ngettext("%u of %u file failed", "%u of %u files failed",
                               tally.total),
                      tally.failed, tally.total);
    return tally.failed == 0;
}
