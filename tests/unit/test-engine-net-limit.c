/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net-fixture.h"

/* Network interfaces: limits, and the control socket's commands. */

/* --- bandwidth ------------------------------------------------------------ */
#define KIB_A_SECOND 400

static void
offer_many(Fixture *f, unsigned count, size_t size)
{
    for (unsigned i = 0; i < count; i++) {
        make_frame(f, size, i);
        guest_net_offer_frame(&f->guest, 0, &plain, f->frame, size);
    }
    guest_virtio_kick(&f->guest.virtio, 1);
}

/* 60 frames of 1024 bytes at 400 KiB a second: 20 KiB at once at most, the
 * bucket's slack, then 100 ms. */
static void
test_outbound(void **state)
{
    Fixture *f = *state;
    const EngineNetBandwidth limit = { .outbound = { .average_kib =
                                                         KIB_A_SECOND } };
    gint64 begun;

    guest_net_start(&f->guest, EVENT, 1);
    engine_virtio_net_set_bandwidth(f->guest.net, &limit);
    begun = g_get_monotonic_time();
    offer_many(f, 60, 1024);
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(peer_receive(f, 5000), 1024);
    assert_true(g_get_monotonic_time() - begun > 90000);
    assert_true(g_get_monotonic_time() - begun < 2000000);
    assert_int_equal(info(f).sent.dropped, 0);
}

static void
test_inbound(void **state)
{
    Fixture *f = *state;
    const EngineNetBandwidth limit = { .inbound = { .average_kib =
                                                        KIB_A_SECOND } };
    gint64 begun;

    guest_net_start(&f->guest, F(MRG_RXBUF) | EVENT, 1);
    guest_net_post(&f->guest, 0, 100);
    engine_virtio_net_set_bandwidth(f->guest.net, &limit);
    begun = g_get_monotonic_time();
    for (unsigned i = 0; i < 60; i++) {
        make_frame(f, 1024, i);
        peer_send(f, f->frame, 1024);
    }
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 1024);
    assert_true(g_get_monotonic_time() - begun > 90000);
    assert_true(g_get_monotonic_time() - begun < 2000000);
    assert_int_equal(info(f).received.dropped, 0);
}

/* A limit under which nothing moves for minutes is lifted: all goes at once. */
static void
test_live_change(void **state)
{
    Fixture *f = *state;
    const EngineNetBandwidth limit = { .inbound = { .average_kib = 1 },
                                       .outbound = { .average_kib = 1 } };

    guest_net_start(&f->guest, F(MRG_RXBUF) | EVENT, 1);
    guest_net_post(&f->guest, 0, 100);
    engine_virtio_net_set_bandwidth(f->guest.net, &limit);
    offer_many(f, 60, 1400);
    for (unsigned i = 0; i < 60; i++)
        peer_send(f, f->frame, 1400);
    for (unsigned i = 0; i < 1; i++) {
        assert_int_equal(peer_receive(f, 5000), 1400);
        assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 1400);
    }
    assert_false(peer_readable(f, SHORT_US / 1000));
    assert_int_equal(guest_receives(f, SHORT_US), 0);
    engine_virtio_net_set_bandwidth(f->guest.net, &(EngineNetBandwidth){ 0 });
    for (unsigned i = 1; i < 60; i++) {
        assert_int_equal(peer_receive(f, 5000), 1400);
        assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 1400);
    }
}

/* --- the control socket's commands ---------------------------------------- */
/* Returns: what stands under "return", or NULL if it was refused */
static json_t *
ask(Fixture *f, const char *line)
{
    g_auto(EngineControlCall) call = { 0 };
    EngineReader reader = { 0 };

    if (!engine_control_parse(line, strlen(line), &reader, &call, NULL))
        return NULL;
    return call.command->run(f->guest.engine, call.arguments, NULL);
}

static json_int_t
number(json_t *answer, const char *name)
{
    return json_integer_value(json_object_get(json_array_get(answer, 0), name));
}

#define SET_LINK(ID, UP) \
    "{\"execute\":\"set_link\",\"arguments\":{\"id\":\"" ID "\",\"up\":" UP "}}"
#define SET_BANDWIDTH(ID, WHAT)                                      \
    "{\"execute\":\"net_set_bandwidth\",\"arguments\":{\"id\":\"" ID \
    "\",\"bandwidth\":" WHAT "}}"

static void
test_control(void **state)
{
    Fixture *f = *state;
    json_t *answer;

    guest_net_start(&f->guest, 0, 1);
    guest_net_post(&f->guest, 0, 4);
    check_sends(f, 100, 1);
    check_receives(f, 200, 1);
    answer = ask(f, SET_LINK("net0", "false"));
    assert_non_null(answer);
    json_decref(answer);
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, 100));
    answer = ask(f, "{\"execute\":\"query-net\"}");
    assert_int_equal(json_array_size(answer), 1);
    assert_true(
        json_is_false(json_object_get(json_array_get(answer, 0), "link")));
    assert_int_equal(number(answer, "tx_bytes"), 100);
    assert_int_equal(number(answer, "tx_packets"), 1);
    assert_int_equal(number(answer, "tx_dropped"), 1);
    assert_int_equal(number(answer, "rx_bytes"), 200);
    assert_int_equal(number(answer, "rx_packets"), 1);
    assert_int_equal(number(answer, "rx_errors"), 0);
    json_decref(answer);
    answer = ask(f, SET_BANDWIDTH("net0", "{\"outbound\":{\"average\":7}}"));
    assert_non_null(answer);
    json_decref(answer);
    assert_int_equal(f->guest.net->outbound.limit.rate, 7 * 1024);
    assert_null(ask(f, SET_LINK("net1", "true")));
    assert_null(ask(f, SET_LINK("net0", "1")));
    assert_null(ask(f, SET_BANDWIDTH("net1", "{}")));
    assert_null(ask(f, SET_BANDWIDTH("net0", "{\"inbound\":{\"peak\":7}}")));
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outbound),
        TEST(inbound),
        TEST(live_change),
        TEST(control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
