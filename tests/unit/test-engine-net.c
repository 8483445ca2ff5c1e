/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/control-command.h"
#include "guest-net.h"

/* A guest with a network interface whose other end is a stream socket, held by
 * the test: both sides of every frame are seen. */
#define SHORT_US 50000 /* what does not come in this time does not come */
#define F(NAME)  GUEST_FEATURE(VIRTIO_NET_F_##NAME)
#define EVENT    GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED   GUEST_FEATURE(VIRTIO_F_RING_PACKED)
#define CONTROL \
    (F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_VLAN) | F(CTRL_MAC_ADDR) | F(STATUS))

typedef struct Fixture {
    GuestNet guest;
    int peer;
    int ours;
    uint8_t frame[ENGINE_NET_FRAME_MAX + 64], got[ENGINE_NET_FRAME_MAX + 64];
    struct virtio_net_hdr_v1 header;
} Fixture;

static const struct virtio_net_hdr_v1 plain = { 0 };

static int
make(void **state, const EngineNetConfig *config)
{
    Fixture *f = calloc(1, sizeof(*f));
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    f->ours = ends[0];
    f->peer = ends[1];
    guest_net_init(&f->guest);
    if (config) {
        f->guest.device.net.mtu = config->mtu;
        f->guest.device.net.link = config->link;
    }
    f->guest.device.net.backend =
        (EngineNetBackendConfig){ .kind = ENGINE_NET_STREAM, .fd = f->ours };
    guest_net_realize(&f->guest);
    *state = f;
    return 0;
}

static int
setup(void **state)
{
    return make(state, NULL);
}

static int
setup_mtu(void **state)
{
    return make(state, &(EngineNetConfig){ .mtu = 1500, .link = true });
}

static int
setup_down(void **state)
{
    return make(state, &(EngineNetConfig){ .link = false });
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->guest.engine);
    close(f->ours);
    if (f->peer >= 0)
        close(f->peer);
    free(f);
    return 0;
}

/* --- the other end -------------------------------------------------------- */
static void
peer_write(Fixture *f, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    while (size > 0) {
        ssize_t sent = send(f->peer, from, size, MSG_NOSIGNAL);

        assert_true(sent > 0);
        from += sent;
        size -= (size_t)sent;
    }
}

static void
peer_send(Fixture *f, const void *frame, size_t size)
{
    uint32_t prefix = GUINT32_TO_BE((uint32_t)size);

    peer_write(f, &prefix, sizeof(prefix));
    peer_write(f, frame, size);
}

static bool
peer_readable(Fixture *f, int timeout_ms)
{
    struct pollfd wait = { .fd = f->peer, .events = POLLIN };

    return poll(&wait, 1, timeout_ms) > 0;
}

/* Returns: bytes of the next frame, in f->got; 0: none comes */
static size_t
peer_receive(Fixture *f, int timeout_ms)
{
    uint32_t prefix, size;

    if (!peer_readable(f, timeout_ms))
        return 0;
    assert_int_equal(recv(f->peer, &prefix, sizeof(prefix), MSG_WAITALL),
                     sizeof(prefix));
    size = GUINT32_FROM_BE(prefix);
    assert_in_range(size, 1, ENGINE_NET_FRAME_MAX);
    assert_int_equal(recv(f->peer, f->got, size, MSG_WAITALL), size);
    return size;
}

static void
make_frame(Fixture *f, size_t size, unsigned seed)
{
    guest_net_make(f->frame, size, NULL, seed);
}

static void
check_sends(Fixture *f, size_t size, unsigned seed)
{
    make_frame(f, size, seed);
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, size));
    assert_int_equal(peer_receive(f, 5000), size);
    assert_memory_equal(f->got, f->frame, size);
}

static size_t
guest_receives(Fixture *f, gint64 patience_us)
{
    memset(f->got, 0, sizeof(f->got));
    return guest_net_receive(&f->guest, 0, &f->header, f->got, patience_us);
}

static void
check_receives(Fixture *f, size_t size, unsigned seed)
{
    make_frame(f, size, seed);
    peer_send(f, f->frame, size);
    assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), size);
    assert_memory_equal(f->got, f->frame, size);
    assert_int_equal(f->header.flags, 0);
    assert_int_equal(f->header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
}

static EngineNetInfo
info(Fixture *f)
{
    EngineNetInfo told;

    engine_virtio_net_info(f->guest.net, &told);
    return told;
}

static uint64_t
config_field(Fixture *f, size_t offset, unsigned size)
{
    return fake_mmio_read(f->guest.engine, f->guest.virtio.config + offset,
                          size);
}
#define CONFIG(F, FIELD, SIZE) \
    config_field(F, offsetof(struct virtio_net_config, FIELD), SIZE)

static bool
needs_reset(Fixture *f)
{
    gint64 end = g_get_monotonic_time() + GUEST_NET_PATIENCE_US;

    while (
        !(guest_virtio_status(&f->guest.virtio) & VIRTIO_CONFIG_S_NEEDS_RESET))
        if (g_get_monotonic_time() > end)
            return false;
    return true;
}

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
        TEST(filter),
        TEST(vlans),
        TEST(bad_commands),
        TEST(mistakes),
        TEST(reset_forgets),
        TEST(pause),
        TEST(backpressure),
        TEST(outbound),
        TEST(inbound),
        TEST(live_change),
        TEST(control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
