/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/device.h"
#include "shell/params.h"
#include "util/i18n.h"

/* The width of the labels with --human. */
#define HUMAN_WIDTH 33

/* The counters in the order of printing: the driver's names, the names of
 * commands, and what they mean. */
static const struct {
    const char *field;
    const char *name;
    const char *label;
} counters[] = {
    { VIR_DOMAIN_BLOCK_STATS_READ_REQ, "rd_req",
      N_("number of read operations:") },
    { VIR_DOMAIN_BLOCK_STATS_READ_BYTES, "rd_bytes",
      N_("number of bytes read:") },
    { VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, "wr_req",
      N_("number of write operations:") },
    { VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, "wr_bytes",
      N_("number of bytes written:") },
    { VIR_DOMAIN_BLOCK_STATS_ERRS, "errs", N_("error count:") },
    { VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, "flush_operations",
      N_("number of flush operations:") },
    { VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES, "rd_total_times",
      N_("total duration of reads (ns):") },
    { VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES, "wr_total_times",
      N_("total duration of writes (ns):") },
    { VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES, "flush_total_times",
      N_("total duration of flushes (ns):") },
};

/* What is printed, and how. */
typedef struct VshBlockStats {
    const char *device; /* "": all of them together */
    bool human;
    VshRecord *record;
} VshBlockStats;

static void
add_counter(const VshBlockStats *stats, const char *name, const char *label,
            const char *text, json_t *value)
{
    g_autofree char *line =
        stats->human ? g_strconcat(" ", label ? _(label) : name, NULL)
                     : g_strconcat(stats->device, " ", name, NULL);

    vsh_record_add(stats->record, name, line, text, value);
}

/* The driver's own counters, those that are known first. */
static void
add_params(const VshBlockStats *stats, const virTypedParameter *params,
           int count)
{
    g_autofree bool *done = g_new0(bool, (gsize)count);

    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
        for (int j = 0; j < count; j++) {
            g_autofree char *text = NULL;

            if (strcmp(params[j].field, counters[i].field) != 0)
                continue;
            text = vsh_param_text(&params[j]);
            add_counter(stats, counters[i].name, counters[i].label, text,
                        vsh_param_json(&params[j]));
            done[j] = true;
        }
    }
    for (int j = 0; j < count; j++) {
        g_autofree char *text = vsh_param_text(&params[j]);

        if (!done[j])
            add_counter(stats, params[j].field, NULL, text,
                        vsh_param_json(&params[j]));
    }
}

/* The five counters of a driver that has no more. */
static bool
fetch_simple(const VshBlockStats *stats, virDomainPtr domain)
{
    virDomainBlockStatsStruct simple;
    long long values[5];

    if (virDomainBlockStats(domain, stats->device, &simple, sizeof(simple)) < 0)
        return false;
    values[0] = simple.rd_req;
    values[1] = simple.rd_bytes;
    values[2] = simple.wr_req;
    values[3] = simple.wr_bytes;
    values[4] = simple.errs;
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *text = g_strdup_printf("%lld", values[i]);

        if (values[i] >= 0)
            add_counter(stats, counters[i].name, counters[i].label, text,
                        json_integer(values[i]));
    }
    return true;
}

static bool
fetch_params(const VshBlockStats *stats, virDomainPtr domain)
{
    g_autofree virTypedParameter *params = NULL;
    int count = 0;

    if (virDomainBlockStatsFlags(domain, stats->device, NULL, &count, 0) < 0)
        return virGetLastErrorCode() == VIR_ERR_NO_SUPPORT &&
               fetch_simple(stats, domain);
    params = g_new0(virTypedParameter, (gsize)count);
    if (virDomainBlockStatsFlags(domain, stats->device, params, &count, 0) < 0)
        return false;
    add_params(stats, params, count);
    virTypedParamsClear(params, count);
    return true;
}

static bool
run_domblkstat(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *device = vsh_args_string(args, "device");
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    const char *name = domain ? virDomainGetName(domain) : NULL;
    bool human = vsh_args_given(args, "human");
    g_autoptr(VshRecord) record = vsh_record_new(human ? HUMAN_WIDTH : 1);
    VshBlockStats stats = { device ? device : "", human, record };
    g_autofree char *title = g_strdup_printf(_("Device: %s"), stats.device);

    if (!domain)
        return false;
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, "device", human ? "" : NULL, title,
                   json_string(stats.device));
    if (!fetch_params(&stats, domain)) {
        vsh_error_virt(error, _("Failed to get block stats %s %s"), name,
                       stats.device);
        vsh_device_hint(VSH_DEVICE_DISK, name, error);
        return false;
    }
    vsh_record_print(record, &shell->out);
    return true;
}

static const VshOption domblkstat_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ACTIVE),
    { .name = "device",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_EMPTY,
      .help = N_("block device"),
      .complete = vsh_complete_disk },
    VSH_FLAG("human", N_("print a more human readable output")),
    { NULL },
};

static const VshCommand command_domblkstat = {
    .name = "domblkstat",
    .group = "monitor",
    .summary = N_("get device block stats for a domain"),
    .details = N_("Shows how much a disk of a running domain was used; "
                  "without a disk, all of them together. --human explains the "
                  "counters."),
    .options = domblkstat_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domblkstat,
};

const VshCommand *const vsh_commands_blkstat[] = { &command_domblkstat, NULL };
