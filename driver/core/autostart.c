/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/autostart.h"

#include <string.h>

#include "core/job.h"
#include "core/list.h"
#include "core/run.h"
#include "util/file.h"
#include "util/log.h"

/** Starts under way at once. */
#define AUTOSTART_THREADS 4
#define MARK_MAX_BYTES    128

/* <run_dir>/autostarted holds the id of the boot it was done in. */
static char *
mark_path(VirtkvmState *state)
{
    return g_build_filename(state->run_dir, "autostarted", NULL);
}

static bool
is_done(VirtkvmState *state)
{
    g_autofree char *path = mark_path(state);
    g_autofree char *text = file_read(path, MARK_MAX_BYTES, NULL, NULL);

    return text && strcmp(text, state->boot_id) == 0;
}

static void
set_done(VirtkvmState *state)
{
    g_autofree char *path = mark_path(state);
    g_autoptr(GError) error = NULL;

    if (!file_replace_volatile(path, state->boot_id, strlen(state->boot_id),
                               0600, &error))
        log_warning("domains may be started again: %s", error->message);
}

static bool
start(CoreDomain *domain, GError **error)
{
    g_autoptr(ConfDomain) conf = core_def_open(domain->def, error);
    CoreStart how = { .conf = conf, .autodestroy = CORE_NO_CLIENT };

    return conf && core_run_start(domain, &how, error);
}

static void
start_one(gpointer data, gpointer opaque)
{
    CoreDomain *domain = data;
    VirtkvmState *state = opaque;
    g_autoptr(GError) error = NULL;
    bool job;

    core_domain_lock(domain);
    job = !g_atomic_int_get(&state->stopping) && domain->autostart &&
          core_job_begin(domain, "autostart", NULL);
    if (job) {
        if (domain->persistent && !core_domain_active(domain) &&
            !start(domain, &error))
            log_error("domain '%s' was not started: %s", domain->name,
                      error->message);
        core_job_end(domain);
    }
    core_domain_retire_unlock(domain);
    core_domain_unref(domain);
}

typedef struct Round {
    VirtkvmState *state;
    GPtrArray *domains; /* as the daemon found them; not what clients define */
} Round;

static gpointer
autostart_thread(gpointer data)
{
    g_autofree Round *round = data;
    g_autoptr(GPtrArray) domains = round->domains;
    VirtkvmState *state = round->state;
    GThreadPool *pool =
        g_thread_pool_new(start_one, state, AUTOSTART_THREADS, FALSE, NULL);

    for (guint i = 0; i < domains->len; i++)
        g_thread_pool_push(pool, core_domain_ref(domains->pdata[i]), NULL);
    g_thread_pool_free(pool, FALSE, TRUE);
    if (!g_atomic_int_get(&state->stopping))
        set_done(state);
    return NULL;
}

void
core_autostart_begin(VirtkvmState *state)
{
    Round *round;

    if (is_done(state))
        return;
    round = g_new(Round, 1);
    *round = (Round){ state, core_list_snapshot(state->list) };
    state->autostart_thread =
        g_thread_new("core-autostart", autostart_thread, round);
}

void
core_autostart_end(VirtkvmState *state)
{
    if (state->autostart_thread)
        g_thread_join(state->autostart_thread);
}
