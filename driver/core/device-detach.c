/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/calls.h"
#include "core/change.h"
#include "core/device.h"
#include "core/engine-devices.h"
#include "util/error.h"
#include "util/i18n.h"

/** domainDetachDeviceFlags and domainDetachDeviceAlias. */

/** What a guest is given to let go of a device; it may do so later. */
#define DETACH_WAIT_MS 5000

#define DETACH_FLAGS \
    (VIR_DOMAIN_DEVICE_MODIFY_LIVE | VIR_DOMAIN_DEVICE_MODIFY_CONFIG)

typedef struct Detach {
    const ConfDevice *device; /* what the client means, or NULL */
    const char *alias;        /* then this */
    bool wait;                /* for the guest */
    char *id;                 /* of the device in the running definition */
} Detach;

static bool
find(const ConfDomain *conf, const Detach *detach, ConfDevice *ret_found,
     GError **error)
{
    if (detach->device)
        return conf_domain_find_device(conf, detach->device, ret_found, error);
    return conf_domain_device_by_alias(conf, detach->alias, ret_found, error);
}

static bool
apply_config(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    ConfDevice found;

    if (!find(conf, data, &found, error))
        return false;
    if (found.kind == CONF_DEVICE_MEMBALLOON) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("persistent detach of device 'memballoon' is not "
                    "supported: edit the definition and give it "
                    "model='none'"));
        return false;
    }
    conf_device_free(conf_domain_remove_device(conf, &found));
    return true;
}

/* --- of a running guest
 * -------------------------------------------------------- */

static bool
find_live(const CoreDomain *domain, Detach *detach, GError **error)
{
    g_autoptr(ConfDomain) conf = core_def_open(domain->def, error);
    ConfDevice found;

    if (!conf || !find(conf, detach, &found, error))
        return false;
    if (!core_device_moves(found.kind)) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("live detach of device '%s' is not supported"),
                  conf_device_name(found.kind));
        return false;
    }
    detach->id = g_strdup(conf_device_alias(&found));
    return detach->id != NULL;
}

static bool
ask(CoreEngine *engine, gpointer data, GError **error)
{
    const Detach *detach = data;

    return engine->ops->devices->detach(engine, detach->id, error);
}

/* Returns: false if the guest has refused; a guest that takes its time may. */
static bool
wait_for_guest(CoreDomain *domain, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)DETACH_WAIT_MS * 1000;
    const CoreRun *run = domain->run;

    while (domain->run == run && run->unplugging && !run->unplug_refused)
        if (!g_cond_wait_until(&domain->changed, &domain->lock, deadline))
            break;
    if (domain->run != run || !run->unplug_refused)
        return true;
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("unplug of device was rejected by the guest"));
    return false;
}

/* The engine's event may come before its answer. */
static bool
detach_live(CoreDomain *domain, Detach *detach, GError **error)
{
    bool done;

    if (!domain->run) {
        core_api_set_invalid(error, _("domain is not running"));
        return false;
    }
    domain->run->unplug_refused = false;
    domain->run->unplugging = g_strdup(detach->id);
    done = core_api_ask_engine(domain, ask, detach, error) &&
           (!detach->wait || wait_for_guest(domain, error));
    if (domain->run)
        g_clear_pointer(&domain->run->unplugging, g_free);
    return done;
}

/* --- the calls
 * --------------------------------------------------------------------- */

static bool
detach_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    Detach *detach = call->data;
    CoreChange change = { .apply = apply_config, .data = detach };
    g_autoptr(CoreDraft) config = NULL;
    bool live;

    if (!core_api_affect(domain, &call->flags, error))
        return false;
    live = call->flags & VIR_DOMAIN_AFFECT_LIVE;
    if ((call->flags & VIR_DOMAIN_AFFECT_CONFIG) &&
        !(config = core_change_draft(domain, &change, error)))
        return false;
    if (live && (!find_live(domain, detach, error) ||
                 !detach_live(domain, detach, error)))
        return false;
    return !config || core_change_keep(domain, config, error);
}

static const CoreOperation detach_operation = {
    .name = "domainDetachDeviceFlags",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = DETACH_FLAGS,
    .act = detach_act,
};

static const CoreOperation detach_alias_operation = {
    .name = "domainDetachDeviceAlias",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = DETACH_FLAGS,
    .act = detach_act,
};

bool
core_call_detach(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, const char *xml, unsigned flags,
                 GError **error)
{
    g_autoptr(ConfDevice) device = conf_device_parse(xml, 0, error);
    Detach detach = { .device = device, .wait = true };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &detach
    };
    bool done = device && core_api_call(&detach_operation, &call, dom, error);

    g_free(detach.id);
    return done;
}

bool
core_call_detach_alias(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom, const char *alias,
                       unsigned flags, GError **error)
{
    Detach detach = { .alias = alias };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &detach
    };
    bool done = core_api_call(&detach_alias_operation, &call, dom, error);

    g_free(detach.id);
    return done;
}
