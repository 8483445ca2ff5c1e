/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shell/complete.h"
#include "shell/completer.h"
#include "shell/help.h"
#include "shell/options.h"
#include "shell/shell.h"
#include "util/error.h"
#include "util/i18n.h"

static bool
run_help(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *topic = vsh_args_string(args, "command");
    const VshCommand *command = topic ? vsh_command_find(topic) : NULL;
    const VshGroup *group = topic ? vsh_group_find(topic) : NULL;
    const char *nearest = topic ? vsh_nearest_command(topic) : NULL;

    if (shell->out.format == VSH_FORMAT_JSON && (!topic || command || group) &&
        !vsh_args_given(args, "pod"))
        vsh_print_json(&shell->out, vsh_help_json(topic));
    else if (command)
        vsh_help_command(command, &shell->out);
    else if (group)
        vsh_help_group(group, &shell->out);
    else if (vsh_args_given(args, "pod"))
        vsh_help_pod(&shell->out);
    else if (!topic)
        vsh_help_all(&shell->out);
    if (!topic || command || group)
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("command or command group '%s' doesn't exist"), topic);
    if (nearest)
        vsh_error_hint(error, _("did you mean '%s'?"), nearest);
    return false;
}

static const VshOption help_options[] = {
    { .name = "command",
      .kind = VSH_OPTION_STRING,
      .help = N_("a command or a group of commands"),
      .complete = vsh_complete_topic },
    { .name = "pod",
      .kind = VSH_OPTION_FLAG,
      .help = N_("print all commands as a section of a manual page in pod") },
    { NULL },
};

static const VshCommand command_help = {
    .name = "help",
    .group = "vshell",
    .summary = N_("print help"),
    .details = N_("Prints global help, command specific help, or help for a "
                  "group of related commands."),
    .options = help_options,
    .flags = VSH_COMMAND_OFFLINE | VSH_COMMAND_QUERY,
    .run = run_help,
};

static bool
run_quit(VshShell *shell, const VshArgs *args, GError **error)
{
    shell->quit = true;
    return true;
}

static const VshCommand command_exit = {
    .name = "exit",
    .group = "vshell",
    .summary = N_("quit this interactive terminal"),
    .details = N_("Ends vshell; what follows in the same line or script is "
                  "not run."),
    .flags = VSH_COMMAND_OFFLINE | VSH_COMMAND_NO_NEWLINE,
    .run = run_quit,
};

static const VshCommand command_quit = {
    .name = "quit",
    .group = "vshell",
    .summary = N_("quit this interactive terminal"),
    .details = N_("Ends vshell; what follows in the same line or script is "
                  "not run."),
    .flags = VSH_COMMAND_OFFLINE | VSH_COMMAND_NO_NEWLINE,
    .run = run_quit,
};

static bool
run_cd(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *dir = vsh_args_string(args, "dir");
    const char *home = g_get_home_dir();

    if (!dir)
        dir = home ? home : "/";
    if (chdir(dir) == 0)
        return true;
    error_set_errno(error, errno, _("cd: cannot change to folder '%s'"), dir);
    return false;
}

static const VshOption cd_options[] = {
    { .name = "dir",
      .kind = VSH_OPTION_STRING,
      .help = N_("directory to switch to (default: home or else root)"),
      .complete = vsh_complete_folder },
    { NULL },
};

static const VshCommand command_cd = {
    .name = "cd",
    .group = "vshell",
    .summary = N_("change the current directory"),
    .details = N_("Changes the current directory, from which the names of "
                  "files are taken."),
    .options = cd_options,
    .flags = VSH_COMMAND_OFFLINE,
    .run = run_cd,
};

static bool
run_pwd(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autofree char *dir = g_get_current_dir();

    vsh_print(&shell->out, "%s\n", dir);
    return true;
}

static const VshCommand command_pwd = {
    .name = "pwd",
    .group = "vshell",
    .summary = N_("print the current directory"),
    .details = N_("Prints the current directory."),
    .flags = VSH_COMMAND_OFFLINE,
    .run = run_pwd,
};

/* Splits at commas; two commas stand for one. */
static void
split_commas(GPtrArray *words, const char *text)
{
    GString *word = g_string_new(NULL);

    for (const char *c = text; *c; c++) {
        if (*c != ',') {
            g_string_append_c(word, *c);
        } else if (c[1] == ',') {
            g_string_append_c(word, *c++);
        } else {
            g_ptr_array_add(words, g_string_free(word, FALSE));
            word = g_string_new(NULL);
        }
    }
    g_ptr_array_add(words, g_string_free(word, FALSE));
}

/* For a POSIX shell: quoted only if it must be. */
static char *
quote_for_shell(const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "+,-./:=@_^%";

    if (*text && text[strspn(text, plain)] == '\0')
        return g_strdup(text);
    return g_shell_quote(text);
}

