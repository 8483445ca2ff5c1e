/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/calls.h"
#include "core/change.h"
#include "core/interface.h"
#include "core/params.h"
#include "util/error.h"
#include "util/i18n.h"

/** The limits of interfaces: domainSetInterfaceParameters and
 * domainGetInterfaceParameters. */

#define AFFECT_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static const CoreParamKind kinds[] = {
    { VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, VIR_TYPED_PARAM_UINT },
    { VIR_DOMAIN_BANDWIDTH_IN_PEAK, VIR_TYPED_PARAM_UINT },
    { VIR_DOMAIN_BANDWIDTH_IN_BURST, VIR_TYPED_PARAM_UINT },
    { VIR_DOMAIN_BANDWIDTH_IN_FLOOR, VIR_TYPED_PARAM_UINT },
    { VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, VIR_TYPED_PARAM_UINT },
    { VIR_DOMAIN_BANDWIDTH_OUT_PEAK, VIR_TYPED_PARAM_UINT },
    { VIR_DOMAIN_BANDWIDTH_OUT_BURST, VIR_TYPED_PARAM_UINT },
};

/* The member of each of them, in the same order. */
static const size_t members[] = {
    offsetof(ConfBandwidth, inbound.average_kib),
    offsetof(ConfBandwidth, inbound.peak_kib),
    offsetof(ConfBandwidth, inbound.burst_kib),
    offsetof(ConfBandwidth, inbound.floor_kib),
    offsetof(ConfBandwidth, outbound.average_kib),
    offsetof(ConfBandwidth, outbound.peak_kib),
    offsetof(ConfBandwidth, outbound.burst_kib),
};
G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == G_N_ELEMENTS(members));

static uint64_t *
member(ConfBandwidth *bandwidth, size_t i)
{
    return (uint64_t *)(void *)((char *)bandwidth + members[i]);
}

/* --- setting
 * -------------------------------------------------------------------
 */

typedef struct Tune {
    const char *device;
    const VirtkvmParams *params;
    /* filled in by applying it to the running definition */
    char *id;
    ConfBandwidth bandwidth;
} Tune;

static bool
gives(const VirtkvmParams *params, const char *prefix)
{
    for (size_t i = 0; i < params->count; i++)
        if (g_str_has_prefix(params->items[i].field, prefix))
            return true;
    return false;
}

static bool
check(const ConfBandwidth *bandwidth, GError **error)
{
    const ConfRate *in = &bandwidth->inbound, *out = &bandwidth->outbound;

    if ((in->average_kib > 0 || (in->peak_kib == 0 && in->burst_kib == 0)) &&
        (out->average_kib > 0 || (out->peak_kib == 0 && out->burst_kib == 0)))
        return true;
    error_set(error, VIR_ERR_INVALID_ARG, "%s",
              in->average_kib > 0 || (in->peak_kib == 0 && in->burst_kib == 0)
                  ? _("outbound average is mandatory")
                  : _("either inbound average or floor is mandatory"));
    return false;
}

/* A direction that is given is given whole; without an average it has no
 * limit. */
static void
merge(ConfBandwidth *bandwidth, const VirtkvmParams *params)
{
    if (gives(params, "inbound."))
        bandwidth->inbound = (ConfRate){ 0 };
    if (gives(params, "outbound."))
        bandwidth->outbound = (ConfRate){ 0 };
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const virTypedParameter *param =
            core_params_find(params, kinds[i].name);

        if (param)
            *member(bandwidth, i) = param->value.ui;
    }
}

static bool
apply(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    Tune *tune = data;
    ConfInterface *interface = core_interface_find(conf, tune->device, error);

    if (!interface)
        return false;
    merge(&interface->bandwidth, tune->params);
    if (!check(&interface->bandwidth, error))
        return false;
    if (!live)
        return true;
    g_free(tune->id);
    tune->id = g_strdup(interface->alias);
    tune->bandwidth = interface->bandwidth;
    return true;
}

static bool
ask(CoreEngine *engine, gpointer data, GError **error)
{
    const Tune *tune = data;

    return engine->ops->devices->net_bandwidth(engine, tune->id,
                                               &tune->bandwidth, error);
}

static bool
set_act(CoreCall *call, GError **error)
{
    Tune *tune = call->data;
    CoreChange change = { apply, ask, tune };
    bool done = core_change(call, &change, error);

    g_free(tune->id);
    return done;
}

static const CoreOperation set_operation = {
    .name = "domainSetInterfaceParameters",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = AFFECT_FLAGS,
    .act = set_act,
};

bool
core_call_set_interface_params(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, const char *device,
                               const VirtkvmParams *params, unsigned flags,
                               GError **error)
{
    Tune tune = { .device = device, .params = params };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &tune
    };

    return core_params_check(params, kinds, G_N_ELEMENTS(kinds), error) &&
           core_api_call(&set_operation, &call, dom, error);
}

/* --- getting
 * -------------------------------------------------------------------
 */

static const CoreOperation get_operation = {
    .name = "domainGetInterfaceParameters",
    .flags = AFFECT_FLAGS | VIR_TYPED_PARAM_STRING_OKAY,
};

bool
core_call_interface_params(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmDomainRef *dom, const char *device,
                           unsigned flags, VirtkvmParams *ret_params,
                           GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_auto(CoreView) view = { 0 };
    CoreParams params;
    ConfInterface *interface;

    if (!core_view(&get_operation, &call, dom, &view, error))
        return false;
    interface = core_interface_find(view.conf, device, error);
    if (!interface)
        return false;
    params = core_params_new();
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        core_params_uint(
            &params, kinds[i].name,
            (unsigned)MIN(*member(&interface->bandwidth, i), UINT_MAX));
    *ret_params = core_params_end(&params);
    return true;
}
