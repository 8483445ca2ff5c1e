/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/params.h"
#include "util/i18n.h"

static const VshFlagBits stats_bits[] = {
    { "state", VIR_DOMAIN_STATS_STATE },
    { "cpu-total", VIR_DOMAIN_STATS_CPU_TOTAL },
    { "balloon", VIR_DOMAIN_STATS_BALLOON },
    { "vcpu", VIR_DOMAIN_STATS_VCPU },
    { "interface", VIR_DOMAIN_STATS_INTERFACE },
    { "block", VIR_DOMAIN_STATS_BLOCK },
    { "perf", VIR_DOMAIN_STATS_PERF },
    { "iothread", VIR_DOMAIN_STATS_IOTHREAD },
    { "memory", VIR_DOMAIN_STATS_MEMORY },
    { "dirtyrate", VIR_DOMAIN_STATS_DIRTYRATE },
    { "vm", VIR_DOMAIN_STATS_VM },
    { NULL },
};

static const VshFlagBits list_bits[] = {
    { "list-active", VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE },
    { "list-inactive", VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE },
    { "list-persistent", VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT },
    { "list-transient", VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT },
    { "list-running", VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING },
    { "list-paused", VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED },
    { "list-shutoff", VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF },
    { "list-other", VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER },
    { NULL },
};

static const VshFlagBits mode_bits[] = {
    { "enforce", VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS },
    { "backing", VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING },
    { "nowait", VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT },
    { NULL },
};

static bool
collect_domain(VshShell *shell, const VshArgs *args, virDomainPtr domain,
               void *data, GError **error)
{
    virDomainRef(domain);
    g_ptr_array_add(data, domain);
    return true;
}

static void
domain_free(void *data)
{
    virDomainFree(data);
}

/* The records of the domains named; -1 with @error. */
static int
fetch_named(VshShell *shell, const VshArgs *args,
            virDomainStatsRecordPtr **ret_records, GError **error)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(domain_free);
    g_autofree virDomainPtr *array = NULL;
    int count;

    if (vsh_args_bits(args, list_bits)) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("the options --list-* and names of domains are "
                        "mutually exclusive"));
        return -1;
    }
    if (!vsh_domain_each(shell, args, collect_domain, domains, error))
        return -1;
    array = g_new0(virDomainPtr, domains->len + 1);
    memcpy(array, domains->pdata, domains->len * sizeof(*array));
    count = virDomainListGetStats(array, vsh_args_bits(args, stats_bits),
                                  ret_records, vsh_args_bits(args, mode_bits));
    if (count < 0)
        vsh_error_virt(error, _("Failed to get the statistics of domains"));
    return count;
}

static int
fetch_all(VshShell *shell, const VshArgs *args,
          virDomainStatsRecordPtr **ret_records, GError **error)
{
    int count = virConnectGetAllDomainStats(
        shell->connection.conn, vsh_args_bits(args, stats_bits), ret_records,
        vsh_args_bits(args, list_bits) | vsh_args_bits(args, mode_bits));

    if (count < 0)
        vsh_error_virt(error, _("Failed to get the statistics of domains"));
    return count;
}

static void
print_record(VshOutput *out, const virDomainStatsRecord *record)
{
    vsh_print(out, "Domain: '%s'\n", virDomainGetName(record->dom));
    for (int i = 0; i < record->nparams; i++) {
        g_autofree char *text = vsh_param_text(&record->params[i]);

        vsh_print(out, "  %s=%s\n", record->params[i].field, text);
    }
}

static void
print_records(VshOutput *out, virDomainStatsRecordPtr *records, int count)
{
    json_t *all;

    for (int i = 0; i < count && out->format == VSH_FORMAT_TABLE; i++) {
        print_record(out, records[i]);
        if (i + 1 < count)
            vsh_print(out, "\n");
    }
    if (out->format == VSH_FORMAT_TABLE)
        return;
    all = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(
            all, json_pack(
                     "{s:s, s:o}", "domain", virDomainGetName(records[i]->dom),
                     "stats",
                     vsh_params_json(records[i]->params, records[i]->nparams)));
    vsh_print_json(out, all);
}

static bool
run_domstats(VshShell *shell, const VshArgs *args, GError **error)
{
    virDomainStatsRecordPtr *records = NULL;
    int count = vsh_args_given(args, "domain")
                    ? fetch_named(shell, args, &records, error)
                    : fetch_all(shell, args, &records, error);

    if (count < 0)
        return false;
    print_records(&shell->out, records, count);
    virDomainStatsRecordListFree(records);
    return true;
}

static const VshOption domstats_options[] = {
    VSH_FLAG("state", N_("report domain state")),
    VSH_FLAG("cpu-total", N_("report domain physical cpu usage")),
    VSH_FLAG("balloon", N_("report domain balloon statistics")),
    VSH_FLAG("vcpu", N_("report domain virtual cpu information")),
    VSH_FLAG("interface", N_("report domain network interface information")),
    VSH_FLAG("block", N_("report domain block device statistics")),
    VSH_FLAG("perf", N_("report domain perf event statistics")),
    VSH_FLAG("iothread", N_("report domain IOThread information")),
    VSH_FLAG("memory", N_("report domain memory usage")),
    VSH_FLAG("dirtyrate", N_("report domain dirty rate information")),
    VSH_FLAG("vm", N_("report hypervisor-specific statistics")),
    VSH_FLAG("list-active", N_("list only active domains")),
    VSH_FLAG("list-inactive", N_("list only inactive domains")),
    VSH_FLAG("list-persistent", N_("list only persistent domains")),
    VSH_FLAG("list-transient", N_("list only transient domains")),
    VSH_FLAG("list-running", N_("list only running domains")),
    VSH_FLAG("list-paused", N_("list only paused domains")),
    VSH_FLAG("list-shutoff", N_("list only shutoff domains")),
    VSH_FLAG("list-other", N_("list only domains in other states")),
    VSH_FLAG("raw", N_("do not pretty-print the fields")),
    VSH_FLAG("enforce", N_("enforce requested stats parameters")),
    VSH_FLAG("backing", N_("add backing chain information to block stats")),
    VSH_FLAG("nowait", N_("report only stats that are accessible instantly")),
    { .name = "domain",
      .kind = VSH_OPTION_MANY,
      .help = N_("list of domains to get stats for"),
      .complete = vsh_complete_domain },
    { NULL },
};

static const VshCommand command_domstats = {
    .name = "domstats",
    .group = "monitor",
    .summary = N_("get statistics about one or multiple domains"),
    .details = N_("Gets statistics about the domains named, or about all."),
    .options = domstats_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domstats,
};

const VshCommand *const vsh_commands_stats[] = { &command_domstats, NULL };
