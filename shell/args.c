/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shell/exit.h"
#include "shell/scale.h"
#include "util/i18n.h"

static VshArgs *
args_new(const VshCommand *command)
{
    VshArgs *args = g_new0(VshArgs, 1);

    args->command = command;
    args->options = vsh_command_options(command);
    args->values = g_new0(GPtrArray *, args->options->len);
    args->given = g_new0(bool, args->options->len);
    return args;
}

void
vsh_args_free(VshArgs *args)
{
    if (!args)
        return;
    for (guint i = 0; i < args->options->len; i++)
        g_clear_pointer(&args->values[i], g_ptr_array_unref);
    g_ptr_array_unref(args->options);
    g_free(args->values);
    g_free(args->given);
    g_free(args);
}

static const VshOption *
option_at(const VshArgs *args, guint index)
{
    return args->options->pdata[index];
}

/* Scripts write --total_bytes_sec as well as --total-bytes-sec. */
static bool
same_name(const char *known, const char *name, size_t length)
{
    if (strlen(known) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (known[i] != (name[i] == '_' ? '-' : name[i]))
            return false;
    return true;
}

/* The index of the option of @length characters at @name, or -1. */
static int
option_index(const VshArgs *args, const char *name, size_t length)
{
    for (guint i = 0; i < args->options->len; i++)
        if (same_name(option_at(args, i)->name, name, length))
            return (int)i;
    return -1;
}

static int
option_require(const VshArgs *args, const char *name)
{
    int index = option_index(args, name, strlen(name));

    if (index < 0)
        g_error("command '%s' has no option '%s'", args->command->name, name);
    return index;
}

/* The index of the option that takes the next word by position, or -1. */
static int
next_index(const VshArgs *args)
{
    for (guint i = 0; i < args->options->len; i++) {
        const VshOption *option = option_at(args, i);

        if (option->kind == VSH_OPTION_FLAG ||
            (option->flags & VSH_OPTION_NAMED))
            continue;
        if (!args->given[i] || option->kind == VSH_OPTION_MANY)
            return (int)i;
    }
    return -1;
}

const VshOption *
vsh_args_next(const VshArgs *args)
{
    int index = next_index(args);

    return index < 0 ? NULL : option_at(args, (guint)index);
}

static void
refuse_unknown(const VshArgs *args, const char *word, GError **error)
{
    g_autofree const char **names =
        g_new0(const char *, args->options->len + 1);
    const char *nearest;

    for (guint i = 0; i < args->options->len; i++)
        names[i] = option_at(args, i)->name;
    nearest = vsh_nearest(word + 2, names);
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("command '%s' doesn't support option %s"),
                  args->command->name, word);
    if (nearest)
        vsh_error_hint(error, _("did you mean --%s?"), nearest);
    else
        vsh_error_hint(error, _("'help %s' lists its options"),
                       args->command->name);
}

static bool
check_number(const VshOption *option, const char *value, GError **error)
{
    guint64 number;

    if (g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT, &number, NULL))
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("Numeric value '%s' for <%s> option is malformed or out of "
                    "range"),
                  value, option->name);
    return false;
}

static uint64_t
unit_of(const VshOption *option)
{
    return option->unit > 0 ? option->unit : 1;
}

static bool
check_size(const VshOption *option, const char *value, GError **error)
{
    uint64_t bytes;

    if (vsh_scale_parse(value, unit_of(option), &bytes))
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("Scaled numeric value '%s' for <%s> option is malformed or "
                    "out of range"),
                  value, option->name);
    vsh_error_hint(error, _("a whole number and a unit, such as 512M, 1GiB or "
                            "10KB"));
    return false;
}

static bool
check_value(const VshOption *option, const char *value, GError **error)
{
    if (option->kind == VSH_OPTION_NUMBER)
        return check_number(option, value, error);
    if (option->kind == VSH_OPTION_SIZE)
        return check_size(option, value, error);
    return true;
}

