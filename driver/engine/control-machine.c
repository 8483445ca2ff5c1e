/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/control-command.h"

#include <unistd.h>

#include "engine/config.h"
#include "engine/dev/dev.h"

/* --- queries -------------------------------------------------------------- */
static json_t *
run_query_status(Engine *engine, void *arguments, GError **error)
{
    EngineStatus status = engine_status(engine);

    return json_pack("{s:s,s:b,s:i}", "status", engine_status_name(status),
                     "running", status == ENGINE_STATUS_RUNNING, "pid",
                     (int)getpid());
}

static json_t *
run_query_cpus(Engine *engine, void *arguments, GError **error)
{
    g_autoptr(GArray) cpus = engine_cpus(engine);
    json_t *list = json_array();

    for (guint i = 0; i < cpus->len; i++) {
        const EngineCpuInfo *cpu = &g_array_index(cpus, EngineCpuInfo, i);

        json_array_append_new(
            list, json_pack("{s:i,s:i,s:b,s:I}", "cpu", (int)cpu->index,
                            "thread_id", cpu->thread_id, "halted",
                            (int)cpu->halted, "exits", (json_int_t)cpu->exits));
    }
    return list;
}

static json_t *
run_query_memory(Engine *engine, void *arguments, GError **error)
{
    return json_pack("{s:I}", "size",
                     (json_int_t)engine_config(engine)->memory);
}

static json_t *
run_query_chardev(Engine *engine, void *arguments, GError **error)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < ENGINE_SERIALS_MAX; i++) {
        EngineDevice *device =
            engine_device_find(engine, &engine_serial_type, i);
        EngineChardev *chardev = device ? engine_serial_chardev(device) : NULL;
        char name[16];

        if (!chardev)
            continue;
        g_snprintf(name, sizeof(name), "serial%u", i);
        json_array_append_new(
            list, json_pack("{s:s,s:I}", "name", name, "dropped",
                            (json_int_t)engine_chardev_dropped(chardev)));
    }
    return list;
}

static json_t *
run_query_report(Engine *engine, void *arguments, GError **error)
{
    return json_pack("{s:o}", "report", engine_text(engine_report(engine)));
}

/* --- changes -------------------------------------------------------------- */
static json_t *
done(bool ok)
{
    return ok ? json_object() : NULL;
}

static json_t *
run_stop(Engine *engine, void *arguments, GError **error)
{
    return done(engine_stop(engine, error));
}

static json_t *
run_cont(Engine *engine, void *arguments, GError **error)
{
    return done(engine_cont(engine, error));
}

static json_t *
run_powerdown(Engine *engine, void *arguments, GError **error)
{
    engine_set_reboot(engine, false);
    return done(engine_powerdown(engine, error));
}

static json_t *
run_reboot(Engine *engine, void *arguments, GError **error)
{
    bool pressed = engine_powerdown(engine, error);

    if (pressed)
        engine_set_reboot(engine, true);
    return done(pressed);
}

static json_t *
run_reset(Engine *engine, void *arguments, GError **error)
{
    return done(engine_reset(engine, error));
}

static json_t *
run_quit(Engine *engine, void *arguments, GError **error)
{
    engine_quit(engine, "host-quit");
    return json_object();
}

const EngineControlCommand engine_control_machine[] = {
    { "cont", true, run_cont },
    { "query-chardev", false, run_query_chardev },
    { "query-cpus", false, run_query_cpus },
    { "query-memory", false, run_query_memory },
    { "query-report", false, run_query_report },
    { "query-status", false, run_query_status },
    { "quit", true, run_quit },
    { "stop", true, run_stop },
    { "system_powerdown", true, run_powerdown },
    { "system_reboot", true, run_reboot },
    { "system_reset", true, run_reset },
    { NULL },
};
