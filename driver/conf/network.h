/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "conf/bandwidth.h"
#include "conf/carried.h"
#include "conf/onoff.h"

/**
 * The definition of a virtual network: libvirt's <network> document as
 * structs, by the same tables as a domain's (conf/domain.h). What the tables do
 * not model is carried, and refused by name at start where it matters.
 */

typedef enum ConfForwardMode {
    CONF_FORWARD_NONE = 0, /* no <forward>: isolated */
    CONF_FORWARD_NAT,
    CONF_FORWARD_ROUTE,
    CONF_FORWARD_OPEN, /* routed, without any rules */
    CONF_FORWARD_BRIDGE,
    CONF_FORWARD_PRIVATE, /* the rest is refused at start */
    CONF_FORWARD_VEPA,
    CONF_FORWARD_PASSTHROUGH,
    CONF_FORWARD_HOSTDEV,
} ConfForwardMode;

/** <interface dev=''> of <forward> */
typedef struct ConfForwardInterface {
    char *dev;
    ConfCarried carried;
} ConfForwardInterface;

/** <forward> */
typedef struct ConfForward {
    ConfForwardMode mode;
    char *dev;               /* traffic leaves only through it; NULL: any */
    GPtrArray *interfaces;   /* ConfForwardInterface */
    ConfOnOff nat_ipv6;      /* <nat ipv6=''> */
    char *nat_address_start; /* <address> of <nat>; NULL: the host's own */
    char *nat_address_end;
    unsigned nat_port_start; /* <port> of <nat>; 0: any */
    unsigned nat_port_end;
} ConfForward;

/** <bridge>, <mac>, <mtu> */
typedef struct ConfBridge {
    char *name;
    int mac_table_manager; /* 0 = absent, kernel, libvirt */
    ConfOnOff stp;
    int delay_s; /* -1 = absent */
    char *zone;  /* of firewalld */
    char *mac;
    unsigned mtu; /* 0 = the kernel's own */
} ConfBridge;

/** <domain> */
typedef struct ConfNetworkDomain {
    char *name;
    ConfOnOff local_only;
} ConfNetworkDomain;

/** <hostname> of a <host> of <dns> */
typedef struct ConfHostname {
    char *name;
    ConfCarried carried;
} ConfHostname;

/** <host> of <dns> */
typedef struct ConfDnsHost {
    char *ip;
    GPtrArray *names; /* ConfHostname */
    ConfCarried carried;
} ConfDnsHost;

/** <txt> of <dns> */
typedef struct ConfDnsTxt {
    char *name;
    char *value;
    ConfCarried carried;
} ConfDnsTxt;

/** <forwarder> of <dns> */
typedef struct ConfDnsForwarder {
    char *domain;
    char *addr;
    ConfCarried carried;
} ConfDnsForwarder;

/** <dns> */
typedef struct ConfDns {
    ConfOnOff enable;              /* absent: on */
    ConfOnOff forward_plain_names; /* absent: on */
    GPtrArray *forwarders;         /* ConfDnsForwarder */
    GPtrArray *txts;               /* ConfDnsTxt */
    GPtrArray *hosts;              /* ConfDnsHost */
} ConfDns;

/** <lease expiry='' unit=''> of a <range> or a <host> */
typedef struct ConfLease {
    int expiry; /* 0: for ever; -1 = absent */
    int unit;   /* 0 = absent: minutes; else seconds, minutes, hours */
} ConfLease;

/** <range> of <dhcp> */
typedef struct ConfDhcpRange {
    char *start;
    char *end;
    ConfLease lease;
    ConfCarried carried;
} ConfDhcpRange;

/** <host> of <dhcp> */
typedef struct ConfDhcpHost {
    char *mac; /* or */
    char *id;  /* DUID of IPv6, client id of IPv4 */
    char *name;
    char *ip;
    ConfLease lease;
    ConfCarried carried;
} ConfDhcpHost;

/** <ip> */
typedef struct ConfNetworkIp {
    char *family; /* ipv4, ipv6; NULL: by the address */
    char *address;
    char *netmask;
    int prefix; /* -1 = absent */
    ConfOnOff local_ptr;
    char *tftp_root;
    ConfOnOff dhcp;    /* is there a <dhcp>? */
    GPtrArray *ranges; /* ConfDhcpRange */
    GPtrArray *hosts;  /* ConfDhcpHost */
    char *bootp_file;
    char *bootp_server;
    ConfCarried carried;
} ConfNetworkIp;

