/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include <unistd.h>

#include "rpc/message-device.h"
#include "rpc/message.h"
#include "rpc/params.h"
#include "util/error.h"
#include "util/i18n.h"

/* --- memory -----------------------------------------------------------------
 */

static bool
set_memory(RpcCall *call, const RpcDomainHyperFlags *on, unsigned flags,
           GError **error)
{
    return RPC_DRIVER_CALL(call, domainSetMemoryFlags, &on->dom, on->value,
                           flags, error);
}

bool
rpc_domain_set_memory(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    return set_memory(call, args, VIR_DOMAIN_AFFECT_LIVE, error);
}

bool
rpc_domain_set_memory_flags(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    const RpcDomainHyperFlags *on = args;

    return set_memory(call, on, on->flags, error);
}

bool
rpc_domain_set_max_memory(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    return set_memory(call, args, VIR_DOMAIN_MEM_MAXIMUM, error);
}

bool
rpc_domain_set_memory_stats_period(RpcCall *call, const void *args, void *ret,
                                   GError **error)
{
    const RpcDomainUintFlags *on = args;

    return RPC_DRIVER_CALL(call, domainSetMemoryStatsPeriod, &on->dom,
                           (int)on->value, on->flags, error);
}

bool
rpc_domain_memory_stats(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcDomainUintFlags *of = args;
    g_autoptr(GArray) stats = NULL;
    RpcJustList *answer = ret;

    if (!rpc_params_check(of->value, RPC_MEMORY_STATS_MAX, error) ||
        !RPC_DRIVER_CALL(call, domainMemoryStats, &of->dom, of->flags, &stats,
                         error))
        return false;
    if (stats->len > of->value)
        g_array_set_size(stats, of->value);
    answer->list.items = g_array_steal(stats, &answer->list.count);
    return true;
}

/* --- host CPUs --------------------------------------------------------------
 */

/* Without room for parameters and CPUs: how many CPUs the host has. Times by
 * CPU are not known; of all of them together they are. */
static bool
check_cpu_stats(const RpcCpuStatsArgs *of, GError **error)
{
    if (!rpc_params_check(of->nparams, RPC_CPU_STATS_EACH_MAX, error) ||
        !rpc_params_check(of->ncpus, RPC_CPU_STATS_CPUS_MAX, error))
        return false;
    if (of->start_cpu == -1 && of->ncpus == 1)
        return true;
    error_set(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
              _("the time of each host CPU is not known, only their total"));
    return false;
}

bool
rpc_domain_get_cpu_stats(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    const RpcCpuStatsArgs *of = args;
    VirtkvmParams params = { 0 };
    RpcParams *answer = ret;

    if (of->nparams == 0 && of->ncpus == 0) {
        answer->nparams = (int32_t)sysconf(_SC_NPROCESSORS_CONF);
        return rpc_absent_in_domain(call, args, ret, error);
    }
    if (!check_cpu_stats(of, error) ||
        !RPC_DRIVER_CALL(call, domainGetCPUStats, &of->dom, of->flags, &params,
                         error))
        return false;
    rpc_params_answer(&params, of->nparams, of->flags, answer);
    return true;
}

/* --- I/O threads -------------------------------------------------------------
 */

bool
rpc_domain_get_iothread_info(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcDomainFlags *of = args;
    g_autoptr(GArray) threads = NULL;
    RpcCountedList *answer = ret;

    if (!RPC_DRIVER_CALL(call, domainGetIOThreadInfo, &of->dom, of->flags,
                         &threads, error))
        return false;
    answer->list.items = g_array_steal(threads, &answer->list.count);
    answer->count = (uint32_t)answer->list.count;
    return true;
}
