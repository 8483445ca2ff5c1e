/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "conf/domain.h"
#include "conf/network-element.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

/* How an entry is looked for. */
typedef enum Want {
    WANT_CLASH, /* an entry that the new one cannot stand beside */
    WANT_SAME,  /* the entry that one to be deleted means */
    WANT_OLD,   /* the entry that one replaces */
} Want;

typedef struct Section {
    virNetworkUpdateSection section;
    const char *name;           /* as in libvirt's messages */
    const ConfElement *element; /* NULL: nothing can be changed */
    const char *label;          /* N_("dhcp host entry") */
    /** The list that entries are in; NULL with @error set. */
    GPtrArray *(*list)(ConfNetwork *network, int parent, GError **error);
    bool (*match)(const void *entry, const void *given, Want want);
    bool modifiable;
} Section;

/* --- lists --------------------------------------------------------------- */

static bool
serves_dhcp(const ConfNetworkIp *ip)
{
    return ip->ranges->len > 0 || ip->hosts->len > 0;
}

/* The <ip> that @parent means: the index; else the one with DHCP, else the
 * first of IPv4, else the first. */
static ConfNetworkIp *
find_ip(const ConfNetwork *network, int parent)
{
    ConfNetworkIp *best = NULL;
    int best_rank = -1;

    if (parent >= 0)
        return (guint)parent < network->ips->len
                   ? g_ptr_array_index(network->ips, parent)
                   : NULL;
    for (guint i = 0; i < network->ips->len; i++) {
        ConfNetworkIp *ip = g_ptr_array_index(network->ips, i);
        int rank = (g_strcmp0(ip->family, "ipv6") == 0 ? 0 : 1) +
                   (serves_dhcp(ip) ? 2 : 0);

        if (rank <= best_rank)
            continue;
        best = ip;
        best_rank = rank;
    }
    return best;
}

static ConfNetworkIp *
need_ip(const ConfNetwork *network, int parent, GError **error)
{
    ConfNetworkIp *ip = find_ip(network, parent);

    if (!ip && parent >= 0)
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("couldn't update dhcp host entry - no <ip> element found "
                    "at index %d in network '%s'"),
                  parent, network->name);
    else if (!ip)
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("couldn't update dhcp host entry - no <ip> element found "
                    "in network '%s'"),
                  network->name);
    return ip;
}

static GPtrArray *
dhcp_hosts(ConfNetwork *network, int parent, GError **error)
{
    ConfNetworkIp *ip = need_ip(network, parent, error);

    return ip ? ip->hosts : NULL;
}

static GPtrArray *
dhcp_ranges(ConfNetwork *network, int parent, GError **error)
{
    ConfNetworkIp *ip = need_ip(network, parent, error);

    return ip ? ip->ranges : NULL;
}

static GPtrArray *
forward_interfaces(ConfNetwork *network, int parent, GError **error)
{
    return network->forward.interfaces;
}

static GPtrArray *
portgroups(ConfNetwork *network, int parent, GError **error)
{
    return network->portgroups;
}

static GPtrArray *
dns_hosts(ConfNetwork *network, int parent, GError **error)
{
    return network->dns.hosts;
}

static GPtrArray *
dns_txts(ConfNetwork *network, int parent, GError **error)
{
    return network->dns.txts;
}

/* --- which entry is meant ------------------------------------------------ */