/** <portgroup> */
typedef struct ConfPortgroup {
    char *name;
    ConfOnOff is_default;
    ConfBandwidth bandwidth;
    ConfCarried carried;
} ConfPortgroup;

typedef struct ConfNetwork {
    char *name;
    unsigned char uuid[VIR_UUID_BUFLEN];
    bool uuid_given; /* the document had one */
    ConfOnOff ipv6;  /* guests may speak IPv6 among themselves without <ip> */
    int connections; /* live: interfaces on it; 0 = absent */
    ConfForward forward;
    ConfBridge bridge;
    ConfNetworkDomain domain;
    ConfDns dns;
    ConfBandwidth bandwidth;
    GPtrArray *ips;        /* ConfNetworkIp */
    GPtrArray *portgroups; /* ConfPortgroup */
    ConfCarried carried;
} ConfNetwork;

/** Bounds of a network of a foreign hand. */
#define CONF_NETWORK_IPS_MAX 16
/* What a NAT takes where <nat> names no ports, as libvirt. */
#define CONF_NAT_PORT_FIRST   1024
#define CONF_NAT_PORT_LAST    65535
#define CONF_NETWORK_NAME_MAX 240 /* a file is named for the network */

/**
 * conf_network_parse: read a <network> document and fill libvirt's defaults,
 * but for the bridge's name, which only the host's state can give
 * @flags: ConfParseFlags of conf/domain.h
 * @error: XML_ERROR, XML_DETAIL, CONFIG_UNSUPPORTED, XML_INVALID_SCHEMA
 * Thread: any. Returns: a new definition, or NULL
 */
ConfNetwork *conf_network_parse(const char *xml, unsigned flags,
                                GError **error);

/** conf_network_parse_node: the same of an element of an open document */
ConfNetwork *conf_network_parse_node(xmlNodePtr node, unsigned flags,
                                     GError **error);

/** conf_network_format: the document, libvirt's order; @flags: ConfFormatFlags
 */
char *conf_network_format(const ConfNetwork *network, unsigned flags);

ConfNetwork *conf_network_copy(const ConfNetwork *network);
void conf_network_free(ConfNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfNetwork, conf_network_free)

/**
 * conf_network_check_start: can a network be built from this definition?
 * @warnings: GPtrArray of char *, or NULL
 * @error: CONFIG_UNSUPPORTED: names the element
 */
bool conf_network_check_start(const ConfNetwork *network, GPtrArray *warnings,
                              GError **error);

/** conf_network_owns_bridge: does a start make the bridge (and not use one that
 * is there)? */
bool conf_network_owns_bridge(const ConfNetwork *network);

/** conf_network_ip_prefix: as given, or from the netmask, or the class's */
unsigned conf_network_ip_prefix(const ConfNetworkIp *ip);

/** conf_network_lease_s: seconds; 0: for ever; below 0: absent */
int64_t conf_network_lease_s(const ConfLease *lease);

/** conf_network_portgroup: by name; NULL name: the default one; NULL if there
 * is none */
const ConfPortgroup *conf_network_portgroup(const ConfNetwork *network,
                                            const char *name);

/** conf_network_assign_live: fill what only a running network shows */
void conf_network_assign_live(ConfNetwork *network);

/** What conf_network_update() changes. */
typedef struct ConfNetworkUpdate {
    virNetworkUpdateCommand command;
    virNetworkUpdateSection section;
    int parent;      /* index of the <ip>; -1: libvirt's own choice */
    const char *xml; /* one element */
} ConfNetworkUpdate;

/**
 * conf_network_update: change one entry of a section: libvirt's net-update
 *
 * Sections: IP_DHCP_HOST, IP_DHCP_RANGE, DNS_HOST, DNS_TXT, FORWARD_INTERFACE
 * and PORTGROUP.
 * @error: OPERATION_INVALID (it is there already, or is not there),
 * OPERATION_UNSUPPORTED (another section), XML_ERROR
 * Returns: false: @network is as it was
 */
bool conf_network_update(ConfNetwork *network, const ConfNetworkUpdate *update,
                         GError **error);
