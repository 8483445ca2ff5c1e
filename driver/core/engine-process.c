/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/engine-process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/domain.h"
#include "core/engine-devices.h"
#include "engine/resolve/resolve.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"
#include "util/log.h"

/* --- what the engine says. Thread: I/O
 * --------------------------------------------- */

typedef struct EventName {
    const char *name;
    CoreEngineEventKind kind;
} EventName;

static const EventName event_names[] = {
    { "STOP", CORE_ENGINE_STOP },
    { "RESUME", CORE_ENGINE_RESUME },
    { "SHUTDOWN", CORE_ENGINE_SHUTDOWN },
    { "RESET", CORE_ENGINE_RESET },
    { "GUEST_PANICKED", CORE_ENGINE_PANICKED },
    { "INTERNAL_ERROR", CORE_ENGINE_INTERNAL_ERROR },
    { "RTC_CHANGE", CORE_ENGINE_RTC_CHANGE },
    { "BLOCK_IO_ERROR", CORE_ENGINE_IO_ERROR },
    { "BALLOON_CHANGE", CORE_ENGINE_BALLOON },
    { "DEVICE_DELETED", CORE_ENGINE_DEVICE_DELETED },
    { "DEVICE_UNPLUG_GUEST_ERROR", CORE_ENGINE_DEVICE_REFUSED },
    { "VSERPORT_CHANGE", CORE_ENGINE_CHANNEL },
    { "DEVICE_TRAY_MOVED", CORE_ENGINE_TRAY },
};

/* The member that is the event's number, and the one that is its yes or no. */
static const struct {
    CoreEngineEventKind kind;
    const char *value, *on;
} event_members[] = {
    { CORE_ENGINE_RTC_CHANGE, "offset", NULL },
    { CORE_ENGINE_BALLOON, "actual", NULL },
    { CORE_ENGINE_CHANNEL, "port", "open" },
    { CORE_ENGINE_IO_ERROR, NULL, "nospace" },
    { CORE_ENGINE_TRAY, NULL, "tray-open" },
};

static int
io_error_action(const json_t *data)
{
    const char *name = json_string_value(json_object_get(data, "action"));

    if (g_strcmp0(name, "stop") == 0)
        return VIR_DOMAIN_EVENT_IO_ERROR_PAUSE;
    return g_strcmp0(name, "ignore") == 0 ? VIR_DOMAIN_EVENT_IO_ERROR_NONE
                                          : VIR_DOMAIN_EVENT_IO_ERROR_REPORT;
}

static void
read_members(const json_t *data, CoreEngineEvent *event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(event_members); i++) {
        if (event_members[i].kind != event->kind)
            continue;
        if (event_members[i].value)
            event->value = json_integer_value(
                json_object_get(data, event_members[i].value));
        if (event_members[i].on)
            event->on =
                json_is_true(json_object_get(data, event_members[i].on));
    }
    event->action = io_error_action(data);
}

static void
on_event(gpointer opaque, const char *name, const json_t *data)
{
    ProcessEngine *engine = opaque;
    CoreEngineEvent event = {
        .guest = json_is_true(json_object_get(data, "guest")),
        .reason = json_string_value(json_object_get(data, "reason")),
        .text = json_string_value(json_object_get(data, "report")),
        .id = json_string_value(json_object_get(data, "id")),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(event_names); i++)
        if (strcmp(event_names[i].name, name) == 0) {
            event.kind = event_names[i].kind;
            read_members(data, &event);
            engine->event(&engine->engine, engine->opaque, &event);
        }
}

static void
on_garbage(gpointer opaque, const char *why)
{
    ProcessEngine *engine = opaque;
    CoreEngineEvent event = { .kind = CORE_ENGINE_CONTROL_ERROR };

    log_error("domain '%s': the engine sent %s", engine->name, why);
    engine->event(&engine->engine, engine->opaque, &event);
}

static const CoreControlHandler handler = { on_event, on_garbage };

/* --- questions
 * -------------------------------------------------------------------- */

typedef struct StatusName {
    const char *name;
    CoreEngineStatus status;
} StatusName;

static const StatusName status_names[] = {
    { "running", CORE_ENGINE_STATUS_RUNNING },
    { "prelaunch", CORE_ENGINE_STATUS_PAUSED },
    { "paused", CORE_ENGINE_STATUS_PAUSED },
    { "shutdown", CORE_ENGINE_STATUS_SHUTDOWN },
    { "guest-panicked", CORE_ENGINE_STATUS_PANICKED },
    { "internal-error", CORE_ENGINE_STATUS_PANICKED },
};

static bool
parse_status(const json_t *answer, CoreEngineStatus *ret_status, GError **error)
{
    const char *name = json_string_value(json_object_get(answer, "status"));

    for (size_t i = 0; name && i < G_N_ELEMENTS(status_names); i++)
        if (strcmp(status_names[i].name, name) == 0) {
            *ret_status = status_names[i].status;
            return true;
        }
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("the engine is in a state that is not known"));
    return false;
}

