/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/cputime.h"
#include "core/list.h"
#include "core/memory.h"
#include "core/params.h"
#include "core/stats-devices.h"
#include "core/view.h"
#include "util/error.h"
#include "util/i18n.h"

/* The flags that choose domains. */
#define FILTERS                                     \
    (VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |     \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE |   \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT | \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT |  \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING |    \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |     \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF |    \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER)

/* What is taken from a domain under its lock; the rest is read without. */
typedef struct Facts {
    VirtkvmDomainRef ref;
    int status;
    int reason;
    unsigned flags; /* of the call */
    CoreView view;
} Facts;

static bool
facts_take(CoreDomain *domain, unsigned filter, Facts *facts)
{
    bool taken;

    *facts = (Facts){ 0 };
    core_domain_lock(domain);
    taken = core_domain_exists(domain) && core_list_matches(domain, filter);
    if (taken) {
        core_domain_to_ref(domain, &facts->ref);
        facts->status = domain->status;
        facts->reason = domain->reason;
        core_view_fill(domain, domain->def, &facts->view);
    }
    core_domain_unlock(domain);
    return taken;
}

/* --- the groups, named as libvirt's QEMU driver names them
 * --------------------------- */

static void
add_state(const Facts *facts, CoreParams *params)
{
    core_params_int(params, "state.state", facts->status);
    core_params_int(params, "state.reason", facts->reason);
}

static void
add_cpu_total(const Facts *facts, CoreParams *params)
{
    CoreCpuTime time;

    if (facts->view.record.pid == 0 ||
        !core_cputime_process(facts->view.record.pid, &time))
        return;
    core_params_ullong(params, "cpu.time", time.user_ns + time.system_ns);
    core_params_ullong(params, "cpu.user", time.user_ns);
    core_params_ullong(params, "cpu.system", time.system_ns);
}

/* In the order in which they are told; what has no name here is left out. */
static const char *const balloon_names[] = {
    [VIR_DOMAIN_MEMORY_STAT_SWAP_IN] = "balloon.swap_in",
    [VIR_DOMAIN_MEMORY_STAT_SWAP_OUT] = "balloon.swap_out",
    [VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT] = "balloon.major_fault",
    [VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT] = "balloon.minor_fault",
    [VIR_DOMAIN_MEMORY_STAT_UNUSED] = "balloon.unused",
    [VIR_DOMAIN_MEMORY_STAT_AVAILABLE] = "balloon.available",
    [VIR_DOMAIN_MEMORY_STAT_RSS] = "balloon.rss",
    [VIR_DOMAIN_MEMORY_STAT_USABLE] = "balloon.usable",
    [VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE] = "balloon.last-update",
    [VIR_DOMAIN_MEMORY_STAT_DISK_CACHES] = "balloon.disk_caches",
    [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC] = "balloon.hugetlb_pgalloc",
    [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL] = "balloon.hugetlb_pgfail",
};

static void
add_balloon(const Facts *facts, CoreParams *params)
{
    g_autoptr(GArray) stats = NULL;

    core_params_ullong(params, "balloon.current", facts->view.memory_kib);
    core_params_ullong(params, "balloon.maximum", facts->view.def->memory_kib);
    if (!facts->view.engine)
        return;
    stats = core_memory_stats(&facts->view);
    for (guint i = 0; i < stats->len; i++) {
        const VirtkvmMemoryStat *stat =
            &g_array_index(stats, VirtkvmMemoryStat, i);

        if (stat->tag < (int)G_N_ELEMENTS(balloon_names) &&
            balloon_names[stat->tag])
            core_params_ullong(params, balloon_names[stat->tag], stat->value);
    }
}

static void
add_block(const Facts *facts, CoreParams *params)
{
    if (facts->view.conf)
        core_stats_add_block(
            &facts->view,
            facts->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING, params);
}

static void
add_net(const Facts *facts, CoreParams *params)
{
    if (facts->view.conf)
        core_stats_add_net(&facts->view, params);
}

static const char *
vcpu_field(char *name, size_t size, unsigned number, const char *field)
{
    snprintf(name, size, "vcpu.%u.%s", number, field);
    return name;
}

