/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/interrupt.h"
#include "shell/progress.h"
#include "shell/tally.h"
#include "util/i18n.h"

/* While waiting for a guest, its state is asked for this often. */
#define WAIT_POLL_MS 100

static const char *const mode_words[] = { "acpi",   "agent",    "initctl",
                                          "signal", "paravirt", NULL };

/* In the order of mode_words; virDomainRebootFlagValues are the same bits. */
static const unsigned mode_bits[] = {
    VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
    VIR_DOMAIN_SHUTDOWN_INITCTL,        VIR_DOMAIN_SHUTDOWN_SIGNAL,
    VIR_DOMAIN_SHUTDOWN_PARAVIRT,
};

static bool
parse_mode(const VshArgs *args, unsigned *ret_flags, GError **error)
{
    const char *text = vsh_args_string(args, "mode");
    g_auto(GStrv) words = g_strsplit(text ? text : "", ",", -1);
    unsigned flags = 0;

    for (size_t i = 0; words[i]; i++) {
        size_t mode = 0;

        while (mode_words[mode] && strcmp(words[i], mode_words[mode]) != 0)
            mode++;
        if (!mode_words[mode]) {
            vsh_error_set(error, VSH_EXIT_USAGE,
                          _("Unknown mode %s value, expecting 'acpi', "
                            "'agent', 'initctl', 'signal', or 'paravirt'"),
                          words[i]);
            return false;
        }
        flags |= mode_bits[mode];
    }
    *ret_flags = flags;
    return true;
}

static void
domain_free(void *data)
{
    virDomainFree(data);
}

/* The domains whose end is waited for. */
typedef struct VshWait {
    unsigned flags;
    GPtrArray *pending; /* virDomainPtr */
} VshWait;

static bool
shutdown_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
             void *data, GError **error)
{
    VshWait *wait = data;
    const char *name = virDomainGetName(domain);
    int result = wait->flags ? virDomainShutdownFlags(domain, wait->flags)
                             : virDomainShutdown(domain);

    if (result < 0) {
        vsh_error_virt(error, _("Failed to shutdown domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' is being shutdown"), name);
    virDomainRef(domain);
    g_ptr_array_add(wait->pending, domain);
    return true;
}

/* A domain that is gone altogether (it was transient) is not active either. */
static void
drop_ended(VshShell *shell, VshWait *wait)
{
    for (guint i = 0; i < wait->pending->len;) {
        virDomainPtr domain = wait->pending->pdata[i];
        int active = virDomainIsActive(domain);

        if (active > 0 ||
            (active < 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)) {
            i++;
            continue;
        }
        vsh_message(&shell->out, _("Domain '%s' has been shut down"),
                    virDomainGetName(domain));
        g_ptr_array_remove_index(wait->pending, i);
    }
}

static void
show_pending(VshShell *shell, const VshWait *wait)
{
    g_autofree char *text = NULL;

    if (wait->pending->len == 0)
        return;
    text = g_strdup_printf(
        ngettext("waiting for domain '%s' to shut down",
                 "waiting for '%s' and others (%u in all) to shut down",
                 wait->pending->len),
        virDomainGetName(wait->pending->pdata[0]), wait->pending->len);
    vsh_progress_detail(shell->out.progress, text);
}

static bool
destroy_pending(VshShell *shell, VshWait *wait, GError **error)
{
    for (guint i = 0; i < wait->pending->len; i++) {
        virDomainPtr domain = wait->pending->pdata[i];
        const char *name = virDomainGetName(domain);

        if (virDomainDestroy(domain) < 0 && virDomainIsActive(domain) > 0) {
            vsh_error_virt(error, _("Failed to destroy domain '%s'"), name);
            return false;
        }
        vsh_message(&shell->out, _("Domain '%s' destroyed"), name);
    }
    return true;
}

static bool
report_pending(const VshWait *wait, unsigned timeout_s, GError **error)
{
    if (vsh_interrupted()) {
        vsh_error_set(error, VSH_EXIT_INTERRUPTED, _("interrupted"));
        return false;
    }
    vsh_error_set(error, VSH_EXIT_TIMEOUT,
                  ngettext("%u domain, first '%s', did not shut down within "
                           "%u s",
                           "%u domains, first '%s', did not shut down within "
                           "%u s",
                           wait->pending->len),
                  wait->pending->len, virDomainGetName(wait->pending->pdata[0]),
                  timeout_s);
    vsh_error_hint(error, _("a guest may ignore the request; 'destroy' stops "
                            "it at once"));
    return false;
}

static bool
wait_for_end(VshShell *shell, const VshArgs *args, VshWait *wait,
             GError **error)
{
    unsigned timeout_s = vsh_args_number(args, "timeout", 0);
    gint64 deadline =
        g_get_monotonic_time() + (gint64)timeout_s * G_USEC_PER_SEC;

    vsh_interrupt_begin();
    do {
        drop_ended(shell, wait);
        show_pending(shell, wait);
        if (wait->pending->len == 0)
            break;
        if (timeout_s > 0 && g_get_monotonic_time() >= deadline)
            break;
    } while (vsh_connection_alive(&shell->connection) &&
             vsh_interrupt_sleep(WAIT_POLL_MS));
    vsh_interrupt_end();
    if (wait->pending->len == 0)
        return true;
    if (!vsh_connection_alive(&shell->connection)) {
        vsh_error_set(error, VSH_EXIT_CONNECT, _("the connection was lost"));
        return false;
    }
    if (!vsh_interrupted() && vsh_args_given(args, "then-destroy"))
        return destroy_pending(shell, wait, error);
    return report_pending(wait, timeout_s, error);
}

static bool
run_shutdown(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(GPtrArray) pending = g_ptr_array_new_with_free_func(domain_free);
    VshWait wait = { .pending = pending };
    bool waits = vsh_args_given(args, "wait") ||
                 vsh_args_given(args, "timeout") ||
                 vsh_args_given(args, "then-destroy");

    if (!parse_mode(args, &wait.flags, error))
        return false;
    if (vsh_args_given(args, "then-destroy") &&
        vsh_args_number(args, "timeout", 0) == 0) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("option --then-destroy needs --timeout"));
        return false;
    }
    if (!vsh_domain_each(shell, args, shutdown_one, &wait, error))
        return false;
    return !waits || wait_for_end(shell, args, &wait, error);
}

