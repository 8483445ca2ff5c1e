/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "conf/inet.h"
#include "core/network-text.h"

/* dnsmasq gives out no more addresses than this, whatever the ranges. */
#define LEASES_MAX 65536

static bool
is_six(const ConfNetworkIp *ip)
{
    return g_strcmp0(ip->family, "ipv6") == 0;
}

static bool
has_dns(const ConfNetwork *conf)
{
    return conf->dns.enable != CONF_ONOFF_OFF;
}

bool
core_network_needs_dnsmasq(const ConfNetwork *conf)
{
    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);

        if (has_dns(conf) || ip->ranges->len || ip->hosts->len ||
            ip->tftp_root || is_six(ip))
            return true;
    }
    return false;
}

/* --- names ---------------------------------------------------------------- */

static void
add_dns(GString *text, const ConfDns *dns)
{
    if (dns->forward_plain_names == CONF_ONOFF_OFF)
        g_string_append(text, "domain-needed\nlocal=//\n");
    for (guint i = 0; i < dns->forwarders->len; i++) {
        const ConfDnsForwarder *to = g_ptr_array_index(dns->forwarders, i);

        g_string_append(text, "server=");
        if (to->domain)
            g_string_append_printf(text, "/%s/%s\n", to->domain,
                                   to->addr ? to->addr : "#");
        else
            g_string_append_printf(text, "%s\n", to->addr);
    }
    if (dns->forwarders->len > 0)
        g_string_append(text, "no-resolv\n");
    for (guint i = 0; i < dns->txts->len; i++) {
        const ConfDnsTxt *txt = g_ptr_array_index(dns->txts, i);

        g_string_append_printf(text, "txt-record=%s", txt->name);
        if (txt->value)
            g_string_append_printf(text, ",\"%s\"", txt->value);
        g_string_append_c(text, '\n');
    }
    for (guint i = 0; i < dns->hosts->len; i++) {
        const ConfDnsHost *host = g_ptr_array_index(dns->hosts, i);

        g_string_append(text, "host-record=");
        for (guint j = 0; j < host->names->len; j++) {
            const ConfHostname *name = g_ptr_array_index(host->names, j);

            g_string_append_printf(text, "%s,", name->name);
        }
        g_string_append_printf(text, "%s\n", host->ip);
    }
}

static void
add_domain(GString *text, const ConfNetworkDomain *domain)
{
    if (!domain->name)
        return;
    if (domain->local_only == CONF_ONOFF_ON)
        g_string_append_printf(text, "local=/%s/\n", domain->name);
    g_string_append_printf(text, "domain=%s\nexpand-hosts\n", domain->name);
}

/* --- addresses -------------------------------------------------------------
 */

static void
add_lease(GString *text, const ConfLease *lease)
{
    int64_t seconds = conf_network_lease_s(lease);

    if (seconds == 0)
        g_string_append(text, ",infinite");
    else if (seconds > 0)
        g_string_append_printf(text, ",%" G_GINT64_FORMAT, seconds);
}

static void
add_range(GString *text, const ConfNetworkIp *ip, const ConfDhcpRange *range)
{
    unsigned prefix = conf_network_ip_prefix(ip);
    ConfInet mask = { .family = AF_INET };
    g_autofree char *netmask = NULL;

    memset(mask.bytes, 0xff, 4);
    conf_inet_mask(&mask, prefix, false);
    netmask = conf_inet_format(&mask);
    g_string_append_printf(text, "dhcp-range=%s,%s,", range->start, range->end);
    if (is_six(ip))
        g_string_append_printf(text, "%u", prefix);
    else
        g_string_append(text, netmask);
    add_lease(text, &range->lease);
    g_string_append_c(text, '\n');
}

