/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/config.h"
#include "util/error.h"
#include "util/file.h"

static DaemonConfig *
parse(const char *text)
{
    DaemonConfig *config = daemon_config_new(true);

    assert_true(daemon_config_parse(config, "file", text, NULL));
    return config;
}

static void
test_values(void **state)
{
    g_autoptr(DaemonConfig) config = parse("# comment\n"
                                           "\n"
                                           "  max_clients=7 # rest\n"
                                           "unix_sock_rw_perms = 0770\r\n"
                                           "log_file = \"/a b#c\"\t# x\n"
                                           "engine='/e'\n"
                                           "kvm_setting = \"on\"");

    assert_int_equal(config->max_clients, 7);
    assert_int_equal(config->socket_mode, 0770);
    assert_string_equal(config->log_file, "/a b#c");
    assert_string_equal(config->engine, "/e");
    assert_string_equal(g_hash_table_lookup(config->values, "kvm_setting"),
                        "on");
    assert_string_equal(g_hash_table_lookup(config->values, "max_clients"),
                        "7");
}

static void
test_defaults(void **state)
{
    g_autoptr(DaemonConfig) system = daemon_config_new(true);
    g_autoptr(DaemonConfig) user = daemon_config_new(false);

    assert_int_equal(system->socket_mode, 0700);
    assert_int_equal(system->socket_read_only_mode, 0777);
    assert_int_equal(user->socket_read_only_mode, 0700);
    assert_int_equal(system->keepalive_interval_s, 5);
    assert_int_equal(system->keepalive_count, 5);
    assert_null(system->log_file);
}

static void
test_last_one_counts(void **state)
{
    g_autoptr(DaemonConfig) config =
        parse("log_file = '/a'\nlog_file = ''\nmax_workers = 3\n"
              "max_workers = 4\n");

    assert_null(config->log_file);
    assert_int_equal(config->max_workers, 4);
}

static void
test_wrong_lines(void **state)
{
    static const char *const lines[] = {
        "max_clients",
        "max_clients 5",
        "max_clients =",
        "= 5",
        "max_clients = 5 6",
        "max_clients = 0",
        "max_clients = -1",
        "max_clients = 100001",
        "max_clients = 99999999999999999999999",
        "max_clients = five",
        "max_clients = 5x",
        "max_clients = \"5",
        "log_file = 'x' y",
        "unix_sock_rw_perms = 888",
        "unix_sock_rw_perms = 1777",
        "Max_clients = 5",
        "max_client = 5",
        "[section]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(DaemonConfig) config = daemon_config_new(true);
        g_autofree char *text = g_strconcat("\n\n", lines[i], "\n", NULL);
        g_autoptr(GError) error = NULL;

        assert_false(daemon_config_parse(config, "file", text, &error));
        assert_int_equal(error_code(error), VIR_ERR_CONF_SYNTAX);
        assert_true(g_str_has_prefix(error->message, "file:3: "));
    }
}

/* The file that is installed: as it is, and with its defaults put into force,
 * which are those of the program. */
static void
test_the_file_of_the_package(void **state)
{
    g_autofree char *path = g_build_filename(g_getenv("abs_top_srcdir"), "data",
                                             "virtkvmd.conf", NULL);
    g_autofree char *text = file_read(path, DAEMON_CONFIG_MAX, NULL, NULL);
    g_autoptr(GRegex) regex =
        g_regex_new("^#([a-z_]+ = )", G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *active =
        g_regex_replace(regex, text, -1, 0, "\\1", 0, NULL);
    g_autoptr(DaemonConfig) defaults = parse(text);
    g_autoptr(DaemonConfig) config = parse(active);

    assert_int_equal(g_hash_table_size(defaults->values), 0);
    assert_int_equal(g_hash_table_size(config->values), 14);
    assert_int_equal(config->max_clients, defaults->max_clients);
    assert_int_equal(config->max_workers, defaults->max_workers);
    assert_int_equal(config->prio_workers, defaults->prio_workers);
    assert_int_equal(config->max_client_requests,
                     defaults->max_client_requests);
    assert_int_equal(config->keepalive_count, defaults->keepalive_count);
    assert_int_equal(config->log_level, defaults->log_level);
    assert_int_equal(config->socket_mode, defaults->socket_mode);
    assert_int_equal(config->socket_read_only_mode,
                     defaults->socket_read_only_mode);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_last_one_counts),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_the_file_of_the_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
