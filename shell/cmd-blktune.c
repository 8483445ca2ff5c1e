/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/affect.h"
#include "shell/completer.h"
#include "shell/device.h"
#include "shell/params.h"
#include "util/i18n.h"

#define BYTES(option, text)                                   \
    {                                                         \
        .name = option, .kind = VSH_OPTION_SIZE, .help = text \
    }
#define COUNT(option, text)                                     \
    {                                                           \
        .name = option, .kind = VSH_OPTION_NUMBER, .help = text \
    }

/* The limits: each option is a parameter of the driver, with - for _. */
static const VshOption blkdeviotune_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "device",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("block device"),
      .complete = vsh_complete_disk },
    BYTES("total-bytes-sec",
          N_("total throughput limit, as scaled integer (default bytes)")),
    BYTES("read-bytes-sec",
          N_("read throughput limit, as scaled integer (default bytes)")),
    BYTES("write-bytes-sec",
          N_("write throughput limit, as scaled integer (default bytes)")),
    COUNT("total-iops-sec", N_("total I/O operations limit per second")),
    COUNT("read-iops-sec", N_("read I/O operations limit per second")),
    COUNT("write-iops-sec", N_("write I/O operations limit per second")),
    BYTES("total-bytes-sec-max",
          N_("total max, as scaled integer (default bytes)")),
    BYTES("read-bytes-sec-max",
          N_("read max, as scaled integer (default bytes)")),
    BYTES("write-bytes-sec-max",
          N_("write max, as scaled integer (default bytes)")),
    COUNT("total-iops-sec-max", N_("total I/O operations max")),
    COUNT("read-iops-sec-max", N_("read I/O operations max")),
    COUNT("write-iops-sec-max", N_("write I/O operations max")),
    BYTES("size-iops-sec", N_("I/O size in bytes")),
    { .name = "group-name",
      .kind = VSH_OPTION_STRING,
      .help = N_("group name to share I/O quota between multiple drives") },
    COUNT("total-bytes-sec-max-length",
          N_("duration in seconds to allow total max bytes")),
    COUNT("read-bytes-sec-max-length",
          N_("duration in seconds to allow read max bytes")),
    COUNT("write-bytes-sec-max-length",
          N_("duration in seconds to allow write max bytes")),
    COUNT("total-iops-sec-max-length",
          N_("duration in seconds to allow total I/O operations max")),
    COUNT("read-iops-sec-max-length",
          N_("duration in seconds to allow read I/O operations max")),
    COUNT("write-iops-sec-max-length",
          N_("duration in seconds to allow write I/O operations max")),
    VSH_AFFECT_OPTIONS,
    { NULL },
};

/* Is the option one of the limits? */
static bool
is_limit(const VshOption *option)
{
    return vsh_option_is_number(option) ||
           strcmp(option->name, "group-name") == 0;
}

/* Appends the limits given; the array grows as libvirt has it. */
static bool
collect_limits(const VshArgs *args, virTypedParameterPtr *params, int *count,
               GError **error)
{
    int capacity = 0;

    for (const VshOption *o = blkdeviotune_options; o->name; o++) {
        g_autofree char *field = g_strdelimit(g_strdup(o->name), "-", '_');
        int result;

        if (!is_limit(o) || !vsh_args_given(args, o->name))
            continue;
        if (o->kind == VSH_OPTION_STRING)
            result = virTypedParamsAddString(params, count, &capacity, field,
                                             vsh_args_string(args, o->name));
        else
            result = virTypedParamsAddULLong(
                params, count, &capacity, field,
                o->kind == VSH_OPTION_SIZE ? vsh_args_size(args, o->name, 0)
                                           : vsh_args_number(args, o->name, 0));
        if (result == 0)
            continue;
        vsh_error_virt(error, _("Unable to change block I/O throttle"));
        return false;
    }
    return true;
}

/* A tuning that is being shown or changed. */
typedef struct VshBlockTune {
    virDomainPtr domain;
    const char *name; /* of the domain */
    const char *device;
    unsigned flags; /* virDomainModificationImpact */
} VshBlockTune;

static bool
report_failure(const VshBlockTune *tune, const char *context, GError **error)
{
    vsh_error_virt(error, "%s", context);
    vsh_device_hint(VSH_DEVICE_DISK, tune->name, error);
    return false;
}

static bool
change_limits(const VshBlockTune *tune, virTypedParameterPtr params, int count,
              GError **error)
{
    if (virDomainSetBlockIoTune(tune->domain, tune->device, params, count,
                                tune->flags) == 0)
        return true;
    return report_failure(tune, _("Unable to change block I/O throttle"),
                          error);
}

static bool
fetch_limits(const VshBlockTune *tune, virTypedParameterPtr *ret_params,
             int *ret_count, GError **error)
{
    int count = 0;

    if (virDomainGetBlockIoTune(tune->domain, NULL, NULL, &count, tune->flags) <
        0)
        return report_failure(
            tune, _("Unable to get number of block I/O throttle parameters"),
            error);
    *ret_params = g_new0(virTypedParameter, (gsize)count);
    if (count > 0 &&
        virDomainGetBlockIoTune(tune->domain, tune->device, *ret_params, &count,
                                tune->flags) < 0)
        return report_failure(
            tune, _("Unable to get block I/O throttle parameters"), error);
    *ret_count = count;
    return true;
}

static bool
show_limits(VshShell *shell, const VshBlockTune *tune, GError **error)
{
    g_autofree virTypedParameterPtr params = NULL;
    g_autoptr(VshRecord) record = vsh_record_new(0);
    int count = 0;

    if (!fetch_limits(tune, &params, &count, error))
        return false;
    vsh_record_add(record, "domain", NULL, tune->name, NULL);
    vsh_record_add(record, "device", NULL, tune->device, NULL);
    vsh_params_add(record, params, count);
    vsh_record_print(record, &shell->out);
    virTypedParamsClear(params, count);
    return true;
}

static bool
run_blkdeviotune(VshShell *shell, const VshArgs *args, GError **error)
{
    VshBlockTune tune = { .device = vsh_args_string(args, "device") };
    g_autoptr(virDomain) domain = NULL;
    virTypedParameterPtr params = NULL;
    int count = 0;
    bool ok;

    if (!vsh_affect_flags(args, &tune.flags, error))
        return false;
    domain = tune.domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    tune.name = virDomainGetName(domain);
    ok = collect_limits(args, &params, &count, error);
    if (ok && count > 0)
        ok = change_limits(&tune, params, count, error);
    else if (ok)
        ok = show_limits(shell, &tune, error);
    virTypedParamsFree(params, count);
    return ok;
}

static const VshCommand command_blkdeviotune = {
    .name = "blkdeviotune",
    .group = "domain",
    .summary = N_("set or query a block device's I/O tuning parameters"),
    .details = N_("Sets the limits named for a disk, those of throughput in "
                  "bytes and those of requests; 0 takes a limit away. Without "
                  "any, shows all of them."),
    .options = blkdeviotune_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_blkdeviotune,
};

const VshCommand *const vsh_commands_blktune[] = { &command_blkdeviotune,
                                                   NULL };
