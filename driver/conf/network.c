/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/network.h"

#include <string.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/inet.h"
#include "conf/network-element.h"
#include "conf/schema.h"
#include "conf/type.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

static const char *const forward_names[] = { NULL,   "nat",         "route",
                                             "open", "bridge",      "private",
                                             "vepa", "passthrough", "hostdev",
                                             "" };

static ConfPolicy
judge_mode(const char *text, const void *base)
{
    const ConfForward *forward = base;

    return forward->mode > CONF_FORWARD_BRIDGE ? CONF_REFUSED : CONF_HONOURED;
}

/* --- <forward> ----------------------------------------------------------- */

static const ConfField nat_address_fields[] = {
    CONF_ATTR("start", ConfForward, nat_address_start, ip,
              .flags = CONF_REQUIRED),
    CONF_ATTR("end", ConfForward, nat_address_end, ip, .flags = CONF_REQUIRED),
    CONF_END
};
static const ConfElement nat_address_element = { .name = "address",
                                                 .fields = nat_address_fields };

static const ConfField nat_port_fields[] = {
    CONF_ATTR("start", ConfForward, nat_port_start, uint,
              .flags = CONF_REQUIRED),
    CONF_ATTR("end", ConfForward, nat_port_end, uint, .flags = CONF_REQUIRED),
    CONF_END
};

static bool
nat_port_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfForward *forward = base;

    if (forward->nat_port_start > 0 && forward->nat_port_end <= 65535 &&
        forward->nat_port_start <= forward->nat_port_end)
        return true;
    error_set(error, VIR_ERR_XML_DETAIL,
              _("Missing or invalid port numbers in <port> of <nat>: %u to %u "
                "(line %ld)"),
              forward->nat_port_start, forward->nat_port_end,
              xmlGetLineNo(node));
    return false;
}

static const ConfElement nat_port_element = { .name = "port",
                                              .fields = nat_port_fields,
                                              .check = nat_port_check };

static bool
nat_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfForward *forward = base;

    if (!forward->nat_address_start == !forward->nat_address_end)
        return true;
    error_set(error, VIR_ERR_XML_DETAIL,
              _("<address> of <nat> needs 'start' and 'end' (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

static const ConfField nat_fields[] = {
    CONF_ATTR("ipv6", ConfForward, nat_ipv6, yesno),
    CONF_GROUP("address", nat_address_element),
    CONF_GROUP("port", nat_port_element), CONF_END
};
static const ConfElement nat_element = { .name = "nat",
                                         .fields = nat_fields,
                                         .check = nat_check };

static const ConfField interface_fields[] = {
    CONF_ATTR("dev", ConfForwardInterface, dev, ifname, .flags = CONF_REQUIRED),
    CONF_CARRY_ATTR("connections", .policy = CONF_QUIET), CONF_END
};
static bool
interface_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfForwardInterface *interface = base;

    if (interface->dev)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Missing required dev attribute in <forward> <interface> "
                "element (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

const ConfElement conf_forward_interface_element = {
    .name = "interface",
    .fields = interface_fields,
    .size = sizeof(ConfForwardInterface),
    .carried = offsetof(ConfForwardInterface, carried),
    .check = interface_check
};

static const ConfField forward_fields[] = {
    CONF_ATTR("dev", ConfForward, dev, ifname),
    CONF_ATTR("mode", ConfForward, mode, enum, .names = forward_names,
              .judge = judge_mode,
              .advice = N_("use nat, route, open or bridge, or no <forward>")),
    CONF_CARRY_ATTR("managed", .policy = CONF_QUIET),
    CONF_CARRY("driver", .policy = CONF_REFUSED),
    CONF_GROUP("nat", nat_element),
    CONF_CARRY("pf", .policy = CONF_REFUSED, .flags = CONF_MANY),
    CONF_LIST("interface", ConfForward, interfaces,
              conf_forward_interface_element),
    CONF_CARRY("address", .policy = CONF_REFUSED, .flags = CONF_MANY),
    CONF_END
};

/* <forward> without a mode is NAT; 'dev' is the first interface. */
static bool
forward_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfForward *forward = base;
    const ConfForwardInterface *first =
        forward->interfaces->len ? g_ptr_array_index(forward->interfaces, 0)
                                 : NULL;
    bool translates = forward->nat_port_start || forward->nat_address_start;

    if (forward->mode == CONF_FORWARD_NONE)
        forward->mode = CONF_FORWARD_NAT;
    if (translates && forward->mode != CONF_FORWARD_NAT) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("<nat> can only be in a <forward> of mode 'nat' (line "
                    "%ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (forward->dev && first && g_strcmp0(forward->dev, first->dev) != 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("forward dev '%s' must match first interface element dev "
                    "'%s' (line %ld)"),
                  forward->dev, first->dev, xmlGetLineNo(node));
        return false;
    }
    if (forward->dev && !first) {
        ConfForwardInterface *added =
            conf_table_new(&conf_forward_interface_element);

        added->dev = g_strdup(forward->dev);
        g_ptr_array_add(forward->interfaces, added);
    }
    return true;
}

