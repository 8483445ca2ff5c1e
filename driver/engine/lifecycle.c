/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/dev/dev.h"
#include "engine/exit-file.h"
#include "engine/machine.h"
#include "engine/reset.h"
#include "engine/vcpu-state.h"
#include "util/error.h"
#include "util/i18n.h"
#include "util/log.h"

#define STATUS_FAILED 2

/* A guest that triple faults is reset, as on hardware. One that does so again
 * and again at once would never end; this many in a row end it with a report.
 */
#define TRIPLE_FAULTS_MAX      8
#define TRIPLE_FAULT_WINDOW_US (2 * G_USEC_PER_SEC)

/* Requests are kept in one word, so that the first can be told by one exchange:
 * the request above, its value below. */
#define REQUEST_SHIFT 32

static void
reset_machine(Engine *engine, bool guest)
{
    g_autoptr(GError) error = NULL;

    engine->reboot = false;
    engine_hotplug_settle(engine);
    engine_devices_reset(&engine->devices);
    if (engine_vcpus_reset(&engine->vcpus, &engine->kvm, engine->config,
                           &error) &&
        engine_load(engine, &error) &&
        engine_vcpu_boot(&engine->vcpus.items[0], &engine->boot, &error)) {
        engine_event(engine, "RESET", json_pack("{s:b}", "guest", (int)guest));
        return;
    }
    engine_fail(engine, ENGINE_REQUEST_INTERNAL_ERROR,
                g_strdup(error->message));
}

static void
emit_shutdown(Engine *engine, bool guest, const char *reason)
{
    engine_event(engine, "SHUTDOWN",
                 json_pack("{s:b,s:s}", "guest", (int)guest, "reason", reason));
}

/* A client may have stopped the domain while a request was on its way. */
static void
resume_if_running(Engine *engine)
{
    if (engine->status == ENGINE_STATUS_RUNNING)
        engine_vcpus_resume(&engine->vcpus, false);
}

/* The guest ended itself: power off, reboot, or panic. What follows is the
 * domain's choice. */
static void
finish_guest(Engine *engine, EngineAction action, const char *reason)
{
    if (action == ENGINE_ACTION_RESTART) {
        reset_machine(engine, true);
        resume_if_running(engine);
        return;
    }
    engine->status = ENGINE_STATUS_SHUTDOWN;
    emit_shutdown(engine, true, reason);
    if (action == ENGINE_ACTION_DESTROY)
        engine_finish(engine, 0, reason);
}

static void
guest_panicked(Engine *engine)
{
    EngineAction action = engine->config->on_crash;
    static const char *const actions[] = {
        [ENGINE_ACTION_DESTROY] = "poweroff",
        [ENGINE_ACTION_RESTART] = "run",
        [ENGINE_ACTION_PRESERVE] = "pause",
    };

    engine->status = ENGINE_STATUS_PANICKED;
    engine_event(engine, "GUEST_PANICKED",
                 json_pack("{s:s,s:o}", "action", actions[action], "info",
                           engine_text(engine_report(engine))));
    if (action == ENGINE_ACTION_DESTROY)
        engine_finish(engine, STATUS_FAILED, "guest-panicked");
    if (action != ENGINE_ACTION_RESTART)
        return;
    engine->status = ENGINE_STATUS_RUNNING;
    finish_guest(engine, ENGINE_ACTION_RESTART, NULL);
}

static void
internal_error(Engine *engine, EngineAction action)
{
    log_error("%s", engine_report(engine));
    engine->status = ENGINE_STATUS_INTERNAL_ERROR;
    engine_event(
        engine, "INTERNAL_ERROR",
        json_pack("{s:o}", "report", engine_text(engine_report(engine))));
    if (action == ENGINE_ACTION_DESTROY)
        engine_finish(engine, STATUS_FAILED, "internal-error");
    if (action != ENGINE_ACTION_RESTART)
        return;
    engine->status = ENGINE_STATUS_RUNNING;
    finish_guest(engine, ENGINE_ACTION_RESTART, NULL);
}

