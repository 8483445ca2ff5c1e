/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/machine.h"

void
engine_set_listener(Engine *engine, EngineEventFn listener, void *opaque)
{
    engine->listener = listener;
    engine->listener_opaque = opaque;
}

void
engine_event(Engine *engine, const char *name, json_t *data)
{
    json_t *owned = data ? data : json_object();

    if (engine->listener)
        engine->listener(engine->listener_opaque, name, owned);
    json_decref(owned);
}

/* An event on its way to the main thread. */
typedef struct Posted {
    Engine *engine;
    const char *name;
    json_t *data;
} Posted;

static gboolean
on_posted(gpointer opaque)
{
    Posted *posted = opaque;

    engine_event(posted->engine, posted->name, g_steal_pointer(&posted->data));
    return G_SOURCE_REMOVE;
}

static void
posted_free(gpointer opaque)
{
    Posted *posted = opaque;

    json_decref(posted->data);
    g_free(posted);
}

void
engine_event_post(Engine *engine, const char *name, json_t *data)
{
    Posted *posted = g_new(Posted, 1);

    *posted = (Posted){ engine, name, data };
    g_idle_add_full(G_PRIORITY_DEFAULT, on_posted, posted, posted_free);
}
