/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/affect.h"
#include "shell/completer.h"
#include "util/i18n.h"

/* Sets the memory to the option "size"; @plain: the flags where no option says
 * what is meant, @more: those of virDomainMemoryModFlags. */
static bool
set_memory(VshShell *shell, const VshArgs *args, unsigned plain, unsigned more,
           GError **error)
{
    /* libvirt counts whole kibibytes: a part of one is no less */
    uint64_t kib = vsh_args_size(args, "size", 0) / 1024 +
                   (vsh_args_size(args, "size", 0) % 1024 > 0);
    g_autoptr(virDomain) domain = NULL;
    unsigned flags;

    if (!vsh_affect_flags(args, &flags, error))
        return false;
    domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    if (!vsh_affect_given(args))
        flags = plain;
    if (virDomainSetMemoryFlags(domain, kib, flags | more) == 0)
        return true;
    vsh_error_virt(error, "%s",
                   more ? _("Unable to change MaxMemorySize")
                        : _("Unable to change the memory"));
    if (!vsh_affect_given(args) && vsh_error_exit(*error) == VSH_EXIT_STATE)
        vsh_error_hint(error, _("--config changes it for the next start"));
    return false;
}

static bool
run_setmem(VshShell *shell, const VshArgs *args, GError **error)
{
    return set_memory(shell, args, VIR_DOMAIN_AFFECT_LIVE, 0, error);
}

#define SIZE_OPTION(text)                                                      \
    {                                                                          \
        .name = "size", .kind = VSH_OPTION_SIZE, .flags = VSH_OPTION_REQUIRED, \
        .help = text, .unit = 1024                                             \
    }

static const VshOption setmem_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    SIZE_OPTION(N_("new memory size, as scaled integer (default KiB)")),
    VSH_AFFECT_OPTIONS,
    { NULL },
};

static const VshCommand command_setmem = {
    .name = "setmem",
    .group = "domain",
    .summary = N_("change memory allocation"),
    .details = N_("Asks a running guest to use so much of its memory: the "
                  "balloon takes the rest, as far as the guest gives it. "
                  "'dommemstat' shows how far that is."),
    .options = setmem_options,
    .run = run_setmem,
};

static bool
run_setmaxmem(VshShell *shell, const VshArgs *args, GError **error)
{
    return set_memory(shell, args, VIR_DOMAIN_AFFECT_CURRENT,
                      VIR_DOMAIN_MEM_MAXIMUM, error);
}

static const VshOption setmaxmem_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    SIZE_OPTION(N_("new maximum memory size, as scaled integer (default KiB)")),
    VSH_AFFECT_OPTIONS,
    { NULL },
};

static const VshCommand command_setmaxmem = {
    .name = "setmaxmem",
    .group = "domain",
    .summary = N_("change maximum memory limit"),
    .details = N_("Changes the memory that a domain is given when it starts."),
    .options = setmaxmem_options,
    .run = run_setmaxmem,
};

static const char *const stat_names[] = {
    [VIR_DOMAIN_MEMORY_STAT_SWAP_IN] = "swap_in",
    [VIR_DOMAIN_MEMORY_STAT_SWAP_OUT] = "swap_out",
    [VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT] = "major_fault",
    [VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT] = "minor_fault",
    [VIR_DOMAIN_MEMORY_STAT_UNUSED] = "unused",
    [VIR_DOMAIN_MEMORY_STAT_AVAILABLE] = "available",
    [VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON] = "actual",
    [VIR_DOMAIN_MEMORY_STAT_RSS] = "rss",
    [VIR_DOMAIN_MEMORY_STAT_USABLE] = "usable",
    [VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE] = "last_update",
    [VIR_DOMAIN_MEMORY_STAT_DISK_CACHES] = "disk_caches",
    [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC] = "hugetlb_pgalloc",
    [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL] = "hugetlb_pgfail",
};

static bool
query_stats(VshShell *shell, const VshArgs *args, virDomainPtr domain,
            VshRecord *record, GError **error)
{
    const char *name = virDomainGetName(domain);
    virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
    int count =
        virDomainMemoryStats(domain, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0);

    if (count < 0) {
        vsh_error_virt(
            error, _("Failed to get memory statistics for domain %s"), name);
        return false;
    }
    vsh_record_add(record, "domain",
                   vsh_domain_several(args) ? _("Domain:") : NULL, name, NULL);
    for (int i = 0; i < count; i++) {
        int tag = stats[i].tag;
        g_autofree char *text = g_strdup_printf("%llu", stats[i].val);

        /* those of a newer library have no name yet */
        if (tag >= 0 && (size_t)tag < G_N_ELEMENTS(stat_names))
            vsh_record_add(record, stat_names[tag], stat_names[tag], text,
                           json_integer((json_int_t)stats[i].val));
    }
    return true;
}

/* Without a flag the period of a running domain is that of now. */
static bool
set_period(VshShell *shell, const VshArgs *args, virDomainPtr domain,
           void *data, GError **error)
{
    const unsigned *flags = data;
    const char *name = virDomainGetName(domain);
    unsigned period_s = vsh_args_number(args, "period", 0);

    if (virDomainSetMemoryStatsPeriod(domain, (int)period_s, *flags) == 0)
        return true;
    vsh_error_virt(
        error, _("Failed to set the collection period of domain '%s'"), name);
    return false;
}

static bool
run_dommemstat(VshShell *shell, const VshArgs *args, GError **error)
{
    unsigned flags;

    if (!vsh_affect_flags(args, &flags, error))
        return false;
    if (vsh_args_given(args, "period"))
        return vsh_domain_each(shell, args, set_period, &flags, error);
    return vsh_domain_report(shell, args, 1, query_stats, error);
}

static const VshOption dommemstat_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    { .name = "period",
      .kind = VSH_OPTION_NUMBER,
      .flags = VSH_OPTION_NAMED,
      .help = N_("period in seconds to set collection") },
    VSH_AFFECT_OPTIONS,
    { NULL },
};

static const VshCommand command_dommemstat = {
    .name = "dommemstat",
    .group = "monitor",
    .summary = N_("get memory statistics for a domain"),
    .details = N_("Shows what is known of the memory of running domains, in "
                  "KiB where it is an amount. The guest tells most of it "
                  "every --period seconds; 0 lets it stop."),
    .options = dommemstat_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_dommemstat,
};

const VshCommand *const vsh_commands_memory[] = {
    &command_dommemstat,
    &command_setmaxmem,
    &command_setmem,
    NULL,
};