/* Hardware resets. Where crashes are to be kept for a look, this is one. */
static void
triple_fault(Engine *engine)
{
    const EngineConfig *config = engine->config;
    gint64 now = g_get_monotonic_time();

    engine->faults = now - engine->fault_us < TRIPLE_FAULT_WINDOW_US
                         ? engine->faults + 1
                         : 1;
    engine->fault_us = now;
    if (config->on_crash == ENGINE_ACTION_PRESERVE) {
        internal_error(engine, ENGINE_ACTION_PRESERVE);
    } else if (config->on_reboot == ENGINE_ACTION_RESTART &&
               engine->faults > TRIPLE_FAULTS_MAX) {
        internal_error(engine, ENGINE_ACTION_DESTROY);
    } else {
        log_warning(_("the guest is reset: %s"), engine_report(engine));
        finish_guest(engine, config->on_reboot, "guest-reset");
    }
}

static void
act(Engine *engine, EngineRequest request, unsigned value)
{
    const EngineConfig *config = engine->config;

    switch (request) {
    case ENGINE_REQUEST_POWEROFF:
        finish_guest(engine,
                     engine->reboot ? ENGINE_ACTION_RESTART
                                    : config->on_poweroff,
                     "guest-shutdown");
        break;
    case ENGINE_REQUEST_RESET:
        finish_guest(engine, config->on_reboot, "guest-reset");
        break;
    case ENGINE_REQUEST_PANIC:
        guest_panicked(engine);
        break;
    case ENGINE_REQUEST_DEBUG_EXIT:
        engine->status = ENGINE_STATUS_SHUTDOWN;
        emit_shutdown(engine, true, "debug-exit");
        engine_finish(engine, ((value << 1) | 1) & 0xff, "debug-exit");
        break;
    case ENGINE_REQUEST_TRIPLE_FAULT:
        triple_fault(engine);
        break;
    case ENGINE_REQUEST_INTERNAL_ERROR:
        internal_error(engine, config->on_crash);
        break;
    }
}

static void
take_report(Engine *engine)
{
    g_mutex_lock(&engine->report_lock);
    if (engine->new_report) {
        g_free(engine->report);
        engine->report = g_steal_pointer(&engine->new_report);
    }
    g_mutex_unlock(&engine->report_lock);
}

/* Stops the vCPUs, so that none can ask again before this is done with. */
static uint64_t
take_request(Engine *engine)
{
    engine_vcpus_stop(&engine->vcpus);
    engine_vcpus_unhold(&engine->vcpus);
    return __atomic_exchange_n(&engine->request, 0, __ATOMIC_ACQ_REL);
}

/* Thread: main. Runs before anything that a client may have asked meanwhile. */
static gboolean
on_request(gpointer opaque)
{
    Engine *engine = opaque;
    uint64_t packed;

    /* Nothing, if the host has reset the machine meanwhile. */
    if (__atomic_load_n(&engine->request, __ATOMIC_ACQUIRE) == 0)
        return G_SOURCE_REMOVE;
    packed = take_request(engine);
    if (engine->end.reason)
        return G_SOURCE_REMOVE;
    take_report(engine);
    act(engine, (EngineRequest)(packed >> REQUEST_SHIFT),
        (unsigned)(packed & UINT32_MAX));
    return G_SOURCE_REMOVE;
}

