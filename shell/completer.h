/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/command.h"

/** Completers for the options of the table; see VshCompleter. */

/** The words of option->words. */
char **vsh_complete_word(VshShell *shell, const VshArgs *args,
                         const VshOption *option, const char *partial);

/** Comma-separated lists of option->words. */
char **vsh_complete_words(VshShell *shell, const VshArgs *args,
                          const VshOption *option, const char *partial);

/**
 * Names of the domains in the states of option->domains (bits of
 * virConnectListAllDomainsFlags; 0: all), without those already given.
 */
char **vsh_complete_domain(VshShell *shell, const VshArgs *args,
                           const VshOption *option, const char *partial);

/** Files and folders that begin as @partial does; folders end in '/'. */
char **vsh_complete_file(VshShell *shell, const VshArgs *args,
                         const VshOption *option, const char *partial);

/** Folders only. */
char **vsh_complete_folder(VshShell *shell, const VshArgs *args,
                           const VshOption *option, const char *partial);

/** Names of commands and groups. */
char **vsh_complete_topic(VshShell *shell, const VshArgs *args,
                          const VshOption *option, const char *partial);

/** URIs that are likely. */
char **vsh_complete_uri(VshShell *shell, const VshArgs *args,
                        const VshOption *option, const char *partial);

/** Aliases of serial ports and consoles of the domain named before. */
char **vsh_complete_chardev(VshShell *shell, const VshArgs *args,
                            const VshOption *option, const char *partial);
