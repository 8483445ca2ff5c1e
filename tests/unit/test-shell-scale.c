/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>

#include "shell/scale.h"

static void
test_parse(void **state)
{
    static const struct {
        const char *text;
        uint64_t unit;
        uint64_t bytes;
    } cases[] = {
        { "0", 1024, 0 },
        { "5", 1, 5 },
        { "5", 1024, 5120 },
        { "010", 1, 10 },
        { "5b", 1024, 5 },
        { "5B", 1024, 5 },
        { "5byte", 1024, 5 },
        { "5Bytes", 1024, 5 },
        { "5k", 1, 5 << 10 },
        { "5KiB", 1, 5 << 10 },
        { "5kb", 1, 5000 },
        { "5M", 1, 5 << 20 },
        { "5mib", 1, 5 << 20 },
        { "5MB", 1, 5000000 },
        { "5G", 1, UINT64_C(5) << 30 },
        { "5T", 1, UINT64_C(5) << 40 },
        { "5PiB", 1, UINT64_C(5) << 50 },
        { "5E", 1, UINT64_C(5) << 60 },
        { "15EiB", 1, UINT64_C(15) << 60 },
        { "18446744073709551615", 1, UINT64_MAX },
        { "18014398509481983", 1024, UINT64_MAX - 1023 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t bytes = 77;

        assert_true(vsh_scale_parse(cases[i].text, cases[i].unit, &bytes));
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void
test_refusals(void **state)
{
    static const char *const texts[] = {
        "",
        " 5",
        "-5",
        "+5",
        "x",
        "M",
        "5 M",
        "1.5G",
        "5Z",
        "5kx",
        "5kibi",
        "0x10",
        "5bytes ",
        "5kiBs",
        "16E",
        "20EB",
        "18446744073709551616",
        "99999999999999999999",
    };
    uint64_t bytes = 77;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (vsh_scale_parse(texts[i], 1, &bytes))
            fail_msg("'%s' is taken", texts[i]);
    /* what fits only without its unit */
    assert_false(vsh_scale_parse("18014398509481984", 1024, &bytes));
    assert_int_equal(bytes, 77);
}

static void
test_text(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        { 0, "0.000 B" },
        { 1023, "1023.000 B" },
        { 1024, "1.000 KiB" },
        { 1536 << 10, "1.500 MiB" },
        { UINT64_C(1099506450432), "1023.995 GiB" },
        { UINT64_MAX, "16.000 EiB" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = vsh_scale_text(cases[i].bytes);

        assert_string_equal(text, cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