void
engine_request(Engine *engine, EngineRequest request, unsigned value)
{
    uint64_t none = 0;
    uint64_t packed = ((uint64_t)request << REQUEST_SHIFT) | value;

    if (!__atomic_compare_exchange_n(&engine->request, &none, packed, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return;
    engine_vcpus_hold(&engine->vcpus);
    g_idle_add_full(G_PRIORITY_HIGH, on_request, engine, NULL);
}

void
engine_fail(Engine *engine, EngineRequest request, char *report)
{
    g_mutex_lock(&engine->report_lock);
    if (!engine->new_report)
        engine->new_report = g_steal_pointer(&report);
    g_mutex_unlock(&engine->report_lock);
    g_free(report);
    engine_request(engine, request, 0);
}

const char *
engine_report(const Engine *engine)
{
    return engine->report ? engine->report : "";
}

static bool
refuse(GError **error, const char *why)
{
    error_set(error, VIR_ERR_OPERATION_INVALID, "%s", why);
    return false;
}

bool
engine_stop(Engine *engine, GError **error)
{
    if (engine->status != ENGINE_STATUS_RUNNING)
        return refuse(error, _("the domain is not running"));
    engine_vcpus_stop(&engine->vcpus);
    engine_iothreads_pause(engine);
    engine_devices_drain(&engine->devices);
    engine->status = ENGINE_STATUS_PAUSED;
    engine_event(engine, "STOP", NULL);
    return true;
}

static gboolean
on_stop_posted(gpointer opaque)
{
    Engine *engine = opaque;

    if (__atomic_exchange_n(&engine->stop_posted, false, __ATOMIC_ACQ_REL))
        (void)engine_stop(engine, NULL);
    return G_SOURCE_REMOVE;
}

void
engine_stop_post(Engine *engine)
{
    if (!__atomic_exchange_n(&engine->stop_posted, true, __ATOMIC_ACQ_REL))
        g_idle_add_full(G_PRIORITY_DEFAULT, on_stop_posted, engine, NULL);
}

bool
engine_cont(Engine *engine, GError **error)
{
    bool first = engine->status == ENGINE_STATUS_PRELAUNCH;

    if (engine->status == ENGINE_STATUS_RUNNING)
        return refuse(error, _("the domain is already running"));
    if (!first && engine->status != ENGINE_STATUS_PAUSED &&
        engine->status != ENGINE_STATUS_PANICKED)
        return refuse(error,
                      _("the guest has ended and must be reset before it can "
                        "run again"));
    __atomic_store_n(&engine->stop_posted, false, __ATOMIC_RELEASE);
    engine->status = ENGINE_STATUS_RUNNING;
    engine_event(engine, "RESUME", NULL);
    engine_devices_resume(&engine->devices);
    engine_iothreads_resume(engine);
    engine_vcpus_resume(&engine->vcpus, !first);
    return true;
}

bool
engine_powerdown(Engine *engine, GError **error)
{
    if (!engine_pm_power_button(engine)) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("the domain has no power button, for it has no ACPI"));
        return false;
    }
    engine_event(engine, "POWERDOWN", NULL);
    return true;
}

bool
engine_reset(Engine *engine, GError **error)
{
    (void)take_request(engine); /* the guest that asked is no more */
    reset_machine(engine, false);
    if (engine->status > ENGINE_STATUS_PAUSED)
        engine->status = ENGINE_STATUS_PAUSED;
    resume_if_running(engine);
    return true;
}

void
engine_set_reboot(Engine *engine, bool reboot)
{
    engine->reboot = reboot;
}

void
engine_quit(Engine *engine, const char *reason)
{
    if (engine->end.reason)
        return;
    engine_vcpus_stop(&engine->vcpus);
    engine->status = ENGINE_STATUS_SHUTDOWN;
    emit_shutdown(engine, false, reason);
    engine_finish(engine, 0, reason);
}

void
engine_finish(Engine *engine, int status, const char *reason)
{
    engine->end = (EngineEnd){ reason, status };
    g_main_loop_quit(engine->loop);
}

int
engine_run(Engine *engine, int exit_fd)
{
    EngineExitNote note = { .status = -1 };

    if (!engine->config->paused)
        engine_cont(engine, NULL);
    if (!engine->end.reason)
        g_main_loop_run(engine->loop);
    note.reason = engine->end.reason;
    if (engine->status == ENGINE_STATUS_INTERNAL_ERROR)
        note.report = engine_report(engine);
    if (strcmp(note.reason, "debug-exit") == 0)
        note.status = engine->end.status;
    engine_exit_file_write(exit_fd, &note);
    return engine->end.status;
}
