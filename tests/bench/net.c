/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A guest's driver, in shared memory, that keeps a virtio-net on a tap
 * interface busy, in a network namespace with nothing else; no KVM. Beside it
 * the floor: a bare loop that writes the same frames to the tap, or reads them.
 *
 *     bench-net WHAT SIZE SECONDS
 *
 * WHAT is send, receive, floor-send or floor-receive; frames larger than 1514
 * bytes are segments of TCP, left to the host to cut. Prints frames a second,
 * and how many ns of CPU each took the thread that reads or writes the tap.
 * Where WHAT is flood, it is the sender alone, on an interface of the name
 * TAP_NAME that somebody else has made.
 */
#include <config.h>

#include <err.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

#include "../unit/guest-net.h"
#include "../unit/tap-net.h"

#define HEADERS   (14 + 20 + 20) /* Ethernet, IPv4, TCP */
#define SEGMENT   1448
#define ONE_FRAME 1514
#define BATCH     64
#define TURNS     6
#define F(NAME)   GUEST_FEATURE(VIRTIO_NET_F_##NAME)
#define FEATURES                                                             \
    (F(CSUM) | F(HOST_TSO4) | F(GUEST_CSUM) | F(GUEST_TSO4) | F(MRG_RXBUF) | \
     GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX))

typedef struct Bench {
    GuestNet guest;
    int tap, peer;
    size_t size;
    gint64 end_us;
    struct virtio_net_hdr_v1 header;
    /* so that what follows the Ethernet header is aligned */
    _Alignas(4) uint8_t pad[2];
    uint8_t frame[ENGINE_NET_FRAME_MAX];
    bool stop;       /* atomic */
    uint64_t cpu_ns; /* of the thread at the tap */
} Bench;

static void
make_frame(Bench *bench)
{
    struct iphdr *ip = (void *)(bench->frame + 14);
    struct tcphdr *tcp = (void *)(ip + 1);

    guest_net_make(bench->frame, bench->size, NULL, 1);
    if (bench->size <= ONE_FRAME)
        return;
    bench->frame[12] = 8;
    bench->frame[13] = 0;
    *ip = (struct iphdr){ .version = 4,
                          .ihl = 5,
                          .ttl = 64,
                          .protocol = IPPROTO_TCP,
                          .tot_len = htons((uint16_t)(bench->size - 14)),
                          .saddr = htonl(0x0a000001),
                          .daddr = htonl(0x0a000002) };
    *tcp = (struct tcphdr){ .doff = 5, .ack = 1, .window = 1000 };
    bench->header = (struct virtio_net_hdr_v1){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
        .hdr_len = HEADERS,
        .gso_size = SEGMENT,
        .csum_start = 14 + 20,
        .csum_offset = offsetof(struct tcphdr, check),
    };
}

static bool
is_over(const Bench *bench)
{
    return g_get_monotonic_time() >= bench->end_us;
}

/* --- the floor ------------------------------------------------------------ */
static uint64_t
floor_send(Bench *bench)
{
    const struct iovec iov[] = { { &bench->header, sizeof(bench->header) },
                                 { bench->frame, bench->size } };
    uint64_t count = 0;

    while (!is_over(bench)) {
        for (unsigned i = 0; i < BATCH; i++)
            if (writev(bench->tap, iov, 2) < 0)
                err(1, "writev");
        count += BATCH;
    }
    return count;
}

static uint64_t
floor_receive(Bench *bench)
{
    /* as much memory in turn as a guest has buffers */
    static uint8_t frames[TURNS][ENGINE_NET_FRAME_MAX];
    struct virtio_net_hdr_v1 header;
    uint64_t count = 0;

    while (!is_over(bench)) {
        for (unsigned i = 0; i < BATCH; i++) {
            const struct iovec iov[] = {
                { &header, sizeof(header) },
                { frames[i % TURNS], sizeof(frames[0]) },
            };

            if (readv(bench->tap, iov, 2) < 0)
                err(1, "readv");
        }
        count += BATCH;
    }
    return count;
}

/* --- what the guest receives comes from here ------------------------------ */
static void *
flood(void *opaque)
{
    Bench *bench = opaque;
    const struct iovec iov[] = { { &bench->header,
                                   sizeof(struct virtio_net_hdr) },
                                 { bench->frame, bench->size } };

    while (!__atomic_load_n(&bench->stop, __ATOMIC_RELAXED))
        (void)!writev(bench->peer, iov, 2);
    return NULL;
}

