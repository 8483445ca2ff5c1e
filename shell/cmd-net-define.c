/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/document.h"
#include "shell/network.h"
#include "util/i18n.h"

#define OPTION_FILE                                               \
    {                                                             \
        .name = "file", .kind = VSH_OPTION_STRING,                \
        .flags = VSH_OPTION_REQUIRED,                             \
        .help = N_("file containing an XML network description"), \
        .complete = vsh_complete_file                             \
    }

static bool
run_net_define(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *path = vsh_args_string(args, "file");
    unsigned flags =
        vsh_args_given(args, "validate") ? VIR_NETWORK_DEFINE_VALIDATE : 0;
    g_autofree char *xml = vsh_document_read(path, error);
    g_autoptr(virNetwork) network = NULL;

    if (!xml)
        return false;
    network = flags
                  ? virNetworkDefineXMLFlags(shell->connection.conn, xml, flags)
                  : virNetworkDefineXML(shell->connection.conn, xml);
    if (!network) {
        vsh_error_virt(error, _("Failed to define network from %s"), path);
        return false;
    }
    vsh_message(&shell->out, _("Network %s defined from %s"),
                virNetworkGetName(network), path);
    return true;
}

static const VshOption file_options[] = {
    OPTION_FILE,
    VSH_FLAG("validate", N_("validate the XML against the schema")),
    { NULL },
};

static const VshCommand command_net_define = {
    .name = "net-define",
    .group = "network",
    .summary = N_("define an inactive persistent virtual network or modify an "
                  "existing persistent one from an XML file"),
    .details = N_("Define or modify a persistent virtual network. - is "
                  "standard input."),
    .options = file_options,
    .run = run_net_define,
};

static bool
run_net_create(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *path = vsh_args_string(args, "file");
    unsigned flags =
        vsh_args_given(args, "validate") ? VIR_NETWORK_CREATE_VALIDATE : 0;
    g_autofree char *xml = vsh_document_read(path, error);
    g_autoptr(virNetwork) network = NULL;

    if (!xml)
        return false;
    network = flags
                  ? virNetworkCreateXMLFlags(shell->connection.conn, xml, flags)
                  : virNetworkCreateXML(shell->connection.conn, xml);
    if (!network) {
        vsh_error_virt(error, _("Failed to create network from %s"), path);
        return false;
    }
    vsh_message(&shell->out, _("Network %s created from %s"),
                virNetworkGetName(network), path);
    return true;
}

static const VshCommand command_net_create = {
    .name = "net-create",
    .group = "network",
    .summary = N_("create a network from an XML file"),
    .details = N_("Starts a network that is forgotten when it stops, unless "
                  "there is a definition of it. - is standard input."),
    .options = file_options,
    .run = run_net_create,
};

const VshCommand *const vsh_commands_net_define[] = {
    &command_net_create,
    &command_net_define,
    NULL,
};
