/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/api.h"

#include "core/job.h"
#include "core/list.h"
#include "core/status.h"
#include "util/error.h"
#include "util/i18n.h"

#define AFFECT_BOTH (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

bool
core_api_check_flags(unsigned flags, unsigned known, const char *function,
                     GError **error)
{
    if (!(flags & ~known))
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("unsupported flags (0x%x) in function %s"), flags & ~known,
              function);
    return false;
}

void
core_api_set_invalid(GError **error, const char *text)
{
    error_set(error, VIR_ERR_OPERATION_INVALID, "%s", text);
}

bool
core_api_check_active(const CoreDomain *domain, GError **error)
{
    if (core_domain_active(domain))
        return true;
    core_api_set_invalid(error, _("domain is not running"));
    return false;
}

static void
set_no_domain(const VirtkvmDomainRef *dom, GError **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    conf_uuid_format(dom->uuid, uuid);
    error_set(error, VIR_ERR_NO_DOMAIN,
              _("no domain with matching uuid '%s' (%s)"), uuid,
              dom->name ? dom->name : "");
}

static bool
act_locked(const CoreOperation *operation, CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    bool job = operation->needs & CORE_JOB;
    bool done;

    if (job && !core_job_begin(domain, operation->name, error))
        return false;
    done = (!(operation->needs & CORE_ACTIVE) ||
            core_api_check_active(domain, error)) &&
           operation->act(call, error);
    if (done && (operation->needs & CORE_SAVE_STATUS))
        core_status_save(domain);
    if (job)
        core_job_end(domain);
    return done;
}

bool
core_api_call(const CoreOperation *operation, CoreCall *call,
              const VirtkvmDomainRef *dom, GError **error)
{
    g_autoptr(CoreDomain) domain = NULL;
    bool done = false;

    if (!core_api_check_flags(call->flags, operation->flags, operation->name,
                              error))
        return false;
    domain = core_list_find_uuid(call->state->list, dom->uuid);
    if (!domain) {
        set_no_domain(dom, error);
        return false;
    }
    call->domain = domain;
    core_domain_lock(domain);
    if (core_domain_exists(domain))
        done = act_locked(operation, call, error);
    else
        set_no_domain(dom, error);
    core_domain_retire_unlock(domain);
    return done;
}

bool
core_api_affect(const CoreDomain *domain, unsigned *flags, GError **error)
{
    bool active = core_domain_active(domain);

    if (!(*flags & AFFECT_BOTH))
        *flags |= active ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
    if ((*flags & VIR_DOMAIN_AFFECT_LIVE) && !active) {
        core_api_set_invalid(error, _("domain is not running"));
        return false;
    }
    if ((*flags & VIR_DOMAIN_AFFECT_CONFIG) && !domain->persistent) {
        core_api_set_invalid(
            error, _("transient domains do not have any persistent config"));
        return false;
    }
    return true;
}

CoreDef *
core_api_def(const CoreDomain *domain, unsigned flags, GError **error)
{
    if ((flags & AFFECT_BOTH) == AFFECT_BOTH) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("flags 'VIR_DOMAIN_AFFECT_LIVE' and "
                    "'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive"));
        return NULL;
    }
    if (!core_api_affect(domain, &flags, error))
        return NULL;
    return flags & VIR_DOMAIN_AFFECT_LIVE ? domain->def
                                          : core_domain_config(domain);
}

static bool
call_engine(CoreDomain *domain, CoreEngineCall call, gpointer data,
            bool may_end, GError **error)
{
    CoreEngine *engine = core_engine_ref(domain->run->engine);
    g_autoptr(GError) failure = NULL;
    bool done, gone;

    core_domain_unlock(domain);
    done = call(engine, data, &failure);
    core_domain_lock(domain);
    gone = !domain->run || domain->run->engine != engine;
    core_engine_unref(engine);
    if (gone) {
        if (done && may_end)
            return true;
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("domain is no longer running"));
        return false;
    }
    if (done)
        domain->run->control_failed = false;
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return done;
}

typedef struct Plain {
    bool (*call)(CoreEngine *engine, GError **error);
} Plain;

static bool
call_plain(CoreEngine *engine, gpointer data, GError **error)
{
    const Plain *plain = data;

    return plain->call(engine, error);
}

bool
core_api_engine(CoreDomain *domain,
                bool (*call)(CoreEngine *engine, GError **error), bool may_end,
                GError **error)
{
    Plain plain = { call };

    return call_engine(domain, call_plain, &plain, may_end, error);
}

bool
core_api_ask_engine(CoreDomain *domain, CoreEngineCall call, gpointer data,
                    GError **error)
{
    if (domain->run && domain->run->engine)
        return call_engine(domain, call, data, false, error);
    core_api_set_invalid(error, _("domain is not running"));
    return false;
}
