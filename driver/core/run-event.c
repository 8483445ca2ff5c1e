/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/events.h"
#include "core/run.h"
#include "core/status.h"

/** Events that may wait for a start to finish. A guest can provoke them. */
#define DEFERRED_MAX 64

/* The detail of the SUSPENDED event for a virDomainPausedReason. */
static int
suspended_detail(int reason)
{
    switch (reason) {
    case VIR_DOMAIN_PAUSED_IOERROR:
        return VIR_DOMAIN_EVENT_SUSPENDED_IOERROR;
    case VIR_DOMAIN_PAUSED_WATCHDOG:
        return VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG;
    default:
        return VIR_DOMAIN_EVENT_SUSPENDED_PAUSED;
    }
}

bool
core_run_can_resume(const CoreDomain *domain)
{
    return domain->status == VIR_DOMAIN_PAUSED ||
           (domain->status == VIR_DOMAIN_CRASHED &&
            domain->reason == VIR_DOMAIN_CRASHED_PANICKED);
}

void
core_run_set_paused(CoreDomain *domain, int reason)
{
    if (domain->status == VIR_DOMAIN_PAUSED)
        return;
    core_domain_set_state(domain, VIR_DOMAIN_PAUSED, reason);
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_SUSPENDED,
                         suspended_detail(reason));
}

void
core_run_set_running(CoreDomain *domain, int reason)
{
    if (domain->status == VIR_DOMAIN_RUNNING)
        return;
    domain->run->resumed++;
    core_domain_set_state(domain, VIR_DOMAIN_RUNNING, reason);
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_RESUMED,
                         VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

static void
on_stop(CoreDomain *domain)
{
    if (domain->status == VIR_DOMAIN_RUNNING)
        core_run_set_paused(domain, domain->run->pause_reason);
    domain->run->pause_reason = VIR_DOMAIN_PAUSED_UNKNOWN;
}

static void
on_resume(CoreDomain *domain)
{
    if (core_run_can_resume(domain))
        core_run_set_running(domain, VIR_DOMAIN_RUNNING_UNPAUSED);
}

static void
on_shutdown(CoreDomain *domain, const CoreEngineEvent *event)
{
    CoreRun *run = domain->run;

    if (run->shutdown_seen || run->destroying)
        return;
    run->shutdown_seen = true;
    core_domain_set_state(domain, VIR_DOMAIN_SHUTDOWN,
                          VIR_DOMAIN_SHUTDOWN_UNKNOWN);
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_SHUTDOWN,
                         event->guest ? VIR_DOMAIN_EVENT_SHUTDOWN_GUEST
                                      : VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
}

/* Also how a crashed guest comes back when on_crash says restart. */
static void
on_reset(CoreDomain *domain, const CoreEngineEvent *event)
{
    domain->run->shutdown_seen = false;
    if (event->guest && domain->status == VIR_DOMAIN_CRASHED)
        core_domain_set_state(domain, VIR_DOMAIN_RUNNING,
                              VIR_DOMAIN_RUNNING_CRASHED);
    core_event_reboot(domain);
}

/* Told once, though a start may hear of it twice. */
static void
on_panicked(CoreDomain *domain)
{
    if (domain->status == VIR_DOMAIN_CRASHED &&
        domain->reason == VIR_DOMAIN_CRASHED_PANICKED)
        return;
    core_domain_set_state(domain, VIR_DOMAIN_CRASHED,
                          VIR_DOMAIN_CRASHED_PANICKED);
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_CRASHED,
                         VIR_DOMAIN_EVENT_CRASHED_PANICKED);
}

/* One that stops the guest is told at once: the STOP event comes next, and no
 * second one before somebody resumes it. */
static void
on_io_error(CoreDomain *domain, const CoreEngineEvent *event)
{
    if (event->action != VIR_DOMAIN_EVENT_IO_ERROR_PAUSE) {
        core_run_limit(domain, event);
        return;
    }
    domain->run->pause_reason = VIR_DOMAIN_PAUSED_IOERROR;
    core_run_tell(domain, event);
}

