/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>

#include "engine/control-command.h"
#include "engine/virtio/blk-host.h"
#include "engine/virtio/devices.h"
#include "util/error.h"
#include "util/i18n.h"

#define ID_MAX_BYTES 255

static EngineDevice *
find_disk(Engine *engine, const char *id, GError **error)
{
    EngineDevice *device = engine_device_by_id(engine, id);

    if (device && device->type == &engine_virtio_blk_type)
        return device;
    error_set(error, VIR_ERR_INVALID_ARG, _("there is no disk '%s'"), id);
    return NULL;
}

/* --- query-block ---------------------------------------------------------- */
static const char *
error_name(int error)
{
    if (error == 0)
        return "none";
    return error == -ENOSPC ? "nospace" : "unspecified";
}

static void
add_number(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name, json_integer((json_int_t)value));
}

static void
add_stats(json_t *object, const EngineBlkStats *stats)
{
    static const struct {
        const char *operations, *bytes, *total_ns;
    } names[ENGINE_BLK_KINDS] = {
        [ENGINE_BLK_READ] = { "rd_operations", "rd_bytes", "rd_total_ns" },
        [ENGINE_BLK_WRITE] = { "wr_operations", "wr_bytes", "wr_total_ns" },
        [ENGINE_BLK_FLUSH] = { "flush_operations", NULL, "flush_total_ns" },
        [ENGINE_BLK_DISCARD] = { "discard_operations", "discard_bytes",
                                 "discard_total_ns" },
    };

    for (unsigned i = 0; i < ENGINE_BLK_KINDS; i++) {
        add_number(object, names[i].operations, stats->operations[i]);
        if (names[i].bytes)
            add_number(object, names[i].bytes, stats->bytes[i]);
        add_number(object, names[i].total_ns, stats->total_ns[i]);
    }
    add_number(object, "errors", stats->errors);
}

static json_t *
disk_info(EngineDevice *device)
{
    json_t *object = json_object();
    EngineBlkInfo info;

    engine_blk_info(device, &info);
    json_object_set_new(object, "id", engine_text(device->config->id));
    json_object_set_new(object, "error", json_string(error_name(info.error)));
    add_number(object, "size", info.image.size);
    add_number(object, "physical", info.image.physical);
    add_number(object, "allocation", info.image.allocation);
    add_number(object, "highest_offset", info.image.highest_offset);
    add_stats(object, &info.stats);
    return object;
}

static json_t *
run_query_block(Engine *engine, void *arguments, GError **error)
{
    g_autoptr(GPtrArray) configs = engine_device_configs(engine);
    json_t *list = json_array();

    for (guint i = 0; i < configs->len; i++) {
        const EngineDeviceConfig *config = g_ptr_array_index(configs, i);
        EngineDevice *disk = find_disk(engine, config->id, NULL);

        if (disk)
            json_array_append_new(list, disk_info(disk));
    }
    return list;
}

/* --- changes -------------------------------------------------------------- */
typedef struct ResizeArguments {
    char *id;
    uint64_t size;
} ResizeArguments;

static const EngineMember resize_members[] = {
    { "id", ENGINE_MEMBER_STRING, ENGINE_AT(ResizeArguments, id),
      .required = true, .min = 1, .max = ID_MAX_BYTES },
    { "size", ENGINE_MEMBER_UINT64, ENGINE_AT(ResizeArguments, size),
      .required = true, .min = 1, .max = INT64_MAX },
    { NULL },
};

static void
clear_resize(void *arguments)
{
    ResizeArguments *resize = arguments;

    g_free(resize->id);
}

static json_t *
run_resize(Engine *engine, void *arguments, GError **error)
{
    const ResizeArguments *resize = arguments;
    EngineDevice *disk = find_disk(engine, resize->id, error);

    if (!disk || !engine_blk_resize(disk, resize->size, error))
        return NULL;
    return json_object();
}

typedef struct ThrottleArguments {
    char *id;
    EngineThrottleConfig throttle;
} ThrottleArguments;

static bool
read_throttle(json_t *value, void *target, const EnginePlace *place,
              GError **error)
{
    return engine_members_read(value, engine_throttle_members, target, place,
                               error) &&
           engine_throttle_config_check(target, place, error);
}

static const EngineMember throttle_members[] = {
    { "id", ENGINE_MEMBER_STRING, ENGINE_AT(ThrottleArguments, id),
      .required = true, .min = 1, .max = ID_MAX_BYTES },
    { "throttle", ENGINE_MEMBER_CUSTOM, ENGINE_AT(ThrottleArguments, throttle),
      .required = true, .read = read_throttle },
    { NULL },
};

static void
clear_throttle(void *arguments)
{
    ThrottleArguments *throttle = arguments;

    engine_throttle_config_clear(&throttle->throttle);
    g_free(throttle->id);
}

static json_t *
run_set_throttle(Engine *engine, void *arguments, GError **error)
{
    const ThrottleArguments *throttle = arguments;
    EngineDevice *disk = find_disk(engine, throttle->id, error);

    if (!disk || !engine_blk_set_throttle(disk, &throttle->throttle, error))
        return NULL;
    return json_object();
}

const EngineControlCommand engine_control_block[] = {
    { "block_resize", true, run_resize, resize_members, sizeof(ResizeArguments),
      clear_resize },
    { "block_set_throttle", true, run_set_throttle, throttle_members,
      sizeof(ThrottleArguments), clear_throttle },
    { "query-block", false, run_query_block },
    { NULL },
};
