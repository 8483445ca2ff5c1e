/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <unistd.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/list.h"
#include "core/run.h"
#include "util/error.h"
#include "util/i18n.h"
#include "util/log.h"

/* --- start --------------------------------------------------------------- */

static bool
create_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    bool autodestroy = call->flags & VIR_DOMAIN_START_AUTODESTROY;
    g_autoptr(ConfDomain) conf = NULL;
    CoreStart start = {
        .paused = call->flags & VIR_DOMAIN_START_PAUSED,
        .reset_nvram = call->flags & VIR_DOMAIN_START_RESET_NVRAM,
        .autodestroy = autodestroy ? call->who->client_id : CORE_NO_CLIENT
    };

    if (core_domain_active(domain)) {
        core_api_set_invalid(error, _("domain is already running"));
        return false;
    }
    conf = core_def_open(domain->def, error);
    start.conf = conf;
    if (!conf || !core_run_start(domain, &start, error))
        return false;
    core_domain_to_ref(domain, call->data);
    return true;
}

static const CoreOperation create_operation = {
    .name = "domainCreateWithFlags",
    .needs = CORE_JOB,
    .flags = VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY |
             VIR_DOMAIN_START_BYPASS_CACHE | VIR_DOMAIN_START_FORCE_BOOT |
             VIR_DOMAIN_START_RESET_NVRAM,
    .act = create_act,
};

bool
core_call_create(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, unsigned flags,
                 VirtkvmDomainRef *ret_domain, GError **error)
{
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = ret_domain
    };

    return core_api_call(&create_operation, &call, dom, error);
}

/* --- suspend and resume
 * -------------------------------------------------------- */

static bool
check_awake(const CoreDomain *domain, GError **error)
{
    if (domain->status != VIR_DOMAIN_PMSUSPENDED)
        return true;
    core_api_set_invalid(error, _("domain is pmsuspended"));
    return false;
}

static bool
suspend_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;

    if (!check_awake(domain, error))
        return false;
    /* A guest that crashed or has powered off does not run either. */
    if (domain->status != VIR_DOMAIN_RUNNING)
        return true;
    domain->run->pause_reason = VIR_DOMAIN_PAUSED_USER;
    if (!core_api_engine(domain, domain->run->engine->ops->stop, false, error))
        return false;
    if (domain->status == VIR_DOMAIN_RUNNING)
        core_run_set_paused(domain, VIR_DOMAIN_PAUSED_USER);
    return true;
}

static const CoreOperation suspend_operation = {
    .name = "domainSuspend",
    .needs = CORE_JOB | CORE_ACTIVE | CORE_SAVE_STATUS,
    .act = suspend_act,
};

bool
core_call_suspend(VirtkvmState *state, const VirtkvmCaller *who,
                  const VirtkvmDomainRef *dom, GError **error)
{
    CoreCall call = { .state = state, .who = who };

    return core_api_call(&suspend_operation, &call, dom, error);
}

static bool
resume_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    unsigned before = domain->run->resumed;

    if (!check_awake(domain, error))
        return false;
    if (domain->status == VIR_DOMAIN_RUNNING) {
        core_api_set_invalid(error, _("domain is already running"));
        return false;
    }
    if (!core_run_can_resume(domain))
        return true;
    /* The guest may be over, in a panic, or stopped again by an error, before
     * the answer has been heard. */
    if (!core_api_engine(domain, domain->run->engine->ops->cont, true, error))
        return false;
    if (domain->status == VIR_DOMAIN_PAUSED && domain->run->resumed == before)
        core_run_set_running(domain, VIR_DOMAIN_RUNNING_UNPAUSED);
    return true;
}

static const CoreOperation resume_operation = {
    .name = "domainResume",
    .needs = CORE_JOB | CORE_ACTIVE | CORE_SAVE_STATUS,
    .act = resume_act,
};

bool
core_call_resume(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, GError **error)
{
    CoreCall call = { .state = state, .who = who };

    return core_api_call(&resume_operation, &call, dom, error);
}

/* --- the power button
 * ------------------------------------------------------------ */

static bool
press(CoreEngine *engine, GError **error)
{
    return engine->ops->powerdown(engine, false, error);
}

static bool
press_to_reboot(CoreEngine *engine, GError **error)
{
    return engine->ops->powerdown(engine, true, error);
}

/* Whoever asks for the agent and for nothing else gets a refusal: no guest has
 * one yet. */
