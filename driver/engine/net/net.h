/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "engine/config-net.h"
#include "engine/io.h"

/*
 * The host's end of a network interface: what takes the guest's frames and
 * gives it others. It lives on the device's I/O thread: all of EngineNetType is
 * called there.
 */
#define ENGINE_NET_FRAME_MIN 14 /* an Ethernet header */
/* The largest packet of IP with that header and two VLAN tags */
#define ENGINE_NET_FRAME_MAX (65535 + 14 + 8)
#define ENGINE_NET_BURST_MAX 64 /* frames in one call of send_many() */

typedef struct EngineNet EngineNet;

/** What a device hears from its backend. Thread: I/O */
typedef struct EngineNetPeer {
    /** There are frames for queue @queue. The device takes them by receive()
     * until that has none, or comes back for the rest by itself. */
    void (*readable)(void *opaque, unsigned queue);
    /** After send() was FULL: it takes frames again. */
    void (*writable)(void *opaque, unsigned queue);
    /** The other side has left for good. */
    void (*gone)(void *opaque);
    void *opaque;
} EngineNetPeer;

/** A frame of the guest's, in its memory. */
typedef struct EngineNetFrame {
    const struct virtio_net_hdr_v1 *header; /* checked */
    struct iovec *iov; /* the first is the backend's own to fill; then the
                        * frame */
    unsigned count;    /* with the first */
    size_t size;       /* bytes of the frame, FRAME_MIN to FRAME_MAX */
} EngineNetFrame;

typedef enum EngineNetSent {
    ENGINE_NET_SENT = 0,
    ENGINE_NET_FULL, /* nothing was sent; writable() follows */
    ENGINE_NET_FAILED,
} EngineNetSent;

typedef struct EngineNetType {
    bool headers; /* frames come and go with a virtio_net_hdr_v1 */
    /**
     * @config: kept by reference
     * @error: names what of @config cannot be used
     * Returns: what close() ends
     */
    EngineNet *(*open)(const EngineNetBackendConfig *config, EngineIo *io,
                       GError **error);
    void (*close)(EngineNet *net);
    /** Whether the other side may still be there is asked for in any case. */
    void (*listen)(EngineNet *net, unsigned queue, bool on);
    /**
     * Take one frame, its header first if there are any
     * @iov: has room for the largest and one byte more, so that what is
     * larger still is seen to be
     * Returns: its bytes; 0: there is none now
     */
    ssize_t (*receive)(EngineNet *net, unsigned queue, const struct iovec *iov,
                       unsigned count);
    EngineNetSent (*send)(EngineNet *net, unsigned queue,
                          const EngineNetFrame *frame);
    /**
     * Send several, in their order. NULL: send() has to do
     * @count: at most ENGINE_NET_BURST_MAX
     * @ret_sent: what became of each; behind one that is FULL all are
     */
    void (*send_many)(EngineNet *net, unsigned queue,
                      const EngineNetFrame *frames, unsigned count,
                      EngineNetSent *ret_sent);
    /** Features that it can honour: of HOST_*, GUEST_*, CSUM. NULL: none */
    uint64_t (*features)(EngineNet *net);
    /** From now on the guest takes what the GUEST_* of @features mean. */
    void (*set_features)(EngineNet *net, uint64_t features);
    /** Use the first @pairs queues. NULL: there is one */
    bool (*set_pairs)(EngineNet *net, unsigned pairs);
} EngineNetType;

/** A backend's struct begins with it. */
struct EngineNet {
    const EngineNetType *type;
    EngineIo *io;
    const EngineNetPeer *peer;
};

extern const EngineNetType engine_net_stream_type;
extern const EngineNetType engine_net_tap_type;
extern const EngineNetType engine_net_user_type;

/** engine_net_open: by its kind
 * @config, @peer: kept by reference   Thread: main */
EngineNet *engine_net_open(const EngineNetBackendConfig *config, EngineIo *io,
                           const EngineNetPeer *peer, GError **error);
/** engine_net_close: NULL is fine. Thread: I/O */
void engine_net_close(EngineNet *net);
