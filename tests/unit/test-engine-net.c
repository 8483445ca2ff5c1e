/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net-fixture.h"

/* Network interfaces: frames both ways. */

/* --- tests ---------------------------------------------------------------- */
static void
test_identity(void **state)
{
    Fixture *f = *state;
    uint64_t offered = guest_virtio_offered(&f->guest.virtio);

    assert_int_equal(guest_virtio_pci_read(&f->guest.virtio, PCI_VENDOR_ID, 4),
                     0x10411af4);
    assert_int_equal(
        guest_virtio_pci_read(&f->guest.virtio, PCI_CLASS_DEVICE, 2), 0x0200);
    assert_int_equal(
        guest_virtio_reg(&f->guest.virtio, VIRTIO_PCI_COMMON_NUMQ, 2), 3);
    assert_true(offered & F(MAC));
    assert_true(offered & F(STATUS));
    assert_true(offered & F(MTU));
    assert_true(offered & F(MRG_RXBUF));
    assert_true(offered & F(GUEST_ANNOUNCE));
    /* what this other end knows nothing of, and what one pair has no use for */
    assert_false(offered & (F(CSUM) | F(GUEST_CSUM) | F(HOST_TSO4) |
                            F(GUEST_TSO4) | F(MQ) | F(CTRL_GUEST_OFFLOADS)));
    assert_int_equal(CONFIG(f, mac, 4), 0x12005452);
    assert_int_equal(config_field(f, 4, 2), 0x5634);
    assert_int_equal(CONFIG(f, status, 2), VIRTIO_NET_S_LINK_UP);
    assert_int_equal(CONFIG(f, max_virtqueue_pairs, 2), 1);
    assert_int_equal(CONFIG(f, mtu, 2), 1500);
}

static const uint64_t combinations[] = {
    0,
    F(MRG_RXBUF),
    F(MRG_RXBUF) | EVENT | INDIRECT,
    F(MRG_RXBUF) | PACKED,
    F(MRG_RXBUF) | PACKED | EVENT | INDIRECT,
    EVENT,
    PACKED | EVENT,
};

static void
test_echo(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        guest_net_start(&f->guest, combinations[c], 1);
        guest_net_post(&f->guest, 0, 16);
        for (unsigned i = 0; i < 600; i++) {
            size_t size = 14 + (i * 97) % 1501;

            check_sends(f, size, i);
            check_receives(f, size, i + 1);
            assert_int_equal(f->header.num_buffers, 1);
            guest_net_post(&f->guest, 0, 1);
        }
    }
    assert_int_equal(info(f).sent.packets, 600 * G_N_ELEMENTS(combinations));
    assert_int_equal(info(f).received.packets,
                     600 * G_N_ELEMENTS(combinations));
    assert_int_equal(info(f).received.errors, 0);
    assert_int_equal(info(f).received.dropped, 0);
}

/* Many before anybody looks: more than fit one turn of the thread. */
static void
test_bursts(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        guest_net_start(&f->guest, combinations[c], 1);
        guest_net_post(&f->guest, 0, 100);
        for (unsigned i = 0; i < GUEST_NET_TURNS; i++) {
            make_frame(f, 60 + i, i);
            guest_net_offer_frame(&f->guest, 0, &plain, f->frame, 60 + i);
        }
        guest_virtio_kick(&f->guest.virtio, 1);
        for (unsigned i = 0; i < GUEST_NET_TURNS; i++) {
            assert_int_equal(peer_receive(f, 5000), 60 + i);
            assert_true(guest_net_sent(&f->guest, 0, GUEST_NET_PATIENCE_US));
        }
        for (unsigned i = 0; i < 100; i++) {
            make_frame(f, 60 + i, i);
            peer_send(f, f->frame, 60 + i);
        }
        for (unsigned i = 0; i < 100; i++) {
            assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 60 + i);
            make_frame(f, 60 + i, i);
            assert_memory_equal(f->got, f->frame, 60 + i);
        }
    }
}

/* A frame larger than a buffer, of all sizes round the edges; small ones in
 * between, so that what is expected is wrong each time. */
