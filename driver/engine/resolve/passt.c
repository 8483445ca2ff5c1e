/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/net.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/resolve/open.h"
#include "engine/resolve/program.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* passt, from the path: user mode networking by a program of its own, which
 * goes into the background once it is ready and ends with its socket. */
#define PROGRAM "passt"

static void
add(GPtrArray *argv, const char *option, const char *value)
{
    g_ptr_array_add(argv, g_strdup(option));
    if (value)
        g_ptr_array_add(argv, g_strdup(value));
}

/* Numbers in the form of its options: "80", "80-90:8080", "~22" */
static void
append_range(GString *ports, const ConfPortRange *range)
{
    if (range->exclude == CONF_ONOFF_ON)
        g_string_append_c(ports, '~');
    g_string_append_printf(ports, "%u", range->start);
    if (range->end)
        g_string_append_printf(ports, "-%u", range->end);
    if (!range->to)
        return;
    g_string_append_printf(ports, ":%u", range->to);
    if (range->end)
        g_string_append_printf(ports, "-%u",
                               range->to + range->end - range->start);
}

/* One option says all that is forwarded from one address */
static void
add_forward(GPtrArray *argv, const ConfPortForward *forward)
{
    g_autoptr(GString) ports = g_string_new(NULL);

    if (forward->address)
        g_string_append_printf(ports, "%s/", forward->address);
    if (forward->dev)
        g_string_append_printf(ports, "%%%s/", forward->dev);
    if (forward->ranges->len == 0)
        g_string_append(ports, "all");
    for (guint i = 0; i < forward->ranges->len; i++) {
        if (i > 0)
            g_string_append_c(ports, ',');
        append_range(ports, g_ptr_array_index(forward->ranges, i));
    }
    add(argv,
        forward->protocol == CONF_PROTOCOL_TCP ? "--tcp-ports" : "--udp-ports",
        ports->str);
}

static void
add_address(GPtrArray *argv, const ConfIp *ip)
{
    g_autofree char *prefix = g_strdup_printf("%d", ip->prefix);

    add(argv, "--address", ip->address);
    if (ip->prefix >= 0 && !strchr(ip->address, ':'))
        add(argv, "--netmask", prefix);
}

static char **
arguments(const ConfInterface *net)
{
    GPtrArray *argv = g_ptr_array_new();
    g_autofree char *socket_fd = g_strdup_printf("%d", ENGINE_PROGRAM_FD);
    g_autofree char *mtu = g_strdup_printf("%u", net->mtu);

    add(argv, PROGRAM, NULL);
    add(argv, "--quiet", NULL);
    add(argv, "--one-off", NULL);
    add(argv, "--fd", socket_fd);
    if (net->source_dev)
        add(argv, "--interface", net->source_dev);
    if (net->mtu)
        add(argv, "--mtu", mtu);
    if (net->log_file)
        add(argv, "--log-file", net->log_file);
    for (guint i = 0; i < net->ips->len; i++)
        add_address(argv, g_ptr_array_index(net->ips, i));
    for (guint i = 0; i < net->forwards->len; i++)
        add_forward(argv, g_ptr_array_index(net->forwards, i));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

int
engine_passt_open(const ConfInterface *net, GError **error)
{
    int pair[2];
    g_auto(GStrv) argv = arguments(net);
    g_auto(Fd) ours = -1;
    g_auto(Fd) peer = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        error_set_errno(error, errno, _("cannot make a socket for '%s'"),
                        PROGRAM);
        return -1;
    }
    ours = engine_open_high(pair[0], error);
    peer = engine_open_high(pair[1], ours < 0 ? NULL : error);
    if (ours < 0 || peer < 0 || !engine_program_run(argv, peer, error))
        return -1;
    return fd_steal(&ours);
}
