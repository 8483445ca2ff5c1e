/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/device.h"
#include "util/i18n.h"

/* In the order of virDomainInterfaceAddressesSource. */
static const char *const source_words[] = {
    [VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE] = "lease",
    [VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT] = "agent",
    [VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP] = "arp",
    NULL,
};

static bool
parse_source(const char *text, unsigned *ret_source, GError **error)
{
    for (unsigned i = 0; source_words[i]; i++) {
        if (strcmp(text, source_words[i]) == 0) {
            *ret_source = i;
            return true;
        }
    }
    vsh_error_set(error, VSH_EXIT_USAGE, _("Unknown data source '%s'"), text);
    vsh_error_hint(error, _("expecting 'lease', 'agent', or 'arp'"));
    return false;
}

/* A row; @address NULL: none is known. */
static void
add_row(VshTable *table, const virDomainInterface *interface,
        const virDomainIPAddress *address, bool repeat)
{
    const char *mac = interface->hwaddr ? interface->hwaddr : "";
    const char *protocol =
        address && address->type == VIR_IP_ADDR_TYPE_IPV6 ? "ipv6" : "ipv4";
    g_autofree char *text =
        address ? g_strdup_printf("%s/%u", address->addr, address->prefix)
                : g_strdup(_("N/A"));

    vsh_table_add(table, repeat ? interface->name : "-",
                  json_string(interface->name));
    vsh_table_add(table, repeat ? mac : "-", json_string(mac));
    vsh_table_add(table, address ? protocol : _("N/A"),
                  address ? NULL : json_null());
    vsh_table_add(table, text,
                  address ? json_string(address->addr) : json_null());
    vsh_table_add(table, NULL,
                  address ? json_integer(address->prefix) : json_null());
}

static bool
is_wanted(const virDomainInterface *interface, const char *name)
{
    return !name || strcmp(interface->name, name) == 0 ||
           (interface->hwaddr &&
            g_ascii_strcasecmp(interface->hwaddr, name) == 0);
}

static void
add_interface(VshTable *table, const virDomainInterface *interface, bool full)
{
    if (interface->naddrs == 0)
        add_row(table, interface, NULL, true);
    for (unsigned i = 0; i < interface->naddrs; i++)
        add_row(table, interface, &interface->addrs[i], full || i == 0);
}

/* Nothing found is no failure, but a reason to look elsewhere. */
static void
note_nothing(VshShell *shell, unsigned source)
{
    if (shell->out.format == VSH_FORMAT_JSON)
        return;
    if (source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)
        vsh_note(&shell->out, _("no lease is known of this domain; '--source "
                                "arp' looks for its packets"));
    else
        vsh_note(&shell->out, _("no address is known of this domain"));
}

static bool
show_addresses(VshShell *shell, const VshArgs *args, virDomainPtr domain,
               unsigned source, GError **error)
{
    const VshColumn columns[] = {
        { .key = "name", .header = _("Name"), .width = 8 },
        { .key = "mac", .header = _("MAC address"), .width = 18 },
        { .key = "protocol", .header = _("Protocol"), .width = 10 },
        { .key = "address", .header = _("Address"), .width = 31 },
        { .key = "prefix" },
    };
    const char *wanted = vsh_args_string(args, "interface");
    g_autoptr(VshTable) table = vsh_table_new(columns, G_N_ELEMENTS(columns));
    virDomainInterfacePtr *interfaces = NULL;
    int count = virDomainInterfaceAddresses(domain, &interfaces, source, 0);

    if (count < 0) {
        vsh_error_virt(error, _("Failed to query for interfaces addresses"));
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (is_wanted(interfaces[i], wanted))
            add_interface(table, interfaces[i], vsh_args_given(args, "full"));
        virDomainInterfaceFree(interfaces[i]);
    }
    free(interfaces);
    vsh_table_print(table, &shell->out);
    if (vsh_table_rows(table) == 0)
        note_nothing(shell, source);
    return true;
}

static bool
run_domifaddr(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *text = vsh_args_string(args, "source");
    g_autoptr(virDomain) domain = NULL;
    unsigned source = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE;

    if (text && !parse_source(text, &source, error))
        return false;
    domain = vsh_domain_of(shell, args, error);
    return domain && show_addresses(shell, args, domain, source, error);
}

static const VshOption domifaddr_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ACTIVE),
    { .name = "interface",
      .kind = VSH_OPTION_STRING,
      .help = N_("network interface name"),
      .complete = vsh_complete_interface },
    VSH_FLAG("full", N_("always display names and MACs of interfaces")),
    { .name = "source",
      .kind = VSH_OPTION_STRING,
      .help = N_("address source: 'lease', 'agent', or 'arp'"),
      .complete = vsh_complete_word,
      .words = source_words },
    { NULL },
};

static const VshCommand command_domifaddr = {
    .name = "domifaddr",
    .group = "monitor",
    .summary = N_("get network interfaces' addresses for a running domain"),
    .details = N_("Shows the addresses that a guest has: those that our DHCP "
                  "server has leased, those that the guest's agent tells, or "
                  "those seen on the host."),
    .options = domifaddr_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domifaddr,
};

const VshCommand *const vsh_commands_ifaddr[] = { &command_domifaddr, NULL };
