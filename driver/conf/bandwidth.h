/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>

#include "conf/table.h"

/** One direction of a <bandwidth>; 0 = absent. */
typedef struct ConfRate {
    uint64_t average_kib; /* a second */
    uint64_t peak_kib;    /* a second, while the burst lasts */
    uint64_t burst_kib;
    uint64_t floor_kib; /* a second that is promised; inbound only */
} ConfRate;

/** <bandwidth> of an interface, a network or a portgroup: inbound is what the
 * guest receives. */
typedef struct ConfBandwidth {
    ConfRate inbound, outbound;
} ConfBandwidth;

extern const ConfElement conf_bandwidth_element; /* ConfBandwidth */
