/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/edit.h"
#include "util/i18n.h"

#define EDIT_XML (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)

/* Before the call that may fail: it forgets libvirt's last error. */
static const char *
name_of(const VshEdit *edit)
{
    return virDomainGetName(edit->object);
}

static char *
fetch(const VshEdit *edit, GError **error)
{
    const char *name = name_of(edit);
    char *xml = virDomainGetXMLDesc(edit->object, EDIT_XML);

    if (!xml)
        vsh_error_virt(error, _("Failed to get the XML of domain '%s'"), name);
    return xml;
}

static bool
define(VshEdit *edit, GError **error)
{
    const char *name = name_of(edit);
    virConnectPtr conn = edit->shell->connection.conn;
    unsigned flags = edit->validate ? VIR_DOMAIN_DEFINE_VALIDATE : 0;
    g_autoptr(virDomain) defined =
        virDomainDefineXMLFlags(conn, edit->after, flags);

    if (!defined && edit->validate &&
        virGetLastErrorCode() == VIR_ERR_INVALID_ARG) {
        /* a driver that cannot validate */
        edit->validate = false;
        defined = virDomainDefineXMLFlags(conn, edit->after, 0);
    }
    if (!defined)
        vsh_error_virt(error, _("Failed to define domain '%s'"), name);
    return defined != NULL;
}

static char *
text(const VshEdit *edit, VshEditEnd end)
{
    const char *name = name_of(edit);

    if (end == VSH_EDIT_UNCHANGED)
        return g_strdup_printf(_("Domain '%s' XML configuration not changed."),
                               name);
    if (end == VSH_EDIT_EDITED)
        return g_strdup_printf(_("Domain '%s' XML configuration edited."),
                               name);
    return g_strdup_printf(_("the changes to domain '%s' were thrown away"),
                           name);
}

static const VshEditType domain_edit = { fetch, define, text };

static bool
run_edit(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    VshEdit edit = { .shell = shell,
                     .type = &domain_edit,
                     .object = domain,
                     .validate = !vsh_args_given(args, "skip-validate") };

    return domain && vsh_edit_run(&edit, error);
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
