/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "rpc/error.h"
#include "util/error.h"

/* The library of libvirt's clients, found at run time: what it calls things is
 * what they must be called here. */
static void *
libvirt(void)
{
    return dlopen("libvirt.so.0", RTLD_NOW);
}

/* libvirt's own table of texts; of the version this was written for only. */
static void
test_texts_are_libvirts(void **state)
{
    const char *(*text_of)(int code, const char *detail);
    void *symbol =
        libvirt() ? dlvsym(libvirt(), "virErrorMsg", "LIBVIRT_PRIVATE_9.0.0")
                  : NULL;

    if (!symbol) {
        print_message("# this is not libvirt 9.0.0: its texts are unknown\n");
        return;
    }
    *(void **)&text_of = symbol;
    for (int code = 1; code <= VIR_ERR_MULTIPLE_DOMAINS; code++) {
        g_autofree char *alone = rpc_error_text((virErrorNumber)code, NULL);
        g_autofree char *detailed = rpc_error_text((virErrorNumber)code, "%s");

        assert_string_equal(alone, text_of(code, NULL));
        assert_string_equal(detailed, text_of(code, "detail"));
    }
}

static void
test_nothing_is_said_twice(void **state)
{
    g_autofree char *text =
        rpc_error_text(VIR_ERR_NO_NAME, "missing name information");

    assert_string_equal(text, "missing name information");
}

static void
test_detail(void **state)
{
    g_autofree char *text = rpc_error_text(VIR_ERR_DOM_EXIST, "100%s%n");

    assert_string_equal(text, "domain 100%s%n exists already");
}

static void
test_unknown_code(void **state)
{
    g_autofree char *text = rpc_error_text((virErrorNumber)9999, "x");

    assert_string_equal(text, "internal error: x");
    text = (g_free(text), rpc_error_text((virErrorNumber)-1, "x"));
    assert_string_equal(text, "internal error: x");
}

static void
test_domains(void **state)
{
    assert_int_equal(rpc_error_domain(VIR_ERR_RPC), VIR_FROM_RPC);
    assert_int_equal(rpc_error_domain(VIR_ERR_NO_NETWORK), VIR_FROM_NETWORK);
    assert_int_equal(rpc_error_domain(VIR_ERR_OPERATION_INVALID),
                     VIR_FROM_QEMU);
}

static char *
take_string(RpcReader *reader)
{
    uint32_t present = 0, size = 0;
    char *text;

    assert_true(rpc_read_u32(reader, &present) && present);
    assert_true(rpc_read_u32(reader, &size));
    text = g_strndup((const char *)reader->data + reader->offset, size);
    reader->offset += (size + 3) / 4 * 4;
    return text;
}

static uint32_t
take_word(RpcReader *reader)
{
    uint32_t word = 0;

    assert_true(rpc_read_u32(reader, &word));
    return word;
}

static void
test_wire(void **state)
{
    RpcHeader header = { RPC_PROGRAM_REMOTE, 1, 34, RPC_REPLY, 5, RPC_OK };
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) frame = NULL;
    g_autofree char *message = NULL, *str1 = NULL, *str2 = NULL;
    RpcReader reader;

    error_set(&error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    frame = rpc_error_frame(&header, error);
    reader = (RpcReader){ frame->data, frame->len, 24 };
    assert_int_equal(take_word(&reader), RPC_ERROR);
    assert_int_equal(take_word(&reader), VIR_ERR_OPERATION_INVALID);
    assert_int_equal(take_word(&reader), VIR_FROM_QEMU);
    message = take_string(&reader);
    assert_string_equal(
        message, "Requested operation is not valid: domain is not running");
    assert_int_equal(take_word(&reader), VIR_ERR_ERROR);
    assert_int_equal(take_word(&reader), 0); /* no domain */
    str1 = take_string(&reader);
    assert_string_equal(str1, "Requested operation is not valid: %s");
    str2 = take_string(&reader);
    assert_string_equal(str2, "domain is not running");
    assert_int_equal(take_word(&reader), 0);
    assert_int_equal(take_word(&reader), 0xffffffff);
    assert_int_equal(take_word(&reader), 0xffffffff);
    assert_int_equal(take_word(&reader), 0); /* no network */
    assert_int_equal(reader.offset, frame->len);
}

/* Bytes of a guest or a file in a message: clients want UTF-8. */
static void
test_foreign_bytes(void **state)
{
    RpcHeader header = { 0 };
    g_autofree char *long_text = g_strnfill(10 * 1024 * 1024, 'x');
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) frame = NULL;

    error_set(&error, VIR_ERR_INTERNAL_ERROR, "\xff\xfe%s", long_text);
    frame = rpc_error_frame(&header, error);
    assert_non_null(frame);
    assert_true(frame->len < 1024 * 1024);
    assert_null(memchr(frame->data + RPC_HEADER_SIZE + 32, 0xfe, 20));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_said_twice),
        cmocka_unit_test(test_texts_are_libvirts),
        cmocka_unit_test(test_detail),
        cmocka_unit_test(test_unknown_code),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_wire),
        cmocka_unit_test(test_foreign_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
