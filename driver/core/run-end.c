/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/console.h"
#include "core/events.h"
#include "core/run.h"
#include "core/status.h"
#include "util/error.h"
#include "util/i18n.h"
#include "util/log.h"

/** What is kept of a report for domainGetMessages(); the log has it all. */
#define FAILURE_MAX_BYTES 4096

/** How an engine's last words (the exit file) become a domain's end. */
typedef struct End {
    const char *reason; /* of the exit file; NULL: any other, or none */
    int shutdown;       /* SHUTDOWN event that came first; -1: none */
    int shutoff;        /* virDomainShutoffReason */
    int detail;         /* of the STOPPED event */
    bool failure;       /* worth a message */
} End;

static const End ends[] = {
    { "guest-shutdown", VIR_DOMAIN_EVENT_SHUTDOWN_GUEST,
      VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, false },
    { "guest-reset", VIR_DOMAIN_EVENT_SHUTDOWN_GUEST,
      VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, false },
    { "debug-exit", VIR_DOMAIN_EVENT_SHUTDOWN_GUEST,
      VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, false },
    { "host-quit", VIR_DOMAIN_EVENT_SHUTDOWN_HOST, VIR_DOMAIN_SHUTOFF_SHUTDOWN,
      VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, false },
    { "guest-panicked", -1, VIR_DOMAIN_SHUTOFF_CRASHED,
      VIR_DOMAIN_EVENT_STOPPED_CRASHED, true },
    { "internal-error", -1, VIR_DOMAIN_SHUTOFF_CRASHED,
      VIR_DOMAIN_EVENT_STOPPED_FAILED, true },
    { "start-failed", -1, VIR_DOMAIN_SHUTOFF_FAILED,
      VIR_DOMAIN_EVENT_STOPPED_FAILED, true },
    { NULL, -1, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_FAILED,
      true },
};

static const End destroyed = { NULL, -1, VIR_DOMAIN_SHUTOFF_DESTROYED,
                               VIR_DOMAIN_EVENT_STOPPED_DESTROYED, false };
static const End not_started = { NULL, -1, VIR_DOMAIN_SHUTOFF_FAILED, -1,
                                 false };

static const End *
end_of(const CoreRun *run, const char *reason)
{
    const End *end = ends;

    if (run->destroying)
        return &destroyed;
    if (run->starting)
        return &not_started;
    while (end->reason && g_strcmp0(end->reason, reason) != 0)
        end++;
    return end;
}

static void
keep_failure(CoreDomain *domain, const CoreEngineEvent *event)
{
    if (!domain->failure)
        domain->failure = g_strndup(
            event->text ? event->text : _("the engine ended without a report"),
            FAILURE_MAX_BYTES);
    log_error("domain '%s' ended in a failure: %s; see %s/%s.log", domain->name,
              event->reason ? event->reason : "the engine died",
              domain->state->log_dir, domain->name);
}

/* Only sockets that were made to listen are left behind. */
static void
clean_host(const CoreDomain *domain)
{
    const CoreEngineOps *ops = domain->state->profile->engine;
    g_autoptr(ConfDomain) live = NULL;

    if (!ops->cleanup || !strstr(domain->def->xml, "'bind'"))
        return;
    live = core_def_open(domain->def, NULL);
    if (live)
        ops->cleanup(live);
}

/* The definition of the next start is the definition again. */
static void
drop_live(CoreDomain *domain)
{
    core_status_remove(domain);
    clean_host(domain);
    if (domain->new_def) {
        core_def_unref(domain->def);
        domain->def = g_steal_pointer(&domain->new_def);
    }
    domain->id = -1;
    domain->updated = false;
}

void
core_run_ended(CoreDomain *domain, const CoreEngineEvent *event)
{
    const VirtkvmHost *host = domain->state->host;
    CoreRun *run = domain->run;
    const End *end = end_of(run, event->reason);
    bool quiet = run->starting;

    if (end->shutdown >= 0 && !run->shutdown_seen)
        core_event_lifecycle(domain, VIR_DOMAIN_EVENT_SHUTDOWN, end->shutdown);
    if (end->failure)
        keep_failure(domain, event);
    core_console_end_all(run);
    drop_live(domain);
    domain->run = NULL;
    core_domain_set_state(domain, VIR_DOMAIN_SHUTOFF, end->shutoff);
    if (!quiet)
        core_event_lifecycle(domain, VIR_DOMAIN_EVENT_STOPPED, end->detail);
    core_run_free(run);
    if (host->hold)
        host->hold(host, -1);
}

/* ids are not used twice: the same id is the same run. */
static bool
wait_ended(CoreDomain *domain, int id, gint64 wait_ms)
{
    gint64 deadline = g_get_monotonic_time() + wait_ms * 1000;

    while (domain->id == id)
        if (!g_cond_wait_until(&domain->changed, &domain->lock, deadline))
            break;
    return domain->id != id;
}

static bool
signal_engine(CoreDomain *domain, bool force, GError **error)
{
    CoreRun *run = domain->run;

    run->destroying = true;
    if (!run->engine || run->engine->ops->kill(run->engine, force, error))
        return true;
    run->destroying = false;
    core_status_save(domain);
    return false;
}

/* Whoever wants the run's end while it is being started leaves the ending to
 * the starter, which sees run->destroying. An engine that can end in order is
 * given the time: it writes what it holds, and the kernel is done with a young
 * virtual machine in half the time. */
bool
core_run_kill(CoreDomain *domain, bool force, GError **error)
{
    int id = domain->id;

    domain->run->destroying = true;
    if (force)
        core_status_save(domain); /* the next daemon does it if this one ends */
    if (!signal_engine(domain, false, error))
        return false;
    if (wait_ended(domain, id,
                   force ? CORE_TERMINATE_WAIT_MS : CORE_GRACEFUL_WAIT_MS))
        return true;
    if (force) {
        if (!signal_engine(domain, true, error))
            return false;
        if (wait_ended(domain, id, CORE_KILL_WAIT_MS))
            return true;
    }
    domain->run->destroying = force;
    error_set(error, VIR_ERR_OPERATION_FAILED,
              force ? _("the engine of domain '%s' does not end")
                    : _("domain '%s' did not end gracefully in time"),
              domain->name);
    return false;
}
