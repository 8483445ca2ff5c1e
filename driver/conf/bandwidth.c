/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/bandwidth.h"

#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

static bool
rate_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfRate *rate = base;

    if (!rate->average_kib && !rate->floor_kib) {
        error_set(error, VIR_ERR_XML_DETAIL,
                  _("Missing mandatory average or floor attributes (element "
                    "<%s>, line %ld)"),
                  (const char *)node->name, xmlGetLineNo(node));
        return false;
    }
    if (!rate->average_kib && (rate->peak_kib || rate->burst_kib)) {
        error_set(error, VIR_ERR_XML_DETAIL,
                  _("'peak' and 'burst' require 'average' attribute (element "
                    "<%s>, line %ld)"),
                  (const char *)node->name, xmlGetLineNo(node));
        return false;
    }
    return true;
}

static const ConfField inbound_fields[] = {
    CONF_ATTR("average", ConfRate, average_kib, uint64),
    CONF_ATTR("peak", ConfRate, peak_kib, uint64),
    CONF_ATTR("floor", ConfRate, floor_kib, uint64, .policy = CONF_HARMLESS,
              .advice = N_("nothing is reserved for an interface")),
    CONF_ATTR("burst", ConfRate, burst_kib, uint64), CONF_END
};
static const ConfElement inbound_element = { .name = "inbound",
                                             .fields = inbound_fields,
                                             .check = rate_check };

static const ConfField outbound_fields[] = {
    CONF_ATTR("average", ConfRate, average_kib, uint64, .flags = CONF_REQUIRED),
    CONF_ATTR("peak", ConfRate, peak_kib, uint64),
    CONF_ATTR("burst", ConfRate, burst_kib, uint64), CONF_END
};
static const ConfElement outbound_element = { .name = "outbound",
                                              .fields = outbound_fields,
                                              .check = rate_check };

static const ConfField bandwidth_fields[] = {
    CONF_CHILD("inbound", ConfBandwidth, inbound, inbound_element),
    CONF_CHILD("outbound", ConfBandwidth, outbound, outbound_element), CONF_END
};
const ConfElement conf_bandwidth_element = { .name = "bandwidth",
                                             .fields = bandwidth_fields };
