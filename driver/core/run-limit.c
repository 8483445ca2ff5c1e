/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/run.h"

#include <inttypes.h>

/* A guest may set its clock, open its ports, move its balloon and fail to read
 * as often as it likes; the daemon takes note, and clients hear of it, at a
 * bounded rate. */

/* Kinds and devices of one domain; a bound on an engine that invents some. */
#define LIMITS_MAX 1024

/* What is told at a bounded rate: one kind of event, of one device. */
typedef struct Limit {
    gint64 told;              /* monotonic us */
    CoreEngineEvent *waiting; /* the last one since, or NULL */
} Limit;

typedef struct Later {
    CoreDomain *domain;
    int id; /* of the run */
    char *key;
} Later;

static void
limit_free(gpointer data)
{
    Limit *limit = data;

    g_clear_pointer(&limit->waiting, core_run_event_free);
    g_free(limit);
}

/* NULL: there are too many. */
static Limit *
limit_of(CoreRun *run, const char *key)
{
    Limit *limit;

    if (!run->limits)
        run->limits =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, limit_free);
    limit = g_hash_table_lookup(run->limits, key);
    if (limit || g_hash_table_size(run->limits) >= LIMITS_MAX)
        return limit;
    limit = g_new0(Limit, 1);
    g_hash_table_insert(run->limits, g_strdup(key), limit);
    return limit;
}

static void
tell(CoreDomain *domain, Limit *limit, const CoreEngineEvent *event)
{
    limit->told = g_get_monotonic_time();
    core_run_tell(domain, event);
}

static gboolean
tell_later(gpointer data)
{
    const Later *later = data;
    CoreDomain *domain = later->domain;
    Limit *limit;

    core_domain_lock(domain);
    limit = domain->run && domain->id == later->id
                ? limit_of(domain->run, later->key)
                : NULL;
    if (limit && limit->waiting) {
        CoreEngineEvent *event = g_steal_pointer(&limit->waiting);

        tell(domain, limit, event);
        core_run_event_free(event);
    }
    core_domain_unlock(domain);
    return G_SOURCE_REMOVE;
}

static void
later_free(gpointer data)
{
    Later *later = data;

    core_domain_unref(later->domain);
    g_free(later->key);
    g_free(later);
}

static void
schedule(CoreDomain *domain, const char *key, guint delay_ms)
{
    GSource *source = g_timeout_source_new(delay_ms);
    Later *later = g_new(Later, 1);

    later->domain = core_domain_ref(domain);
    later->id = domain->id;
    later->key = g_strdup(key);
    g_source_set_callback(source, tell_later, later, later_free);
    g_source_attach(source, domain->state->io);
    g_source_unref(source);
}

void
core_run_limit(CoreDomain *domain, const CoreEngineEvent *event)
{
    g_autofree char *key = g_strdup_printf(
        "%d %s %" PRId64, event->kind, event->id ? event->id : "",
        event->kind == CORE_ENGINE_CHANNEL ? event->value : 0);
    Limit *limit = limit_of(domain->run, key);
    gint64 since_ms;

    if (!limit)
        return;
    since_ms = (g_get_monotonic_time() - limit->told) / 1000;
    if (limit->told == 0 || since_ms >= CORE_LIMIT_MS) {
        g_clear_pointer(&limit->waiting, core_run_event_free);
        tell(domain, limit, event);
        return;
    }
    if (!limit->waiting)
        schedule(domain, key, (guint)(CORE_LIMIT_MS - since_ms));
    g_clear_pointer(&limit->waiting, core_run_event_free);
    limit->waiting = core_run_event_copy(event);
}
