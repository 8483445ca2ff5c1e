/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/engine-null.h"

#include "core/echo.h"
#include "core/engine-devices.h"
#include "core/state.h"

/**
 * The engine that runs nothing: its guest is an obedient one that only knows
 * the power button. For trying scripts and for testing the state machine.
 */

typedef struct NullEvent {
    NullEngine *engine;
    CoreEngineEvent event;
} NullEvent;

static bool null_detach(CoreEngine *base);

static void
deliver(NullEngine *engine, const CoreEngineEvent *event)
{
    CoreEngineEventFn handler;
    gpointer opaque;

    g_mutex_lock(&engine->lock);
    handler = engine->event;
    opaque = engine->opaque;
    g_mutex_unlock(&engine->lock);
    if (event->kind == CORE_ENGINE_EXITED)
        (void)null_detach(&engine->engine);
    if (handler)
        handler(&engine->engine, opaque, event);
}

static gboolean
deliver_idle(gpointer data)
{
    const NullEvent *queued = data;

    deliver(queued->engine, &queued->event);
    return G_SOURCE_REMOVE;
}

static void
event_unref(gpointer data)
{
    NullEvent *queued = data;

    core_engine_unref(&queued->engine->engine);
    g_free((char *)queued->event.id);
    g_free(queued);
}

static void
attach(NullEngine *engine, GSource *source, GSourceFunc call, gpointer data)
{
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, call, data, event_unref);
    g_source_attach(source, engine->state->io);
}

void
core_null_queue(NullEngine *engine, const CoreEngineEvent *event)
{
    NullEvent *queued = g_new(NullEvent, 1);
    GSource *source = g_idle_source_new();

    core_engine_ref(&engine->engine);
    queued->engine = engine;
    queued->event = *event;
    queued->event.id = g_strdup(event->id);
    attach(engine, source, deliver_idle, queued);
    g_source_unref(source);
}

static CoreEngine *
null_new(VirtkvmState *state, bool paused)
{
    NullEngine *engine = g_new0(NullEngine, 1);

    g_atomic_ref_count_init(&engine->engine.refs);
    engine->engine.ops = state->profile->engine; /* a test may change some */
    engine->state = state;
    engine->paused = paused;
    engine->sizes =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&engine->lock);
    return &engine->engine;
}

static CoreEngine *
null_spawn(const CoreEngineLaunch *launch, GError **error)
{
    return null_new(launch->state, launch->paused);
}

static void
set_handler(NullEngine *engine, CoreEngineEventFn event, gpointer opaque)
{
    g_mutex_lock(&engine->lock);
    engine->event = event;
    engine->opaque = opaque;
    g_mutex_unlock(&engine->lock);
}

static bool
null_begin(CoreEngine *base, CoreEngineEventFn event, gpointer opaque,
           GError **error)
{
    set_handler((NullEngine *)base, event, opaque);
    return true;
}

/* Nothing ran, so nothing can have ended: all of them are still there. */
static CoreEngine *
null_find(VirtkvmState *state, int id, const char *name,
          const CoreEngineRecord *record, CoreEngineExit *ret_exit)
{
    return null_new(state, record->paused);
}

static bool
null_reconnect(CoreEngine *base, CoreEngineEventFn event, gpointer opaque,
               CoreEngineStatus *ret_status, GError **error)
{
    NullEngine *engine = (NullEngine *)base;

    set_handler(engine, event, opaque);
    *ret_status =
        engine->paused ? CORE_ENGINE_STATUS_PAUSED : CORE_ENGINE_STATUS_RUNNING;
    return true;
}

/* The event comes before the answer, as from a real engine: after it, a later
 * call could already have changed the state again. */
static bool
set_paused(CoreEngine *base, bool paused, CoreEngineEventKind kind)
{
    NullEngine *engine = (NullEngine *)base;
    CoreEngineEvent event = { .kind = kind };

    g_mutex_lock(&engine->lock);
    engine->paused = paused;
    g_mutex_unlock(&engine->lock);
    deliver(engine, &event);
    return true;
}

