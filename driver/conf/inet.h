/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/table.h"

/* Kinds of values, all text in its usual form. */
extern const ConfType conf_type_ifname; /* char *: of a network interface */
extern const ConfType conf_type_ip;     /* char *: an IPv4 or IPv6 address */
extern const ConfType conf_type_mac;    /* char *: six bytes, lower case */

/** An address of either family. */
typedef struct ConfInet {
    int family;        /* AF_INET, AF_INET6; 0: none */
    uint8_t bytes[16]; /* the first 4 of IPv4, network order */
} ConfInet;

/** conf_inet_parse: a number, never a name; false if it is not one */
bool conf_inet_parse(const char *text, ConfInet *ret_address);
/** conf_inet_format: as the kernel and dnsmasq take it; owned */
char *conf_inet_format(const ConfInet *address);
/** conf_inet_bits: 32 or 128 */
unsigned conf_inet_bits(const ConfInet *address);
/** conf_inet_mask: clear (or, with @ones, set) all after the first @prefix
 * bits */
void conf_inet_mask(ConfInet *address, unsigned prefix, bool ones);
/** conf_inet_within: are both of one family and equal in @prefix bits? */
bool conf_inet_within(const ConfInet *a, const ConfInet *b, unsigned prefix);
/** conf_inet_compare: as memcmp(), of one family */
int conf_inet_compare(const ConfInet *a, const ConfInet *b);
/** conf_inet_netmask_prefix: 24 of 255.255.255.0; -1 if it has holes */
int conf_inet_netmask_prefix(const ConfInet *netmask);

/** conf_mac_parse: xx:xx:xx:xx:xx:xx; false if it is not one */
bool conf_mac_parse(const char *text, uint8_t ret_mac[6]);
/** conf_mac_format: owned */
char *conf_mac_format(const uint8_t mac[6]);
/** conf_mac_generate: 52:54:00 and three random bytes, libvirt's range for
 * KVM; owned */
char *conf_mac_generate(void);

/** conf_ifname_valid: can an interface have this name, and a rule or a file
 * hold it? A "%" may stand for a number. */
bool conf_ifname_valid(const char *name);