static void
keep_threads(ProcessEngine *engine, json_t *cpus)
{
    GArray *threads = g_array_new(FALSE, TRUE, sizeof(pid_t));

    for (size_t i = 0; i < json_array_size(cpus) && i < CONF_VCPUS_MAX; i++) {
        json_t *cpu = json_array_get(cpus, i);
        pid_t thread =
            (pid_t)json_integer_value(json_object_get(cpu, "thread_id"));

        g_array_append_val(threads, thread);
    }
    g_mutex_lock(&engine->lock);
    g_clear_pointer(&engine->threads, g_array_unref);
    engine->threads = threads;
    g_mutex_unlock(&engine->lock);
}

/* What is asked of every new connection, sent at once. */
typedef struct Opening {
    guint64 control, status, cpus;
} Opening;

static bool
post_opening(CoreControl *control, Opening *opening, GError **error)
{
    static const CoreCommand take = { .name = "take-control" };
    static const CoreCommand status = { .name = "query-status" };
    static const CoreCommand cpus = { .name = "query-cpus" };

    return (opening->control = core_control_post(control, &take, error)) &&
           (opening->status = core_control_post(control, &status, error)) &&
           (opening->cpus = core_control_post(control, &cpus, error));
}

static bool
wait_opening(ProcessEngine *engine, CoreControl *control,
             const Opening *opening, CoreEngineStatus *ret_status,
             GError **error)
{
    unsigned timeout = CORE_START_TIMEOUT_MS;
    json_t *taken = core_control_wait(control, opening->control, timeout, NULL);
    json_t *status =
        core_control_wait(control, opening->status, timeout, error);
    json_t *cpus =
        status ? core_control_wait(control, opening->cpus, timeout, error)
               : NULL;
    bool done = cpus && parse_status(status, ret_status, error);

    if (done)
        keep_threads(engine, cpus);
    json_decref(taken);
    json_decref(status);
    json_decref(cpus);
    return done;
}

/* --- begin
 * ------------------------------------------------------------------------ */

/* Returns: a reference; NULL if the engine has ended meanwhile. */
static CoreControl *
attach(ProcessEngine *engine, int fd, GError **error)
{
    CoreControl *control =
        core_control_new(engine->state->io, fd, &handler, engine);
    bool exited;

    g_mutex_lock(&engine->lock);
    exited = engine->exited;
    if (!exited) {
        core_control_close(engine->control);
        engine->control = core_control_ref(control);
    }
    g_mutex_unlock(&engine->lock);
    if (!exited)
        return control;
    core_control_close(control);
    error_set(error, VIR_ERR_OPERATION_FAILED, _("the engine has ended"));
    return NULL;
}

static void
set_events(ProcessEngine *engine, CoreEngineEventFn event, gpointer opaque)
{
    engine->event = event;
    engine->opaque = opaque;
}

/* From here on the engine can run, whatever becomes of this process: its
 * status file is there. */
static bool
send_document(ProcessEngine *engine, GError **error)
{
    bool sent = fd_write_all(engine->machine_fd, engine->document,
                             strlen(engine->document));

    if (!sent)
        error_set_errno(error, errno,
                        _("cannot send the machine document to the engine"));
    fd_clear(&engine->machine_fd);
    g_clear_pointer(&engine->document, g_free);
    return sent;
}

/* Did the guest run? One that was told to end by the host need not have. */
static bool
is_guests_end(const char *reason)
{
    return reason && strcmp(reason, "start-failed") != 0 &&
           strcmp(reason, "host-quit") != 0;
}

/* An engine that ended before it answered either could not start, which its
 * last words explain, or ran a guest that was quick. */
static bool
explain_end(ProcessEngine *engine, GError *failure, GError **error)
{
    if (!core_process_wait_exit(engine, CORE_EXIT_TIMEOUT_MS)) {
        g_propagate_error(error, failure);
        return false;
    }
    g_error_free(failure);
    if (is_guests_end(engine->end.reason))
        return true;
    error_set(
        error, VIR_ERR_OPERATION_FAILED, _("the engine could not start: %s"),
        engine->end.text ? engine->end.text : _("it ended without a reason"));
    return false;
}

/* A guest that panicked before anybody listened does not say it again. */
static void
tell_early_panic(ProcessEngine *engine, CoreEngineStatus status)
{
    static const CoreEngineEvent panicked = { .kind = CORE_ENGINE_PANICKED };

    if (status == CORE_ENGINE_STATUS_PANICKED)
        engine->event(&engine->engine, engine->opaque, &panicked);
}

static bool
process_begin(CoreEngine *base, CoreEngineEventFn event, gpointer opaque,
              GError **error)
{
    ProcessEngine *engine = (ProcessEngine *)base;
    CoreEngineStatus status;
    CoreControl *control;
    GError *failure = NULL;
    Opening opening;
    bool begun;

    set_events(engine, event, opaque);
    control = attach(engine, fd_steal(&engine->control_fd), error);
    if (!control)
        return false;
    core_process_watch(engine);
    begun = post_opening(control, &opening, &failure) &&
            send_document(engine, &failure) &&
            wait_opening(engine, control, &opening, &status, &failure);
    if (begun)
        tell_early_panic(engine, status);
    else if (error_code(failure) == VIR_ERR_OPERATION_TIMEOUT)
        g_propagate_error(error, failure);
    else
        begun = explain_end(engine, failure, error);
    core_control_unref(control);
    return begun;
}

