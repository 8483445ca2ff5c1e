/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/options.h"

#include <libvirt/libvirt.h>
#include <string.h>

#include "shell/complete.h"
#include "shell/completer.h"
#include "shell/help.h"
#include "util/i18n.h"

typedef enum VshProgramValue {
    VALUE_NONE,
    VALUE_REQUIRED,
    VALUE_OPTIONAL, /* only as --name=value */
} VshProgramValue;

typedef struct VshProgramOption VshProgramOption;

struct VshProgramOption {
    char letter;       /* 0: none */
    const char *name;  /* NULL: none */
    const char *value; /* N_() name of the value in the help; NULL: none */
    const char *help;  /* N_() */
    VshProgramValue kind;
    bool (*set)(VshShell *shell, VshProgram *program, const char *value,
                GError **error);
    VshCompleter complete;
    const char *const *words;
};

static bool
parse_number(const char *what, const char *value, unsigned max,
             unsigned *ret_number, GError **error)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(value, 10, 0, max, &number, NULL)) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("option %s takes a number from 0 to %u, not '%s'"),
                      what, max, value);
        return false;
    }
    *ret_number = (unsigned)number;
    return true;
}

static bool
set_connect(VshShell *shell, VshProgram *program, const char *value,
            GError **error)
{
    g_free(shell->connection.uri);
    shell->connection.uri = g_strdup(value);
    return true;
}

static bool
set_debug(VshShell *shell, VshProgram *program, const char *value,
          GError **error)
{
    return parse_number("--debug", value, VSH_DEBUG_NONE, &shell->out.debug,
                        error);
}

static bool
set_escape(VshShell *shell, VshProgram *program, const char *value,
           GError **error)
{
    if (value[0] == '^' && value[1] && !value[2])
        shell->escape = (char)(g_ascii_toupper(value[1]) ^ 0x40);
    else if (value[0] && !value[1])
        shell->escape = value[0];
    else
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("invalid escape sequence '%s', expecting one "
                        "character or '^' and one"),
                      value);
    return !*value || !value[1] || !value[2];
}

static bool
set_file(VshShell *shell, VshProgram *program, const char *value,
         GError **error)
{
    program->file = value;
    return true;
}

static bool
set_format(VshShell *shell, VshProgram *program, const char *value,
           GError **error)
{
    bool json = strcmp(value, "json") == 0;

    if (!json && strcmp(value, "table") != 0) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("unknown output format '%s', expecting 'table' or "
                        "'json'"),
                      value);
        return false;
    }
    shell->out.format = json ? VSH_FORMAT_JSON : VSH_FORMAT_TABLE;
    return true;
}

static bool
set_help(VshShell *shell, VshProgram *program, const char *value,
         GError **error)
{
    vsh_options_help(&shell->out);
    program->done = true;
    return true;
}

static bool
set_interval(VshShell *shell, VshProgram *program, const char *value,
             GError **error)
{
    return parse_number("--keepalive-interval", value, G_MAXINT,
                        &shell->connection.keepalive_interval_s, error);
}

static bool
set_count(VshShell *shell, VshProgram *program, const char *value,
          GError **error)
{
    return parse_number("--keepalive-count", value, G_MAXINT,
                        &shell->connection.keepalive_count, error);
}

static bool
set_log(VshShell *shell, VshProgram *program, const char *value, GError **error)
{
    return vsh_output_log_open(&shell->out, value, error);
}

static bool
set_quiet(VshShell *shell, VshProgram *program, const char *value,
          GError **error)
{
    shell->out.quiet = true;
    return true;
}

static bool
set_readonly(VshShell *shell, VshProgram *program, const char *value,
             GError **error)
{
    shell->connection.read_only = true;
    return true;
}

static bool
set_stop(VshShell *shell, VshProgram *program, const char *value,
         GError **error)
{
    shell->stop_on_error = true;
    return true;
}

static bool
set_timing(VshShell *shell, VshProgram *program, const char *value,
           GError **error)
{
    shell->out.timing = true;
    return true;
}

static void
print_long_version(VshOutput *out)
{
    unsigned long library = 0;

    virGetVersion(&library, NULL, NULL);
    vsh_print(out, _("vshell, the command line of virtkvm %s\n"), VERSION);
    vsh_print(out, _("Using libvirt's client library %lu.%lu.%lu\n"),
              library / 1000000, library / 1000 % 1000, library % 1000);
}

static bool
set_version(VshShell *shell, VshProgram *program, const char *value,
            GError **error)
{
    program->done = true;
    if (!value || strcmp(value, "short") == 0) {
        vsh_print(&shell->out, "%s\n", VERSION);
        return true;
    }
    if (strcmp(value, "long") == 0) {
        print_long_version(&shell->out);
        return true;
    }
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("unknown type of version '%s', expecting 'short' or "
                    "'long'"),
                  value);
    return false;
}

