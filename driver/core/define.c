/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/events.h"
#include "core/job.h"
#include "core/list.h"
#include "core/nvram.h"
#include "core/persist.h"
#include "core/run.h"
#include "core/status.h"
#include "util/error.h"
#include "util/i18n.h"

/* One of the two calls that bring a document along. */
typedef struct Submission {
    VirtkvmState *state;
    const VirtkvmCaller *who;
    ConfDomain *conf;
    unsigned flags;
    bool live; /* it is to run: the domain must not be active */
} Submission;

static bool
check_inactive(const CoreDomain *domain, GError **error)
{
    if (!core_domain_active(domain))
        return true;
    if (domain->run->starting)
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("domain '%s' is already being started"), domain->name);
    else
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("domain '%s' is already active"), domain->name);
    return false;
}

/* A domain that was renamed while we waited is not the one we asked for. */
static bool
is_claimed(const CoreDomain *domain, const CoreClaim *claim, GError **error)
{
    if (strcmp(domain->name, claim->name) == 0)
        return true;
    core_job_set_no_domain(domain, error);
    return false;
}

/* Returns the domain, locked, with its job, or NULL; NO_DOMAIN: ask again. */
static CoreDomain *
claim_once(const Submission *sub, CoreClaim *claim, GError **error)
{
    CoreDomain *domain = core_list_claim(sub->state, claim, error);

    if (!domain)
        return NULL;
    core_domain_lock(domain);
    if (claim->is_new)
        return domain;
    /* An active domain is refused at once, not after its job. */
    if ((!sub->live || check_inactive(domain, error)) &&
        core_job_begin(domain, claim->operation, error)) {
        if (is_claimed(domain, claim, error) &&
            (!sub->live || check_inactive(domain, error)))
            return domain;
        core_job_end(domain);
    }
    core_domain_unlock(domain);
    core_domain_unref(domain);
    return NULL;
}

/* A domain that was removed or renamed while we waited for its job makes room
 * for a new one of its name. */
static CoreDomain *
claim(const Submission *sub, const char *operation, bool *ret_new,
      GError **error)
{
    CoreClaim wanted = { .uuid = sub->conf->uuid,
                         .name = sub->conf->name,
                         .operation = operation };

    for (;;) {
        g_autoptr(GError) failure = NULL;
        CoreDomain *domain = claim_once(sub, &wanted, &failure);

        if (domain) {
            *ret_new = wanted.is_new;
            return domain;
        }
        if (error_code(failure) != VIR_ERR_NO_DOMAIN) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
}

static bool
save(CoreDomain *domain, const CoreDef *def, GError **error)
{
    bool saved;

    core_domain_unlock(domain);
    saved = core_persist_save(domain->state, domain->name, def, error);
    core_domain_lock(domain);
    return saved;
}

/* With lock and job. A transient domain may have ended while the file was
 * written: then it is out of the list, and *ret_again is set. */
static bool
define_locked(CoreDomain *domain, CoreDef *def, bool *ret_again, GError **error)
{
    bool was_persistent = domain->persistent;

    *ret_again = false;
    if (!save(domain, def, error))
        return false;
    if (domain->removing) {
        *ret_again = true;
        return false;
    }
    domain->updated = domain->updated || core_domain_active(domain);
    core_domain_set_config(domain, core_def_ref(def));
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_DEFINED,
                         was_persistent ? VIR_DOMAIN_EVENT_DEFINED_UPDATED
                                        : VIR_DOMAIN_EVENT_DEFINED_ADDED);
    core_status_save(domain);
    return true;
}

static bool
define(const Submission *sub, VirtkvmDomainRef *ret_domain, GError **error)
{
    g_autoptr(CoreDef) def = core_def_new(sub->conf);
    bool defined, again, is_new;

    do {
        g_autoptr(CoreDomain) domain =
            claim(sub, "domainDefineXMLFlags", &is_new, error);

        if (!domain)
            return false;
        defined = define_locked(domain, def, &again, error);
        if (defined)
            core_domain_to_ref(domain, ret_domain);
        core_job_end(domain);
        core_domain_retire_unlock(domain);
    } while (again);
    return defined;
}

static unsigned
parse_flags(bool validate)
{
    return CONF_PARSE_INACTIVE | (validate ? CONF_PARSE_VALIDATE : 0);
}

bool
core_call_define(VirtkvmState *state, const VirtkvmCaller *who, const char *xml,
                 unsigned flags, VirtkvmDomainRef *ret_domain, GError **error)
{
    g_autoptr(ConfDomain) conf = NULL;
    Submission sub = { .state = state, .who = who, .flags = flags };

    if (!core_api_check_flags(flags, VIR_DOMAIN_DEFINE_VALIDATE,
                              "domainDefineXMLFlags", error))
        return false;
    conf = conf_domain_parse(
        xml, parse_flags(flags & VIR_DOMAIN_DEFINE_VALIDATE), error);
    sub.conf = conf;
    return conf && core_firmware_choose(state, conf, error) &&
           define(&sub, ret_domain, error);
}

/* --- create -------------------------------------------------------------- */

/* An inactive persistent domain keeps its definition for the next start;
 * core_run_start() puts it aside. A new one has none to keep. */
static bool
create(const Submission *sub, VirtkvmDomainRef *ret_domain, GError **error)
{
    CoreStart start = { .conf = sub->conf,
                        .paused = sub->flags & VIR_DOMAIN_START_PAUSED,
                        .reset_nvram =
                            sub->flags & VIR_DOMAIN_START_RESET_NVRAM,
                        .autodestroy = sub->flags & VIR_DOMAIN_START_AUTODESTROY
                                           ? sub->who->client_id
                                           : CORE_NO_CLIENT };
    bool is_new, started;
    g_autoptr(CoreDomain) domain =
        claim(sub, "domainCreateXML", &is_new, error);

    if (!domain)
        return false;
    /* Questions may come while it is being started. */
    if (!domain->def)
        domain->def = core_def_new(sub->conf);
    started = core_run_start(domain, &start, error);
    if (started)
        core_domain_to_ref(domain, ret_domain);
    core_job_end(domain);
    core_domain_retire_unlock(domain);
    return started;
}

bool
core_call_create_xml(VirtkvmState *state, const VirtkvmCaller *who,
                     const char *xml, unsigned flags,
                     VirtkvmDomainRef *ret_domain, GError **error)
{
    static const unsigned known =
        VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY |
        VIR_DOMAIN_START_VALIDATE | VIR_DOMAIN_START_RESET_NVRAM;
    g_autoptr(ConfDomain) conf = NULL;
    Submission sub = {
        .state = state, .who = who, .flags = flags, .live = true
    };

    if (!core_api_check_flags(flags, known, "domainCreateXML", error))
        return false;
    conf = conf_domain_parse(
        xml, parse_flags(flags & VIR_DOMAIN_START_VALIDATE), error);
    sub.conf = conf;
    return conf && core_firmware_choose(state, conf, error) &&
           create(&sub, ret_domain, error);
}
