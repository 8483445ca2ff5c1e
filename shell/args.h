/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>

#include "shell/command.h"
#include "shell/parse.h"

/** A command with the values of its options. */
struct VshArgs {
    const VshCommand *command;
    GPtrArray *options; /* vsh_command_options() of it */
    GPtrArray **values; /* by index in options: char*; NULL: not given */
    bool *given;        /* by index: a flag or value was given */
};

/**
 * vsh_args_bind: find the command and give its options their values
 *
 * --name value, --name=value, in which - and _ are the same; words by position
 * go to the options that take values in their order in the table; after "--"
 * all words are values.
 *
 * Returns: NULL with USAGE for an unknown command or option, a missing or
 * surplus value
 */
VshArgs *vsh_args_bind(const VshStatement *statement, GError **error);

/**
 * vsh_args_bind_partial: the same for completion: wrong words are skipped
 * @ret_pending: the option whose value the next word is, because it was
 * named last ("--mode "), or NULL
 * Returns: NULL only if the command is unknown
 */
VshArgs *vsh_args_bind_partial(const VshStatement *statement,
                               const VshOption **ret_pending);

/** vsh_args_next: the option the next word by position would go to, or NULL */
const VshOption *vsh_args_next(const VshArgs *args);

void vsh_args_free(VshArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshArgs, vsh_args_free)

/** vsh_args_given: was the option (a flag, usually) given? */
bool vsh_args_given(const VshArgs *args, const char *name);

/** vsh_args_string: the value, or NULL if not given; the first of several */
const char *vsh_args_string(const VshArgs *args, const char *name);

/** vsh_args_strings: all values of a MANY option; NULL if not given */
GPtrArray *vsh_args_strings(const VshArgs *args, const char *name);

/** vsh_args_number: the value, or @fallback if not given; checked by bind */
unsigned vsh_args_number(const VshArgs *args, const char *name,
                         unsigned fallback);

/** vsh_args_size: bytes, or @fallback if not given; checked by bind */
uint64_t vsh_args_size(const VshArgs *args, const char *name,
                       uint64_t fallback);

/** vsh_args_has: does the command know the option at all? */
bool vsh_args_has(const VshArgs *args, const char *name);

/**
 * vsh_args_exclusive: refuse two of the named options together
 * @names: NULL-terminated
 */
bool vsh_args_exclusive(const VshArgs *args, const char *const *names,
                        GError **error);

/** A flag of a command and the libvirt flag bits it stands for. */
typedef struct VshFlagBits {
    const char *name;
    unsigned bits;
} VshFlagBits;

/** vsh_args_bits: the bits of all flags given; @map ends with a NULL name */
unsigned vsh_args_bits(const VshArgs *args, const VshFlagBits *map);
