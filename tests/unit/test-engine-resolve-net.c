/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <jansson.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/config.h"
#include "engine/resolve/resolve.h"
#include "util/error.h"

/* Interfaces: user mode, passt, taps, and what networks make of them. */

static char *kernel;

static int
setup(void **state)
{
    int fd = g_file_open_tmp("virtkvm-resolve-XXXXXX", &kernel, NULL);

    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int
teardown(void **state)
{
    assert_int_equal(g_remove(kernel), 0);
    g_free(kernel);
    return 0;
}

static ConfDomain *
domain_with(const char *device)
{
    bool has_balloon = strstr(device, "<memballoon") != NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name>"
        "<uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>"
        "<memory>65536</memory><os><type "
        "machine='q35'>hvm</type><kernel>%s</kernel></os><devices>%s%s"
        "</devices></domain>",
        kernel, device, has_balloon ? "" : "<memballoon model='none'/>");
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    if (!domain || !conf_domain_check_start(domain, NULL, &error))
        fail_msg("%s", error->message);
    return domain;
}

/* The only device; owned. The engine takes the document. */
static json_t *
device_of(const EngineResolved *resolved)
{
    g_autofree char *text = engine_resolved_document(resolved, 3);
    g_autoptr(GError) error = NULL;
    EngineConfig *config = engine_config_parse(text, &error);
    json_t *root = json_loads(text, 0, NULL);
    json_t *devices = json_object_get(root, "devices");
    json_t *device = json_incref(json_array_get(devices, 0));

    if (error)
        fail_msg("%s", error->message);
    engine_config_free(config);
    assert_int_equal(json_array_size(devices), 1);
    json_decref(root);
    return device;
}

static void
assert_device(const EngineResolved *resolved, json_t *expected)
{
    json_t *device = device_of(resolved);
    char *text = json_dumps(device, JSON_SORT_KEYS);

    if (!json_equal(device, expected))
        fail_msg("%s", text);
    free(text);
    json_decref(device);
    json_decref(expected);
}

static void
test_user_mode(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(
        "<interface type='user'><mac address='52:54:00:0A:0B:0C'/>"
        "<bandwidth><inbound average='1' peak='2' burst='3'/></bandwidth>"
        "<ip address='192.168.7.9' family='ipv4' prefix='24'/>"
        "<portForward proto='tcp' address='127.0.0.1'>"
        "<range start='2022' to='22'/><range start='80' end='81'/>"
        "</portForward><driver queues='2' rx_queue_size='512' packed='on'/>"
        "<link state='down'/><mtu size='1400'/></interface>");
    EngineResolveContext context = { 0 };
    g_autoptr(EngineResolved) resolved = engine_resolve(domain, &context, NULL);

    assert_device(
        resolved,
        json_pack("{s:s,s:s,s:i,s:i,s:s,s:b,s:b,s:i,s:i,s:i,s:{s:{s:i,s:i,s:i}}"
                  ",s:{s:s,s:s,s:s,s:[{s:s,s:s,s:i,s:i},{s:s,s:s,s:i,s:i},"
                  "{s:s,s:s,s:i,s:i}]}}",
                  "type", "virtio-net", "id", "net0", "slot", 3, "function", 0,
                  "mac", "52:54:00:0a:0b:0c", "packed", 1, "link", 0, "mtu",
                  1400, "queue_size", 512, "queues", 1, "bandwidth", "inbound",
                  "average", 1, "peak", 2, "burst", 3, "backend", "type",
                  "user", "address", "192.168.7.0/24", "hostname", "a",
                  "forwards", "protocol", "tcp", "host", "127.0.0.1",
                  "host_port", 2022, "guest_port", 22, "protocol", "tcp",
                  "host", "127.0.0.1", "host_port", 80, "guest_port", 80,
                  "protocol", "tcp", "host", "127.0.0.1", "host_port", 81,
                  "guest_port", 81));
}

static void
test_what_user_mode_cannot(void **state)
{
    static const char *const forwards[] = {
        "<portForward proto='tcp'/>",
        "<portForward proto='tcp' dev='eth0'><range start='1'/></portForward>",
        ("<portForward proto='tcp'><range start='1' exclude='yes'/>"
         "</portForward>"),
        "<portForward proto='udp'><range start='1' end='2000'/></portForward>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(forwards); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<interface type='user'>%s</interface>", forwards[i]);
        g_autoptr(ConfDomain) domain = domain_with(xml);
        g_autoptr(GError) error = NULL;
        EngineResolveContext context = { 0 };

        assert_null(engine_resolve(domain, &context, &error));
        assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
        assert_non_null(strstr(error->message, "type='passt'"));
    }
}

#define NETWORK                                                    \
    "<interface type='network'><mac address='52:54:00:00:00:01'/>" \
    "<source network='default'/></interface>"

static void
test_network_without_networks(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(NETWORK);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    EngineResolveContext context = { .warnings = warnings };
    g_autoptr(EngineResolved) resolved = engine_resolve(domain, &context, NULL);
    json_t *device = device_of(resolved);
    json_t *backend = json_object_get(device, "backend");

    assert_string_equal(json_string_value(json_object_get(backend, "type")),
                        "user");
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "'default'"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "user mode"));
    json_decref(device);
}

