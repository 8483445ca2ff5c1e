/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <limits.h>
#include <string.h>

#include "engine/virtio/net.h"
#include "util/i18n.h"

/*
 * Frames for the guest (virtio 1.2, 5.1.6.4). They are read straight into its
 * buffers: as many of them as the last frame took, since nobody knows how large
 * the next one is; what does not fit there comes into `spare` and is copied.
 */
#define NUM_BUFFERS_AT offsetof(struct virtio_net_hdr_v1, num_buffers)
#define FILTER_BYTES   18 /* of a frame, to judge it by */
#define TOTAL_MAX      (ENGINE_NET_HEADER_BYTES + ENGINE_NET_FRAME_MAX)

typedef enum Receiving {
    RECEIVING = 0, /* there may be more */
    RECEIVING_NOTHING,
    RECEIVING_STARVED, /* the guest has no buffers */
    RECEIVING_LATER,   /* a timer says when */
} Receiving;

/* A place in the pair's buffers. */
typedef struct Spot {
    unsigned index;
    size_t offset;
} Spot;

static Spot
spot_at(const EngineNetPair *pair, size_t offset)
{
    Spot spot = { 0, offset };

    while (spot.index < pair->n_iov &&
           spot.offset >= pair->iov[spot.index].iov_len)
        spot.offset -= pair->iov[spot.index++].iov_len;
    return spot;
}

/* Between @bytes and the pair's buffers from @offset on, as far as they go. */
static void
copy(const EngineNetPair *pair, size_t offset, uint8_t *bytes, size_t size,
     bool to_guest)
{
    Spot spot = spot_at(pair, offset);

    for (; size > 0 && spot.index < pair->n_iov; spot.index++) {
        const struct iovec *iov = &pair->iov[spot.index];
        uint8_t *guest = (uint8_t *)iov->iov_base + spot.offset;
        size_t part = MIN(size, iov->iov_len - spot.offset);

        if (to_guest)
            memcpy(guest, bytes, part);
        else
            memcpy(bytes, guest, part);
        bytes += part;
        size -= part;
        spot.offset = 0;
    }
}

/* --- buffers ----------------------------------------------------------------
 */
/* Takes buffers of the guest's until they have room for @wanted bytes. Returns:
 * whether they have */
static bool
gather(EngineVirtioNet *net, EngineNetPair *pair, unsigned queue, size_t wanted)
{
    EngineVirtio *virtio = &net->virtio;
    unsigned most = net->merge ? ENGINE_NET_CHAINS_MAX : 1;

    while (pair->room < wanted && pair->n_chains < most &&
           pair->capacity - pair->n_iov >= virtio->queue_size) {
        EngineChain *chain = &pair->chains[pair->n_chains];

        *chain = (EngineChain){ .iov = pair->iov + pair->n_iov,
                                .capacity = pair->capacity - pair->n_iov };
        if (!engine_virtio_pop(virtio, queue, chain))
            break;
        if (chain->n_read > 0 || chain->write_size < ENGINE_NET_HEADER_BYTES) {
            engine_virtio_fail(virtio,
                               N_("a buffer to receive to has no room for the "
                                  "header, or may not be written"));
            return false;
        }
        pair->n_chains++;
        pair->n_iov += chain->n_write;
        pair->room += chain->write_size;
    }
    return pair->room >= wanted;
}

/* Gives the first @count chains back, with @total bytes in them; what was taken
 * beyond them stays for the next frame. */
static void
give(EngineVirtioNet *net, EngineNetPair *pair, unsigned queue, size_t total)
{
    unsigned count = 0, n_iov = 0;

    for (; total > 0; count++) {
        const EngineChain *chain = &pair->chains[count];
        size_t written = MIN(total, chain->write_size);

        engine_virtio_fill(&net->virtio, queue, chain, (uint32_t)written);
        total -= written;
        n_iov += chain->n_write;
        pair->room -= chain->write_size;
    }
    engine_virtio_flush(&net->virtio, queue);
    pair->n_chains -= count;
    pair->n_iov -= n_iov;
    memmove(pair->chains, pair->chains + count,
            pair->n_chains * sizeof(pair->chains[0]));
    memmove(pair->iov, pair->iov + n_iov, pair->n_iov * sizeof(pair->iov[0]));
    for (unsigned i = 0; i < pair->n_chains; i++)
        pair->chains[i].iov -= n_iov;
}

static unsigned
chains_of(const EngineNetPair *pair, size_t total)
{
    unsigned count = 0;

    for (; total > 0; count++)
        total -= MIN(total, pair->chains[count].write_size);
    return count;
}

