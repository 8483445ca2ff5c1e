/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/view.h"

#include "util/i18n.h"

void
core_view_fill(const CoreDomain *domain, CoreDef *def, CoreView *ret_view)
{
    const CoreRun *run = domain->run;

    *ret_view = (CoreView){ .def = core_def_ref(def) };
    if (def != domain->def || !run || !run->engine) {
        ret_view->memory_kib = def->current_kib;
        return;
    }
    ret_view->engine = core_engine_ref(run->engine);
    run->engine->ops->record(run->engine, &ret_view->record);
    ret_view->memory_kib = core_domain_memory_kib(domain);
}

void
core_view_clear(CoreView *view)
{
    core_engine_unref(view->engine);
    g_clear_pointer(&view->record.vcpu_threads, g_array_unref);
    core_def_unref(view->def);
    conf_domain_free(view->conf);
    *view = (CoreView){ 0 };
}

static bool
take_running(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;

    if (domain->run && domain->run->engine) {
        core_view_fill(domain, domain->def, call->data);
        return true;
    }
    core_api_set_invalid(error, _("domain is not running"));
    return false;
}

static bool
take_chosen(CoreCall *call, GError **error)
{
    CoreDef *def = core_api_def(call->domain, call->flags, error);

    if (def)
        core_view_fill(call->domain, def, call->data);
    return def != NULL;
}

bool
core_view(const CoreOperation *operation, const CoreCall *call,
          const VirtkvmDomainRef *dom, CoreView *ret_view, GError **error)
{
    CoreOperation taking = *operation;
    CoreCall own = *call;
    CoreView view = { 0 };

    taking.act = operation->needs & CORE_ACTIVE ? take_running : take_chosen;
    own.data = &view;
    if (!core_api_call(&taking, &own, dom, error))
        return false;
    view.conf = core_def_open(view.def, error);
    if (!view.conf) {
        core_view_clear(&view);
        return false;
    }
    *ret_view = view;
    return true;
}
