/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** The bandwidth of an interface in one direction, as options have it. */
typedef struct VshRate {
    unsigned average_kib_s;
    unsigned peak_kib_s;
    unsigned burst_kib;
    unsigned floor_kib_s; /* of what the guest receives only */
} VshRate;

/**
 * vsh_rate_parse: "average[,peak[,burst[,floor]]]"; a number left out is 0
 * @direction: "inbound" or "outbound"
 * Returns: false with USAGE
 */
bool vsh_rate_parse(const char *direction, const char *text, VshRate *ret_rate,
                    GError **error);

/**
 * vsh_rate_check: may the rate stand in an interface's XML? It needs an
 * average, or inbound a floor
 */
bool vsh_rate_check(const char *direction, const VshRate *rate, GError **error);
