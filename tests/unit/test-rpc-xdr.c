/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <virtkvm/driver.h>

#include "rpc/xdr.h"
#include "util/error.h"

typedef struct Inner {
    char *name;
    unsigned char uuid[VIR_UUID_BUFLEN];
} Inner;

typedef struct Outer {
    unsigned char tiny;
    uint16_t small;
    int32_t number;
    uint64_t wide;
    char *text;
    char *maybe;
    RpcList bytes;
    unsigned char chars[3];
    Inner inner;
    Inner *other;
    RpcList list;
    RpcList parameters;
} Outer;

#define LIST_MAX  5
#define BYTES_MAX 9

static const RpcField inner_fields[] = {
    { "name", RPC_STRING, offsetof(Inner, name) },
    { "uuid", RPC_UUID, offsetof(Inner, uuid) },
};
static const RpcMessage inner = { "inner", sizeof(Inner), inner_fields,
                                  G_N_ELEMENTS(inner_fields) };
static const RpcField outer_fields[] = {
    { "tiny", RPC_CHAR, offsetof(Outer, tiny) },
    { "small", RPC_SHORT, offsetof(Outer, small) },
    { "number", RPC_INT, offsetof(Outer, number) },
    { "wide", RPC_HYPER, offsetof(Outer, wide) },
    { "text", RPC_STRING, offsetof(Outer, text) },
    { "maybe", RPC_OPTIONAL_STRING, offsetof(Outer, maybe) },
    { "bytes", RPC_OPAQUE, offsetof(Outer, bytes), BYTES_MAX },
    { "chars", RPC_CHARS, offsetof(Outer, chars), 3 },
    { "inner", RPC_STRUCT, offsetof(Outer, inner), 0, &inner },
    { "other", RPC_OPTIONAL_STRUCT, offsetof(Outer, other), 0, &inner },
    { "list", RPC_LIST, offsetof(Outer, list), LIST_MAX, &inner },
    { "parameters", RPC_TYPED_PARAMETERS, offsetof(Outer, parameters),
      LIST_MAX },
};
static const RpcMessage outer = { "outer", sizeof(Outer), outer_fields,
                                  G_N_ELEMENTS(outer_fields) };

/* All there is, filled. */
static Outer *
sample(void)
{
    Outer *data = g_new0(Outer, 1);
    Inner *items = g_new0(Inner, 2);
    virTypedParameter *parameters = g_new0(virTypedParameter, 5);

    data->tiny = 7;
    data->small = 65535;
    data->number = -2;
    data->wide = UINT64_C(0x0102030405060708);
    data->text = g_strdup("five!");
    data->maybe = g_strdup("");
    data->bytes = (RpcList){ g_memdup2("\0\1\2", 3), 3 };
    memcpy(data->chars, "abc", 3);
    data->inner.name = g_strdup("in");
    memset(data->inner.uuid, 0xee, VIR_UUID_BUFLEN);
    data->other = g_new0(Inner, 1);
    data->other->name = g_strdup("other");
    items[0].name = g_strdup("first");
    items[1].name = g_strdup("second");
    data->list = (RpcList){ items, 2 };
    strcpy(parameters[0].field, "int");
    parameters[0].type = VIR_TYPED_PARAM_INT;
    parameters[0].value.i = -1;
    strcpy(parameters[1].field, "ull");
    parameters[1].type = VIR_TYPED_PARAM_ULLONG;
    parameters[1].value.ul = UINT64_MAX;
    strcpy(parameters[2].field, "double");
    parameters[2].type = VIR_TYPED_PARAM_DOUBLE;
    parameters[2].value.d = 0.5;
    strcpy(parameters[3].field, "bool");
    parameters[3].type = VIR_TYPED_PARAM_BOOLEAN;
    parameters[3].value.b = 1;
    strcpy(parameters[4].field, "string");
    parameters[4].type = VIR_TYPED_PARAM_STRING;
    parameters[4].value.s = g_strdup("text");
    data->parameters = (RpcList){ parameters, 5 };
    return data;
}

static void
drop(Outer *data)
{
    rpc_message_clear(&outer, data);
    g_free(data);
}

static GByteArray *
encode(const Outer *data)
{
    g_autoptr(GError) error = NULL;
    GByteArray *wire = g_byte_array_new();

    assert_true(rpc_message_encode(wire, &outer, data, &error));
    assert_null(error);
    return wire;
}

static bool
decode(const uint8_t *wire, size_t size, Outer *ret, GError **error)
{
    RpcReader reader = { wire, size, 0 };

    memset(ret, 0, sizeof(*ret));
    return rpc_message_decode(&reader, &outer, ret, error);
}

static void
test_there_and_back(void **state)
{
    Outer *data = sample();
    g_autoptr(GByteArray) wire = encode(data);
    g_autoptr(GByteArray) again = NULL;
    Outer back;

    assert_true(decode(wire->data, wire->len, &back, NULL));
    assert_int_equal(back.tiny, 7);
    assert_int_equal(back.number, -2);
    assert_string_equal(back.maybe, "");
    assert_string_equal(((Inner *)back.list.items)[1].name, "second");
    assert_true(((virTypedParameter *)back.parameters.items)[2].value.d == 0.5);
    again = encode(&back);
    assert_int_equal(again->len, wire->len);
    assert_memory_equal(again->data, wire->data, wire->len);
    rpc_message_clear(&outer, &back);
    drop(data);
}