static bool
set_long_version(VshShell *shell, VshProgram *program, const char *value,
                 GError **error)
{
    return set_version(shell, program, "long", error);
}

static const char *const format_words[] = { "table", "json", NULL };

static const VshProgramOption options[] = {
    { 'c', "connect", N_("URI"), N_("hypervisor connection URI"),
      VALUE_REQUIRED, set_connect, vsh_complete_uri, NULL },
    { 'd', "debug", N_("NUM"), N_("debug level [0-4]"), VALUE_REQUIRED,
      set_debug, NULL, NULL },
    { 'e', "escape", N_("CHAR"), N_("set escape sequence for console"),
      VALUE_REQUIRED, set_escape, NULL, NULL },
    { 'f', "file", N_("FILE"), N_("run the commands of FILE; - is stdin"),
      VALUE_REQUIRED, set_file, vsh_complete_file, NULL },
    { 0, "format", N_("FORMAT"), N_("output of queries: table or json"),
      VALUE_REQUIRED, set_format, vsh_complete_word, format_words },
    { 'h', "help", NULL, N_("this help"), VALUE_NONE, set_help, NULL, NULL },
    { 'k', "keepalive-interval", N_("NUM"),
      N_("keepalive interval in seconds, 0 for disable"), VALUE_REQUIRED,
      set_interval, NULL, NULL },
    { 'K', "keepalive-count", N_("NUM"),
      N_("number of possible missed keepalive messages"), VALUE_REQUIRED,
      set_count, NULL, NULL },
    { 'l', "log", N_("FILE"), N_("output logging to file"), VALUE_REQUIRED,
      set_log, vsh_complete_file, NULL },
    { 'q', "quiet", NULL, N_("quiet mode"), VALUE_NONE, set_quiet, NULL, NULL },
    { 'r', "readonly", NULL, N_("connect readonly"), VALUE_NONE, set_readonly,
      NULL, NULL },
    { 0, "stop-on-error", NULL, N_("the first failing command ends all"),
      VALUE_NONE, set_stop, NULL, NULL },
    { 't', "timing", NULL, N_("print timing information"), VALUE_NONE,
      set_timing, NULL, NULL },
    { 'v', NULL, NULL, N_("short version"), VALUE_NONE, set_version, NULL,
      NULL },
    { 'V', NULL, NULL, N_("long version"), VALUE_NONE, set_long_version, NULL,
      NULL },
    { 0, "version", N_("TYPE"),
      N_("version, TYPE is short or long (default short)"), VALUE_OPTIONAL,
      set_version, NULL, NULL },
};

static const VshProgramOption *
find_name(const char *name, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].name && strlen(options[i].name) == length &&
            strncmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

static const VshProgramOption *
find_letter(char letter)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].letter && options[i].letter == letter)
            return &options[i];
    return NULL;
}

/* Where reading the program's words stands. */
typedef struct VshReader {
    VshShell *shell;
    VshProgram *program;
    char **next;
} VshReader;

static bool
refuse(const char *word, GError **error)
{
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("unsupported option '%s'. See --help."), word);
    return false;
}

static bool
refuse_missing(const char *word, GError **error)
{
    vsh_error_set(error, VSH_EXIT_USAGE, _("option '%s' requires an argument"),
                  word);
    return false;
}

/* Takes "--name", "--name=value" or "--name value" at reader->next. */
static bool
read_long(VshReader *reader, GError **error)
{
    const char *word = *reader->next++;
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const VshProgramOption *option = find_name(word + 2, length - 2);
    const char *value = equals ? equals + 1 : NULL;

    if (!option || (option->kind == VALUE_NONE && equals))
        return refuse(word, error);
    if (option->kind == VALUE_REQUIRED && !value) {
        if (!*reader->next)
            return refuse_missing(word, error);
        value = *reader->next++;
    }
    return option->set(reader->shell, reader->program, value, error);
}

/* Takes "-q", "-qr", "-cURI" or "-c URI" at reader->next. */
static bool
read_letters(VshReader *reader, GError **error)
{
    const char *word = *reader->next++;

    for (const char *c = word + 1; *c && !reader->program->done; c++) {
        const VshProgramOption *option = find_letter(*c);
        const char *value = NULL;

        if (!option) {
            char shown[] = { '-', *c, '\0' };

            return refuse(shown, error);
        }
        if (option->kind == VALUE_REQUIRED) {
            if (c[1])
                value = c + 1;
            else if (*reader->next)
                value = *reader->next++;
            else
                return refuse_missing(word, error);
        }
        if (!option->set(reader->shell, reader->program, value, error))
            return false;
        if (value)
            break;
    }
    return true;
}

