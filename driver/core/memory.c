/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/calls.h"
#include "core/change.h"
#include "core/cputime.h"
#include "core/engine-devices.h"
#include "core/memory.h"
#include "util/error.h"
#include "util/i18n.h"

#define AFFECT_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

/* --- how much the guest may have
 * ------------------------------------------------
 */

typedef struct SetMemory {
    uint64_t kib;
    bool maximum;
} SetMemory;

static bool
apply_maximum(ConfDomain *conf, bool live, uint64_t kib, GError **error)
{
    if (live) {
        core_api_set_invalid(
            error, _("cannot resize the maximum memory on an active domain"));
        return false;
    }
    conf->memory.memory_kib = kib;
    if (conf->memory.current_kib > kib)
        conf->memory.current_kib = kib;
    return conf_domain_check_return(conf, error);
}

static bool
apply_memory(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    const SetMemory *set = data;

    if (set->maximum)
        return apply_maximum(conf, live, set->kib, error);
    if (set->kib > conf->memory.memory_kib) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("cannot set memory higher than max memory"));
        return false;
    }
    if (live && !conf_domain_memballoon(conf)) {
        core_api_set_invalid(
            error, _("Unable to change memory of active domain without the "
                     "balloon device and guest OS balloon driver"));
        return false;
    }
    /* Of a running guest the balloon tells how far it has come. */
    if (!live)
        conf->memory.current_kib = set->kib;
    return true;
}

static bool
ask_memory(CoreEngine *engine, gpointer data, GError **error)
{
    const SetMemory *set = data;

    return engine->ops->devices->balloon(engine, set->kib * 1024, error);
}

static bool
set_memory_act(CoreCall *call, GError **error)
{
    CoreChange change = { apply_memory, ask_memory, call->data };

    return core_change(call, &change, error);
}

static const CoreOperation set_memory_operation = {
    .name = "domainSetMemoryFlags",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = AFFECT_FLAGS,
    .act = set_memory_act,
};

bool
core_call_set_memory(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, uint64_t memory_kib,
                     unsigned flags, GError **error)
{
    SetMemory set = { memory_kib, flags & VIR_DOMAIN_MEM_MAXIMUM };
    CoreCall call = { .state = state,
                      .who = who,
                      .flags = flags & ~(unsigned)VIR_DOMAIN_MEM_MAXIMUM,
                      .data = &set };

    if (memory_kib > 0 && memory_kib <= UINT64_MAX / 1024)
        return core_api_call(&set_memory_operation, &call, dom, error);
    error_set(error, VIR_ERR_INVALID_ARG,
              _("%llu KiB is no size of a domain's memory"),
              (unsigned long long)memory_kib);
    return false;
}

/* --- what the guest tells of it
 * -------------------------------------------------
 */

static bool
apply_period(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    ConfMemballoon *balloon = conf_domain_memballoon(conf);

    if (!balloon) {
        core_api_set_invalid(
            error, _("No memory balloon device configured, can not set the "
                     "collection period"));
        return false;
    }
    balloon->period_s = *(unsigned *)data;
    return true;
}

static bool
ask_period(CoreEngine *engine, gpointer data, GError **error)
{
    return engine->ops->devices->balloon_period(engine, *(unsigned *)data,
                                                error);
}

static bool
period_act(CoreCall *call, GError **error)
{
    CoreChange change = { apply_period, ask_period, call->data };

    return core_change(call, &change, error);
}

static const CoreOperation period_operation = {
    .name = "domainSetMemoryStatsPeriod",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = AFFECT_FLAGS,
    .act = period_act,
};

bool
core_call_memory_period(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, int period_s,
                        unsigned flags, GError **error)
{
    unsigned period = (unsigned)period_s;
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &period
    };

    if (period_s >= 0)
        return core_api_call(&period_operation, &call, dom, error);
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the period of the memory statistics must not be negative"));
    return false;
}

/* Sizes that the guest tells in bytes and clients want in KiB. */
static bool
is_size(int tag)
{
    return tag != VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT &&
           tag != VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT &&
           tag != VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC &&
           tag != VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL;
}

static void
add(GArray *stats, int tag, uint64_t value)
{
    VirtkvmMemoryStat stat = { tag, value };

    g_array_append_val(stats, stat);
}

/* In libvirt's order. */
static const int guest_tags[] = {
    VIR_DOMAIN_MEMORY_STAT_SWAP_IN,
    VIR_DOMAIN_MEMORY_STAT_SWAP_OUT,
    VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT,
    VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT,
    VIR_DOMAIN_MEMORY_STAT_UNUSED,
    VIR_DOMAIN_MEMORY_STAT_AVAILABLE,
    VIR_DOMAIN_MEMORY_STAT_USABLE,
    VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE,
    VIR_DOMAIN_MEMORY_STAT_DISK_CACHES,
    VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC,
    VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL,
};

static void
add_guest(GArray *stats, const CoreBalloonStats *guest)
{
    for (size_t i = 0; i < G_N_ELEMENTS(guest_tags); i++) {
        int tag = guest_tags[i];

        if (tag == VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE)
            add(stats, tag, guest->last_update_s);
        else if (guest->has[tag])
            add(stats, tag,
                is_size(tag) ? guest->values[tag] / 1024 : guest->values[tag]);
    }
}

static void
add_rss(GArray *stats, pid_t pid)
{
    CoreCpuTime time;

    if (pid > 0 && core_cputime_process(pid, &time))
        add(stats, VIR_DOMAIN_MEMORY_STAT_RSS, time.rss_kib);
}

GArray *
core_memory_stats(const CoreView *view)
{
    GArray *stats = g_array_new(FALSE, FALSE, sizeof(VirtkvmMemoryStat));
    CoreBalloonStats guest = { 0 };

    if (view->def->has_balloon)
        add(stats, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, view->memory_kib);
    if (view->def->has_balloon &&
        view->engine->ops->devices->balloon_stats(view->engine, &guest, NULL))
        add_guest(stats, &guest);
    add_rss(stats, view->record.pid);
    return stats;
}

static const CoreOperation stats_operation = {
    .name = "domainMemoryStats",
    .needs = CORE_ACTIVE,
};

bool
core_call_memory_stats(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom, unsigned flags,
                       GArray **ret_stats, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_auto(CoreView) view = { 0 };

    if (!core_view(&stats_operation, &call, dom, &view, error))
        return false;
    *ret_stats = core_memory_stats(&view);
    return true;
}