static const VshOption shutdown_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    { .name = "mode",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_NAMED,
      .help = N_("shutdown mode: acpi|agent|initctl|signal|paravirt"),
      .complete = vsh_complete_words,
      .words = mode_words },
    VSH_FLAG("wait", N_("return when the domain has ended")),
    { .name = "timeout",
      .kind = VSH_OPTION_NUMBER,
      .flags = VSH_OPTION_NAMED,
      .help = N_("as --wait, but at most this many seconds; 0: no limit") },
    VSH_FLAG("then-destroy",
             N_("destroy what has not ended when the timeout is over")),
    { NULL },
};

static const VshCommand command_shutdown = {
    .name = "shutdown",
    .group = "domain",
    .summary = N_("gracefully shutdown a domain"),
    .details = N_("Asks the guests to shut down. A guest may take its time, "
                  "or ignore it: --wait and --timeout wait for the end."),
    .options = shutdown_options,
    .run = run_shutdown,
};

static bool
reboot_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
           void *data, GError **error)
{
    const unsigned *flags = data;
    const char *name = virDomainGetName(domain);

    if (virDomainReboot(domain, *flags) < 0) {
        vsh_error_virt(error, _("Failed to reboot domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' is being rebooted"), name);
    return true;
}

static bool
run_reboot(VshShell *shell, const VshArgs *args, GError **error)
{
    unsigned flags;

    return parse_mode(args, &flags, error) &&
           vsh_domain_each(shell, args, reboot_one, &flags, error);
}

static const VshOption reboot_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    { .name = "mode",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_NAMED,
      .help = N_("shutdown mode: acpi|agent|initctl|signal|paravirt"),
      .complete = vsh_complete_words,
      .words = mode_words },
    { NULL },
};

static const VshCommand command_reboot = {
    .name = "reboot",
    .group = "domain",
    .summary = N_("reboot a domain"),
    .details = N_("Asks the guests to reboot."),
    .options = reboot_options,
    .run = run_reboot,
};

static bool
reset_one(VshShell *shell, const VshArgs *args, virDomainPtr domain, void *data,
          GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainReset(domain, 0) < 0) {
        vsh_error_virt(error, _("Failed to reset domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' was reset"), name);
    return true;
}

static bool
run_reset(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_each(shell, args, reset_one, NULL, error);
}

static const VshOption active_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    { NULL },
};

static const VshCommand command_reset = {
    .name = "reset",
    .group = "domain",
    .summary = N_("reset a domain"),
    .details = N_("Resets the target domains as if by power button; the "
                  "guests do not notice in time to save anything."),
    .options = active_options,
    .run = run_reset,
};

static const VshFlagBits destroy_flags[] = {
    { "graceful", VIR_DOMAIN_DESTROY_GRACEFUL },
    { "remove-logs", VIR_DOMAIN_DESTROY_REMOVE_LOGS },
    { NULL },
};

static bool
destroy_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
            void *data, GError **error)
{
    unsigned flags = vsh_args_bits(args, destroy_flags);
    const char *name = virDomainGetName(domain);
    int result =
        flags ? virDomainDestroyFlags(domain, flags) : virDomainDestroy(domain);

    if (result < 0) {
        vsh_error_virt(error, _("Failed to destroy domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' destroyed"), name);
    return true;
}

static bool
run_destroy(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_each(shell, args, destroy_one, NULL, error);
}

static const VshOption destroy_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    VSH_FLAG("graceful", N_("terminate gracefully")),
    VSH_FLAG("remove-logs", N_("remove domain logs")),
    { NULL },
};

static const VshCommand command_destroy = {
    .name = "destroy",
    .group = "domain",
    .summary = N_("destroy (stop) a domain"),
    .details = N_("Forcefully stops domains, but leaves their definitions and "
                  "resources intact."),
    .options = destroy_options,
    .run = run_destroy,
};

const VshCommand *const vsh_commands_stop[] = {
    &command_destroy, &command_reboot, &command_reset, &command_shutdown, NULL,
};