static const ConfElement forward_element = { .name = "forward",
                                             .fields = forward_fields,
                                             .check = forward_check };

/* --- <bridge>, <mtu>, <mac>, <domain> ------------------------------------ */

static const char *const manager_names[] = { NULL, "kernel", "libvirt", "" };

static ConfPolicy
judge_manager(const char *text, const void *base)
{
    const ConfBridge *bridge = base;

    return bridge->mac_table_manager == 2 ? CONF_HARMLESS : CONF_HONOURED;
}

static const ConfField bridge_fields[] = {
    CONF_ATTR("name", ConfBridge, name, ifname),
    CONF_ATTR("macTableManager", ConfBridge, mac_table_manager, enum,
              .names = manager_names, .judge = judge_manager,
              .advice = N_("the kernel learns the addresses")),
    CONF_ATTR("stp", ConfBridge, stp, onoff),
    CONF_ATTR("delay", ConfBridge, delay_s, number),
    CONF_ATTR("zone", ConfBridge, zone, token, .policy = CONF_HARMLESS,
              .advice = N_("firewalld is told nothing")),
    CONF_END
};

static void
bridge_init(void *base)
{
    ConfBridge *bridge = base;

    bridge->delay_s = -1;
}

static const ConfElement bridge_element = { .name = "bridge",
                                            .fields = bridge_fields,
                                            .init = bridge_init };

static bool
mtu_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfBridge *bridge = base;

    if (bridge->mtu >= 68 && bridge->mtu <= 65535)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("mtu size %u is not between 68 and 65535 (line %ld)"),
              bridge->mtu, xmlGetLineNo(node));
    return false;
}

static const ConfField mtu_fields[] = {
    CONF_ATTR("size", ConfBridge, mtu, uint, .flags = CONF_REQUIRED), CONF_END
};
static const ConfElement mtu_element = { .name = "mtu",
                                         .fields = mtu_fields,
                                         .check = mtu_check };

static const ConfField mac_fields[] = {
    CONF_ATTR("address", ConfBridge, mac, mac, .flags = CONF_REQUIRED), CONF_END
};
static const ConfElement mac_element = { .name = "mac", .fields = mac_fields };

static const ConfField name_fields[] = {
    CONF_ATTR("name", ConfNetworkDomain, name, hostname,
              .flags = CONF_REQUIRED),
    CONF_ATTR("localOnly", ConfNetworkDomain, local_only, yesno),
    CONF_CARRY_ATTR("register", .policy = CONF_QUIET), CONF_END
};
static const ConfElement name_element = { .name = "domain",
                                          .fields = name_fields };

/* --- <portgroup> --------------------------------------------------------- */

#define NO_SWITCH N_("the bridge is a plain one: remove it")

static const ConfField portgroup_fields[] = {
    CONF_ATTR("name", ConfPortgroup, name, token, .flags = CONF_REQUIRED),
    CONF_ATTR("default", ConfPortgroup, is_default, yesno),
    CONF_CARRY_ATTR("trustGuestRxFilters", .policy = CONF_QUIET),
    CONF_CARRY("port", .policy = CONF_REFUSED, .advice = NO_SWITCH),
    CONF_CARRY("virtualport", .policy = CONF_REFUSED, .advice = NO_SWITCH),
    CONF_CHILD("bandwidth", ConfPortgroup, bandwidth, conf_bandwidth_element),
    CONF_CARRY("vlan", .policy = CONF_REFUSED, .advice = NO_SWITCH),
    CONF_END
};

static bool
portgroup_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfPortgroup *group = base;

    if (group->name)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Missing required name attribute in portgroup (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

const ConfElement conf_portgroup_element = { .name = "portgroup",
                                             .fields = portgroup_fields,
                                             .size = sizeof(ConfPortgroup),
                                             .carried = offsetof(ConfPortgroup,
                                                                 carried),
                                             .check = portgroup_check };

/* --- <network> ----------------------------------------------------------- */

static const char *
connections_format(const ConfField *field, const void *member, char *scratch)
{
    int count = *(const int *)member;

    g_snprintf(scratch, CONF_SCRATCH, "%d", count);
    return count > 0 ? scratch : NULL;
}

/* Only ever written: what a document says of it means nothing. */
static bool
connections_parse(const ConfField *field, const xmlNode *node, const char *text,
                  void *member, GError **error)
{
    return true;
}

static void
connections_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"unsignedInt\"/>");
}

static const ConfType conf_type_connections = { .parse = connections_parse,
                                                .format = connections_format,
                                                .schema = connections_schema };

