/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/network.h"
#include "core/state.h"

/**
 * The dnsmasq of one network: started with a file of ours, watched, and started
 * again when it dies, at a bounded rate.
 * Thread: that of the networks' changes; the watching is done on the I/O
 * thread.
 */
typedef struct CoreDnsmasq CoreDnsmasq;

/** core_dnsmasq_start: @adopt: one that still runs, of an earlier daemon, may
 * go on. @error: OPERATION_FAILED with what it said */
CoreDnsmasq *core_dnsmasq_start(VirtkvmState *state, const ConfNetwork *conf,
                                bool adopt, GError **error);
/** core_dnsmasq_reconfigure: end it and start it with another definition */
bool core_dnsmasq_reconfigure(CoreDnsmasq *dnsmasq, const ConfNetwork *conf,
                              GError **error);
/** core_dnsmasq_stop: end it, remove its files but the leases, free */
void core_dnsmasq_stop(CoreDnsmasq *dnsmasq);
/** core_dnsmasq_detach: let it run on, free */
void core_dnsmasq_detach(CoreDnsmasq *dnsmasq);
/** core_dnsmasq_sweep: end what an earlier daemon left of a network of that
 * name, and remove its files */
void core_dnsmasq_sweep(VirtkvmState *state, const char *name);
