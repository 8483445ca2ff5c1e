/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "conf/domain.h"
#include "core-fixture.h"
#include "core/calls.h"
#include "core/network-lease.h"
#include "core/network-text.h"
#include "core/network-use.h"
#include "core/network.h"
#include "network-xml.h"
#include "util/error.h"

/* --- a builder that only writes down what it is told -------------------------
 */

struct CoreNetworkRun {
    char *name;
};

static GString *built;   /* "start:a stop:a " */
static const char *fail; /* the operation that fails */

static bool
note(const char *operation, const char *name, GError **error)
{
    g_string_append_printf(built, "%s:%s ", operation, name);
    if (g_strcmp0(fail, operation) != 0)
        return true;
    error_set(error, VIR_ERR_OPERATION_FAILED, "no %s", operation);
    return false;
}

static CoreNetworkRun *
run_new(const ConfNetwork *conf)
{
    CoreNetworkRun *run = g_new0(CoreNetworkRun, 1);

    run->name = g_strdup(conf->name);
    return run;
}

static void
run_end(CoreNetworkRun *run, const char *operation)
{
    note(operation, run->name, NULL);
    g_free(run->name);
    g_free(run);
}

/* Meanwhile others ask for it. */
static void (*while_starting)(VirtkvmState *state, const ConfNetwork *conf);

static CoreNetworkRun *
fake_start(VirtkvmState *state, const ConfNetwork *conf, GError **error)
{
    if (while_starting)
        while_starting(state, conf);
    return note("start", conf->name, error) ? run_new(conf) : NULL;
}

static CoreNetworkRun *
fake_find(VirtkvmState *state, const ConfNetwork *conf, GError **error)
{
    return note("find", conf->name, error) ? run_new(conf) : NULL;
}

static bool
fake_update(CoreNetworkRun *run, const ConfNetwork *conf, GError **error)
{
    return note("update", run->name, error);
}

static void
fake_stop(CoreNetworkRun *run)
{
    run_end(run, "stop");
}

static void
fake_detach(CoreNetworkRun *run)
{
    run_end(run, "detach");
}

static const CoreNetworkOps fake_ops = { .start = fake_start,
                                         .find = fake_find,
                                         .update = fake_update,
                                         .stop = fake_stop,
                                         .detach = fake_detach };

static void
assert_built(const char *expected)
{
    assert_string_equal(built->str, expected);
    g_string_truncate(built, 0);
}

/* --- fixtures ----------------------------------------------------------------
 */

static int
setup(void **state)
{
    Fixture *f = fixture_new(NULL);

    built = g_string_new("");
    fail = NULL;
    *state = f;
    return 0;
}

static int
setup_records(void **state)
{
    setup(state);
    fixture_start(*state, false);
    return 0;
}

static int
setup_built(void **state)
{
    Fixture *f;

    setup(state);
    f = *state;
    f->profile.networks = &fake_ops;
    f->host.privileged = true;
    fixture_start(f, false);
    return 0;
}

static int
teardown(void **state)
{
    fixture_free(*state);
    g_string_free(built, TRUE);
    return 0;
}

static const VirtkvmNetworkDriver *const driver = &core_network_driver;

static VirtkvmNetworkRef
define(Fixture *f, const char *xml)
{
    g_autoptr(GError) error = NULL;
    VirtkvmNetworkRef net = { 0 };

    if (!driver->networkDefineXMLFlags(f->state, &f->caller, xml, 0, &net,
                                       &error))
        fail_msg("%s", error->message);
    return net;
}

static void
assert_refused(GError *error, virErrorNumber code, const char *text)
{
    assert_non_null(error);
    assert_string_equal(error->message, text);
    assert_int_equal(error_code(error), code);
    g_error_free(error);
}

static void
assert_events(Fixture *f, const char *expected)
{
    g_autofree char *events = fixture_events(f);

    assert_string_equal(events, expected);
}

static unsigned
count(Fixture *f, unsigned flags)
{
    g_autoptr(GArray) networks = NULL;

    assert_true(driver->connectListAllNetworks(f->state, &f->caller, flags,
                                               &networks, NULL));
    return networks->len;
}

static char *
xml_of(Fixture *f, const VirtkvmNetworkRef *net, unsigned flags)
{
    return driver->networkGetXMLDesc(f->state, &f->caller, net, flags, NULL);
}

static void
start(Fixture *f, const VirtkvmNetworkRef *net)
{
    g_autoptr(GError) error = NULL;

    if (!driver->networkCreate(f->state, &f->caller, net, &error))
        fail_msg("%s", error->message);
}

/* --- life
 * --------------------------------------------------------------------- */

