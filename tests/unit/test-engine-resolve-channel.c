/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/config.h"
#include "engine/resolve/resolve.h"
#include "util/error.h"

/* Channels, virtio consoles and the panic device: their ports, sockets and
 * terminals. */

#define CONSOLE    "<console type='pty'><target type='virtio'/></console>"
#define CHANNEL(T) "<channel type='" T "'><target type='virtio' "
#define AGENT      CHANNEL("unix") "name='org.example.agent'/></channel>"
#define NINTH      \
    CHANNEL("pty") \
    "name='two'/>" \
    "<address type='virtio-serial' port='9'/></channel>"
#define LONG_NAME  "\xc3\xa4-domain-with-a-name-that-is-long"
#define SHORT_NAME "\xc3\xa4-domain-with-a-name"

typedef struct Place {
    char *folder;
    char *kernel;
} Place;

static int
setup(void **state)
{
    Place *place = g_new0(Place, 1);

    place->folder = g_dir_make_tmp("virtkvm-resolve-XXXXXX", NULL);
    assert_non_null(place->folder);
    place->kernel = g_build_filename(place->folder, "kernel", NULL);
    assert_true(g_file_set_contents(place->kernel, "kernel", -1, NULL));
    *state = place;
    return 0;
}

static char *
channels_of(const Place *place)
{
    return g_strconcat(place->folder, CONF_CHANNEL_FOLDER, NULL);
}

/* Nothing may be left but what was made for all domains. */
static int
teardown(void **state)
{
    Place *place = *state;
    g_autofree char *target = channels_of(place);
    g_autofree char *channel = g_build_filename(place->folder, "channel", NULL);

    assert_int_equal(g_remove(place->kernel), 0);
    g_rmdir(target);
    g_rmdir(channel);
    assert_int_equal(g_rmdir(place->folder), 0);
    g_free(place->folder);
    g_free(place->kernel);
    g_free(place);
    return 0;
}

static ConfDomain *
domain_with(const Place *place, const char *devices)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>" LONG_NAME "</name>"
        "<memory>65536</memory><os><type machine='q35'>hvm</type><kernel>%s"
        "</kernel></os><devices>%s<memballoon model='none'/></devices>"
        "</domain>",
        place->kernel, devices);
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    if (!domain || !conf_domain_check_start(domain, NULL, &error))
        fail_msg("%s", error->message);
    domain->live.id = 7;
    return domain;
}

static EngineResolved *
resolve(const Place *place, ConfDomain *domain, GError **error)
{
    EngineResolveContext context = { .run_dir = place->folder };

    return engine_resolve(domain, &context, error);
}

static EngineConfig *
config_of(const EngineResolved *resolved)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *json = engine_resolved_document(resolved, -1);
    EngineConfig *config = engine_config_parse(json, &error);

    if (!config)
        fail_msg("%s", error->message);
    return config;
}

/* The only device's ports */
static const EngineVirtioSerialConfig *
serial_of(const EngineConfig *config)
{
    const EngineDeviceConfig *device;

    assert_int_equal(config->n_devices, 1);
    device = config->devices[0];
    assert_int_equal(device->kind, ENGINE_DEVICE_VIRTIO_SERIAL);
    assert_string_equal(device->id, "virtio-serial0");
    return &device->serial;
}

static void
test_ports(void **state)
{
    const Place *place = *state;
    g_autoptr(ConfDomain) domain =
        domain_with(place, CONSOLE NINTH CHANNEL("null") "/></channel>");
    g_autoptr(EngineResolved) resolved = resolve(place, domain, NULL);
    g_autoptr(EngineConfig) config = config_of(resolved);
    const EngineVirtioSerialConfig *serial = serial_of(config);

    assert_int_equal(serial->n_ports, 3);
    assert_int_equal(serial->ports[0]->number, 0);
    assert_true(serial->ports[0]->console);
    assert_null(serial->ports[0]->name);
    assert_int_equal(serial->ports[0]->chardev.type, ENGINE_CHARDEV_PTY);
    assert_int_equal(serial->ports[1]->number, 9);
    assert_false(serial->ports[1]->console);
    assert_string_equal(serial->ports[1]->name, "two");
    assert_int_equal(serial->ports[1]->chardev.type, ENGINE_CHARDEV_PTY);
    assert_int_equal(serial->ports[2]->number, 1);
    assert_int_equal(serial->ports[2]->chardev.type, ENGINE_CHARDEV_NULL);
}

static void
test_terminals_go_into_the_definition(void **state)
{
    const Place *place = *state;
    g_autoptr(ConfDomain) domain =
        domain_with(place, CONSOLE CHANNEL("pty") "name='a'/></channel>");
    g_autoptr(EngineResolved) resolved = resolve(place, domain, NULL);
    const ConfChardev *console = g_ptr_array_index(domain->consoles, 0);
    const ConfChardev *channel = g_ptr_array_index(domain->channels, 0);
    g_autofree char *xml = conf_domain_format(domain, 0);
    g_autofree char *tty = g_strdup_printf(
        "<console type='pty' tty='%s'>\n      <source path='%s'/>",
        console->path, console->path);

    assert_non_null(resolved);
    assert_true(g_str_has_prefix(console->path, "/dev/pts/"));
    assert_true(g_str_has_prefix(channel->path, "/dev/pts/"));
    assert_string_not_equal(console->path, channel->path);
    assert_non_null(strstr(xml, tty));
    assert_non_null(strstr(xml, "state='disconnected'"));
    assert_string_equal(console->alias, "console0");
    assert_ptr_equal(conf_domain_console(domain, "console0"), console);
}

