/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest-net.h"

/* A guest in user mode that writes its frames by hand: DHCP, ARP, a connection
 * to the host and one from it. */
#define GUEST_IP     0x0a00020f /* 10.0.2.15 */
#define GATEWAY_IP   0x0a000202
#define GUEST_PORT   7777
#define LOCAL_PORT   40000
#define SHORT_US     100000
#define COOKIE       0x63825363 /* before DHCP's options, RFC 2131 */
#define DHCP_MESSAGE 53
#define DHCP_ROUTER  3
#define DHCP_DNS     6
#define DHCP_OFFER   2
#define TCP_AT       offsetof(Packet, tcp)

typedef struct Packet {
    struct ether_header ether;
    struct iphdr ip;
    union {
        struct {
            struct udphdr udp;
            uint8_t datagram[1400];
        };
        struct {
            struct tcphdr tcp;
            uint8_t stream[1400];
        };
    };
} __attribute__((packed)) Packet;

typedef struct Fixture {
    GuestNet guest;
    EngineNetForward forwards[2];
    uint8_t gateway[6];
    uint8_t got[ENGINE_NET_FRAME_MAX + 64];
    Packet packet; /* the last that came */
    uint32_t seq, ack;
} Fixture;

static const struct virtio_net_hdr_v1 plain = { 0 };
static const uint8_t guest_mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

/* Returns: a port that was free a moment ago */
static unsigned
free_port(int type)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int
make(void **state, bool restricted)
{
    Fixture *f = calloc(1, sizeof(*f));

    for (unsigned i = 0; i < 2; i++)
        f->forwards[i] = (EngineNetForward){
            .udp = i == 1,
            .host.s_addr = htonl(INADDR_LOOPBACK),
            .host_port = free_port(i == 1 ? SOCK_DGRAM : SOCK_STREAM),
            .guest_port = GUEST_PORT,
        };
    guest_net_init(&f->guest);
    f->guest.device.net.backend = (EngineNetBackendConfig){
        .kind = ENGINE_NET_USER,
        .network.s_addr = htonl(GUEST_IP & 0xffffff00),
        .prefix = 24,
        .restricted = restricted,
        .hostname = (char *)"tester",
        .forwards = f->forwards,
        .n_forwards = 2,
    };
    guest_net_realize(&f->guest);
    guest_net_start(&f->guest, GUEST_FEATURE(VIRTIO_NET_F_MRG_RXBUF), 1);
    guest_net_post(&f->guest, 0, 100);
    *state = f;
    return 0;
}

static int
setup(void **state)
{
    return make(state, false);
}

static int
setup_restricted(void **state)
{
    return make(state, true);
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->guest.engine);
    free(f);
    return 0;
}

/* --- frames by hand ------------------------------------------------------- */
static uint32_t
sum(const void *bytes, size_t size, uint32_t before)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        before += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    return before;
}

static uint16_t
folded(uint32_t total)
{
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return htons((uint16_t)~total);
}

static void
send_frame(Fixture *f, const void *frame, size_t size)
{
    assert_true(guest_net_send(&f->guest, 0, &plain, frame, size));
}

/* Fills in what is below TCP and UDP. @size: of what is above IP */
static void
send_packet(Fixture *f, Packet *packet, uint8_t protocol, uint32_t to,
            size_t size)
{
    uint32_t total;

    memcpy(packet->ether.ether_dhost, f->gateway, 6);
    memcpy(packet->ether.ether_shost, guest_mac, 6);
    packet->ether.ether_type = htons(ETHERTYPE_IP);
    packet->ip = (struct iphdr){
        .version = 4,
        .ihl = 5,
        .tot_len = htons((uint16_t)(sizeof(packet->ip) + size)),
        .ttl = 64,
        .protocol = protocol,
        .saddr = to == INADDR_BROADCAST ? 0 : htonl(GUEST_IP),
        .daddr = htonl(to),
    };
    packet->ip.check = folded(sum(&packet->ip, sizeof(packet->ip), 0));
    total = sum(&packet->ip.saddr, 8, protocol + (uint32_t)size);
    if (protocol == IPPROTO_TCP)
        packet->tcp.check = folded(sum(&packet->tcp, size, total));
    send_frame(f, packet, sizeof(packet->ether) + sizeof(packet->ip) + size);
}

