/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "guest-net.h"
#include "tap-net.h"

/* A guest with a tap interface, in a network namespace with nothing else. */
#define SHORT_US 50000
#define F(NAME)  GUEST_FEATURE(VIRTIO_NET_F_##NAME)
#define EVENT    GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED   GUEST_FEATURE(VIRTIO_F_RING_PACKED)
#define OFFLOADS                                                             \
    (F(CSUM) | F(HOST_TSO4) | F(HOST_TSO6) | F(GUEST_CSUM) | F(GUEST_TSO4) | \
     F(GUEST_TSO6) | F(MRG_RXBUF) | F(CTRL_VQ) | EVENT)
#define HEADERS (14 + 20 + 20) /* Ethernet, IPv4, TCP */
#define SEGMENT 1400
#define LARGE   (HEADERS + 60000)

typedef struct Fixture {
    GuestNet guest;
    int fds[ENGINE_NET_PAIRS_MAX];
    unsigned n_fds;
    int peer;
    /* so that what follows the Ethernet header is aligned */
    _Alignas(4) uint8_t pad[2];
    uint8_t frame[ENGINE_NET_FRAME_MAX + 64];
    _Alignas(4) uint8_t pad_got[2];
    uint8_t got[ENGINE_NET_FRAME_MAX + 64];
    struct virtio_net_hdr seen;      /* by the host */
    struct virtio_net_hdr_v1 header; /* by the guest */
} Fixture;

static const struct virtio_net_hdr_v1 plain = { 0 };

static int
make(void **state, unsigned queues)
{
    Fixture *f = calloc(1, sizeof(*f));

    guest_net_init(&f->guest);
    f->n_fds = queues;
    f->guest.device.net.queues = queues;
    f->guest.device.net.backend = (EngineNetBackendConfig){
        .kind = ENGINE_NET_TAP, .fd = -1, .n_fds = queues
    };
    for (unsigned i = 0; i < queues; i++) {
        f->fds[i] = f->guest.device.net.backend.fds[i] = tap_open(queues > 1);
        assert_true(f->fds[i] >= 0);
    }
    assert_true(tap_set_up(true));
    f->peer = tap_peer();
    assert_true(f->peer >= 0);
    guest_net_realize(&f->guest);
    *state = f;
    return 0;
}

static int
setup(void **state)
{
    return make(state, 1);
}

static int
setup_queues(void **state)
{
    return make(state, 4);
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->guest.engine);
    for (unsigned i = 0; i < f->n_fds; i++)
        close(f->fds[i]);
    close(f->peer);
    free(f);
    return 0;
}

/* --- the host ------------------------------------------------------------- */
static bool
host_sends(Fixture *f, const struct virtio_net_hdr *header, size_t size)
{
    const struct iovec iov[] = { { (void *)header, sizeof(*header) },
                                 { f->frame, size } };

    return writev(f->peer, iov, 2) == (ssize_t)(sizeof(*header) + size);
}

/* Returns: bytes of the frame, in f->got; 0: none came */
static size_t
host_receives(Fixture *f, int timeout_ms)
{
    const struct iovec iov[] = { { &f->seen, sizeof(f->seen) },
                                 { f->got, sizeof(f->got) } };
    struct pollfd wait = { .fd = f->peer, .events = POLLIN };
    ssize_t got;

    if (poll(&wait, 1, timeout_ms) <= 0)
        return 0;
    got = readv(f->peer, iov, 2);
    assert_true(got > (ssize_t)sizeof(f->seen));
    return (size_t)got - sizeof(f->seen);
}

static size_t
guest_receives(Fixture *f, unsigned pair, gint64 patience_us)
{
    return guest_net_receive(&f->guest, pair, &f->header, f->got, patience_us);
}