static bool
null_stop(CoreEngine *base, GError **error)
{
    return set_paused(base, true, CORE_ENGINE_STOP);
}

static bool
null_cont(CoreEngine *base, GError **error)
{
    return set_paused(base, false, CORE_ENGINE_RESUME);
}

static bool
null_reset(CoreEngine *base, GError **error)
{
    static const CoreEngineEvent event = { .kind = CORE_ENGINE_RESET };

    core_null_queue((NullEngine *)base, &event);
    return true;
}

/* The button's moment has come. A guest that is paused waits on. */
static gboolean
powered_off(gpointer data)
{
    NullEngine *engine = ((NullEvent *)data)->engine;
    CoreEngineEvent shutdown = { .kind = CORE_ENGINE_SHUTDOWN,
                                 .guest = true,
                                 .reason = "guest-shutdown" };
    CoreEngineEvent exited = { .kind = CORE_ENGINE_EXITED,
                               .reason = "guest-shutdown" };
    CoreEngineEvent reset = { .kind = CORE_ENGINE_RESET, .guest = true };
    bool paused, reboot;

    g_mutex_lock(&engine->lock);
    paused = engine->paused;
    reboot = engine->reboot;
    if (!paused)
        g_clear_pointer(&engine->button, g_source_unref);
    g_mutex_unlock(&engine->lock);
    if (paused)
        return G_SOURCE_CONTINUE;
    if (reboot) {
        deliver(engine, &reset);
        return G_SOURCE_REMOVE;
    }
    deliver(engine, &shutdown);
    deliver(engine, &exited);
    return G_SOURCE_REMOVE;
}

static bool
null_powerdown(CoreEngine *base, bool reboot, GError **error)
{
    NullEngine *engine = (NullEngine *)base;
    NullEvent *queued = NULL;

    g_mutex_lock(&engine->lock);
    engine->reboot = reboot;
    if (!engine->button) {
        queued = g_new0(NullEvent, 1);
        queued->engine = engine;
        core_engine_ref(base);
        engine->button = g_timeout_source_new(CORE_NULL_POWERDOWN_MS);
        attach(engine, engine->button, powered_off, queued);
    }
    g_mutex_unlock(&engine->lock);
    return true;
}

static bool
null_kill(CoreEngine *base, bool force, GError **error)
{
    static const CoreEngineEvent event = { .kind = CORE_ENGINE_EXITED,
                                           .reason = "host-quit" };

    core_null_queue((NullEngine *)base, &event);
    return true;
}

static void
null_record(CoreEngine *base, CoreEngineRecord *ret_record)
{
    *ret_record = (CoreEngineRecord){ 0 };
}

static int
null_console(CoreEngine *base, GError **error)
{
    return core_echo_new(((NullEngine *)base)->state->io, error);
}

static bool
null_detach(CoreEngine *base)
{
    NullEngine *engine = (NullEngine *)base;
    GSource *button;
    bool attached;

    g_mutex_lock(&engine->lock);
    attached = engine->event != NULL;
    engine->event = NULL;
    button = g_steal_pointer(&engine->button);
    g_mutex_unlock(&engine->lock);
    if (button) {
        g_source_destroy(button);
        g_source_unref(button);
    }
    return attached;
}

static void
null_free(CoreEngine *base)
{
    NullEngine *engine = (NullEngine *)base;

    g_hash_table_destroy(engine->sizes);
    g_mutex_clear(&engine->lock);
    g_free(engine);
}

const CoreEngineOps core_engine_null_ops = {
    .spawn = null_spawn,
    .begin = null_begin,
    .find = null_find,
    .reconnect = null_reconnect,
    .stop = null_stop,
    .cont = null_cont,
    .reset = null_reset,
    .powerdown = null_powerdown,
    .kill = null_kill,
    .record = null_record,
    .console = null_console,
    .detach = null_detach,
    .free = null_free,
    .devices = &core_engine_null_devices,
};
