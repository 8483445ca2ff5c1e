/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/state.h"
#include "util/i18n.h"

#define LABEL_WIDTH 16

static void
add_text(VshRecord *record, const char *key, const char *label,
         const char *text)
{
    vsh_record_add(record, key, label, text, NULL);
}

static void
add_identity(VshRecord *record, virDomainPtr domain)
{
    unsigned id = virDomainGetID(domain);
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    g_autofree char *text =
        id == (unsigned)-1 ? g_strdup("-") : g_strdup_printf("%u", id);
    char *type;

    virDomainGetUUIDString(domain, uuid);
    vsh_record_add(record, "id", _("Id:"), text,
                   id == (unsigned)-1 ? json_null() : json_integer(id));
    add_text(record, "name", _("Name:"), virDomainGetName(domain));
    add_text(record, "uuid", _("UUID:"), uuid);
    type = virDomainGetOSType(domain);
    if (type)
        add_text(record, "os_type", _("OS Type:"), type);
    free(type);
}

static void
add_kib(VshRecord *record, const char *key, const char *label,
        unsigned long kib)
{
    g_autofree char *text = g_strdup_printf("%lu KiB", kib);

    vsh_record_add(record, key, label, text, json_integer((json_int_t)kib));
}

static bool
add_resources(VshRecord *record, virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);
    virDomainInfo info;
    g_autofree char *cpus = NULL;
    g_autofree char *time = NULL;

    if (virDomainGetInfo(domain, &info) < 0) {
        vsh_error_virt(error, _("Failed to get information of domain '%s'"),
                       name);
        return false;
    }
    cpus = g_strdup_printf("%d", info.nrVirtCpu);
    time = g_strdup_printf("%.1lfs", (double)info.cpuTime / 1e9);
    add_text(record, "state", _("State:"), vsh_state_name(info.state));
    vsh_record_add(record, "vcpus", _("CPU(s):"), cpus,
                   json_integer(info.nrVirtCpu));
    vsh_record_add(record, "cpu_time_ns", info.cpuTime ? _("CPU time:") : NULL,
                   time, json_integer((json_int_t)info.cpuTime));
    if (info.maxMem != G_MAXUINT64)
        add_kib(record, "max_memory_kib", _("Max memory:"), info.maxMem);
    else
        add_text(record, "max_memory_kib", _("Max memory:"), _("no limit"));
    add_kib(record, "used_memory_kib", _("Used memory:"), info.memory);
    return true;
}

/* @value: 1, 0, or negative for "could not be found out" */
static void
add_switch(VshRecord *record, const char *key, const char *label, int value,
           const char *on, const char *off)
{
    vsh_record_add(record, key, label,
                   value < 0 ? _("unknown")
                   : value   ? on
                             : off,
                   value < 0 ? json_null() : json_boolean(value > 0));
}

static void
add_persistence(VshRecord *record, virDomainPtr domain)
{
    int autostart = 0;

    add_switch(record, "persistent", _("Persistent:"),
               virDomainIsPersistent(domain), _("yes"), _("no"));
    if (virDomainGetAutostart(domain, &autostart) == 0)
        add_switch(record, "autostart", _("Autostart:"), autostart, _("enable"),
                   _("disable"));
    add_switch(record, "managed_save", _("Managed save:"),
               virDomainHasManagedSaveImage(domain, 0), _("yes"), _("no"));
}

static void
add_label(VshRecord *record, virDomainPtr domain)
{
    /* four kilobytes are too much for the stack */
    g_autofree virSecurityLabel *label = g_new0(virSecurityLabel, 1);
    g_autofree char *text = NULL;

    if (virDomainGetSecurityLabel(domain, label) < 0 || !label->label[0])
        return;
    text = g_strdup_printf("%s (%s)", label->label,
                           label->enforcing ? "enforcing" : "permissive");
    vsh_record_add(record, "security_label", _("Security label:"), text, NULL);
}

static void
add_security(VshRecord *record, VshShell *shell, virDomainPtr domain)
{
    virSecurityModel model = { 0 };

    if (virNodeGetSecurityModel(shell->connection.conn, &model) < 0 ||
        !model.model[0])
        return;
    add_text(record, "security_model", _("Security model:"), model.model);
    add_text(record, "security_doi", _("Security DOI:"), model.doi);
    add_label(record, domain);
}

static void
add_messages(VshRecord *record, virDomainPtr domain)
{
    char **messages = NULL;
    int count = virDomainGetMessages(domain, &messages, 0);
    json_t *all = json_array();

    for (int i = 0; i < count; i++) {
        vsh_record_add(record, NULL, i == 0 ? _("Messages:") : " ", messages[i],
                       NULL);
        json_array_append_new(all, json_string(messages[i]));
        free(messages[i]);
    }
    free(messages);
    vsh_record_add(record, "messages", NULL, NULL, all);
}

