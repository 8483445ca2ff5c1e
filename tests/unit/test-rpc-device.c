/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rpc/params.h"
#include "rpc/procedure.h"
#include "util/error.h"

/* --- what stands on the wire -------------------------------------------------
 */

/* The layout of a message as text: i u32, h u64, s string, o optional string,
 * u uuid, p<N> parameters, b<N> bytes, [...]<N> list. */
static void
append_layout(GString *text, const RpcMessage *type)
{
    static const char letters[] = {
        [RPC_INT] = 'i',
        [RPC_HYPER] = 'h',
        [RPC_STRING] = 's',
        [RPC_UUID] = 'u',
        [RPC_OPTIONAL_STRING] = 'o',
        [RPC_OPAQUE] = 'b',
        [RPC_STRUCT] = 'S',
        [RPC_TYPED_PARAMETERS] = 'p',
    };

    for (size_t i = 0; type && i < type->count; i++) {
        const RpcField *field = &type->fields[i];

        if (field->kind == RPC_STRUCT) {
            append_layout(text, field->type);
            continue;
        }
        if (field->kind == RPC_LIST) {
            g_string_append_c(text, '[');
            append_layout(text, field->type);
            g_string_append_c(text, ']');
        } else {
            g_string_append_c(text, letters[field->kind]);
        }
        if (field->max)
            g_string_append_printf(text, "%u", field->max);
    }
}

#define DOM "sui"
#define NET "su"

/* From libvirt 9.0.0's remote_protocol.x. */
static const struct {
    int number;
    const char *args;
    const char *ret;
} layouts[] = {
    { 8, DOM "s", "" },
    { 160, DOM "si", "" },
    { 13, DOM "s", "" },
    { 161, DOM "si", "" },
    { 392, DOM "si", "" },
    { 174, DOM "si", "" },
    { 64, DOM "s", "hhhhh" },
    { 243, DOM "sii", "p16i" },
    { 194, DOM "si", "hhh" },
    { 251, DOM "shi", "" },
    { 252, DOM "sp32i", "" },
    { 253, DOM "oii", "p32i" },
    { 263, DOM "ii", "[si]256i" },
    { 103, DOM "shii", "b4194304" },
    { 65, DOM "s", "hhhhhhhh" },
    { 353, DOM "ii", "[so[isi]2048]2048" },
    { 256, DOM "sp16i", "" },
    { 257, DOM "sii", "p16i" },
    { 159, DOM "ii", "[ih]1024" },
    { 31, DOM "h", "" },
    { 204, DOM "hi", "" },
    { 30, DOM "h", "" },
    { 308, DOM "ii", "" },
    { 262, DOM "iiii", "p2048i" },
    { 351, DOM "i", "[ib2048]16384i" },
    { 296, DOM "oi", "" },
    { 36, "i", "[s]16384" },
    { 38, "i", "[s]16384" },
    { 39, NET, "" },
    { 40, "s", NET },
    { 41, "s", NET },
    { 43, NET "i", "s" },
    { 44, NET, "i" },
    { 45, NET, "s" },
    { 46, "s", NET },
    { 47, "u", NET },
    { 48, NET "i", "" },
    { 152, NET, "i" },
    { 283, "ii", "[" NET "]16384i" },
    { 291, NET "iiisi", "" },
    { 341, NET "oii", "[shioosioo]65536i" },
    { 405, NET "u", "" },
    { 432, "si", NET },
    { 437, "si", NET },
};

static void
test_layouts(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        const RpcProcedure *row = rpc_procedure_find(layouts[i].number);
        GString *args = g_string_new(NULL), *ret = g_string_new(NULL);

        append_layout(args, row->args);
        append_layout(ret, row->ret);
        assert_non_null(row->handler);
        assert_string_equal(args->str, layouts[i].args);
        assert_string_equal(ret->str, layouts[i].ret);
        g_string_free(args, TRUE);
        g_string_free(ret, TRUE);
    }
}

/* --- answers with parameters -------------------------------------------------
 */

static VirtkvmParams
three(void)
{
    VirtkvmParams params = { g_new0(virTypedParameter, 3), 3 };

    for (int i = 0; i < 3; i++) {
        params.items[i].type = VIR_TYPED_PARAM_INT;
        params.items[i].value.i = i;
    }
    params.items[1].type = VIR_TYPED_PARAM_STRING;
    params.items[1].value.s = g_strdup("text");
    return params;
}

static RpcParams
answer(int64_t wanted, unsigned flags)
{
    VirtkvmParams params = three();
    RpcParams ret = { 0 };

    rpc_params_answer(&params, wanted, flags, &ret);
    assert_null(params.items);
    return ret;
}

static void
test_params(void **state)
{
    static const struct {
        int64_t wanted;
        unsigned flags;
        size_t count;
        int nparams;
        int last; /* type of the last one */
    } cases[] = {
        { 0, 0, 0, 2, 0 },
        { 0, VIR_TYPED_PARAM_STRING_OKAY, 0, 3, 0 },
        { 16, 0, 2, 2, VIR_TYPED_PARAM_INT },
        { 16, VIR_TYPED_PARAM_STRING_OKAY, 3, 3, VIR_TYPED_PARAM_INT },
        { 2, VIR_TYPED_PARAM_STRING_OKAY, 2, 2, VIR_TYPED_PARAM_STRING },
        { 1, 0, 1, 1, VIR_TYPED_PARAM_INT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        RpcParams ret = answer(cases[i].wanted, cases[i].flags);

        assert_int_equal(ret.params.count, cases[i].count);
        assert_int_equal(ret.nparams, cases[i].nparams);
        if (ret.params.count)
            assert_int_equal(ret.params.items[ret.params.count - 1].type,
                             cases[i].last);
        rpc_message_clear(&rpc_block_tune, &ret);
    }
}

static void
test_params_bounds(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_true(rpc_params_check(0, 16, NULL));
    assert_true(rpc_params_check(16, 16, NULL));
    assert_false(rpc_params_check(-1, 16, NULL));
    assert_false(rpc_params_check(17, 16, &error));
    assert_int_equal(error_code(error), VIR_ERR_RPC);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_params_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
