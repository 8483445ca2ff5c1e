/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>

#include "shell/affect.h"
#include "shell/completer.h"
#include "shell/cpumap.h"
#include "util/i18n.h"

static bool
list_iothreads(VshShell *shell, const VshArgs *args, virDomainPtr domain,
               VshTable *table, GError **error)
{
    const char *name = virDomainGetName(domain);
    virDomainIOThreadInfoPtr *threads = NULL;
    unsigned flags = 0;
    int count;

    if (!vsh_affect_flags(args, &flags, error))
        return false;
    count = virDomainGetIOThreadInfo(domain, &threads, flags);
    if (count < 0) {
        vsh_error_virt(error, _("Unable to get domain IOThreads information"));
        return false;
    }
    for (int i = 0; i < count; i++) {
        g_autofree char *id = g_strdup_printf("%u", threads[i]->iothread_id);
        g_autofree char *cpus =
            vsh_cpumap_ranges(threads[i]->cpumap, threads[i]->cpumaplen * 8);

        vsh_table_add(table, name, NULL);
        vsh_table_add(table, id, json_integer(threads[i]->iothread_id));
        vsh_table_add(table, cpus, NULL);
        virDomainIOThreadInfoFree(threads[i]);
    }
    free(threads);
    return true;
}

static bool
run_iothreadinfo(VshShell *shell, const VshArgs *args, GError **error)
{
    VshColumn columns[] = {
        { .key = "domain" },
        { .key = "iothread", .header = _("IOThread ID") },
        { .key = "affinity", .header = _("CPU Affinity") },
    };
    const VshDomainTable what = { columns, G_N_ELEMENTS(columns),
                                  list_iothreads,
                                  _("No IOThreads found for the domain") };

    return vsh_domain_table(shell, args, &what, error);
}

static const VshOption iothreadinfo_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ALL),
    VSH_AFFECT_OPTIONS,
    { NULL },
};

static const VshCommand command_iothreadinfo = {
    .name = "iothreadinfo",
    .group = "domain",
    .summary = N_("view domain IOThreads"),
    .details = N_("Lists the threads that serve the disks of domains, and the "
                  "CPUs of the host that each may use."),
    .options = iothreadinfo_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_iothreadinfo,
};

const VshCommand *const vsh_commands_iothread[] = { &command_iothreadinfo,
                                                    NULL };
