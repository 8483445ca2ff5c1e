/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "shell/completer.h"
#include "shell/document.h"
#include "shell/network.h"
#include "util/i18n.h"

/* By virNetworkUpdateCommand, virNetworkUpdateSection. */
static const char *const command_words[] = { "modify",    "delete", "add-last",
                                             "add-first", "add",    NULL };
static const char *const section_words[] = { "bridge",
                                             "domain",
                                             "ip",
                                             "ip-dhcp-host",
                                             "ip-dhcp-range",
                                             "forward",
                                             "forward-interface",
                                             "forward-pf",
                                             "portgroup",
                                             "dns-host",
                                             "dns-txt",
                                             "dns-srv",
                                             NULL };

/* Number of @word, counted from 1; 0: it is none of them. */
static unsigned
number_of(const char *const *words, const char *word)
{
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0)
            return i + 1;
    }
    return 0;
}

static unsigned
command_of(const char *word)
{
    unsigned number = number_of(command_words, word);

    /* libvirt's own word for the usual kind */
    return strcmp(word, "add") == 0 ? VIR_NETWORK_UPDATE_COMMAND_ADD_LAST
                                    : number;
}

/* An element, or the file that it is in. */
static char *
read_xml(const char *text, GError **error)
{
    const char *start = text;

    while (g_ascii_isspace(*start))
        start++;
    return *start == '<' ? g_strdup(text) : vsh_document_read(text, error);
}

typedef struct Update {
    unsigned command, section, flags;
    int parent;
    char *xml;
} Update;

static bool
read_update(const VshArgs *args, Update *update, GError **error)
{
    static const VshFlagBits bits[] = {
        { "config", VIR_NETWORK_UPDATE_AFFECT_CONFIG },
        { "live", VIR_NETWORK_UPDATE_AFFECT_LIVE },
        { NULL },
    };
    static const char *const config[] = { "current", "config", NULL };
    static const char *const live[] = { "current", "live", NULL };
    const char *command = vsh_args_string(args, "command");
    const char *section = vsh_args_string(args, "section");

    update->command = command_of(command);
    update->section = number_of(section_words, section);
    update->flags = vsh_args_bits(args, bits);
    update->parent = vsh_args_given(args, "parent-index")
                         ? (int)vsh_args_number(args, "parent-index", 0)
                         : -1;
    if (!update->command)
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("unrecognized command name '%s'"), command);
    else if (!update->section)
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("unrecognized section name '%s'"), section);
    else if (vsh_args_exclusive(args, config, error) &&
             vsh_args_exclusive(args, live, error))
        update->xml = read_xml(vsh_args_string(args, "xml"), error);
    return update->xml != NULL;
}

static void
report(VshShell *shell, virNetworkPtr network, unsigned flags)
{
    const char *name = virNetworkGetName(network);
    const unsigned both =
        VIR_NETWORK_UPDATE_AFFECT_CONFIG | VIR_NETWORK_UPDATE_AFFECT_LIVE;

    if (!flags)
        flags = virNetworkIsActive(network) > 0
                    ? VIR_NETWORK_UPDATE_AFFECT_LIVE
                    : VIR_NETWORK_UPDATE_AFFECT_CONFIG;
    if (flags == both)
        vsh_message(&shell->out,
                    _("Updated network %s persistent config and live state"),
                    name);
    else if (flags & VIR_NETWORK_UPDATE_AFFECT_CONFIG)
        vsh_message(&shell->out, _("Updated network %s persistent config"),
                    name);
    else
        vsh_message(&shell->out, _("Updated network %s live state"), name);
}

static bool
run_net_update(VshShell *shell, const VshArgs *args, GError **error)
{
    Update update = { 0 };
    g_autoptr(virNetwork) network = NULL;
    g_autofree char *xml = NULL;
    const char *name;

    if (!read_update(args, &update, error))
        return false;
    xml = update.xml;
    network = vsh_network_of(shell, args, error);
    if (!network)
        return false;
    name = virNetworkGetName(network);
    if (virNetworkUpdate(network, update.command, update.section, update.parent,
                         xml, update.flags) < 0) {
        vsh_error_virt(error, _("Failed to update network %s"), name);
        return false;
    }
    report(shell, network, update.flags);
    return true;
}

static const VshOption update_options[] = {
    VSH_OPTION_NETWORK,
    { .name = "command",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("type of update (add-first, add-last (add), delete, or "
                 "modify)"),
      .complete = vsh_complete_word,
      .words = command_words },
    { .name = "section",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("which section of network configuration to update"),
      .complete = vsh_complete_word,
      .words = section_words },
    { .name = "xml",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("name of file containing xml (or, if it starts with '<', the "
                 "complete xml element itself) to add/modify, or to be matched "
                 "for search"),
      .complete = vsh_complete_file },
    { .name = "parent-index",
      .kind = VSH_OPTION_NUMBER,
      .flags = VSH_OPTION_NAMED,
      .help = N_("which parent object to search through") },
    VSH_FLAG("config", N_("affect next network startup")),
    VSH_FLAG("live", N_("affect running network")),
    VSH_FLAG("current", N_("affect current state of network")),
    { NULL },
};

static const VshCommand command_net_update = {
    .name = "net-update",
    .group = "network",
    .summary = N_("update parts of an existing network's configuration"),
    .details = N_("Adds, deletes or changes one entry of a network: a host or "
                  "a range of DHCP, a host or a text of DNS, a portgroup, an "
                  "interface that it forwards to. A running network serves the "
                  "change at once."),
    .options = update_options,
    .flags = VSH_COMMAND_NO_NEWLINE,
    .run = run_net_update,
};

const VshCommand *const vsh_commands_net_update[] = { &command_net_update,
                                                      NULL };
