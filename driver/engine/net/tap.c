/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "engine/net/burst.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/*
 * A tap interface of the host (Documentation/networking/tuntap.rst): one
 * descriptor for each pair of queues. The kernel's own header before each frame
 * is the guest's: checksums and segmentation are left to whoever does them
 * best.
 */
typedef struct Tap Tap;

typedef struct TapQueue {
    Tap *tap;
    unsigned index;
    int fd;
    EngineIoSource *source; /* NULL: detached, or the interface has gone */
    uint32_t events;        /* that are waited for */
} TapQueue;

struct Tap {
    EngineNet net;
    TapQueue queues[ENGINE_NET_PAIRS_MAX];
    unsigned n_queues;
    bool gone;
    EngineNetBurst *burst; /* NULL: not yet needed, or there is none */
    bool no_burst;
};

static Tap *
tap_of(EngineNet *net)
{
    return (Tap *)net;
}

/* What of the kernel's offloads stands for which feature */
static const struct {
    unsigned feature;
    unsigned offload;
} offloads[] = {
    { VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM },
    { VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
    { VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 },
    { VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN },
    { VIRTIO_NET_F_GUEST_UFO, TUN_F_UFO },
};

/* --- waiting -------------------------------------------------------------- */
static void
watch(TapQueue *queue, uint32_t events)
{
    if (!queue->source || queue->events == events)
        return;
    engine_io_set_events(queue->source, events);
    queue->events = events;
}

static void
on_ready(void *opaque)
{
    TapQueue *queue = opaque;
    Tap *tap = queue->tap;
    const EngineNetPeer *peer = tap->net.peer;
    uint32_t events = engine_io_events(queue->source);

    /* An interface that was deleted says so for ever. */
    if (events & (EPOLLERR | EPOLLHUP)) {
        engine_io_remove(g_steal_pointer(&queue->source));
        if (!tap->gone)
            peer->gone(peer->opaque);
        tap->gone = true;
        return;
    }
    if (events & EPOLLOUT) {
        watch(queue, queue->events & ~(uint32_t)EPOLLOUT);
        peer->writable(peer->opaque, queue->index);
    }
    if (events & EPOLLIN)
        peer->readable(peer->opaque, queue->index);
}

static bool
attach(TapQueue *queue, GError **error)
{
    queue->source =
        engine_io_add(queue->tap->net.io, queue->fd, on_ready, queue, error);
    queue->events = EPOLLIN;
    watch(queue, 0);
    return queue->source != NULL;
}

static void
detach(TapQueue *queue)
{
    engine_io_remove(g_steal_pointer(&queue->source));
}

static void
tap_listen(EngineNet *net, unsigned index, bool on)
{
    TapQueue *queue = &tap_of(net)->queues[index];
    uint32_t others = queue->events & ~(uint32_t)EPOLLIN;

    watch(queue, others | (on ? EPOLLIN : 0));
}

/* --- frames --------------------------------------------------------------- */
static ssize_t
tap_receive(EngineNet *net, unsigned index, const struct iovec *iov,
            unsigned count)
{
    ssize_t got = readv(tap_of(net)->queues[index].fd, iov, (int)count);

    return got > 0 ? got : 0;
}

static void
put_header(const EngineNetFrame *frame)
{
    frame->iov[0] =
        (struct iovec){ (void *)frame->header, sizeof(*frame->header) };
}

/* One that has gone will never be writable. */
static EngineNetSent
wait_if_full(TapQueue *queue, EngineNetSent sent)
{
    if (sent == ENGINE_NET_FULL && !queue->source)
        return ENGINE_NET_FAILED;
    if (sent == ENGINE_NET_FULL)
        watch(queue, queue->events | EPOLLOUT);
    return sent;
}

static EngineNetSent
tap_send(EngineNet *net, unsigned index, const EngineNetFrame *frame)
{
    TapQueue *queue = &tap_of(net)->queues[index];

    put_header(frame);
    if (writev(queue->fd, frame->iov, (int)frame->count) >= 0)
        return ENGINE_NET_SENT;
    return wait_if_full(queue,
                        errno == EAGAIN ? ENGINE_NET_FULL : ENGINE_NET_FAILED);
}

/* As engine_net_burst_write(), if there is such a thing. */
static unsigned
write_burst(Tap *tap, int fd, const EngineNetFrame *frames, unsigned count,
            EngineNetSent *ret_sent)
{
    unsigned done;

    if (!tap->burst && !tap->no_burst)
        tap->burst = engine_net_burst_new();
    tap->no_burst = !tap->burst;
    if (!tap->burst)
        return 0;
    for (unsigned i = 0; i < count; i++)
        put_header(&frames[i]);
    done = engine_net_burst_write(tap->burst, fd, frames, count, ret_sent);
    if (done < count) {
        g_clear_pointer(&tap->burst, engine_net_burst_free);
        tap->no_burst = true;
    }
    return done;
}

static void
tap_send_many(EngineNet *net, unsigned index, const EngineNetFrame *frames,
              unsigned count, EngineNetSent *ret_sent)
{
    Tap *tap = tap_of(net);
    TapQueue *queue = &tap->queues[index];
    unsigned done = write_burst(tap, queue->fd, frames, count, ret_sent);
    bool full = false;

    for (unsigned i = 0; i < count; i++) {
        if (full)
            ret_sent[i] = ENGINE_NET_FULL;
        else if (i < done)
            ret_sent[i] = wait_if_full(queue, ret_sent[i]);
        else
            ret_sent[i] = tap_send(net, index, &frames[i]);
        full = ret_sent[i] == ENGINE_NET_FULL;
    }
}

/* --- features ------------------------------------------------------------- */
static bool
set_offload(const Tap *tap, uint64_t features)
{
    unsigned bits = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(offloads); i++)
        if (features & 1ull << offloads[i].feature)
            bits |= offloads[i].offload;
    /* The kernel, too, has nothing without checksums. */
    return ioctl(tap->queues[0].fd, TUNSETOFFLOAD,
                 bits & TUN_F_CSUM ? bits : 0) == 0;
}

