/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/net.h"

#include <linux/virtio_ids.h>
#include <string.h>

#include "engine/virtio/devices.h"
#include "util/error.h"
#include "util/i18n.h"

#define PCI_CLASS     0x020000 /* an Ethernet controller */
#define BYTES_PER_KIB 1024
#define FEATURE(NAME) (1ull << (NAME))

/* What the device does by itself, whatever the backend is. */
#define OWN_FEATURES                                                   \
    (FEATURE(VIRTIO_NET_F_MAC) | FEATURE(VIRTIO_NET_F_STATUS) |        \
     FEATURE(VIRTIO_NET_F_MRG_RXBUF) | FEATURE(VIRTIO_NET_F_CTRL_VQ) | \
     FEATURE(VIRTIO_NET_F_CTRL_RX) | FEATURE(VIRTIO_NET_F_CTRL_VLAN) | \
     FEATURE(VIRTIO_NET_F_CTRL_RX_EXTRA) |                             \
     FEATURE(VIRTIO_NET_F_CTRL_MAC_ADDR) |                             \
     FEATURE(VIRTIO_NET_F_GUEST_ANNOUNCE))

static EngineVirtioNet *
net_of(EngineVirtio *virtio)
{
    return (EngineVirtioNet *)virtio;
}

/* --- configuration (5.1.4) ------------------------------------------------ */
bool
engine_virtio_net_show(EngineVirtioNet *net)
{
    uint16_t status = (net->link && !net->gone ? VIRTIO_NET_S_LINK_UP : 0) |
                      (net->announce ? VIRTIO_NET_S_ANNOUNCE : 0);
    uint16_t before =
        __atomic_exchange_n(&net->status, status, __ATOMIC_SEQ_CST);

    return status != before;
}

static void
net_config_read(EngineVirtio *virtio, uint8_t *config, size_t size)
{
    EngineVirtioNet *net = net_of(virtio);
    uint64_t mac = __atomic_load_n(&net->mac, __ATOMIC_RELAXED);
    struct virtio_net_config fields = {
        .status = __atomic_load_n(&net->status, __ATOMIC_SEQ_CST),
        .max_virtqueue_pairs = (uint16_t)net->config->queues,
        .mtu = (uint16_t)net->config->mtu,
    };

    memcpy(fields.mac, &mac, sizeof(fields.mac));
    memcpy(config, &fields, MIN(size, sizeof(fields)));
}

/* --- what the backend says ------------------------------------------------ */
static void
on_readable(void *opaque, unsigned queue)
{
    engine_virtio_net_receive(opaque, queue);
}

static void
on_writable(void *opaque, unsigned queue)
{
    EngineVirtioNet *net = opaque;

    /* the guest's queues are as many as the backend's, unless that has one */
    for (unsigned i = queue; i < net->config->queues; i++) {
        if (!net->pairs[i].blocked)
            continue;
        net->pairs[i].blocked = false;
        engine_virtio_net_send(net, i);
    }
}

static void
on_gone(void *opaque)
{
    EngineVirtioNet *net = opaque;

    net->gone = true;
    log_warning(_("nothing is at the other end of '%s' any more"),
                net->virtio.name);
    if (engine_virtio_net_show(net))
        engine_virtio_config_changed(&net->virtio);
    on_writable(net, 0); /* what waits is dropped */
}

static void
on_inbound_timer(void *opaque)
{
    EngineVirtioNet *net = opaque;

    for (unsigned i = 0; i < net->n_pairs; i++)
        engine_virtio_net_receive(net, i);
}

static void
on_outbound_timer(void *opaque)
{
    EngineVirtioNet *net = opaque;

    for (unsigned i = 0; i < net->config->queues; i++)
        engine_virtio_net_send(net, i);
}

/* --- what the driver says ------------------------------------------------- */
/* 5.1.2: where it is depends on how many pairs the driver knows of. */
static unsigned
control_queue(const EngineVirtioNet *net)
{
    return engine_virtio_net_has(net, VIRTIO_NET_F_MQ) ? 2 * net->config->queues
                                                       : 2;
}

static void
net_kick(EngineVirtio *virtio, unsigned queue)
{
    EngineVirtioNet *net = net_of(virtio);
    unsigned control = control_queue(net);

    if (queue == control && engine_virtio_net_has(net, VIRTIO_NET_F_CTRL_VQ))
        engine_virtio_net_control(net, queue);
    else if (queue >= control)
        return;
    else if (queue % 2 == 0)
        engine_virtio_net_receive(net, queue / 2);
    else
        engine_virtio_net_send(net, queue / 2);
}

