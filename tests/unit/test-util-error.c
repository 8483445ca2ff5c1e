/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/error.h"

static void
test_code_is_kept(void **state)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, VIR_ERR_NO_DOMAIN, "no domain '%s'", "x");
    assert_string_equal(error->message, "no domain 'x'");
    assert_int_equal(error_code(error), VIR_ERR_NO_DOMAIN);
}

static void
test_foreign_error_is_internal(void **state)
{
    g_autoptr(GError) error = g_error_new_literal(
        g_quark_from_static_string("other"), VIR_ERR_NO_DOMAIN, "x");

    assert_int_equal(error_code(error), VIR_ERR_INTERNAL_ERROR);
    assert_int_equal(error_code(NULL), VIR_ERR_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_is_kept),
        cmocka_unit_test(test_foreign_error_is_internal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
