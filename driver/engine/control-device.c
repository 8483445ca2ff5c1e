/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/control-command.h"

#define ID_MAX_BYTES 255

/* --- devices in and out --------------------------------------------------- */
typedef struct AddArguments {
    EngineDeviceConfig *device;
} AddArguments;

typedef struct IdArguments {
    char *id;
} IdArguments;

static bool
read_device(json_t *value, void *target, const EnginePlace *place,
            GError **error)
{
    AddArguments *arguments = target;

    arguments->device = engine_device_config_new(value, place, error);
    return arguments->device != NULL;
}

static const EngineMember add_members[] = {
    { "device", ENGINE_MEMBER_CUSTOM, .offset = 0, .required = true,
      .read = read_device },
    { NULL },
};

static const EngineMember id_members[] = {
    { "id", ENGINE_MEMBER_STRING, ENGINE_AT(IdArguments, id), .required = true,
      .min = 1, .max = ID_MAX_BYTES },
    { NULL },
};

static json_t *
run_device_add(Engine *engine, void *arguments, GError **error)
{
    AddArguments *add = arguments;

    if (!engine_device_plug(engine, add->device, error))
        return NULL;
    add->device = NULL;
    return json_object();
}

static void
clear_add(void *arguments)
{
    AddArguments *add = arguments;

    g_clear_pointer(&add->device, engine_device_config_free);
}

static json_t *
run_device_del(Engine *engine, void *arguments, GError **error)
{
    const IdArguments *del = arguments;

    return engine_device_unplug(engine, del->id, error) ? json_object() : NULL;
}

static void
clear_id(void *arguments)
{
    IdArguments *del = arguments;

    g_clear_pointer(&del->id, g_free);
}

static json_t *
run_query_devices(Engine *engine, void *arguments, GError **error)
{
    g_autoptr(GPtrArray) configs = engine_device_configs(engine);
    json_t *list = json_array();

    for (guint i = 0; i < configs->len; i++) {
        const EngineDeviceConfig *config = g_ptr_array_index(configs, i);

        json_array_append_new(
            list,
            json_pack("{s:o,s:s,s:i,s:i}", "id", engine_text(config->id),
                      "type", engine_device_kind_name(config->kind), "slot",
                      (int)config->slot, "function", (int)config->function));
    }
    return list;
}

const EngineControlCommand engine_control_device[] = {
    { "device_add", true, run_device_add, add_members, sizeof(AddArguments),
      clear_add },
    { "device_del", true, run_device_del, id_members, sizeof(IdArguments),
      clear_id },
    { "query-devices", false, run_query_devices },
    { NULL },
};
