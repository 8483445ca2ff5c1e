/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "conf/inet.h"
#include "conf/network-element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

/* --- <dhcp> -------------------------------------------------------------- */

static const char *const unit_names[] = { NULL, "seconds", "minutes", "hours",
                                          "" };

static void
lease_init(void *base)
{
    ConfLease *lease = base;

    lease->expiry = -1;
}

static const ConfField lease_fields[] = {
    CONF_ATTR("expiry", ConfLease, expiry, number, .flags = CONF_REQUIRED),
    CONF_ATTR("unit", ConfLease, unit, enum, .names = unit_names), CONF_END
};

static bool
lease_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfLease *lease = base;

    /* libvirt's floor: dnsmasq takes nothing below two minutes */
    if (lease->expiry == 0 || conf_network_lease_s(lease) >= 120)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("The minimum lease time should be greater than 2 minutes (line "
                "%ld)"),
              xmlGetLineNo(node));
    return false;
}

static const ConfElement lease_element = { .name = "lease",
                                           .fields = lease_fields,
                                           .init = lease_init,
                                           .check = lease_check };

int64_t
conf_network_lease_s(const ConfLease *lease)
{
    static const int seconds[] = { 60, 1, 60, 3600 };

    return (int64_t)lease->expiry * seconds[lease->unit];
}

static const ConfField range_fields[] = {
    CONF_ATTR("start", ConfDhcpRange, start, ip, .flags = CONF_REQUIRED),
    CONF_ATTR("end", ConfDhcpRange, end, ip, .flags = CONF_REQUIRED),
    CONF_CHILD("lease", ConfDhcpRange, lease, lease_element), CONF_END
};

static bool
range_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfDhcpRange *range = base;

    if (range->start && range->end)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Missing '%s' attribute in DHCP range (line %ld)"),
              range->start ? "end" : "start", xmlGetLineNo(node));
    return false;
}

const ConfElement conf_dhcp_range_element = { .name = "range",
                                              .fields = range_fields,
                                              .size = sizeof(ConfDhcpRange),
                                              .carried = offsetof(ConfDhcpRange,
                                                                  carried),
                                              .check = range_check };

static const ConfField host_fields[] = {
    CONF_ATTR("mac", ConfDhcpHost, mac, mac),
    CONF_ATTR("id", ConfDhcpHost, id, token),
    CONF_ATTR("name", ConfDhcpHost, name, hostname),
    CONF_ATTR("ip", ConfDhcpHost, ip, ip),
    CONF_CHILD("lease", ConfDhcpHost, lease, lease_element),
    CONF_END
};

/* An id goes into dnsmasq's files: hexadecimal bytes, "*", or a plain word. */
static bool
is_id(const char *id)
{
    for (; *id; id++) {
        if (!g_ascii_isalnum(*id) && !strchr(":-._*", *id))
            return false;
    }
    return true;
}

static bool
host_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfDhcpHost *host = base;
    uint8_t mac[6];

    if (host->mac && conf_mac_parse(host->mac, mac) && (mac[0] & 1)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("expected unicast mac address, found multicast '%s' (line "
                    "%ld)"),
                  host->mac, xmlGetLineNo(node));
        return false;
    }
    if (host->id && !is_id(host->id)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Invalid character in id '%s' of a static host (line %ld)"),
                  host->id, xmlGetLineNo(node));
        return false;
    }
    return true;
}

const ConfElement conf_dhcp_host_element = { .name = "host",
                                             .fields = host_fields,
                                             .size = sizeof(ConfDhcpHost),
                                             .carried = offsetof(ConfDhcpHost,
                                                                 carried),
                                             .check = host_check };

