/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "shell/completer.h"
#include "shell/editor.h"
#include "shell/network.h"
#include "util/i18n.h"

/* One `net-edit`. */
typedef struct VshNetEdit {
    VshShell *shell;
    virNetworkPtr network;
    char *before; /* the definition as it was */
    char *after;  /* as the user left it */
} VshNetEdit;

static char *
fetch(const VshNetEdit *edit, GError **error)
{
    const char *name = virNetworkGetName(edit->network);
    char *xml = virNetworkGetXMLDesc(edit->network, VIR_NETWORK_XML_INACTIVE);

    if (!xml)
        vsh_error_virt(error, _("Failed to get the XML of network %s"), name);
    return xml;
}

/* Refuses to overwrite what somebody else changed meanwhile. */
static bool
check_unchanged(VshNetEdit *edit, GError **error)
{
    g_autofree char *now = fetch(edit, error);

    if (!now)
        return false;
    if (strcmp(now, edit->before) == 0)
        return true;
    vsh_error_set(error, VSH_EXIT_STATE,
                  _("The XML configuration was changed by another user."));
    g_free(edit->before);
    edit->before = g_steal_pointer(&now);
    return false;
}

static bool
define(VshNetEdit *edit, GError **error)
{
    const char *name = virNetworkGetName(edit->network);
    g_autoptr(virNetwork) defined = NULL;

    if (!check_unchanged(edit, error))
        return false;
    defined = virNetworkDefineXML(edit->shell->connection.conn, edit->after);
    if (!defined)
        vsh_error_virt(error, _("Failed to define network %s"), name);
    return defined != NULL;
}

static bool
open_editor(VshNetEdit *edit, GError **error)
{
    char *text =
        vsh_editor_run(edit->after ? edit->after : edit->before, ".xml", error);

    if (!text)
        return false;
    g_free(edit->after);
    edit->after = text;
    return true;
}

/* After a refusal: is there another try? */
static bool
try_again(VshNetEdit *edit, GError **error)
{
    g_autoptr(GError) refusal = g_steal_pointer(error);
    VshReedit choice;

    vsh_print_error(&edit->shell->out, refusal);
    choice = vsh_editor_ask(edit->shell, _("Failed."), false);
    if (choice == VSH_REEDIT_YES)
        return open_editor(edit, error);
    if (choice == VSH_REEDIT_NO)
        vsh_error_set(error, vsh_error_exit(refusal),
                      _("the changes to network %s were thrown away"),
                      virNetworkGetName(edit->network));
    return choice != VSH_REEDIT_NO;
}

static bool
edit_network(VshNetEdit *edit, GError **error)
{
    const char *name = virNetworkGetName(edit->network);
    GError *refusal = NULL;

    edit->before = fetch(edit, error);
    if (!edit->before || !open_editor(edit, error))
        return false;
    if (strcmp(edit->before, edit->after) == 0) {
        vsh_message(&edit->shell->out,
                    _("Network %s XML configuration not changed."), name);
        return true;
    }
    while (!define(edit, &refusal)) {
        if (!try_again(edit, &refusal)) {
            g_propagate_error(error, refusal);
            return false;
        }
    }
    vsh_message(&edit->shell->out, _("Network %s XML configuration edited."),
                name);
    return true;
}

static bool
run_net_edit(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    VshNetEdit edit = { .shell = shell, .network = network };
    bool ok;

    if (!network)
        return false;
    ok = edit_network(&edit, error);
    g_free(edit.before);
    g_free(edit.after);
    return ok;
}

static const VshOption edit_options[] = { VSH_OPTION_NETWORK, { NULL } };

static const VshCommand command_net_edit = {
    .name = "net-edit",
    .group = "network",
    .summary = N_("edit XML configuration for a network"),
    .details = N_("Opens the persistent definition of a network in the editor "
                  "that VISUAL or EDITOR names, and defines what it leaves. A "
                  "running network takes it when it is started again."),
    .options = edit_options,
    .flags = VSH_COMMAND_FOREGROUND,
    .run = run_net_edit,
};

const VshCommand *const vsh_commands_net_edit[] = { &command_net_edit, NULL };