static char *
echo_word(const VshArgs *args, const char *word)
{
    g_autofree char *text = g_strdup(word);

    if (vsh_args_given(args, "xml")) {
        g_autofree char *plain = g_steal_pointer(&text);

        text = g_markup_escape_text(plain, -1);
    }
    return vsh_args_given(args, "shell") ? quote_for_shell(text)
                                         : g_steal_pointer(&text);
}

static bool
run_echo(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) line = g_string_new(NULL);
    GPtrArray *given = vsh_args_strings(args, "string");
    bool split = vsh_args_given(args, "split");
    static const char *const quotings[] = { "shell", "xml", NULL };

    if (!vsh_args_exclusive(args, quotings, error))
        return false;
    for (guint i = 0; given && i < given->len; i++) {
        if (split)
            split_commas(words, given->pdata[i]);
        else
            g_ptr_array_add(words, g_strdup(given->pdata[i]));
    }
    for (guint i = 0; i < words->len; i++) {
        g_autofree char *word = echo_word(args, words->pdata[i]);

        g_string_append_printf(line, "%s%s",
                               i == 0  ? ""
                               : split ? "\n"
                                       : " ",
                               word);
    }
    if (vsh_args_given(args, "err"))
        fprintf(stderr, "%s\n", line->str);
    else
        vsh_print(&shell->out, "%s\n", line->str);
    if (split)
        vsh_print_extra(&shell->out, "\n");
    return true;
}

static const VshOption echo_options[] = {
    { .name = "shell",
      .kind = VSH_OPTION_FLAG,
      .help = N_("escape for shell use") },
    { .name = "xml",
      .kind = VSH_OPTION_FLAG,
      .help = N_("escape for XML use") },
    { .name = "split",
      .kind = VSH_OPTION_FLAG,
      .help = N_("split each argument on ','; ',,' is an escape sequence") },
    { .name = "err", .kind = VSH_OPTION_FLAG, .help = N_("output to stderr") },
    { .name = "string",
      .kind = VSH_OPTION_MANY,
      .flags = VSH_OPTION_EMPTY,
      .help = N_("arguments to echo") },
    { NULL },
};

static const VshCommand command_echo = {
    .name = "echo",
    .group = "vshell",
    .summary = N_("echo arguments"),
    .details = N_("Prints its arguments, possibly with quoting."),
    .options = echo_options,
    .flags = VSH_COMMAND_OFFLINE | VSH_COMMAND_NO_NEWLINE,
    .run = run_echo,
};

static bool
run_connect(VshShell *shell, const VshArgs *args, GError **error)
{
    VshConnection *connection = &shell->connection;
    const char *name = vsh_args_string(args, "name");

    vsh_connection_close(connection);
    connection->was_open = false;
    if (name) {
        g_free(connection->uri);
        connection->uri = g_strdup(name);
    }
    connection->read_only = vsh_args_given(args, "readonly");
    return vsh_connection_ensure(connection, error) != VSH_CONNECT_FAILED;
}

static const VshOption connect_options[] = {
    { .name = "name",
      .kind = VSH_OPTION_STRING,
      .help = N_("hypervisor connection URI"),
      .complete = vsh_complete_uri },
    { .name = "readonly",
      .kind = VSH_OPTION_FLAG,
      .help = N_("read-only connection") },
    { NULL },
};

static const VshCommand command_connect = {
    .name = "connect",
    .group = "vshell",
    .summary = N_("(re)connect to hypervisor"),
    .details = N_("Connects to a hypervisor, or again to the same one. "
                  "Without this command the first one that needs it does."),
    .options = connect_options,
    .flags = VSH_COMMAND_OFFLINE,
    .run = run_connect,
};

/* The words are a command line of vshell itself, the last one unfinished. */
static bool
run_complete(VshShell *shell, const VshArgs *args, GError **error)
{
    GPtrArray *given = vsh_args_strings(args, "string");
    g_auto(GStrv) found = NULL;

    found = vsh_options_complete(shell, given);
    for (size_t i = 0; found[i]; i++)
        vsh_print(&shell->out, "%s\n", found[i]);
    return true;
}

static const VshOption complete_options[] = {
    { .name = "string",
      .kind = VSH_OPTION_MANY,
      .flags = VSH_OPTION_EMPTY,
      .help = N_("the words of the command line") },
    { NULL },
};

static const VshCommand command_complete = {
    .name = "complete",
    .group = "vshell",
    .summary = N_("print what the last word can be"),
    .details = N_("For the completion of command lines in other shells."),
    .options = complete_options,
    .flags = VSH_COMMAND_OFFLINE | VSH_COMMAND_HIDDEN | VSH_COMMAND_NO_NEWLINE,
    .run = run_complete,
};

const VshCommand *const vsh_commands_self[] = {
    &command_help,    &command_exit,     &command_quit,
    &command_cd,      &command_pwd,      &command_echo,
    &command_connect, &command_complete, NULL,
};
