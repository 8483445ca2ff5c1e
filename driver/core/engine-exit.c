/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cputime.h"
#include "core/domain-log.h"
#include "core/engine-process.h"
#include "core/status-names.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

#define EXIT_FILE_MAX_BYTES 262144

/* --- the exit file
 * -------------------------------------------------------------- */

/* The last words; nothing if there are none, or garbage. */
static CoreEngineExit
read_exit(VirtkvmState *state, int id)
{
    g_autofree char *path =
        g_strdup_printf("%s/%d." CORE_RUN_EXIT, state->run_dir, id);
    g_autofree char *text = file_read(path, EXIT_FILE_MAX_BYTES, NULL, NULL);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    const char *report = json_string_value(json_object_get(object, "report"));
    CoreEngineExit end = {
        .reason =
            g_strdup(json_string_value(json_object_get(object, "reason"))),
        .text = g_strdup(
            report ? report
                   : json_string_value(json_object_get(object, "error"))),
    };

    json_decref(object);
    return end;
}

/* Of one that died without a word: only its parent learns how. */
static char *
describe_status(const siginfo_t *info)
{
    if (info->si_pid == 0)
        return NULL;
    if (info->si_code == CLD_EXITED)
        return g_strdup_printf(_("the engine ended with exit status %d"),
                               info->si_status);
    return g_strdup_printf(_("the engine was killed by signal %d (%s)"),
                           info->si_status, g_strsignal(info->si_status));
}

static bool
was_killed(ProcessEngine *engine)
{
    bool killed;

    g_mutex_lock(&engine->lock);
    killed = engine->killed;
    g_mutex_unlock(&engine->lock);
    return killed;
}

/* The engine has written a report itself: its headline will do. */
static void
log_end(ProcessEngine *engine, const CoreEngineExit *end)
{
    g_auto(Fd) fd = core_domain_log_open(engine->state, engine->name, NULL);
    g_auto(GStrv) lines = g_strsplit(end->text ? end->text : "", "\n", 2);
    g_autofree char *line = NULL;

    if ((!end->reason || strcmp(end->reason, "host-quit") == 0) &&
        was_killed(engine))
        line = g_strdup("ended: destroyed by request");
    else
        line = g_strdup_printf("ended: %s%s%s",
                               end->reason ? end->reason : "without a reason",
                               end->text ? ": " : "", lines[0] ? lines[0] : "");

    if (fd >= 0)
        core_domain_log_line(fd, line);
}

/* --- watching
 * --------------------------------------------------------------------- */

/* What it has said before comes before its end. Thread: I/O */
static void
drain(ProcessEngine *engine)
{
    CoreControl *control = NULL;

    g_mutex_lock(&engine->lock);
    if (engine->control)
        control = core_control_ref(engine->control);
    g_mutex_unlock(&engine->lock);
    if (control) {
        core_control_drain(control);
        core_control_unref(control);
    }
}

static void
deliver_exit(ProcessEngine *engine)
{
    CoreEngineEvent event = { .kind = CORE_ENGINE_EXITED };
    CoreControl *control;

    g_mutex_lock(&engine->lock);
    control = g_steal_pointer(&engine->control);
    engine->exited = true;
    event.reason = engine->end.reason;
    event.text = engine->end.text;
    g_cond_broadcast(&engine->changed);
    g_mutex_unlock(&engine->lock);
    core_control_close(control);
    engine->event(&engine->engine, engine->opaque, &event);
}

static gboolean
on_exit_ready(gint fd, GIOCondition condition, gpointer opaque)
{
    ProcessEngine *engine = opaque;
    siginfo_t info = { 0 };

    drain(engine);
    (void)waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    engine->end = read_exit(engine->state, engine->id);
    if (!engine->end.reason && !engine->end.text)
        engine->end.text = describe_status(&info);
    log_end(engine, &engine->end);
    deliver_exit(engine);
    return G_SOURCE_REMOVE;
}

void
core_process_watch(ProcessEngine *engine)
{
    GSource *source = g_unix_fd_source_new(engine->pidfd, G_IO_IN);

    g_source_set_callback(source, G_SOURCE_FUNC(on_exit_ready),
                          core_engine_ref(&engine->engine),
                          (GDestroyNotify)core_engine_unref);
    engine->exit_source = source;
    g_source_attach(source, engine->state->io);
}

bool
core_process_wait_exit(ProcessEngine *engine, unsigned timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool exited;

    g_mutex_lock(&engine->lock);
    while (!engine->exited)
        if (!g_cond_wait_until(&engine->changed, &engine->lock, deadline))
            break;
    exited = engine->exited;
    g_mutex_unlock(&engine->lock);
    return exited;
}

/* --- finding again
 * ------------------------------------------------------------------ */

/* A zombie that nobody has reaped yet still has its pid; its pidfd tells. */
static bool
is_running(int pidfd)
{
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

    return poll(&poll_fd, 1, 0) == 0;
}

/* The descriptor first, then the start time: a pid that was used again in
 * between cannot be taken for the engine's. */
static int
open_process(const CoreEngineRecord *record)
{
    g_auto(Fd) pidfd =
        record->pid > 0 ? (int)syscall(SYS_pidfd_open, record->pid, 0) : -1;
    CoreCpuTime time;

    if (pidfd < 0 || !core_cputime_process(record->pid, &time) ||
        time.start_time != record->start_time || !is_running(pidfd))
        return -1;
    return fd_steal(&pidfd);
}

CoreEngine *
core_process_find(VirtkvmState *state, int id, const char *name,
                  const CoreEngineRecord *record, CoreEngineExit *ret_exit)
{
    int pidfd = open_process(record);
    ProcessEngine *engine;

    if (pidfd < 0) {
        *ret_exit = read_exit(state, id);
        return NULL;
    }
    engine = core_process_new(state, id, name);
    engine->pid = record->pid;
    engine->start_time = record->start_time;
    engine->pidfd = pidfd;
    if (record->vcpu_threads)
        engine->threads = g_array_ref(record->vcpu_threads);
    return &engine->engine;
}