static uint16_t
folded(const uint8_t *bytes, size_t size, uint32_t total)
{
    for (size_t i = 0; i < size; i++)
        total += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

/* A TCP segment whose checksum is still to be completed: in its place stands
 * that of the pseudo header. */
static void
make_tcp(Fixture *f, size_t size, unsigned port)
{
    struct iphdr *ip = (void *)(f->frame + 14);
    struct tcphdr *tcp = (void *)(ip + 1);
    size_t segment = size - 14 - sizeof(*ip);

    guest_net_make(f->frame, size, NULL, port);
    f->frame[12] = 8;
    f->frame[13] = 0;
    *ip = (struct iphdr){ .version = 4,
                          .ihl = 5,
                          .ttl = 64,
                          .protocol = IPPROTO_TCP,
                          .tot_len = htons((uint16_t)(size - 14)),
                          .saddr = htonl(0x0a000001),
                          .daddr = htonl(0x0a000002) };
    ip->check = (uint16_t)~htons(folded((void *)ip, sizeof(*ip), 0));
    *tcp = (struct tcphdr){ .source = htons((uint16_t)port),
                            .dest = htons(80),
                            .doff = 5,
                            .ack = 1,
                            .window = 1000 };
    tcp->check =
        htons(folded((void *)&ip->saddr, 8, IPPROTO_TCP + (uint32_t)segment));
}

static bool
checksum_is_complete(const uint8_t *frame, size_t size)
{
    const struct iphdr *ip = (const void *)(frame + 14);
    size_t segment = size - 14 - sizeof(*ip);

    return folded((const void *)&ip->saddr, 8 + segment,
                  IPPROTO_TCP + (uint32_t)segment) == 0xffff;
}

static const struct virtio_net_hdr_v1 segments = {
    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
    .hdr_len = HEADERS,
    .gso_size = SEGMENT,
    .csum_start = 14 + 20,
    .csum_offset = offsetof(struct tcphdr, check),
};

static EngineNetInfo
info(Fixture *f)
{
    EngineNetInfo told;

    engine_virtio_net_info(f->guest.net, &told);
    return told;
}

/* --- tests ---------------------------------------------------------------- */
static void
test_offers(void **state)
{
    Fixture *f = *state;
    uint64_t offered = guest_virtio_offered(&f->guest.virtio);

    assert_true((offered & OFFLOADS) == OFFLOADS);
    assert_true(offered & F(HOST_ECN));
    assert_true(offered & F(HOST_UFO));
    assert_true(offered & F(CTRL_GUEST_OFFLOADS));
    assert_false(offered & F(MQ));
}

static void
test_echo(void **state)
{
    Fixture *f = *state;
    static const uint64_t combinations[] = {
        0,
        F(MRG_RXBUF) | EVENT | INDIRECT,
        F(MRG_RXBUF) | PACKED | EVENT | INDIRECT,
        OFFLOADS,
    };

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        guest_net_start(&f->guest, combinations[c], 1);
        guest_net_post(&f->guest, 0, 16);
        for (unsigned i = 0; i < 300; i++) {
            const struct virtio_net_hdr none = { 0 };
            size_t size = 60 + (i * 97) % 1455;

            guest_net_make(f->frame, size, NULL, i);
            assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, size));
            assert_int_equal(host_receives(f, 5000), size);
            assert_memory_equal(f->got, f->frame, size);
            assert_true(host_sends(f, &none, size));
            assert_int_equal(guest_receives(f, 0, GUEST_NET_PATIENCE_US), size);
            assert_memory_equal(f->got, f->frame, size);
            assert_int_equal(f->header.num_buffers, 1);
            guest_net_post(&f->guest, 0, 1);
        }
    }
}