/* --- one frame --------------------------------------------------------------
 */
/* Has the backend write to the buffers from @from on, to at most @most bytes of
 * them, and then to `spare`. @ret_placed: how many bytes that are, with @from.
 * Returns: as receive() */
static size_t
read_frame(EngineVirtioNet *net, EngineNetPair *pair, unsigned from,
           size_t *ret_placed)
{
    Spot spot = spot_at(pair, from);
    unsigned end = spot.index;
    struct iovec first = pair->iov[spot.index], last;
    size_t placed = from;
    ssize_t got;

    if (spot.offset > 0) {
        pair->iov[spot.index].iov_base =
            (uint8_t *)first.iov_base + spot.offset;
        pair->iov[spot.index].iov_len -= spot.offset;
    }
    for (; end < pair->n_iov && placed < pair->expected &&
           end - spot.index < IOV_MAX - 1;
         end++)
        placed += pair->iov[end].iov_len;
    last = pair->iov[end];
    pair->iov[end] = (struct iovec){ pair->spare, TOTAL_MAX + 1 };
    got = net->backend->type->receive(
        net->backend, (unsigned)(pair - net->pairs), pair->iov + spot.index,
        end - spot.index + 1);
    pair->iov[end] = last;
    pair->iov[spot.index] = first;
    *ret_placed = placed;
    return (size_t)got;
}

/* The header, as far as it is ours to say: all of it if the backend has none.
 */
static void
write_header(EngineVirtioNet *net, const EngineNetPair *pair, size_t total)
{
    struct virtio_net_hdr_v1 header = { .num_buffers =
                                            (uint16_t)chains_of(pair, total) };

    if (!net->backend->type->headers) {
        copy(pair, 0, (uint8_t *)&header, sizeof(header), true);
        return;
    }
    copy(pair, NUM_BUFFERS_AT, (uint8_t *)&header.num_buffers,
         sizeof(header.num_buffers), true);
    if (!engine_virtio_net_has(net, VIRTIO_NET_F_GUEST_CSUM))
        copy(pair, 0, &header.flags, sizeof(header.flags), true);
}

/* What came at @offset, wherever it is. */
static void
peek(const EngineNetPair *pair, size_t offset, uint8_t *bytes, size_t size)
{
    size_t placed = MIN(pair->placed - MIN(offset, pair->placed), size);

    copy(pair, offset, bytes, placed, false);
    if (size > placed)
        memcpy(bytes + placed, pair->spare + offset + placed - pair->placed,
               size - placed);
}

static bool
is_wanted(EngineVirtioNet *net, const EngineNetPair *pair, size_t size)
{
    uint8_t begin[FILTER_BYTES] = { 0 };
    uint64_t mac = __atomic_load_n(&net->mac, __ATOMIC_RELAXED);

    peek(pair, ENGINE_NET_HEADER_BYTES, begin, MIN(size, sizeof(begin)));
    return engine_net_filter_wants(&net->filter, begin, (const uint8_t *)&mac);
}

/* Runts and giants. One that stands for several packets may be as large as such
 * can be. */
static bool
size_is_good(EngineVirtioNet *net, const EngineNetPair *pair, size_t size)
{
    uint8_t kind = VIRTIO_NET_HDR_GSO_NONE;

    if (size < ENGINE_NET_FRAME_MIN || size > ENGINE_NET_FRAME_MAX)
        return false;
    if (net->backend->type->headers)
        peek(pair, offsetof(struct virtio_net_hdr_v1, gso_type), &kind,
             sizeof(kind));
    return kind != VIRTIO_NET_HDR_GSO_NONE ||
           size <= engine_virtio_net_frame_max(net->config);
}

/* May the guest have more buffers for a frame that does not fit those that it
 * had? One that does not take several packets in one may have none so large. */
static bool
may_get_more(const EngineVirtioNet *net, const EngineNetPair *pair,
             unsigned queue)
{
    const EngineQueue *ring = &net->virtio.queues[queue].ring;

    return net->merge &&
           (engine_virtio_net_has(net, VIRTIO_NET_F_GUEST_TSO4) ||
            engine_virtio_net_has(net, VIRTIO_NET_F_GUEST_TSO6) ||
            engine_virtio_net_has(net, VIRTIO_NET_F_GUEST_UFO)) &&
           pair->n_chains < ENGINE_NET_CHAINS_MAX &&
           pair->capacity - pair->n_iov >= net->virtio.queue_size &&
           ring->in_flight < ring->size;
}