/* A path goes into a line of dnsmasq's file. */
static bool
path_parse(const ConfField *field, const xmlNode *node, const char *text,
           void *member, GError **error)
{
    bool plain = *text && !strpbrk(text, ",\"\\#");

    for (const char *p = text; *p && plain; p++)
        plain = !g_ascii_iscntrl(*p);
    if (plain)
        return conf_type_token.parse(field, node, text, member, error);
    conf_value_error(error, field, node, text);
    return false;
}

static void
path_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<text/>");
}

static const ConfType conf_type_path = { .parse = path_parse,
                                         .format = conf_string_format,
                                         .clear = conf_string_clear,
                                         .copy = conf_string_copy,
                                         .schema = path_schema };

static const ConfField bootp_fields[] = {
    CONF_ATTR("file", ConfNetworkIp, bootp_file, path, .flags = CONF_REQUIRED),
    CONF_ATTR("server", ConfNetworkIp, bootp_server, ip), CONF_END
};
static const ConfElement bootp_element = { .name = "bootp",
                                           .fields = bootp_fields };

static const ConfField dhcp_fields[] = {
    CONF_LIST("range", ConfNetworkIp, ranges, conf_dhcp_range_element),
    CONF_LIST("host", ConfNetworkIp, hosts, conf_dhcp_host_element),
    CONF_GROUP("bootp", bootp_element), CONF_END
};

static bool
dhcp_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfNetworkIp *ip = base;

    ip->dhcp = CONF_ONOFF_ON;
    return true;
}

static const ConfElement dhcp_element = { .name = "dhcp",
                                          .fields = dhcp_fields,
                                          .check = dhcp_check };

/* --- <ip> ---------------------------------------------------------------- */

static const ConfField tftp_fields[] = {
    CONF_ATTR("root", ConfNetworkIp, tftp_root, path, .flags = CONF_REQUIRED),
    CONF_END
};
static const ConfElement tftp_element = { .name = "tftp",
                                          .fields = tftp_fields };

static const ConfField ip_fields[] = {
    CONF_ATTR("family", ConfNetworkIp, family, token),
    CONF_ATTR("address", ConfNetworkIp, address, ip, .flags = CONF_REQUIRED),
    CONF_ATTR("netmask", ConfNetworkIp, netmask, ip),
    CONF_ATTR("prefix", ConfNetworkIp, prefix, number),
    CONF_ATTR("localPtr", ConfNetworkIp, local_ptr, yesno),
    CONF_GROUP("tftp", tftp_element),
    CONF_GROUP("dhcp", dhcp_element),
    CONF_END
};

static void
ip_init(void *base)
{
    ConfNetworkIp *ip = base;

    ip->prefix = -1;
}

static bool
check_family(const ConfNetworkIp *ip, int family, GError **error)
{
    bool six = g_strcmp0(ip->family, "ipv6") == 0;

    if (ip->family && !six && strcmp(ip->family, "ipv4") != 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Unrecognized family '%s' in network's <ip> element"),
                  ip->family);
        return false;
    }
    if (six == (family == AF_INET6))
        return true;
    if (ip->family)
        error_set(error, VIR_ERR_XML_ERROR,
                  _("family '%s' specified for non-%s address '%s' in network"),
                  ip->family, six ? "IPv6" : "IPv4", ip->address);
    else
        error_set(error, VIR_ERR_XML_ERROR,
                  _("family not specified for non-IPv4 address '%s' in "
                    "network"),
                  ip->address);
    return false;
}

static bool
check_mask(const ConfNetworkIp *ip, const ConfInet *address, GError **error)
{
    ConfInet netmask;

    if (ip->prefix > (int)conf_inet_bits(address)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Invalid ULong value specified for prefix in definition of "
                    "network: %d"),
                  ip->prefix);
        return false;
    }
    if (!ip->netmask)
        return true;
    if (address->family == AF_INET6 || ip->prefix >= 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  address->family == AF_INET6
                      ? _("netmask not allowed for IPv6 address '%s' in "
                          "network")
                      : _("cannot specify both a netmask and a prefix in the "
                          "<ip> of '%s'"),
                  ip->address);
        return false;
    }
    if (conf_inet_parse(ip->netmask, &netmask) && netmask.family == AF_INET &&
        conf_inet_netmask_prefix(&netmask) >= 0)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("netmask '%s' of '%s' is not one: it has holes"), ip->netmask,
              ip->address);
    return false;
}

