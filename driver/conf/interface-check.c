/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/interface.h"

#include <string.h>
#include <sys/socket.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/inet.h"
#include "util/error.h"
#include "util/i18n.h"

/* Ethernet's, of IPv4's least packet and of the largest that a tap takes */
#define MTU_MIN 68
#define MTU_MAX 65521

/* libvirt makes one up where there is none. */
static bool
fill_mac(ConfInterface *net, const xmlNode *node, GError **error)
{
    uint8_t mac[6];

    net->mac_given = net->mac != NULL;
    if (!net->mac)
        net->mac = conf_mac_generate();
    if (!conf_mac_parse(net->mac, mac) || !(mac[0] & 1))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("expected unicast mac address, found multicast '%s' (line "
                "%ld)"),
              net->mac, xmlGetLineNo(node));
    return false;
}

static bool
missing(const char *attr, const char *type, const xmlNode *node, GError **error)
{
    error_set(error, VIR_ERR_XML_ERROR,
              _("No <source> '%s' attribute specified with <interface "
                "type='%s'/> (line %ld)"),
              attr, type, xmlGetLineNo(node));
    return false;
}

static bool
check_source(const ConfInterface *net, const xmlNode *node, GError **error)
{
    if (net->type == CONF_INTERFACE_NETWORK && !net->network)
        return missing("network", "network", node, error);
    if (net->type == CONF_INTERFACE_BRIDGE && !net->bridge)
        return missing("bridge", "bridge", node, error);
    return true;
}

static bool
is_queue_size(unsigned size)
{
    return size == 0 || (size <= CONF_INTERFACE_QUEUE_SIZE_MAX &&
                         (size & (size - 1)) == 0 && size >= 2);
}

static bool
check_numbers(const ConfInterface *net, const xmlNode *node, GError **error)
{
    if (net->mtu && (net->mtu < MTU_MIN || net->mtu > MTU_MAX)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("the mtu '%u' of an <interface> is not from %d to %d (line "
                    "%ld)"),
                  net->mtu, MTU_MIN, MTU_MAX, xmlGetLineNo(node));
        return false;
    }
    if (net->queues > CONF_INTERFACE_QUEUES_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("an <interface> has at most %u queues, not %u"),
                  CONF_INTERFACE_QUEUES_MAX, net->queues);
        return false;
    }
    if (is_queue_size(net->rx_queue_size) && is_queue_size(net->tx_queue_size))
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("rx_queue_size and tx_queue_size have to be a power of two, at "
                "most %u (line %ld)"),
              CONF_INTERFACE_QUEUE_SIZE_MAX, xmlGetLineNo(node));
    return false;
}

bool
conf_interface_check(void *base, const xmlNode *node, unsigned flags,
                     GError **error)
{
    ConfInterface *net = base;

    if (net->type == CONF_INTERFACE_ABSENT)
        net->type = CONF_INTERFACE_USER;
    if (!net->model && net->type != CONF_INTERFACE_HOSTDEV)
        net->model = g_strdup("virtio");
    return fill_mac(net, node, error) && check_source(net, node, error) &&
           check_numbers(net, node, error);
}

bool
conf_ip_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfIp *ip = base;
    ConfInet address;

    if (ip->address && conf_inet_parse(ip->address, &address) &&
        ip->prefix <= (int)conf_inet_bits(&address) &&
        (!ip->family ||
         strcmp(ip->family, address.family == AF_INET6 ? "ipv6" : "ipv4") == 0))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Invalid address '%s' in <ip> (line %ld)"),
              ip->address ? ip->address : "", xmlGetLineNo(node));
    return false;
}

bool
conf_port_range_check(void *base, const xmlNode *node, unsigned flags,
                      GError **error)
{
    const ConfPortRange *range = base;
    unsigned count = range->end >= range->start ? range->end - range->start : 0;

    if (range->start == 0 || range->start > UINT16_MAX ||
        range->end > UINT16_MAX || (range->end && range->end < range->start) ||
        range->to + count > UINT16_MAX || range->to > UINT16_MAX) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("<range> of <portForward> has to be of ports 1 to 65535, "
                    "not '%u' to '%u' (line %ld)"),
                  range->start, range->end, xmlGetLineNo(node));
        return false;
    }
    if (range->exclude != CONF_ONOFF_ON || !range->to)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("<range> of <portForward> cannot have both 'to' and 'exclude' "
                "(line %ld)"),
              xmlGetLineNo(node));
    return false;
}

bool
conf_port_forward_check(void *base, const xmlNode *node, unsigned flags,
                        GError **error)
{
    const ConfPortForward *forward = base;

    if (forward->protocol != CONF_PROTOCOL_ABSENT)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Missing required attribute 'proto' in element 'portForward' "
                "(line %ld)"),
              xmlGetLineNo(node));
    return false;
}

ConfInterface *
conf_domain_interface(const ConfDomain *domain, const char *name)
{
    uint8_t mac[6];
    g_autofree char *normal =
        conf_mac_parse(name, mac) ? conf_mac_format(mac) : NULL;

    for (guint i = 0; i < domain->interfaces->len; i++) {
        ConfInterface *net = g_ptr_array_index(domain->interfaces, i);

        if (g_strcmp0(net->target, name) == 0 ||
            g_strcmp0(net->alias, name) == 0 ||
            g_strcmp0(net->mac, normal) == 0)
            return net;
    }
    return NULL;
}