static bool
power_button(CoreCall *call, unsigned agent, unsigned acpi, bool reboot,
             GError **error)
{
    CoreDomain *domain = call->domain;

    if (domain->status != VIR_DOMAIN_RUNNING) {
        core_api_set_invalid(error, _("domain is not running"));
        return false;
    }
    if ((call->flags & agent) && !(call->flags & acpi)) {
        error_set(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  _("a guest agent is not configured"));
        return false;
    }
    return core_api_engine(domain, reboot ? press_to_reboot : press, true,
                           error);
}

static bool
shutdown_act(CoreCall *call, GError **error)
{
    return power_button(call, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
                        VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, false, error);
}

static const CoreOperation shutdown_operation = {
    .name = "domainShutdownFlags",
    .needs = CORE_JOB | CORE_ACTIVE,
    .flags =
        VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN | VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
    .act = shutdown_act,
};

bool
core_call_shutdown(VirtkvmState *state, const VirtkvmCaller *who,
                   const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };

    return core_api_call(&shutdown_operation, &call, dom, error);
}

/* A domain whose guest may not reboot is shut down instead. */
static bool
reboot_act(CoreCall *call, GError **error)
{
    ConfAction action = call->domain->def->on_reboot;
    bool restart =
        action != CONF_ACTION_DESTROY && action != CONF_ACTION_PRESERVE;

    return power_button(call, VIR_DOMAIN_REBOOT_GUEST_AGENT,
                        VIR_DOMAIN_REBOOT_ACPI_POWER_BTN, restart, error);
}

static const CoreOperation reboot_operation = {
    .name = "domainReboot",
    .needs = CORE_JOB | CORE_ACTIVE,
    .flags = VIR_DOMAIN_REBOOT_ACPI_POWER_BTN | VIR_DOMAIN_REBOOT_GUEST_AGENT,
    .act = reboot_act,
};

bool
core_call_reboot(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };

    return core_api_call(&reboot_operation, &call, dom, error);
}

/* --- reset
 * -------------------------------------------------------------------- */

/* The REBOOT event follows from the engine's own. */
static bool
reset_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    bool ended = domain->status == VIR_DOMAIN_CRASHED ||
                 domain->status == VIR_DOMAIN_SHUTDOWN;

    if (!core_api_engine(domain, domain->run->engine->ops->reset, false, error))
        return false;
    if (ended)
        core_domain_set_state(domain, VIR_DOMAIN_PAUSED,
                              VIR_DOMAIN_PAUSED_CRASHED);
    return true;
}

static const CoreOperation reset_operation = {
    .name = "domainReset",
    .needs = CORE_JOB | CORE_ACTIVE | CORE_SAVE_STATUS,
    .act = reset_act,
};

bool
core_call_reset(VirtkvmState *state, const VirtkvmCaller *who,
                const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };

    return core_api_call(&reset_operation, &call, dom, error);
}

/* --- destroy
 * ------------------------------------------------------------------ */

static void
remove_logs(CoreDomain *domain)
{
    g_autofree char *path =
        g_strdup_printf("%s/%s.log", domain->state->log_dir, domain->name);

    (void)unlink(path);
}

/* Without the job: whoever has it waits for an engine that ends now. */
static bool
destroy_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;

    if (!core_run_kill(domain, !(call->flags & VIR_DOMAIN_DESTROY_GRACEFUL),
                       error))
        return false;
    if (call->flags & VIR_DOMAIN_DESTROY_REMOVE_LOGS)
        remove_logs(domain);
    return true;
}

static const CoreOperation destroy_operation = {
    .name = "domainDestroyFlags",
    .needs = CORE_ACTIVE,
    .flags = VIR_DOMAIN_DESTROY_GRACEFUL | VIR_DOMAIN_DESTROY_REMOVE_LOGS,
    .act = destroy_act,
};

bool
core_call_destroy(VirtkvmState *state, const VirtkvmCaller *who,
                  const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };

    return core_api_call(&destroy_operation, &call, dom, error);
}

/* --- VIR_DOMAIN_START_AUTODESTROY
 * ------------------------------------------------ */

void
core_call_client_closed(VirtkvmState *state, const VirtkvmCaller *who)
{
    g_autoptr(GPtrArray) domains = core_list_snapshot(state->list);

    for (guint i = 0; i < domains->len; i++) {
        CoreDomain *domain = domains->pdata[i];
        g_autoptr(GError) error = NULL;

        core_domain_lock(domain);
        if (domain->run && domain->run->autodestroy == who->client_id &&
            !core_run_kill(domain, true, &error))
            log_error("domain '%s' was not destroyed: %s", domain->name,
                      error->message);
        core_domain_retire_unlock(domain);
    }
}
