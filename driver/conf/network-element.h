/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/network.h"
#include "conf/table.h"

/* The tables of a network; base struct in brackets. */
extern const ConfElement conf_dhcp_host_element;         /* ConfDhcpHost */
extern const ConfElement conf_dhcp_range_element;        /* ConfDhcpRange */
extern const ConfElement conf_dns_element;               /* ConfDns */
extern const ConfElement conf_dns_host_element;          /* ConfDnsHost */
extern const ConfElement conf_dns_txt_element;           /* ConfDnsTxt */
extern const ConfElement conf_forward_interface_element; /* its own */
extern const ConfElement conf_network_element;           /* ConfNetwork */
extern const ConfElement conf_network_ip_element;        /* ConfNetworkIp */
extern const ConfElement conf_portgroup_element;         /* ConfPortgroup */

/** A name as DNS has it: char *, safe in dnsmasq's files. */
extern const ConfType conf_type_hostname;
#define CONF_HOSTNAME_MAX_BYTES 253

/** conf_network_fill_defaults: what libvirt adds when a network is defined, and
 * the checks that need the whole document */
bool conf_network_fill_defaults(ConfNetwork *network, GError **error);

/** conf_network_ip_check: the checks of one <ip> with its <dhcp>, asked
 * again after an update */
bool conf_network_ip_check(const ConfNetworkIp *ip, GError **error);