static void
test_merged(void **state)
{
    Fixture *f = *state;
    static const size_t sizes[] = { 1526, 1527, 1525, 3064,  3065,  9014,
                                    60,   1526, 4601, 65549, 65557, 14 };

    for (size_t c = 1; c < 5; c++) {
        guest_net_start(&f->guest, combinations[c], 1);
        guest_net_post(&f->guest, 0, 200);
        for (unsigned i = 0; i < 40; i++) {
            size_t size = sizes[i % G_N_ELEMENTS(sizes)];
            unsigned count = (unsigned)((size + GUEST_NET_HEADER +
                                         f->guest.buffer_size - 1) /
                                        f->guest.buffer_size);

            check_receives(f, size, i);
            assert_int_equal(f->header.num_buffers, count);
            guest_net_post(&f->guest, 0, count);
        }
    }
    assert_int_equal(info(f).received.dropped, 0);
}

/* Tiny buffers: the header alone, then a few bytes each. */
static void
test_merged_tiny(void **state)
{
    Fixture *f = *state;

    f->guest.buffer_size = GUEST_NET_HEADER;
    guest_net_start(&f->guest, F(MRG_RXBUF) | F(CTRL_VQ) | F(CTRL_RX), 1);
    guest_net_post(&f->guest, 0, 100);
    assert_int_equal(guest_net_command(&f->guest, VIRTIO_NET_CTRL_RX,
                                       VIRTIO_NET_CTRL_RX_PROMISC, "", 1),
                     VIRTIO_NET_OK);
    check_receives(f, 600, 1);
    assert_int_equal(f->header.num_buffers, 51);
    /* more than the guest has: dropped, since it takes no segments */
    make_frame(f, 1500, 2);
    peer_send(f, f->frame, 1500);
    guest_net_post(&f->guest, 0, 51);
    check_receives(f, 61, 3);
    assert_int_equal(info(f).received.dropped, 1);
}

/* Without merging a frame that its buffer is too small for is lost. */
static void
test_small_buffer(void **state)
{
    Fixture *f = *state;

    guest_net_start(&f->guest, 0, 1);
    guest_net_post(&f->guest, 0, 4);
    make_frame(f, 1527, 1);
    peer_send(f, f->frame, 1527);
    check_receives(f, 1526, 2);
    assert_int_equal(info(f).received.dropped, 1);
}

/* Frames wait for buffers, in the kernel's socket. */
static void
test_starved(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        guest_net_start(&f->guest, combinations[c], 1);
        for (unsigned i = 0; i < 20; i++) {
            make_frame(f, 100 + i, i);
            peer_send(f, f->frame, 100 + i);
        }
        assert_int_equal(guest_receives(f, SHORT_US / 5), 0);
        for (unsigned i = 0; i < 20; i++) {
            guest_net_post(&f->guest, 0, 1);
            assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), 100 + i);
        }
    }
    assert_int_equal(info(f).received.dropped, 0);
}

static void
test_runts_and_giants(void **state)
{
    Fixture *f = *state;
    static const size_t bad_sent[] = { 0, 1, 13, 1523 };
    static const size_t bad_received[] = {
        0, 1, 13, 1523, 9000, 65558, 500000
    };
    g_autofree uint8_t *large = g_malloc0(500000);

    guest_net_start(&f->guest, F(MRG_RXBUF) | F(MTU), 1);
    guest_net_post(&f->guest, 0, 100);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_sent); i++) {
        make_frame(f, bad_sent[i], 1);
        assert_true(
            guest_net_send(&f->guest, 0, &plain, f->frame, bad_sent[i]));
    }
    check_sends(f, 1522, 1);
    assert_int_equal(info(f).sent.errors, G_N_ELEMENTS(bad_sent));
    assert_int_equal(info(f).sent.packets, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_received); i++) {
        peer_send(f, large, bad_received[i]);
        check_receives(f, 1522, (unsigned)i);
    }
    assert_int_equal(info(f).received.errors, G_N_ELEMENTS(bad_received));
    assert_int_equal(info(f).received.packets, G_N_ELEMENTS(bad_received));
}

