/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/network-dnsmasq.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/network-command.h"
#include "core/network-text.h"
#include "core/network.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

#define START_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS  5000
#define START_STEP_MS    5
/* From one death to the next start, doubled while deaths follow each other. */
#define RESTART_FIRST_MS 200
#define RESTART_LAST_MS  30000
/* One that lived so long has done well. */
#define GOOD_LIFE_US (60 * G_USEC_PER_SEC)

struct CoreDnsmasq {
    gatomicrefcount refs;
    VirtkvmState *state;
    char *name; /* of the network */
    char *program;
    char *conf_path;
    char *pid_path;
    char *lease_path;
    GMutex lock; /* for the rest */
    pid_t pid;
    int pidfd;
    GSource *source; /* on the I/O thread: watches it, or waits to start it */
    gint64 started_us;
    unsigned delay_ms;
    bool ending; /* nobody is to start it again */
};

static CoreDnsmasq *
dnsmasq_new(VirtkvmState *state, const char *name)
{
    CoreDnsmasq *dnsmasq = g_new0(CoreDnsmasq, 1);
    const char *folder = state->networks->run_dir;

    g_atomic_ref_count_init(&dnsmasq->refs);
    g_mutex_init(&dnsmasq->lock);
    dnsmasq->state = state;
    dnsmasq->name = g_strdup(name);
    dnsmasq->conf_path = g_strdup_printf("%s/%s.conf", folder, name);
    dnsmasq->pid_path = g_strdup_printf("%s/%s.pid", folder, name);
    dnsmasq->lease_path = core_network_lease_path(state, name);
    dnsmasq->pidfd = -1;
    dnsmasq->delay_ms = RESTART_FIRST_MS;
    return dnsmasq;
}

static void
dnsmasq_unref(gpointer data)
{
    CoreDnsmasq *dnsmasq = data;

    if (!g_atomic_ref_count_dec(&dnsmasq->refs))
        return;
    fd_clear(&dnsmasq->pidfd);
    g_mutex_clear(&dnsmasq->lock);
    g_free(dnsmasq->name);
    g_free(dnsmasq->program);
    g_free(dnsmasq->conf_path);
    g_free(dnsmasq->pid_path);
    g_free(dnsmasq->lease_path);
    g_free(dnsmasq);
}

static bool
write_conf(const CoreDnsmasq *dnsmasq, const ConfNetwork *conf, GError **error)
{
    CoreDnsmasqPaths paths = { .pid = dnsmasq->pid_path,
                               .leases = dnsmasq->lease_path };
    g_autofree char *text = core_network_dnsmasq_text(conf, &paths);

    return file_replace_volatile(dnsmasq->conf_path, text, strlen(text), 0600,
                                 error);
}

/* --- watching --------------------------------------------------------------
 */

/* With the lock held. */
static void
drop_source(CoreDnsmasq *dnsmasq)
{
    if (!dnsmasq->source)
        return;
    g_source_destroy(dnsmasq->source);
    g_clear_pointer(&dnsmasq->source, g_source_unref);
}

static void
set_source(CoreDnsmasq *dnsmasq, GSource *source, GSourceFunc callback)
{
    drop_source(dnsmasq);
    g_atomic_ref_count_inc(&dnsmasq->refs);
    g_source_set_callback(source, callback, dnsmasq, dnsmasq_unref);
    g_source_attach(source, dnsmasq->state->io);
    dnsmasq->source = source;
}

static gboolean on_end(gint fd, GIOCondition condition, gpointer data);

/* With the lock held: @pidfd is taken over. */
static void
watch(CoreDnsmasq *dnsmasq, pid_t pid, int pidfd)
{
    fd_clear(&dnsmasq->pidfd);
    dnsmasq->pid = pid;
    dnsmasq->pidfd = pidfd;
    dnsmasq->started_us = g_get_monotonic_time();
    set_source(dnsmasq, g_unix_fd_source_new(pidfd, G_IO_IN),
               G_SOURCE_FUNC(on_end));
}

