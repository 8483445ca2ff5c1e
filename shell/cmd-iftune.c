/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/affect.h"
#include "shell/completer.h"
#include "shell/device.h"
#include "shell/params.h"
#include "shell/rate.h"
#include "util/i18n.h"

/* A tuning that is being shown or changed. */
typedef struct VshInterfaceTune {
    virDomainPtr domain;
    const char *name; /* of the domain */
    const char *interface;
    unsigned flags; /* virDomainModificationImpact */
} VshInterfaceTune;

/* The parameters to set, as libvirt's helpers have them. */
typedef struct VshParams {
    virTypedParameterPtr list;
    int count;
    int capacity;
} VshParams;

/* The average is always sent: 0 takes the limit away. */
static bool
add_rate(VshParams *params, const char *direction, const VshRate *rate)
{
    const struct {
        const char *name;
        unsigned value;
    } parts[] = {
        { "average", rate->average_kib_s },
        { "peak", rate->peak_kib_s },
        { "burst", rate->burst_kib },
        { "floor", rate->floor_kib_s },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *field =
            g_strconcat(direction, ".", parts[i].name, NULL);

        if ((i == 0 || parts[i].value > 0) &&
            virTypedParamsAddUInt(&params->list, &params->count,
                                  &params->capacity, field, parts[i].value) < 0)
            return false;
    }
    return true;
}

/* Reads the option @direction, if it is given. */
static bool
collect_rate(const VshArgs *args, const char *direction, VshParams *params,
             GError **error)
{
    const char *text = vsh_args_string(args, direction);
    VshRate rate;
    bool limits;

    if (!text)
        return true;
    if (!vsh_rate_parse(direction, text, &rate, error))
        return false;
    limits = rate.peak_kib_s > 0 || rate.burst_kib > 0;
    if (limits && !vsh_rate_check(direction, &rate, error))
        return false;
    if (add_rate(params, direction, &rate))
        return true;
    vsh_error_virt(error, _("Unable to set interface parameters"));
    return false;
}

static bool
report_failure(const VshInterfaceTune *tune, const char *context,
               GError **error)
{
    vsh_error_virt(error, "%s", context);
    vsh_device_hint(VSH_DEVICE_INTERFACE, tune->name, error);
    return false;
}

static bool
fetch_rates(const VshInterfaceTune *tune, VshParams *params)
{
    if (virDomainGetInterfaceParameters(tune->domain, tune->interface, NULL,
                                        &params->count, tune->flags) < 0)
        return false;
    params->list = g_new0(virTypedParameter, (gsize)params->count);
    return virDomainGetInterfaceParameters(tune->domain, tune->interface,
                                           params->list, &params->count,
                                           tune->flags) == 0;
}

static bool
show_rates(VshShell *shell, const VshInterfaceTune *tune, GError **error)
{
    g_autoptr(VshRecord) record = vsh_record_new(0);
    VshParams params = { 0 };
    bool ok = fetch_rates(tune, &params);

    if (!ok) {
        report_failure(tune, _("Unable to get interface parameters"), error);
    } else {
        vsh_record_add(record, "domain", NULL, tune->name, NULL);
        vsh_record_add(record, "interface", NULL, tune->interface, NULL);
        vsh_params_add(record, params.list, params.count);
        vsh_record_print(record, &shell->out);
        virTypedParamsClear(params.list, params.count);
    }
    g_free(params.list);
    return ok;
}

static bool
change_rates(const VshInterfaceTune *tune, const VshParams *params,
             GError **error)
{
    if (virDomainSetInterfaceParameters(tune->domain, tune->interface,
                                        params->list, params->count,
                                        tune->flags) == 0)
        return true;
    return report_failure(tune, _("Unable to set interface parameters"), error);
}

static bool
run_domiftune(VshShell *shell, const VshArgs *args, GError **error)
{
    VshInterfaceTune tune = { .interface = vsh_args_string(args, "interface") };
    g_autoptr(virDomain) domain = NULL;
    VshParams params = { 0 };
    bool ok;

    if (!vsh_affect_flags(args, &tune.flags, error))
        return false;
    domain = tune.domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    tune.name = virDomainGetName(domain);
    ok = collect_rate(args, "inbound", &params, error) &&
         collect_rate(args, "outbound", &params, error);
    if (ok && params.count > 0)
        ok = change_rates(&tune, &params, error);
    else if (ok)
        ok = show_rates(shell, &tune, error);
    virTypedParamsFree(params.list, params.count);
    return ok;
}

static const VshOption domiftune_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    VSH_OPTION_INTERFACE(N_("interface device (MAC Address)")),
    { .name = "inbound",
      .kind = VSH_OPTION_STRING,
      .help = N_("limit of what the guest receives: average,peak,burst,floor "
                 "in KiB") },
    { .name = "outbound",
      .kind = VSH_OPTION_STRING,
      .help = N_("limit of what the guest sends: average,peak,burst in KiB") },
    VSH_AFFECT_OPTIONS,
    { NULL },
};

static const VshCommand command_domiftune = {
    .name = "domiftune",
    .group = "domain",
    .summary = N_("get/set parameters of a virtual interface"),
    .details = N_("Limits the bandwidth of an interface: on average and at "
                  "the peak in KiB per second, with bursts of so many KiB; an "
                  "average of 0 takes the limit away. Without a direction, "
                  "shows the limits."),
    .options = domiftune_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domiftune,
};

const VshCommand *const vsh_commands_iftune[] = { &command_domiftune, NULL };
