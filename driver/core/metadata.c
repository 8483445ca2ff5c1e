/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/calls.h"
#include "core/change.h"
#include "core/events.h"
#include "util/error.h"
#include "util/i18n.h"

#define AFFECT_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

/* What virDomainSetMetadata() says. */
typedef struct Change {
    int type;
    const char *text; /* NULL removes */
    const char *key;
    const char *uri;
} Change;

static bool
check_change(const Change *change, GError **error)
{
    const char *problem = NULL;

    switch (change->type) {
    case VIR_DOMAIN_METADATA_DESCRIPTION:
        break;
    case VIR_DOMAIN_METADATA_TITLE:
        if (change->text && strchr(change->text, '\n'))
            problem = _("metadata title can't contain newlines");
        break;
    case VIR_DOMAIN_METADATA_ELEMENT:
        if (!change->uri || !*change->uri)
            problem = _("a metadata element needs a namespace URI");
        else if (change->text && (!change->key || !*change->key))
            problem = _("a metadata element needs a namespace prefix");
        break;
    default:
        problem = _("unknown metadata type");
    }
    if (problem)
        error_set(error, VIR_ERR_INVALID_ARG, "%s", problem);
    return !problem;
}

static bool
apply(ConfDomain *conf, const Change *change, GError **error)
{
    switch (change->type) {
    case VIR_DOMAIN_METADATA_DESCRIPTION:
        conf_domain_set_description(conf, change->text);
        return conf_domain_check_return(conf, error);
    case VIR_DOMAIN_METADATA_TITLE:
        conf_domain_set_title(conf, change->text);
        return conf_domain_check_return(conf, error);
    default:
        return conf_domain_metadata_set(conf, change->uri, change->key,
                                        change->text, error);
    }
}

static bool
apply_change(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    return apply(conf, data, error);
}

static bool
set_act(CoreCall *call, GError **error)
{
    const Change *metadata = call->data;
    CoreChange change = { .apply = apply_change, .data = call->data };

    if (!core_change(call, &change, error))
        return false;
    core_event_metadata(call->domain, metadata->type, metadata->uri);
    return true;
}

static const CoreOperation set_operation = {
    .name = "domainSetMetadata",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = AFFECT_FLAGS,
    .act = set_act,
};

bool
core_call_set_metadata(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom, int type,
                       const char *metadata, const char *key, const char *uri,
                       unsigned flags, GError **error)
{
    Change change = { type, metadata, key, uri };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &change
    };

    return check_change(&change, error) &&
           core_api_call(&set_operation, &call, dom, error);
}

/* --- reading
 * ---------------------------------------------------------------------- */

static bool
get_act(CoreCall *call, GError **error)
{
    CoreDef *def = core_api_def(call->domain, call->flags, error);

    if (def)
        *(CoreDef **)call->data = core_def_ref(def);
    return def != NULL;
}

static const CoreOperation get_operation = {
    .name = "domainGetMetadata",
    .flags = AFFECT_FLAGS,
    .act = get_act,
};

static char *
metadata_of(const ConfDomain *conf, int type, const char *uri)
{
    switch (type) {
    case VIR_DOMAIN_METADATA_DESCRIPTION:
        return g_strdup(conf->description);
    case VIR_DOMAIN_METADATA_TITLE:
        return g_strdup(conf->title);
    default:
        return conf_domain_metadata_get(conf, uri);
    }
}

char *
core_call_metadata(VirtkvmState *state, const VirtkvmCaller *who,
                   const VirtkvmDomainRef *dom, int type, const char *uri,
                   unsigned flags, GError **error)
{
    Change asked = { .type = type, .uri = uri };
    g_autoptr(CoreDef) def = NULL;
    g_autoptr(ConfDomain) conf = NULL;
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &def
    };
    char *text;

    if (!check_change(&asked, error) ||
        !core_api_call(&get_operation, &call, dom, error))
        return NULL;
    conf = core_def_open(def, error);
    if (!conf)
        return NULL;
    text = metadata_of(conf, type, uri);
    if (!text)
        error_set(error, VIR_ERR_NO_DOMAIN_METADATA,
                  _("Requested metadata element is not present"));
    return text;
}
