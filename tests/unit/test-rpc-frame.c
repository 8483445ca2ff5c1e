/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rpc/frame.h"
#include "util/error.h"

static GByteArray *
message(uint32_t type, const char *payload, size_t size)
{
    RpcHeader header = { RPC_PROGRAM_REMOTE, 1, 66, type, 7, RPC_OK };
    GByteArray *frame = rpc_frame_begin(&header);

    g_byte_array_append(frame, (const guint8 *)payload, (guint)size);
    rpc_frame_end(frame);
    return frame;
}

static void
expect(RpcFramer *framer, const char *payload, size_t size)
{
    g_autofree RpcFrame *frame = NULL;

    assert_int_equal(rpc_framer_next(framer, &frame, NULL), RPC_FRAME_READY);
    assert_int_equal(frame->header.program, RPC_PROGRAM_REMOTE);
    assert_int_equal(frame->header.procedure, 66);
    assert_int_equal(frame->header.serial, 7);
    assert_int_equal(frame->size, size);
    assert_memory_equal(frame->payload, payload, size);
}

static void
expect_nothing(RpcFramer *framer)
{
    RpcFrame *frame = NULL;

    assert_int_equal(rpc_framer_next(framer, &frame, NULL), RPC_FRAME_NONE);
}

static void
test_byte_by_byte(void **state)
{
    g_autoptr(GByteArray) wire = message(RPC_CALL, "payload!", 8);
    RpcFramer framer;

    rpc_framer_init(&framer, RPC_MESSAGE_MAX);
    for (guint i = 0; i < wire->len; i++) {
        expect_nothing(&framer);
        rpc_framer_feed(&framer, wire->data + i, 1);
    }
    expect(&framer, "payload!", 8);
    expect_nothing(&framer);
    assert_null(framer.bytes); /* an idle client keeps no memory */
}

static void
test_many_at_once(void **state)
{
    g_autoptr(GByteArray) wire = message(RPC_CALL, "abcd", 4);
    RpcFramer framer;

    rpc_framer_init(&framer, RPC_MESSAGE_MAX);
    for (int i = 0; i < 100; i++)
        rpc_framer_feed(&framer, wire->data, wire->len);
    rpc_framer_feed(&framer, wire->data, 30);
    for (int i = 0; i < 100; i++)
        expect(&framer, "abcd", 4);
    expect_nothing(&framer);
    rpc_framer_feed(&framer, wire->data + 30, wire->len - 30);
    expect(&framer, "abcd", 4);
    rpc_framer_clear(&framer);
}

static void
test_lengths_that_cannot_be(void **state)
{
    static const uint32_t lengths[] = { 0,   1,   4,          27,
                                        129, 130, 0x7fffffff, 0xffffffff };

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GByteArray) wire = message(RPC_CALL, "", 0);
        g_autoptr(GError) error = NULL;
        RpcFrame *frame = NULL;
        RpcFramer framer;

        rpc_framer_init(&framer, 124); /* without the length word */
        rpc_put_u32(wire, 0, lengths[i]);
        rpc_framer_feed(&framer, wire->data, wire->len);
        assert_int_equal(rpc_framer_next(&framer, &frame, &error),
                         RPC_FRAME_BROKEN);
        assert_int_equal(error_code(error), VIR_ERR_RPC);
        assert_null(frame);
        rpc_framer_clear(&framer);
    }
}

static void
test_longest(void **state)
{
    g_autofree char *payload = g_strnfill(100, 'x');
    g_autoptr(GByteArray) wire = message(RPC_CALL, payload, 100);
    RpcFramer framer;

    rpc_framer_init(&framer, 124);
    rpc_framer_feed(&framer, wire->data, wire->len);
    expect(&framer, payload, 100);
    rpc_framer_clear(&framer);
}

static void
test_bytes_of_descriptors_are_skipped(void **state)
{
    g_autoptr(GByteArray) with = message(RPC_CALL_WITH_FDS, "\0\0\0\3rest", 8);
    g_autoptr(GByteArray) plain = message(RPC_CALL, "next", 4);
    RpcFramer framer;

    rpc_framer_init(&framer, RPC_MESSAGE_MAX);
    rpc_framer_feed(&framer, with->data, with->len);
    rpc_framer_feed(&framer, "\0", 1);
    expect(&framer, "rest", 4);
    expect_nothing(&framer);
    rpc_framer_feed(&framer, "\0\0", 2);
    rpc_framer_feed(&framer, plain->data, plain->len);
    expect(&framer, "next", 4);
    rpc_framer_clear(&framer);
}

static void
test_too_many_descriptors(void **state)
{
    static const char *const counts[] = { "\0\0\0\x21", "\xff\xff\xff\xff" };

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GByteArray) wire = message(RPC_CALL_WITH_FDS, counts[i], 4);
        RpcFrame *frame = NULL;
        RpcFramer framer;

        rpc_framer_init(&framer, RPC_MESSAGE_MAX);
        rpc_framer_feed(&framer, wire->data, wire->len);
        assert_int_equal(rpc_framer_next(&framer, &frame, NULL),
                         RPC_FRAME_BROKEN);
        rpc_framer_clear(&framer);
    }
}

static void
test_no_count_of_descriptors(void **state)
{
    g_autoptr(GByteArray) wire = message(RPC_CALL_WITH_FDS, "\0\0", 2);
    RpcFrame *frame = NULL;
    RpcFramer framer;

    rpc_framer_init(&framer, RPC_MESSAGE_MAX);
    rpc_framer_feed(&framer, wire->data, wire->len);
    assert_int_equal(rpc_framer_next(&framer, &frame, NULL), RPC_FRAME_BROKEN);
    rpc_framer_clear(&framer);
}

/* A length that is only announced costs nothing. */
static void
test_memory_follows_the_bytes(void **state)
{
    g_autoptr(GByteArray) wire = message(RPC_CALL, "x", 1);
    RpcFramer framer;

    rpc_framer_init(&framer, RPC_MESSAGE_MAX);
    rpc_put_u32(wire, 0, RPC_MESSAGE_MAX);
    rpc_framer_feed(&framer, wire->data, wire->len);
    expect_nothing(&framer);
    assert_int_equal(framer.bytes->len, wire->len);
    rpc_framer_clear(&framer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_lengths_that_cannot_be),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_bytes_of_descriptors_are_skipped),
        cmocka_unit_test(test_too_many_descriptors),
        cmocka_unit_test(test_no_count_of_descriptors),
        cmocka_unit_test(test_memory_follows_the_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
