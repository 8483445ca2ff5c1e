/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/* A guest with a network interface whose other end is a stream socket, held by
 * the test: both sides of every frame are seen. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/control-command.h"
#include "guest-net.h"

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

static const struct virtio_net_hdr_v1 plain;

static inline int
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

static inline int
setup(void **state)
{
    return make(state, NULL);
}

static inline int
setup_mtu(void **state)
{
    return make(state, &(EngineNetConfig){ .mtu = 1500, .link = true });
}

static inline int
setup_down(void **state)
{
    return make(state, &(EngineNetConfig){ .link = false });
}

static inline int
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
static inline void
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

static inline void
peer_send(Fixture *f, const void *frame, size_t size)
{
    uint32_t prefix = GUINT32_TO_BE((uint32_t)size);

    peer_write(f, &prefix, sizeof(prefix));
    peer_write(f, frame, size);
}

static inline bool
peer_readable(Fixture *f, int timeout_ms)
{
    struct pollfd wait = { .fd = f->peer, .events = POLLIN };

    return poll(&wait, 1, timeout_ms) > 0;
}

/* Returns: bytes of the next frame, in f->got; 0: none comes */
static inline size_t
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

static inline void
make_frame(Fixture *f, size_t size, unsigned seed)
{
    guest_net_make(f->frame, size, NULL, seed);
}

static inline void
check_sends(Fixture *f, size_t size, unsigned seed)
{
    make_frame(f, size, seed);
    assert_true(guest_net_send(&f->guest, 0, &plain, f->frame, size));
    assert_int_equal(peer_receive(f, 5000), size);
    assert_memory_equal(f->got, f->frame, size);
}

static inline size_t
guest_receives(Fixture *f, gint64 patience_us)
{
    memset(f->got, 0, sizeof(f->got));
    return guest_net_receive(&f->guest, 0, &f->header, f->got, patience_us);
}

static inline void
check_receives(Fixture *f, size_t size, unsigned seed)
{
    make_frame(f, size, seed);
    peer_send(f, f->frame, size);
    assert_int_equal(guest_receives(f, GUEST_NET_PATIENCE_US), size);
    assert_memory_equal(f->got, f->frame, size);
    assert_int_equal(f->header.flags, 0);
    assert_int_equal(f->header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
}

static inline EngineNetInfo
info(Fixture *f)
{
    EngineNetInfo told;

    engine_virtio_net_info(f->guest.net, &told);
    return told;
}

static inline uint64_t
config_field(Fixture *f, size_t offset, unsigned size)
{
    return fake_mmio_read(f->guest.engine, f->guest.virtio.config + offset,
                          size);
}
#define CONFIG(F, FIELD, SIZE) \
    config_field(F, offsetof(struct virtio_net_config, FIELD), SIZE)

static inline bool
needs_reset(Fixture *f)
{
    gint64 end = g_get_monotonic_time() + GUEST_NET_PATIENCE_US;

    while (
        !(guest_virtio_status(&f->guest.virtio) & VIRTIO_CONFIG_S_NEEDS_RESET))
        if (g_get_monotonic_time() > end)
            return false;
    return true;
}
