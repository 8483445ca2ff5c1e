/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/command.h"

/** Completers for the options of the table; see VshCompleter. */

/**
 * vsh_complete_connected: is there a connection for candidates to come from?
 * It never starts a daemon: a look at what is there costs nothing.
 */
bool vsh_complete_connected(VshShell *shell);

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

/** Targets of the disks of the domain named before. */
char **vsh_complete_disk(VshShell *shell, const VshArgs *args,
                         const VshOption *option, const char *partial);

/** A target that is free, such as vdb, in the domain named before. */
char **vsh_complete_free_target(VshShell *shell, const VshArgs *args,
                                const VshOption *option, const char *partial);

/** Targets and MAC addresses of the interfaces of the domain named before. */
char **vsh_complete_interface(VshShell *shell, const VshArgs *args,
                              const VshOption *option, const char *partial);

/** MAC addresses only; of interfaces of the option "type", if that is given. */
char **vsh_complete_mac(VshShell *shell, const VshArgs *args,
                        const VshOption *option, const char *partial);

/** Aliases of all devices of the domain named before. */
char **vsh_complete_alias(VshShell *shell, const VshArgs *args,
                          const VshOption *option, const char *partial);

/** What an interface of the option "type" can be connected to. */
char **vsh_complete_interface_source(VshShell *shell, const VshArgs *args,
                                     const VshOption *option,
                                     const char *partial);

/** Types of the interfaces of the domain named before. */
char **vsh_complete_interface_type(VshShell *shell, const VshArgs *args,
                                   const VshOption *option,
                                   const char *partial);

/** Names of networks. */
char **vsh_complete_network(VshShell *shell, const VshArgs *args,
                            const VshOption *option, const char *partial);