static bool
both(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* Does @given leave it open, or say the same? */
static bool
open_or_same(const char *given, const char *entry)
{
    return !given || g_strcmp0(given, entry) == 0;
}

static bool
match_dhcp_host(const void *entry, const void *given, Want want)
{
    const ConfDhcpHost *a = entry, *b = given;

    if (want == WANT_CLASH)
        return both(a->mac, b->mac) || both(a->ip, b->ip) ||
               both(a->name, b->name) || both(a->id, b->id);
    if (want == WANT_OLD)
        return b->mac ? both(a->mac, b->mac) : both(a->name, b->name);
    return open_or_same(b->mac, a->mac) && open_or_same(b->ip, a->ip) &&
           open_or_same(b->name, a->name) && open_or_same(b->id, a->id);
}

static bool
match_dhcp_range(const void *entry, const void *given, Want want)
{
    const ConfDhcpRange *a = entry, *b = given;

    return strcmp(a->start, b->start) == 0 && strcmp(a->end, b->end) == 0;
}

static bool
match_forward_interface(const void *entry, const void *given, Want want)
{
    const ConfForwardInterface *a = entry, *b = given;

    return both(a->dev, b->dev);
}

static bool
match_portgroup(const void *entry, const void *given, Want want)
{
    const ConfPortgroup *a = entry, *b = given;

    return both(a->name, b->name);
}

static unsigned
shared_names(const ConfDnsHost *a, const ConfDnsHost *b)
{
    unsigned shared = 0;

    for (guint i = 0; i < a->names->len; i++) {
        for (guint j = 0; j < b->names->len; j++) {
            const ConfHostname *one = g_ptr_array_index(a->names, i);
            const ConfHostname *other = g_ptr_array_index(b->names, j);

            shared += both(one->name, other->name);
        }
    }
    return shared;
}

static bool
match_dns_host(const void *entry, const void *given, Want want)
{
    const ConfDnsHost *a = entry, *b = given;

    if (want == WANT_CLASH)
        return both(a->ip, b->ip) || shared_names(a, b) > 0;
    return open_or_same(b->ip, a->ip) && shared_names(a, b) >= b->names->len;
}

static bool
match_dns_txt(const void *entry, const void *given, Want want)
{
    const ConfDnsTxt *a = entry, *b = given;

    return both(a->name, b->name) &&
           (want == WANT_CLASH || open_or_same(b->value, a->value));
}

static const Section sections[] = {
    { VIR_NETWORK_SECTION_BRIDGE, .name = "bridge" },
    { VIR_NETWORK_SECTION_DOMAIN, .name = "domain" },
    { VIR_NETWORK_SECTION_IP, .name = "ip" },
    { VIR_NETWORK_SECTION_IP_DHCP_HOST, .name = "ip-dhcp-host",
      .element = &conf_dhcp_host_element, .label = N_("dhcp host entry"),
      .list = dhcp_hosts, .match = match_dhcp_host, .modifiable = true },
    { VIR_NETWORK_SECTION_IP_DHCP_RANGE, .name = "ip-dhcp-range",
      .element = &conf_dhcp_range_element, .label = N_("dhcp range entry"),
      .list = dhcp_ranges, .match = match_dhcp_range },
    { VIR_NETWORK_SECTION_FORWARD, .name = "forward" },
    { VIR_NETWORK_SECTION_FORWARD_INTERFACE, .name = "forward-interface",
      .element = &conf_forward_interface_element,
      .label = N_("interface entry"), .list = forward_interfaces,
      .match = match_forward_interface },
    { VIR_NETWORK_SECTION_FORWARD_PF, .name = "forward-pf" },
    { VIR_NETWORK_SECTION_PORTGROUP, .name = "portgroup",
      .element = &conf_portgroup_element, .label = N_("portgroup entry"),
      .list = portgroups, .match = match_portgroup, .modifiable = true },
    { VIR_NETWORK_SECTION_DNS_HOST, .name = "dns-host",
      .element = &conf_dns_host_element, .label = N_("DNS HOST record"),
      .list = dns_hosts, .match = match_dns_host },
    { VIR_NETWORK_SECTION_DNS_TXT, .name = "dns-txt",
      .element = &conf_dns_txt_element, .label = N_("DNS TXT record"),
      .list = dns_txts, .match = match_dns_txt },
    { VIR_NETWORK_SECTION_DNS_SRV, .name = "dns-srv" },
};

/* --- the change ---------------------------------------------------------- */

static void
entry_free(const ConfElement *element, void *entry)
{
    void *carried = (char *)entry + element->carried;

    conf_table_clear(element, entry);
    conf_carried_clear(carried);
    g_free(entry);
}

static void *
parse_entry(const Section *section, const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse(xml, "network_update_xml", error);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    void *entry, *carried;
    ConfFrame frame = { .element = section->element, .level = 3 };

    if (!root)
        return NULL;
    if (!xmlStrEqual(root->name, BAD_CAST section->element->name)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("unexpected element <%s>, expecting <%s>, while updating "
                    "network section"),
                  (const char *)root->name, section->element->name);
        return NULL;
    }
    entry = conf_table_new(section->element);
    carried = (char *)entry + section->element->carried;
    frame.base = entry;
    frame.carried = carried;
    if (conf_table_parse(&frame, root, CONF_PARSE_INACTIVE, error))
        return entry;
    entry_free(section->element, entry);
    return NULL;
}

/* Position of the entry that @given means; -1: there is none. */
static int
find(const Section *section, const GPtrArray *list, const void *given,
     Want want)
{
    for (guint i = 0; i < list->len; i++) {
        if (section->match(g_ptr_array_index(list, i), given, want))
            return (int)i;
    }
    return -1;
}