static void
test_life(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, ADDRESS));
    g_autofree char *bridge = NULL;
    GError *error = NULL;

    assert_int_equal(count(f, 0), 1);
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_ACTIVE), 0);
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_TRANSIENT), 0);
    start(f, &net);
    assert_false(driver->networkCreate(f->state, &f->caller, &net, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "network is already active");
    assert_int_equal(driver->networkIsActive(f->state, &f->caller, &net, NULL),
                     1);
    bridge = driver->networkGetBridgeName(f->state, &f->caller, &net, NULL);
    assert_true(g_str_has_prefix(bridge, "virbr"));
    assert_true(driver->networkDestroy(f->state, &f->caller, &net, NULL));
    error = NULL;
    assert_false(driver->networkDestroy(f->state, &f->caller, &net, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "network 'a' is not active");
    assert_true(driver->networkUndefine(f->state, &f->caller, &net, NULL));
    error = NULL;
    assert_false(driver->networkUndefine(f->state, &f->caller, &net, &error));
    assert_refused(error, VIR_ERR_NO_NETWORK,
                   "no network with matching uuid '" UUID_A "' (a)");
    assert_events(f, "a:defined a:started a:stopped a:undefined ");
    assert_int_equal(f->held, 0);
    g_free(net.name);
}

static void
test_transient(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = { 0 };
    GError *error = NULL;

    assert_true(driver->networkCreateXMLFlags(
        f->state, &f->caller, NET("t", UUID_A, ""), 0, &net, NULL));
    assert_int_equal(
        driver->networkIsPersistent(f->state, &f->caller, &net, NULL), 0);
    assert_false(driver->networkUndefine(f->state, &f->caller, &net, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "can't undefine transient network");
    error = NULL;
    assert_false(
        driver->networkSetAutostart(f->state, &f->caller, &net, true, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "cannot set autostart for transient network");
    error = NULL;
    assert_false(driver->networkCreateXMLFlags(
        f->state, &f->caller, NET("t", UUID_A, ""), 0, &net, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "network is already active as 't'");
    assert_true(driver->networkDestroy(f->state, &f->caller, &net, NULL));
    assert_int_equal(count(f, 0), 0);
    g_free(net.name);
}

static void
ask_while_starting(VirtkvmState *state, const ConfNetwork *conf)
{
    VirtkvmNetworkRef net = { .name = conf->name };
    g_autoptr(GArray) networks = NULL;
    GError *error = NULL;

    memcpy(net.uuid, conf->uuid, VIR_UUID_BUFLEN);
    assert_null(driver->networkGetXMLDesc(state, NULL, &net, 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_NO_NETWORK);
    g_error_free(error);
    assert_true(
        driver->connectListAllNetworks(state, NULL, 0, &networks, NULL));
    assert_int_equal(networks->len, 0);
}

static void
test_created_is_not_there_before_it_is_built(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = { 0 };

    while_starting = ask_while_starting;
    assert_true(driver->networkCreateXMLFlags(
        f->state, &f->caller, NET("t", UUID_A, ""), 0, &net, NULL));
    while_starting = NULL;
    assert_int_equal(count(f, 0), 1);
    g_free(net.name);
}

/* An active network that is undefined goes on as a transient one. */
static void
test_undefine_active(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, ADDRESS));

    start(f, &net);
    assert_true(driver->networkUndefine(f->state, &f->caller, &net, NULL));
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_TRANSIENT), 1);
    assert_true(driver->networkDestroy(f->state, &f->caller, &net, NULL));
    assert_int_equal(count(f, 0), 0);
    g_free(net.name);
}

static void
test_identities(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, "<bridge name='b0'/>"));
    VirtkvmNetworkRef other = { 0 };
    GError *error = NULL;

    assert_false(driver->networkDefineXMLFlags(
        f->state, &f->caller, NET("a", UUID_B, ""), 0, &other, &error));
    assert_refused(error, VIR_ERR_OPERATION_FAILED,
                   "network 'a' already exists with uuid " UUID_A);
    error = NULL;
    assert_false(driver->networkDefineXMLFlags(
        f->state, &f->caller, NET("b", UUID_A, ""), 0, &other, &error));
    assert_refused(error, VIR_ERR_OPERATION_FAILED,
                   "network 'a' is already defined with uuid " UUID_A);
    error = NULL;
    assert_false(driver->networkDefineXMLFlags(
        f->state, &f->caller, NET("c", UUID_B, "<bridge name='b0'/>"), 0,
        &other, &error));
    assert_refused(error, VIR_ERR_INTERNAL_ERROR,
                   "bridge name 'b0' already in use.");
    error = NULL;
    assert_false(
        driver->networkLookupByName(f->state, &f->caller, "c", &other, &error));
    assert_refused(error, VIR_ERR_NO_NETWORK,
                   "no network with matching name 'c'");
    error = NULL;
    assert_false(driver->networkDefineXMLFlags(
        f->state, &f->caller, NET("c", UUID_B, ""), 64, &other, &error));
    assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    g_error_free(error);
    g_free(net.name);
}

