/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/shell.h"

/** Files of XML that commands read. */

/** The largest document taken, in bytes: more than libvirt's wire allows. */
#define VSH_DOCUMENT_MAX (4 * 1024 * 1024)

/** The option "file" of commands that take several documents. */
#define VSH_OPTION_FILES                                                       \
    {                                                                          \
        .name = "file", .kind = VSH_OPTION_MANY, .flags = VSH_OPTION_REQUIRED, \
        .help = N_("file containing an XML domain description"),               \
        .complete = vsh_complete_file                                          \
    }

/** vsh_document_read: the text of the file @path; "-" is standard input */
char *vsh_document_read(const char *path, GError **error);

typedef bool (*VshDocumentAction)(VshShell *shell, const VshArgs *args,
                                  const char *path, GError **error);

/**
 * vsh_document_each: act on all files that the option "file" names; failures
 * of several are reported as they happen, as vsh_domain_each() does
 */
bool vsh_document_each(VshShell *shell, const VshArgs *args,
                       VshDocumentAction action, GError **error);
