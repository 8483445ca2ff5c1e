/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/complete.h"

#include <string.h>

static void
add_matching(GPtrArray *list, const char *prefix, char **candidates,
             const char *partial)
{
    for (size_t i = 0; candidates && candidates[i]; i++)
        if (g_str_has_prefix(candidates[i], partial))
            g_ptr_array_add(list, g_strconcat(prefix, candidates[i], NULL));
    g_strfreev(candidates);
}

static void
add_commands(GPtrArray *list, const char *partial)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(NULL);

    for (guint i = 0; i < commands->len; i++) {
        const VshCommand *command = commands->pdata[i];

        if (g_str_has_prefix(command->name, partial))
            g_ptr_array_add(list, g_strdup(command->name));
    }
}

static void
add_values(GPtrArray *list, VshShell *shell, const VshArgs *args,
           const VshOption *option, const char *prefix, const char *partial)
{
    if (option && option->complete)
        add_matching(list, prefix,
                     option->complete(shell, args, option, partial), partial);
}

/* Options that were not given, or that may be given again. */
static void
add_options(GPtrArray *list, const VshArgs *args, const char *partial)
{
    for (guint i = 0; i < args->options->len; i++) {
        const VshOption *option = args->options->pdata[i];
        g_autofree char *name = g_strconcat("--", option->name, NULL);

        if (g_str_has_prefix(name, partial) &&
            (!args->given[i] || option->kind == VSH_OPTION_MANY))
            g_ptr_array_add(list, g_steal_pointer(&name));
    }
}

/* "--mode=ac": candidates with the option before them. */
static void
add_inline_values(GPtrArray *list, VshShell *shell, const VshArgs *args,
                  const char *partial)
{
    const char *value = strchr(partial, '=') + 1;
    g_autofree char *prefix = g_strndup(partial, (gsize)(value - partial));

    for (guint i = 0; i < args->options->len; i++) {
        const VshOption *option = args->options->pdata[i];

        if (strlen(option->name) + 3 == strlen(prefix) &&
            strncmp(prefix + 2, option->name, strlen(option->name)) == 0)
            add_values(list, shell, args, option, prefix, value);
    }
}

/* A value by position; options as well where none is expected. */
static void
add_next(GPtrArray *list, VshShell *shell, const VshArgs *args,
         const char *partial)
{
    const VshOption *next = vsh_args_next(args);
    bool expected = next && (next->flags & VSH_OPTION_REQUIRED ||
                             next->kind == VSH_OPTION_MANY);

    add_values(list, shell, args, next, "", partial);
    if (!*partial && (!expected || list->len == 0))
        add_options(list, args, "--");
}

static void
add_arguments(GPtrArray *list, VshShell *shell, const VshStatement *before,
              const char *partial)
{
    const VshOption *pending = NULL;
    g_autoptr(VshArgs) args = vsh_args_bind_partial(before, &pending);

    if (!args)
        return;
    if (pending) {
        add_values(list, shell, args, pending, "", partial);
    } else if (g_str_has_prefix(partial, "--") && strchr(partial, '=')) {
        add_inline_values(list, shell, args, partial);
    } else if (g_str_has_prefix(partial, "-")) {
        add_options(list, args, partial);
    } else {
        add_next(list, shell, args, partial);
    }
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Two devices may bear one name: a console is often the first serial port. */
static void
drop_twins(GPtrArray *list)
{
    for (guint i = 1; i < list->len;) {
        if (strcmp(list->pdata[i - 1], list->pdata[i]) == 0)
            g_ptr_array_remove_index(list, i);
        else
            i++;
    }
}

char **
vsh_complete(VshShell *shell, const VshStatement *before, const char *partial)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    if (before->len == 0)
        add_commands(list, partial);
    else
        add_arguments(list, shell, before, partial);
    g_ptr_array_sort(list, compare);
    drop_twins(list);
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}
