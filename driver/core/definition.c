/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/events.h"
#include "core/list.h"
#include "core/nvram.h"
#include "core/persist.h"
#include "core/status.h"
#include "util/error.h"
#include "util/i18n.h"
#include "util/log.h"

/* --- undefine ------------------------------------------------------------ */

/* A running domain becomes transient: its next definition is forgotten. */
static void
forget_config(CoreDomain *domain)
{
    domain->persistent = false;
    domain->autostart = false;
    g_clear_pointer(&domain->new_def, core_def_unref);
}

/* Without the lock: its firmware's variables, then the definition itself. */
static bool
remove_config(CoreDomain *domain, const CoreDef *def, unsigned flags,
              GError **error)
{
    g_autoptr(ConfDomain) conf = core_def_open(def, NULL);

    if (conf && !core_nvram_undefine(conf, flags, error))
        return false;
    return core_persist_remove(domain->state, domain->name, error);
}

static bool
undefine_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    g_autoptr(CoreDef) def = NULL;
    bool removed;

    if (!domain->persistent) {
        core_api_set_invalid(error, _("cannot undefine transient domain"));
        return false;
    }
    def = core_def_ref(domain->new_def ? domain->new_def : domain->def);
    core_domain_unlock(domain);
    removed = remove_config(domain, def, call->flags, error);
    core_domain_lock(domain);
    if (!removed)
        return false;
    forget_config(domain);
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_UNDEFINED,
                         VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
    return true;
}

/* No domain has a saved image, snapshots, or checkpoints: each of their flags
 * is granted. */
static const CoreOperation undefine_operation = {
    .name = "domainUndefineFlags",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
             VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
             VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM |
             VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA |
             VIR_DOMAIN_UNDEFINE_TPM | VIR_DOMAIN_UNDEFINE_KEEP_TPM,
    .act = undefine_act,
};

bool
core_call_undefine(VirtkvmState *state, const VirtkvmCaller *who,
                   const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };

    return core_api_call(&undefine_operation, &call, dom, error);
}

/* --- dumpxml
 * ------------------------------------------------------------------- */

static const struct {
    unsigned xml;
    unsigned format;
} xml_flags[] = {
    { VIR_DOMAIN_XML_SECURE, CONF_FORMAT_SECURE },
    { VIR_DOMAIN_XML_INACTIVE, CONF_FORMAT_INACTIVE },
    { VIR_DOMAIN_XML_MIGRATABLE, CONF_FORMAT_MIGRATABLE },
};

/* Only takes the definition: reading and writing it need no lock. */
typedef struct XmlAnswer {
    CoreDef *def;
    uint64_t current_kib; /* as the balloon has it; 0: as @def says */
} XmlAnswer;

static bool
xml_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    XmlAnswer *answer = call->data;
    CoreDef *def = domain->def;

    if ((call->flags & VIR_DOMAIN_XML_SECURE) && call->who &&
        call->who->read_only) {
        error_set(error, VIR_ERR_OPERATION_DENIED,
                  _("virDomainGetXMLDesc with secure flag"));
        return false;
    }
    if ((call->flags & VIR_DOMAIN_XML_INACTIVE) && domain->new_def)
        def = domain->new_def;
    if (!core_domain_active(domain))
        call->flags |= VIR_DOMAIN_XML_INACTIVE;
    else if (def == domain->def)
        answer->current_kib = core_domain_memory_kib(domain);
    answer->def = core_def_ref(def);
    return true;
}

static const CoreOperation xml_operation = {
    .name = "domainGetXMLDesc",
    .flags = VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE |
             VIR_DOMAIN_XML_UPDATE_CPU | VIR_DOMAIN_XML_MIGRATABLE,
    .act = xml_act,
};

char *
core_call_xml(VirtkvmState *state, const VirtkvmCaller *who,
              const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    g_autoptr(CoreDef) def = NULL;
    g_autoptr(ConfDomain) conf = NULL;
    XmlAnswer answer = { 0 };
    unsigned format = 0;
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &answer
    };

    if (!core_api_call(&xml_operation, &call, dom, error))
        return NULL;
    def = answer.def;
    conf = core_def_open(def, error);
    if (conf && answer.current_kib > 0)
        conf->memory.current_kib = answer.current_kib;
    for (size_t i = 0; i < G_N_ELEMENTS(xml_flags); i++)
        if (call.flags & xml_flags[i].xml)
            format |= xml_flags[i].format;
    return conf ? conf_domain_format(conf, format) : NULL;
}

/* --- rename
 * -------------------------------------------------------------------- */

