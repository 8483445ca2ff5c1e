/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/status-names.h"
#include "util/file.h"
#include "util/log.h"

static char *
status_path(const CoreDomain *domain)
{
    return g_strdup_printf("%s/%s.xml", domain->state->run_dir, domain->name);
}

static void
add_engine(GString *text, const CoreRun *run)
{
    CoreEngineRecord record = { 0 };

    if (!run->engine)
        return;
    run->engine->ops->record(run->engine, &record);
    g_string_append_printf(text, "  <engine pid='%d' start='%" PRIu64 "'>\n",
                           (int)record.pid, record.start_time);
    for (guint i = 0; record.vcpu_threads && i < record.vcpu_threads->len; i++)
        g_string_append_printf(
            text, "    <vcpu thread='%d'/>\n",
            (int)g_array_index(record.vcpu_threads, pid_t, i));
    g_string_append(text, "  </engine>\n");
    g_clear_pointer(&record.vcpu_threads, g_array_unref);
}

static void
add_run(GString *text, const CoreRun *run)
{
    g_string_append_printf(text,
                           "  <run starting='%d' destroying='%d' "
                           "shutdown-seen='%d' autodestroy='%d' "
                           "balloon='%" PRIu64 "'/>\n",
                           run->starting, run->destroying, run->shutdown_seen,
                           run->autodestroy != CORE_NO_CLIENT,
                           run->balloon_kib);
    add_engine(text, run);
    for (char **warning = run->warnings; warning && *warning; warning++) {
        g_autofree char *escaped = g_markup_escape_text(*warning, -1);

        g_string_append_printf(text, "  <warning>%s</warning>\n", escaped);
    }
}

static char *
status_text(const CoreDomain *domain)
{
    GString *text = g_string_sized_new(domain->def->size + 1024);

    g_string_append_printf(
        text,
        "<!--\nvirtkvmd's own notes about a running domain. DO NOT EDIT.\n"
        "-->\n<domstatus driver='%s' id='%d' state='%s' reason='%d' "
        "boot='%s'>\n",
        domain->state->profile->name, domain->id,
        core_status_state_name(domain->status), domain->reason,
        domain->state->boot_id);
    add_run(text, domain->run);
    g_string_append(text, domain->def->xml);
    g_string_append(text, "</domstatus>\n");
    return g_string_free(text, FALSE);
}

bool
core_status_write(CoreDomain *domain, GError **error)
{
    g_autofree char *path = status_path(domain);
    g_autofree char *text = status_text(domain);

    return file_replace_volatile(path, text, strlen(text), 0600, error);
}

void
core_status_save(CoreDomain *domain)
{
    g_autoptr(GError) error = NULL;

    if (domain->run && domain->run->engine &&
        !core_status_write(domain, &error))
        log_error("the status of domain '%s' was not saved: %s", domain->name,
                  error->message);
}

static void
remove_run_file(const CoreDomain *domain, const char *suffix)
{
    char name[64];

    snprintf(name, sizeof(name), "%d.%s", domain->id, suffix);
    (void)unlinkat(domain->state->run_dir_fd, name, 0);
}

void
core_status_remove(CoreDomain *domain)
{
    g_autofree char *path = status_path(domain);

    (void)unlink(path);
    remove_run_file(domain, CORE_RUN_CONTROL);
    remove_run_file(domain, CORE_RUN_EXIT);
}
