/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/cputime.h"
#include "util/error.h"
#include "util/i18n.h"

/* --- info
 * ---------------------------------------------------------------------- */

typedef struct Info {
    VirtkvmDomainInfo *info;
    pid_t pid;
} Info;

/* Of the engine's process; 0: there is none. */
static pid_t
engine_pid(const CoreDomain *domain)
{
    CoreEngineRecord record = { 0 };

    if (!domain->run || !domain->run->engine)
        return 0;
    domain->run->engine->ops->record(domain->run->engine, &record);
    g_clear_pointer(&record.vcpu_threads, g_array_unref);
    return record.pid;
}

static bool
info_act(CoreCall *call, GError **error)
{
    const CoreDomain *domain = call->domain;
    Info *answer = call->data;

    answer->info->state = (unsigned char)domain->status;
    answer->info->max_mem_kib = domain->def->memory_kib;
    answer->info->memory_kib = core_domain_memory_kib(domain);
    answer->info->vcpus = (uint16_t)domain->def->vcpus;
    answer->info->cpu_time_ns = 0;
    answer->pid = engine_pid(domain);
    return true;
}

static const CoreOperation info_operation = {
    .name = "domainGetInfo",
    .act = info_act,
};

bool
core_call_info(VirtkvmState *state, const VirtkvmCaller *who,
               const VirtkvmDomainRef *dom, VirtkvmDomainInfo *ret_info,
               GError **error)
{
    Info answer = { .info = ret_info };
    CoreCall call = { .state = state, .who = who, .data = &answer };
    CoreCpuTime time;

    if (!core_api_call(&info_operation, &call, dom, error))
        return false;
    if (answer.pid > 0 && core_cputime_process(answer.pid, &time))
        ret_info->cpu_time_ns = time.user_ns + time.system_ns;
    return true;
}

/* --- state
 * ---------------------------------------------------------------------- */

typedef struct StateAnswer {
    int *status;
    int *reason;
} StateAnswer;

static bool
state_act(CoreCall *call, GError **error)
{
    StateAnswer *answer = call->data;

    *answer->status = call->domain->status;
    if (answer->reason)
        *answer->reason = call->domain->reason;
    return true;
}

static const CoreOperation state_operation = {
    .name = "domainGetState",
    .act = state_act,
};

bool
core_call_state(VirtkvmState *state, const VirtkvmCaller *who,
                const VirtkvmDomainRef *dom, int *ret_state, int *ret_reason,
                GError **error)
{
    StateAnswer answer = { ret_state, ret_reason };
    CoreCall call = { .state = state, .who = who, .data = &answer };

    return core_api_call(&state_operation, &call, dom, error);
}

/* --- control
 * --------------------------------------------------------------------- */

static bool
control_act(CoreCall *call, GError **error)
{
    const CoreDomain *domain = call->domain;
    const CoreRun *run = domain->run;
    VirtkvmControlInfo *info = call->data;

    *info = (VirtkvmControlInfo){ .state = VIR_DOMAIN_CONTROL_OK };
    if (run->control_failed) {
        info->state = VIR_DOMAIN_CONTROL_ERROR;
        info->details = VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR;
        info->state_time_ms =
            (uint64_t)((g_get_monotonic_time() - run->control_since) / 1000);
    } else if (domain->job.holder) {
        info->state = VIR_DOMAIN_CONTROL_JOB;
        info->state_time_ms =
            (uint64_t)((g_get_monotonic_time() - domain->job.since) / 1000);
    }
    return true;
}

static const CoreOperation control_operation = {
    .name = "domainGetControlInfo",
    .needs = CORE_ACTIVE,
    .act = control_act,
};

bool
core_call_control_info(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom,
                       VirtkvmControlInfo *ret_info, GError **error)
{
    CoreCall call = { .state = state, .who = who, .data = ret_info };

    return core_api_call(&control_operation, &call, dom, error);
}

/* --- what the definition says
 * ------------------------------------------------------ */

static bool
def_act(CoreCall *call, GError **error)
{
    *(CoreDef **)call->data = core_def_ref(call->domain->def);
    return true;
}

static const CoreOperation os_type_operation = {
    .name = "domainGetOSType",
    .act = def_act,
};

char *
core_call_os_type(VirtkvmState *state, const VirtkvmCaller *who,
                  const VirtkvmDomainRef *dom, GError **error)
{
    g_autoptr(CoreDef) def = NULL;
    g_autoptr(ConfDomain) conf = NULL;
    CoreCall call = { .state = state, .who = who, .data = &def };

    if (!core_api_call(&os_type_operation, &call, dom, error))
        return NULL;
    conf = core_def_open(def, error);
    return conf ? g_strdup(conf->os.type ? conf->os.type : "hvm") : NULL;
}

static const CoreOperation max_memory_operation = {
    .name = "domainGetMaxMemory",
    .act = def_act,
};

uint64_t
core_call_max_memory(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, GError **error)
{
    g_autoptr(CoreDef) def = NULL;
    CoreCall call = { .state = state, .who = who, .data = &def };

    if (!core_api_call(&max_memory_operation, &call, dom, error))
        return 0;
    return def->memory_kib;
}

/* --- yes or no
 * ------------------------------------------------------------------- */

static bool
is_active_act(CoreCall *call, GError **error)
{
    *(int *)call->data = core_domain_active(call->domain);
    return true;
}

static bool
is_persistent_act(CoreCall *call, GError **error)
{
    *(int *)call->data = call->domain->persistent;
    return true;
}

static bool
is_updated_act(CoreCall *call, GError **error)
{
    *(int *)call->data = call->domain->updated;
    return true;
}

static bool
has_managed_save_act(CoreCall *call, GError **error)
{
    *(int *)call->data = 0; /* nothing can be saved yet */
    return true;
}

static const CoreOperation is_active_operation = {
    .name = "domainIsActive",
    .act = is_active_act,
};
static const CoreOperation is_persistent_operation = {
    .name = "domainIsPersistent",
    .act = is_persistent_act,
};
static const CoreOperation is_updated_operation = {
    .name = "domainIsUpdated",
    .act = is_updated_act,
};
static const CoreOperation has_managed_save_operation = {
    .name = "domainHasManagedSaveImage",
    .act = has_managed_save_act,
};

static int
ask(const CoreOperation *operation, CoreCall *call, const VirtkvmDomainRef *dom,
    GError **error)
{
    int answer = -1;

    call->data = &answer;
    return core_api_call(operation, call, dom, error) ? answer : -1;
}

int
core_call_is_active(VirtkvmState *state, const VirtkvmCaller *who,
                    const VirtkvmDomainRef *dom, GError **error)
{
    CoreCall call = { .state = state, .who = who };

    return ask(&is_active_operation, &call, dom, error);
}

int
core_call_is_persistent(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, GError **error)
{
    CoreCall call = { .state = state, .who = who };

    return ask(&is_persistent_operation, &call, dom, error);
}

int
core_call_is_updated(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, GError **error)
{
    CoreCall call = { .state = state, .who = who };

    return ask(&is_updated_operation, &call, dom, error);
}

int
core_call_has_managed_save(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmDomainRef *dom, unsigned flags,
                           GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };

    return ask(&has_managed_save_operation, &call, dom, error);
}
