/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/run.h"
#include "core/settings.h"

#include "core/engine-devices.h"
#include "core/events.h"
#include "core/nvram.h"
#include "core/status.h"
#include "util/error.h"
#include "util/i18n.h"

CoreRun *
core_run_new(void)
{
    CoreRun *run = g_new0(CoreRun, 1);

    g_queue_init(&run->deferred);
    run->autodestroy = CORE_NO_CLIENT;
    run->pause_reason = VIR_DOMAIN_PAUSED_UNKNOWN;
    return run;
}

void
core_run_free(CoreRun *run)
{
    if (!run)
        return;
    core_engine_unref(run->engine);
    g_queue_clear_full(&run->deferred, core_run_event_free);
    g_strfreev(run->warnings);
    g_clear_pointer(&run->consoles, g_hash_table_destroy);
    g_clear_pointer(&run->limits, g_hash_table_destroy);
    g_free(run->unplugging);
    g_free(run);
}

/* --- starting ------------------------------------------------------------ */

static void
keep_warnings(CoreRun *run, GPtrArray *warnings)
{
    g_strfreev(run->warnings);
    g_ptr_array_add(warnings, NULL);
    run->warnings = g_strdupv((char **)warnings->pdata);
    g_ptr_array_set_size(warnings, (int)warnings->len - 1);
}

void
core_run_add_warnings(CoreDomain *domain, const GPtrArray *warnings)
{
    CoreRun *run = domain->run;
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    guint count = run->warnings ? g_strv_length(run->warnings) : 0;

    if (run->warnings)
        g_strv_builder_addv(all, (const char **)run->warnings);
    for (guint i = 0; i < warnings->len && count < CORE_RUN_WARNINGS_MAX; i++) {
        const char *warning = g_ptr_array_index(warnings, i);

        if (run->warnings &&
            g_strv_contains((const char *const *)run->warnings, warning))
            continue;
        g_strv_builder_add(all, warning);
        count++;
    }
    g_strfreev(run->warnings);
    run->warnings = g_strv_builder_end(all);
}

static bool
run_new_checked(CoreDomain *domain, const CoreStart *start, GPtrArray *warnings,
                GError **error)
{
    if (!core_settings_apply(domain->state, start->conf, error) ||
        !conf_domain_check_start(start->conf, warnings, error))
        return false;
    domain->run = core_run_new();
    domain->run->starting = true;
    domain->run->autodestroy = start->autodestroy;
    keep_warnings(domain->run, warnings);
    domain->id = core_state_next_id(domain->state);
    core_domain_set_state(domain, VIR_DOMAIN_SHUTOFF,
                          VIR_DOMAIN_SHUTOFF_UNKNOWN);
    return true;
}

/* Before an engine was there. */
static void
run_abandon(CoreDomain *domain)
{
    g_clear_pointer(&domain->run, core_run_free);
    domain->id = -1;
    core_domain_set_state(domain, VIR_DOMAIN_SHUTOFF,
                          VIR_DOMAIN_SHUTOFF_FAILED);
}

static void
adopt_engine(CoreDomain *domain, CoreEngine *engine, CoreDef *live)
{
    const VirtkvmHost *host = domain->state->host;

    domain->run->engine = engine;
    if (domain->persistent && !domain->new_def)
        domain->new_def = domain->def;
    else
        core_def_unref(domain->def);
    domain->def = live;
    g_clear_pointer(&domain->failure, g_free);
    if (host->hold)
        host->hold(host, 1);
}

/* Without the lock. A definition that is older than its firmware has not chosen
 * one yet. */
static bool
prepare(const CoreDomain *domain, const CoreStart *start, GError **error)
{
    const ConfOs *os = &start->conf->os;

    if (os->firmware && !os->loader.path &&
        !core_firmware_choose(domain->state, start->conf, error))
        return false;
    return core_nvram_prepare(domain->state, start->conf, start->reset_nvram,
                              error);
}

/* Paths of disks by their aliases, to find those that start without one. */
static GHashTable *
note_media(const ConfDomain *conf)
{
    GHashTable *media =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < conf->disks->len; i++) {
        const ConfDisk *disk = conf->disks->pdata[i];

        if (disk->path && disk->startup == CONF_STARTUP_OPTIONAL)
            g_hash_table_replace(media, g_strdup(disk->alias),
                                 g_strdup(disk->path));
    }
    return media;
}

static void
tell_missing(CoreDomain *domain, const ConfDomain *conf, GHashTable *media)
{
    for (guint i = 0; i < conf->disks->len; i++) {
        const ConfDisk *disk = conf->disks->pdata[i];
        const char *path = g_hash_table_lookup(media, disk->alias);

        if (path && !disk->path)
            core_event_disk_missing(domain, disk->alias, path);
    }
}

