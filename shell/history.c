/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/history.h"

#include <errno.h>
#include <string.h>

#include <readline/history.h>

#include "util/file.h"
#include "util/i18n.h"

struct VshHistory {
    char *path; /* NULL: nothing is kept */
    unsigned size;
};

static unsigned
size_wanted(VshOutput *out)
{
    const char *text = g_getenv("VSHELL_HISTSIZE");
    guint64 size;

    if (!text || !*text)
        return VSH_HISTORY_DEFAULT;
    if (g_ascii_string_to_unsigned(text, 10, 0, VSH_HISTORY_MAX, &size, NULL))
        return (unsigned)size;
    vsh_note(out, _("VSHELL_HISTSIZE must be a number from 0 to %d"),
             VSH_HISTORY_MAX);
    return VSH_HISTORY_DEFAULT;
}

/* The file, made if it was not there: readline does not create it to append. */
static char *
file_ready(VshOutput *out)
{
    g_autofree char *folder =
        g_build_filename(g_get_user_cache_dir(), "vshell", NULL);
    g_autofree char *path = g_build_filename(folder, "history", NULL);

    if (file_make_dirs(folder, 0700, NULL) &&
        (g_file_test(path, G_FILE_TEST_EXISTS) ||
         file_replace_volatile(path, "", 0, 0600, NULL)))
        return g_steal_pointer(&path);
    vsh_note(out, _("the history cannot be kept in '%s'"), path);
    return NULL;
}

VshHistory *
vsh_history_open(VshOutput *out)
{
    VshHistory *history = g_new0(VshHistory, 1);

    using_history();
    history->size = size_wanted(out);
    if (history->size == 0)
        return history;
    stifle_history((int)history->size);
    history->path = file_ready(out);
    if (history->path)
        read_history(history->path);
    return history;
}

/* The file has a line for each entry, so a continued line becomes one. */
static char *
join_lines(const char *text)
{
    GString *line = g_string_new(text);

    g_string_replace(line, "\\\n", "", 0);
    g_string_replace(line, "\n", ";", 0);
    return g_string_free(line, FALSE);
}

void
vsh_history_add(VshHistory *history, const char *text)
{
    g_autofree char *line = join_lines(text);
    HIST_ENTRY *last = history_get(history_base + history_length - 1);

    if (history->size == 0 || line[strspn(line, " \t\n")] == '\0' ||
        (last && strcmp(last->line, line) == 0))
        return;
    add_history(line);
    if (history->path)
        append_history(1, history->path);
}

void
vsh_history_close(VshHistory *history)
{
    if (history->path)
        history_truncate_file(history->path, (int)history->size);
    clear_history();
    g_free(history->path);
    g_free(history);
}