static void
net_start(EngineVirtio *virtio)
{
    EngineVirtioNet *net = net_of(virtio);
    const EngineNetType *type = net->backend->type;

    net->merge = engine_virtio_net_has(net, VIRTIO_NET_F_MRG_RXBUF);
    net->filter.by_vlan = engine_virtio_net_has(net, VIRTIO_NET_F_CTRL_VLAN);
    if (type->set_features)
        type->set_features(net->backend, virtio->accepted);
}

static void
forget(EngineNetPair *pair)
{
    pair->n_chains = pair->n_iov = 0;
    pair->room = pair->waiting = pair->placed = 0;
    pair->expected = 1;
    pair->blocked = false;
}

static void
use_own_mac(EngineVirtioNet *net)
{
    uint64_t mac = 0;

    memcpy(&mac, net->config->mac, sizeof(net->config->mac));
    __atomic_store_n(&net->mac, mac, __ATOMIC_RELAXED);
}

static void
net_reset(EngineVirtio *virtio)
{
    EngineVirtioNet *net = net_of(virtio);
    const EngineNetType *type = net->backend->type;

    engine_io_timer_set(&net->inbound_timer, 0);
    engine_io_timer_set(&net->outbound_timer, 0);
    if (type->set_pairs)
        (void)type->set_pairs(net->backend, 1);
    net->n_pairs = 1;
    for (unsigned i = 0; i < net->config->queues; i++) {
        type->listen(net->backend, i, false);
        forget(&net->pairs[i]);
    }
    net->announce = net->merge = false;
    use_own_mac(net);
    engine_net_filter_reset(&net->filter);
    (void)engine_virtio_net_show(net);
}

static const EngineVirtioType net_virtio = {
    .id = VIRTIO_ID_NET,
    .class_code = PCI_CLASS,
    .features = OWN_FEATURES,
    .start = net_start,
    .kick = net_kick,
    .reset = net_reset,
    .config_read = net_config_read,
};

/* --- for control commands ------------------------------------------------- */
typedef struct Change {
    EngineVirtioNet *net;
    EngineNetInfo *info;
    const EngineNetBandwidth *bandwidth;
    bool up, done;
} Change;

/* At all queues; when the domain runs again, if it does not. */
static void
look_again(EngineVirtioNet *net)
{
    for (unsigned i = 0; i < 2 * net->config->queues; i++)
        engine_virtio_again(&net->virtio, i);
}

static void
tell_info(void *opaque)
{
    Change *change = opaque;
    const EngineVirtioNet *net = change->net;

    *change->info = (EngineNetInfo){
        .link = net->link && !net->gone,
        .received = net->received,
        .sent = net->sent,
    };
}

void
engine_virtio_net_info(EngineVirtioNet *net, EngineNetInfo *ret_info)
{
    Change change = { .net = net, .info = ret_info };

    engine_io_call(net->virtio.io, tell_info, &change);
}

/* 5.1.4.2: behind the cable may be others now, who must learn the guest's
 * address. */
static void
change_link(void *opaque)
{
    Change *change = opaque;
    EngineVirtioNet *net = change->net;

    change->done = !net->gone || !change->up;
    if (!change->done || net->link == change->up)
        return;
    net->link = change->up;
    net->announce = change->up && net->virtio.live &&
                    engine_virtio_net_has(net, VIRTIO_NET_F_GUEST_ANNOUNCE);
    if (engine_virtio_net_show(net))
        engine_virtio_config_changed(&net->virtio);
    look_again(net);
}

bool
engine_virtio_net_set_link(EngineVirtioNet *net, bool up, GError **error)
{
    Change change = { .net = net, .up = up };

    engine_io_call(net->virtio.io, change_link, &change);
    if (!change.done)
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("nothing is at the other end of '%s' any more"),
                  net->virtio.name);
    return change.done;
}

static void
set_rate(EngineBucket *bucket, const EngineNetRate *rate)
{
    const EngineBucketLimit limit = {
        .rate = rate->average_kib * BYTES_PER_KIB,
        .peak = rate->peak_kib * BYTES_PER_KIB,
        .depth = rate->burst_kib * BYTES_PER_KIB,
    };

    engine_bucket_set(bucket, &limit, engine_io_now());
}

static void
set_rates(EngineVirtioNet *net, const EngineNetBandwidth *bandwidth)
{
    set_rate(&net->inbound, &bandwidth->inbound);
    set_rate(&net->outbound, &bandwidth->outbound);
}

