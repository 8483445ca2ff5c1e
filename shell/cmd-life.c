/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "util/i18n.h"

static bool
suspend_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
            void *data, GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainSuspend(domain) < 0) {
        vsh_error_virt(error, _("Failed to suspend domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' suspended"), name);
    return true;
}

static bool
run_suspend(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_each(shell, args, suspend_one, NULL, error);
}

static const VshOption suspend_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_RUNNING),
    { NULL },
};

static const VshCommand command_suspend = {
    .name = "suspend",
    .group = "domain",
    .summary = N_("suspend a domain"),
    .details = N_("Stops the vCPUs of running domains; memory and devices "
                  "stay as they are."),
    .options = suspend_options,
    .run = run_suspend,
};

static bool
resume_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
           void *data, GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainResume(domain) < 0) {
        vsh_error_virt(error, _("Failed to resume domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' resumed"), name);
    return true;
}

static bool
run_resume(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_each(shell, args, resume_one, NULL, error);
}

static const VshOption resume_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_PAUSED),
    { NULL },
};

static const VshCommand command_resume = {
    .name = "resume",
    .group = "domain",
    .summary = N_("resume a domain"),
    .details = N_("Lets previously suspended domains run on."),
    .options = resume_options,
    .run = run_resume,
};

static bool
autostart_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
              void *data, GError **error)
{
    bool disable = vsh_args_given(args, "disable");
    const char *name = virDomainGetName(domain);

    if (virDomainSetAutostart(domain, !disable) < 0) {
        vsh_error_virt(error,
                       disable
                           ? _("Failed to unmark domain '%s' as autostarted")
                           : _("Failed to mark domain '%s' as autostarted"),
                       name);
        return false;
    }
    vsh_message(&shell->out,
                disable ? _("Domain '%s' unmarked as autostarted")
                        : _("Domain '%s' marked as autostarted"),
                name);
    return true;
}

static bool
run_autostart(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_each(shell, args, autostart_one, NULL, error);
}

static const VshOption autostart_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_PERSISTENT),
    VSH_FLAG("disable", N_("disable autostarting")),
    { NULL },
};

static const VshCommand command_autostart = {
    .name = "autostart",
    .group = "domain",
    .summary = N_("autostart a domain"),
    .details = N_("Has domains started with the daemon, at boot; or not any "
                  "more."),
    .options = autostart_options,
    .run = run_autostart,
};

static bool
run_domrename(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    const char *name = domain ? virDomainGetName(domain) : NULL;
    const char *new_name = vsh_args_string(args, "new-name");

    if (!domain)
        return false;
    if (virDomainRename(domain, new_name, 0) < 0) {
        vsh_error_virt(error, _("Failed to rename domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain successfully renamed"));
    return true;
}

static const VshOption domrename_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_INACTIVE),
    { .name = "new-name",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("new domain name") },
    { NULL },
};

static const VshCommand command_domrename = {
    .name = "domrename",
    .group = "domain",
    .summary = N_("rename a domain"),
    .details = N_("Renames an inactive domain."),
    .options = domrename_options,
    .run = run_domrename,
};

const VshCommand *const vsh_commands_life[] = {
    &command_autostart,
    &command_domrename,
    &command_resume,
    &command_suspend,
    NULL,
};