static bool
set_value(VshArgs *args, guint index, const char *value, GError **error)
{
    const VshOption *option = option_at(args, index);

    if (args->given[index] && option->kind != VSH_OPTION_MANY) {
        vsh_error_set(error, VSH_EXIT_USAGE, _("option --%s already seen"),
                      option->name);
        return false;
    }
    if (value && !*value && !(option->flags & VSH_OPTION_EMPTY)) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("the value of option <%s> is empty"), option->name);
        return false;
    }
    if (!check_value(option, value, error))
        return false;
    args->given[index] = true;
    if (!value)
        return true;
    if (!args->values[index])
        args->values[index] = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(args->values[index], g_strdup(value));
    return true;
}

/* Where binding stands: the words and the next one to take. */
typedef struct VshBinder {
    VshArgs *args;
    const VshStatement *words;
    guint next;
    bool values_only; /* "--" was seen */
} VshBinder;

/* Binds the word at binder->next, which is "--name" or "--name=value". */
static bool
bind_named(VshBinder *binder, GError **error)
{
    const VshWord *word = binder->words->pdata[binder->next++];
    const char *equals = strchr(word->text, '=');
    size_t length = equals ? (size_t)(equals - word->text) : strlen(word->text);
    g_autofree char *name = g_strndup(word->text, length);
    int index = option_index(binder->args, name + 2, length - 2);
    const VshOption *option;

    if (index < 0) {
        refuse_unknown(binder->args, name, error);
        return false;
    }
    option = option_at(binder->args, (guint)index);
    if (option->kind == VSH_OPTION_FLAG) {
        if (!equals)
            return set_value(binder->args, (guint)index, NULL, error);
        vsh_error_set(error, VSH_EXIT_USAGE, _("invalid '=' after option --%s"),
                      option->name);
        return false;
    }
    if (equals)
        return set_value(binder->args, (guint)index, equals + 1, error);
    if (binder->next < binder->words->len) {
        word = binder->words->pdata[binder->next++];
        return set_value(binder->args, (guint)index, word->text, error);
    }
    vsh_error_set(error, VSH_EXIT_USAGE, _("expected syntax: --%s <%s>"),
                  option->name,
                  vsh_option_is_number(option) ? "number" : "string");
    return false;
}

static bool
bind_word(VshBinder *binder, GError **error)
{
    const VshWord *word = binder->words->pdata[binder->next];
    int index;

    if (!binder->values_only) {
        if (strcmp(word->text, "--") == 0) {
            binder->values_only = true;
            binder->next++;
            return true;
        }
        if (g_str_has_prefix(word->text, "--"))
            return bind_named(binder, error);
    }
    binder->next++;
    index = next_index(binder->args);
    if (index >= 0)
        return set_value(binder->args, (guint)index, word->text, error);
    vsh_error_set(error, VSH_EXIT_USAGE, _("unexpected data '%s'"), word->text);
    return false;
}

static bool
check_format(const VshArgs *args, GError **error)
{
    const char *format;

    if (!(args->command->flags & VSH_COMMAND_QUERY))
        return true;
    format = vsh_args_string(args, "format");
    if (!format || strcmp(format, "table") == 0 || strcmp(format, "json") == 0)
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("unknown output format '%s', expecting 'table' or 'json'"),
                  format);
    return false;
}

static bool
check_required(const VshArgs *args, GError **error)
{
    if (vsh_args_given(args, "help"))
        return true;
    for (guint i = 0; i < args->options->len; i++) {
        const VshOption *option = option_at(args, i);

        if ((option->flags & VSH_OPTION_REQUIRED) && !args->given[i]) {
            vsh_error_set(error, VSH_EXIT_USAGE,
                          option->flags & VSH_OPTION_NAMED
                              ? _("command '%s' requires --%s option")
                              : _("command '%s' requires <%s> option"),
                          args->command->name, option->name);
            return false;
        }
    }
    return true;
}