/* --- what is kept
 * -------------------------------------------------------------- */

static void
test_restart_finds_them(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, ADDRESS));
    VirtkvmNetworkRef still = define(f, NET("b", UUID_B, ""));
    g_autofree char *before = NULL, *after = NULL, *status = NULL;

    start(f, &net);
    assert_true(
        driver->networkSetAutostart(f->state, &f->caller, &still, true, NULL));
    before = xml_of(f, &net, VIR_NETWORK_XML_INACTIVE);
    assert_int_equal(f->held, 1);
    fixture_stop(f);
    assert_built("start:a detach:a ");
    f->held = 0;
    fixture_start(f, true);
    assert_built("find:a start:b ");
    after = xml_of(f, &net, VIR_NETWORK_XML_INACTIVE);
    assert_string_equal(before, after);
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_ACTIVE), 2);
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_AUTOSTART), 1);
    assert_int_equal(f->held, 2);
    fixture_stop(f);
    g_string_truncate(built, 0);
    /* one that is gone is inactive, and its status file is gone too */
    fail = "find";
    fixture_start(f, true);
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_ACTIVE), 0);
    assert_int_equal(count(f, 0), 2);
    status = fixture_path(f, "run", "networks/a.xml");
    assert_int_equal(access(status, F_OK), -1);
    g_free(net.name);
    g_free(still.name);
}

static void
write_file(const char *path, const char *text)
{
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
test_bad_files_are_skipped(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, ""));
    static const char *const names[] = { "bad.xml", "other.xml", "empty.xml" };
    static const char *const texts[] = { "<network", NET("a2", UUID_B, ""),
                                         "" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *folder = fixture_path(f, "config", "networks");
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autofree char *run = fixture_path(f, "run", "networks");
        g_autofree char *status = g_build_filename(run, names[i], NULL);

        write_file(path, texts[i]);
        write_file(status, texts[i]);
    }
    fixture_stop(f);
    fixture_start(f, false);
    assert_int_equal(count(f, 0), 1);
    assert_true(core_state_reload(f->state, NULL));
    assert_int_equal(count(f, 0), 1);
    g_free(net.name);
}

static void
test_failed_start_leaves_nothing(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, ADDRESS)), other = { 0 };
    g_autofree char *status = fixture_path(f, "run", "networks/a.xml");
    GError *error = NULL;

    fail = "start";
    assert_false(driver->networkCreate(f->state, &f->caller, &net, &error));
    assert_refused(error, VIR_ERR_OPERATION_FAILED, "no start");
    assert_int_equal(access(status, F_OK), -1);
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_ACTIVE), 0);
    error = NULL;
    assert_false(driver->networkCreateXMLFlags(
        f->state, &f->caller, NET("t", UUID_B, ""), 0, &other, &error));
    g_clear_error(&error);
    assert_int_equal(count(f, 0), 1);
    assert_int_equal(f->held, 0);
    error = NULL;
    fail = NULL;
    g_free(net.name);
    net = define(f, NET("a", UUID_A, "<virtualport type='openvswitch'/>"));
    assert_false(driver->networkCreate(f->state, &f->caller, &net, &error));
    assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
    g_error_free(error);
    g_free(net.name);
}

/* --- update
 * -------------------------------------------------------------------- */

#define HOST "<host mac='52:54:00:00:00:01' ip='192.0.2.9'/>"

static bool
add_host(Fixture *f, const VirtkvmNetworkRef *net, unsigned flags,
         GError **error)
{
    VirtkvmNetworkUpdate update = { .command =
                                        VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
                                    .section = VIR_NETWORK_SECTION_IP_DHCP_HOST,
                                    .parent_index = -1,
                                    .xml = HOST,
                                    .flags = flags };

    return driver->networkUpdate(f->state, &f->caller, net, &update, error);
}

static bool
has_host(Fixture *f, const VirtkvmNetworkRef *net, unsigned flags)
{
    g_autofree char *xml = xml_of(f, net, flags);

    return strstr(xml, "52:54:00:00:00:01") != NULL;
}

static void
test_update(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, ADDRESS));
    GError *error = NULL;

    assert_false(add_host(f, &net, VIR_NETWORK_UPDATE_AFFECT_LIVE, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID, "network is not running");
    start(f, &net);
    assert_true(add_host(f, &net, 0, NULL));
    assert_built("start:a update:a ");
    assert_true(has_host(f, &net, 0));
    assert_false(has_host(f, &net, VIR_NETWORK_XML_INACTIVE));
    assert_true(add_host(f, &net, VIR_NETWORK_UPDATE_AFFECT_CONFIG, NULL));
    assert_true(has_host(f, &net, VIR_NETWORK_XML_INACTIVE));
    assert_built("");
    g_free(net.name);
}