bool
vsh_options_parse(VshShell *shell, char **words, VshProgram *ret_program,
                  GError **error)
{
    VshProgram program = { 0 };
    VshReader reader = { shell, &program, words };

    while (*reader.next && (*reader.next)[0] == '-' && (*reader.next)[1] &&
           !program.done) {
        bool is_long = (*reader.next)[1] == '-';

        if (strcmp(*reader.next, "--") == 0) {
            reader.next++;
            break;
        }
        if (!(is_long ? read_long(&reader, error)
                      : read_letters(&reader, error)))
            return false;
    }
    program.words = reader.next;
    *ret_program = program;
    return true;
}

static void
print_option(const VshProgramOption *option, VshOutput *out)
{
    g_autoptr(GString) label = g_string_new(NULL);

    if (option->letter)
        g_string_append_printf(label, "-%c", option->letter);
    else
        g_string_append(label, "  ");
    if (option->name)
        g_string_append_printf(label, "%s--%s", option->letter ? " | " : "   ",
                               option->name);
    if (option->value && option->kind == VALUE_OPTIONAL)
        g_string_append_printf(label, "[=%s]", _(option->value));
    else if (option->value)
        g_string_append_printf(label, "=%s", _(option->value));
    if (label->len > 23) {
        vsh_print(out, "    %s\n", label->str);
        g_string_truncate(label, 0);
    }
    vsh_print(out, "    %-23s %s\n", label->str, _(option->help));
}

void
vsh_options_help(VshOutput *out)
{
    vsh_print(out, _("\nvshell [options]... [<command_string>]\n"
                     "vshell [options]... <command> [args...]\n\n"
                     "  options:\n"));
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        print_option(&options[i], out);
    vsh_print(out, _("\n  commands (non interactive mode):\n\n"));
    for (const VshGroup *group = vsh_groups; group->keyword; group++) {
        vsh_help_group(group, out);
        vsh_print(out, "\n");
    }
    vsh_print(out, _("  (specify help <group> for details about the commands "
                     "in the group)\n"
                     "\n  (specify help <command> for details about the "
                     "command)\n\n"));
}

static void
add_names(GPtrArray *list, const char *partial)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *name = NULL;

        if (!options[i].name)
            continue;
        name = g_strconcat("--", options[i].name, NULL);
        if (g_str_has_prefix(name, partial))
            g_ptr_array_add(list, g_steal_pointer(&name));
    }
}

static void
add_option_values(GPtrArray *list, VshShell *shell,
                  const VshProgramOption *option, const char *partial)
{
    const VshOption asked = { .name = option->name, .words = option->words };
    g_auto(GStrv) found = NULL;

    if (option->complete)
        found = option->complete(shell, NULL, &asked, partial);
    for (size_t i = 0; found && found[i]; i++)
        if (g_str_has_prefix(found[i], partial))
            g_ptr_array_add(list, g_strdup(found[i]));
}

static const VshProgramOption *
find_word(const char *word)
{
    if (g_str_has_prefix(word, "--"))
        return find_name(word + 2, strlen(word + 2));
    return word[0] == '-' && word[1] && !word[2] ? find_letter(word[1]) : NULL;
}

/* The option whose value is being typed: the words up to it are obeyed. */
static const VshProgramOption *
skip_options(VshShell *shell, GPtrArray *words, guint *next)
{
    while (*next + 1 < words->len) {
        const char *word = words->pdata[*next];
        const VshProgramOption *option = find_word(word);
        VshProgram ignored = { 0 };

        if (word[0] != '-')
            break;
        ++*next;
        if (!option || option->kind != VALUE_REQUIRED)
            continue;
        if (*next + 1 == words->len)
            return option;
        if (option->letter == 'c')
            set_connect(shell, &ignored, words->pdata[*next], NULL);
        ++*next;
    }
    return NULL;
}

char **
vsh_options_complete(VshShell *shell, GPtrArray *words)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    const char *partial =
        words && words->len > 0 ? words->pdata[words->len - 1] : "";
    const VshProgramOption *option = NULL;
    guint next = 0;

    if (words)
        option = skip_options(shell, words, &next);
    if (option) {
        add_option_values(list, shell, option, partial);
    } else if ((!words || next + 1 >= words->len) && partial[0] == '-') {
        add_names(list, partial);
    } else {
        g_autoptr(GPtrArray) before = vsh_statement_new();

        for (; words && next + 1 < words->len; next++)
            g_ptr_array_add(before, vsh_word_new(words->pdata[next]));
        g_ptr_array_unref(list);
        return vsh_complete(shell, before, partial);
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}
