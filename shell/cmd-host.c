/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/shell.h"
#include "shell/table.h"
#include "util/i18n.h"

/* Prints one text that libvirt allocated, or fails with @context. */
static bool
print_owned(VshShell *shell, const char *key, char *text, const char *context,
            GError **error)
{
    g_autoptr(VshRecord) record = vsh_record_new(0);

    if (!text) {
        vsh_error_virt(error, "%s", context);
        return false;
    }
    vsh_record_add(record, key, "", text, NULL);
    vsh_record_print(record, &shell->out);
    free(text);
    return true;
}

/* The URI as the user gives it: what it was made into for libvirt's client
 * leads to the same place, but is nothing to type. */
static bool
run_uri(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(VshRecord) record = vsh_record_new(0);
    char *real = virConnectGetURI(shell->connection.conn);

    if (!real) {
        vsh_error_virt(error, _("Failed to get URI"));
        return false;
    }
    vsh_record_add(record, "uri", "",
                   shell->connection.target.socket
                       ? vsh_connection_wanted(&shell->connection)
                       : real,
                   NULL);
    vsh_record_add(record, "client_uri", NULL, real, NULL);
    vsh_record_print(record, &shell->out);
    free(real);
    return true;
}

static const VshCommand command_uri = {
    .name = "uri",
    .group = "host",
    .summary = N_("print the hypervisor canonical URI"),
    .details = N_("Prints the URI of the connection. As JSON it comes with "
                  "the one that any other client of libvirt can use."),
    .flags = VSH_COMMAND_QUERY,
    .run = run_uri,
};

static void
add_version(VshRecord *record, const char *key, const char *format,
            const char *what, unsigned long version)
{
    g_autofree char *number =
        g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000,
                        version % 1000);
    g_autofree char *value =
        what ? g_strdup_printf("%s %s", what, number) : g_strdup(number);
    g_autoptr(GString) line = g_string_new(format);

    g_string_replace(line, "%s", value, 1);
    vsh_record_add(record, key, "", line->str, json_string(number));
}

static bool
add_hypervisor(VshRecord *record, VshShell *shell, const char *type,
               GError **error)
{
    unsigned long version;
    g_autofree char *text = NULL;

    if (virConnectGetVersion(shell->connection.conn, &version) < 0) {
        vsh_error_virt(error, _("failed to get the hypervisor version"));
        return false;
    }
    if (version > 0) {
        add_version(record, "hypervisor", _("Running hypervisor: %s"), type,
                    version);
        return true;
    }
    text = g_strdup_printf(_("Cannot extract running %s hypervisor version"),
                           type);
    vsh_record_add(record, "hypervisor", "", text, json_null());
    return true;
}

static bool
run_version(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *type = virConnectGetType(shell->connection.conn);
    unsigned long library, api, daemon;
    g_autoptr(VshRecord) record = vsh_record_new(0);

    if (!type || virGetVersion(&library, type, &api) < 0) {
        vsh_error_virt(error, _("failed to get hypervisor type"));
        return false;
    }
    add_version(record, "compiled", _("Compiled against library: %s"),
                "libvirt", LIBVIR_VERSION_NUMBER);
    add_version(record, "library", _("Using library: %s"), "libvirt", library);
    add_version(record, "api", _("Using API: %s"), type, api);
    vsh_record_add(record, "type", NULL, type, NULL);
    if (!add_hypervisor(record, shell, type, error))
        return false;
    if (vsh_args_given(args, "daemon")) {
        if (virConnectGetLibVersion(shell->connection.conn, &daemon) < 0) {
            vsh_error_virt(error, _("failed to get the daemon version"));
            return false;
        }
        add_version(record, "daemon", _("Running against daemon: %s"), NULL,
                    daemon);
    }
    vsh_record_print(record, &shell->out);
    return true;
}

static const VshOption version_options[] = {
    VSH_FLAG("daemon", N_("report daemon version too")),
    { NULL },
};

static const VshCommand command_version = {
    .name = "version",
    .group = "host",
    .summary = N_("show version"),
    .details = N_("Shows the versions of the client library and of the "
                  "hypervisor."),
    .options = version_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_version,
};

static bool
run_hostname(VshShell *shell, const VshArgs *args, GError **error)
{
    return print_owned(shell, "hostname",
                       virConnectGetHostname(shell->connection.conn),
                       _("failed to get hostname"), error);
}

static const VshCommand command_hostname = {
    .name = "hostname",
    .group = "host",
    .summary = N_("print the hypervisor hostname"),
    .details = N_("Prints the name of the host that the hypervisor runs on."),
    .flags = VSH_COMMAND_QUERY,
    .run = run_hostname,
};

