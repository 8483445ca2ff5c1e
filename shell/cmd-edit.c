/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/editor.h"
#include "util/i18n.h"

#define EDIT_XML (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)

/* One `edit`: the texts, and whether the schema is to be checked. */
typedef struct VshEdit {
    VshShell *shell;
    virDomainPtr domain;
    char *before; /* the definition as it was */
    char *after;  /* as the user left it */
    bool validate;
} VshEdit;

static bool
fetch(const VshEdit *edit, char **ret_xml, GError **error)
{
    const char *name = virDomainGetName(edit->domain);
    *ret_xml = virDomainGetXMLDesc(edit->domain, EDIT_XML);
    if (*ret_xml)
        return true;
    vsh_error_virt(error, _("Failed to get the XML of domain '%s'"), name);
    return false;
}

/* Refuses to overwrite what somebody else changed meanwhile. */
static bool
check_unchanged(VshEdit *edit, GError **error)
{
    g_autofree char *now = NULL;

    if (!fetch(edit, &now, error))
        return false;
    if (strcmp(now, edit->before) == 0)
        return true;
    vsh_error_set(error, VSH_EXIT_STATE,
                  _("The XML configuration was changed by another user."));
    /* who forces it has seen this once: compare with the new state */
    g_free(edit->before);
    edit->before = g_steal_pointer(&now);
    return false;
}

static bool
define(VshEdit *edit, GError **error)
{
    const char *name = virDomainGetName(edit->domain);
    unsigned flags = edit->validate ? VIR_DOMAIN_DEFINE_VALIDATE : 0;
    g_autoptr(virDomain) defined = NULL;

    if (!check_unchanged(edit, error))
        return false;
    defined = virDomainDefineXMLFlags(edit->shell->connection.conn, edit->after,
                                      flags);
    if (!defined && edit->validate &&
        virGetLastErrorCode() == VIR_ERR_INVALID_ARG) {
        /* a driver that cannot validate */
        edit->validate = false;
        defined = virDomainDefineXMLFlags(edit->shell->connection.conn,
                                          edit->after, 0);
    }
    if (defined)
        return true;
    vsh_error_virt(error, _("Failed to define domain '%s'"), name);
    return false;
}

static bool
open_editor(VshEdit *edit, GError **error)
{
    char *text =
        vsh_editor_run(edit->after ? edit->after : edit->before, ".xml", error);

    if (!text)
        return false;
    g_free(edit->after);
    edit->after = text;
    return true;
}

/* After a refusal: is there another try? Opens the editor if wanted. */
static bool
try_again(VshEdit *edit, GError **error)
{
    VshReedit choice;
    g_autoptr(GError) refusal = NULL;

    g_propagate_error(&refusal, g_steal_pointer(error));
    vsh_print_error(&edit->shell->out, refusal);
    choice = vsh_editor_ask(edit->shell, _("Failed."), edit->validate);
    if (choice == VSH_REEDIT_RELAX)
        edit->validate = false;
    if (choice == VSH_REEDIT_YES)
        return open_editor(edit, error);
    if (choice == VSH_REEDIT_NO)
        vsh_error_set(error, vsh_error_exit(refusal),
                      _("the changes to domain '%s' were thrown away"),
                      virDomainGetName(edit->domain));
    return choice != VSH_REEDIT_NO;
}

static bool
edit_domain(VshEdit *edit, GError **error)
{
    const char *name = virDomainGetName(edit->domain);
    GError *refusal = NULL;

    if (!fetch(edit, &edit->before, error) || !open_editor(edit, error))
        return false;
    if (strcmp(edit->before, edit->after) == 0) {
        vsh_message(&edit->shell->out,
                    _("Domain '%s' XML configuration not changed."), name);
        return true;
    }
    while (!define(edit, &refusal)) {
        if (!try_again(edit, &refusal)) {
            g_propagate_error(error, refusal);
            return false;
        }
    }
    vsh_message(&edit->shell->out, _("Domain '%s' XML configuration edited."),
                name);
    return true;
}

static bool
run_edit(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    VshEdit edit = { .shell = shell,
                     .domain = domain,
                     .validate = !vsh_args_given(args, "skip-validate") };
    bool ok;

    if (!domain)
        return false;
    ok = edit_domain(&edit, error);
    g_free(edit.before);
    g_free(edit.after);
    return ok;
}

static const VshOption edit_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    VSH_FLAG("skip-validate",
             N_("skip validation of the XML against the schema")),
    { NULL },
};

static const VshCommand command_edit = {
    .name = "edit",
    .group = "domain",
    .summary = N_("edit XML configuration for a domain"),
    .details = N_("Opens the persistent definition of a domain in the editor "
                  "that VISUAL or EDITOR names, and defines what it leaves."),
    .options = edit_options,
    .flags = VSH_COMMAND_FOREGROUND,
    .run = run_edit,
};

const VshCommand *const vsh_commands_edit[] = { &command_edit, NULL };
