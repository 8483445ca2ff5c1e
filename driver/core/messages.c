/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/settings.h"
#include "util/error.h"
#include "util/i18n.h"

/**
 * What a user should know about a domain: parts of its definition that the
 * guest does not get, and what ended its last run.
 */

typedef struct Answer {
    GPtrArray *messages; /* char* */
    VirtkvmState *state;
    CoreDef *def; /* of an inactive domain */
    char *failure;
} Answer;

static bool
messages_act(CoreCall *call, GError **error)
{
    const CoreDomain *domain = call->domain;
    Answer *answer = call->data;

    answer->failure = g_strdup(domain->failure);
    if (!domain->run) {
        answer->def = core_def_ref(domain->def);
        return true;
    }
    for (char **warning = domain->run->warnings; warning && *warning; warning++)
        g_ptr_array_add(answer->messages, g_strdup(*warning));
    return true;
}

static const CoreOperation messages_operation = {
    .name = "domainGetMessages",
    .flags = VIR_DOMAIN_MESSAGE_DEPRECATION | VIR_DOMAIN_MESSAGE_TAINTING,
    .act = messages_act,
};

/* What a start would say. */
static void
add_outlook(Answer *answer)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfDomain) conf = core_def_open(answer->def, NULL);

    if (conf && (!core_settings_apply(answer->state, conf, &error) ||
                 !conf_domain_check_start(conf, answer->messages, &error)))
        g_ptr_array_add(
            answer->messages,
            g_strdup_printf(_("cannot be started: %s"), error->message));
}

static void
add_failure(Answer *answer)
{
    g_auto(GStrv) lines = g_strsplit(answer->failure, "\n", 2);

    g_ptr_array_add(answer->messages,
                    g_strdup_printf(_("the last run ended in a failure: %s"),
                                    lines[0] ? lines[0] : ""));
}

/* All of it counts as tainting: nothing is deprecated so far. */
bool
core_call_messages(VirtkvmState *state, const VirtkvmCaller *who,
                   const VirtkvmDomainRef *dom, unsigned flags,
                   char ***ret_messages, GError **error)
{
    Answer answer = { .messages = g_ptr_array_new_with_free_func(g_free),
                      .state = state };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &answer
    };
    bool done = core_api_call(&messages_operation, &call, dom, error);

    if (done && answer.def)
        add_outlook(&answer);
    if (done && answer.failure)
        add_failure(&answer);
    if (flags && !(flags & VIR_DOMAIN_MESSAGE_TAINTING))
        g_ptr_array_set_size(answer.messages, 0);
    if (done) {
        g_ptr_array_set_free_func(answer.messages, NULL);
        g_ptr_array_add(answer.messages, NULL);
        *ret_messages = (char **)g_ptr_array_free(answer.messages, FALSE);
    } else {
        g_ptr_array_unref(answer.messages);
    }
    core_def_unref(answer.def);
    g_free(answer.failure);
    return done;
}
