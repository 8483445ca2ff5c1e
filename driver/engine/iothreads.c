/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/io.h"
#include "engine/machine.h"
#include "engine/msi.h"
#include "util/error.h"
#include "util/i18n.h"

EngineIo *
engine_io(Engine *engine, unsigned number, GError **error)
{
    char name[16] = "io";

    if (number > engine->config->iothreads) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("there is no I/O thread %u"), number);
        return NULL;
    }
    if (number > 0)
        g_snprintf(name, sizeof(name), "io-%u", number);
    if (!engine->ios[number]) {
        engine->ios[number] = engine_io_new(name, error);
        if (engine->status == ENGINE_STATUS_PAUSED)
            engine_io_pause(engine->ios[number]);
    }
    return engine->ios[number];
}

void
engine_iothreads_pause(Engine *engine)
{
    for (unsigned i = 0; i <= engine->config->iothreads; i++)
        engine_io_pause(engine->ios[i]);
}

void
engine_iothreads_resume(Engine *engine)
{
    for (unsigned i = 0; i <= engine->config->iothreads; i++)
        engine_io_resume(engine->ios[i]);
}

void
engine_iothreads_free(Engine *engine)
{
    for (unsigned i = 0; i <= engine->config->iothreads; i++)
        g_clear_pointer(&engine->ios[i], engine_io_free);
}
