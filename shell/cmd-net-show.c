/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/network.h"
#include "shell/table.h"
#include "shell/xml.h"
#include "util/i18n.h"

/* Columns of "Label:" before the value, as virsh's. */
#define INFO_WIDTH 16

static void
add_yes_no(VshRecord *record, const char *key, const char *label, int yes)
{
    if (yes >= 0)
        vsh_record_add(record, key, label, yes ? _("yes") : _("no"),
                       json_boolean(yes));
}

static bool
run_net_info(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    g_autoptr(VshRecord) record = vsh_record_new(INFO_WIDTH);
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    g_autofree char *bridge = NULL;
    int autostart = 0;

    if (!network)
        return false;
    virNetworkGetUUIDString(network, uuid);
    vsh_record_add(record, "name", _("Name:"), virNetworkGetName(network),
                   NULL);
    vsh_record_add(record, "uuid", _("UUID:"), uuid, NULL);
    add_yes_no(record, "active", _("Active:"), virNetworkIsActive(network));
    add_yes_no(record, "persistent", _("Persistent:"),
               virNetworkIsPersistent(network));
    if (virNetworkGetAutostart(network, &autostart) >= 0)
        add_yes_no(record, "autostart", _("Autostart:"), autostart);
    bridge = virNetworkGetBridgeName(network);
    if (bridge)
        vsh_record_add(record, "bridge", _("Bridge:"), bridge, NULL);
    vsh_record_print(record, &shell->out);
    return true;
}

/* Prints one property. */
static bool
print_value(VshShell *shell, const char *key, const char *text)
{
    g_autoptr(VshRecord) record = vsh_record_new(0);

    vsh_record_add(record, key, "", text, NULL);
    vsh_record_print(record, &shell->out);
    return true;
}

static bool
run_net_name(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_find(
        shell, vsh_args_string(args, "network"), VSH_NETWORK_BY_UUID, error);

    return network && print_value(shell, "name", virNetworkGetName(network));
}

static bool
run_net_uuid(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virNetwork) network = vsh_network_find(
        shell, vsh_args_string(args, "network"), VSH_NETWORK_BY_NAME, error);
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    if (!network)
        return false;
    virNetworkGetUUIDString(network, uuid);
    return print_value(shell, "uuid", uuid);
}

static bool
run_net_dumpxml(VshShell *shell, const VshArgs *args, GError **error)
{
    unsigned flags =
        vsh_args_given(args, "inactive") ? VIR_NETWORK_XML_INACTIVE : 0;
    const char *xpath = vsh_args_string(args, "xpath");
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    const char *name = network ? virNetworkGetName(network) : NULL;
    g_autofree char *xml =
        network ? virNetworkGetXMLDesc(network, flags) : NULL;
    g_autofree char *selected = NULL;

    if (!network)
        return false;
    if (!xml) {
        vsh_error_virt(error, _("Failed to get the XML of network %s"), name);
        return false;
    }
    if (xpath) {
        selected =
            vsh_xml_select(xml, xpath, vsh_args_given(args, "wrap"), error);
        if (!selected)
            return false;
    }
    return print_value(shell, "xml", g_strchomp(selected ? selected : xml));
}

/* --- leases ----------------------------------------------------------------
 */

static char *
expiry_text(gint64 expiry_s)
{
    g_autoptr(GDateTime) when = NULL;

    if (expiry_s == 0)
        return g_strdup(_("never"));
    when = g_date_time_new_from_unix_local(expiry_s);
    return when ? g_date_time_format(when, "%Y-%m-%d %H:%M:%S") : g_strdup("-");
}

/* What is not there is a dash to people, null to programs. */
static void
add_text(VshTable *table, const char *text)
{
    vsh_table_add(table, text ? text : "-", text ? NULL : json_null());
}

static void
add_lease(VshTable *table, virNetworkDHCPLeasePtr lease)
{
    bool six = lease->type == VIR_IP_ADDR_TYPE_IPV6;
    g_autofree char *expiry = expiry_text(lease->expirytime);
    g_autofree char *address =
        g_strdup_printf("%s/%u", lease->ipaddr, lease->prefix);

    vsh_table_add(table, expiry, json_integer(lease->expirytime));
    add_text(table, lease->mac);
    vsh_table_add(table, six ? "ipv6" : "ipv4", NULL);
    vsh_table_add(table, address, NULL);
    add_text(table, lease->hostname);
    add_text(table, lease->clientid);
}

static int
compare_leases(const void *a, const void *b)
{
    virNetworkDHCPLeasePtr one = *(virNetworkDHCPLeasePtr const *)a;
    virNetworkDHCPLeasePtr two = *(virNetworkDHCPLeasePtr const *)b;

    return g_strcmp0(one->mac, two->mac);
}