static bool
spawn(CoreDomain *domain, const CoreStart *start, GPtrArray *warnings,
      GError **error)
{
    CoreEngineLaunch launch = { .state = domain->state,
                                .id = domain->id,
                                .live = start->conf,
                                .paused = start->paused,
                                .warnings = warnings };
    g_autoptr(GHashTable) media = NULL;
    CoreEngine *engine;
    CoreDef *live = NULL;

    core_domain_unlock(domain);
    start->conf->live.id = launch.id;
    conf_domain_assign_live(start->conf);
    media = note_media(start->conf);
    engine = prepare(domain, start, error)
                 ? domain->state->profile->engine->spawn(&launch, error)
                 : NULL;
    if (engine)
        live = core_def_new_live(start->conf);
    core_domain_lock(domain);
    if (!engine) {
        run_abandon(domain);
        return false;
    }
    adopt_engine(domain, engine, live);
    tell_missing(domain, start->conf, media);
    keep_warnings(domain->run, warnings);
    return true;
}

/* A guest that is to have less than all begins with all of it. What it has is
 * then told by events; 0: what it is to have. */
static uint64_t
ask_balloon(CoreEngine *engine, const CoreDef *def)
{
    uint64_t bytes = 0;

    if (!def->has_balloon || def->current_kib >= def->memory_kib ||
        !engine->ops->devices->balloon_actual ||
        !engine->ops->devices->balloon_actual(engine, &bytes, NULL))
        return 0;
    return bytes / 1024;
}

static bool
begin(CoreDomain *domain, GError **error)
{
    CoreEngine *engine = core_engine_ref(domain->run->engine);
    g_autoptr(CoreDef) def = core_def_ref(domain->def);
    uint64_t balloon_kib = 0;
    bool begun;

    core_domain_ref(domain); /* for the events, until EXITED */
    if (domain->run->destroying)
        (void)engine->ops->kill(engine, true, NULL);
    core_domain_unlock(domain);
    begun = engine->ops->begin(engine, core_run_event, domain, error);
    if (begun)
        balloon_kib = ask_balloon(engine, def);
    core_domain_lock(domain);
    domain->run->balloon_kib = balloon_kib;
    core_engine_unref(engine);
    return begun;
}

/* A guest that the next daemon could not find must not run; its engine is ended
 * and waited for like one that fails to begin. */
static bool
note_and_begin(CoreDomain *domain, GError **error)
{
    CoreEngine *engine = domain->run->engine;

    if (core_status_write(domain, error))
        return begin(domain, error);
    (void)engine->ops->kill(engine, true, NULL);
    (void)begin(domain, NULL);
    return false;
}

/* The lock is not released before replay(): no event comes in between. */
static void
started(CoreDomain *domain, bool paused)
{
    domain->run->starting = false;
    core_domain_set_state(
        domain, paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING,
        paused ? (int)VIR_DOMAIN_PAUSED_USER : (int)VIR_DOMAIN_RUNNING_BOOTED);
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_STARTED,
                         VIR_DOMAIN_EVENT_STARTED_BOOTED);
    if (paused)
        core_event_lifecycle(domain, VIR_DOMAIN_EVENT_SUSPENDED,
                             VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    core_status_save(domain);
}

/* What the engine told while it was started, now that it is. */
static void
replay(CoreDomain *domain)
{
    GQueue events = domain->run->deferred;
    CoreEngineEvent *event;

    g_queue_init(&domain->run->deferred);
    while ((event = g_queue_pop_head(&events))) {
        if (domain->run) /* else it has ended */
            core_run_handle(domain, event);
        core_run_event_free(event);
    }
}

static const CoreEngineEvent *
deferred_exit(const CoreRun *run)
{
    const CoreEngineEvent *last = g_queue_peek_tail((GQueue *)&run->deferred);

    return last && last->kind == CORE_ENGINE_EXITED ? last : NULL;
}

/* The engine did not get as far as running the guest: end it without a word
 * to anybody but the caller. */
static void
start_failed(CoreDomain *domain)
{
    static const CoreEngineEvent unknown = { .kind = CORE_ENGINE_EXITED };
    CoreRun *run = domain->run;
    gint64 deadline = g_get_monotonic_time() + (gint64)CORE_KILL_WAIT_MS * 1000;

    (void)run->engine->ops->kill(run->engine, true, NULL);
    while (!deferred_exit(run))
        if (!g_cond_wait_until(&domain->changed, &domain->lock, deadline))
            break;
    core_run_ended(domain, deferred_exit(run) ? deferred_exit(run) : &unknown);
}

bool
core_run_start(CoreDomain *domain, const CoreStart *start, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) failure = NULL;

    if (!run_new_checked(domain, start, warnings, error) ||
        !spawn(domain, start, warnings, error))
        return false;
    if (!note_and_begin(domain, &failure)) {
        if (domain->run->destroying)
            error_set(error, VIR_ERR_OPERATION_FAILED,
                      _("domain '%s' was destroyed while it was starting"),
                      domain->name);
        else
            g_propagate_error(error, g_steal_pointer(&failure));
        start_failed(domain);
        return false;
    }
    started(domain, start->paused);
    replay(domain);
    return true;
}
