/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/hostcheck.h"
#include "shell/shell.h"
#include "shell/table.h"
#include "util/i18n.h"

static const struct {
    const char *word;
    VshColor color;
} verdicts[] = {
    [VSH_VERDICT_PASS] = { "PASS", VSH_COLOR_GOOD },
    [VSH_VERDICT_WARN] = { "WARN", VSH_COLOR_WARNING },
    [VSH_VERDICT_FAIL] = { "FAIL", VSH_COLOR_BAD },
};

static VshVerdict
add_check(VshTable *table, const VshCheck *check)
{
    g_autofree char *note = NULL;
    VshVerdict verdict = check->run(&note);

    vsh_table_add(table, check->key, NULL);
    vsh_table_add(table, _(check->what), NULL);
    vsh_table_add_colored(table, verdicts[verdict].word,
                          verdicts[verdict].color);
    vsh_table_add(table, note ? note : "", NULL);
    return verdict;
}

static bool
run_validate_host(VshShell *shell, const VshArgs *args, GError **error)
{
    const VshColumn columns[] = {
        { "key", NULL },
        { "check", _("Check") },
        { "result", _("Result") },
        { "note", _("Note") },
    };
    g_autoptr(VshTable) table = vsh_table_new(columns, G_N_ELEMENTS(columns));
    unsigned failed = 0;

    for (const VshCheck *check = vsh_checks; check->key; check++)
        if (add_check(table, check) == VSH_VERDICT_FAIL)
            failed++;
    vsh_table_print(table, &shell->out);
    if (failed == 0)
        return true;
    vsh_error_set(error, VSH_EXIT_FAILED,
                  ngettext("%u check failed: domains cannot run on this host",
                           "%u checks failed: domains cannot run on this host",
                           failed),
                  failed);
    return false;
}

static const VshCommand command_validate_host = {
    .name = "validate-host",
    .group = "host",
    .summary = N_("check whether this host can run domains"),
    .details = N_("Looks at this machine, not at the one of the connection: "
                  "KVM and its capabilities, memory, cgroups, and what else "
                  "domains need. It fails if a check fails; a warning means "
                  "that something is slower or missing."),
    .flags = VSH_COMMAND_OFFLINE | VSH_COMMAND_QUERY,
    .run = run_validate_host,
};

const VshCommand *const vsh_commands_validate[] = {
    &command_validate_host,
    NULL,
};
