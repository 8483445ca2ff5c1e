/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/member.h"

#define ENGINE_NET_PAIRS_MAX    8  /* of queues */
#define ENGINE_NET_FORWARDS_MAX 64 /* of ports, of one interface */
#define ENGINE_NET_MAC_BYTES    6

/** The host's end of a network interface. */
typedef enum EngineNetKind {
    ENGINE_NET_TAP = 0,
    ENGINE_NET_USER,
    ENGINE_NET_STREAM,
} EngineNetKind;

/** A port of the host that leads to one of the guest. */
typedef struct EngineNetForward {
    bool udp;
    struct in_addr host; /* that is listened at; INADDR_ANY: every one */
    unsigned host_port, guest_port;
} EngineNetForward;

typedef struct EngineNetBackendConfig {
    EngineNetKind kind;
    /* tap: as many as there are queue pairs */
    int fds[ENGINE_NET_PAIRS_MAX];
    size_t n_fds;
    /* stream */
    int fd;
    /* user */
    struct in_addr network;
    unsigned prefix; /* bits of the network */
    bool restricted; /* to what is forwarded, and the host's own services */
    char *hostname;  /* of the guest, for DHCP; NULL: none */
    char *tftp_root; /* folder whose files the guest can get; NULL: none */
    char *boot_file; /* of it, that DHCP names; NULL: none */
    EngineNetForward *forwards;
    size_t n_forwards;
} EngineNetBackendConfig;

/** As libvirt's <bandwidth>; 0: no limit, none, none. */
typedef struct EngineNetRate {
    uint64_t average_kib, peak_kib; /* a second */
    uint64_t burst_kib;
} EngineNetRate;

typedef struct EngineNetBandwidth {
    EngineNetRate inbound, outbound; /* to the guest, from it */
} EngineNetBandwidth;

typedef struct EngineNetConfig {
    uint8_t mac[ENGINE_NET_MAC_BYTES];
    unsigned mtu;    /* 0: the guest is not told */
    unsigned queues; /* pairs, > 0 */
    unsigned queue_size;
    bool link;    /* the cable is in, at first */
    bool offload; /* checksums and segmentation may be left to the host */
    EngineNetBackendConfig backend;
    EngineNetBandwidth bandwidth;
} EngineNetConfig;

/** Of an EngineNetBandwidth, also for `net_set_bandwidth`. */
extern const EngineMember engine_net_bandwidth_members[];