static void
add_one_vcpu(const Facts *facts, unsigned number, CoreParams *params)
{
    pid_t thread =
        g_array_index(facts->view.record.vcpu_threads, pid_t, number);
    char name[VIR_TYPED_PARAM_FIELD_LENGTH];
    CoreSchedTime sched;
    CoreCpuTime time;

    if (!core_cputime_thread(facts->view.record.pid, thread, &time))
        return;
    core_params_int(params, vcpu_field(name, sizeof(name), number, "state"),
                    VIR_VCPU_RUNNING);
    if (!core_cputime_sched(facts->view.record.pid, thread, &sched))
        sched = (CoreSchedTime){ .run_ns = time.user_ns + time.system_ns };
    core_params_ullong(params, vcpu_field(name, sizeof(name), number, "time"),
                       sched.run_ns);
    core_params_ullong(params, vcpu_field(name, sizeof(name), number, "wait"),
                       core_cputime_blocked_ns(facts->view.record.pid, thread));
    core_params_ullong(params, vcpu_field(name, sizeof(name), number, "delay"),
                       sched.wait_ns);
    /* Inside KVM_RUN a thread sleeps only for a halted vCPU. */
    if (facts->status == VIR_DOMAIN_RUNNING)
        core_params_bool(params,
                         vcpu_field(name, sizeof(name), number, "halted"),
                         time.state == 'S');
}

static void
add_vcpus(const Facts *facts, CoreParams *params)
{
    core_params_uint(params, "vcpu.current", facts->view.def->vcpus);
    core_params_uint(params, "vcpu.maximum", facts->view.def->vcpus_max);
    for (unsigned i = 0; facts->view.record.vcpu_threads &&
                         i < facts->view.record.vcpu_threads->len;
         i++)
        add_one_vcpu(facts, i, params);
}

static void
add_iothreads(const Facts *facts, CoreParams *params)
{
    if (facts->view.record.pid != 0)
        core_params_uint(params, "iothread.count", facts->view.def->iothreads);
}

static const struct {
    unsigned group;
    void (*add)(const Facts *facts, CoreParams *params);
} groups[] = {
    { VIR_DOMAIN_STATS_STATE, add_state },
    { VIR_DOMAIN_STATS_CPU_TOTAL, add_cpu_total },
    { VIR_DOMAIN_STATS_BALLOON, add_balloon },
    { VIR_DOMAIN_STATS_VCPU, add_vcpus },
    { VIR_DOMAIN_STATS_INTERFACE, add_net },
    { VIR_DOMAIN_STATS_BLOCK, add_block },
    { VIR_DOMAIN_STATS_IOTHREAD, add_iothreads },
};

/* --- the call
 * ---------------------------------------------------------------------- */

static void
stats_clear(gpointer data)
{
    VirtkvmDomainStats *stats = data;

    core_domain_ref_clear(&stats->domain);
    core_params_clear(&stats->params);
}

static unsigned
known_groups(void)
{
    unsigned known = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        known |= groups[i].group;
    return known;
}

static bool
check_groups(unsigned stats, unsigned flags, GError **error)
{
    unsigned unknown = stats & ~known_groups();

    if (!unknown || !(flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS))
        return true;
    error_set(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
              _("Stats types bits 0x%x are not supported by this daemon"),
              unknown);
    return false;
}

static bool
needs_conf(unsigned stats)
{
    return !stats ||
           (stats & (VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK));
}

static void
add_domain(GArray *all, CoreDomain *domain, unsigned stats, unsigned flags)
{
    VirtkvmDomainStats one;
    CoreParams params;
    Facts facts;

    if (!facts_take(domain, flags & FILTERS, &facts))
        return;
    facts.flags = flags;
    if (needs_conf(stats))
        facts.view.conf = core_def_open(facts.view.def, NULL);
    params = core_params_new();
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        if (!stats || (stats & groups[i].group))
            groups[i].add(&facts, &params);
    one.domain = facts.ref;
    one.params = core_params_end(&params);
    core_view_clear(&facts.view);
    g_array_append_val(all, one);
}

/* Those that are gone meanwhile are left out, as libvirt does. */
static GPtrArray *
choose(VirtkvmState *state, const VirtkvmDomainRef *doms, size_t count)
{
    GPtrArray *chosen;

    if (!doms)
        return core_list_snapshot(state->list);
    chosen = g_ptr_array_new_with_free_func((GDestroyNotify)core_domain_unref);
    for (size_t i = 0; i < count; i++) {
        CoreDomain *domain = core_list_find_uuid(state->list, doms[i].uuid);

        if (domain)
            g_ptr_array_add(chosen, domain);
    }
    return chosen;
}

bool
core_call_stats(VirtkvmState *state, const VirtkvmCaller *who,
                const VirtkvmDomainRef *doms, size_t count, unsigned stats,
                unsigned flags, GArray **ret_stats, GError **error)
{
    static const unsigned others =
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING |
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS;
    g_autoptr(GPtrArray) domains = NULL;

    if (!core_api_check_flags(flags, FILTERS | others,
                              "connectGetAllDomainStats", error) ||
        !check_groups(stats, flags, error))
        return false;
    domains = choose(state, doms, count);
    *ret_stats = g_array_new(FALSE, FALSE, sizeof(VirtkvmDomainStats));
    g_array_set_clear_func(*ret_stats, stats_clear);
    for (guint i = 0; i < domains->len; i++)
        add_domain(*ret_stats, domains->pdata[i], stats, flags);
    return true;
}