static void
on_control_error(CoreDomain *domain)
{
    domain->run->control_failed = true;
    domain->run->control_since = g_get_monotonic_time();
    core_event_control_error(domain);
}

void
core_run_handle(CoreDomain *domain, const CoreEngineEvent *event)
{
    switch (event->kind) {
    case CORE_ENGINE_STOP:
        on_stop(domain);
        break;
    case CORE_ENGINE_RESUME:
        on_resume(domain);
        break;
    case CORE_ENGINE_SHUTDOWN:
        on_shutdown(domain, event);
        break;
    case CORE_ENGINE_RESET:
        on_reset(domain, event);
        break;
    case CORE_ENGINE_PANICKED:
        on_panicked(domain);
        break;
    case CORE_ENGINE_INTERNAL_ERROR:
        core_domain_set_state(domain, VIR_DOMAIN_CRASHED,
                              VIR_DOMAIN_CRASHED_UNKNOWN);
        break;
    case CORE_ENGINE_RTC_CHANGE:
    case CORE_ENGINE_BALLOON:
    case CORE_ENGINE_CHANNEL:
        core_run_limit(domain, event);
        return;
    case CORE_ENGINE_IO_ERROR:
        on_io_error(domain, event);
        return;
    case CORE_ENGINE_TRAY:
    case CORE_ENGINE_DEVICE_DELETED:
    case CORE_ENGINE_DEVICE_REFUSED:
        core_run_tell(domain, event);
        return;
    case CORE_ENGINE_CONTROL_ERROR:
        on_control_error(domain);
        break;
    case CORE_ENGINE_EXITED:
        core_run_ended(domain, event);
        return;
    }
    core_status_save(domain);
}

/* --- from the I/O thread ------------------------------------------------- */

void
core_run_event_free(gpointer data)
{
    CoreEngineEvent *event = data;

    g_free((char *)event->reason);
    g_free((char *)event->text);
    g_free((char *)event->id);
    g_free(event);
}

CoreEngineEvent *
core_run_event_copy(const CoreEngineEvent *event)
{
    CoreEngineEvent *copy = g_new(CoreEngineEvent, 1);

    *copy = *event;
    copy->reason = g_strdup(event->reason);
    copy->text = g_strdup(event->text);
    copy->id = g_strdup(event->id);
    return copy;
}

static void
defer(CoreRun *run, const CoreEngineEvent *event)
{
    if (run->deferred.length < DEFERRED_MAX ||
        event->kind == CORE_ENGINE_EXITED)
        g_queue_push_tail(&run->deferred, core_run_event_copy(event));
}

void
core_run_event(CoreEngine *engine, gpointer opaque,
               const CoreEngineEvent *event)
{
    CoreDomain *domain = opaque;

    core_domain_lock(domain);
    if (domain->run && domain->run->engine == engine) {
        if (domain->run->starting) {
            defer(domain->run, event);
            g_cond_broadcast(&domain->changed);
        } else {
            core_run_handle(domain, event);
        }
    }
    core_domain_retire_unlock(domain);
    if (event->kind == CORE_ENGINE_EXITED)
        core_domain_unref(domain);
}

void
core_run_interrupt(CoreDomain *domain)
{
    CoreEngine *engine = NULL;

    core_domain_lock(domain);
    if (domain->run && domain->run->engine)
        engine = core_engine_ref(domain->run->engine);
    core_domain_unlock(domain);
    if (engine && engine->ops->interrupt)
        engine->ops->interrupt(engine);
    core_engine_unref(engine);
}

void
core_run_detach(CoreDomain *domain)
{
    CoreEngine *engine = NULL;

    core_domain_lock(domain);
    if (domain->run)
        engine = g_steal_pointer(&domain->run->engine);
    core_domain_unlock(domain);
    if (!engine)
        return;
    if (engine->ops->detach(engine))
        core_domain_unref(domain); /* there will be no EXITED */
    core_engine_unref(engine);
}
