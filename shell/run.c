/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shell/help.h"
#include "shell/interrupt.h"
#include "shell/progress.h"
#include "shell/shell.h"
#include "util/error.h"
#include "util/i18n.h"

#define ESCAPE_DEFAULT 0x1d /* ^] */

void
vsh_shell_init(VshShell *shell)
{
    *shell = (VshShell){ .escape = ESCAPE_DEFAULT };
    vsh_output_init(&shell->out);
    vsh_connection_init(&shell->connection);
    shell->out.progress = vsh_progress_new(isatty(STDERR_FILENO) != 0);
}

void
vsh_shell_clear(VshShell *shell)
{
    vsh_connection_clear(&shell->connection);
    g_clear_pointer(&shell->out.progress, vsh_progress_free);
    vsh_output_clear(&shell->out);
}

/* Reports a failure and keeps the class of the first one. */
static void
fail(VshShell *shell, const GError *error)
{
    /* who typed Ctrl-C need not be told */
    if (!shell->interactive || vsh_error_exit(error) != VSH_EXIT_INTERRUPTED)
        vsh_print_error(&shell->out, error);
    if (shell->status == VSH_EXIT_OK)
        shell->status = vsh_error_exit(error);
    if (shell->stop_on_error)
        shell->quit = true;
}

static bool
ensure_connection(VshShell *shell, const VshCommand *command, GError **error)
{
    VshConnectResult result;

    if (command->flags & VSH_COMMAND_OFFLINE)
        return true;
    result = vsh_connection_ensure(&shell->connection, error);
    if (result == VSH_CONNECT_AGAIN)
        vsh_note(&shell->out, _("Reconnected to the hypervisor"));
    return result != VSH_CONNECT_FAILED;
}

/* A failure whose cause is a connection that broke says so. */
static void
check_connection(VshShell *shell, GError **error)
{
    if (!shell->connection.conn || vsh_connection_alive(&shell->connection))
        return;
    if (!*error)
        return;
    if ((*error)->domain == VSH_ERROR)
        (*error)->code = VSH_EXIT_CONNECT;
    vsh_error_hint(error,
                   _("the connection to '%s' was lost; the next command "
                     "connects again"),
                   vsh_connection_wanted(&shell->connection));
}

static bool
run_connected(VshShell *shell, const VshArgs *args, GError **error)
{
    const VshCommand *command = args->command;
    bool ok;

    vsh_progress_begin(shell->out.progress, command->name);
    ok = ensure_connection(shell, command, error);
    if (command->flags & VSH_COMMAND_FOREGROUND)
        vsh_progress_end(shell->out.progress);
    /* before the first connection libvirt has no place for errors */
    if (shell->connection.conn)
        virResetLastError();
    ok = ok && command->run(shell, args, error);
    vsh_progress_end(shell->out.progress);
    if (!ok && !(command->flags & VSH_COMMAND_OFFLINE))
        check_connection(shell, error);
    return ok;
}

/* Runs with the format that the command itself asks for, reports a failure
 * and leaves an empty line. */
static bool
run_formatted(VshShell *shell, const VshArgs *args, GError **error)
{
    VshFormat before = shell->out.format;
    const char *format = NULL;
    bool ok;

    if (vsh_args_given(args, "help")) {
        vsh_help_command(args->command, &shell->out);
        vsh_print_extra(&shell->out, "\n");
        return true;
    }
    if (args->command->flags & VSH_COMMAND_QUERY)
        format = vsh_args_string(args, "format");
    if (format)
        shell->out.format =
            strcmp(format, "json") == 0 ? VSH_FORMAT_JSON : VSH_FORMAT_TABLE;
    ok = run_connected(shell, args, error);
    if (!ok && *error)
        fail(shell, *error);
    if ((!ok || !(args->command->flags & VSH_COMMAND_NO_NEWLINE)) &&
        !shell->out.timing)
        vsh_print_extra(&shell->out, "\n");
    shell->out.format = before;
    return ok;
}