static void
add_number(VshRecord *record, const char *key, const char *label,
           const char *unit, unsigned long number)
{
    g_autofree char *text = g_strdup_printf("%lu%s", number, unit);

    vsh_record_add(record, key, label, text, json_integer((json_int_t)number));
}

#define NODE_LABEL_WIDTH 21

static bool
run_nodeinfo(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(VshRecord) record = vsh_record_new(NODE_LABEL_WIDTH);
    virNodeInfo info;

    if (virNodeGetInfo(shell->connection.conn, &info) < 0) {
        vsh_error_virt(error, _("failed to get node information"));
        return false;
    }
    vsh_record_add(record, "cpu_model", _("CPU model:"), info.model, NULL);
    add_number(record, "cpus", _("CPU(s):"), "", info.cpus);
    add_number(record, "cpu_mhz", info.mhz ? _("CPU frequency:") : NULL, " MHz",
               info.mhz);
    add_number(record, "sockets", _("CPU socket(s):"), "", info.sockets);
    add_number(record, "cores", _("Core(s) per socket:"), "", info.cores);
    add_number(record, "threads", _("Thread(s) per core:"), "", info.threads);
    add_number(record, "nodes", _("NUMA cell(s):"), "", info.nodes);
    add_number(record, "memory_kib", _("Memory size:"), " KiB", info.memory);
    vsh_record_print(record, &shell->out);
    return true;
}

static const VshCommand command_nodeinfo = {
    .name = "nodeinfo",
    .group = "host",
    .summary = N_("node information"),
    .details = N_("Shows the processors and the memory of the host."),
    .flags = VSH_COMMAND_QUERY,
    .run = run_nodeinfo,
};

static bool
run_capabilities(VshShell *shell, const VshArgs *args, GError **error)
{
    return print_owned(shell, "xml",
                       virConnectGetCapabilities(shell->connection.conn),
                       _("failed to get capabilities"), error);
}

static const VshCommand command_capabilities = {
    .name = "capabilities",
    .group = "host",
    .summary = N_("capabilities"),
    .details = N_("Prints, as XML, what the host and the driver can do."),
    .flags = VSH_COMMAND_QUERY,
    .run = run_capabilities,
};

static bool
run_domcapabilities(VshShell *shell, const VshArgs *args, GError **error)
{
    return print_owned(
        shell, "xml",
        virConnectGetDomainCapabilities(
            shell->connection.conn, vsh_args_string(args, "emulatorbin"),
            vsh_args_string(args, "arch"), vsh_args_string(args, "machine"),
            vsh_args_string(args, "virttype"), 0),
        _("failed to get emulator capabilities"), error);
}

static const char *const virttype_words[] = { "kvm", NULL };
static const char *const arch_words[] = { "x86_64", NULL };
static const char *const machine_words[] = { "pc", "q35", "microvm", NULL };

static const VshOption domcapabilities_options[] = {
    { .name = "virttype",
      .kind = VSH_OPTION_STRING,
      .help = N_("virtualization type (/domain/@type)"),
      .complete = vsh_complete_word,
      .words = virttype_words },
    { .name = "emulatorbin",
      .kind = VSH_OPTION_STRING,
      .help = N_("path to emulator binary (/domain/devices/emulator)"),
      .complete = vsh_complete_file },
    { .name = "arch",
      .kind = VSH_OPTION_STRING,
      .help = N_("domain architecture (/domain/os/type/@arch)"),
      .complete = vsh_complete_word,
      .words = arch_words },
    { .name = "machine",
      .kind = VSH_OPTION_STRING,
      .help = N_("machine type (/domain/os/type/@machine)"),
      .complete = vsh_complete_word,
      .words = machine_words },
    { NULL },
};

static const VshCommand command_domcapabilities = {
    .name = "domcapabilities",
    .group = "host",
    .summary = N_("domain capabilities"),
    .details = N_("Prints, as XML, what a domain of a kind of machine can "
                  "have."),
    .options = domcapabilities_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domcapabilities,
};

static bool
run_sysinfo(VshShell *shell, const VshArgs *args, GError **error)
{
    return print_owned(shell, "xml",
                       virConnectGetSysinfo(shell->connection.conn, 0),
                       _("failed to get sysinfo"), error);
}

static const VshCommand command_sysinfo = {
    .name = "sysinfo",
    .group = "host",
    .summary = N_("print the hypervisor sysinfo"),
    .details = N_("Prints, as XML, what the host's SMBIOS says, which a domain "
                  "with <smbios mode='host'/> repeats."),
    .flags = VSH_COMMAND_QUERY,
    .run = run_sysinfo,
};

const VshCommand *const vsh_commands_host[] = {
    &command_capabilities, &command_domcapabilities,
    &command_hostname,     &command_nodeinfo,
    &command_sysinfo,      &command_uri,
    &command_version,      NULL,
};
