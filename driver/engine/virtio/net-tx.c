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

/* Makes a frame of a chain. Returns: whether it may be sent */
static bool
make_frame(EngineVirtioNet *net, EngineNetBatch *batch, unsigned i)
{
    struct virtio_net_hdr_v1 *header = &batch->headers[i];
    EngineChain *chain = &batch->chains[i];
    EngineNetFrame *frame = &batch->frames[i];
    size_t size = chain->read_size - sizeof(*header);
    unsigned first = take_header(chain, header);

    /* There is one element before those of the chain. */
    *frame = (EngineNetFrame){ .header = header,
                               .iov = chain->iov + first - 1,
                               .count = chain->n_read - first + 1,
                               .size = size };
    tidy(header);
    return size_is_good(net, header, size) &&
           checksum_is_good(net, header, size) &&
           segments_are_good(net, header, size) && frame->count <= IOV_MAX;
}

/* --- batches ----------------------------------------------------------------
 */
/* Takes a chain of the queue. Returns: whether there was one */
static bool
take_chain(EngineVirtioNet *net, EngineNetBatch *batch, unsigned queue)
{
    EngineVirtio *virtio = &net->virtio;
    EngineChain *chain = &batch->chains[batch->count];

    *chain = (EngineChain){ .iov = batch->iov + batch->n_iov + 1,
                            .capacity = ENGINE_QUEUE_SIZE_MAX };
    if (!engine_virtio_pop(virtio, queue, chain))
        return false;
    if (chain->read_size < ENGINE_NET_HEADER_BYTES || chain->n_write > 0) {
        engine_virtio_fail(virtio, N_("a frame that is sent has no header, or "
                                      "buffers to write to"));
        return false;
    }
    batch->n_iov += 1 + chain->n_read;
    return true;
}

/* Takes up to @most frames, and no more behind one that cannot be sent, of
 * which batch->sent tells. Returns: how many of them can be sent */
static unsigned
gather(EngineVirtioNet *net, EngineNetBatch *batch, unsigned queue,
       unsigned most)
{
    bool link = net->status & VIRTIO_NET_S_LINK_UP;

    batch->count = batch->n_iov = 0;
    while (batch->count < most &&
           ENGINE_NET_BATCH_IOV - batch->n_iov > ENGINE_QUEUE_SIZE_MAX &&
           take_chain(net, batch, queue)) {
        unsigned i = batch->count++;

        if (make_frame(net, batch, i) && link)
            continue;
        batch->sent[i] = ENGINE_NET_FAILED;
        return i;
    }
    return batch->count;
}

static void
send_frames(EngineVirtioNet *net, unsigned pair, EngineNetBatch *batch,
            unsigned count)
{
    const EngineNetType *type = net->backend->type;
    unsigned queue = pair < net->n_pairs ? pair : 0;
    unsigned i = 0;

    if (count > 1 && type->send_many) {
        type->send_many(net->backend, queue, batch->frames, count, batch->sent);
        return;
    }
    for (; i < count; i++) {
        batch->sent[i] = type->send(net->backend, queue, &batch->frames[i]);
        if (batch->sent[i] == ENGINE_NET_FULL)
            break;
    }
    /* Nothing overtakes a frame that waits. */
    for (; i < count; i++)
        batch->sent[i] = ENGINE_NET_FULL;
}

static void
count_frame(EngineVirtioNet *net, const EngineNetBatch *batch, unsigned i,
            int64_t now_ns)
{
    size_t size = batch->frames[i].size;

    if (batch->sent[i] == ENGINE_NET_SENT) {
        net->sent.packets++;
        net->sent.bytes += size;
        engine_bucket_take(&net->outbound, size, now_ns);
    } else if (net->status & VIRTIO_NET_S_LINK_UP) {
        net->sent.errors++;
    } else {
        net->sent.dropped++;
    }
}

/* Gives back what is done with, and leaves the rest in the queue. */
static Sending
settle(EngineVirtioNet *net, unsigned pair, unsigned queue,
       const EngineNetBatch *batch, int64_t now_ns)
{
    unsigned done = 0;

    for (; done < batch->count && batch->sent[done] != ENGINE_NET_FULL;
         done++) {
        count_frame(net, batch, done, now_ns);
        engine_virtio_fill(&net->virtio, queue, &batch->chains[done], 0);
    }
    if (done == batch->count)
        return SENDING;
    for (unsigned i = batch->count; i > done; i--)
        engine_virtio_untake(&net->virtio, queue, &batch->chains[i - 1]);
    net->pairs[pair].blocked = true;
    return SENDING_LATER;
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

/* Up to *@budget frames, of which it takes those sent. */
static Sending
send_next(EngineVirtioNet *net, unsigned pair, unsigned queue, unsigned *budget)
{
    EngineNetBatch *batch = &net->batch;
    int64_t now_ns = 0;
    unsigned most = *budget, good;

    if (is_throttled(net, &now_ns))
        return SENDING_LATER;
    /* With a bandwidth, each frame decides about the next. */
    if (engine_bucket_is_set(&net->outbound))
        most = 1;
    good = gather(net, batch, queue, most);
    if (batch->count == 0)
        return SENDING_NOTHING;
    *budget -= batch->count;
    send_frames(net, pair, batch, good);
    return settle(net, pair, queue, batch, now_ns);
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
    while (sending == SENDING && budget > 0) {
        sending = send_next(net, pair, queue, &budget);
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
