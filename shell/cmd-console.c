/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/console.h"
#include "shell/domain.h"
#include "shell/xml.h"
#include "util/i18n.h"

static bool
run_console(VshShell *shell, const VshArgs *args, GError **error)
{
    static const VshFlagBits flags[] = {
        { "force", VIR_DOMAIN_CONSOLE_FORCE },
        { "safe", VIR_DOMAIN_CONSOLE_SAFE },
        { NULL },
    };
    VshConsoleOptions options = {
        .devname = vsh_args_string(args, "devname"),
        .flags = vsh_args_bits(args, flags),
        .resume = vsh_args_given(args, "resume"),
        .timeout_s = vsh_args_number(args, "timeout", 0),
        .until = vsh_args_string(args, "until"),
    };
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);

    if (!domain)
        return false;
    if (virDomainIsActive(domain) == 0) {
        vsh_error_set(error, VSH_EXIT_STATE, _("The domain is not running"));
        vsh_error_hint(error,
                       _("'start %s --console' starts it and attaches "
                         "its console"),
                       virDomainGetName(domain));
        return false;
    }
    return vsh_console_run(shell, domain, &options, error);
}

static const VshOption console_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ACTIVE),
    { .name = "devname",
      .kind = VSH_OPTION_STRING,
      .help = N_("character device name"),
      .complete = vsh_complete_chardev },
    VSH_FLAG("force", N_("force console connection (disconnect already "
                         "connected sessions)")),
    VSH_FLAG("safe", N_("only connect if safe console handling is supported")),
    VSH_FLAG("resume",
             N_("resume the guest once the console has been connected")),
    { .name = "timeout",
      .kind = VSH_OPTION_NUMBER,
      .flags = VSH_OPTION_NAMED,
      .help = N_("leave the console after this many seconds") },
    { .name = "until",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_NAMED,
      .help = N_("leave the console when the guest has printed this text") },
    { NULL },
};

static const VshCommand command_console = {
    .name = "console",
    .group = "domain",
    .summary = N_("connect to the guest console"),
    .details = N_("Connects the terminal and the serial console of a guest; "
                  "the escape character (^], see vshell -e) ends it. If "
                  "standard input is no terminal, it is sent to the guest up "
                  "to its end, and the console goes on until the guest closes "
                  "it, --until, --timeout or Ctrl-C."),
    .options = console_options,
    .flags = VSH_COMMAND_FOREGROUND,
    .run = run_console,
};

/* The device that the host has for the first console, or for the first
 * serial port. */
static char *
find_tty(const char *xml)
{
    static const char *const places[] = {
        "/domain/devices/console/@tty",
        "/domain/devices/console/source/@path",
        "/domain/devices/serial/source/@path",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_auto(GStrv) found = vsh_xml_strings(xml, places[i]);

        if (found && found[0])
            return g_strdup(found[0]);
    }
    return NULL;
}

static bool
run_ttyconsole(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    const char *name = domain ? virDomainGetName(domain) : NULL;
    g_autoptr(VshRecord) record = vsh_record_new(0);
    g_autofree char *xml = NULL;
    g_autofree char *tty = NULL;

    if (!domain)
        return false;
    xml = virDomainGetXMLDesc(domain, 0);
    if (!xml) {
        vsh_error_virt(error, _("Failed to get the XML of domain '%s'"), name);
        return false;
    }
    tty = find_tty(xml);
    if (!tty) {
        vsh_error_set(error, VSH_EXIT_NOT_FOUND,
                      _("domain '%s' has no console with a device on this "
                        "host"),
                      name);
        return false;
    }
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, "tty", "", tty, NULL);
    vsh_record_print(record, &shell->out);
    return true;
}

static const VshOption ttyconsole_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ACTIVE),
    { NULL },
};

static const VshCommand command_ttyconsole = {
    .name = "ttyconsole",
    .group = "domain",
    .summary = N_("tty console"),
    .details = N_("Prints the device of the host that is the console of a "
                  "domain."),
    .options = ttyconsole_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_ttyconsole,
};

const VshCommand *const vsh_commands_console[] = {
    &command_console,
    &command_ttyconsole,
    NULL,
};
