/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/cpumap.h"
#include "shell/domain.h"
#include "util/i18n.h"

/* The four numbers that a domain has, in the order of printing. */
static const struct {
    const char *what;
    const char *where;
    unsigned flags;
} counts[] = {
    { "maximum", "config", VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_AFFECT_CONFIG },
    { "maximum", "live", VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_AFFECT_LIVE },
    { "current", "config", VIR_DOMAIN_AFFECT_CONFIG },
    { "current", "live", VIR_DOMAIN_AFFECT_LIVE },
};

static bool
query_all_counts(virDomainPtr domain, VshRecord *record, GError **error)
{
    const char *name = virDomainGetName(domain);
    unsigned found = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        int count = virDomainGetVcpusFlags(domain, counts[i].flags);
        g_autofree char *key =
            g_strdup_printf("%s_%s", counts[i].what, counts[i].where);
        g_autofree char *text = NULL;

        /* an inactive domain has no live numbers, a transient no others */
        if (count < 0)
            continue;
        text = g_strdup_printf("%-12s %-12s %3d", counts[i].what,
                               counts[i].where, count);
        vsh_record_add(record, key, "", text, json_integer(count));
        found++;
    }
    if (found > 0)
        return true;
    vsh_error_virt(error, _("Failed to get vCPU counts of domain '%s'"), name);
    return false;
}

static bool
query_one_count(virDomainPtr domain, unsigned flags, VshRecord *record,
                GError **error)
{
    const char *name = virDomainGetName(domain);
    int count = virDomainGetVcpusFlags(domain, flags);
    g_autofree char *text = g_strdup_printf("%d", count);

    if (count < 0) {
        vsh_error_virt(error, _("Failed to get vCPU counts of domain '%s'"),
                       name);
        return false;
    }
    vsh_record_add(record, "count", "", text, json_integer(count));
    return true;
}