static bool
add(const Section *section, GPtrArray *list, void *entry,
    const ConfNetwork *network, bool first, GError **error)
{
    if (find(section, list, entry, WANT_CLASH) >= 0) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("there is an existing %s in network '%s' that matches"),
                  _(section->label), network->name);
        return false;
    }
    if (list->len >= CONF_LIST_MAX) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("network '%s' has as many entries as it can"),
                  network->name);
        return false;
    }
    g_ptr_array_insert(list, first ? 0 : -1, entry);
    return true;
}

static bool
not_found(const Section *section, const ConfNetwork *network, GError **error)
{
    error_set(error, VIR_ERR_OPERATION_INVALID,
              _("couldn't locate a matching %s in network '%s'"),
              _(section->label), network->name);
    return false;
}

static bool
modify(const Section *section, GPtrArray *list, void *entry,
       const ConfNetwork *network, GError **error)
{
    int old;

    if (!section->modifiable) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("a %s cannot be modified, only added or deleted"),
                  _(section->label));
        return false;
    }
    old = find(section, list, entry, WANT_OLD);
    if (old < 0)
        return not_found(section, network, error);
    entry_free(section->element, g_ptr_array_index(list, old));
    g_ptr_array_index(list, old) = entry;
    return true;
}

static bool delete (const Section *section, GPtrArray *list, void *entry,
                    const ConfNetwork *network, GError **error)
{
    int old = find(section, list, entry, WANT_SAME);

    if (old < 0)
        return not_found(section, network, error);
    entry_free(section->element, g_ptr_array_index(list, old));
    g_ptr_array_remove_index(list, (guint)old);
    entry_free(section->element, entry);
    return true;
}

/* Takes @entry over where it succeeds. */
static bool
apply(const Section *section, GPtrArray *list, void *entry,
      const ConfNetworkUpdate *update, ConfNetwork *network, GError **error)
{
    switch (update->command) {
    case VIR_NETWORK_UPDATE_COMMAND_MODIFY:
        return modify(section, list, entry, network, error);
    case VIR_NETWORK_UPDATE_COMMAND_DELETE:
        return delete (section, list, entry, network, error);
    case VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST:
    case VIR_NETWORK_UPDATE_COMMAND_ADD_LAST:
        return add(section, list, entry, network,
                   update->command == VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST,
                   error);
    case VIR_NETWORK_UPDATE_COMMAND_NONE:
        break;
    }
    error_set(error, VIR_ERR_NO_SUPPORT,
              _("unrecognized network update command code %d"),
              (int)update->command);
    return false;
}

static const Section *
find_section(const ConfNetwork *network, virNetworkUpdateSection number,
             GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        if (sections[i].section == number && sections[i].element)
            return &sections[i];
        if (sections[i].section != number)
            continue;
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("can't update '%s' section of network '%s'"),
                  sections[i].name, network->name);
        return NULL;
    }
    error_set(error, VIR_ERR_NO_SUPPORT,
              _("can't update unrecognized section of network '%s'"),
              network->name);
    return NULL;
}

/* <dhcp> is there as soon as it has an entry. */
static void
mark_dhcp(ConfNetwork *network)
{
    for (guint i = 0; i < network->ips->len; i++) {
        ConfNetworkIp *ip = g_ptr_array_index(network->ips, i);

        if (serves_dhcp(ip))
            ip->dhcp = CONF_ONOFF_ON;
    }
}

static bool
check_changed(ConfNetwork *network, GError **error)
{
    mark_dhcp(network);
    for (guint i = 0; i < network->ips->len; i++) {
        if (!conf_network_ip_check(g_ptr_array_index(network->ips, i), error))
            return false;
    }
    return conf_network_fill_defaults(network, error);
}

bool
conf_network_update(ConfNetwork *network, const ConfNetworkUpdate *update,
                    GError **error)
{
    const Section *section = find_section(network, update->section, error);
    g_autoptr(ConfNetwork) changed = NULL;
    ConfNetwork before;
    GPtrArray *list;
    void *entry;

    if (!section)
        return false;
    changed = conf_network_copy(network);
    list = section->list(changed, update->parent, error);
    entry = list ? parse_entry(section, update->xml, error) : NULL;
    if (!entry)
        return false;
    if (!apply(section, list, entry, update, changed, error)) {
        entry_free(section->element, entry);
        return false;
    }
    if (!check_changed(changed, error))
        return false;
    before = *network;
    *network = *changed;
    *changed = before;
    return true;
}
