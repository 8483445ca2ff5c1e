/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/cputime.h"
#include "util/error.h"
#include "util/i18n.h"

/* --- how many
 * ------------------------------------------------------------------ */

static bool
count_act(CoreCall *call, GError **error)
{
    const CoreDef *def;

    if (call->flags & VIR_DOMAIN_VCPU_GUEST) {
        if (core_api_check_active(call->domain, error))
            error_set(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                      _("a guest agent is not configured"));
        return false;
    }
    def = core_api_def(call->domain, call->flags, error);
    if (!def)
        return false;
    *(int *)call->data =
        (int)(call->flags & VIR_DOMAIN_VCPU_MAXIMUM ? def->vcpus_max
                                                    : def->vcpus);
    return true;
}

static const CoreOperation count_operation = {
    .name = "domainGetVcpusFlags",
    .flags = VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG |
             VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_VCPU_GUEST,
    .act = count_act,
};

int
core_call_vcpus_flags(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, unsigned flags,
                      GError **error)
{
    int count = -1;
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &count
    };

    return core_api_call(&count_operation, &call, dom, error) ? count : -1;
}

/* --- each
 * ------------------------------------------------------------------------ */

typedef struct Running {
    CoreEngineRecord record;
    unsigned vcpus;
} Running;

static bool
running_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    Running *running = call->data;

    if (!core_domain_active(domain) || !domain->run->engine) {
        core_api_set_invalid(
            error, _("cannot retrieve vcpu information on inactive domain"));
        return false;
    }
    running->vcpus = domain->def->vcpus;
    domain->run->engine->ops->record(domain->run->engine, &running->record);
    return true;
}

static const CoreOperation running_operation = {
    .name = "domainGetVcpus",
    .act = running_act,
};

static VirtkvmVcpuInfo
vcpu_info(const CoreEngineRecord *record, unsigned number)
{
    VirtkvmVcpuInfo info = { .number = number,
                             .state = VIR_VCPU_RUNNING,
                             .cpu = -1 };
    CoreSchedTime sched;
    CoreCpuTime time;
    pid_t thread;

    if (!record->vcpu_threads || number >= record->vcpu_threads->len)
        return info;
    thread = g_array_index(record->vcpu_threads, pid_t, number);
    if (core_cputime_thread(record->pid, thread, &time)) {
        info.cpu = time.cpu;
        info.cpu_time_ns = time.user_ns + time.system_ns;
    }
    if (core_cputime_sched(record->pid, thread, &sched))
        info.cpu_time_ns = sched.run_ns;
    return info;
}

/* A thread that cannot be asked (the null driver has none) may run anywhere. */
static void
add_affinity(GByteArray *maps, const CoreEngineRecord *record, unsigned number,
             unsigned maplen)
{
    bool known = record->vcpu_threads && number < record->vcpu_threads->len;
    guint start = maps->len;
    cpu_set_t set;

    g_byte_array_set_size(maps, start + maplen);
    memset(maps->data + start, 0xff, maplen);
    if (!known ||
        sched_getaffinity(g_array_index(record->vcpu_threads, pid_t, number),
                          sizeof(set), &set) != 0)
        return;
    memset(maps->data + start, 0, maplen);
    for (unsigned cpu = 0; cpu < maplen * 8 && cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set))
            maps->data[start + cpu / 8] |= (guint8)(1u << (cpu % 8));
}

bool
core_call_vcpus(VirtkvmState *state, const VirtkvmCaller *who,
                const VirtkvmDomainRef *dom, unsigned maxinfo, unsigned maplen,
                GArray **ret_vcpus, GByteArray **ret_cpumaps, GError **error)
{
    Running running = { 0 };
    CoreCall call = { .state = state, .who = who, .data = &running };
    unsigned count;

    if (!core_api_call(&running_operation, &call, dom, error))
        return false;
    count = MIN(running.vcpus, maxinfo);
    *ret_vcpus =
        g_array_sized_new(FALSE, FALSE, sizeof(VirtkvmVcpuInfo), count);
    *ret_cpumaps = g_byte_array_new();
    for (unsigned i = 0; i < count; i++) {
        VirtkvmVcpuInfo info = vcpu_info(&running.record, i);

        g_array_append_val(*ret_vcpus, info);
        add_affinity(*ret_cpumaps, &running.record, i, maplen);
    }
    g_clear_pointer(&running.record.vcpu_threads, g_array_unref);
    return true;
}
