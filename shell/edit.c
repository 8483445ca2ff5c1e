/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/edit.h"

#include <string.h>

#include "shell/editor.h"
#include "shell/exit.h"
#include "shell/output.h"
#include "shell/shell.h"
#include "util/i18n.h"

/* Refuses to overwrite what somebody else changed meanwhile. */
static bool
check_unchanged(VshEdit *edit, GError **error)
{
    g_autofree char *now = edit->type->fetch(edit, error);

    if (!now)
        return false;
    if (strcmp(now, edit->before) == 0)
        return true;
    vsh_error_set(error, VSH_EXIT_STATE,
                  _("The XML configuration was changed by another user."));
    /* who forces it has seen this once: compare with the new state */
    g_free(edit->before);
    edit->before = g_steal_pointer(&now);
    return false;
}

static bool
open_editor(VshEdit *edit, GError **error)
{
    char *text =
        vsh_editor_run(edit->after ? edit->after : edit->before, ".xml", error);

    if (!text)
        return false;
    g_free(edit->after);
    edit->after = text;
    return true;
}

/* After a refusal: is there another try? Opens the editor if wanted. */
static bool
try_again(VshEdit *edit, GError **error)
{
    g_autoptr(GError) refusal = g_steal_pointer(error);
    g_autofree char *thrown = NULL;
    VshReedit choice;

    vsh_print_error(&edit->shell->out, refusal);
    choice = vsh_editor_ask(edit->shell, _("Failed."), edit->validate);
    if (choice == VSH_REEDIT_RELAX)
        edit->validate = false;
    if (choice == VSH_REEDIT_YES)
        return open_editor(edit, error);
    if (choice != VSH_REEDIT_NO)
        return true;
    thrown = edit->type->text(edit, VSH_EDIT_THROWN_AWAY);
    vsh_error_set(error, vsh_error_exit(refusal), "%s", thrown);
    return false;
}

static void
say(const VshEdit *edit, VshEditEnd end)
{
    g_autofree char *text = edit->type->text(edit, end);

    vsh_message(&edit->shell->out, "%s", text);
}

static bool
edit_and_define(VshEdit *edit, GError **error)
{
    GError *refusal = NULL;

    edit->before = edit->type->fetch(edit, error);
    if (!edit->before || !open_editor(edit, error))
        return false;
    if (strcmp(edit->before, edit->after) == 0) {
        say(edit, VSH_EDIT_UNCHANGED);
        return true;
    }
    while (!check_unchanged(edit, &refusal) ||
           !edit->type->define(edit, &refusal)) {
        if (!try_again(edit, &refusal)) {
            g_propagate_error(error, refusal);
            return false;
        }
    }
    say(edit, VSH_EDIT_EDITED);
    return true;
}

bool
vsh_edit_run(VshEdit *edit, GError **error)
{
    bool ok = edit_and_define(edit, error);

    g_clear_pointer(&edit->before, g_free);
    g_clear_pointer(&edit->after, g_free);
    return ok;
}