/* Brings a frame that was read to its end, or lets it wait. */
static Receiving
finish(EngineVirtioNet *net, EngineNetPair *pair, unsigned queue)
{
    size_t total = pair->waiting, size = total - ENGINE_NET_HEADER_BYTES;

    if (!gather(net, pair, queue, total)) {
        if (may_get_more(net, pair, queue))
            return RECEIVING_STARVED;
        pair->waiting = 0;
        net->received.dropped++;
        return RECEIVING;
    }
    pair->waiting = 0;
    if (total > pair->placed)
        copy(pair, pair->placed, pair->spare, total - pair->placed, true);
    write_header(net, pair, total);
    give(net, pair, queue, total);
    net->received.packets++;
    net->received.bytes += size;
    if (engine_bucket_is_set(&net->inbound))
        engine_bucket_take(&net->inbound, size, engine_io_now());
    return RECEIVING;
}

static Receiving
receive_next(EngineVirtioNet *net, EngineNetPair *pair, unsigned queue)
{
    unsigned from = net->backend->type->headers ? 0 : ENGINE_NET_HEADER_BYTES;
    size_t total, placed, size;

    if (pair->waiting > 0)
        return finish(net, pair, queue);
    if (!gather(net, pair, queue, pair->expected) && pair->n_chains == 0)
        return RECEIVING_STARVED;
    total = read_frame(net, pair, from, &placed);
    if (total == 0)
        return RECEIVING_NOTHING;
    total += from;
    pair->placed = MIN(placed, total);
    size =
        total < ENGINE_NET_HEADER_BYTES ? 0 : total - ENGINE_NET_HEADER_BYTES;
    if (!size_is_good(net, pair, size)) {
        net->received.errors++;
        return RECEIVING;
    }
    if (!is_wanted(net, pair, size))
        return RECEIVING;
    pair->expected = total;
    pair->waiting = total;
    return finish(net, pair, queue);
}

/* While the cable is out, what comes is nobody's. */
static Receiving
discard(EngineVirtioNet *net, EngineNetPair *pair)
{
    const struct iovec iov = { pair->spare, TOTAL_MAX + 1 };

    if (pair->waiting > 0)
        net->received.dropped++;
    pair->waiting = 0;
    if (net->backend->type->receive(net->backend, (unsigned)(pair - net->pairs),
                                    &iov, 1) <= 0)
        return RECEIVING_NOTHING;
    net->received.dropped++;
    return RECEIVING;
}

/* --- the queue --------------------------------------------------------------
 */
/* Returns: whether the bandwidth is used up; then the timer is set */
static bool
is_throttled(EngineVirtioNet *net)
{
    int64_t now_ns, wait_ns;

    if (!engine_bucket_is_set(&net->inbound))
        return false;
    now_ns = engine_io_now();
    wait_ns = engine_bucket_wait(&net->inbound, now_ns);
    if (wait_ns > 0)
        engine_io_timer_set(&net->inbound_timer, now_ns + wait_ns);
    return wait_ns > 0;
}

static Receiving
step(EngineVirtioNet *net, EngineNetPair *pair, unsigned queue)
{
    EngineQueue *ring = &net->virtio.queues[queue].ring;
    Receiving receiving;

    if (!(net->status & VIRTIO_NET_S_LINK_UP))
        return discard(net, pair);
    if (is_throttled(net))
        return RECEIVING_LATER;
    receiving = receive_next(net, pair, queue);
    if (receiving == RECEIVING_STARVED && net->virtio.live &&
        engine_queue_listen(ring)) {
        engine_queue_mute(ring);
        return RECEIVING;
    }
    return receiving;
}

void
engine_virtio_net_receive(EngineVirtioNet *net, unsigned index)
{
    EngineVirtio *virtio = &net->virtio;
    EngineNetPair *pair = &net->pairs[index];
    unsigned queue = 2 * index, budget = ENGINE_NET_BUDGET;
    EngineQueue *ring = &virtio->queues[queue].ring;
    Receiving receiving = RECEIVING;

    if (!virtio->live || ring->size == 0 || index >= net->n_pairs) {
        net->backend->type->listen(net->backend, index, false);
        return;
    }
    engine_queue_mute(ring);
    while (receiving == RECEIVING && virtio->live && budget-- > 0)
        receiving = step(net, pair, queue);
    engine_virtio_notify(virtio, queue);
    if (receiving == RECEIVING)
        engine_virtio_again(virtio, queue);
    else
        net->backend->type->listen(net->backend, index,
                                   receiving == RECEIVING_NOTHING);
}
