/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/events.h"
#include "core/run.h"

/* A guest may set its clock as often as it likes; clients hear of it at a
 * bounded rate. */

typedef struct Later {
    CoreDomain *domain;
    int id; /* of the run */
} Later;

static void
send_now(CoreDomain *domain, int64_t offset_s)
{
    domain->run->rtc_sent = g_get_monotonic_time();
    domain->run->rtc_waiting = false;
    core_event_rtc_change(domain, offset_s);
}

static gboolean
send_later(gpointer data)
{
    const Later *later = data;
    CoreDomain *domain = later->domain;

    core_domain_lock(domain);
    if (domain->run && domain->id == later->id && domain->run->rtc_waiting)
        send_now(domain, domain->run->rtc_offset_s);
    core_domain_unlock(domain);
    return G_SOURCE_REMOVE;
}

static void
later_free(gpointer data)
{
    core_domain_unref(((Later *)data)->domain);
    g_free(data);
}

static void
schedule(CoreDomain *domain, guint delay_ms)
{
    GSource *source = g_timeout_source_new(delay_ms);
    Later *later = g_new(Later, 1);

    later->domain = core_domain_ref(domain);
    later->id = domain->id;
    g_source_set_callback(source, send_later, later, later_free);
    g_source_attach(source, domain->state->io);
    g_source_unref(source);
}

void
core_run_clock_set(CoreDomain *domain, int64_t offset_s)
{
    CoreRun *run = domain->run;
    gint64 since_ms = (g_get_monotonic_time() - run->rtc_sent) / 1000;

    if (run->rtc_sent == 0 || since_ms >= CORE_RTC_INTERVAL_MS) {
        send_now(domain, offset_s);
        return;
    }
    run->rtc_offset_s = offset_s;
    if (!run->rtc_waiting)
        schedule(domain, (guint)(CORE_RTC_INTERVAL_MS - since_ms));
    run->rtc_waiting = true;
}