static bool
start_command(CoreDnsmasq *dnsmasq, CoreCommand *ret_command, GError **error)
{
    g_autofree char *option =
        g_strdup_printf("--conf-file=%s", dnsmasq->conf_path);
    const char *argv[] = { dnsmasq->program, option, NULL };

    (void)unlink(dnsmasq->pid_path);
    return core_command_start(argv, "", ret_command, error);
}

static void retry(CoreDnsmasq *dnsmasq);

static gboolean
on_retry(gpointer data)
{
    CoreDnsmasq *dnsmasq = data;
    g_autoptr(GError) error = NULL;
    CoreCommand command;

    g_mutex_lock(&dnsmasq->lock);
    if (!dnsmasq->ending) {
        if (start_command(dnsmasq, &command, &error)) {
            fd_clear(&command.output_fd);
            watch(dnsmasq, command.pid, command.pidfd);
        } else {
            log_error("network '%s': %s", dnsmasq->name, error->message);
            retry(dnsmasq);
        }
    }
    g_mutex_unlock(&dnsmasq->lock);
    return G_SOURCE_REMOVE;
}

/* With the lock held. */
static void
retry(CoreDnsmasq *dnsmasq)
{
    set_source(dnsmasq, g_timeout_source_new(dnsmasq->delay_ms), on_retry);
    dnsmasq->delay_ms = MIN(dnsmasq->delay_ms * 2, RESTART_LAST_MS);
}

static gboolean
on_end(gint fd, GIOCondition condition, gpointer data)
{
    CoreDnsmasq *dnsmasq = data;
    int status;

    g_mutex_lock(&dnsmasq->lock);
    if (!dnsmasq->ending && dnsmasq->pidfd == fd &&
        core_command_ended(fd, 0, &status)) {
        if (g_get_monotonic_time() - dnsmasq->started_us > GOOD_LIFE_US)
            dnsmasq->delay_ms = RESTART_FIRST_MS;
        log_warning("dnsmasq of network '%s' has ended: it is started again "
                    "in %u ms",
                    dnsmasq->name, dnsmasq->delay_ms);
        fd_clear(&dnsmasq->pidfd);
        dnsmasq->pid = 0;
        retry(dnsmasq);
    }
    g_mutex_unlock(&dnsmasq->lock);
    return G_SOURCE_REMOVE;
}

/* --- starting --------------------------------------------------------------
 */

static bool
explain_end(const CoreCommand *command, int status, GError **error)
{
    g_autofree char *words = core_command_words(command->output_fd);

    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("dnsmasq ended at once with exit status %d: %s"), status,
              words);
    return false;
}

/* It writes its pid when it has all it needs. */
static bool
wait_ready(const CoreDnsmasq *dnsmasq, const CoreCommand *command,
           GError **error)
{
    int status;

    for (int waited = 0; waited < START_TIMEOUT_MS; waited += START_STEP_MS) {
        if (core_command_ended(command->pidfd, START_STEP_MS, &status))
            return explain_end(command, status, error);
        if (access(dnsmasq->pid_path, F_OK) == 0)
            return true;
    }
    (void)kill(command->pid, SIGKILL);
    (void)core_command_ended(command->pidfd, -1, &status);
    error_set(error, VIR_ERR_OPERATION_TIMEOUT,
              _("dnsmasq did not get ready in %d seconds"),
              START_TIMEOUT_MS / 1000);
    return false;
}

static bool
start(CoreDnsmasq *dnsmasq, const ConfNetwork *conf, GError **error)
{
    CoreCommand command;
    bool ready;

    if (!write_conf(dnsmasq, conf, error) ||
        !start_command(dnsmasq, &command, error))
        return false;
    ready = wait_ready(dnsmasq, &command, error);
    fd_clear(&command.output_fd);
    if (!ready) {
        fd_clear(&command.pidfd);
        return false;
    }
    g_mutex_lock(&dnsmasq->lock);
    dnsmasq->ending = false;
    watch(dnsmasq, command.pid, command.pidfd);
    g_mutex_unlock(&dnsmasq->lock);
    return true;
}

