/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/autostart.h"
#include "core/facts.h"
#include "core/list.h"
#include "core/network.h"
#include "core/persist.h"
#include "core/reconnect.h"
#include "core/run-files.h"
#include "core/run.h"
#include "core/status.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

int
core_state_next_id(VirtkvmState *state)
{
    return g_atomic_int_add(&state->next_id, 1) + 1;
}

void
core_state_note_id(VirtkvmState *state, int id)
{
    if (id > g_atomic_int_get(&state->next_id))
        g_atomic_int_set(&state->next_id, id);
}

static gpointer
io_thread(gpointer data)
{
    VirtkvmState *state = data;

    g_main_context_push_thread_default(state->io);
    while (!g_atomic_int_get(&state->io_ending))
        g_main_context_iteration(state->io, TRUE);
    g_main_context_pop_thread_default(state->io);
    return NULL;
}

static void
stop_io(VirtkvmState *state)
{
    g_atomic_int_set(&state->io_ending, 1);
    g_main_context_wakeup(state->io);
    g_thread_join(state->io_thread);
}

static char *
read_boot_id(void)
{
    g_autofree char *text =
        file_read("/proc/sys/kernel/random/boot_id", 64, NULL, NULL);

    return g_strdup(text ? g_strstrip(text) : "");
}

static bool
make_dirs(VirtkvmState *state, GError **error)
{
    return file_make_dirs(state->config_dir, 0700, error) &&
           file_make_dirs(state->autostart_dir, 0700, error) &&
           file_make_dirs(state->run_dir, 0700, error) &&
           file_make_dirs(state->log_dir, 0700, error);
}

static VirtkvmState *
state_new(const CoreProfile *profile, const VirtkvmHost *host)
{
    VirtkvmState *state = g_new0(VirtkvmState, 1);
    const char *name = profile->name;

    state->host = host;
    state->profile = profile;
    state->config_dir = g_build_filename(host->config_dir, name, NULL);
    state->autostart_dir =
        g_build_filename(host->config_dir, name, "autostart", NULL);
    state->run_dir = g_build_filename(host->run_dir, name, NULL);
    state->log_dir = g_build_filename(host->log_dir, name, NULL);
    state->boot_id = read_boot_id();
    state->list = core_list_new();
    state->networks = core_networks_new(state);
    state->io = g_main_context_new();
    state->run_dir_fd = -1;
    state->job_wait_ms = CORE_JOB_WAIT_MS;
    state->facts = core_facts_new();
    return state;
}

static void
state_free(VirtkvmState *state)
{
    core_networks_free(state);
    core_list_free(state->list);
    g_main_context_unref(state->io);
    core_facts_free(state);
    fd_clear(&state->run_dir_fd);
    g_free(state->config_dir);
    g_free(state->autostart_dir);
    g_free(state->run_dir);
    g_free(state->log_dir);
    g_free(state->boot_id);
    g_free(state);
}

static bool
open_run_dir(VirtkvmState *state, GError **error)
{
    state->run_dir_fd =
        open(state->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state->run_dir_fd >= 0)
        return true;
    error_set_errno(error, errno, _("cannot open '%s'"), state->run_dir);
    return false;
}

/* Networks come first: domains may be on them. */
static bool
load(VirtkvmState *state, bool autostart, GError **error)
{
    g_autoptr(GPtrArray) running = NULL;

    if (!core_persist_load_all(state, false, error))
        return false;
    running = core_status_load_all(state);
    core_run_files_sweep(state);
    state->io_thread = g_thread_new("core-io", io_thread, state);
    if (!core_networks_load(state, autostart, error)) {
        stop_io(state);
        return false;
    }
    core_reconnect_all(state, running);
    return true;
}

VirtkvmState *
core_state_initialize(const CoreProfile *profile, const VirtkvmHost *host,
                      bool autostart, GError **error)
{
    VirtkvmState *state = state_new(profile, host);

    if (host->log_program)
        log_init(host->log_program, (LogLevel)host->log_level, host->log_fd);
    (void)signal(SIGPIPE, SIG_IGN); /* an engine may end while it is told */
    if (!make_dirs(state, error) || !open_run_dir(state, error) ||
        !load(state, autostart, error)) {
        state_free(state);
        return NULL;
    }
    if (autostart)
        core_autostart_begin(state);
    return state;
}

bool
core_state_reload(VirtkvmState *state, GError **error)
{
    if (state->host->log_program)
        log_init(state->host->log_program, (LogLevel)state->host->log_level,
                 state->host->log_fd);
    return core_persist_load_all(state, true, error) &&
           core_networks_reload(state, error);
}

static void
each_domain(VirtkvmState *state, void (*call)(CoreDomain *domain))
{
    g_autoptr(GPtrArray) domains = core_list_snapshot(state->list);

    for (guint i = 0; i < domains->len; i++)
        call(domains->pdata[i]);
}

/* The engines run on; their status files say so. Threads of our own that wait
 * for one are not waited for. */
void
core_state_cleanup(VirtkvmState *state)
{
    if (!state)
        return;
    g_atomic_int_set(&state->stopping, 1);
    each_domain(state, core_run_interrupt);
    core_autostart_end(state);
    if (state->reconnect_pool)
        g_thread_pool_free(state->reconnect_pool, FALSE, TRUE);
    stop_io(state);
    each_domain(state, core_run_detach);
    state_free(state);
}
