/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/editor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shell/document.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

static const char *
editor_wanted(void)
{
    static const char *const names[] = { "VISUAL", "EDITOR" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = g_getenv(names[i]);

        if (value && *value)
            return value;
    }
    return "vi";
}

/* A temporary file with @text that only the user can read. */
static char *
write_temporary(const char *text, const char *suffix, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("%s/vshell-XXXXXX%s", g_get_tmp_dir(), suffix);
    g_auto(Fd) fd = g_mkstemp(path);

    if (fd >= 0 && fd_write_all(fd, text, strlen(text)))
        return g_steal_pointer(&path);
    error_set_errno(error, errno, _("cannot write a temporary file '%s'"),
                    path);
    if (fd >= 0)
        unlink(path);
    return NULL;
}

/* The editor may come with arguments: a shell splits them. */
static bool
run_editor(const char *path, GError **error)
{
    const char *editor = editor_wanted();
    g_autofree char *script = g_strdup_printf("%s \"$1\"", editor);
    char *argv[] = { (char *)"/bin/sh", (char *)"-c", script,
                     (char *)"sh",      (char *)path, NULL };
    int status;

    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL,
                      NULL, NULL, NULL, &status, error))
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    vsh_error_set(error, VSH_EXIT_FAILED, _("the editor '%s' failed"), editor);
    vsh_error_hint(error, _("VISUAL or EDITOR names the editor"));
    return false;
}

char *
vsh_editor_run(const char *text, const char *suffix, GError **error)
{
    g_autofree char *path = write_temporary(text, suffix, error);
    char *edited = NULL;

    if (!path)
        return NULL;
    if (run_editor(path, error))
        edited = file_read(path, VSH_DOCUMENT_MAX, NULL, error);
    unlink(path);
    return edited;
}

static void
print_choices(VshShell *shell, bool relax)
{
    vsh_print(&shell->out, _("y - yes, start editor again\n"
                             "n - no, throw away my changes\n"));
    if (relax)
        vsh_print(&shell->out, _("i - turn off validation and try to redefine "
                                 "again\n"));
    vsh_print(&shell->out, _("f - force, try to redefine again\n"
                             "? - print this help\n"));
}

VshReedit
vsh_editor_ask(VshShell *shell, const char *message, bool relax)
{
    while (isatty(STDIN_FILENO)) {
        char answer[64];

        vsh_print(&shell->out,
                  relax ? _("%s Try again? [y,n,i,f,?]: ")
                        : _("%s Try again? [y,n,f,?]: "),
                  message);
        fflush(stdout);
        if (!fgets(answer, sizeof(answer), stdin))
            return VSH_REEDIT_NO;
        switch (g_ascii_tolower(answer[0])) {
        case 'y':
            return VSH_REEDIT_YES;
        case 'n':
            return VSH_REEDIT_NO;
        case 'i':
            if (relax)
                return VSH_REEDIT_RELAX;
            break;
        case 'f':
            return VSH_REEDIT_FORCE;
        default:
            break;
        }
        print_choices(shell, relax);
    }
    return VSH_REEDIT_NO;
}