static void
change_bandwidth(void *opaque)
{
    Change *change = opaque;
    EngineVirtioNet *net = change->net;

    set_rates(net, change->bandwidth);
    look_again(net);
}

void
engine_virtio_net_set_bandwidth(EngineVirtioNet *net,
                                const EngineNetBandwidth *bandwidth)
{
    Change change = { .net = net, .bandwidth = bandwidth };

    engine_io_call(net->virtio.io, change_bandwidth, &change);
}

/* --- life ----------------------------------------------------------------- */
static void
close_backend(void *opaque)
{
    EngineVirtioNet *net = opaque;

    engine_net_close(g_steal_pointer(&net->backend));
}

static void
clear(EngineVirtioNet *net)
{
    if (net->backend)
        engine_io_call(net->virtio.io, close_backend, net);
    for (unsigned i = 0; i < net->config->queues; i++) {
        g_free(net->pairs[i].iov);
        g_free(net->pairs[i].spare);
    }
    g_free(net->batch.iov);
}

static void
net_unrealize(EngineDevice *device)
{
    EngineVirtioNet *net = (EngineVirtioNet *)device;

    engine_virtio_clear(&net->virtio);
    clear(net);
}

/* One more than they hold, for what is put before or behind. */
static void
make_pairs(EngineVirtioNet *net)
{
    for (unsigned i = 0; i < net->config->queues; i++) {
        EngineNetPair *pair = &net->pairs[i];

        pair->capacity = ENGINE_NET_CHAINS_MAX + net->config->queue_size;
        pair->iov = g_new0(struct iovec, pair->capacity + 1);
        pair->spare =
            g_malloc(ENGINE_NET_HEADER_BYTES + ENGINE_NET_FRAME_MAX + 1);
        forget(pair);
    }
    net->n_pairs = 1;
    net->batch.iov = g_new0(struct iovec, ENGINE_NET_BATCH_IOV);
    engine_net_filter_reset(&net->filter);
}

static bool
open_backend(EngineVirtioNet *net, Engine *engine, GError **error)
{
    const EngineNetConfig *config = net->config;
    EngineIo *io =
        engine_io(engine, net->virtio.device.config->iothread, error);

    if (!io)
        return false;
    net->peer = (EngineNetPeer){ .readable = on_readable,
                                 .writable = on_writable,
                                 .gone = on_gone,
                                 .opaque = net };
    net->virtio.io = io;
    net->backend = engine_net_open(&config->backend, io, &net->peer, error);
    engine_io_timer_init(&net->inbound_timer, io, on_inbound_timer, net);
    engine_io_timer_init(&net->outbound_timer, io, on_outbound_timer, net);
    return net->backend != NULL;
}

static void
ask_features(void *opaque)
{
    EngineVirtioNet *net = opaque;
    const EngineNetType *type = net->backend->type;

    if (!net->config->offload || !type->features)
        return;
    net->virtio.offered |= type->features(net->backend);
    if (type->set_features)
        net->virtio.offered |= FEATURE(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
}

static void
offer(EngineVirtioNet *net)
{
    if (net->config->mtu > 0)
        net->virtio.offered |= FEATURE(VIRTIO_NET_F_MTU);
    if (net->config->queues > 1)
        net->virtio.offered |= FEATURE(VIRTIO_NET_F_MQ);
    engine_io_call(net->virtio.io, ask_features, net);
}

static bool
net_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    EngineVirtioNet *net = (EngineVirtioNet *)device;

    net->config = &device->config->net;
    net->link = net->config->link;
    net->virtio.queue_size = (uint16_t)net->config->queue_size;
    make_pairs(net);
    use_own_mac(net);
    (void)engine_virtio_net_show(net);
    if (open_backend(net, engine, error)) {
        set_rates(net, &net->config->bandwidth);
        offer(net);
        if (engine_virtio_init(&net->virtio, &net_virtio,
                               2 * net->config->queues + 1, error))
            return true;
    }
    clear(net);
    return false;
}

static void
net_machine_reset(EngineDevice *device)
{
    engine_virtio_reset(&((EngineVirtioNet *)device)->virtio);
}

const EngineDeviceType engine_virtio_net_type = {
    .name = "virtio-net",
    .size = sizeof(EngineVirtioNet),
    .realize = net_realize,
    .unrealize = net_unrealize,
    .reset = net_machine_reset,
};

EngineVirtioNet *
engine_virtio_net_of(EngineDevice *device)
{
    return device && device->type == &engine_virtio_net_type
               ? (EngineVirtioNet *)device
               : NULL;
}