static void
add_host(GString *text, const ConfNetworkIp *ip, const ConfDhcpHost *host)
{
    const char *separator = "";

    g_string_append(text, "dhcp-host=");
    if (host->mac || host->id) {
        g_string_append_printf(text, "%s%s", host->mac ? "" : "id:",
                               host->mac ? host->mac : host->id);
        separator = ",";
    }
    if (host->ip)
        g_string_append_printf(text, is_six(ip) ? "%s[%s]" : "%s%s", separator,
                               host->ip);
    if (host->ip)
        separator = ",";
    if (host->name)
        g_string_append_printf(text, "%s%s", separator, host->name);
    add_lease(text, &host->lease);
    g_string_append_c(text, '\n');
}

/* The size of a range, at most LEASES_MAX. */
static unsigned
range_size(const ConfDhcpRange *range)
{
    ConfInet start, end;
    uint64_t size = 0;

    if (!conf_inet_parse(range->start, &start) ||
        !conf_inet_parse(range->end, &end))
        return 0;
    for (unsigned i = 0; i < conf_inet_bits(&start) / 8; i++) {
        size = size * 256 + end.bytes[i] - start.bytes[i];
        if (size > LEASES_MAX)
            return LEASES_MAX;
    }
    return (unsigned)size + 1;
}

static void
add_boot(GString *text, const ConfNetworkIp *ip)
{
    if (ip->tftp_root)
        g_string_append_printf(text, "enable-tftp\ntftp-root=%s\n",
                               ip->tftp_root);
    if (ip->bootp_file)
        g_string_append_printf(text, "dhcp-boot=%s%s%s\n", ip->bootp_file,
                               ip->bootp_server ? ",," : "",
                               ip->bootp_server ? ip->bootp_server : "");
}

/* Returns: how many addresses it gives out, at most LEASES_MAX. */
static unsigned
add_ip(GString *text, const ConfNetworkIp *ip)
{
    unsigned size = ip->hosts->len;

    for (guint i = 0; i < ip->ranges->len; i++) {
        const ConfDhcpRange *range = g_ptr_array_index(ip->ranges, i);

        add_range(text, ip, range);
        size += range_size(range);
    }
    /* addresses for those hosts only that are named */
    if (!ip->ranges->len && ip->hosts->len)
        g_string_append_printf(text, "dhcp-range=%s,static\n", ip->address);
    else if (!ip->ranges->len && is_six(ip))
        g_string_append_printf(text, "dhcp-range=%s,ra-only\n", ip->address);
    for (guint i = 0; i < ip->hosts->len; i++)
        add_host(text, ip, g_ptr_array_index(ip->hosts, i));
    add_boot(text, ip);
    return MIN(size, LEASES_MAX);
}

static void
add_ips(GString *text, const ConfNetwork *conf)
{
    unsigned leases = 0;
    bool six = false;

    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);

        six = six || is_six(ip);
        leases += add_ip(text, ip);
    }
    if (leases > 0)
        g_string_append_printf(text,
                               "dhcp-no-override\ndhcp-authoritative\n"
                               "dhcp-lease-max=%u\n",
                               MIN(leases, LEASES_MAX));
    if (six)
        g_string_append(text, "enable-ra\n");
    /* an isolated network leads nowhere: its guests get no default route */
    if (conf->forward.mode == CONF_FORWARD_NONE)
        g_string_append(text, "dhcp-option=option:router\n");
    if (conf->bridge.mtu)
        g_string_append_printf(text, "dhcp-option=option:mtu,%u\n",
                               conf->bridge.mtu);
}

char *
core_network_dnsmasq_text(const ConfNetwork *conf,
                          const CoreDnsmasqPaths *paths)
{
    GString *text = g_string_new("# virtkvmd's own file: DO NOT EDIT\n");

    g_string_append_printf(text,
                           "keep-in-foreground\nstrict-order\n"
                           "pid-file=%s\ndhcp-leasefile=%s\n"
                           "except-interface=lo\nbind-dynamic\ninterface=%s\n",
                           paths->pid, paths->leases, conf->bridge.name);
    if (!has_dns(conf))
        g_string_append(text, "port=0\n");
    add_domain(text, &conf->domain);
    add_dns(text, &conf->dns);
    add_ips(text, conf);
    return g_string_free(text, FALSE);
}
