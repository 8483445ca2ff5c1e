/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/change.h"

#include "core/persist.h"
#include "util/i18n.h"

CoreDef *
core_change_try(const CoreDef *def, const CoreChange *change, bool live,
                GError **error)
{
    g_autoptr(ConfDomain) conf = core_def_open(def, error);

    if (!conf || !change->apply(conf, live, change->data, error))
        return NULL;
    return live ? core_def_new_live(conf) : core_def_new(conf);
}

bool
core_change_live(CoreDomain *domain, const CoreChange *change, GError **error)
{
    CoreDef *def = core_change_try(domain->def, change, true, error);

    if (!def)
        return false;
    core_def_unref(domain->def);
    domain->def = def;
    return true;
}

struct CoreDraft {
    CoreDef *def;
    FileDraft *file;
};

void
core_draft_free(CoreDraft *draft)
{
    if (!draft)
        return;
    core_def_unref(draft->def);
    file_draft_free(draft->file);
    g_free(draft);
}

CoreDraft *
core_change_draft(CoreDomain *domain, const CoreChange *change, GError **error)
{
    g_autoptr(CoreDraft) draft = g_new0(CoreDraft, 1);

    draft->def =
        core_change_try(core_domain_config(domain), change, false, error);
    if (!draft->def)
        return NULL;
    core_domain_unlock(domain);
    draft->file =
        core_persist_draft(domain->state, domain->name, draft->def, error);
    core_domain_lock(domain);
    return draft->file ? g_steal_pointer(&draft) : NULL;
}

bool
core_change_keep(CoreDomain *domain, CoreDraft *draft, GError **error)
{
    bool kept;

    core_domain_unlock(domain);
    kept = file_draft_keep(draft->file, error);
    core_domain_lock(domain);
    if (!kept)
        return false;
    domain->updated = domain->updated || core_domain_active(domain);
    core_domain_set_config(domain, core_def_ref(draft->def));
    return true;
}

/* Whatever the engine has told meanwhile is in the definition already: the
 * change is applied to what it is now. */
static bool
do_live(CoreDomain *domain, const CoreChange *change, GError **error)
{
    if (change->engine &&
        !core_api_ask_engine(domain, change->engine, change->data, error))
        return false;
    return core_change_live(domain, change, error);
}

bool
core_change(CoreCall *call, const CoreChange *change, GError **error)
{
    CoreDomain *domain = call->domain;
    g_autoptr(CoreDraft) config = NULL;
    g_autoptr(CoreDef) tried = NULL;

    if (!core_api_affect(domain, &call->flags, error))
        return false;
    if ((call->flags & VIR_DOMAIN_AFFECT_CONFIG) &&
        !(config = core_change_draft(domain, change, error)))
        return false;
    if (call->flags & VIR_DOMAIN_AFFECT_LIVE) {
        /* it may have ended while the file was written */
        if (!core_api_check_active(domain, error))
            return false;
        tried = core_change_try(domain->def, change, true, error);
        if (!tried || !do_live(domain, change, error))
            return false;
    }
    return !config || core_change_keep(domain, config, error);
}