static bool
run_net_dhcp_leases(VshShell *shell, const VshArgs *args, GError **error)
{
    const VshColumn columns[] = {
        { "expiry", _("Expiry Time") }, { "mac", _("MAC address") },
        { "protocol", _("Protocol") },  { "address", _("IP address") },
        { "hostname", _("Hostname") },  { "client_id", _("Client ID or DUID") },
    };
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    const char *name = network ? virNetworkGetName(network) : NULL;
    g_autoptr(VshTable) table = vsh_table_new(columns, G_N_ELEMENTS(columns));
    virNetworkDHCPLeasePtr *leases = NULL;
    int count;

    if (!network)
        return false;
    count = virNetworkGetDHCPLeases(network, vsh_args_string(args, "mac"),
                                    &leases, 0);
    if (count < 0) {
        vsh_error_virt(error, _("Failed to get leases info for %s"), name);
        return false;
    }
    if (count > 0)
        qsort(leases, (size_t)count, sizeof(*leases), compare_leases);
    for (int i = 0; i < count; i++) {
        add_lease(table, leases[i]);
        virNetworkDHCPLeaseFree(leases[i]);
    }
    free(leases);
    vsh_table_print(table, &shell->out);
    return true;
}

/* --- ports -----------------------------------------------------------------
 */

static bool
run_net_port_list(VshShell *shell, const VshArgs *args, GError **error)
{
    const VshColumn columns[] = { { "uuid", _("UUID") } };
    g_autoptr(virNetwork) network = vsh_network_of(shell, args, error);
    const char *name = network ? virNetworkGetName(network) : NULL;
    g_autoptr(VshTable) table = vsh_table_new(columns, 1);
    virNetworkPortPtr *ports = NULL;
    int count;

    if (!network)
        return false;
    count = virNetworkListAllPorts(network, &ports, 0);
    if (count < 0) {
        vsh_error_virt(error, _("Failed to list the ports of network %s"),
                       name);
        return false;
    }
    for (int i = 0; i < count; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        virNetworkPortGetUUIDString(ports[i], uuid);
        vsh_table_add(table, uuid, NULL);
        virNetworkPortFree(ports[i]);
    }
    free(ports);
    vsh_table_print(table, &shell->out);
    return true;
}

static const VshOption network_options[] = { VSH_OPTION_NETWORK, { NULL } };

static const VshOption dumpxml_options[] = {
    VSH_OPTION_NETWORK,
    VSH_FLAG("inactive", N_("show inactive defined XML")),
    { .name = "xpath",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_NAMED,
      .help = N_("xpath expression to filter the XML document") },
    VSH_FLAG("wrap", N_("wrap xpath results in an common root element")),
    { NULL },
};

static const VshOption lease_options[] = {
    VSH_OPTION_NETWORK,
    { .name = "mac",
      .kind = VSH_OPTION_STRING,
      .help = N_("MAC address of the one interface whose leases are wanted") },
    { NULL },
};

static const VshCommand command_net_info = {
    .name = "net-info",
    .group = "network",
    .summary = N_("network information"),
    .details =
        N_("Shows what is known of a network, and the name of its bridge."),
    .options = network_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_net_info,
};

static const VshCommand command_net_name = {
    .name = "net-name",
    .group = "network",
    .summary = N_("convert a network UUID to network name"),
    .details = N_("Prints the name of the network that a UUID names."),
    .options = network_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_net_name,
};

static const VshCommand command_net_uuid = {
    .name = "net-uuid",
    .group = "network",
    .summary = N_("convert a network name to network UUID"),
    .details = N_("Prints the UUID of a network."),
    .options = network_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_net_uuid,
};

static const VshCommand command_net_dumpxml = {
    .name = "net-dumpxml",
    .group = "network",
    .summary = N_("network information in XML"),
    .details = N_("Prints the definition of a network as XML: of an active one "
                  "the live definition, unless --inactive."),
    .options = dumpxml_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_net_dumpxml,
};

static const VshCommand command_net_dhcp_leases = {
    .name = "net-dhcp-leases",
    .group = "network",
    .summary = N_("print lease info for a given network"),
    .details = N_("Lists the addresses that a network has given out, and until "
                  "when; as JSON the time is in seconds since 1970."),
    .options = lease_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_net_dhcp_leases,
};

static const VshCommand command_net_port_list = {
    .name = "net-port-list",
    .group = "network",
    .summary = N_("list network ports"),
    .details = N_("Lists the ports of a network that a driver keeps account "
                  "of; the driver kvm keeps none."),
    .options = network_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_net_port_list,
};

const VshCommand *const vsh_commands_net_show[] = {
    &command_net_dhcp_leases,
    &command_net_dumpxml,
    &command_net_info,
    &command_net_name,
    &command_net_port_list,
    &command_net_uuid,
    NULL,
};