/* 60 KiB for the host in one piece, which it may cut itself. */
static void
test_segments_out(void **state)
{
    Fixture *f = *state;

    guest_net_start(&f->guest, OFFLOADS, 1);
    for (unsigned i = 0; i < 50; i++) {
        make_tcp(f, LARGE, 1000 + i);
        assert_true(guest_net_send(&f->guest, 0, &segments, f->frame, LARGE));
        assert_int_equal(host_receives(f, 5000), LARGE);
        assert_memory_equal(f->got, f->frame, LARGE);
        assert_int_equal(f->seen.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
        assert_int_equal(f->seen.gso_size, SEGMENT);
    }
    assert_int_equal(info(f).sent.errors, 0);
}

static void
host_sends_segments(Fixture *f, unsigned port)
{
    const struct virtio_net_hdr header = {
        .flags = segments.flags,
        .gso_type = segments.gso_type,
        .hdr_len = segments.hdr_len,
        .gso_size = segments.gso_size,
        .csum_start = segments.csum_start,
        .csum_offset = segments.csum_offset,
    };

    make_tcp(f, LARGE, port);
    assert_true(host_sends(f, &header, LARGE));
}

/* 60 KiB for the guest in one piece, over many of its buffers. */
static void
test_segments_in(void **state)
{
    Fixture *f = *state;
    const uint64_t kinds[] = { OFFLOADS, OFFLOADS | PACKED | INDIRECT };

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        guest_net_start(&f->guest, kinds[k], 1);
        guest_net_post(&f->guest, 0, 200);
        for (unsigned i = 0; i < 50; i++) {
            host_sends_segments(f, 1000 + i);
            assert_int_equal(guest_receives(f, 0, GUEST_NET_PATIENCE_US),
                             LARGE);
            assert_memory_equal(f->got, f->frame, LARGE);
            assert_int_equal(f->header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
            assert_int_equal(f->header.gso_size, SEGMENT);
            assert_int_equal(f->header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
            assert_int_equal(f->header.csum_start, segments.csum_start);
            assert_int_equal(f->header.num_buffers, 40);
            guest_net_post(&f->guest, 0, 40);
        }
    }
    assert_int_equal(info(f).received.dropped, 0);
}

/* One that takes segments may be short of buffers for a while. */
static void
test_segments_wait(void **state)
{
    Fixture *f = *state;

    guest_net_start(&f->guest, OFFLOADS, 1);
    guest_net_post(&f->guest, 0, 10);
    host_sends_segments(f, 1);
    assert_int_equal(guest_receives(f, 0, SHORT_US), 0);
    guest_net_post(&f->guest, 0, 10);
    assert_int_equal(guest_receives(f, 0, SHORT_US), 0);
    guest_net_post(&f->guest, 0, 30);
    assert_int_equal(guest_receives(f, 0, GUEST_NET_PATIENCE_US), LARGE);
    assert_memory_equal(f->got, f->frame, LARGE);
    assert_int_equal(info(f).received.dropped, 0);
}

/* To a guest that takes neither, the host's segments come cut and summed up. */
static void
check_cut(Fixture *f)
{
    size_t total = 0;

    host_sends_segments(f, 7);
    while (total < LARGE - HEADERS) {
        size_t size = guest_receives(f, 0, GUEST_NET_PATIENCE_US);

        assert_in_range(size, HEADERS + 1, HEADERS + SEGMENT);
        assert_int_equal(f->header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
        assert_int_equal(f->header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
        assert_true(checksum_is_complete(f->got, size));
        total += size - HEADERS;
        guest_net_post(&f->guest, 0, 1);
    }
    assert_int_equal(total, LARGE - HEADERS);
}

static void
test_no_offloads(void **state)
{
    Fixture *f = *state;

    guest_net_start(&f->guest, F(MRG_RXBUF), 1);
    guest_net_post(&f->guest, 0, 200);
    check_cut(f);
}

static void
test_offload_command(void **state)
{
    Fixture *f = *state;
    const uint64_t none = 0, back = F(GUEST_CSUM) | F(GUEST_TSO4);
    const uint64_t foreign = F(GUEST_UFO);

    guest_net_start(&f->guest, OFFLOADS | F(CTRL_GUEST_OFFLOADS), 1);
    guest_net_post(&f->guest, 0, 200);
    assert_int_equal(guest_net_command(&f->guest,
                                       VIRTIO_NET_CTRL_GUEST_OFFLOADS,
                                       VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
                                       &none, sizeof(none)),
                     VIRTIO_NET_OK);
    check_cut(f);
    assert_int_equal(guest_net_command(&f->guest,
                                       VIRTIO_NET_CTRL_GUEST_OFFLOADS,
                                       VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
                                       &foreign, sizeof(foreign)),
                     VIRTIO_NET_ERR);
    assert_int_equal(guest_net_command(&f->guest,
                                       VIRTIO_NET_CTRL_GUEST_OFFLOADS,
                                       VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
                                       &back, sizeof(back)),
                     VIRTIO_NET_OK);
    host_sends_segments(f, 8);
    assert_int_equal(guest_receives(f, 0, GUEST_NET_PATIENCE_US), LARGE);
}

/* A checksum that the guest left to the host is completed, as the kernel sees
 * it. */
static void
test_checksum_out(void **state)
{
    Fixture *f = *state;
    struct virtio_net_hdr_v1 header = segments;

    header.gso_type = VIRTIO_NET_HDR_GSO_NONE;
    header.gso_size = 0;
    guest_net_start(&f->guest, OFFLOADS, 1);
    make_tcp(f, 1000, 5);
    assert_true(guest_net_send(&f->guest, 0, &header, f->frame, 1000));
    assert_int_equal(host_receives(f, 5000), 1000);
    assert_int_equal(f->seen.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(f->seen.csum_start, segments.csum_start);
}

static void
test_bad_headers(void **state)
{
    Fixture *f = *state;
    struct virtio_net_hdr_v1 bad[10];

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        bad[i] = segments;
    bad[0].csum_start = 999;
    bad[1].csum_start = 0xffff;
    bad[1].csum_offset = 0xffff;
    bad[2].gso_size = 0;
    bad[3].hdr_len = 1001;
    bad[4].flags = 0;
    bad[5].gso_type = VIRTIO_NET_HDR_GSO_UDP; /* not agreed on */
    bad[6].gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN;
    bad[7].gso_type = 0x7f;
    bad[8].gso_type = VIRTIO_NET_HDR_GSO_ECN;
    bad[9].hdr_len = 0xffff;
    guest_net_start(&f->guest, OFFLOADS, 1);
    make_tcp(f, 1000, 5);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_true(guest_net_send(&f->guest, 0, &bad[i], f->frame, 1000));
    assert_int_equal(host_receives(f, SHORT_US / 1000), 0);
    assert_int_equal(info(f).sent.errors, G_N_ELEMENTS(bad));
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, 1000));
    assert_int_equal(host_receives(f, 5000), 1000);
}

/* Many frames with one kick keep their order; bad ones among them are nobody
 * else's business. */
static void
check_burst(Fixture *f, uint64_t features)
{
    struct virtio_net_hdr_v1 bad = segments;
    uint64_t errors = info(f).sent.errors, packets = info(f).sent.packets;

    bad.gso_size = 0;
    guest_net_start(&f->guest, features, 1);
    for (unsigned i = 0; i < GUEST_NET_TURNS; i++) {
        guest_net_make(f->frame, 60 + i, NULL, i);
        guest_net_offer_frame(&f->guest, 0, i % 7 == 6 ? &bad : &plain,
                              f->frame, 60 + i);
    }
    guest_virtio_kick(&f->guest.virtio, 1);
    for (unsigned i = 0; i < GUEST_NET_TURNS; i++) {
        assert_true(guest_net_sent(&f->guest, 0, GUEST_NET_PATIENCE_US));
        if (i % 7 == 6)
            continue;
        guest_net_make(f->frame, 60 + i, NULL, i);
        assert_int_equal(host_receives(f, 5000), 60 + i);
        assert_memory_equal(f->got, f->frame, 60 + i);
    }
    assert_int_equal(host_receives(f, 0), 0);
    assert_int_equal(info(f).sent.errors - errors, GUEST_NET_TURNS / 7);
    assert_int_equal(info(f).sent.packets - packets,
                     GUEST_NET_TURNS - GUEST_NET_TURNS / 7);
}

static void
test_burst(void **state)
{
    for (unsigned round = 0; round < 20; round++) {
        check_burst(*state, OFFLOADS);
        check_burst(*state, OFFLOADS | PACKED | INDIRECT);
    }
}

/* So it is where the kernel gives no io_uring, here for want of descriptors. */
static void
test_burst_by_one(void **state)
{
    struct rlimit limit, none;
    int next = dup(0);

    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(dup(0), -1);
    check_burst(*state, OFFLOADS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    check_burst(*state, OFFLOADS);
}

/* --- several queues ------------------------------------------------------- */
static bool
use_pairs(Fixture *f, uint16_t pairs)
{
    return guest_net_command(&f->guest, VIRTIO_NET_CTRL_MQ,
                             VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs,
                             sizeof(pairs)) == VIRTIO_NET_OK;
}

/* 200 connections from the host. Returns: how many pairs they came by */
static unsigned
pairs_that_receive(Fixture *f, unsigned pairs)
{
    const struct virtio_net_hdr none = { 0 };
    unsigned used = 0, frames = 0;

    for (unsigned i = 0; i < 200; i++) {
        make_tcp(f, 100, 2000 + i);
        assert_true(host_sends(f, &none, 100));
    }
    for (unsigned p = 0; p < pairs; p++) {
        unsigned here = 0;

        while (guest_receives(f, p, SHORT_US) == 100) {
            guest_net_post(&f->guest, p, 1);
            here++;
        }
        frames += here;
        used += here > 0;
    }
    assert_int_equal(frames, 200);
    return used;
}

static void
test_queues(void **state)
{
    Fixture *f = *state;

    assert_true(guest_virtio_offered(&f->guest.virtio) & F(MQ));
    guest_net_start(&f->guest, OFFLOADS | F(MQ), 4);
    for (unsigned p = 0; p < 4; p++)
        guest_net_post(&f->guest, p, 250);
    assert_int_equal(pairs_that_receive(f, 4), 1);
    assert_false(use_pairs(f, 0));
    assert_false(use_pairs(f, 5));
    assert_true(use_pairs(f, 4));
    for (unsigned p = 0; p < 4; p++) {
        make_tcp(f, 200 + p, 3000 + p);
        assert_true(guest_net_send(&f->guest, p, &plain, f->frame, 200 + p));
        assert_int_equal(host_receives(f, 5000), 200 + p);
    }
    assert_in_range(pairs_that_receive(f, 4), 2, 4);
    assert_true(use_pairs(f, 1));
    assert_int_equal(pairs_that_receive(f, 4), 1);
    /* a queue that is out of use takes frames to the host all the same */
    assert_true(guest_net_send(&f->guest, 3, &plain, f->frame, 100));
    assert_int_equal(host_receives(f, 5000), 100);
}

/* A driver that knows of one pair only has its commands in another queue. */
static void
test_queues_unused(void **state)
{
    Fixture *f = *state;

    for (unsigned round = 0; round < 5; round++) {
        guest_net_start(&f->guest, OFFLOADS | F(CTRL_RX), 1);
        guest_net_post(&f->guest, 0, 250);
        assert_int_equal(guest_net_command(&f->guest, VIRTIO_NET_CTRL_RX,
                                           VIRTIO_NET_CTRL_RX_PROMISC, "\1", 1),
                         VIRTIO_NET_OK);
        assert_int_equal(pairs_that_receive(f, 1), 1);
    }
}

/* --- trouble -------------------------------------------------------------- */
/* An interface that is down takes nothing; one that is deleted is a cable that
 * is out. */
static void
test_interface_goes(void **state)
{
    Fixture *f = *state;
    gint64 end = g_get_monotonic_time() + GUEST_NET_PATIENCE_US;

    guest_net_start(&f->guest, OFFLOADS, 1);
    guest_net_post(&f->guest, 0, 10);
    assert_true(tap_set_up(false));
    make_tcp(f, 100, 1);
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, 100));
    assert_int_equal(info(f).sent.errors, 1);
    assert_true(tap_set_up(true));
    assert_true(info(f).link);
    assert_true(tap_delete());
    while (info(f).link && g_get_monotonic_time() < end)
        g_usleep(1000);
    assert_false(info(f).link);
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, 100));
    assert_int_equal(info(f).sent.dropped, 1);
    for (unsigned i = 0; i < 10; i++)
        guest_net_offer_frame(&f->guest, 0, &plain, f->frame, 100);
    guest_virtio_kick(&f->guest.virtio, 1);
    for (unsigned i = 0; i < 10; i++)
        assert_true(guest_net_sent(&f->guest, 0, GUEST_NET_PATIENCE_US));
    assert_int_equal(info(f).sent.dropped, 11);
    guest_net_start(&f->guest, OFFLOADS, 1);
}