/* What cannot be served is kept nowhere. */
static void
test_failed_update(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net = define(f, NET("a", UUID_A, ADDRESS));

    start(f, &net);
    fail = "update";
    assert_false(add_host(f, &net,
                          VIR_NETWORK_UPDATE_AFFECT_LIVE |
                              VIR_NETWORK_UPDATE_AFFECT_CONFIG,
                          NULL));
    assert_false(has_host(f, &net, 0));
    assert_false(has_host(f, &net, VIR_NETWORK_XML_INACTIVE));
    g_free(net.name);
}

/* --- for interfaces
 * -------------------------------------------------------------- */

static void
test_use(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net =
        define(f, NET("a", UUID_A,
                      "<bridge name='vt0'/><mtu size='1400'/>"
                      "<portgroup name='g' default='yes'><bandwidth>"
                      "<inbound average='77'/></bandwidth></portgroup>"));
    g_auto(CoreNetworkUse) use = { 0 };
    GError *error = NULL;

    assert_false(core_network_use(f->state, "a", NULL, &use, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "network 'a' is not active");
    error = NULL;
    assert_false(core_network_use(f->state, "x", NULL, &use, &error));
    assert_refused(error, VIR_ERR_NO_NETWORK,
                   "no network with matching name 'x'");
    start(f, &net);
    error = NULL;
    assert_false(core_network_use(f->state, "a", "none", &use, &error));
    assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
    g_error_free(error);
    assert_true(core_network_use(f->state, "a", NULL, &use, NULL));
    assert_string_equal(use.bridge, "vt0");
    assert_int_equal(use.mtu, 1400);
    assert_int_equal(use.bandwidth.inbound.average_kib, 77);
    assert_false(use.user_mode);
    g_free(net.name);
}

static void
test_session_falls_back_to_user_mode(void **state)
{
    Fixture *f = *state;
    VirtkvmNetworkRef net;
    g_auto(CoreNetworkUse) use = { 0 };

    f->profile.networks = &fake_ops;
    fixture_start(f, false);
    net = define(f, NET("a", UUID_A, ADDRESS));
    start(f, &net);
    assert_built("");
    assert_true(core_network_use(f->state, "a", NULL, &use, NULL));
    assert_true(use.user_mode);
    assert_null(use.bridge);
    fixture_stop(f);
    fixture_start(f, false);
    assert_built("");
    assert_int_equal(count(f, VIR_CONNECT_LIST_NETWORKS_ACTIVE), 1);
    g_free(net.name);
}

/* --- the packaged network
 * ---------------------------------------------------------- */

static void
test_default_network(void **state)
{
    Fixture *f = *state;
    g_autofree char *folder = g_build_filename(
        g_getenv("abs_top_srcdir") ? g_getenv("abs_top_srcdir") : ".", "data",
        "networks", NULL);
    VirtkvmNetworkRef net = { 0 };
    g_autofree char *xml = NULL;

    g_setenv("VIRTKVM_NETWORK_DIR", folder, true);
    f->profile.networks = &fake_ops;
    fixture_start(f, false);
    assert_true(driver->networkLookupByName(f->state, &f->caller, "default",
                                            &net, NULL));
    xml = xml_of(f, &net, 0);
    assert_non_null(strstr(xml, "<forward mode='nat'/>"));
    assert_non_null(strstr(xml, "<ip address='192.168."));
    /* it comes once, and not again */
    assert_true(driver->networkUndefine(f->state, &f->caller, &net, NULL));
    fixture_stop(f);
    fixture_start(f, false);
    assert_int_equal(count(f, 0), 0);
    g_unsetenv("VIRTKVM_NETWORK_DIR");
    g_free(net.name);
}

#define TEST(setup_as, name) \
    cmocka_unit_test_setup_teardown(test_##name, setup_as, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(setup_records, life),
        TEST(setup_built, life),
        TEST(setup_records, transient),
        TEST(setup_built, transient),
        TEST(setup_built, created_is_not_there_before_it_is_built),
        TEST(setup_built, undefine_active),
        TEST(setup_records, identities),
        TEST(setup_built, restart_finds_them),
        TEST(setup_records, bad_files_are_skipped),
        TEST(setup_built, failed_start_leaves_nothing),
        TEST(setup_built, update),
        TEST(setup_built, failed_update),
        TEST(setup_built, use),
        TEST(setup, session_falls_back_to_user_mode),
        TEST(setup, default_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