static size_t
next_frame(Fixture *f, gint64 patience_us)
{
    struct virtio_net_hdr_v1 header;
    size_t size = guest_net_receive(&f->guest, 0, &header, f->got, patience_us);

    if (size > 0)
        guest_net_post(&f->guest, 0, 1);
    return size;
}

static void
answer_arp(Fixture *f)
{
    uint8_t reply[42];
    uint32_t ours = htonl(GUEST_IP);

    memcpy(reply, f->got, sizeof(reply));
    if (memcmp(f->got + 38, &ours, 4) != 0)
        return;
    memcpy(reply, f->got + 6, 6);
    memcpy(reply + 6, guest_mac, 6);
    reply[21] = ARPOP_REPLY;
    memcpy(reply + 22, guest_mac, 6);
    memcpy(reply + 28, &ours, 4);
    memcpy(reply + 32, f->got + 22, 10);
    send_frame(f, reply, sizeof(reply));
}

/* Waits for a packet of @protocol, in f->packet; answers what the network asks
 * in between. Returns: whether it came */
static bool
next_packet(Fixture *f, uint8_t protocol, gint64 patience_us)
{
    size_t size;

    while ((size = next_frame(f, patience_us)) > 0) {
        memset(&f->packet, 0, sizeof(f->packet));
        memcpy(&f->packet, f->got, MIN(size, sizeof(f->packet)));
        if (f->packet.ether.ether_type == htons(ETHERTYPE_ARP) &&
            f->got[21] == ARPOP_REQUEST)
            answer_arp(f);
        else if (f->packet.ether.ether_type == htons(ETHERTYPE_IP) &&
                 f->packet.ip.protocol == protocol)
            return true;
    }
    return false;
}

/* --- DHCP and ARP --------------------------------------------------------- */
static const uint8_t *
option(const uint8_t *options, uint8_t wanted)
{
    while (*options != 255 && *options != wanted)
        options += *options == 0 ? 1 : options[1] + 2;
    return *options == wanted ? options + 2 : NULL;
}

static void
discover(Fixture *f)
{
    static const uint8_t options[] = { DHCP_MESSAGE, 1, 1, 255 };
    Packet packet = { 0 };
    uint8_t *bootp = packet.datagram;
    uint32_t cookie = htonl(COOKIE);

    memset(f->gateway, 0xff, 6); /* to everybody */
    packet.udp.source = htons(68);
    packet.udp.dest = htons(67);
    packet.udp.len = htons(sizeof(packet.udp) + 300);
    bootp[0] = 1;
    bootp[1] = 1;
    bootp[2] = 6;
    memcpy(bootp + 28, guest_mac, 6);
    memcpy(bootp + 236, &cookie, 4);
    memcpy(bootp + 240, options, sizeof(options));
    send_packet(f, &packet, IPPROTO_UDP, INADDR_BROADCAST,
                sizeof(packet.udp) + 300);
}

