/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/network-text.h"

#include "conf/inet.h"

static bool
is_six(const ConfNetworkIp *ip)
{
    return g_strcmp0(ip->family, "ipv6") == 0;
}

/* "192.168.122.0/24" of an <ip>. */
static char *
subnet(const ConfNetworkIp *ip)
{
    unsigned prefix = conf_network_ip_prefix(ip);
    g_autofree char *text = NULL;
    ConfInet address = { 0 };

    conf_inet_parse(ip->address, &address);
    conf_inet_mask(&address, prefix, false);
    text = conf_inet_format(&address);
    return g_strdup_printf("%s/%u", text, prefix);
}

/* --- ip(8), tc(8) ----------------------------------------------------------
 */

char *
core_network_link_text(const ConfNetwork *conf)
{
    const ConfBridge *bridge = &conf->bridge;

    /* the delay in hundredths of a second */
    return g_strdup_printf("link add name %s address %s type bridge stp_state "
                           "%d forward_delay %d\n",
                           bridge->name, bridge->mac,
                           bridge->stp == CONF_ONOFF_ON, bridge->delay_s * 100);
}

char *
core_network_address_text(const ConfNetwork *conf)
{
    GString *text = g_string_new(NULL);
    const char *name = conf->bridge.name;

    if (conf->bridge.mtu)
        g_string_append_printf(text, "link set dev %s mtu %u\n", name,
                               conf->bridge.mtu);
    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);

        g_string_append_printf(text, "address replace %s/%u dev %s%s\n",
                               ip->address, conf_network_ip_prefix(ip), name,
                               is_six(ip) ? " nodad" : " broadcast +");
    }
    g_string_append_printf(text, "link set dev %s up\n", name);
    return g_string_free(text, FALSE);
}

/* What a bucket holds where the document does not say: a hundredth of a second,
 * but enough for the largest frame that the bridge may see. */
static uint64_t
burst_kib(const ConfRate *rate)
{
    return rate->burst_kib ? rate->burst_kib : MAX(rate->average_kib / 100, 64);
}

/* What the guests receive leaves the bridge; what they send is limited by a
 * rule. */
char *
core_network_tc_text(const ConfNetwork *conf)
{
    const ConfRate *in = &conf->bandwidth.inbound;

    if (!in->average_kib)
        return NULL;
    return g_strdup_printf("qdisc replace dev %s root tbf rate "
                           "%" G_GUINT64_FORMAT "kibps burst "
                           "%" G_GUINT64_FORMAT "kb latency 50ms\n",
                           conf->bridge.name, in->average_kib, burst_kib(in));
}

/* --- nft(8) ----------------------------------------------------------------
 */

char *
core_network_table(const ConfNetwork *conf)
{
    return g_strdup_printf("virtkvm_%s", conf->bridge.name);
}

/* The words for the interface that traffic may leave and come by. */
typedef struct Way {
    const char *bridge;
    char *out; /* "oifname "eth0" " or "" */
    char *in;
} Way;

static void
way_clear(Way *way)
{
    g_free(way->out);
    g_free(way->in);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Way, way_clear)

static Way
way_of(const ConfNetwork *conf)
{
    const char *dev = conf->forward.dev;

    return (Way){
        .bridge = conf->bridge.name,
        .out = dev ? g_strdup_printf("oifname \"%s\" ", dev) : g_strdup(""),
        .in = dev ? g_strdup_printf("iifname \"%s\" ", dev) : g_strdup("")
    };
}

/* Is what this <ip>'s guests send translated? */
static bool
translates(const ConfNetwork *conf, const ConfNetworkIp *ip)
{
    return conf->forward.mode == CONF_FORWARD_NAT &&
           (!is_six(ip) || conf->forward.nat_ipv6 == CONF_ONOFF_ON);
}