VshArgs *
vsh_args_bind(const VshStatement *statement, GError **error)
{
    const VshWord *first = statement->pdata[0];
    const VshCommand *command = vsh_command_find(first->text);
    g_autoptr(VshArgs) args = NULL;
    const char *nearest;
    VshBinder binder;

    if (!command) {
        vsh_error_set(error, VSH_EXIT_USAGE, _("unknown command: '%s'"),
                      first->text);
        nearest = vsh_nearest_command(first->text);
        if (nearest)
            vsh_error_hint(error, _("did you mean '%s'?"), nearest);
        return NULL;
    }
    args = args_new(command);
    binder = (VshBinder){ .args = args, .words = statement, .next = 1 };
    while (binder.next < statement->len)
        if (!bind_word(&binder, error))
            return NULL;
    if (!check_format(args, error) || !check_required(args, error))
        return NULL;
    return g_steal_pointer(&args);
}

/* The option that the last word names and that still lacks its value. */
static const VshOption *
pending_option(const VshArgs *args, const VshWord *word)
{
    int index;

    if (!g_str_has_prefix(word->text, "--"))
        return NULL;
    index = option_index(args, word->text + 2, strlen(word->text + 2));
    if (index < 0 || option_at(args, (guint)index)->kind == VSH_OPTION_FLAG)
        return NULL;
    return option_at(args, (guint)index);
}

VshArgs *
vsh_args_bind_partial(const VshStatement *statement,
                      const VshOption **ret_pending)
{
    const VshWord *first = statement->pdata[0];
    const VshCommand *command = vsh_command_find(first->text);
    VshArgs *args;
    VshBinder binder;

    if (!command)
        return NULL;
    args = args_new(command);
    binder = (VshBinder){ .args = args, .words = statement, .next = 1 };
    *ret_pending = NULL;
    while (binder.next < statement->len) {
        if (binder.next + 1 == statement->len && !binder.values_only)
            *ret_pending = pending_option(args, statement->pdata[binder.next]);
        if (*ret_pending)
            break;
        bind_word(&binder, NULL);
    }
    return args;
}

bool
vsh_args_given(const VshArgs *args, const char *name)
{
    return args->given[option_require(args, name)];
}

GPtrArray *
vsh_args_strings(const VshArgs *args, const char *name)
{
    return args->values[option_require(args, name)];
}

const char *
vsh_args_string(const VshArgs *args, const char *name)
{
    GPtrArray *values = vsh_args_strings(args, name);

    return values ? values->pdata[0] : NULL;
}

unsigned
vsh_args_number(const VshArgs *args, const char *name, unsigned fallback)
{
    const char *value = vsh_args_string(args, name);

    return value ? (unsigned)g_ascii_strtoull(value, NULL, 10) : fallback;
}

uint64_t
vsh_args_size(const VshArgs *args, const char *name, uint64_t fallback)
{
    const VshOption *option =
        option_at(args, (guint)option_require(args, name));
    const char *value = vsh_args_string(args, name);
    uint64_t bytes;

    if (!value || !vsh_scale_parse(value, unit_of(option), &bytes))
        return fallback;
    return bytes;
}

bool
vsh_args_has(const VshArgs *args, const char *name)
{
    return option_index(args, name, strlen(name)) >= 0;
}

bool
vsh_args_exclusive(const VshArgs *args, const char *const *names,
                   GError **error)
{
    const char *first = NULL;

    for (; *names; names++) {
        if (!vsh_args_given(args, *names))
            continue;
        if (first) {
            vsh_error_set(error, VSH_EXIT_USAGE,
                          _("Options --%s and --%s are mutually exclusive"),
                          first, *names);
            return false;
        }
        first = *names;
    }
    return true;
}

unsigned
vsh_args_bits(const VshArgs *args, const VshFlagBits *map)
{
    unsigned bits = 0;

    for (; map->name; map++)
        if (vsh_args_given(args, map->name))
            bits |= map->bits;
    return bits;
}