/* Is process @pid the one with our file? A pid may be another's by now. */
static bool
is_ours(const CoreDnsmasq *dnsmasq, pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", (int)pid);
    g_autofree char *option =
        g_strdup_printf("--conf-file=%s", dnsmasq->conf_path);
    size_t size, length = strlen(option);
    g_autofree char *text = file_read(path, 65536, &size, NULL);

    /* "PROGRAM\0--conf-file=PATH\0" */
    return text && strlen(text) + 1 + length < size + 1 &&
           strcmp(text + strlen(text) + 1, option) == 0;
}

/* Returns: a pidfd of the dnsmasq that an earlier daemon left, or -1. */
static int
find_running(const CoreDnsmasq *dnsmasq, pid_t *ret_pid)
{
    g_autofree char *text = file_read(dnsmasq->pid_path, 64, NULL, NULL);
    pid_t pid = text ? (pid_t)g_ascii_strtoll(text, NULL, 10) : 0;
    g_auto(Fd) pidfd = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

    if (pidfd < 0 || !is_ours(dnsmasq, pid))
        return -1;
    *ret_pid = pid;
    return fd_steal(&pidfd);
}

static bool
adopt_running(CoreDnsmasq *dnsmasq)
{
    pid_t pid;
    int pidfd = find_running(dnsmasq, &pid);

    if (pidfd < 0)
        return false;
    g_mutex_lock(&dnsmasq->lock);
    watch(dnsmasq, pid, pidfd);
    g_mutex_unlock(&dnsmasq->lock);
    return true;
}

CoreDnsmasq *
core_dnsmasq_start(VirtkvmState *state, const ConfNetwork *conf, bool adopt,
                   GError **error)
{
    CoreDnsmasq *dnsmasq = dnsmasq_new(state, conf->name);

    dnsmasq->program = core_command_find("dnsmasq", "dnsmasq-base", error);
    if (dnsmasq->program &&
        ((adopt && adopt_running(dnsmasq)) || start(dnsmasq, conf, error)))
        return dnsmasq;
    (void)unlink(dnsmasq->conf_path);
    dnsmasq_unref(dnsmasq);
    return NULL;
}

/* --- ending ----------------------------------------------------------------
 */

static void
end_process(pid_t pid, int pidfd)
{
    int status;

    (void)kill(pid, SIGTERM);
    if (core_command_ended(pidfd, STOP_TIMEOUT_MS, &status))
        return;
    (void)kill(pid, SIGKILL);
    (void)core_command_ended(pidfd, STOP_TIMEOUT_MS, &status);
}

/* Nothing starts it again; @kill: and it is gone. */
static void
halt(CoreDnsmasq *dnsmasq, bool end)
{
    g_auto(Fd) pidfd = -1;
    pid_t pid;

    g_mutex_lock(&dnsmasq->lock);
    dnsmasq->ending = true;
    drop_source(dnsmasq);
    pidfd = fd_steal(&dnsmasq->pidfd);
    pid = dnsmasq->pid;
    g_mutex_unlock(&dnsmasq->lock);
    if (end && pidfd >= 0)
        end_process(pid, pidfd);
}

bool
core_dnsmasq_reconfigure(CoreDnsmasq *dnsmasq, const ConfNetwork *conf,
                         GError **error)
{
    halt(dnsmasq, true);
    return start(dnsmasq, conf, error);
}

static void
remove_files(const CoreDnsmasq *dnsmasq)
{
    (void)unlink(dnsmasq->conf_path);
    (void)unlink(dnsmasq->pid_path);
}

void
core_dnsmasq_stop(CoreDnsmasq *dnsmasq)
{
    if (!dnsmasq)
        return;
    halt(dnsmasq, true);
    remove_files(dnsmasq);
    dnsmasq_unref(dnsmasq);
}

void
core_dnsmasq_detach(CoreDnsmasq *dnsmasq)
{
    if (!dnsmasq)
        return;
    halt(dnsmasq, false);
    dnsmasq_unref(dnsmasq);
}

void
core_dnsmasq_sweep(VirtkvmState *state, const char *name)
{
    CoreDnsmasq *dnsmasq = dnsmasq_new(state, name);
    pid_t pid;
    g_auto(Fd) pidfd = find_running(dnsmasq, &pid);

    if (pidfd >= 0)
        end_process(pid, pidfd);
    remove_files(dnsmasq);
    dnsmasq_unref(dnsmasq);
}
