/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "core/calls.h"
#include "core/interface.h"
#include "core/network-use.h"
#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"

/** The addresses that guests have: domainInterfaceAddresses. */

#define ARP_MAX_BYTES (1u << 20)
#define ARP_FLAG_DONE 0x2 /* ATF_COM, <net/if_arp.h>: the entry is complete */
#define ARP_PREFIX    0   /* the table does not know it; libvirt says 0 */

/* --- answers
 * -----------------------------------------------------------------------
 */

static void
addresses_clear(gpointer data)
{
    VirtkvmInterfaceAddresses *interface = data;

    for (size_t i = 0; i < interface->count; i++)
        g_free(interface->addresses[i].address);
    g_free(interface->addresses);
    g_free(interface->name);
    g_free(interface->mac);
}

static void
add_address(VirtkvmInterfaceAddresses *interface, const char *text, int type,
            unsigned prefix)
{
    interface->addresses =
        g_renew(VirtkvmIpAddress, interface->addresses, interface->count + 1);
    interface->addresses[interface->count++] =
        (VirtkvmIpAddress){ type, g_strdup(text), prefix };
}

/* --- leases of our own networks
 * -------------------------------------------------
 */

typedef struct Search {
    VirtkvmState *state;
    char *arp; /* the table as the kernel shows it */
} Search;

static void
from_leases(const Search *search, VirtkvmInterfaceAddresses *interface)
{
    g_autoptr(GArray) leases =
        core_network_leases(search->state, interface->mac);

    for (guint i = 0; i < leases->len; i++) {
        const VirtkvmDhcpLease *lease =
            &g_array_index(leases, VirtkvmDhcpLease, i);

        add_address(interface, lease->address, lease->type, lease->prefix);
    }
}

/* --- the host's ARP table
 * ------------------------------------------------------------
 */

/* proc(5), /proc/net/arp: IP, type, flags, MAC, mask, device. */
static void
take_line(VirtkvmInterfaceAddresses *interface, const char *line)
{
    char address[64], mac[32];
    unsigned flags;

    if (sscanf(line, "%63s 0x%*x 0x%x %31s", address, &flags, mac) == 3 &&
        (flags & ARP_FLAG_DONE) && g_ascii_strcasecmp(mac, interface->mac) == 0)
        add_address(interface, address, VIR_IP_ADDR_TYPE_IPV4, ARP_PREFIX);
}

static void
from_arp(const Search *search, VirtkvmInterfaceAddresses *interface)
{
    g_auto(GStrv) lines = g_strsplit(search->arp, "\n", -1);

    for (char **line = lines; *line; line++)
        take_line(interface, *line);
}

/* --- the call
 * ----------------------------------------------------------------------------
 */

static GArray *
collect(const ConfDomain *conf, const Search *search)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(VirtkvmInterfaceAddresses));

    g_array_set_clear_func(all, addresses_clear);
    for (guint i = 0; i < conf->interfaces->len; i++) {
        const ConfInterface *interface = conf->interfaces->pdata[i];
        VirtkvmInterfaceAddresses item = {
            .name = g_strdup(interface->target ? interface->target : "-"),
            .mac = g_strdup(interface->mac),
        };

        if (search->arp)
            from_arp(search, &item);
        else if (interface->type == CONF_INTERFACE_NETWORK)
            from_leases(search, &item);
        if (item.count > 0)
            g_array_append_val(all, item);
        else
            addresses_clear(&item);
    }
    return all;
}

static const CoreOperation addresses_operation = {
    .name = "domainInterfaceAddresses", .needs = CORE_ACTIVE
};

static bool
check_source(unsigned source, GError **error)
{
    if (source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
        error_set(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  _("a guest agent is not configured"));
    else if (source > VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
        error_set(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  _("Unknown IP address data source %d"), (int)source);
    else
        return true;
    return false;
}

bool
core_call_interface_addresses(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, unsigned source,
                              unsigned flags, GArray **ret_interfaces,
                              GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_autofree char *arp = NULL;
    Search search = { .state = state };
    g_auto(CoreView) view = { 0 };

    if (!check_source(source, error) ||
        !core_view(&addresses_operation, &call, dom, &view, error))
        return false;
    if (source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP) {
        arp = file_read("/proc/net/arp", ARP_MAX_BYTES, NULL, error);
        if (!arp)
            return false;
        search.arp = arp;
    }
    *ret_interfaces = collect(view.conf, &search);
    return true;
}