static bool
query_info(VshShell *shell, const VshArgs *args, virDomainPtr domain,
           VshRecord *record, GError **error)
{
    add_identity(record, domain);
    if (!add_resources(record, domain, error))
        return false;
    add_persistence(record, domain);
    add_security(record, shell, domain);
    add_messages(record, domain);
    return true;
}

static bool
run_dominfo(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_report(shell, args, LABEL_WIDTH, query_info, error);
}

static const VshOption any_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ALL),
    { NULL },
};

static const VshCommand command_dominfo = {
    .name = "dominfo",
    .group = "monitor",
    .summary = N_("domain information"),
    .details = N_("Shows basic information about domains, and the messages "
                  "that the driver has about them."),
    .options = any_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_dominfo,
};

static bool
query_state(VshShell *shell, const VshArgs *args, virDomainPtr domain,
            VshRecord *record, GError **error)
{
    const char *name = virDomainGetName(domain);
    int state, reason;
    g_autofree char *text = NULL;

    if (virDomainGetState(domain, &state, &reason, 0) < 0) {
        vsh_error_virt(error, _("Failed to get the state of domain '%s'"),
                       name);
        return false;
    }
    text = g_strdup(vsh_state_name(state));
    if (vsh_args_given(args, "reason")) {
        g_autofree char *bare = g_steal_pointer(&text);

        text =
            g_strdup_printf("%s (%s)", bare, vsh_state_reason(state, reason));
    }
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, "state", "", text,
                   json_string(vsh_state_name(state)));
    vsh_record_add(record, "reason", NULL, vsh_state_reason(state, reason),
                   NULL);
    return true;
}

static bool
run_domstate(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_report(shell, args, 0, query_state, error);
}

static const VshOption domstate_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ALL),
    VSH_FLAG("reason", N_("also print reason for the state")),
    { NULL },
};

static const VshCommand command_domstate = {
    .name = "domstate",
    .group = "monitor",
    .summary = N_("domain state"),
    .details = N_("Shows the state of domains."),
    .options = domstate_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domstate,
};

static const char *const control_states[VIR_DOMAIN_CONTROL_LAST] = {
    [VIR_DOMAIN_CONTROL_OK] = N_("ok"),
    [VIR_DOMAIN_CONTROL_JOB] = N_("background job"),
    [VIR_DOMAIN_CONTROL_OCCUPIED] = N_("occupied"),
    [VIR_DOMAIN_CONTROL_ERROR] = N_("error"),
};

static const char
    *const control_errors[VIR_DOMAIN_CONTROL_ERROR_REASON_LAST] = {
        [VIR_DOMAIN_CONTROL_ERROR_REASON_NONE] = N_("unknown"),
        [VIR_DOMAIN_CONTROL_ERROR_REASON_UNKNOWN] = N_("unknown"),
        [VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR] = N_("monitor failure"),
        [VIR_DOMAIN_CONTROL_ERROR_REASON_INTERNAL] =
            N_("internal (locking) error"),
    };

static char *
control_text(const virDomainControlInfo *info, const char *state)
{
    double seconds = (double)info->stateTime / 1000.0;

    if (info->state == VIR_DOMAIN_CONTROL_OK)
        return g_strdup(state);
    if (info->state != VIR_DOMAIN_CONTROL_ERROR)
        return g_strdup_printf("%s (%0.3fs)", state, seconds);
    if (info->details == 0 ||
        info->details >= VIR_DOMAIN_CONTROL_ERROR_REASON_LAST)
        return g_strdup(state);
    return g_strdup_printf("%s: %s (%0.3fs)", state,
                           _(control_errors[info->details]), seconds);
}

static bool
query_control(VshShell *shell, const VshArgs *args, virDomainPtr domain,
              VshRecord *record, GError **error)
{
    const char *name = virDomainGetName(domain);
    virDomainControlInfo info;
    const char *state;
    g_autofree char *text = NULL;

    if (virDomainGetControlInfo(domain, &info, 0) < 0) {
        vsh_error_virt(
            error, _("Failed to get the control state of domain '%s'"), name);
        return false;
    }
    state = info.state < VIR_DOMAIN_CONTROL_LAST ? _(control_states[info.state])
                                                 : _("unknown");
    text = control_text(&info, state);
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, "control", "", text, json_string(state));
    vsh_record_add(record, "since_ms", NULL, NULL,
                   json_integer((json_int_t)info.stateTime));
    return true;
}

static bool
run_domcontrol(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_report(shell, args, 0, query_control, error);
}

static const VshOption domcontrol_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    { NULL },
};

static const VshCommand command_domcontrol = {
    .name = "domcontrol",
    .group = "monitor",
    .summary = N_("domain control interface state"),
    .details = N_("Shows whether the control interface of domains is ready "
                  "for commands."),
    .options = domcontrol_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domcontrol,
};

const VshCommand *const vsh_commands_info[] = {
    &command_domcontrol,
    &command_dominfo,
    &command_domstate,
    NULL,
};