/* Returns: the exit status */
static int
flood_alone(Bench *bench, double seconds)
{
    pthread_t thread;

    bench->peer = tap_peer();
    if (bench->peer < 0 || pthread_create(&thread, NULL, flood, bench) != 0)
        err(1, "flood");
    g_usleep((gulong)(seconds * G_USEC_PER_SEC));
    __atomic_store_n(&bench->stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    return 0;
}

/* --- the guest ------------------------------------------------------------ */
/* 2.7.10.1: a kick is needed if the device's event lies in what was added. */
static void
kick(Bench *bench, const GuestQueue *queue, unsigned index, uint16_t before)
{
    const uint16_t *used = guest_at(queue, queue->device);
    uint16_t event;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    event = __atomic_load_n(&used[2 + queue->size * 4], __ATOMIC_RELAXED);
    if ((uint16_t)(queue->next - event - 1) < (uint16_t)(queue->next - before))
        guest_virtio_kick(&bench->guest.virtio, index);
}

static uint64_t
guest_send(Bench *bench)
{
    GuestQueue *queue = &bench->guest.pair[0].send;
    const GuestBuffer buffers[] = {
        { GUEST_NET_SEND, GUEST_NET_HEADER, false },
        { GUEST_NET_SEND + GUEST_NET_HEADER, (uint32_t)bench->size, false },
    };
    uint8_t *ram = fake_ram(bench->guest.engine) + GUEST_NET_SEND;
    unsigned room = GUEST_NET_SIZE / 2;
    uint64_t count = 0;

    memcpy(ram, &bench->header, GUEST_NET_HEADER);
    memcpy(ram + GUEST_NET_HEADER, bench->frame, bench->size);
    while (!is_over(bench)) {
        uint16_t before = queue->next, id;
        uint32_t written;

        while (guest_queue_take(queue, &id, &written)) {
            room++;
            count++;
        }
        if (room == 0) {
            g_usleep(1);
            continue;
        }
        for (; room > 0; room--)
            guest_queue_add(queue, buffers, 2);
        kick(bench, queue, 1, before);
    }
    return count;
}

static uint64_t
guest_receive(Bench *bench)
{
    GuestNetPair *pair = &bench->guest.pair[0];
    GuestQueue *queue = &pair->receive;
    unsigned left = 0; /* buffers of the frame */
    uint64_t count = 0;

    guest_net_post(&bench->guest, 0, GUEST_NET_SIZE);
    while (!is_over(bench)) {
        uint16_t before = queue->next, id;
        uint32_t written;
        unsigned taken = 0;

        for (; guest_queue_take(queue, &id, &written); taken++) {
            const struct virtio_net_hdr_v1 *header =
                (void *)(fake_ram(bench->guest.engine) + pair->place[id]);

            if (left == 0)
                left = header->num_buffers;
            count += --left == 0;
            guest_net_offer(&bench->guest, 0);
        }
        if (taken > 0)
            kick(bench, queue, 0, before);
        else
            g_usleep(20);
    }
    return count;
}

static void
take_cpu(void *opaque)
{
    Bench *bench = opaque;
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    bench->cpu_ns = now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static uint64_t
run_floor(Bench *bench, const char *what)
{
    uint64_t count = strcmp(what, "floor-send") == 0 ? floor_send(bench)
                                                     : floor_receive(bench);

    take_cpu(bench);
    return count;
}

static uint64_t
run(Bench *bench, const char *what)
{
    uint64_t count;

    if (strstr(what, "floor"))
        return run_floor(bench, what);
    guest_net_init(&bench->guest);
    bench->guest.device.net.backend = (EngineNetBackendConfig){
        .kind = ENGINE_NET_TAP, .fd = -1, .fds = { bench->tap }, .n_fds = 1
    };
    guest_net_realize(&bench->guest);
    guest_net_start(&bench->guest, FEATURES, 1);
    count =
        strcmp(what, "send") == 0 ? guest_send(bench) : guest_receive(bench);
    engine_io_call(engine_io(bench->guest.engine, 0, NULL), take_cpu, bench);
    return count;
}

static void
open_tap(Bench *bench)
{
    const char *why = tap_enter();
    int header = sizeof(bench->header);
    unsigned offload = TUN_F_CSUM | TUN_F_TSO4;

    if (why)
        errx(77, "%s", why);
    bench->tap = tap_open(false);
    if (bench->tap < 0 || !tap_set_up(true) ||
        ioctl(bench->tap, TUNSETVNETHDRSZ, &header) < 0 ||
        ioctl(bench->tap, TUNSETOFFLOAD, offload) < 0)
        err(1, "tap");
}

int
main(int argc, char **argv)
{
    Bench *bench = g_new0(Bench, 1);
    pthread_t thread;
    double seconds;
    uint64_t count;

    if (argc != 4)
        errx(2, "bench-net WHAT SIZE SECONDS");
    bench->size = CLAMP((size_t)atoi(argv[2]), 14, ENGINE_NET_FRAME_MAX);
    seconds = atof(argv[3]);
    make_frame(bench);
    if (strcmp(argv[1], "flood") == 0)
        return flood_alone(bench, seconds);
    open_tap(bench);
    bench->end_us = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
    if (strstr(argv[1], "receive")) {
        bench->peer = tap_peer();
        if (bench->peer < 0 || pthread_create(&thread, NULL, flood, bench) != 0)
            err(1, "flood");
    }
    count = run(bench, argv[1]);
    if (strstr(argv[1], "receive")) {
        __atomic_store_n(&bench->stop, true, __ATOMIC_RELAXED);
        pthread_join(thread, NULL);
    }
    printf("%.0f %.0f\n", (double)count / seconds,
           (double)bench->cpu_ns / (double)MAX(count, 1));
    return 0;
}
