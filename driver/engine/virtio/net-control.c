/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/virtio/net.h"
#include "util/i18n.h"

/* The commands of the control queue (virtio 1.2, 5.1.6.5). */
#define BUFFERS_MAX 64 /* of one command */

/* What of a command is still to be read: each byte once. */
typedef struct Input {
    const struct iovec *iov;
    unsigned count;
    size_t offset; /* in the first */
} Input;

/* @bytes: NULL: they are passed over. Returns: whether there were as many */
static bool
take(Input *input, void *bytes, size_t size)
{
    uint8_t *to = bytes;

    while (size > 0 && input->count > 0) {
        const uint8_t *from = input->iov->iov_base;
        size_t part = MIN(size, input->iov->iov_len - input->offset);

        if (to)
            memcpy(to, from + input->offset, part);
        to = to ? to + part : NULL;
        size -= part;
        input->offset += part;
        if (input->offset < input->iov->iov_len)
            continue;
        input->iov++;
        input->count--;
        input->offset = 0;
    }
    return size == 0;
}

/* --- one command each. Returns: whether it could be done -------------------
 */
static bool
set_mode(EngineVirtioNet *net, uint8_t command, Input *input)
{
    EngineNetFilter *filter = &net->filter;
    bool *const modes[] = {
        [VIRTIO_NET_CTRL_RX_PROMISC] = &filter->promiscuous,
        [VIRTIO_NET_CTRL_RX_ALLMULTI] = &filter->all_multicast,
        [VIRTIO_NET_CTRL_RX_ALLUNI] = &filter->all_unicast,
        [VIRTIO_NET_CTRL_RX_NOMULTI] = &filter->no_multicast,
        [VIRTIO_NET_CTRL_RX_NOUNI] = &filter->no_unicast,
        [VIRTIO_NET_CTRL_RX_NOBCAST] = &filter->no_broadcast,
    };
    uint8_t on;

    if (command >= G_N_ELEMENTS(modes) || !take(input, &on, sizeof(on)))
        return false;
    *modes[command] = on != 0;
    return true;
}

static bool
take_addresses(Input *input, struct EngineNetAddresses *addresses)
{
    uint32_t count;

    if (!take(input, &count, sizeof(count)))
        return false;
    addresses->count = MIN(count, ENGINE_NET_FILTER_MAX);
    addresses->overflow = count > ENGINE_NET_FILTER_MAX;
    return take(input, addresses->of,
                addresses->count * sizeof(addresses->of[0])) &&
           take(input, NULL,
                (size_t)(count - addresses->count) * sizeof(addresses->of[0]));
}

static bool
set_address(EngineVirtioNet *net, uint8_t command, Input *input)
{
    struct EngineNetAddresses unicast, multicast;
    uint64_t mac = 0;

    switch (command) {
    case VIRTIO_NET_CTRL_MAC_ADDR_SET:
        if (!take(input, &mac, ENGINE_NET_MAC_BYTES))
            return false;
        __atomic_store_n(&net->mac, mac, __ATOMIC_RELAXED);
        return true;
    case VIRTIO_NET_CTRL_MAC_TABLE_SET:
        if (!take_addresses(input, &unicast) ||
            !take_addresses(input, &multicast))
            return false;
        net->filter.unicast = unicast;
        net->filter.multicast = multicast;
        return true;
    default:
        return false;
    }
}

static bool
set_vlan(EngineVirtioNet *net, uint8_t command, Input *input)
{
    uint8_t *vlans = net->filter.vlans;
    uint16_t vlan;

    if (!take(input, &vlan, sizeof(vlan)) || vlan >= ENGINE_NET_VLANS)
        return false;
    if (command == VIRTIO_NET_CTRL_VLAN_ADD)
        vlans[vlan / 8] |= (uint8_t)(1u << vlan % 8);
    else if (command == VIRTIO_NET_CTRL_VLAN_DEL)
        vlans[vlan / 8] &= (uint8_t) ~(1u << vlan % 8);
    else
        return false;
    return true;
}

