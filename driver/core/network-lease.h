/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/network.h"
#include "core/state.h"

/** core_network_lease_array: an empty array of VirtkvmDhcpLease */
GArray *core_network_lease_array(void);

/**
 * core_network_read_leases: append the leases of a network that have not ended
 * @conf: its definition   @mac: only those of this interface; NULL for all
 * @error: SYSTEM_ERROR if the list cannot be read; there need not be one
 */
bool core_network_read_leases(VirtkvmState *state, const ConfNetwork *conf,
                              const char *mac, GArray *leases, GError **error);

/** core_network_parse_leases: the same from the text of dnsmasq's file; @now_s:
 * seconds since the epoch */
void core_network_parse_leases(const char *text, const ConfNetwork *conf,
                               const char *mac, gint64 now_s, GArray *leases);
