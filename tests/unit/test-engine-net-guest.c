/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net-fixture.h"

/* Network interfaces: what a guest asks for, its mistakes, and pauses. */

/* --- commands ------------------------------------------------------------- */
static uint8_t
command(Fixture *f, uint8_t class, uint8_t code, const void *data, size_t size)
{
    return guest_net_command(&f->guest, class, code, data, size);
}

static bool
comes_through(Fixture *f, const uint8_t *to, unsigned vlan)
{
    size_t got;

    guest_net_make(f->frame, 64, to, 5);
    if (vlan > 0) {
        f->frame[12] = 0x81;
        f->frame[13] = 0;
        f->frame[14] = (uint8_t)(vlan >> 8);
        f->frame[15] = (uint8_t)vlan;
    }
    peer_send(f, f->frame, 64);
    got = guest_receives(f, SHORT_US);
    if (got > 0)
        guest_net_post(&f->guest, 0, 1);
    return got == 64;
}

static void
test_filter(void **state)
{
    static const uint8_t own[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
    static const uint8_t other[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x57 };
    static const uint8_t group[] = { 0x01, 0, 0x5e, 0, 0, 1 };
    static const uint8_t third[] = { 0x52, 0x54, 0, 0, 0, 3 };
    static const uint8_t table[] = { 1,    0,    0,    0, 0x52, 0x54, 0,
                                     0x12, 0x34, 0x57, 1, 0,    0,    0,
                                     1,    0,    0x5e, 0, 0,    1 };
    Fixture *f = *state;

    guest_net_start(&f->guest, CONTROL & ~F(CTRL_VLAN), 1);
    guest_net_post(&f->guest, 0, 8);
    assert_true(comes_through(f, other, 0)); /* until it says otherwise */
    assert_int_equal(
        command(f, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "", 1),
        VIRTIO_NET_OK);
    assert_true(comes_through(f, own, 0));
    assert_true(comes_through(f, NULL, 0));
    assert_false(comes_through(f, other, 0));
    assert_false(comes_through(f, group, 0));
    assert_int_equal(command(f, VIRTIO_NET_CTRL_MAC,
                             VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
                             sizeof(table)),
                     VIRTIO_NET_OK);
    assert_true(comes_through(f, other, 0));
    assert_true(comes_through(f, group, 0));
    assert_int_equal(
        command(f, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, third, 6),
        VIRTIO_NET_OK);
    assert_int_equal(CONFIG(f, mac, 4), 0x00005452);
    assert_true(comes_through(f, third, 0));
    assert_false(comes_through(f, own, 0));
    assert_int_equal(info(f).received.dropped, 0); /* not wanted is not lost */
    guest_net_start(&f->guest, CONTROL, 1);
    assert_int_equal(CONFIG(f, mac, 4), 0x12005452);
}

static void
test_vlans(void **state)
{
    Fixture *f = *state;
    uint16_t vlan = 7;

    guest_net_start(&f->guest, CONTROL, 1);
    guest_net_post(&f->guest, 0, 8);
    assert_true(comes_through(f, NULL, 7)); /* it takes all at first */
    assert_int_equal(
        command(f, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "", 1),
        VIRTIO_NET_OK);
    assert_true(comes_through(f, NULL, 0));
    assert_false(comes_through(f, NULL, 7));
    assert_int_equal(
        command(f, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan, 2),
        VIRTIO_NET_OK);
    assert_true(comes_through(f, NULL, 7));
    assert_false(comes_through(f, NULL, 8));
    assert_int_equal(
        command(f, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, &vlan, 2),
        VIRTIO_NET_OK);
    assert_false(comes_through(f, NULL, 7));
}

static void
test_bad_commands(void **state)
{
    Fixture *f = *state;
    static const uint8_t endless[] = { 0xff, 0xff, 0xff, 0xff };
    static const struct {
        uint8_t class, code, bytes;
    } bad[] = {
        { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0 },
        { VIRTIO_NET_CTRL_RX, 6, 1 },
        { VIRTIO_NET_CTRL_RX, 255, 1 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 4 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 4 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 2 },
        { VIRTIO_NET_CTRL_MAC, 9, 4 },
        { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2 },
        { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 1 },
        { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2 },
        { VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, 4 },
        { 77, 0, 4 },
    };
    const GuestBuffer no_room = { GUEST_NET_COMMAND, 4, false };

    guest_net_start(&f->guest, CONTROL, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(
            command(f, bad[i].class, bad[i].code, endless, bad[i].bytes),
            VIRTIO_NET_ERR);
    guest_queue_add(&f->guest.control, &no_room, 1);
    guest_virtio_kick(&f->guest.virtio, 2);
    assert_true(needs_reset(f));
    guest_net_start(&f->guest, CONTROL, 1);
    guest_net_post(&f->guest, 0, 8);
    check_receives(f, 100, 1);
}

/* --- mistakes, resets, pauses --------------------------------------------- */
static void
test_mistakes(void **state)
{
    Fixture *f = *state;
    static const struct {
        unsigned queue;
        GuestBuffer buffer;
    } bad[] = {
        { 0, { GUEST_NET_SEND, 2000, false } },
        { 0, { GUEST_NET_SEND, 11, true } },
        { 0, { GUEST_NET_MEMORY - 10, 2000, true } },
        { 1, { GUEST_NET_SEND, 11, false } },
        { 1, { GUEST_NET_SEND, 200, true } },
        { 1, { GUEST_NET_MEMORY - 10, 2000, false } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        GuestQueue *queue;

        guest_net_start(&f->guest, F(MRG_RXBUF), 1);
        queue =
            bad[i].queue ? &f->guest.pair[0].send : &f->guest.pair[0].receive;
        guest_queue_add(queue, &bad[i].buffer, 1);
        guest_virtio_kick(&f->guest.virtio, bad[i].queue);
        make_frame(f, 100, 1);
        assert_true(needs_reset(f));
        peer_send(f, f->frame, 100);
        guest_net_start(&f->guest, F(MRG_RXBUF), 1);
        guest_net_post(&f->guest, 0, 2);
        assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 100);
        check_sends(f, 100, 2);
    }
}

static bool
is_untouched(Fixture *f)
{
    const uint8_t *ram = fake_ram(f->guest.engine) + GUEST_NET_RECEIVE;

    for (size_t i = 0; i < 0x100000; i++)
        if (ram[i] != 0xaa)
            return false;
    return true;
}

/* After a reset the buffers are the guest's own again. */
static void
test_reset_forgets(void **state)
{
    Fixture *f = *state;

    guest_net_start(&f->guest, F(MRG_RXBUF), 1);
    guest_net_post(&f->guest, 0, 100);
    check_receives(f, 9000, 1); /* some are in hand now */
    guest_virtio_set(&f->guest.virtio, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    memset(fake_ram(f->guest.engine) + GUEST_NET_RECEIVE, 0xaa, 0x100000);
    for (unsigned i = 0; i < 10; i++)
        peer_send(f, f->frame, 1000);
    guest_virtio_kick(&f->guest.virtio, 0);
    g_usleep(SHORT_US);
    assert_true(is_untouched(f));
    guest_net_start(&f->guest, F(MRG_RXBUF), 1);
    guest_net_post(&f->guest, 0, 100);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 1000);
}

static void
test_pause(void **state)
{
    Fixture *f = *state;
    EngineIo *io = engine_io(f->guest.engine, 0, NULL);

    guest_net_start(&f->guest, F(MRG_RXBUF) | CONTROL, 1);
    guest_net_post(&f->guest, 0, 100);
    memset(fake_ram(f->guest.engine) + GUEST_NET_RECEIVE, 0xaa, 0x100000);
    engine_io_pause(io);
    make_frame(f, 1000, 1);
    peer_send(f, f->frame, 1000);
    guest_net_offer_frame(&f->guest, 0, &plain, f->frame, 100);
    guest_virtio_kick(&f->guest.virtio, 1);
    /* commands of the host work, and touch nothing either */
    assert_true(engine_virtio_net_set_link(f->guest.net, false, NULL));
    assert_true(engine_virtio_net_set_link(f->guest.net, true, NULL));
    engine_virtio_net_set_bandwidth(f->guest.net, &(EngineNetBandwidth){ 0 });
    assert_int_equal(guest_receives(f, SHORT_US), 0);
    assert_false(peer_readable(f, 0));
    assert_true(is_untouched(f));
    engine_io_resume(io);
    assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 1000);
    assert_int_equal(peer_receive(f, 5000), 100);
}

/* A peer that takes nothing: the guest's frames wait, none is lost. */
static void
test_backpressure(void **state)
{
    Fixture *f = *state;
    unsigned given = 0, taken = 0;

    guest_net_start(&f->guest, F(MRG_RXBUF) | EVENT, 1);
    for (; given < GUEST_NET_TURNS; given++) {
        make_frame(f, 60000, given);
        guest_net_offer_frame(&f->guest, 0, &plain, f->frame, 60000);
    }
    guest_virtio_kick(&f->guest.virtio, 1);
    while (guest_net_sent(&f->guest, 0, SHORT_US))
        taken++;
    assert_in_range(taken, 1, given - 1);
    for (unsigned i = 0; i < given; i++) {
        assert_int_equal(peer_receive(f, 5000), 60000);
        make_frame(f, 60000, i);
        assert_memory_equal(f->got, f->frame, 60000);
    }
    for (; taken < given; taken++)
        assert_true(guest_net_sent(&f->guest, 0, GUEST_NET_PATIENCE_US));
    assert_int_equal(info(f).sent.packets, given);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(filter),        TEST(vlans), TEST(bad_commands), TEST(mistakes),
        TEST(reset_forgets), TEST(pause), TEST(backpressure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