static bool
check_count_options(const VshArgs *args, GError **error)
{
    static const char *const pairs[][3] = {
        { "live", "config", NULL },
        { "active", "maximum", NULL },
        { "guest", "config", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (!vsh_args_exclusive(args, pairs[i], error))
            return false;
    return true;
}

static bool
run_vcpucount(VshShell *shell, const VshArgs *args, GError **error)
{
    static const VshFlagBits bits[] = {
        { "maximum", VIR_DOMAIN_VCPU_MAXIMUM },
        { "live", VIR_DOMAIN_AFFECT_LIVE },
        { "config", VIR_DOMAIN_AFFECT_CONFIG },
        { "guest", VIR_DOMAIN_VCPU_GUEST },
        { NULL },
    };
    unsigned flags = vsh_args_bits(args, bits);
    bool one = flags || vsh_args_given(args, "active") ||
               vsh_args_given(args, "current");
    g_autoptr(VshRecord) record = vsh_record_new(0);
    g_autoptr(virDomain) domain = NULL;

    if (!check_count_options(args, error))
        return false;
    domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    vsh_record_add(record, "domain", NULL, virDomainGetName(domain), NULL);
    if (!(one ? query_one_count(domain, flags, record, error)
              : query_all_counts(domain, record, error)))
        return false;
    vsh_record_print(record, &shell->out);
    return true;
}

static const VshOption vcpucount_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    VSH_FLAG("maximum", N_("get maximum count of vcpus")),
    VSH_FLAG("active", N_("get number of currently active vcpus")),
    VSH_FLAG("live", N_("get value from running domain")),
    VSH_FLAG("config", N_("get value to be used on next boot")),
    VSH_FLAG("current", N_("get value according to current domain state")),
    VSH_FLAG("guest", N_("retrieve vcpu count from the guest instead of the "
                         "hypervisor")),
    { NULL },
};

static const VshCommand command_vcpucount = {
    .name = "vcpucount",
    .group = "domain",
    .summary = N_("domain vcpu counts"),
    .details = N_("Prints the numbers of virtual CPUs of a domain: without "
                  "options all of them."),
    .options = vcpucount_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_vcpucount,
};

/* What is known of all vCPUs of a domain. */
typedef struct VshVcpus {
    bool live; /* else only the affinity is known */
    int count;
    int host_cpus;
    int map_length;         /* bytes of one map */
    virVcpuInfoPtr info;    /* of each, if live */
    unsigned char *cpumaps; /* of each */
} VshVcpus;

static void
vcpus_clear(VshVcpus *vcpus)
{
    g_free(vcpus->info);
    g_free(vcpus->cpumaps);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VshVcpus, vcpus_clear)

static int
count_host_cpus(VshShell *shell)
{
    virConnectPtr conn = shell->connection.conn;
    virNodeInfo info;
    int count = virNodeGetCPUMap(conn, NULL, NULL, 0);

    if (count > 0)
        return count;
    return virNodeGetInfo(conn, &info) == 0 ? (int)VIR_NODEINFO_MAXCPUS(info)
                                            : -1;
}

static bool
fetch_vcpus(VshShell *shell, virDomainPtr domain, VshVcpus *vcpus)
{
    bool active = virDomainIsActive(domain) != 0;
    virDomainInfo info;
    int count;

    vcpus->host_cpus = count_host_cpus(shell);
    if (vcpus->host_cpus < 0 || virDomainGetInfo(domain, &info) < 0)
        return false;
    vcpus->map_length = VIR_CPU_MAPLEN(vcpus->host_cpus);
    vcpus->info = g_new0(virVcpuInfo, info.nrVirtCpu);
    vcpus->cpumaps =
        g_malloc0((size_t)info.nrVirtCpu * (size_t)vcpus->map_length);
    count = virDomainGetVcpus(domain, vcpus->info, info.nrVirtCpu,
                              vcpus->cpumaps, vcpus->map_length);
    vcpus->live = count >= 0;
    if (count < 0 && !active)
        count = virDomainGetVcpuPinInfo(domain, info.nrVirtCpu, vcpus->cpumaps,
                                        vcpus->map_length,
                                        VIR_DOMAIN_AFFECT_CONFIG);
    vcpus->count = count;
    return count >= 0;
}

static bool
usable(const VshVcpus *vcpus, int vcpu, int cpu)
{
    return VIR_CPU_USABLE(vcpus->cpumaps, vcpus->map_length, vcpu, cpu);
}

/* "yyy-": one letter for each CPU of the host */
static char *
affinity_letters(const VshVcpus *vcpus, int vcpu)
{
    GString *text = g_string_new(NULL);

    for (int cpu = 0; cpu < vcpus->host_cpus; cpu++)
        g_string_append_c(text, usable(vcpus, vcpu, cpu) ? 'y' : '-');
    return g_string_free(text, FALSE);
}

static void
add_number(VshRecord *record, const char *key, const char *label, int number)
{
    g_autofree char *text = g_strdup_printf("%d", number);

    vsh_record_add(record, key, label, text, json_integer(number));
}

static void
add_run_state(VshRecord *record, const VshVcpus *vcpus, int vcpu)
{
    static const char *const states[] = { N_("offline"), N_("running"),
                                          N_("blocked") };
    const virVcpuInfo *info = &vcpus->info[vcpu];
    bool known = info->state >= 0 && info->state < VIR_VCPU_LAST;
    g_autofree char *time =
        g_strdup_printf("%.1lfs", (double)info->cpuTime / 1e9);

    if (!vcpus->live) {
        vsh_record_add(record, "cpu", _("CPU:"), _("N/A"), json_null());
        vsh_record_add(record, "state", _("State:"), _("N/A"), json_null());
        vsh_record_add(record, "cpu_time_ns", _("CPU time"), _("N/A"),
                       json_null());
        return;
    }
    add_number(record, "cpu", _("CPU:"), info->cpu);
    vsh_record_add(record, "state", _("State:"),
                   known ? _(states[info->state]) : _("no state"), NULL);
    if (info->cpuTime > 0)
        vsh_record_add(record, "cpu_time_ns", _("CPU time:"), time,
                       json_integer((json_int_t)info->cpuTime));
}

#define LABEL_WIDTH 16

static VshRecord *
vcpu_record(const VshVcpus *vcpus, int vcpu, bool pretty)
{
    VshRecord *record = vsh_record_new(LABEL_WIDTH);
    g_autofree char *ranges = vsh_cpumap_ranges(
        VIR_GET_CPUMAP(vcpus->cpumaps, vcpus->map_length, vcpu),
        vcpus->host_cpus);
    g_autofree char *text =
        pretty ? g_strdup_printf(_("%s (out of %d)"), ranges, vcpus->host_cpus)
               : affinity_letters(vcpus, vcpu);

    add_number(record, "vcpu", _("VCPU:"), vcpu);
    add_run_state(record, vcpus, vcpu);
    vsh_record_add(record, "affinity", _("CPU Affinity:"), text,
                   json_string(ranges));
    return record;
}

static void
print_vcpus(VshShell *shell, const VshVcpus *vcpus, bool pretty)
{
    bool json = shell->out.format == VSH_FORMAT_JSON;
    json_t *all = json_array();

    for (int i = 0; i < vcpus->count; i++) {
        g_autoptr(VshRecord) record = vcpu_record(vcpus, i, pretty);

        if (json)
            json_array_append_new(all, vsh_record_json(record));
        else
            vsh_record_print(record, &shell->out);
        if (!json && i + 1 < vcpus->count)
            vsh_print(&shell->out, "\n");
    }
    if (json)
        vsh_print_json(&shell->out, all);
    else
        json_decref(all);
}

static bool
run_vcpuinfo(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    const char *name = domain ? virDomainGetName(domain) : NULL;
    g_auto(VshVcpus) vcpus = { 0 };

    if (!domain)
        return false;
    if (!fetch_vcpus(shell, domain, &vcpus)) {
        vsh_error_virt(error, _("Failed to get the vCPUs of domain '%s'"),
                       name);
        return false;
    }
    print_vcpus(shell, &vcpus, vsh_args_given(args, "pretty"));
    return true;
}

static const VshOption vcpuinfo_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    VSH_FLAG("pretty", N_("return human readable output")),
    { NULL },
};

static const VshCommand command_vcpuinfo = {
    .name = "vcpuinfo",
    .group = "domain",
    .summary = N_("detailed domain vcpu information"),
    .details = N_("Shows the state, the time used, and the host CPUs allowed "
                  "of each virtual CPU of a domain."),
    .options = vcpuinfo_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_vcpuinfo,
};

const VshCommand *const vsh_commands_vcpu[] = {
    &command_vcpucount,
    &command_vcpuinfo,
    NULL,
};
