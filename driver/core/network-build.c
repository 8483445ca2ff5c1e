/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/network-build.h"

#include <net/if.h>
#include <string.h>

#include "core/network-command.h"
#include "core/network-dnsmasq.h"
#include "core/network-text.h"
#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

struct CoreNetworkRun {
    VirtkvmState *state;
    ConfNetwork *conf;
    CoreDnsmasq *dnsmasq; /* NULL: nothing to serve */
};

static void
run_free(CoreNetworkRun *run)
{
    conf_network_free(run->conf);
    g_free(run);
}

/* --- the programs ----------------------------------------------------------
 */

static bool
run_ip(const char *batch, GError **error)
{
    g_autofree char *program = core_command_find("ip", "iproute2", error);
    const char *argv[] = { program, "-batch", "-", NULL };

    return program && core_command_run(argv, batch, error);
}

static bool
run_tc(const char *batch, GError **error)
{
    g_autofree char *program = core_command_find("tc", "iproute2", error);
    const char *argv[] = { program, "-batch", "-", NULL };

    return program && core_command_run(argv, batch, error);
}

static bool
run_nft(const char *text, GError **error)
{
    g_autofree char *program = core_command_find("nft", "nftables", error);
    const char *argv[] = { program, "-f", "-", NULL };

    return program && core_command_run(argv, text, error);
}

/* --- kernel settings --------------------------------------------------------
 */

static bool
has_family(const ConfNetwork *conf, bool six)
{
    for (guint i = 0; i < conf->ips->len; i++) {
        const ConfNetworkIp *ip = g_ptr_array_index(conf->ips, i);

        if ((g_strcmp0(ip->family, "ipv6") == 0) == six)
            return true;
    }
    return false;
}

static bool
write_setting(const char *path, const char *value, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *now = file_read(path, 64, NULL, NULL);

    if (now && strcmp(g_strstrip(now), value) == 0)
        return true;
    if (g_file_set_contents_full(path, value, -1, G_FILE_SET_CONTENTS_NONE, 0,
                                 &failure))
        return true;
    error_set(error, VIR_ERR_SYSTEM_ERROR, _("cannot write '%s': %s"), path,
              failure->message);
    return false;
}

/* A host that forwards nothing is told to, which stays when the network ends.
 */
static bool
enable_forwarding(const ConfNetwork *conf, GError **error)
{
    static const char *const paths[] = { "/proc/sys/net/ipv4/ip_forward",
                                         "/proc/sys/net/ipv6/conf/all/"
                                         "forwarding" };

    for (int six = 0; six < 2; six++) {
        g_autofree char *now = file_read(paths[six], 64, NULL, NULL);

        if (conf->forward.mode == CONF_FORWARD_NONE || !has_family(conf, six) ||
            (now && *now == '1'))
            continue;
        if (!write_setting(paths[six], "1", error))
            return false;
        log_info("network '%s': '%s' is switched on, and stays so", conf->name,
                 paths[six]);
    }
    return true;
}

/* The host itself takes no address from a guest that plays router. */
static void
set_ipv6(const ConfNetwork *conf)
{
    static const struct {
        const char *name;
        const char *with;
        const char *without; /* an IPv6 address of the network's */
    } settings[] = { { "disable_ipv6", "0", "1" },
                     { "accept_ra", "0", "0" },
                     { "autoconf", "0", "0" } };
    bool six = has_family(conf, true);

    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *path =
            g_strdup_printf("/proc/sys/net/ipv6/conf/%s/%s", conf->bridge.name,
                            settings[i].name);

        /* a kernel without IPv6 has none of them */
        (void)write_setting(path, six ? settings[i].with : settings[i].without,
                            NULL);
    }
}

/* --- the bridge -------------------------------------------------------------
 */

static bool
check_free(const ConfNetwork *conf, GError **error)
{
    g_autofree char *clash = core_network_route_clash(conf, conf->bridge.name);

    if (if_nametoindex(conf->bridge.name)) {
        error_set(error, VIR_ERR_SYSTEM_ERROR,
                  _("Unable to create bridge %s: File exists"),
                  conf->bridge.name);
        return false;
    }
    if (!clash)
        return true;
    error_set(error, VIR_ERR_INTERNAL_ERROR,
              _("Network is already in use by interface %s"), clash);
    return false;
}

static bool
make_bridge(const ConfNetwork *conf, GError **error)
{
    g_autofree char *text = core_network_link_text(conf);

    return run_ip(text, error);
}