static void
test_bytes_on_the_wire(void **state)
{
    static const uint8_t expected[] = {
        0, 0, 0, 3, 'a', 'b', 'c', 0, /* padded to four */
        1, 2, 3, 4, 5,   6,   7,   8, 9, 10, 11, 12, 13, 14, 15, 16,
    };
    char name[] = "abc";
    Inner data = { name,
                   { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
    g_autoptr(GByteArray) wire = g_byte_array_new();

    assert_true(rpc_message_encode(wire, &inner, &data, NULL));
    assert_int_equal(wire->len, sizeof(expected));
    assert_memory_equal(wire->data, expected, sizeof(expected));
}

/* Every cut is refused, and nothing of what had been read is lost (ASan). */
static void
test_every_cut(void **state)
{
    Outer *data = sample();
    g_autoptr(GByteArray) wire = encode(data);
    Outer back;

    for (guint size = 0; size < wire->len; size++) {
        g_autoptr(GError) error = NULL;
        g_autofree uint8_t *copy = g_memdup2(wire->data, size);

        assert_false(decode(copy, size, &back, &error));
        assert_int_equal(error_code(error), VIR_ERR_RPC);
        assert_null(back.text); /* cleared */
    }
    drop(data);
}

/* Whatever four bytes are changed: an answer, and no harm. */
static void
test_every_word_changed(void **state)
{
    static const uint32_t words[] = { 0,          1,          2,
                                      0x7fffffff, 0x80000000, 0xffffffff };
    Outer *data = sample();
    g_autoptr(GByteArray) wire = encode(data);
    Outer back;

    for (guint at = 0; at + 4 <= wire->len; at += 4) {
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
            g_autoptr(GByteArray) changed = g_byte_array_new();

            g_byte_array_append(changed, wire->data, wire->len);
            rpc_put_u32(changed, at, words[i]);
            if (decode(changed->data, changed->len, &back, NULL))
                rpc_message_clear(&outer, &back);
        }
    }
    drop(data);
}

static void
test_lenient_flags(void **state)
{
    static const uint8_t wire[] = { 1, 0, 0, 0, 0, 0, 0, 1, 'x', 0, 0, 0 };
    static const RpcField field = { "maybe", RPC_OPTIONAL_STRING, 0 };
    static const RpcMessage message = { "m", sizeof(char *), &field, 1 };
    RpcReader reader = { wire, sizeof(wire), 0 };
    char *text = NULL;

    assert_true(rpc_message_decode(&reader, &message, &text, NULL));
    assert_string_equal(text, "x");
    g_free(text);
}

static void
test_rest_is_left(void **state)
{
    static const uint8_t wire[] = { 0, 0, 0, 5, 9, 9 };
    static const RpcField field = { "number", RPC_INT, 0 };
    static const RpcMessage message = { "m", sizeof(int32_t), &field, 1 };
    RpcReader reader = { wire, sizeof(wire), 0 };
    int32_t number = 0;

    assert_true(rpc_message_decode(&reader, &message, &number, NULL));
    assert_int_equal(number, 5);
    assert_int_equal(reader.offset, 4);
    assert_true(rpc_message_decode(&reader, NULL, NULL, NULL));
}

static void
test_too_much_is_not_encoded(void **state)
{
    Outer *data = sample();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    data->bytes.count = BYTES_MAX + 1; /* looked at, not read */
    assert_false(rpc_message_encode(wire, &outer, data, &error));
    assert_int_equal(error_code(error), VIR_ERR_RPC);
    assert_non_null(strstr(error->message, "'bytes'"));
    data->bytes.count = 3;
    data->list.count = LIST_MAX + 1;
    assert_false(rpc_message_encode(wire, &outer, data, NULL));
    data->list.count = 2;
    g_free(data->text);
    data->text = g_strnfill(RPC_STRING_MAX + 1, 'x');
    assert_false(rpc_message_encode(wire, &outer, data, NULL));
    g_clear_pointer(&data->text, g_free);
    assert_false(rpc_message_encode(wire, &outer, data, NULL));
    drop(data);
}

static void
test_message_has_a_limit(void **state)
{
    static const RpcField text = { "text", RPC_STRING, 0 };
    static const RpcMessage item = { "item", sizeof(char *), &text, 1 };
    static const RpcField list = { "list", RPC_LIST, 0, 100, &item };
    static const RpcMessage message = { "m", sizeof(RpcList), &list, 1 };
    g_autofree char *large = g_strnfill(RPC_STRING_MAX, 'x');
    char *items[100];
    RpcList data = { items, G_N_ELEMENTS(items) };
    g_autoptr(GByteArray) wire = g_byte_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(items); i++)
        items[i] = large;
    assert_false(rpc_message_encode(wire, &message, &data, NULL));
    assert_true(wire->len <= RPC_MESSAGE_MAX + RPC_STRING_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_bytes_on_the_wire),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_every_word_changed),
        cmocka_unit_test(test_lenient_flags),
        cmocka_unit_test(test_rest_is_left),
        cmocka_unit_test(test_too_much_is_not_encoded),
        cmocka_unit_test(test_message_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
