/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/document.h"
#include "shell/domain.h"
#include "util/i18n.h"

static bool
define_file(VshShell *shell, const VshArgs *args, const char *path,
            GError **error)
{
    unsigned flags =
        vsh_args_given(args, "validate") ? VIR_DOMAIN_DEFINE_VALIDATE : 0;
    g_autofree char *xml = vsh_document_read(path, error);
    g_autoptr(virDomain) domain = NULL;

    if (!xml)
        return false;
    domain = virDomainDefineXMLFlags(shell->connection.conn, xml, flags);
    if (!domain) {
        vsh_error_virt(error, _("Failed to define domain from %s"), path);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' defined from %s"),
                virDomainGetName(domain), path);
    return true;
}

static bool
run_define(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_document_each(shell, args, define_file, error);
}

static const VshOption define_options[] = {
    VSH_OPTION_FILES,
    VSH_FLAG("validate", N_("validate the XML against the schema")),
    { NULL },
};

static const VshCommand command_define = {
    .name = "define",
    .group = "domain",
    .summary = N_("define (but don't start) a domain from an XML file"),
    .details = N_("Defines a persistent domain, or changes the definition of "
                  "one. Several files may be given; - is standard input."),
    .options = define_options,
    .run = run_define,
};

static const VshFlagBits undefine_flags[] = {
    { "managed-save", VIR_DOMAIN_UNDEFINE_MANAGED_SAVE },
    { "snapshots-metadata", VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA },
    { "checkpoints-metadata", VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA },
    { "nvram", VIR_DOMAIN_UNDEFINE_NVRAM },
    { "keep-nvram", VIR_DOMAIN_UNDEFINE_KEEP_NVRAM },
    { "tpm", VIR_DOMAIN_UNDEFINE_TPM },
    { "keep-tpm", VIR_DOMAIN_UNDEFINE_KEEP_TPM },
    { NULL },
};

static bool
undefine_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
             void *data, GError **error)
{
    unsigned flags = vsh_args_bits(args, undefine_flags);
    const char *name = virDomainGetName(domain);
    int result = flags ? virDomainUndefineFlags(domain, flags)
                       : virDomainUndefine(domain);

    if (result < 0) {
        vsh_error_virt(error, _("Failed to undefine domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' has been undefined"), name);
    return true;
}

static bool
run_undefine(VshShell *shell, const VshArgs *args, GError **error)
{
    static const char *const nvram[] = { "nvram", "keep-nvram", NULL };
    static const char *const tpm[] = { "tpm", "keep-tpm", NULL };

    return vsh_args_exclusive(args, nvram, error) &&
           vsh_args_exclusive(args, tpm, error) &&
           vsh_domain_each(shell, args, undefine_one, NULL, error);
}

static const VshOption undefine_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_PERSISTENT),
    VSH_FLAG("managed-save", N_("remove domain managed state file")),
    VSH_FLAG("snapshots-metadata",
             N_("remove all domain snapshot metadata (vm must be inactive)")),
    VSH_FLAG("checkpoints-metadata",
             N_("remove all domain checkpoint metadata (vm must be inactive)")),
    VSH_FLAG("nvram", N_("remove nvram file")),
    VSH_FLAG("keep-nvram", N_("keep nvram file")),
    VSH_FLAG("tpm", N_("remove TPM state")),
    VSH_FLAG("keep-tpm", N_("keep TPM state")),
    { NULL },
};

static const VshCommand command_undefine = {
    .name = "undefine",
    .group = "domain",
    .summary = N_("undefine a domain"),
    .details = N_("Removes the definition of an inactive domain; an active "
                  "one becomes transient and vanishes when it stops."),
    .options = undefine_options,
    .run = run_undefine,
};

const VshCommand *const vsh_commands_define[] = {
    &command_define,
    &command_undefine,
    NULL,
};