static void
add_forward(GString *text, const ConfNetwork *conf, const Way *way)
{
    g_string_append(text, "  chain forward {\n"
                          "    type filter hook forward priority filter;\n");
    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);
        const char *family = is_six(ip) ? "ip6" : "ip";
        g_autofree char *net = subnet(ip);

        if (conf->forward.mode == CONF_FORWARD_NONE)
            continue;
        g_string_append_printf(
            text,
            "    oifname \"%s\" %s%s daddr %s %saccept\n"
            "    iifname \"%s\" %s%s saddr %s accept\n",
            way->bridge, way->in, family, net,
            translates(conf, ip) ? "ct state established,related " : "",
            way->bridge, way->out, family, net);
    }
    g_string_append_printf(text,
                           "    iifname \"%s\" oifname \"%s\" accept\n"
                           "    oifname \"%s\" reject\n"
                           "    iifname \"%s\" reject\n  }\n",
                           way->bridge, way->bridge, way->bridge, way->bridge);
}

/* The addresses and ports that stand for the guests'. */
static char *
target(const ConfForward *forward, bool six, bool ports)
{
    GString *text = g_string_new(NULL);
    const char *start = six ? NULL : forward->nat_address_start;

    if (start)
        g_string_append_printf(text, "snat ip to %s-%s", start,
                               forward->nat_address_end);
    else
        g_string_append(text, "masquerade");
    if (ports)
        g_string_append_printf(text, "%s:%u-%u", start ? "" : " to ",
                               forward->nat_port_start, forward->nat_port_end);
    return g_string_free(text, FALSE);
}

static void
add_nat(GString *text, const ConfNetwork *conf, const ConfNetworkIp *ip,
        const Way *way)
{
    bool six = is_six(ip);
    const char *family = six ? "ip6" : "ip";
    g_autofree char *net = subnet(ip);
    g_autofree char *plain = target(&conf->forward, six, false);
    g_autofree char *ports = target(&conf->forward, six, true);

    /* what is meant for the network itself keeps its address */
    g_string_append_printf(text, "    %s saddr %s %s daddr { %s, %s } return\n",
                           family, net, family, net,
                           six ? "ff00::/8" : "224.0.0.0/24, 255.255.255.255");
    g_string_append_printf(text,
                           "    %s%s saddr %s meta l4proto { tcp, udp } %s\n"
                           "    %s%s saddr %s %s\n",
                           way->out, family, net, ports, way->out, family, net,
                           plain);
}

static void
add_translation(GString *text, const ConfNetwork *conf, const Way *way)
{
    g_string_append(text, "  chain postrouting {\n"
                          "    type nat hook postrouting priority srcnat;\n");
    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);

        if (translates(conf, ip))
            add_nat(text, conf, ip, way);
    }
    g_string_append(text, "  }\n");
}

static void
add_limit(GString *text, const ConfNetwork *conf)
{
    const ConfRate *out = &conf->bandwidth.outbound;

    if (!out->average_kib)
        return;
    g_string_append_printf(text,
                           "  chain outbound {\n"
                           "    type filter hook prerouting priority raw;\n"
                           "    iifname \"%s\" limit rate over "
                           "%" G_GUINT64_FORMAT " kbytes/second burst "
                           "%" G_GUINT64_FORMAT " kbytes drop\n  }\n",
                           conf->bridge.name, out->average_kib, burst_kib(out));
}

char *
core_network_nft_text(const ConfNetwork *conf)
{
    g_autofree char *table = core_network_table(conf);
    g_auto(Way) way = way_of(conf);
    GString *text = g_string_new(NULL);

    /* made if it is not there, so that it can be removed if it is */
    g_string_append_printf(text, "table inet %s\ndelete table inet %s\n", table,
                           table);
    g_string_append_printf(text, "table inet %s {\n", table);
    add_limit(text, conf);
    if (conf->forward.mode != CONF_FORWARD_OPEN) {
        add_forward(text, conf, &way);
        add_translation(text, conf, &way);
    }
    g_string_append(text, "}\n");
    return g_string_free(text, FALSE);
}
