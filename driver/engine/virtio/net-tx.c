/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <limits.h>
#include <string.h>

#include "engine/virtio/net.h"
#include "util/i18n.h"

/* The guest's frames (virtio 1.2, 5.1.6.2): its buffers go to the backend as
 * they are; only the header is copied, so that what was checked is what is
 * used. */
#define GSO_KINDS 0x7f /* without VIRTIO_NET_HDR_GSO_ECN */

typedef enum Sending {
    SENDING = 0, /* there may be more */
    SENDING_NOTHING,
    SENDING_LATER, /* a timer or the backend says when */
} Sending;

/* --- headers ----------------------------------------------------------------
 */
/* Checksums: within the frame, and by leave. */
static bool
checksum_is_good(const EngineVirtioNet *net,
                 const struct virtio_net_hdr_v1 *header, size_t size)
{
    if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
        return true;
    return engine_virtio_net_has(net, VIRTIO_NET_F_CSUM) &&
           header->csum_start + header->csum_offset + sizeof(uint16_t) <= size;
}

static bool
segments_are_good(const EngineVirtioNet *net,
                  const struct virtio_net_hdr_v1 *header, size_t size)
{
    static const struct {
        uint8_t type;
        unsigned feature;
    } kinds[] = {
        { VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_F_HOST_TSO4 },
        { VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_F_HOST_TSO6 },
        { VIRTIO_NET_HDR_GSO_UDP, VIRTIO_NET_F_HOST_UFO },
    };
    uint8_t type = header->gso_type & GSO_KINDS;

    if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (header->gso_type & VIRTIO_NET_HDR_GSO_ECN &&
        !engine_virtio_net_has(net, VIRTIO_NET_F_HOST_ECN))
        return false;
    if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
        header->gso_size == 0 || header->hdr_len > size)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].type == type)
            return engine_virtio_net_has(net, kinds[i].feature);
    return false;
}

static bool
size_is_good(const EngineVirtioNet *net, const struct virtio_net_hdr_v1 *header,
             size_t size)
{
    size_t most = header->gso_type == VIRTIO_NET_HDR_GSO_NONE
                      ? engine_virtio_net_frame_max(net->config)
                      : ENGINE_NET_FRAME_MAX;

    return size >= ENGINE_NET_FRAME_MIN && size <= most;
}

/* --- frames -----------------------------------------------------------------
 */
/* Takes the header off the chain. Returns: the index of what follows it */
static unsigned
take_header(EngineChain *chain, struct virtio_net_hdr_v1 *header)
{
    uint8_t *to = (uint8_t *)header;
    size_t left = sizeof(*header);
    unsigned i = 0;

    while (left > 0) {
        struct iovec *iov = &chain->iov[i];
        size_t part = MIN(left, iov->iov_len);

        memcpy(to, iov->iov_base, part);
        to += part;
        left -= part;
        iov->iov_base = (uint8_t *)iov->iov_base + part;
        iov->iov_len -= part;
        if (iov->iov_len == 0)
            i++;
    }
    return i;
}

/* What a header may say that is no business of the host's. */
static void
tidy(struct virtio_net_hdr_v1 *header)
{
    header->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header->num_buffers = 0;
}

static EngineNetSent
send_chain(EngineVirtioNet *net, unsigned pair, EngineChain *chain)
{
    struct virtio_net_hdr_v1 header;
    size_t size = chain->read_size - sizeof(header);
    unsigned first = take_header(chain, &header);
    /* There is one element of net->iov before those of the chain. */
    const EngineNetFrame frame = { .header = &header,
                                   .iov = chain->iov + first - 1,
                                   .count = chain->n_read - first + 1,
                                   .size = size };

    tidy(&header);
    if (!size_is_good(net, &header, size) ||
        !checksum_is_good(net, &header, size) ||
        !segments_are_good(net, &header, size) || frame.count > IOV_MAX)
        return ENGINE_NET_FAILED;
    return net->backend->type->send(net->backend,
                                    pair < net->n_pairs ? pair : 0, &frame);
}

/* One frame of the queue. */
static Sending
send_next(EngineVirtioNet *net, unsigned pair, unsigned queue, int64_t now_ns)
{
    EngineVirtio *virtio = &net->virtio;
    EngineChain chain = { .iov = net->iov + 1,
                          .capacity = ENGINE_QUEUE_SIZE_MAX };
    size_t size;

    if (!engine_virtio_pop(virtio, queue, &chain))
        return SENDING_NOTHING;
    if (chain.read_size < ENGINE_NET_HEADER_BYTES || chain.n_write > 0) {
        engine_virtio_fail(virtio, N_("a frame that is sent has no header, or "
                                      "buffers to write to"));
        return SENDING_NOTHING;
    }
    size = chain.read_size - ENGINE_NET_HEADER_BYTES;
    if (!(net->status & VIRTIO_NET_S_LINK_UP)) {
        net->sent.dropped++;
    } else {
        switch (send_chain(net, pair, &chain)) {
        case ENGINE_NET_FULL:
            engine_virtio_untake(virtio, queue, &chain);
            net->pairs[pair].blocked = true;
            return SENDING_LATER;
        case ENGINE_NET_FAILED:
            net->sent.errors++;
            break;
        case ENGINE_NET_SENT:
            net->sent.packets++;
            net->sent.bytes += size;
            engine_bucket_take(&net->outbound, size, now_ns);
            break;
        }
    }
    engine_virtio_fill(virtio, queue, &chain, 0);
    return SENDING;
}

/* Returns: whether the bandwidth is used up; then the timer is set */
static bool
is_throttled(EngineVirtioNet *net, int64_t *ret_now_ns)
{
    int64_t wait_ns;

    if (!engine_bucket_is_set(&net->outbound))
        return false;
    *ret_now_ns = engine_io_now();
    wait_ns = engine_bucket_wait(&net->outbound, *ret_now_ns);
    if (wait_ns > 0)
        engine_io_timer_set(&net->outbound_timer, *ret_now_ns + wait_ns);
    return wait_ns > 0;
}

void
engine_virtio_net_send(EngineVirtioNet *net, unsigned pair)
{
    EngineVirtio *virtio = &net->virtio;
    unsigned queue = 2 * pair + 1, budget = ENGINE_NET_BUDGET;
    EngineQueue *ring = &virtio->queues[queue].ring;
    Sending sending = SENDING;

    if (!virtio->live || net->pairs[pair].blocked)
        return;
    engine_queue_mute(ring);
    while (sending == SENDING && budget-- > 0) {
        int64_t now_ns = 0;

        sending = is_throttled(net, &now_ns)
                      ? SENDING_LATER
                      : send_next(net, pair, queue, now_ns);
        if (sending == SENDING_NOTHING && virtio->live &&
            engine_queue_listen(ring)) {
            engine_queue_mute(ring);
            sending = SENDING;
        }
    }
    engine_virtio_flush(virtio, queue);
    engine_virtio_notify(virtio, queue);
    if (sending == SENDING)
        engine_virtio_again(virtio, queue);
}