/* @ret_moves: whether the file of its firmware's variables is to be renamed */
static CoreDef *
renamed_def(const CoreDomain *domain, const char *name, bool *ret_moves,
            GError **error)
{
    const CoreDef *def = domain->def;
    g_autoptr(ConfDomain) conf = core_def_open(def, error);
    g_autoptr(ConfDomain) checked = NULL;
    g_autofree char *xml = NULL;

    if (!conf)
        return NULL;
    *ret_moves = core_nvram_follow(domain->state, conf, name);
    conf_domain_set_name(conf, name);
    /* the parser knows which names are allowed */
    xml = conf_domain_format(conf, CONF_FORMAT_INACTIVE | CONF_FORMAT_SECURE);
    checked = conf_domain_parse(xml, CONF_PARSE_INACTIVE, error);
    return checked ? core_def_new(checked) : NULL;
}

static bool
check_rename(const CoreDomain *domain, const char *name, GError **error)
{
    if (core_domain_active(domain))
        core_api_set_invalid(error, _("cannot rename active domain"));
    else if (!domain->persistent)
        core_api_set_invalid(error, _("cannot rename a transient domain"));
    else if (!*name || strchr(name, '/') || strchr(name, '\n'))
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%s' cannot be the name of a domain"), name);
    else if (strcmp(domain->name, name) == 0)
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("cannot rename domain '%s' to itself"), name);
    else
        return true;
    return false;
}

/* Without the lock, with the job. */
static bool
rename_files(CoreDomain *domain, const char *name, const CoreDef *def,
             bool moves, GError **error)
{
    VirtkvmState *state = domain->state;

    if (moves && !core_nvram_move(state, domain->name, name, error))
        return false;
    if (core_persist_rename(state, domain->name, name, def, error))
        return true;
    if (moves)
        (void)core_nvram_move(state, name, domain->name, NULL);
    return false;
}

static bool
rename_unlocked(CoreDomain *domain, const char *name, const CoreDef *def,
                bool moves, GError **error)
{
    VirtkvmState *state = domain->state;
    char *reserved = core_list_reserve_name(state->list, domain, name);
    g_autoptr(GError) ignored = NULL;

    if (!reserved) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("domain with name '%s' already exists"), name);
        return false;
    }
    if (rename_files(domain, name, def, moves, error)) {
        core_list_take_name(state->list, domain, reserved);
        return true;
    }
    core_list_leave_name(state->list, reserved);
    if (!core_persist_save(state, domain->name, domain->def, &ignored))
        log_error("domain '%s': %s", domain->name, ignored->message);
    return false;
}

static bool
rename_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    const char *name = call->data;
    g_autoptr(CoreDef) def = NULL;
    bool renamed, moves;

    if (!check_rename(domain, name, error))
        return false;
    def = renamed_def(domain, name, &moves, error);
    if (!def)
        return false;
    core_domain_unlock(domain);
    renamed = rename_unlocked(domain, name, def, moves, error);
    core_domain_lock(domain);
    if (renamed)
        core_domain_set_config(domain, g_steal_pointer(&def));
    return renamed;
}

static bool
rename_events_act(CoreCall *call, GError **error)
{
    g_autofree char *old = g_strdup(call->domain->name);

    if (!rename_act(call, error))
        return false;
    core_event_renamed(call->domain, old);
    return true;
}

static const CoreOperation rename_operation = {
    .name = "domainRename",
    .needs = CORE_JOB,
    .act = rename_events_act,
};

bool
core_call_rename(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, const char *name, unsigned flags,
                 GError **error)
{
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = (char *)name
    };

    return core_api_call(&rename_operation, &call, dom, error);
}

/* --- autostart
 * ------------------------------------------------------------------- */

static bool
autostart_act(CoreCall *call, GError **error)
{
    *(bool *)call->data = call->domain->autostart;
    return true;
}

static const CoreOperation autostart_operation = {
    .name = "domainGetAutostart",
    .act = autostart_act,
};

bool
core_call_autostart(VirtkvmState *state, const VirtkvmCaller *who,
                    const VirtkvmDomainRef *dom, bool *ret_autostart,
                    GError **error)
{
    CoreCall call = { .state = state, .who = who, .data = ret_autostart };

    return core_api_call(&autostart_operation, &call, dom, error);
}

static bool
set_autostart_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    bool autostart = *(bool *)call->data;
    bool done;

    if (!domain->persistent) {
        core_api_set_invalid(error,
                             _("cannot set autostart for transient domain"));
        return false;
    }
    if (domain->autostart == autostart)
        return true;
    core_domain_unlock(domain);
    done =
        core_persist_set_autostart(call->state, domain->name, autostart, error);
    core_domain_lock(domain);
    if (done)
        domain->autostart = autostart;
    return done;
}

static const CoreOperation set_autostart_operation = {
    .name = "domainSetAutostart",
    .needs = CORE_JOB,
    .act = set_autostart_act,
};

bool
core_call_set_autostart(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, bool autostart,
                        GError **error)
{
    CoreCall call = { .state = state, .who = who, .data = &autostart };

    return core_api_call(&set_autostart_operation, &call, dom, error);
}
