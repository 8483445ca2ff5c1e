/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/domain.h"

#include <string.h>

#include "core/list.h"
#include "core/run.h"

CoreDomain *
core_domain_new(VirtkvmState *state, const unsigned char *uuid,
                const char *name)
{
    CoreDomain *domain = g_new0(CoreDomain, 1);

    g_atomic_ref_count_init(&domain->refs);
    g_mutex_init(&domain->lock);
    g_cond_init(&domain->changed);
    domain->state = state;
    memcpy(domain->uuid, uuid, VIR_UUID_BUFLEN);
    domain->name = g_strdup(name);
    domain->id = -1;
    domain->status = VIR_DOMAIN_SHUTOFF;
    domain->reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
    return domain;
}

CoreDomain *
core_domain_ref(CoreDomain *domain)
{
    g_atomic_ref_count_inc(&domain->refs);
    return domain;
}

void
core_domain_unref(CoreDomain *domain)
{
    if (!domain || !g_atomic_ref_count_dec(&domain->refs))
        return;
    core_run_free(domain->run);
    core_def_unref(domain->def);
    core_def_unref(domain->new_def);
    g_free(domain->name);
    g_free(domain->failure);
    g_cond_clear(&domain->changed);
    g_mutex_clear(&domain->lock);
    g_free(domain);
}

void
core_domain_lock(CoreDomain *domain)
{
    g_mutex_lock(&domain->lock);
}

void
core_domain_unlock(CoreDomain *domain)
{
    g_mutex_unlock(&domain->lock);
}

bool
core_domain_exists(const CoreDomain *domain)
{
    return !domain->removing &&
           (domain->persistent || core_domain_active(domain));
}

CoreDef *
core_domain_config(const CoreDomain *domain)
{
    if (!domain->persistent)
        return NULL;
    return domain->new_def ? domain->new_def : domain->def;
}

uint64_t
core_domain_memory_kib(const CoreDomain *domain)
{
    const CoreRun *run = domain->run;

    if (run && run->balloon_kib && domain->def->has_balloon)
        return run->balloon_kib;
    return domain->def->current_kib;
}

void
core_domain_set_config(CoreDomain *domain, CoreDef *def)
{
    CoreDef **slot =
        core_domain_active(domain) ? &domain->new_def : &domain->def;

    core_def_unref(*slot);
    *slot = def;
    domain->persistent = true;
}

void
core_domain_retire_unlock(CoreDomain *domain)
{
    bool retire =
        !domain->removing && !domain->persistent && !core_domain_active(domain);

    if (retire) {
        domain->removing = true;
        g_cond_broadcast(&domain->changed);
    }
    core_domain_unlock(domain);
    if (retire)
        core_list_remove(domain->state->list, domain);
}

void
core_domain_set_state(CoreDomain *domain, int status, int reason)
{
    domain->status = status;
    domain->reason = reason;
    g_cond_broadcast(&domain->changed);
}

void
core_domain_to_ref(const CoreDomain *domain, VirtkvmDomainRef *ret_ref)
{
    ret_ref->name = g_strdup(domain->name);
    memcpy(ret_ref->uuid, domain->uuid, VIR_UUID_BUFLEN);
    ret_ref->id = domain->id;
}

void
core_domain_ref_clear(gpointer ref)
{
    g_clear_pointer(&((VirtkvmDomainRef *)ref)->name, g_free);
}