static bool
check_range(const ConfNetworkIp *ip, const ConfDhcpRange *range,
            const ConfInet *address, GError **error)
{
    unsigned prefix = conf_network_ip_prefix(ip);
    ConfInet start, end;

    if (!conf_inet_parse(range->start, &start) ||
        !conf_inet_parse(range->end, &end))
        return false;
    if (!conf_inet_within(&start, address, prefix) ||
        !conf_inet_within(&end, address, prefix)) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("range %s - %s is not entirely within network %s/%u"),
                  range->start, range->end, ip->address, prefix);
        return false;
    }
    if (conf_inet_compare(&start, &end) > 0) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("range %s - %s is reversed"), range->start, range->end);
        return false;
    }
    return true;
}

/* A host's own fields are an entry that dnsmasq can use. */
static bool
check_host(const ConfDhcpHost *host, int family, GError **error)
{
    ConfInet address = { .family = family };
    bool six = family == AF_INET6;

    if (host->ip) {
        conf_inet_parse(host->ip, &address);
    } else if (!host->name || six) {
        error_set(
            error, VIR_ERR_XML_ERROR,
            _("Missing IP address in static host definition for network"));
        return false;
    }
    if (address.family != family) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("static host '%s' is not of the family of its <ip>"),
                  host->ip);
        return false;
    }
    if (six && host->mac) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Invalid to specify MAC address '%s' in network IPv6 "
                    "static host definition"),
                  host->mac);
        return false;
    }
    if (host->mac || host->name || host->id)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("At least one of name, mac, or ip attribute must be specified "
                "for static host definition in network"));
    return false;
}

bool
conf_network_ip_check(const ConfNetworkIp *ip, GError **error)
{
    ConfInet address;

    if (!ip->address || !conf_inet_parse(ip->address, &address)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("<ip> of the network has no address"));
        return false;
    }
    if (!check_family(ip, address.family, error) ||
        !check_mask(ip, &address, error))
        return false;
    for (guint i = 0; i < ip->ranges->len; i++) {
        if (!check_range(ip, g_ptr_array_index(ip->ranges, i), &address, error))
            return false;
    }
    for (guint i = 0; i < ip->hosts->len; i++) {
        if (!check_host(g_ptr_array_index(ip->hosts, i), address.family, error))
            return false;
    }
    return true;
}

static bool
ip_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    if (conf_network_ip_check(base, error))
        return true;
    g_prefix_error(error, _("line %ld: "), xmlGetLineNo(node));
    return false;
}

const ConfElement conf_network_ip_element = { .name = "ip",
                                              .fields = ip_fields,
                                              .size = sizeof(ConfNetworkIp),
                                              .carried = offsetof(ConfNetworkIp,
                                                                  carried),
                                              .init = ip_init,
                                              .check = ip_check };

/* The prefix that an address without one had in the days of classes. */
static unsigned
class_prefix(const ConfInet *address)
{
    if (address->family == AF_INET6)
        return 64;
    if (address->bytes[0] < 128)
        return 8;
    return address->bytes[0] < 192 ? 16 : 24;
}

unsigned
conf_network_ip_prefix(const ConfNetworkIp *ip)
{
    ConfInet address = { 0 };
    int prefix = ip->prefix;

    if (prefix < 0 && ip->netmask && conf_inet_parse(ip->netmask, &address))
        prefix = conf_inet_netmask_prefix(&address);
    if (prefix >= 0)
        return (unsigned)prefix;
    conf_inet_parse(ip->address, &address);
    return class_prefix(&address);
}
