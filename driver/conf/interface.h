/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/address.h"
#include "conf/bandwidth.h"
#include "conf/carried.h"
#include "conf/onoff.h"

typedef enum ConfInterfaceType {
    CONF_INTERFACE_ABSENT = 0, /* as user */
    CONF_INTERFACE_USER,
    CONF_INTERFACE_NETWORK,
    CONF_INTERFACE_BRIDGE,
    CONF_INTERFACE_ETHERNET,
    CONF_INTERFACE_DIRECT, /* this and what follows: carried, refused at start
                            */
    CONF_INTERFACE_VHOSTUSER,
    CONF_INTERFACE_SERVER,
    CONF_INTERFACE_CLIENT,
    CONF_INTERFACE_MCAST,
    CONF_INTERFACE_INTERNAL,
    CONF_INTERFACE_HOSTDEV,
    CONF_INTERFACE_UDP,
    CONF_INTERFACE_VDPA,
    CONF_INTERFACE_NULL,
    CONF_INTERFACE_VDS,
} ConfInterfaceType;

typedef enum ConfLink {
    CONF_LINK_ABSENT = 0, /* as up */
    CONF_LINK_UP,
    CONF_LINK_DOWN,
} ConfLink;

/** Pairs of queues, and entries of a queue. */
#define CONF_INTERFACE_QUEUES_MAX     8u
#define CONF_INTERFACE_QUEUE_SIZE_MAX 1024u

/** <ip>: of type user, the network that the guest sees */
typedef struct ConfIp {
    char *address;
    char *family; /* ipv4, ipv6; NULL: as the address looks */
    int prefix;   /* -1 = absent */
    ConfCarried carried;
} ConfIp;

/** <range> of <portForward> */
typedef struct ConfPortRange {
    unsigned start, end; /* host; end 0: start alone */
    unsigned to;         /* guest; 0: the host's */
    ConfOnOff exclude;
    ConfCarried carried;
} ConfPortRange;

typedef enum ConfProtocol {
    CONF_PROTOCOL_ABSENT = 0,
    CONF_PROTOCOL_TCP,
    CONF_PROTOCOL_UDP,
} ConfProtocol;

/** <portForward> */
typedef struct ConfPortForward {
    ConfProtocol protocol;
    char *address;     /* of the host; NULL: all */
    char *dev;         /* carried */
    GPtrArray *ranges; /* ConfPortRange; empty: all ports (passt) */
    ConfCarried carried;
} ConfPortForward;

typedef enum ConfNetBackend {
    CONF_NET_BACKEND_ABSENT = 0,
    CONF_NET_BACKEND_PASST,
} ConfNetBackend;

/** <rom>: what firmware runs of the device */
typedef struct ConfRom {
    ConfOnOff enabled; /* off: there is none */
    ConfOnOff bar;     /* off: the guest does not see it */
    char *file;        /* NULL: the host's */
} ConfRom;

/** <interface> */
typedef struct ConfInterface {
    ConfInterfaceType type;
    bool mac_given;   /* the document had one */
    char *mac;        /* "52:54:00:..." in lower case; never NULL */
    char *network;    /* type network */
    char *portgroup;  /* type network */
    char *bridge;     /* type bridge; live: of type network */
    char *source_dev; /* type user: the host's (passt) */
    ConfBandwidth bandwidth;
    GPtrArray *ips;      /* ConfIp */
    GPtrArray *forwards; /* ConfPortForward */
    char *target;        /* dev='': the tap; "vnet..." is live */
    ConfOnOff managed;   /* <target managed=''>; off: the tap is there */
    char *model;         /* virtio ...; filled in */
    char *driver;        /* name='' */
    unsigned queues;     /* pairs; 0 = absent */
    unsigned rx_queue_size, tx_queue_size; /* 0 = absent */
    ConfOnOff packed;
    ConfNetBackend backend;
    char *log_file; /* of passt */
    ConfLink link;
    unsigned mtu;        /* 0 = absent */
    unsigned boot_order; /* 0 = absent; carried */
    ConfRom rom;
    char *alias; /* live, or the user's own */
    ConfAddress address;
    ConfCarried carried;
} ConfInterface;

typedef struct ConfDomain ConfDomain;

/** conf_domain_interface: by its tap ("vnet0"), MAC address or alias; or NULL
 */
ConfInterface *conf_domain_interface(const ConfDomain *domain,
                                     const char *name);