/* The first console is the serial port's, and has its name. */
static void
test_a_console_beside_a_serial_port(void **state)
{
    const Place *place = *state;
    g_autoptr(ConfDomain) domain =
        domain_with(place, "<console type='pty'/>" CONSOLE);
    g_autoptr(EngineResolved) resolved = resolve(place, domain, NULL);
    const ConfChardev *first = g_ptr_array_index(domain->consoles, 0);
    const ConfChardev *second = g_ptr_array_index(domain->consoles, 1);

    assert_non_null(resolved);
    assert_string_equal(first->alias, "serial0");
    assert_string_equal(second->alias, "console1");
    assert_string_not_equal(first->tty, second->tty);
    assert_ptr_equal(conf_domain_console(domain, "console1"), second);
}

static void
test_a_socket_of_its_own(void **state)
{
    const Place *place = *state;
    g_autoptr(ConfDomain) domain = domain_with(place, AGENT);
    g_autoptr(EngineResolved) resolved = resolve(place, domain, NULL);
    g_autoptr(EngineConfig) config = config_of(resolved);
    const EnginePortConfig *port = serial_of(config)->ports[0];
    const ConfChardev *channel = g_ptr_array_index(domain->channels, 0);
    g_autofree char *target = channels_of(place);
    g_autofree char *folder = g_strconcat(target, "domain-7-" SHORT_NAME, NULL);
    g_autofree char *path = g_build_filename(folder, "org.example.agent", NULL);
    g_autofree char *defined = NULL;

    assert_string_equal(channel->path, path);
    assert_int_equal(port->chardev.type, ENGINE_CHARDEV_LISTEN);
    assert_int_equal(access(path, F_OK), 0);
    defined = conf_domain_format(domain, CONF_FORMAT_INACTIVE);
    assert_null(strstr(defined, path));
    engine_resolve_cleanup(domain);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(access(target, F_OK), 0);
}

static void
test_a_socket_where_the_document_says(void **state)
{
    const Place *place = *state;
    g_autofree char *xml = g_strdup_printf(
        CHANNEL("unix") "name='a'/><source mode='bind' path='%s/sock'/>"
                        "</channel>",
        place->folder);
    g_autoptr(ConfDomain) domain = domain_with(place, xml);
    g_autoptr(EngineResolved) resolved = resolve(place, domain, NULL);
    const ConfChardev *channel = g_ptr_array_index(domain->channels, 0);

    assert_non_null(resolved);
    assert_int_equal(access(channel->path, F_OK), 0);
    engine_resolve_cleanup(domain);
    assert_int_equal(access(channel->path, F_OK), -1);
}

/* One that was never resolved has no path. */
static void
test_cleanup_of_nothing(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(*state, AGENT);

    engine_resolve_cleanup(domain);
}

static void
test_left_out(void **state)
{
    const Place *place = *state;
    g_autoptr(ConfDomain) domain =
        domain_with(place, CHANNEL("spicevmc") "name='spice'/></channel>");
    g_autoptr(EngineResolved) resolved = resolve(place, domain, NULL);
    g_autoptr(EngineConfig) config = config_of(resolved);

    assert_int_equal(serial_of(config)->n_ports, 0);
}

static void
assert_refused(const Place *place, const char *devices, const char *words)
{
    g_autoptr(ConfDomain) domain = domain_with(place, devices);
    g_autoptr(GError) error = NULL;

    assert_null(resolve(place, domain, &error));
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
}

static void
test_refusals(void **state)
{
    const Place *place = *state;

    assert_refused(place, CHANNEL("unix") "/></channel>",
                   "name one with <source path=''>");
    assert_refused(place, CHANNEL("unix") "name='../a'/></channel>",
                   "channel '../a'");
    assert_refused(place, CHANNEL("stdio") "name='a'/></channel>", "<channel");
    assert_refused(place,
                   "<controller type='virtio-serial' index='0' ports='1'/>"
                   "<console type='pty'><target type='virtio'/><address "
                   "type='virtio-serial' controller='0'/></console>"
                   "<console type='pty'><target type='virtio'/><address "
                   "type='virtio-serial' controller='0'/></console>",
                   "free virtio-serial port");
}

static void
test_pvpanic(void **state)
{
    static const struct {
        const char *devices;
        bool expected;
    } cases[] = {
        { "", false },
        { "<panic/>", true },
        { "<panic model='isa'/>", true },
        { "<panic model='hyperv'/>", false },
        { "<panic model='hyperv'/><panic model='isa'/>", true },
    };
    const Place *place = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfDomain) domain = domain_with(place, cases[i].devices);
        g_autoptr(EngineResolved) resolved = resolve(place, domain, NULL);
        g_autoptr(EngineConfig) config = config_of(resolved);

        assert_int_equal(config->pvpanic, cases[i].expected);
    }
}

#define TEST(FN) cmocka_unit_test_setup_teardown(FN, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ports),
        TEST(test_terminals_go_into_the_definition),
        TEST(test_a_console_beside_a_serial_port),
        TEST(test_a_socket_of_its_own),
        TEST(test_a_socket_where_the_document_says),
        TEST(test_cleanup_of_nothing),
        TEST(test_left_out),
        TEST(test_refusals),
        TEST(test_pvpanic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
