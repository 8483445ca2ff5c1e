/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "conf/inet.h"

static ConfInet
address(const char *text)
{
    ConfInet result = { 0 };

    assert_true(conf_inet_parse(text, &result));
    return result;
}

static void
test_addresses(void **state)
{
    static const char *const wrong[] = {
        "",          "1.2.3",        "1.2.3.4.5",
        "256.1.1.1", "host.example", "fe80::1%eth0",
        ":::",       "1.2.3.4 ",     "192.168.1.0/24"
    };
    g_autofree char *normal = NULL;
    ConfInet result = address("FE80:0:0::0001");

    assert_int_equal(result.family, AF_INET6);
    normal = conf_inet_format(&result);
    assert_string_equal(normal, "fe80::1");
    assert_int_equal(address("10.0.0.1").family, AF_INET);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_false(conf_inet_parse(wrong[i], &result));
}

static void
test_masks(void **state)
{
    ConfInet first = address("192.168.122.77"), second, six;
    g_autofree char *broadcast = NULL;

    second = first;
    conf_inet_mask(&second, 24, true);
    broadcast = conf_inet_format(&second);
    assert_string_equal(broadcast, "192.168.122.255");
    assert_true(conf_inet_within(&first, &second, 24));
    assert_false(conf_inet_within(&first, &second, 25));
    assert_true(conf_inet_compare(&first, &second) < 0);
    six = address("fd00::1");
    assert_false(conf_inet_within(&first, &six, 0));
    second = address("fd00::8000:0:0:1");
    assert_true(conf_inet_within(&six, &second, 64));
    assert_false(conf_inet_within(&six, &second, 65));
}

static void
test_netmasks(void **state)
{
    static const struct {
        const char *netmask;
        int prefix;
    } cases[] = {
        { "0.0.0.0", 0 },          { "255.255.255.0", 24 },
        { "255.255.255.252", 30 }, { "255.255.255.255", 32 },
        { "255.0.255.0", -1 },     { "0.0.0.255", -1 },
        { "ffff:ffff::", 32 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ConfInet netmask = address(cases[i].netmask);

        assert_int_equal(conf_inet_netmask_prefix(&netmask), cases[i].prefix);
    }
}

static void
test_hardware_addresses(void **state)
{
    static const char *const wrong[] = {
        "",
        "52:54:00:12:34",
        "52:54:00:12:34:56:78",
        "52:54:00:12:34:5g",
        "52-54-00-12-34-56",
        "52:54:00:12:34:567",
        ":54:00:12:34:56",
        "525400123456",
    };
    g_autofree char *text = NULL, *one = NULL, *other = NULL;
    uint8_t mac[6];

    assert_true(conf_mac_parse("52:54:0:AB:34:5", mac));
    text = conf_mac_format(mac);
    assert_string_equal(text, "52:54:00:ab:34:05");
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_false(conf_mac_parse(wrong[i], mac));
    one = conf_mac_generate();
    other = conf_mac_generate();
    assert_true(g_str_has_prefix(one, "52:54:00:"));
    assert_true(conf_mac_parse(one, mac));
    assert_string_not_equal(one, other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_netmasks),
        cmocka_unit_test(test_hardware_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
