/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/network.h"

/* What the host's programs are told of a network. */

/** Where dnsmasq's files are. */
typedef struct CoreDnsmasqPaths {
    const char *pid;
    const char *leases;
} CoreDnsmasqPaths;

/** core_network_needs_dnsmasq: is there anything to serve? */
bool core_network_needs_dnsmasq(const ConfNetwork *conf);

/** core_network_dnsmasq_text: its configuration */
char *core_network_dnsmasq_text(const ConfNetwork *conf,
                                const CoreDnsmasqPaths *paths);

/** core_network_table: the name of the table of rules: "virtkvm_virbr0" */
char *core_network_table(const ConfNetwork *conf);
/** core_network_nft_text: one transaction that replaces the network's table;
 * an open network's forwards and translates nothing */
char *core_network_nft_text(const ConfNetwork *conf);

/** core_network_link_text: for ip(8): make the bridge */
char *core_network_link_text(const ConfNetwork *conf);
/** core_network_address_text: for ip(8): addresses, mtu, and up */
char *core_network_address_text(const ConfNetwork *conf);
/** core_network_tc_text: for tc(8): the limit of what guests receive; NULL if
 * there is none */
char *core_network_tc_text(const ConfNetwork *conf);
