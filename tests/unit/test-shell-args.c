/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shell/args.h"
#include "shell/exit.h"

static VshArgs *
bind(const char *text, GError **error)
{
    g_autoptr(GPtrArray) statements = vsh_parse(text, NULL, NULL);

    return vsh_args_bind(statements->pdata[0], error);
}

static void
test_named_and_positional(void **state)
{
    static const char *const texts[] = {
        "domrename old new",
        "domrename --domain old --new-name new",
        "domrename --domain=old --new-name=new",
        "domrename --new-name new old",
        "domrename old --new-name=new",
        "domrename -- old new",
        "'domrename' \"--domain\" old new",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(VshArgs) args = bind(texts[i], NULL);

        assert_non_null(args);
        assert_string_equal(vsh_args_string(args, "domain"), "old");
        assert_string_equal(vsh_args_string(args, "new-name"), "new");
    }
}

static void
test_many(void **state)
{
    g_autoptr(VshArgs) args =
        bind("start a --paused b --domain c -- --console", NULL);
    GPtrArray *domains = vsh_args_strings(args, "domain");

    assert_int_equal(domains->len, 4);
    assert_string_equal(domains->pdata[0], "a");
    assert_string_equal(domains->pdata[2], "c");
    assert_string_equal(domains->pdata[3], "--console");
    assert_true(vsh_args_given(args, "paused"));
    assert_false(vsh_args_given(args, "console"));
}

static void
test_numbers(void **state)
{
    g_autoptr(VshArgs) args = bind("shutdown a --timeout 30", NULL);
    g_autoptr(VshArgs) absent = bind("shutdown a", NULL);

    assert_int_equal(vsh_args_number(args, "timeout", 7), 30);
    assert_int_equal(vsh_args_number(absent, "timeout", 7), 7);
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        const char *hint;
    } cases[] = {
        { "strat x", "unknown command: 'strat'", "did you mean 'start'?" },
        { "list --al", "command 'list' doesn't support option --al",
          "did you mean --all?" },
        { "list --frobnicate",
          "command 'list' doesn't support option --frobnicate",
          "'help list' lists its options" },
        { "list --all=1", "invalid '=' after option --all", NULL },
        { "list --all --all", "option --all already seen", NULL },
        { "domrename a b c", "unexpected data 'c'", NULL },
        { "domrename a", "command 'domrename' requires <new-name> option",
          NULL },
        { "dominfo", "command 'dominfo' requires <domain> option", NULL },
        { "dominfo --domain", "expected syntax: --domain <string>", NULL },
        { "dominfo ''", "the value of option <domain> is empty", NULL },
        { "shutdown a --timeout x",
          "Numeric value 'x' for <timeout> option is malformed or out of "
          "range",
          NULL },
        { "shutdown a --timeout -1",
          "Numeric value '-1' for <timeout> option is malformed or out of "
          "range",
          NULL },
        { "shutdown a --timeout 99999999999",
          "Numeric value '99999999999' for <timeout> option is malformed or "
          "out of range",
          NULL },
        { "setmem a 1.5G",
          "Scaled numeric value '1.5G' for <size> option is malformed or out "
          "of range",
          "a whole number and a unit, such as 512M, 1GiB or 10KB" },
        { "setmem a 18014398509481984", /* 2^64 bytes */
          "Scaled numeric value '18014398509481984' for <size> option is "
          "malformed or out of range",
          NULL },
        { "list --format xml",
          "unknown output format 'xml', expecting 'table' or 'json'", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(bind(cases[i].text, &error));
        assert_string_equal(error->message, cases[i].message);
        assert_int_equal(vsh_error_exit(error), VSH_EXIT_USAGE);
        if (cases[i].hint)
            assert_string_equal(vsh_error_get_hint(error), cases[i].hint);
    }
}

static void
test_help_needs_nothing_else(void **state)
{
    g_autoptr(VshArgs) args = bind("domrename --help", NULL);

    assert_non_null(args);
    assert_true(vsh_args_given(args, "help"));
}

static void
test_exclusive(void **state)
{
    static const char *const names[] = { "nvram", "keep-nvram", NULL };
    g_autoptr(VshArgs) both = bind("undefine x --nvram --keep-nvram", NULL);
    g_autoptr(VshArgs) one = bind("undefine x --nvram", NULL);
    g_autoptr(GError) error = NULL;

    assert_true(vsh_args_exclusive(one, names, NULL));
    assert_false(vsh_args_exclusive(both, names, &error));
    assert_string_equal(
        error->message,
        "Options --nvram and --keep-nvram are mutually exclusive");
}

static void
test_bits(void **state)
{
    static const VshFlagBits map[] = {
        { "nvram", 1 }, { "tpm", 4 }, { "keep-tpm", 8 }, { NULL }
    };
    g_autoptr(VshArgs) args = bind("undefine x --nvram --tpm", NULL);

    assert_int_equal(vsh_args_bits(args, map), 5);
}

static void
test_sizes(void **state)
{
    static const struct {
        const char *text;
        guint64 bytes;
    } cases[] = {
        { "setmem a 1", 1024 }, /* the option's own unit */
        { "setmem a 512M", 512 << 20 },
        { "setmem a --size=1GiB", 1 << 30 },
        { "setmem --size 10kb a", 10000 },
        { "setmem a 4096b", 4096 },
        { "blkdeviotune a vda --total-bytes-sec 7", 7 },
        { "blkdeviotune a vda --total_bytes_sec=7k", 7168 },
    };
    g_autoptr(VshArgs) absent = bind("blkdeviotune a vda", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VshArgs) args = bind(cases[i].text, NULL);
        bool memory = vsh_args_has(args, "size");

        assert_int_equal(
            vsh_args_size(args, memory ? "size" : "total-bytes-sec", 0),
            cases[i].bytes);
    }
    assert_int_equal(vsh_args_size(absent, "total-bytes-sec", 3), 3);
    assert_false(vsh_args_has(absent, "size"));
}

static void
test_partial(void **state)
{
    static const struct {
        const char *text;
        const char *pending;
        const char *next;
    } cases[] = {
        { "domrename", NULL, "domain" },
        { "domrename a", NULL, "new-name" },
        { "domrename a b", NULL, NULL },
        { "domrename --new-name", "new-name", "domain" },
        { "list --all", NULL, NULL },
        { "start a", NULL, "domain" },
        { "list --nonsense --format", "format", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) statements = vsh_parse(cases[i].text, NULL, NULL);
        const VshOption *pending = NULL;
        g_autoptr(VshArgs) args =
            vsh_args_bind_partial(statements->pdata[0], &pending);
        const VshOption *next = vsh_args_next(args);

        assert_int_equal(pending != NULL, cases[i].pending != NULL);
        if (pending)
            assert_string_equal(pending->name, cases[i].pending);
        assert_int_equal(next != NULL, cases[i].next != NULL);
        if (next)
            assert_string_equal(next->name, cases[i].next);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_and_positional),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_help_needs_nothing_else),
        cmocka_unit_test(test_exclusive),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_partial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