/* A host that floods holds up nobody else on the thread. */
static void
test_flood(void **state)
{
    Fixture *f = *state;
    const struct virtio_net_hdr none = { 0 };
    gint64 worst = 0;

    guest_net_start(&f->guest, OFFLOADS, 1);
    guest_net_post(&f->guest, 0, 250);
    guest_net_make(f->frame, 60, NULL, 1);
    for (unsigned round = 0; round < 200; round++) {
        gint64 begun;

        for (unsigned i = 0; i < 400; i++)
            (void)host_sends(f, &none, 60);
        begun = g_get_monotonic_time();
        (void)info(f); /* a call that the thread answers */
        worst = MAX(worst, g_get_monotonic_time() - begun);
        while (guest_receives(f, 0, 0) > 0)
            guest_net_post(&f->guest, 0, 1);
    }
    assert_true(worst < 500000);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)
#define TEST_QUEUES(NAME) \
    cmocka_unit_test_setup_teardown(test_##NAME, setup_queues, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(offers),
        TEST(echo),
        TEST(segments_out),
        TEST(segments_in),
        TEST(segments_wait),
        TEST(no_offloads),
        TEST(offload_command),
        TEST(checksum_out),
        TEST(bad_headers),
        TEST(burst),
        TEST(burst_by_one),
        TEST_QUEUES(queues),
        TEST_QUEUES(queues_unused),
        TEST(interface_goes),
        TEST(flood),
    };
    const char *why = tap_enter();

    if (why) {
        printf("1..0 # SKIP %s\n", why);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
