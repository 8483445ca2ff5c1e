/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "conf/domain.h"
#include "conf/inet.h"
#include "conf/network-element.h"
#include "util/error.h"
#include "util/i18n.h"

static const char *
mode_name(const ConfNetwork *network)
{
    static const char *const names[] = { "none", "nat",         "route",
                                         "open", "bridge",      "private",
                                         "vepa", "passthrough", "hostdev" };

    return names[network->forward.mode];
}

static bool
check_name(const char *name, GError **error)
{
    if (!name || !*name) {
        error_set(error, VIR_ERR_NO_NAME, _("missing name information"));
        return false;
    }
    if (strchr(name, '/')) {
        error_set(error, VIR_ERR_XML_ERROR, _("name %s cannot contain '/'"),
                  name);
        return false;
    }
    if (strchr(name, '\n') || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0) {
        error_set(error, VIR_ERR_XML_ERROR, _("name '%s' is not allowed"),
                  name);
        return false;
    }
    if (strlen(name) > CONF_NETWORK_NAME_MAX) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("the name is longer than %d bytes"), CONF_NETWORK_NAME_MAX);
        return false;
    }
    return true;
}

bool
conf_network_owns_bridge(const ConfNetwork *network)
{
    return network->forward.mode <= CONF_FORWARD_OPEN;
}

/* What a network may have whose bridge is somebody else's. */
static bool
check_foreign_bridge(const ConfNetwork *network, GError **error)
{
    const ConfBridge *bridge = &network->bridge;
    const char *mode = mode_name(network);

    if (bridge->stp || bridge->delay_s >= 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("bridge delay/stp options only allowed in route, nat, and "
                    "isolated mode, not in %s (network '%s')"),
                  mode, network->name);
        return false;
    }
    if (bridge->name && network->forward.mode != CONF_FORWARD_BRIDGE) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("bridge name not allowed in %s mode (network '%s')"), mode,
                  network->name);
        return false;
    }
    if (bridge->name && network->forward.interfaces->len > 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("A network with forward mode='%s' can specify a bridge "
                    "name or a forward dev, but not both (network '%s')"),
                  mode, network->name);
        return false;
    }
    if (network->ips->len > 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("Unsupported <ip> element in network %s with forward "
                    "mode='%s'"),
                  network->name, mode);
        return false;
    }
    return true;
}

static bool
check_forward(const ConfNetwork *network, GError **error)
{
    ConfForwardMode mode = network->forward.mode;

    if (!conf_network_owns_bridge(network))
        return check_foreign_bridge(network, error);
    if ((mode == CONF_FORWARD_NAT || mode == CONF_FORWARD_ROUTE) &&
        network->ips->len == 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("%s forwarding requested, but no IP address provided for "
                    "network '%s'"),
                  mode_name(network), network->name);
        return false;
    }
    if (network->forward.interfaces->len > 1) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("multiple forwarding interfaces specified for network "
                    "'%s', only one is supported"),
                  network->name);
        return false;
    }
    if ((mode == CONF_FORWARD_OPEN || mode == CONF_FORWARD_NONE) &&
        network->forward.dev) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("forward dev not allowed for network '%s' with forward "
                    "mode='%s'"),
                  network->name, mode_name(network));
        return false;
    }
    return true;
}

/* dnsmasq serves one range of addresses of each family. */
static bool
check_ips(const ConfNetwork *network, GError **error)
{
    unsigned served[2] = { 0 };

    if (network->ips->len > CONF_NETWORK_IPS_MAX) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("network '%s' has more than %d <ip> elements"),
                  network->name, CONF_NETWORK_IPS_MAX);
        return false;
    }
    for (guint i = 0; i < network->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(network->ips, i);
        bool six = g_strcmp0(ip->family, "ipv6") == 0;

        if ((ip->ranges->len == 0 && ip->hosts->len == 0) || served[six]++ == 0)
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("Multiple %s dhcp sections found -- dhcp is supported only "
                    "for a single %s address on each network"),
                  six ? "IPv6" : "IPv4", six ? "IPv6" : "IPv4");
        return false;
    }
    return true;
}

/* An entry to be deleted may leave things open, one that stands may not. */
static bool
check_dns(const ConfNetwork *network, GError **error)
{
    for (guint i = 0; i < network->dns.hosts->len; i++) {
        const ConfDnsHost *host = g_ptr_array_index(network->dns.hosts, i);

        if (host->ip && host->names->len > 0)
            continue;
        error_set(error, VIR_ERR_XML_DETAIL,
                  host->ip ? _("Missing hostname in network '%s' DNS HOST "
                               "record")
                           : _("Missing IP address in network '%s' DNS HOST "
                               "record"),
                  network->name);
        return false;
    }
    return true;
}

static bool
check_portgroups(const ConfNetwork *network, GError **error)
{
    const char *standard = NULL;

    for (guint i = 0; i < network->portgroups->len; i++) {
        const ConfPortgroup *group = g_ptr_array_index(network->portgroups, i);

        if (group->is_default != CONF_ONOFF_ON)
            continue;
        if (standard) {
            error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      _("network '%s' has multiple default <portgroup> "
                        "elements (%s and %s), but only one default is "
                        "allowed"),
                      network->name, standard, group->name);
            return false;
        }
        standard = group->name;
    }
    return true;
}

static void
fill_bridge(ConfBridge *bridge)
{
    if (!bridge->stp)
        bridge->stp = CONF_ONOFF_ON;
    if (bridge->delay_s < 0)
        bridge->delay_s = 0;
    if (!bridge->mac)
        bridge->mac = conf_mac_generate();
}

/* 'dev' is the first interface, also after an update. */
static void
fill_forward(ConfForward *forward)
{
    const ConfForwardInterface *first =
        forward->interfaces->len ? g_ptr_array_index(forward->interfaces, 0)
                                 : NULL;
    char *dev = first ? g_strdup(first->dev) : NULL;

    g_free(forward->dev);
    forward->dev = dev;
}

bool
conf_network_fill_defaults(ConfNetwork *network, GError **error)
{
    fill_forward(&network->forward);
    if (!check_name(network->name, error) || !check_forward(network, error) ||
        !check_ips(network, error) || !check_dns(network, error) ||
        !check_portgroups(network, error))
        return false;
    if (!network->uuid_given)
        conf_uuid_generate(network->uuid);
    network->uuid_given = true;
    if (conf_network_owns_bridge(network))
        fill_bridge(&network->bridge);
    return true;
}

const ConfPortgroup *
conf_network_portgroup(const ConfNetwork *network, const char *name)
{
    for (guint i = 0; i < network->portgroups->len; i++) {
        const ConfPortgroup *group = g_ptr_array_index(network->portgroups, i);

        if (name ? strcmp(group->name, name) == 0
                 : group->is_default == CONF_ONOFF_ON)
            return group;
    }
    return NULL;
}

void
conf_network_assign_live(ConfNetwork *network)
{
    ConfForward *forward = &network->forward;

    if (forward->mode != CONF_FORWARD_NAT || forward->nat_port_start)
        return;
    forward->nat_port_start = CONF_NAT_PORT_FIRST;
    forward->nat_port_end = CONF_NAT_PORT_LAST;
}