static bool
refuse_network(const ConfInterface *net, void *opaque,
               EngineNetwork *ret_network, GError **error)
{
    assert_string_equal(net->network, opaque);
    error_set(error, VIR_ERR_NO_NETWORK, "no such");
    return false;
}

static void
test_network_that_is_refused(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(NETWORK);
    EngineResolveContext context = { .network = refuse_network,
                                     .opaque = (char *)"default" };
    g_autoptr(GError) error = NULL;

    assert_null(engine_resolve(domain, &context, &error));
    assert_int_equal(error_code(error), VIR_ERR_NO_NETWORK);
    assert_string_equal(error->message, "interface 52:54:00:00:00:01: no such");
}

static void
test_no_such_bridge(void **state)
{
    g_autoptr(ConfDomain) bridged =
        domain_with("<interface type='bridge'><source bridge='no-such-bridge'/>"
                    "</interface>");
    g_autoptr(ConfDomain) unmanaged = domain_with(
        "<interface type='ethernet'><target dev='no-such-tap' managed='no'/>"
        "</interface>");
    EngineResolveContext context = { 0 };
    g_autoptr(GError) error = NULL;

    assert_null(engine_resolve(bridged, &context, &error));
    assert_non_null(strstr(error->message, "no bridge 'no-such-bridge'"));
    g_clear_error(&error);
    assert_null(engine_resolve(unmanaged, &context, &error));
    assert_non_null(strstr(error->message, "no tap device 'no-such-tap'"));
}

/* A tap of its own, where one may be made: gone when it is closed. */
static void
test_tap(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(
        "<interface type='ethernet'><mac address='52:54:00:00:00:01'/>"
        "<driver queues='2'/><mtu size='1400'/></interface>");
    const ConfInterface *net = g_ptr_array_index(domain->interfaces, 0);
    EngineResolveContext context = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineResolved) resolved =
        engine_resolve(domain, &context, &error);
    g_autofree char *mac = NULL, *path = NULL;
    json_t *device, *fds;

    if (!resolved) {
        assert_int_equal(error_code(error), VIR_ERR_SYSTEM_ERROR);
        assert_non_null(strstr(error->message, "tap"));
        print_message("no tap can be made here: %s\n", error->message);
        return;
    }
    device = device_of(resolved);
    fds = json_object_get(json_object_get(device, "backend"), "fds");
    assert_int_equal(json_array_size(fds), 2);
    assert_int_equal(json_integer_value(json_array_get(fds, 1)), 5);
    assert_int_equal(json_integer_value(json_object_get(device, "queues")), 2);
    json_decref(device);
    assert_true(g_str_has_prefix(net->target, "vnet"));
    assert_int_not_equal(if_nametoindex(net->target), 0);
    path = g_strdup_printf("/sys/class/net/%s/address", net->target);
    if (g_file_get_contents(path, &mac, NULL, NULL))
        assert_string_equal(mac, "fe:54:00:00:00:01\n");
    g_clear_pointer(&resolved, engine_resolved_free);
    assert_int_equal(if_nametoindex(net->target), 0);
}

/* passt answers a frame with its length before it; its end is ours. */
static void
test_passt(void **state)
{
    g_autofree char *program = g_find_program_in_path("passt");
    g_autoptr(ConfDomain) domain = domain_with(
        "<interface type='user'><portForward proto='tcp' address='127.0.0.1'>"
        "<range start='1' end='2' to='3'/></portForward>"
        "<backend type='passt'/></interface>");
    g_autoptr(ConfDomain) wrong =
        domain_with("<interface type='user'><source dev='no-such-device'/>"
                    "<backend type='passt'/></interface>");
    EngineResolveContext context = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineResolved) resolved =
        engine_resolve(domain, &context, &error);

    assert_null(engine_resolve(wrong, &context, program ? NULL : &error));
    if (!program) {
        assert_non_null(strstr(error->message, "cannot run 'passt'"));
        return;
    }
    if (!resolved) /* as in a sandbox without user namespaces */
        assert_non_null(strstr(error->message, "'passt' has failed: "));
    else
        json_decref(device_of(resolved));
}

static void
test_memory_balloon(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(
        "<memballoon model='virtio' autodeflate='on' freePageReporting='on'>"
        "<stats period='5'/></memballoon>");
    EngineResolveContext context = { 0 };
    g_autoptr(EngineResolved) resolved = NULL;

    domain->memory.current_kib = 32768;
    resolved = engine_resolve(domain, &context, NULL);
    assert_device(resolved,
                  json_pack("{s:s,s:s,s:i,s:i,s:b,s:b,s:b,s:i,s:i}", "type",
                            "virtio-balloon", "id", "balloon0", "slot", 3,
                            "function", 0, "packed", 0, "deflate_on_oom", 1,
                            "free_page_reporting", 1, "stats_period_s", 5,
                            "target", 32768 * 1024));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user_mode),
        cmocka_unit_test(test_what_user_mode_cannot),
        cmocka_unit_test(test_network_without_networks),
        cmocka_unit_test(test_network_that_is_refused),
        cmocka_unit_test(test_no_such_bridge),
        cmocka_unit_test(test_tap),
        cmocka_unit_test(test_passt),
        cmocka_unit_test(test_memory_balloon),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
