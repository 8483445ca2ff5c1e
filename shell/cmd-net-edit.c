/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/edit.h"
#include "shell/network.h"
#include "util/i18n.h"

/* Before the call that may fail: it forgets libvirt's last error. */
static const char *
name_of(const VshEdit *edit)
{
    return virNetworkGetName(edit->object);
}

static char *
fetch(const VshEdit *edit, GError **error)
{
    const char *name = name_of(edit);
    char *xml = virNetworkGetXMLDesc(edit->object, VIR_NETWORK_XML_INACTIVE);

    if (!xml)
        vsh_error_virt(error, _("Failed to get the XML of network %s"), name);
    return xml;
}

static bool
define(VshEdit *edit, GError **error)
{
    const char *name = name_of(edit);
    g_autoptr(virNetwork) defined =
        virNetworkDefineXML(edit->shell->connection.conn, edit->after);

    if (!defined)
        vsh_error_virt(error, _("Failed to define network %s"), name);
    return defined != NULL;
}

static char *
text(const VshEdit *edit, VshEditEnd end)
{
    const char *name = name_of(edit);

    if (end == VSH_EDIT_UNCHANGED)
        return g_strdup_printf(_("Network %s XML configuration not changed."),
                               name);
    if (end == VSH_EDIT_EDITED)
        return g_strdup_printf(_("Network %s XML configuration edited."), name);
    return g_strdup_printf(_("the changes to network %s were thrown away"),
                           name);
}

static const VshEditType network_edit = { fetch, define, text };

static bool
run_net_edit(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    VshEdit edit = { .shell = shell, .type = &network_edit, .object = network };

    return network && vsh_edit_run(&edit, error);
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
