/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <linux/if_bridge.h>
#include <linux/sockios.h>
#include <stdio.h>

#include "engine/resolve/resolve.h"
#include "tap-net.h"
#include "util/error.h"

/* Taps in bridges, in a network of this process's own: plugged in, and plugged
 * into another while the guest runs. */

#define NETWORK_BRIDGE "br-net"
#define PORTS_MAX      8

static char *kernel;
static int control = -1;

static int
setup(void **state)
{
    static const char *const bridges[] = { "br-one", "br-two", NETWORK_BRIDGE };
    int fd = g_file_open_tmp("virtkvm-kernel-XXXXXX", &kernel, NULL);

    if (fd < 0 || write(fd, "x", 1) != 1)
        return -1;
    close(fd);
    control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bridges); i++)
        if (ioctl(control, SIOCBRADDBR, bridges[i]) != 0)
            return -1;
    return 0;
}

static int
teardown(void **state)
{
    g_remove(kernel);
    g_free(kernel);
    close(control);
    return 0;
}

/* Is the interface @name one of the ports of @bridge? */
static bool
is_in(const char *name, const char *bridge)
{
    int ports[PORTS_MAX] = { 0 };
    unsigned long arguments[4] = { BRCTL_GET_PORT_LIST, (unsigned long)ports,
                                   PORTS_MAX, 0 };
    struct ifreq request = { .ifr_data = (char *)arguments };
    int index = (int)if_nametoindex(name);

    g_strlcpy(request.ifr_name, bridge, sizeof(request.ifr_name));
    assert_true(ioctl(control, SIOCDEVPRIVATE, &request) >= 0);
    for (unsigned i = 0; i < PORTS_MAX; i++)
        if (index > 0 && ports[i] == index)
            return true;
    return false;
}

static ConfDomain *
domain_with(const char *type, const char *source)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os>"
        "<type>hvm</type><kernel>%s</kernel></os><devices><interface "
        "type='%s'><source %s/></interface></devices></domain>",
        kernel, type, source);
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, NULL);

    assert_non_null(domain);
    return domain;
}

static ConfInterface *
net_of(const ConfDomain *domain)
{
    return g_ptr_array_index(domain->interfaces, 0);
}

/* "wifi" is there and has no bridge, "lan" has one, others are not there. */
static bool
find_network(const ConfInterface *net, void *opaque, EngineNetwork *ret_network,
             GError **error)
{
    if (strcmp(net->network, "lan") == 0)
        ret_network->bridge = g_strdup(NETWORK_BRIDGE);
    else if (strcmp(net->network, "wifi") != 0)
        error_set(error, VIR_ERR_NO_NETWORK, "no network '%s'", net->network);
    return strcmp(net->network, "lan") == 0 ||
           strcmp(net->network, "wifi") == 0;
}

static const EngineResolveContext context = { .network = find_network };

static void
test_another_bridge(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with("bridge", "bridge='br-one'");
    g_autoptr(ConfDomain) next = domain_with("bridge", "bridge='br-two'");
    g_autoptr(ConfDomain) none = domain_with("bridge", "bridge='br-none'");
    g_autoptr(EngineResolved) resolved = engine_resolve(domain, &context, NULL);
    const char *tap = net_of(domain)->target;
    g_autoptr(GError) error = NULL;

    assert_non_null(resolved);
    assert_true(is_in(tap, "br-one"));
    net_of(none)->target = g_strdup(tap);
    assert_false(
        engine_resolve_connect(net_of(domain), net_of(none), &context, &error));
    assert_non_null(strstr(error->message, "'br-none'"));
    assert_true(is_in(tap, "br-one"));
    net_of(next)->target = g_strdup(tap);
    assert_true(
        engine_resolve_connect(net_of(domain), net_of(next), &context, NULL));
    assert_false(is_in(tap, "br-one"));
    assert_true(is_in(tap, "br-two"));
}

/* One that cannot be joined: the tap stays where it is. */
static void
test_no_bridge_at_all(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with("bridge", "bridge='br-one'");
    g_autoptr(ConfDomain) next = domain_with("bridge", "bridge='lo'");
    g_autoptr(EngineResolved) resolved = engine_resolve(domain, &context, NULL);
    const char *tap = net_of(domain)->target;
    g_autoptr(GError) error = NULL;

    assert_non_null(resolved);
    net_of(next)->target = g_strdup(tap);
    assert_false(
        engine_resolve_connect(net_of(domain), net_of(next), &context, &error));
    assert_non_null(strstr(error->message, "into 'lo'"));
    assert_true(is_in(tap, "br-one"));
}

static void
test_another_network(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with("network", "network='lan'");
    g_autoptr(ConfDomain) next = domain_with("network", "network='lan'");
    g_autoptr(ConfDomain) user = domain_with("network", "network='wifi'");
    g_autoptr(ConfDomain) none = domain_with("network", "network='gone'");
    g_autoptr(EngineResolved) resolved = engine_resolve(domain, &context, NULL);
    const char *tap = net_of(domain)->target;
    g_autoptr(GError) error = NULL;

    assert_non_null(resolved);
    assert_true(is_in(tap, NETWORK_BRIDGE));
    net_of(domain)->network[0] = 'w'; /* it was another's */
    net_of(next)->target = g_strdup(tap);
    assert_true(
        engine_resolve_connect(net_of(domain), net_of(next), &context, NULL));
    assert_string_equal(net_of(next)->bridge, NETWORK_BRIDGE);
    net_of(none)->target = g_strdup(tap);
    assert_false(
        engine_resolve_connect(net_of(domain), net_of(none), &context, &error));
    assert_int_equal(error_code(error), VIR_ERR_NO_NETWORK);
    g_clear_error(&error);
    net_of(user)->target = g_strdup(tap);
    assert_false(
        engine_resolve_connect(net_of(domain), net_of(user), &context, &error));
    assert_non_null(strstr(error->message, "user mode"));
    assert_true(is_in(tap, NETWORK_BRIDGE));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_bridge),
        cmocka_unit_test(test_no_bridge_at_all),
        cmocka_unit_test(test_another_network),
    };
    const char *why = tap_enter();
    int probe;

    if (!why) {
        probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (ioctl(probe, SIOCBRADDBR, "br-probe") != 0)
            why = "a bridge cannot be made";
        close(probe);
    }
    if (why) {
        printf("1..0 # SKIP %s\n", why);
        return 0;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
