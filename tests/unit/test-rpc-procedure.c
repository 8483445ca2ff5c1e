/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <string.h>

#include "rpc/message.h"
#include "rpc/procedure.h"

#define HIGHEST 443

static void
test_list_is_whole(void **state)
{
    /* of libvirt 9.0.0: 443 numbers, 51 of them messages of the server */
    unsigned calls = 0;

    assert_int_equal(rpc_procedure_count(), HIGHEST + 1);
    for (int number = 0; number <= HIGHEST; number++)
        calls += rpc_procedure_find(number) != NULL;
    assert_int_equal(calls, 392);
    assert_null(rpc_procedure_find(0));
    assert_null(rpc_procedure_find(-1));
    assert_null(rpc_procedure_find(HIGHEST + 1));
    assert_null(rpc_procedure_find(INT32_MIN));
    assert_null(rpc_procedure_find(INT32_MAX));
}

static void
test_rows_are_sound(void **state)
{
    for (int number = 1; number <= HIGHEST; number++) {
        const RpcProcedure *procedure = rpc_procedure_find(number);

        if (!procedure)
            continue;
        assert_non_null(procedure->access);
        assert_true(procedure->access[0] != '\0');
        if (!procedure->handler) {
            assert_null(procedure->args);
            assert_null(procedure->ret);
        }
    }
}

/* Procedures that no function of the library is named after. */
static const int nameless[] = { 66, 67, 68, 69, 70, 316, 317 };

static bool
is_nameless(int number)
{
    for (size_t i = 0; i < G_N_ELEMENTS(nameless); i++) {
        if (nameless[i] == number)
            return true;
    }
    return false;
}

/* The functions that errors name are those of the client library. */
static void
test_functions_exist(void **state)
{
    void *library = dlopen("libvirt.so.0", RTLD_NOW);
    unsigned unknown = 0;

    if (!library) {
        print_message("# libvirt's client library is not there\n");
        return;
    }
    for (int number = 1; number <= HIGHEST; number++) {
        const RpcProcedure *procedure = rpc_procedure_find(number);
        g_autofree char *function =
            procedure ? rpc_procedure_function(procedure) : NULL;

        if (!function || is_nameless(number) || dlsym(library, function))
            continue;
        print_message("# %d %s\n", number, function);
        unknown++;
    }
    assert_int_equal(unknown, 0);
}

static void
test_changes(void **state)
{
    static const int changes[] = { 9, 10, 11, 12, 58, 145, 201, 342, 419 };
    static const int questions[] = { 1, 2, 14, 22, 37, 66, 121, 316, 344 };

    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        assert_true(rpc_procedure_is_change(rpc_procedure_find(changes[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++)
        assert_false(rpc_procedure_is_change(rpc_procedure_find(questions[i])));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_is_whole),
        cmocka_unit_test(test_rows_are_sound),
        cmocka_unit_test(test_functions_exist),
        cmocka_unit_test(test_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
