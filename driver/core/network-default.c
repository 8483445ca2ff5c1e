/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <arpa/inet.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>

#include "conf/domain.h"
#include "conf/inet.h"
#include "core/network.h"
#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

#define ROUTES_MAX_BYTES   (1u << 20)
#define PACKAGED_MAX_BYTES 65536

/* One line of /proc/net/route: an IPv4 route of this host. */
typedef struct Route {
    char interface[32];
    ConfInet destination;
    unsigned prefix;
} Route;

static bool
read_route(const char *line, Route *ret_route)
{
    unsigned destination, gateway, flags, mask;
    Route route = { .destination.family = AF_INET };

    if (sscanf(line, "%31s %x %x %x %*d %*d %*d %x", route.interface,
               &destination, &gateway, &flags, &mask) != 5 ||
        !(flags & RTF_UP) || mask == 0)
        return false;
    memcpy(route.destination.bytes, &destination, 4); /* network order */
    route.prefix = (unsigned)__builtin_popcount(mask);
    *ret_route = route;
    return true;
}

static bool
overlaps(const ConfNetwork *conf, const Route *route)
{
    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);
        ConfInet address;

        if (conf_inet_parse(ip->address, &address) &&
            address.family == AF_INET &&
            conf_inet_within(&address, &route->destination,
                             MIN(conf_network_ip_prefix(ip), route->prefix)))
            return true;
    }
    return false;
}

char *
core_network_route_clash(const ConfNetwork *conf, const char *except)
{
    g_autofree char *text =
        file_read("/proc/net/route", ROUTES_MAX_BYTES, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **line = lines; *line; line++) {
        Route route;

        if (read_route(*line, &route) &&
            g_strcmp0(route.interface, except) != 0 && overlaps(conf, &route))
            return g_strdup(route.interface);
    }
    return NULL;
}

/* --- the packaged networks ------------------------------------------------ */

#define DEFAULT_SUBNET "192.168.122."
#define SUBNET_FIRST   122
#define SUBNET_LAST    254

/* The packaged document in a subnet that this host has no route to. */
static ConfNetwork *
in_free_subnet(const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, DEFAULT_SUBNET, -1);

    for (int i = SUBNET_FIRST; i <= SUBNET_LAST; i++) {
        g_autofree char *subnet = g_strdup_printf("192.168.%d.", i);
        g_autofree char *xml = g_strjoinv(subnet, parts);
        g_autoptr(ConfNetwork) conf =
            conf_network_parse(xml, CONF_PARSE_INACTIVE, error);
        g_autofree char *clash = NULL;

        if (!conf)
            return NULL;
        clash = core_network_route_clash(conf, NULL);
        if (!clash)
            return g_steal_pointer(&conf);
    }
    error_set(error, VIR_ERR_INTERNAL_ERROR,
              _("no subnet from 192.168.%d.0 on is free"), SUBNET_FIRST);
    return NULL;
}

void
core_network_install_default(VirtkvmState *state)
{
    const char *given = g_getenv("VIRTKVM_NETWORK_DIR");
    g_autofree char *path = g_build_filename(
        given ? given : PKGDATADIR "/networks", "default.xml", NULL);
    g_autofree char *text = file_read(path, PACKAGED_MAX_BYTES, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfNetwork) conf = text ? in_free_subnet(text, &error) : NULL;

    if (text && (!conf || !core_network_name_bridge(state, conf, &error) ||
                 !core_network_save(state, conf, &error)))
        log_warning("there is no default network: %s", error->message);
}