static const ConfField network_fields[] = {
    CONF_CARRY_ATTR("type", .policy = CONF_QUIET),
    CONF_ATTR("connections", ConfNetwork, connections, connections,
              .flags = CONF_LIVE),
    CONF_ATTR("ipv6", ConfNetwork, ipv6, yesno),
    CONF_CARRY_ATTR("trustGuestRxFilters", .policy = CONF_QUIET),
    CONF_LEAF("name", ConfNetwork, name, string, .flags = CONF_REQUIRED),
    CONF_LEAF("uuid", ConfNetwork, uuid, uuid),
    CONF_CARRY("title", .policy = CONF_QUIET),
    CONF_CARRY("description", .policy = CONF_QUIET),
    CONF_GROUP("metadata", conf_metadata_element, .flags = CONF_ANY),
    CONF_CHILD("forward", ConfNetwork, forward, forward_element),
    CONF_CHILD("bridge", ConfNetwork, bridge, bridge_element),
    CONF_CHILD("mtu", ConfNetwork, bridge, mtu_element),
    CONF_CHILD("mac", ConfNetwork, bridge, mac_element),
    CONF_CHILD("domain", ConfNetwork, domain, name_element),
    CONF_CHILD("dns", ConfNetwork, dns, conf_dns_element),
    CONF_CARRY("vlan", .policy = CONF_REFUSED, .advice = NO_SWITCH),
    CONF_CHILD("bandwidth", ConfNetwork, bandwidth, conf_bandwidth_element,
               .policy = CONF_HONOURED),
    CONF_CARRY("port", .policy = CONF_REFUSED, .advice = NO_SWITCH),
    CONF_LIST("ip", ConfNetwork, ips, conf_network_ip_element),
    CONF_CARRY("route", .policy = CONF_REFUSED, .flags = CONF_MANY,
               .advice = N_("no routes are set: set them on the host")),
    CONF_CARRY("virtualport", .policy = CONF_REFUSED, .advice = NO_SWITCH),
    CONF_LIST("portgroup", ConfNetwork, portgroups, conf_portgroup_element),
    CONF_END
};

const ConfElement conf_network_element = { .name = "network",
                                           .fields = network_fields,
                                           .size = sizeof(ConfNetwork),
                                           .carried =
                                               offsetof(ConfNetwork, carried) };

static ConfFrame
frame_of(const ConfNetwork *network)
{
    ConfNetwork *whole = (ConfNetwork *)network;

    return (ConfFrame){ .element = &conf_network_element,
                        .base = (char *)whole,
                        .carried = &whole->carried };
}

ConfNetwork *
conf_network_parse_node(xmlNodePtr node, unsigned flags, GError **error)
{
    g_autoptr(ConfNetwork) network = NULL;
    ConfFrame frame;

    if (!xmlStrEqual(node->name, BAD_CAST "network") || node->ns) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("expecting root element of 'network', not '%s'"),
                  (const char *)node->name);
        return NULL;
    }
    network = conf_table_new(&conf_network_element);
    frame = frame_of(network);
    network->uuid_given = conf_xml_child(node, "uuid") != NULL;
    if (!conf_table_parse(&frame, node, flags, error) ||
        !conf_network_fill_defaults(network, error))
        return NULL;
    return g_steal_pointer(&network);
}

static ConfNetwork *
parse(const char *xml, unsigned flags, GError **error)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse(xml, "network_definition", error);

    if (!doc || ((flags & CONF_PARSE_VALIDATE) &&
                 !conf_schema_validate(doc, "network.rng", error)))
        return NULL;
    return conf_network_parse_node(xmlDocGetRootElement(doc), flags, error);
}

/* What is kept must be readable again: a document near the bounds grows when
 * it is written with defaults and replaced characters. */
static bool
check_return(const ConfNetwork *network, GError **error)
{
    g_autofree char *xml = conf_network_format(network, CONF_FORMAT_INACTIVE);
    g_autoptr(ConfNetwork) again = parse(xml, CONF_PARSE_INACTIVE, error);

    if (!again)
        g_prefix_error(error,
                       "%s: ", _("the definition could not be read again"));
    return again != NULL;
}

ConfNetwork *
conf_network_parse(const char *xml, unsigned flags, GError **error)
{
    g_autoptr(ConfNetwork) network = parse(xml, flags, error);

    if (!network || !check_return(network, error))
        return NULL;
    return g_steal_pointer(&network);
}

char *
conf_network_format(const ConfNetwork *network, unsigned flags)
{
    GString *out = g_string_sized_new(1024);
    ConfFrame frame = frame_of(network);

    conf_table_format(out, &frame, "network", flags);
    return g_string_free(out, FALSE);
}

ConfNetwork *
conf_network_copy(const ConfNetwork *network)
{
    ConfNetwork *copy = g_malloc0(sizeof(*copy));

    conf_table_copy(&conf_network_element, copy, network);
    conf_carried_copy(&copy->carried, &network->carried);
    return copy;
}

void
conf_network_free(ConfNetwork *network)
{
    if (!network)
        return;
    conf_table_clear(&conf_network_element, network);
    conf_carried_clear(&network->carried);
    g_free(network);
}

bool
conf_network_check_start(const ConfNetwork *network, GPtrArray *warnings,
                         GError **error)
{
    ConfFrame frame = frame_of(network);

    return conf_check_rows(&frame, warnings, error);
}