static bool
run_bound(VshShell *shell, const VshArgs *args)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    bool ok;

    vsh_interrupt_reset();
    vsh_debug(&shell->out, 2, "command: %s", args->command->name);
    ok = run_formatted(shell, args, &error);
    if (shell->out.timing && !shell->quit)
        vsh_print_extra(&shell->out, _("\n(Time: %.3f ms)\n\n"),
                        (double)(g_get_monotonic_time() - start) / 1000.0);
    /* the reader of a pipe may have gone: then the rest is for nobody */
    if (fflush(stdout) != 0)
        shell->quit = true;
    return ok;
}

static void
args_free(void *data)
{
    vsh_args_free(data);
}

/* Binds all @statements, then runs them in order. */
static bool
run_statements(VshShell *shell, GPtrArray *statements)
{
    g_autoptr(GPtrArray) bound = g_ptr_array_new_with_free_func(args_free);
    g_autoptr(GError) error = NULL;
    bool ok = true;

    for (guint i = 0; i < statements->len; i++) {
        VshArgs *args = vsh_args_bind(statements->pdata[i], &error);

        if (!args) {
            fail(shell, error);
            if (shell->interactive)
                vsh_print_extra(&shell->out, "\n");
            return false;
        }
        g_ptr_array_add(bound, args);
    }
    for (guint i = 0; i < bound->len && !shell->quit; i++)
        ok = run_bound(shell, bound->pdata[i]) && ok;
    return ok;
}

bool
vsh_run_text(VshShell *shell, const char *text, VshParseWant *ret_want)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) statements = vsh_parse(text, ret_want, &error);

    if (statements)
        return run_statements(shell, statements);
    if (!ret_want || *ret_want == VSH_PARSE_DONE)
        fail(shell, error);
    return false;
}

bool
vsh_run_words(VshShell *shell, char *const *words)
{
    g_autoptr(GPtrArray) statements =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    VshStatement *statement = vsh_statement_new();

    for (; *words; words++)
        g_ptr_array_add(statement, vsh_word_new(*words));
    g_ptr_array_add(statements, statement);
    return run_statements(shell, statements);
}

/* Without its newline, so that a backslash before it asks for more. */
static void
append_line(GString *pending, const char *line)
{
    g_string_append_len(pending, line, (gssize)strcspn(line, "\n"));
}

/* Reads lines until they make whole statements, and runs them. Returns
 * whether there may be more. */
static bool
run_next_lines(VshShell *shell, FILE *file, GString *pending, bool *ok)
{
    VshParseWant want = VSH_PARSE_DONE;
    g_autofree char *line = NULL;
    size_t size = 0;
    ssize_t length = getline(&line, &size, file);

    if (length >= 0)
        append_line(pending, line);
    if (pending->len > VSH_PARSE_MAX) {
        g_autoptr(GError) error = NULL;

        vsh_error_set(&error, VSH_EXIT_USAGE,
                      _("a command line is longer than %d bytes"),
                      VSH_PARSE_MAX);
        fail(shell, error);
        *ok = false;
        return false;
    }
    if (length < 0 && pending->len == 0)
        return false;
    *ok = vsh_run_text(shell, pending->str, length < 0 ? NULL : &want) && *ok;
    if (want == VSH_PARSE_DONE)
        g_string_truncate(pending, 0);
    else
        g_string_append_c(pending, '\n');
    return length >= 0 && !shell->quit;
}

bool
vsh_run_file(VshShell *shell, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    g_autoptr(GString) pending = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    FILE *file = standard ? stdin : fopen(path, "re");
    bool ok = true;

    if (!file) {
        error_set_errno(&error, errno, _("cannot open '%s'"), path);
        fail(shell, error);
        return false;
    }
    while (run_next_lines(shell, file, pending, &ok))
        ;
    if (!standard)
        fclose(file);
    return ok;
}
