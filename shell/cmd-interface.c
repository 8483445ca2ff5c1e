/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/device.h"
#include "util/i18n.h"

/* A text that may be missing. */
static void
add_cell(VshTable *table, const char *text)
{
    vsh_table_add(table, text ? text : "-", text ? NULL : json_null());
}

static bool
list_interfaces(VshShell *shell, const VshArgs *args, virDomainPtr domain,
                VshTable *table, GError **error)
{
    unsigned flags =
        vsh_args_given(args, "inactive") ? VIR_DOMAIN_XML_INACTIVE : 0;
    g_autoptr(GPtrArray) interfaces =
        vsh_device_list(domain, VSH_DEVICE_INTERFACE, flags, error);

    if (!interfaces)
        return false;
    for (guint i = 0; i < interfaces->len; i++) {
        const VshDevice *interface = interfaces->pdata[i];

        vsh_table_add(table, virDomainGetName(domain), NULL);
        add_cell(table, interface->target);
        add_cell(table, interface->type);
        add_cell(table, interface->source);
        add_cell(table, interface->model);
        add_cell(table, interface->mac);
    }
    return true;
}

static bool
run_domiflist(VshShell *shell, const VshArgs *args, GError **error)
{
    VshColumn columns[] = {
        { .key = "domain" },
        { .key = "interface", .header = _("Interface") },
        { .key = "type", .header = _("Type") },
        { .key = "source", .header = _("Source") },
        { .key = "model", .header = _("Model") },
        { .key = "mac", .header = _("MAC") },
    };
    const VshDomainTable what = { columns, G_N_ELEMENTS(columns),
                                  list_interfaces, NULL };

    return vsh_domain_table(shell, args, &what, error);
}

static const VshOption domiflist_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ALL),
    VSH_FLAG("inactive", N_("get inactive rather than running configuration")),
    { NULL },
};

static const VshCommand command_domiflist = {
    .name = "domiflist",
    .group = "monitor",
    .summary = N_("list all domain virtual interfaces"),
    .details = N_("Lists the network interfaces of domains and what each is "
                  "connected to."),
    .options = domiflist_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domiflist,
};

/* The counters in the order of printing. */
static const struct {
    const char *name;
    size_t offset;
} counters[] = {
    { "rx_bytes", offsetof(virDomainInterfaceStatsStruct, rx_bytes) },
    { "rx_packets", offsetof(virDomainInterfaceStatsStruct, rx_packets) },
    { "rx_errs", offsetof(virDomainInterfaceStatsStruct, rx_errs) },
    { "rx_drop", offsetof(virDomainInterfaceStatsStruct, rx_drop) },
    { "tx_bytes", offsetof(virDomainInterfaceStatsStruct, tx_bytes) },
    { "tx_packets", offsetof(virDomainInterfaceStatsStruct, tx_packets) },
    { "tx_errs", offsetof(virDomainInterfaceStatsStruct, tx_errs) },
    { "tx_drop", offsetof(virDomainInterfaceStatsStruct, tx_drop) },
};

/* What the driver doesn't know is -1 and left out. */
static void
add_counters(VshRecord *record, const char *interface,
             const virDomainInterfaceStatsStruct *stats)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
        long long value = G_STRUCT_MEMBER(long long, stats, counters[i].offset);
        g_autofree char *label =
            g_strconcat(interface, " ", counters[i].name, NULL);
        g_autofree char *text = g_strdup_printf("%lld", value);

        if (value >= 0)
            vsh_record_add(record, counters[i].name, label, text,
                           json_integer(value));
    }
}

static bool
run_domifstat(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *interface = vsh_args_string(args, "interface");
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    const char *name = domain ? virDomainGetName(domain) : NULL;
    g_autoptr(VshRecord) record = vsh_record_new(1);
    virDomainInterfaceStatsStruct stats;

    if (!domain)
        return false;
    if (virDomainInterfaceStats(domain, interface, &stats, sizeof(stats)) < 0) {
        vsh_error_virt(error, _("Failed to get interface stats %s %s"), name,
                       interface);
        vsh_device_hint(VSH_DEVICE_INTERFACE, name, error);
        return false;
    }
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, "interface", NULL, interface, NULL);
    add_counters(record, interface, &stats);
    vsh_record_print(record, &shell->out);
    return true;
}

static const VshOption domifstat_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ACTIVE),
    VSH_OPTION_INTERFACE(
        N_("interface device specified by name or MAC Address")),
    { NULL },
};

static const VshCommand command_domifstat = {
    .name = "domifstat",
    .group = "monitor",
    .summary = N_("get network interface stats for a domain"),
    .details = N_("Shows how much an interface of a running domain was used: "
                  "rx is what the guest received."),
    .options = domifstat_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domifstat,
};

const VshCommand *const vsh_commands_interface[] = {
    &command_domiflist,
    &command_domifstat,
    NULL,
};