static bool
acknowledge(EngineVirtioNet *net, uint8_t command, Input *input)
{
    if (command != VIRTIO_NET_CTRL_ANNOUNCE_ACK || !net->announce)
        return false;
    net->announce = false;
    (void)engine_virtio_net_show(net);
    return true;
}

static bool
set_pairs(EngineVirtioNet *net, uint8_t command, Input *input)
{
    const EngineNetType *type = net->backend->type;
    uint16_t pairs;

    if (command != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
        !take(input, &pairs, sizeof(pairs)) || pairs < 1 ||
        pairs > net->config->queues)
        return false;
    if (type->set_pairs && !type->set_pairs(net->backend, pairs))
        return false;
    net->n_pairs = pairs;
    for (unsigned i = 0; i < pairs; i++)
        engine_virtio_net_receive(net, i);
    return true;
}

static bool
set_offloads(EngineVirtioNet *net, uint8_t command, Input *input)
{
    const EngineNetType *type = net->backend->type;
    uint64_t offloads;

    if (command != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET ||
        !take(input, &offloads, sizeof(offloads)) ||
        (offloads & ~net->virtio.accepted) != 0 || !type->set_features)
        return false;
    type->set_features(net->backend, offloads);
    return true;
}

static const struct {
    uint8_t class;
    unsigned feature;
    bool (*run)(EngineVirtioNet *net, uint8_t command, Input *input);
} commands[] = {
    { VIRTIO_NET_CTRL_RX, VIRTIO_NET_F_CTRL_RX, set_mode },
    { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_F_CTRL_MAC_ADDR, set_address },
    { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_F_CTRL_VLAN, set_vlan },
    { VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_F_GUEST_ANNOUNCE, acknowledge },
    { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_F_MQ, set_pairs },
    { VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
      set_offloads },
};

static uint8_t
run(EngineVirtioNet *net, const EngineChain *chain)
{
    Input input = { chain->iov, chain->n_read, 0 };
    struct virtio_net_ctrl_hdr header;

    if (!take(&input, &header, sizeof(header)))
        return VIRTIO_NET_ERR;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].class != header.class)
            continue;
        /* The table of addresses is the receive mode's (5.1.6.5.2). */
        if (!engine_virtio_net_has(net, commands[i].feature) &&
            !(header.class == VIRTIO_NET_CTRL_MAC &&
              header.cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET &&
              engine_virtio_net_has(net, VIRTIO_NET_F_CTRL_RX)))
            return VIRTIO_NET_ERR;
        return commands[i].run(net, header.cmd, &input) ? VIRTIO_NET_OK
                                                        : VIRTIO_NET_ERR;
    }
    return VIRTIO_NET_ERR;
}

/* Returns: whether there was a command */
static bool
run_next(EngineVirtioNet *net, unsigned queue)
{
    EngineVirtio *virtio = &net->virtio;
    struct iovec iov[BUFFERS_MAX];
    EngineChain chain = { .iov = iov, .capacity = G_N_ELEMENTS(iov) };

    if (!engine_virtio_pop(virtio, queue, &chain))
        return false;
    if (chain.write_size < sizeof(uint8_t)) {
        engine_virtio_fail(virtio, N_("a command has no room for its answer"));
        return false;
    }
    *(uint8_t *)iov[chain.n_read].iov_base = run(net, &chain);
    engine_virtio_push(virtio, queue, &chain, sizeof(uint8_t));
    return true;
}

void
engine_virtio_net_control(EngineVirtioNet *net, unsigned queue)
{
    EngineVirtio *virtio = &net->virtio;
    bool more = true;

    for (unsigned i = 0; i < ENGINE_NET_BUDGET && more; i++)
        more =
            run_next(net, queue) ||
            (virtio->live && engine_queue_listen(&virtio->queues[queue].ring));
    engine_virtio_notify(virtio, queue);
    if (more)
        engine_virtio_again(virtio, queue);
}