/* Returns: those of the guest's features that the kernel knows */
static uint64_t
try_each(const Tap *tap)
{
    uint64_t known = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(offloads); i++) {
        uint64_t one = 1ull << offloads[i].feature;

        if (set_offload(tap, 1ull << VIRTIO_NET_F_GUEST_CSUM | one))
            known |= one;
    }
    return known;
}

static uint64_t
tap_features(EngineNet *net)
{
    static const uint64_t host =
        1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_HOST_TSO4 |
        1ull << VIRTIO_NET_F_HOST_TSO6 | 1ull << VIRTIO_NET_F_HOST_ECN |
        1ull << VIRTIO_NET_F_HOST_UFO;
    uint64_t guest = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(offloads); i++)
        guest |= 1ull << offloads[i].feature;
    /* Each call costs the kernel time: one by one only if it must be. */
    if (!set_offload(tap_of(net), guest))
        guest = try_each(tap_of(net));
    (void)set_offload(tap_of(net), 0);
    return host | guest;
}

static void
tap_set_features(EngineNet *net, uint64_t features)
{
    (void)set_offload(tap_of(net), features);
}

/* --- queues --------------------------------------------------------------- */
static bool
use_queue(TapQueue *queue, bool use)
{
    struct ifreq request = { .ifr_flags =
                                 use ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

    if (use == (queue->source != NULL))
        return true;
    if (!use)
        detach(queue); /* one that is detached reports errors for ever */
    if (ioctl(queue->fd, TUNSETQUEUE, &request) != 0)
        return false;
    return !use || attach(queue, NULL);
}

static bool
tap_set_pairs(EngineNet *net, unsigned pairs)
{
    Tap *tap = tap_of(net);
    bool done = true;

    for (unsigned i = 0; i < tap->n_queues && !tap->gone; i++)
        done = use_queue(&tap->queues[i], i < pairs) && done;
    return done && !tap->gone;
}

/* --- life ----------------------------------------------------------------- */
static void
tap_close(EngineNet *net)
{
    Tap *tap = tap_of(net);

    for (unsigned i = 0; i < tap->n_queues; i++)
        detach(&tap->queues[i]);
    engine_net_burst_free(tap->burst);
    g_free(tap);
}

static bool
check_queue(TapQueue *queue, bool several, GError **error)
{
    short wanted = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    int header = sizeof(struct virtio_net_hdr_v1);
    struct ifreq request = { 0 };

    if (several)
        wanted |= IFF_MULTI_QUEUE;
    if (ioctl(queue->fd, TUNGETIFF, &request) != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("descriptor %d is not a tap interface"), queue->fd);
        return false;
    }
    if ((request.ifr_flags & wanted) != wanted) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the tap interface '%s' was not opened with IFF_VNET_HDR "
                    "and as many queues as it is to have"),
                  request.ifr_name);
        return false;
    }
    if (fd_set_nonblocking(queue->fd, true) &&
        ioctl(queue->fd, TUNSETVNETHDRSZ, &header) == 0)
        return true;
    error_set_errno(error, errno, _("cannot set up the tap interface '%s'"),
                    request.ifr_name);
    return false;
}

static EngineNet *
tap_open(const EngineNetBackendConfig *config, EngineIo *io, GError **error)
{
    Tap *tap = g_new0(Tap, 1);

    tap->net.io = io;
    tap->n_queues = (unsigned)config->n_fds;
    for (unsigned i = 0; i < tap->n_queues; i++) {
        TapQueue *queue = &tap->queues[i];

        *queue = (TapQueue){ .tap = tap, .index = i, .fd = config->fds[i] };
        if (!check_queue(queue, tap->n_queues > 1, error) ||
            !attach(queue, error)) {
            tap_close(&tap->net);
            return NULL;
        }
    }
    return &tap->net;
}

const EngineNetType engine_net_tap_type = {
    .headers = true,
    .open = tap_open,
    .close = tap_close,
    .listen = tap_listen,
    .receive = tap_receive,
    .send = tap_send,
    .send_many = tap_send_many,
    .features = tap_features,
    .set_features = tap_set_features,
    .set_pairs = tap_set_pairs,
};