static void
find_gateway(Fixture *f)
{
    uint32_t from = htonl(GUEST_IP), to = htonl(GATEWAY_IP);
    uint8_t request[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t kind[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, ARPOP_REQUEST };

    memcpy(request + 6, guest_mac, 6);
    memcpy(request + 12, kind, sizeof(kind));
    memcpy(request + 22, guest_mac, 6);
    memcpy(request + 28, &from, 4);
    memcpy(request + 38, &to, 4);
    send_frame(f, request, sizeof(request));
    do {
        assert_true(next_frame(f, GUEST_NET_PATIENCE_US) >= 42);
    } while (f->got[12] != 8 || f->got[13] != 6 || f->got[21] != ARPOP_REPLY);
    assert_memory_equal(f->got + 28, &to, 4);
    memcpy(f->gateway, f->got + 22, 6);
}

static void
test_lease(void **state)
{
    Fixture *f = *state;
    const uint8_t *options = f->packet.datagram + 240, *found;
    uint32_t address = htonl(GUEST_IP), gateway = htonl(GATEWAY_IP);
    uint32_t server = htonl(GATEWAY_IP + 1);

    discover(f);
    assert_true(next_packet(f, IPPROTO_UDP, GUEST_NET_PATIENCE_US));
    assert_int_equal(ntohs(f->packet.udp.source), 67);
    assert_memory_equal(f->packet.datagram + 16, &address, 4);
    found = option(options, DHCP_MESSAGE);
    assert_true(found && *found == DHCP_OFFER);
    found = option(options, DHCP_ROUTER);
    assert_true(found && memcmp(found, &gateway, 4) == 0);
    found = option(options, DHCP_DNS);
    assert_true(found && memcmp(found, &server, 4) == 0);
    find_gateway(f);
}

/* --- TCP ------------------------------------------------------------------ */
static void
send_segment(Fixture *f, unsigned from, unsigned to, unsigned flags,
             const char *text)
{
    Packet packet = { 0 };
    size_t size = strlen(text);

    packet.tcp = (struct tcphdr){
        .source = htons((uint16_t)from),
        .dest = htons((uint16_t)to),
        .seq = htonl(f->seq),
        .ack_seq = htonl(f->ack),
        .doff = 5,
        .window = htons(60000),
    };
    packet.tcp.th_flags = (uint8_t)flags;
    memcpy(packet.stream, text, size);
    send_packet(f, &packet, IPPROTO_TCP, GATEWAY_IP, sizeof(packet.tcp) + size);
    f->seq += (uint32_t)size + (flags & TH_SYN ? 1 : 0);
}

/* Waits for a segment with @flags or, if it is not NULL, with @text. */
static bool
next_segment(Fixture *f, unsigned flags, const char *text, gint64 patience_us)
{
    while (next_packet(f, IPPROTO_TCP, patience_us)) {
        const struct tcphdr *tcp = (const void *)(f->got + TCP_AT);
        const char *data = (const char *)tcp + tcp->doff * 4;
        size_t size = (size_t)ntohs(f->packet.ip.tot_len) -
                      sizeof(f->packet.ip) - tcp->doff * 4u;

        if ((tcp->th_flags & flags) != flags ||
            (text && (size != strlen(text) || memcmp(data, text, size) != 0)))
            continue;
        f->ack =
            ntohl(tcp->seq) + (uint32_t)size + (tcp->th_flags & TH_SYN ? 1 : 0);
        return true;
    }
    return false;
}

static int
listener(unsigned *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void
expect(int fd, const char *text)
{
    char got[64] = "";

    assert_int_equal(recv(fd, got, strlen(text), MSG_WAITALL), strlen(text));
    assert_string_equal(got, text);
}

/* The gateway is the host, whose own services the guest reaches. */
static void
test_to_the_host(void **state)
{
    Fixture *f = *state;
    unsigned port;
    int fd = listener(&port), peer;

    find_gateway(f);
    f->seq = 1000;
    send_segment(f, LOCAL_PORT, port, TH_SYN, "");
    assert_true(next_segment(f, TH_SYN | TH_ACK, NULL, GUEST_NET_PATIENCE_US));
    send_segment(f, LOCAL_PORT, port, TH_ACK, "");
    peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer >= 0);
    send_segment(f, LOCAL_PORT, port, TH_ACK | TH_PUSH, "is there anybody?");
    expect(peer, "is there anybody?");
    assert_int_equal(send(peer, "here I am", 9, MSG_NOSIGNAL), 9);
    assert_true(next_segment(f, TH_ACK, "here I am", GUEST_NET_PATIENCE_US));
    send_segment(f, LOCAL_PORT, port, TH_ACK, "");
    close(peer);
    assert_true(next_segment(f, TH_FIN, NULL, GUEST_NET_PATIENCE_US));
    close(fd);
}

static void
test_restricted(void **state)
{
    Fixture *f = *state;
    unsigned port;
    int fd = listener(&port);
    struct pollfd wait = { .fd = fd, .events = POLLIN };

    find_gateway(f);
    f->seq = 1000;
    send_segment(f, LOCAL_PORT, port, TH_SYN, "");
    assert_false(next_segment(f, TH_SYN | TH_ACK, NULL, SHORT_US));
    assert_int_equal(poll(&wait, 1, 0), 0);
    close(fd);
}

/* --- from the host -------------------------------------------------------- */
static int
connect_to(const EngineNetForward *forward)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr = forward->host,
        .sin_port = htons((uint16_t)forward->host_port),
    };
    int fd = socket(
        AF_INET, (forward->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

    assert_int_equal(
        connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void
test_forward_tcp(void **state)
{
    Fixture *f = *state;
    unsigned from;
    int fd;

    find_gateway(f);
    fd = connect_to(&f->forwards[0]);
    assert_true(next_segment(f, TH_SYN, NULL, GUEST_NET_PATIENCE_US));
    assert_int_equal(ntohs(f->packet.tcp.dest), GUEST_PORT);
    assert_int_equal(ntohl(f->packet.ip.daddr), GUEST_IP);
    from = ntohs(f->packet.tcp.source);
    f->seq = 5000;
    send_segment(f, GUEST_PORT, from, TH_SYN | TH_ACK, "");
    assert_true(next_segment(f, TH_ACK, NULL, GUEST_NET_PATIENCE_US));
    assert_int_equal(send(fd, "knock", 5, MSG_NOSIGNAL), 5);
    assert_true(next_segment(f, TH_ACK, "knock", GUEST_NET_PATIENCE_US));
    send_segment(f, GUEST_PORT, from, TH_ACK | TH_PUSH, "come in");
    expect(fd, "come in");
    close(fd);
}

static void
test_forward_udp(void **state)
{
    Fixture *f = *state;
    int fd;

    find_gateway(f);
    fd = connect_to(&f->forwards[1]);
    assert_int_equal(send(fd, "datagram", 8, MSG_NOSIGNAL), 8);
    assert_true(next_packet(f, IPPROTO_UDP, GUEST_NET_PATIENCE_US));
    assert_int_equal(ntohs(f->packet.udp.dest), GUEST_PORT);
    assert_memory_equal(f->packet.datagram, "datagram", 8);
    close(fd);
}

/* A port that is taken is named. */
static void
test_port_taken(void **state)
{
    Fixture *f = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *named =
        g_strdup_printf("TCP port %u", f->forwards[0].host_port);
    EngineNetPeer peer = { 0 };

    assert_null(engine_net_open(&f->guest.device.net.backend,
                                engine_io(f->guest.engine, 0, NULL), &peer,
                                &error));
    assert_non_null(strstr(error->message, named));
}

/* Frames that are nothing known are no harm. */
static void
test_nonsense(void **state)
{
    Fixture *f = *state;
    uint8_t frame[2000];

    for (unsigned i = 0; i < 2000; i++) {
        size_t size = 14 + (i * 37) % 1900;

        guest_net_make(frame, size, NULL, i);
        frame[12] = 8;
        frame[13] = i % 3 == 0 ? 6 : 0;
        if (i % 2 && size > 14)
            frame[14] = 0x45;
        send_frame(f, frame, size);
        while (next_frame(f, 0) > 0)
            continue;
    }
    find_gateway(f);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lease),
        TEST(to_the_host),
        cmocka_unit_test_setup_teardown(test_restricted, setup_restricted,
                                        teardown),
        TEST(forward_tcp),
        TEST(forward_udp),
        TEST(port_taken),
        TEST(nonsense),
    };
    g_autofree char *modules =
        g_build_filename(g_getenv("abs_top_builddir"), ".libs", NULL);

    g_setenv("VIRTKVM_MODULE_DIR", modules, TRUE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
