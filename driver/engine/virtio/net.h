/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/bucket.h"
#include "engine/net/net.h"
#include "engine/virtio/virtio.h"

/*
 * The network device (virtio 1.2, 5.1); private to the files net*.c but for
 * what control commands ask. Queue 2n receives, 2n + 1 sends; the control queue
 * stands behind those that the driver knows of.
 *
 * Threads: all of it is the I/O thread's, but for `mac` and `status`, which
 * vCPUs read.
 */
#define ENGINE_NET_HEADER_BYTES sizeof(struct virtio_net_hdr_v1)
#define ENGINE_NET_CHAINS_MAX   128 /* of one merged frame */
#define ENGINE_NET_FILTER_MAX   64  /* addresses of each kind */
#define ENGINE_NET_VLANS        4096
#define ENGINE_NET_BUDGET       64 /* frames, then others have their turn */
/* One chain, however long it is, always has room. */
#define ENGINE_NET_BATCH_IOV (2 * (ENGINE_QUEUE_SIZE_MAX + 1))

G_STATIC_ASSERT(ENGINE_NET_BUDGET <= ENGINE_NET_BURST_MAX);

typedef struct EngineVirtioNet EngineVirtioNet;

/** Which frames the guest wants (5.1.6.5.1 to .3). */
typedef struct EngineNetFilter {
    bool promiscuous, all_multicast, all_unicast;
    bool no_multicast, no_unicast, no_broadcast;
    bool by_vlan; /* else all of them */
    struct EngineNetAddresses {
        uint8_t of[ENGINE_NET_FILTER_MAX][ENGINE_NET_MAC_BYTES];
        unsigned count;
        bool overflow; /* there were more: all are taken */
    } unicast, multicast;
    uint8_t vlans[ENGINE_NET_VLANS / 8];
} EngineNetFilter;

typedef struct EngineNetStats {
    uint64_t bytes, packets, errors, dropped;
} EngineNetStats;

/** What may be asked of a device while it runs. */
typedef struct EngineNetInfo {
    bool link;
    EngineNetStats received, sent; /* by the guest */
} EngineNetInfo;

typedef struct EngineNetPair {
    /* Receiving: chains that were taken, and are not filled yet. A frame is
     * read to the first of them and, as far as it is larger than `expected`,
     * to `spare`, from where it is copied. */
    EngineChain chains[ENGINE_NET_CHAINS_MAX];
    unsigned n_chains, n_iov;
    struct iovec *iov; /* of the chains; one more than `capacity` */
    unsigned capacity;
    size_t room;     /* bytes of the chains */
    size_t expected; /* bytes of the next frame, with its header */
    uint8_t *spare;
    /* A frame that waits for more buffers: its bytes, and those of them that
     * stand in the chains. 0: there is none */
    size_t waiting, placed;
    bool blocked; /* sending waits for the backend */
} EngineNetPair;

/** Frames that are sent together. */
typedef struct EngineNetBatch {
    unsigned count, n_iov;
    struct iovec *iov; /* BATCH_IOV of the chains, one before each */
    EngineChain chains[ENGINE_NET_BUDGET];
    struct virtio_net_hdr_v1 headers[ENGINE_NET_BUDGET];
    EngineNetFrame frames[ENGINE_NET_BUDGET];
    EngineNetSent sent[ENGINE_NET_BUDGET];
} EngineNetBatch;

struct EngineVirtioNet {
    EngineVirtio virtio;
    const EngineNetConfig *config;
    EngineNet *backend;
    EngineNetPeer peer;
    EngineNetPair pairs[ENGINE_NET_PAIRS_MAX];
    unsigned n_pairs; /* that the driver uses */
    bool merge;       /* a frame may take several buffers */
    bool link;        /* the cable is in */
    bool gone;        /* the backend's other side has left */
    bool announce;    /* the driver is asked to */
    EngineNetBatch batch;
    EngineNetFilter filter;
    EngineBucket inbound, outbound;
    EngineIoTimer inbound_timer, outbound_timer;
    EngineNetStats received, sent;
    uint64_t mac;    /* atomic: ENGINE_NET_MAC_BYTES of it */
    uint16_t status; /* atomic: VIRTIO_NET_S_* */
};

/* --- net.c ------------------------------------------------------------------
 */
static inline bool
engine_virtio_net_has(const EngineVirtioNet *net, unsigned feature)
{
    return net->virtio.accepted & 1ull << feature;
}

/** engine_virtio_net_frame_max: bytes of a frame that is one packet of at most
 * the MTU, with VLAN tags */
static inline size_t
engine_virtio_net_frame_max(const EngineNetConfig *config)
{
    return config->mtu > 0 ? config->mtu + ENGINE_NET_FRAME_MAX - UINT16_MAX
                           : ENGINE_NET_FRAME_MAX;
}

/** engine_virtio_net_show: `status` as it is now. Returns: if it changed */
bool engine_virtio_net_show(EngineVirtioNet *net);

/** engine_virtio_net_of: the device with that name in the document, or NULL */
EngineVirtioNet *engine_virtio_net_of(EngineDevice *device);

/* For control commands. Thread: main */
void engine_virtio_net_info(EngineVirtioNet *net, EngineNetInfo *ret_info);
/** @error: OPERATION_INVALID if there is nothing to plug it into any more */
bool engine_virtio_net_set_link(EngineVirtioNet *net, bool up, GError **error);
void engine_virtio_net_set_bandwidth(EngineVirtioNet *net,
                                     const EngineNetBandwidth *bandwidth);

/* --- net-rx.c, net-tx.c -----------------------------------------------------
 */
/** engine_virtio_net_receive: frames for the guest, if there are any and it has
 * buffers */
void engine_virtio_net_receive(EngineVirtioNet *net, unsigned pair);
/** engine_virtio_net_send: frames of the guest */
void engine_virtio_net_send(EngineVirtioNet *net, unsigned pair);

/* --- net-control.c ----------------------------------------------------------
 */
/** engine_virtio_net_control: the driver's commands in queue @queue */
void engine_virtio_net_control(EngineVirtioNet *net, unsigned queue);

/* --- net-filter.c -----------------------------------------------------------
 */
/** engine_net_filter_reset: as a driver finds it */
void engine_net_filter_reset(EngineNetFilter *filter);
/**
 * engine_net_filter_wants: does the guest want a frame?
 * @frame: its first 18 bytes; if it is shorter, zeroes follow
 * @mac: the guest's own address
 */
bool engine_net_filter_wants(const EngineNetFilter *filter,
                             const uint8_t *frame, const uint8_t *mac);
