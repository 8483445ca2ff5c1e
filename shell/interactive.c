/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

#include "shell/complete.h"
#include "shell/history.h"
#include "shell/interrupt.h"
#include "shell/shell.h"
#include "util/i18n.h"

/* readline's callbacks get no argument, so what they need stands here. */
static struct {
    VshShell *shell;
    char **candidates; /* of the completion in progress */
    size_t next;
    char *line; /* the line that was entered */
    bool entered;
} prompt;

static void
line_entered(char *line)
{
    /* readline must let go of the terminal before a command runs */
    rl_callback_handler_remove();
    prompt.line = line;
    prompt.entered = true;
}

static char *
next_candidate(const char *text, int state)
{
    if (state == 0)
        prompt.next = 0;
    if (!prompt.candidates || !prompt.candidates[prompt.next])
        return NULL;
    return strdup(prompt.candidates[prompt.next++]);
}

/* In a quote the candidate stands as it is; else it is escaped. */
static void
quote_candidates(char **candidates, char quote)
{
    for (size_t i = 0; candidates[i] && !quote; i++) {
        char *quoted = vsh_quote(candidates[i]);

        g_free(candidates[i]);
        candidates[i] = quoted;
    }
}

static bool
is_unfinished(const char *candidate)
{
    size_t length = strlen(candidate);

    return length > 0 && strchr("/=", candidate[length - 1]);
}

/* Lists candidates without the folder that all of them are in: matches[0] is
 * what they have in common. */
static void
show_in_folder(char **matches, int count, int longest)
{
    const char *slash = strrchr(matches[0], '/');
    size_t folder = slash ? (size_t)(slash - matches[0]) + 1 : 0;
    g_autofree char **shown = g_new0(char *, (gsize)count + 2);

    for (int i = 0; i <= count; i++)
        shown[i] = matches[i] + folder;
    rl_display_match_list(shown, count, longest - (int)folder);
    rl_forced_update_display();
}

static char **
complete_line(const char *text, int start, int end)
{
    g_autofree char *line = g_strndup(rl_line_buffer, (gsize)end);
    g_autofree char *partial = NULL;
    g_autoptr(GPtrArray) before = NULL;
    char **matches;
    char quote;

    rl_attempted_completion_over = 1;
    before = vsh_parse_tail(line, &partial, &quote);
    prompt.candidates = vsh_complete(prompt.shell, before, partial);
    quote_candidates(prompt.candidates, quote);
    /* more of them than it lists unasked are left to readline */
    rl_completion_display_matches_hook =
        strchr(partial, '/') && g_strv_length(prompt.candidates) <=
                                    (guint)rl_completion_query_items
            ? show_in_folder
            : NULL;
    rl_completion_append_character = prompt.candidates[0] &&
                                             !prompt.candidates[1] &&
                                             is_unfinished(prompt.candidates[0])
                                         ? '\0'
                                         : ' ';
    matches = rl_completion_matches(text, next_candidate);
    g_clear_pointer(&prompt.candidates, g_strfreev);
    return matches;
}

/* A blank after a backslash does not end the word. */
static int
char_is_quoted(char *line, int index)
{
    int backslashes = 0;

    while (index > backslashes && line[index - backslashes - 1] == '\\')
        backslashes++;
    return backslashes % 2;
}

static void
set_up_readline(VshShell *shell)
{
    prompt.shell = shell;
    rl_readline_name = "vshell";
    rl_catch_signals = 0;
    rl_attempted_completion_function = complete_line;
    rl_completer_word_break_characters = " \t\n;";
    rl_completer_quote_characters = "'\"";
    rl_char_is_quoted_p = char_is_quoted;
    rl_basic_word_break_characters = " \t\n;";
}

static char *
prompt_text(const VshShell *shell)
{
    const VshConnection *connection = &shell->connection;
    const char *mark = connection->read_only ? ">" : "#";

    if (!connection->uri || strcmp(connection->uri, vsh_uri_default()) == 0)
        return g_strdup_printf("vshell %s ", mark);
    return g_strdup_printf("vshell[%s] %s ", connection->uri, mark);
}

/* Ctrl-C at the prompt: the line is given up, a fresh one begins. */
static void
give_up_line(void)
{
    vsh_interrupt_reset();
    fputs("^C\n", stdout);
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_replace_line("", 0);
    rl_callback_handler_remove();
}

/* Reads a line; NULL at the end of the input. *ret_given_up: Ctrl-C. */
static char *
read_line(const char *text, bool *ret_given_up)
{
    struct pollfd waits[] = {
        { .fd = STDIN_FILENO, .events = POLLIN },
        { .fd = vsh_interrupt_fd(), .events = POLLIN },
    };

    *ret_given_up = false;
    prompt.entered = false;
    vsh_interrupt_reset();
    rl_callback_handler_install(text, line_entered);
    while (!prompt.entered) {
        if (poll(waits, G_N_ELEMENTS(waits), -1) < 0 && errno != EINTR)
            return NULL;
        if (vsh_interrupted()) {
            give_up_line();
            *ret_given_up = true;
            return NULL;
        }
        if (waits[0].revents)
            rl_callback_read_char();
    }
    return g_steal_pointer(&prompt.line);
}

/* Would another line help? */
static bool
wants_more(const char *text)
{
    VshParseWant want;
    g_autoptr(GPtrArray) statements = vsh_parse(text, &want, NULL);

    return !statements && want == VSH_PARSE_WANT_LINE;
}

/* Reads and runs one command line; false at the end. */
static bool
run_next_line(VshShell *shell, VshHistory *history)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *first = prompt_text(shell);
    bool given_up, more = true;

    while (more) {
        char *line;

        vsh_interrupt_begin();
        line = read_line(text->len ? "> " : first, &given_up);
        vsh_interrupt_end();
        if (!line)
            return given_up;
        g_string_append(text, line);
        free(line);
        more = wants_more(text->str);
        if (more)
            g_string_append_c(text, '\n');
    }
    vsh_history_add(history, text->str);
    vsh_run_text(shell, text->str, NULL);
    return !shell->quit;
}

static void
print_banner(VshShell *shell)
{
    vsh_print_extra(&shell->out,
                    _("Welcome to %s, the virtualization interactive "
                      "terminal.\n\n"),
                    "vshell");
    vsh_print_extra(&shell->out, _("Type:  'help' for help with commands\n"
                                   "       'quit' to quit\n\n"));
    vsh_print_extra(&shell->out, _("Connection: %s\n\n"),
                    vsh_connection_wanted(&shell->connection));
}

void
vsh_run_interactive(VshShell *shell)
{
    bool stop_on_error = shell->stop_on_error;
    VshHistory *history;

    shell->interactive = true;
    /* a slip while typing is no reason to throw the user out */
    shell->stop_on_error = false;
    vsh_interrupt_init(true);
    set_up_readline(shell);
    history = vsh_history_open(&shell->out);
    print_banner(shell);
    while (run_next_line(shell, history))
        ;
    if (!shell->quit)
        vsh_print(&shell->out, "\n");
    vsh_history_close(history);
    shell->stop_on_error = stop_on_error;
    shell->status = VSH_EXIT_OK;
}