static bool
set_rules(const ConfNetwork *conf, GError **error)
{
    g_autofree char *rules = core_network_nft_text(conf);

    return run_nft(rules, error);
}

/* All that a bridge which is there needs; also done again. */
static bool
fill_bridge(const ConfNetwork *conf, GError **error)
{
    g_autofree char *addresses = core_network_address_text(conf);
    g_autofree char *limits = core_network_tc_text(conf);

    set_ipv6(conf);
    return run_ip(addresses, error) && (!limits || run_tc(limits, error)) &&
           set_rules(conf, error) && enable_forwarding(conf, error);
}

static void
remove_bridge(const ConfNetwork *conf)
{
    g_autofree char *table = core_network_table(conf);
    g_autofree char *rules =
        g_strdup_printf("table inet %s\ndelete table inet %s\n", table, table);
    g_autofree char *link =
        g_strdup_printf("link delete dev %s\n", conf->bridge.name);
    g_autoptr(GError) no_rules = NULL, no_link = NULL;

    if (!run_nft(rules, &no_rules))
        log_error("network '%s': %s", conf->name, no_rules->message);
    if (if_nametoindex(conf->bridge.name) && !run_ip(link, &no_link))
        log_error("network '%s': %s", conf->name, no_link->message);
}

/* --- the operations ----------------------------------------------------------
 */

static CoreNetworkRun *
run_new(VirtkvmState *state, const ConfNetwork *conf)
{
    CoreNetworkRun *run = g_new0(CoreNetworkRun, 1);

    run->state = state;
    run->conf = conf_network_copy(conf);
    return run;
}

static bool
serve(CoreNetworkRun *run, bool adopt, GError **error)
{
    if (!core_network_needs_dnsmasq(run->conf))
        return true;
    run->dnsmasq = core_dnsmasq_start(run->state, run->conf, adopt, error);
    return run->dnsmasq != NULL;
}

static void
build_stop(CoreNetworkRun *run)
{
    core_dnsmasq_stop(run->dnsmasq);
    if (conf_network_owns_bridge(run->conf))
        remove_bridge(run->conf);
    run_free(run);
}

static CoreNetworkRun *
build_start(VirtkvmState *state, const ConfNetwork *conf, GError **error)
{
    CoreNetworkRun *run;

    if (!conf_network_owns_bridge(conf))
        return run_new(state, conf);
    if (!check_free(conf, error) || !make_bridge(conf, error))
        return NULL;
    run = run_new(state, conf);
    if (fill_bridge(conf, error) && serve(run, false, error))
        return run;
    build_stop(run);
    return NULL;
}

/* Without its bridge a network is nothing that guests could still be on. */
static CoreNetworkRun *
build_find(VirtkvmState *state, const ConfNetwork *conf, GError **error)
{
    CoreNetworkRun *run = run_new(state, conf);

    if (!conf_network_owns_bridge(conf))
        return run;
    if (!if_nametoindex(conf->bridge.name))
        error_set(error, VIR_ERR_OPERATION_FAILED, _("its bridge '%s' is gone"),
                  conf->bridge.name);
    else if (fill_bridge(conf, error) && serve(run, true, error))
        return run;
    core_dnsmasq_sweep(state, conf->name);
    build_stop(run);
    return NULL;
}

/* What dnsmasq does not take is not kept: the guests are served as before. */
static bool
build_update(CoreNetworkRun *run, const ConfNetwork *conf, GError **error)
{
    g_autoptr(GError) failure = NULL;
    ConfNetwork *changed;

    if (conf_network_owns_bridge(conf) && !set_rules(conf, error))
        return false;
    if (run->dnsmasq && !core_dnsmasq_reconfigure(run->dnsmasq, conf, error)) {
        (void)set_rules(run->conf, NULL);
        if (!core_dnsmasq_reconfigure(run->dnsmasq, run->conf, &failure))
            log_error("network '%s': %s", conf->name, failure->message);
        return false;
    }
    changed = conf_network_copy(conf);
    conf_network_free(run->conf);
    run->conf = changed;
    return true;
}

static void
build_detach(CoreNetworkRun *run)
{
    core_dnsmasq_detach(run->dnsmasq);
    run_free(run);
}

const CoreNetworkOps core_network_build_ops = { .start = build_start,
                                                .find = build_find,
                                                .update = build_update,
                                                .stop = build_stop,
                                                .detach = build_detach };
