/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/calls.h"
#include "core/change.h"
#include "core/device.h"
#include "core/engine-devices.h"
#include "core/events.h"
#include "core/run.h"
#include "core/settings.h"
#include "util/error.h"
#include "util/i18n.h"

/** domainAttachDeviceFlags. */

typedef struct Attach {
    const VirtkvmState *state;
    ConfDevice *device; /* as the client gave it */
    /* The running definition with the device in it, as it was tried; the engine
     * fills in what only a live device has. */
    ConfDomain *tried;
    guint controllers; /* that were there before */
    char *alias;
    ConfDevice *given;   /* to the guest: what stands in the definition then */
    GPtrArray *warnings; /* char *: what the guest does not get of it */
} Attach;

static void
attach_clear(Attach *attach)
{
    conf_device_free(attach->device);
    conf_device_free(attach->given);
    conf_domain_free(attach->tried);
    g_free(attach->alias);
    g_ptr_array_unref(attach->warnings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attach, attach_clear)

/* The newest of its kind. */
static const char *
name_new(ConfDomain *conf, ConfDeviceKind kind)
{
    GPtrArray *list = conf_device_list(conf, kind);
    ConfDevice newest = { kind, list->pdata[list->len - 1] };

    conf_domain_assign_live(conf);
    return conf_device_alias(&newest);
}

static bool
add(ConfDomain *conf, const ConfDevice *device, GError **error)
{
    ConfDevice *copy = conf_device_copy(device);

    if (conf_domain_add_device(conf, &copy, error))
        return true;
    conf_device_free(copy);
    return false;
}

static bool
try_live(ConfDomain *conf, Attach *attach, GError **error)
{
    ConfDeviceKind kind = attach->device->kind;

    if (!core_device_moves(kind)) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("live attach of device '%s' is not supported"),
                  conf_device_name(kind));
        return false;
    }
    attach->controllers = conf->controllers->len;
    if (!add(conf, attach->device, error))
        return false;
    if (!core_settings_apply(attach->state, conf, error))
        return false;
    attach->alias = g_strdup(name_new(conf, kind));
    attach->tried = conf_domain_copy(conf);
    return true;
}

static bool
apply(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    Attach *attach = data;

    if (attach->given && live) {
        if (!add(conf, attach->given, error))
            return false;
        conf_domain_assign_live(conf); /* a controller may have come with it */
        return true;
    }
    if (live)
        return try_live(conf, attach, error);
    return add(conf, attach->device, error);
}

/* A disk may need a controller that is not there yet: what it lacks is
 * behind those that there were. */
static bool
ask_controllers(CoreEngine *engine, const Attach *attach, GError **error)
{
    const GPtrArray *list = attach->tried->controllers;

    for (guint i = attach->controllers; i < list->len; i++) {
        ConfDevice device = { CONF_DEVICE_CONTROLLER, list->pdata[i] };

        if (!engine->ops->devices->attach(engine, attach->tried, &device,
                                          attach->warnings, error))
            return false;
    }
    return true;
}

/* Those without a disk are not wanted; the first error is the one to tell. */
static void
take_controllers(CoreEngine *engine, const Attach *attach)
{
    const GPtrArray *list = attach->tried->controllers;

    for (guint i = attach->controllers; i < list->len; i++) {
        const ConfController *controller = list->pdata[i];

        (void)engine->ops->devices->detach(engine, controller->alias, NULL);
    }
}

static bool
ask(CoreEngine *engine, gpointer data, GError **error)
{
    Attach *attach = data;
    ConfDevice found;

    if (!conf_domain_device_by_alias(attach->tried, attach->alias, &found,
                                     error) ||
        !conf_device_check_start(&found, attach->warnings, error) ||
        !ask_controllers(engine, attach, error))
        return false;
    if (!engine->ops->devices->attach(engine, attach->tried, &found,
                                      attach->warnings, error)) {
        take_controllers(engine, attach);
        return false;
    }
    attach->given = conf_device_copy(&found);
    return true;
}

static bool
attach_act(CoreCall *call, GError **error)
{
    Attach *attach = call->data;
    CoreChange change = { apply, ask, attach };
    bool done = core_change(call, &change, error);

    /* The guest has it, even if the file could not be renamed. */
    if (attach->given && core_domain_active(call->domain)) {
        core_run_add_warnings(call->domain, attach->warnings);
        core_event_device(call->domain, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                          attach->alias);
    }
    return done;
}

static const CoreOperation attach_operation = {
    .name = "domainAttachDeviceFlags",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = VIR_DOMAIN_DEVICE_MODIFY_LIVE | VIR_DOMAIN_DEVICE_MODIFY_CONFIG,
    .act = attach_act,
};

bool
core_call_attach(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, const char *xml, unsigned flags,
                 GError **error)
{
    g_auto(Attach)
        attach = { .state = state,
                   .warnings = g_ptr_array_new_with_free_func(g_free) };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &attach
    };

    attach.device = conf_device_parse(xml, CONF_PARSE_INACTIVE, error);
    return attach.device && core_api_call(&attach_operation, &call, dom, error);
}