/* Headers that ask for what was not agreed on. */
static void
test_bad_headers(void **state)
{
    Fixture *f = *state;
    static const struct virtio_net_hdr_v1 bad[] = {
        { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 14 },
        { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000 },
        { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
          .gso_type = VIRTIO_NET_HDR_GSO_UDP,
          .gso_size = 1000 },
        { .gso_type = 0x55 },
        { .gso_type = VIRTIO_NET_HDR_GSO_ECN },
    };

    guest_net_start(&f->guest, 0, 1);
    make_frame(f, 100, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_true(guest_net_send(&f->guest, 0, &bad[i], f->frame, 100));
    assert_false(peer_readable(f, SHORT_US / 1000));
    assert_int_equal(info(f).sent.errors, G_N_ELEMENTS(bad));
    check_sends(f, 100, 1);
}

static void
test_link(void **state)
{
    Fixture *f = *state;
    unsigned gsi = engine_pci_gsi(GUEST_NET_SLOT, 0);

    guest_net_start(&f->guest, CONTROL | F(GUEST_ANNOUNCE), 1);
    guest_net_post(&f->guest, 0, 8);
    check_receives(f, 100, 1);
    (void)fake_mmio_read(f->guest.engine, f->guest.virtio.isr, 1);
    assert_true(engine_virtio_net_set_link(f->guest.net, false, NULL));
    assert_true(fake_irq_level(f->guest.engine, gsi));
    assert_int_equal(
        fake_mmio_read(f->guest.engine, f->guest.virtio.isr, 1) & 2, 2);
    assert_int_equal(CONFIG(f, status, 2), 0);
    assert_false(info(f).link);
    make_frame(f, 100, 2);
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, 100));
    peer_send(f, f->frame, 100);
    assert_int_equal(guest_receives(f, SHORT_US), 0);
    assert_false(peer_readable(f, SHORT_US / 1000));
    assert_int_equal(info(f).sent.dropped, 1);
    assert_int_equal(info(f).received.dropped, 1);
    /* the cable again: the guest is asked to tell where it is */
    assert_true(engine_virtio_net_set_link(f->guest.net, true, NULL));
    assert_int_equal(CONFIG(f, status, 2),
                     VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
    assert_int_equal(guest_net_command(&f->guest, VIRTIO_NET_CTRL_ANNOUNCE,
                                       VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0),
                     VIRTIO_NET_OK);
    assert_int_equal(CONFIG(f, status, 2), VIRTIO_NET_S_LINK_UP);
    assert_int_equal(guest_net_command(&f->guest, VIRTIO_NET_CTRL_ANNOUNCE,
                                       VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0),
                     VIRTIO_NET_ERR);
    check_sends(f, 100, 3);
    check_receives(f, 100, 4);
}

static void
test_link_down_at_first(void **state)
{
    Fixture *f = *state;

    assert_int_equal(CONFIG(f, status, 2), 0);
    guest_net_start(&f->guest, CONTROL, 1);
    guest_net_post(&f->guest, 0, 8);
    peer_send(f, f->frame, 100);
    assert_int_equal(guest_receives(f, SHORT_US), 0);
    assert_true(engine_virtio_net_set_link(f->guest.net, true, NULL));
    check_receives(f, 100, 4);
    assert_int_equal(info(f).received.dropped, 1);
}

/* The other end leaves: that is a cable that is out, for good. */
static void
test_peer_leaves(void **state)
{
    Fixture *f = *state;
    gint64 end = g_get_monotonic_time() + GUEST_NET_PATIENCE_US;

    guest_net_start(&f->guest, CONTROL, 1);
    guest_net_post(&f->guest, 0, 8);
    check_receives(f, 100, 1);
    close(f->peer);
    f->peer = -1;
    while (CONFIG(f, status, 2) != 0 && g_get_monotonic_time() < end)
        g_usleep(100);
    assert_int_equal(CONFIG(f, status, 2), 0);
    make_frame(f, 100, 2);
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, 100));
    assert_int_equal(info(f).sent.dropped, 1);
    assert_false(engine_virtio_net_set_link(f->guest.net, true, NULL));
    assert_true(engine_virtio_net_set_link(f->guest.net, false, NULL));
    guest_net_start(&f->guest, CONTROL, 1); /* a reset changes nothing in it */
    assert_int_equal(CONFIG(f, status, 2), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)
#define TEST_WITH(NAME, SETUP) \
    cmocka_unit_test_setup_teardown(test_##NAME, SETUP, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH(identity, setup_mtu),
        TEST(echo),
        TEST(bursts),
        TEST(merged),
        TEST(merged_tiny),
        TEST(small_buffer),
        TEST(starved),
        TEST_WITH(runts_and_giants, setup_mtu),
        TEST(bad_headers),
        TEST(link),
        TEST_WITH(link_down_at_first, setup_down),
        TEST(peer_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