static bool
process_reconnect(CoreEngine *base, CoreEngineEventFn event, gpointer opaque,
                  CoreEngineStatus *ret_status, GError **error)
{
    ProcessEngine *engine = (ProcessEngine *)base;
    CoreControl *control;
    Opening opening;
    bool done;
    int fd;

    set_events(engine, event, opaque);
    fd = core_process_connect(engine->state, engine->id, error);
    control = fd < 0 ? NULL : attach(engine, fd, error);
    core_process_watch(engine);
    if (!control)
        return false;
    done = post_opening(control, &opening, error) &&
           wait_opening(engine, control, &opening, ret_status, error);
    core_control_unref(control);
    return done;
}

/* --- commands
 * --------------------------------------------------------------------- */

/* The connection, made anew if it was lost; a reference, or NULL. */
static CoreControl *
usable_control(ProcessEngine *engine, GError **error)
{
    CoreControl *control = NULL;
    int fd;

    g_mutex_lock(&engine->lock);
    if (engine->control && core_control_usable(engine->control))
        control = core_control_ref(engine->control);
    g_mutex_unlock(&engine->lock);
    if (control)
        return control;
    fd = core_process_connect(engine->state, engine->id, error);
    return fd < 0 ? NULL : attach(engine, fd, error);
}

json_t *
core_process_ask(CoreEngine *base, const CoreCommand *command, GError **error)
{
    CoreControl *control = usable_control((ProcessEngine *)base, error);
    json_t *answer = control ? core_control_ask(control, command, error) : NULL;

    core_control_unref(control);
    return answer;
}

static bool
command(CoreEngine *base, const char *name, GError **error)
{
    CoreCommand simple = { .name = name };
    json_t *answer = core_process_ask(base, &simple, error);

    json_decref(answer);
    return answer != NULL;
}

static bool
process_stop(CoreEngine *base, GError **error)
{
    return command(base, "stop", error);
}

static bool
process_cont(CoreEngine *base, GError **error)
{
    return command(base, "cont", error);
}

static bool
process_reset(CoreEngine *base, GError **error)
{
    return command(base, "system_reset", error);
}

static bool
process_powerdown(CoreEngine *base, bool reboot, GError **error)
{
    return command(base, reboot ? "system_reboot" : "system_powerdown", error);
}

static void
set_killed(ProcessEngine *engine, bool killed)
{
    g_mutex_lock(&engine->lock);
    engine->killed = killed;
    g_mutex_unlock(&engine->lock);
}

static bool
process_kill(CoreEngine *base, bool force, GError **error)
{
    ProcessEngine *engine = (ProcessEngine *)base;
    int signal_number = force ? SIGKILL : SIGTERM;

    set_killed(engine, true);
    if (syscall(SYS_pidfd_send_signal, engine->pidfd, signal_number, NULL, 0) ==
            0 ||
        errno == ESRCH)
        return true;
    error_set_errno(error, errno, _("cannot end the engine of domain '%s'"),
                    engine->name);
    set_killed(engine, false);
    return false;
}

static void
process_record(CoreEngine *base, CoreEngineRecord *ret_record)
{
    ProcessEngine *engine = (ProcessEngine *)base;

    *ret_record = (CoreEngineRecord){ .pid = engine->pid,
                                      .start_time = engine->start_time };
    g_mutex_lock(&engine->lock);
    if (engine->threads)
        ret_record->vcpu_threads = g_array_ref(engine->threads);
    g_mutex_unlock(&engine->lock);
}

static void
process_interrupt(CoreEngine *base)
{
    ProcessEngine *engine = (ProcessEngine *)base;

    g_mutex_lock(&engine->lock);
    if (engine->control)
        core_control_interrupt(engine->control);
    g_mutex_unlock(&engine->lock);
}

static bool
process_detach(CoreEngine *base)
{
    ProcessEngine *engine = (ProcessEngine *)base;

    if (engine->exit_source)
        g_source_destroy(engine->exit_source);
    core_control_close(g_steal_pointer(&engine->control));
    return engine->event && !engine->exited;
}

const CoreEngineOps core_engine_process_ops = {
    .spawn = core_process_spawn,
    .begin = process_begin,
    .find = core_process_find,
    .reconnect = process_reconnect,
    .stop = process_stop,
    .cont = process_cont,
    .reset = process_reset,
    .powerdown = process_powerdown,
    .kill = process_kill,
    .record = process_record,
    .cleanup = engine_resolve_cleanup,
    .interrupt = process_interrupt,
    .detach = process_detach,
    .free = core_process_free,
    .devices = &core_engine_process_devices,
};
