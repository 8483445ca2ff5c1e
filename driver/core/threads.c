/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <sched.h>
#include <unistd.h>

#include "core/calls.h"
#include "core/cputime.h"
#include "core/params.h"
#include "core/view.h"
#include "util/error.h"
#include "util/i18n.h"

/** What a domain's threads use of the host's CPUs. */

/* --- domainGetCPUStats
 * --------------------------------------------------------
 */

static const CoreOperation cpu_operation = { .name = "domainGetCPUStats",
                                             .needs = CORE_ACTIVE,
                                             .flags =
                                                 VIR_TYPED_PARAM_STRING_OKAY };

bool
core_call_cpu_stats(VirtkvmState *state, const VirtkvmCaller *who,
                    const VirtkvmDomainRef *dom, unsigned flags,
                    VirtkvmParams *ret_params, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_auto(CoreView) view = { 0 };
    CoreCpuTime time = { 0 };
    CoreParams params;

    if (!core_view(&cpu_operation, &call, dom, &view, error))
        return false;
    if (view.record.pid > 0)
        (void)core_cputime_process(view.record.pid, &time);
    params = core_params_new();
    core_params_ullong(&params, VIR_DOMAIN_CPU_STATS_CPUTIME,
                       time.user_ns + time.system_ns);
    core_params_ullong(&params, VIR_DOMAIN_CPU_STATS_USERTIME, time.user_ns);
    core_params_ullong(&params, VIR_DOMAIN_CPU_STATS_SYSTEMTIME,
                       time.system_ns);
    *ret_params = core_params_end(&params);
    return true;
}

/* --- domainGetIOThreadInfo
 * ----------------------------------------------------
 */

static void
iothread_clear(gpointer data)
{
    g_free(((VirtkvmIothread *)data)->cpumap);
}

/* Threads of an engine run where the engine may; one that does not run yet may
 * run where we may. */
static void
fill_affinity(pid_t pid, VirtkvmIothread *thread)
{
    long cpus = MIN(sysconf(_SC_NPROCESSORS_CONF), CPU_SETSIZE);
    cpu_set_t set;

    thread->cpumap_size = ((size_t)cpus + 7) / 8;
    thread->cpumap = g_malloc0(thread->cpumap_size);
    if (sched_getaffinity(pid, sizeof(set), &set) != 0)
        return;
    for (long i = 0; i < cpus; i++)
        if (CPU_ISSET((size_t)i, &set))
            thread->cpumap[i / 8] |= (unsigned char)(1u << (i % 8));
}

static const CoreOperation iothread_operation = {
    .name = "domainGetIOThreadInfo",
    .flags = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
};

bool
core_call_iothreads(VirtkvmState *state, const VirtkvmCaller *who,
                    const VirtkvmDomainRef *dom, unsigned flags,
                    GArray **ret_threads, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_auto(CoreView) view = { 0 };

    if (!core_view(&iothread_operation, &call, dom, &view, error))
        return false;
    *ret_threads = g_array_new(FALSE, TRUE, sizeof(VirtkvmIothread));
    g_array_set_clear_func(*ret_threads, iothread_clear);
    for (unsigned i = 1; i <= view.conf->iothreads; i++) {
        VirtkvmIothread thread = { .id =
                                       conf_domain_iothread_id(view.conf, i) };

        fill_affinity(view.record.pid, &thread);
        g_array_append_val(*ret_threads, thread);
    }
    return true;
}
