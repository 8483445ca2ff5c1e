/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/network-lease.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "conf/inet.h"
#include "core/network.h"
#include "util/file.h"

#define LEASES_MAX_BYTES (16u << 20)
#define LEASES_MAX       65536
/* dnsmasq writes its list in place: read again if it was at it. */
#define TRIES    10
#define PAUSE_US 5000

static void
lease_clear(gpointer data)
{
    VirtkvmDhcpLease *lease = data;

    g_free(lease->iface);
    g_free(lease->mac);
    g_free(lease->iaid);
    g_free(lease->address);
    g_free(lease->hostname);
    g_free(lease->client_id);
}

GArray *
core_network_lease_array(void)
{
    GArray *leases = g_array_new(FALSE, TRUE, sizeof(VirtkvmDhcpLease));

    g_array_set_clear_func(leases, lease_clear);
    return leases;
}

static unsigned
prefix_of(const ConfNetwork *conf, const ConfInet *address)
{
    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);
        unsigned prefix = conf_network_ip_prefix(ip);
        ConfInet own;

        if (conf_inet_parse(ip->address, &own) &&
            conf_inet_within(&own, address, prefix))
            return prefix;
    }
    return conf_inet_bits(address);
}

/* The hardware address at the end of a DUID of a kind that has one (RFC 8415,
 * 11.2 and 11.4: link-layer, with and without time, of Ethernet). */
static char *
mac_of_duid(const char *duid)
{
    if (strlen(duid) == 14 * 3 - 1 && g_str_has_prefix(duid, "00:01:00:01:"))
        return g_strdup(duid + 8 * 3);
    if (strlen(duid) == 10 * 3 - 1 && g_str_has_prefix(duid, "00:03:00:01:"))
        return g_strdup(duid + 4 * 3);
    return NULL;
}

/* "*" stands for nothing. */
static char *
word(const char *text)
{
    return text && *text && strcmp(text, "*") != 0 ? g_strdup(text) : NULL;
}

/* A line is "expiry mac address name client-id"; of IPv6 "expiry iaid address
 * name duid". */
static bool
read_line(char **fields, const ConfNetwork *conf, VirtkvmDhcpLease *lease)
{
    ConfInet address;
    bool six;

    if (g_strv_length(fields) < 5 || !conf_inet_parse(fields[2], &address))
        return false;
    six = address.family == AF_INET6;
    *lease = (VirtkvmDhcpLease){
        .iface = g_strdup(conf->bridge.name ? conf->bridge.name : ""),
        .expiry_s = g_ascii_strtoll(fields[0], NULL, 10),
        .type = six ? VIR_IP_ADDR_TYPE_IPV6 : VIR_IP_ADDR_TYPE_IPV4,
        .mac = six ? mac_of_duid(fields[4]) : g_strdup(fields[1]),
        .iaid = six ? g_strdup(fields[1]) : NULL,
        .address = g_strdup(fields[2]),
        .prefix = prefix_of(conf, &address),
        .hostname = word(fields[3]),
        .client_id = word(fields[4]),
    };
    return true;
}

void
core_network_parse_leases(const char *text, const ConfNetwork *conf,
                          const char *mac, gint64 now_s, GArray *leases)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line && leases->len < LEASES_MAX; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, " ", 6);
        VirtkvmDhcpLease lease;

        if (!read_line(fields, conf, &lease))
            continue;
        if ((lease.expiry_s == 0 || lease.expiry_s > now_s) &&
            (!mac || (lease.mac && g_ascii_strcasecmp(mac, lease.mac) == 0)))
            g_array_append_val(leases, lease);
        else
            lease_clear(&lease);
    }
}

static bool
same_time(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_ino == b->st_ino &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static char *
read_stable(const char *path, GError **error)
{
    for (int i = 0;; i++) {
        struct stat before, after;
        g_autofree char *text = NULL;

        if (stat(path, &before) != 0)
            return g_strdup(""); /* nobody has had an address yet */
        text = file_read(path, LEASES_MAX_BYTES, NULL, error);
        if (!text || i == TRIES ||
            (stat(path, &after) == 0 && same_time(&before, &after)))
            return g_steal_pointer(&text);
        g_usleep(PAUSE_US);
    }
}

bool
core_network_read_leases(VirtkvmState *state, const ConfNetwork *conf,
                         const char *mac, GArray *leases, GError **error)
{
    g_autofree char *path = core_network_lease_path(state, conf->name);
    g_autofree char *text = read_stable(path, error);

    if (!text)
        return false;
    core_network_parse_leases(text, conf, mac,
                              g_get_real_time() / G_USEC_PER_SEC, leases);
    return true;
}
