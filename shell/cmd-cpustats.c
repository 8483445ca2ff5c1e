/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/params.h"
#include "util/i18n.h"

/* CPUs asked for at a time: libvirt's limit of one call. */
#define CPUS_PER_CALL 128

#define NS_PER_S 1000000000ULL

/* The range of host CPUs that is wanted. */
typedef struct VshCpuRange {
    unsigned start;
    unsigned count;
} VshCpuRange;

/* What is being collected of one domain. */
typedef struct VshCpuStats {
    virDomainPtr domain;
    VshRecord *record;
    int params; /* of each CPU, at most */
} VshCpuStats;

/* "Total:" or "CPU0:", then the times below it; as data an object. */
static json_t *
add_times(const VshCpuStats *stats, const char *title,
          const virTypedParameter *params, int count)
{
    json_t *object = json_object();

    vsh_record_add(stats->record, NULL, "", title, NULL);
    for (int i = 0; i < count; i++) {
        unsigned long long time = params[i].value.ul;
        g_autofree char *key = g_strconcat(params[i].field, "_ns", NULL);
        g_autofree char *line = NULL;

        if (params[i].type != VIR_TYPED_PARAM_ULLONG)
            continue;
        line =
            g_strdup_printf(_("\t%-12s %9llu.%09llu seconds"), params[i].field,
                            time / NS_PER_S, time % NS_PER_S);
        vsh_record_add(stats->record, NULL, "", line, NULL);
        json_object_set_new(object, key, json_integer((json_int_t)time));
    }
    return object;
}

/* The CPUs from @first on that one call gives; a CPU that is offline has no
 * parameters. */
static bool
add_cpus(const VshCpuStats *stats, unsigned first, unsigned count, json_t *list)
{
    int capacity = stats->params * (int)count;
    g_autofree virTypedParameter *params =
        g_new0(virTypedParameter, (gsize)capacity);
    int found = virDomainGetCPUStats(
        stats->domain, params, (unsigned)stats->params, (int)first, count, 0);

    for (unsigned i = 0; found >= 0 && i < count; i++) {
        const virTypedParameter *cpu =
            params + (size_t)i * (size_t)stats->params;
        g_autofree char *title = g_strdup_printf("CPU%u:", first + i);
        json_t *object;

        if (cpu[0].type == 0)
            continue;
        object = add_times(stats, title, cpu, found);
        json_object_set_new(object, "cpu", json_integer(first + i));
        json_array_append_new(list, object);
    }
    virTypedParamsClear(params, capacity);
    return found >= 0;
}

static bool
add_total(const VshCpuStats *stats)
{
    g_autofree virTypedParameter *params = NULL;
    int count = virDomainGetCPUStats(stats->domain, NULL, 0, -1, 1, 0);

    if (count < 0)
        return false;
    params = g_new0(virTypedParameter, (gsize)count);
    count =
        virDomainGetCPUStats(stats->domain, params, (unsigned)count, -1, 1, 0);
    if (count < 0)
        return false;
    vsh_record_add(stats->record, "total", NULL, NULL,
                   add_times(stats, _("Total:"), params, count));
    virTypedParamsClear(params, count);
    return true;
}

/* Bounds @range by the CPUs that there are. */
static bool
check_range(unsigned cpus, VshCpuRange *range, GError **error)
{
    if (range->start >= cpus) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("Start CPU %u is out of range (min: 0, max: %u)"),
                      range->start, cpus - 1);
        return false;
    }
    range->count = MIN(range->count, cpus - range->start);
    return true;
}

static bool
add_range(VshCpuStats *stats, const VshCpuRange *range)
{
    json_t *list = json_array();
    bool ok = true;

    stats->params = virDomainGetCPUStats(stats->domain, NULL, 0, 0, 1, 0);
    for (unsigned i = 0; stats->params > 0 && ok && i < range->count;
         i += CPUS_PER_CALL)
        ok = add_cpus(stats, range->start + i,
                      MIN(range->count - i, CPUS_PER_CALL), list);
    vsh_record_add(stats->record, "cpus", NULL, NULL, list);
    return ok && stats->params >= 0;
}

static bool
fetch_range(VshCpuStats *stats, VshCpuRange *range, GError **error)
{
    const char *name = virDomainGetName(stats->domain);
    int cpus = virDomainGetCPUStats(stats->domain, NULL, 0, 0, 0, 0);

    if (cpus > 0 && !check_range((unsigned)cpus, range, error))
        return false;
    if (cpus >= 0 && add_range(stats, range))
        return true;
    vsh_error_virt(
        error, _("Failed to retrieve CPU statistics for domain '%s'"), name);
    return false;
}

static bool
fetch_total(const VshCpuStats *stats, GError **error)
{
    const char *name = virDomainGetName(stats->domain);

    if (add_total(stats))
        return true;
    vsh_error_virt(
        error, _("Failed to retrieve CPU statistics for domain '%s'"), name);
    return false;
}

/* All CPUs were asked for by nobody by name: the total is enough where no more
 * is known. */
static bool
fetch_both(VshCpuStats *stats, VshCpuRange *range, GError **error)
{
    GError *failure = NULL;

    if (!fetch_range(stats, range, &failure)) {
        if (vsh_error_exit(failure) != VSH_EXIT_UNSUPPORTED) {
            g_propagate_error(error, failure);
            return false;
        }
        g_error_free(failure);
    }
    return fetch_total(stats, error);
}

static bool
query_cpus(VshShell *shell, const VshArgs *args, virDomainPtr domain,
           VshRecord *record, GError **error)
{
    bool ranged =
        vsh_args_given(args, "start") || vsh_args_given(args, "count");
    bool total = vsh_args_given(args, "total");
    VshCpuStats stats = { .domain = domain, .record = record };
    VshCpuRange range = {
        .start = vsh_args_number(args, "start", 0),
        .count = vsh_args_number(args, "count", G_MAXINT),
    };

    vsh_record_add(record, "domain",
                   vsh_domain_several(args) ? _("Domain:") : NULL,
                   virDomainGetName(domain), NULL);
    if (!ranged && !total)
        return fetch_both(&stats, &range, error);
    return (!ranged || fetch_range(&stats, &range, error)) &&
           (!total || fetch_total(&stats, error));
}

static bool
run_cpu_stats(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_report(shell, args, 1, query_cpus, error);
}

static const VshOption cpu_stats_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    VSH_FLAG("total", N_("Show total statistics only")),
    { .name = "start",
      .kind = VSH_OPTION_NUMBER,
      .flags = VSH_OPTION_NAMED,
      .help = N_("Show statistics from this CPU") },
    { .name = "count",
      .kind = VSH_OPTION_NUMBER,
      .flags = VSH_OPTION_NAMED,
      .help = N_("Number of shown CPUs at most") },
    { NULL },
};

static const VshCommand command_cpu_stats = {
    .name = "cpu-stats",
    .group = "domain",
    .summary = N_("show domain cpu statistics"),
    .details = N_("Shows the time that running domains have spent on each CPU "
                  "of the host and in all. --start and --count choose CPUs; "
                  "with --total the sum is shown as well."),
    .options = cpu_stats_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_cpu_stats,
};

const VshCommand *const vsh_commands_cpustats[] = { &command_cpu_stats, NULL };
