/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "engine/control-command.h"
#include "engine/scsi/unit.h"
#include "engine/virtio/blk-host.h"
#include "engine/virtio/devices.h"
#include "util/error.h"
#include "util/i18n.h"

#define ID_MAX_BYTES 255

static bool
is_unit(const EngineDevice *device)
{
    return device->type == &engine_scsi_unit_type;
}

static EngineDevice *
find_disk(Engine *engine, const char *id, GError **error)
{
    EngineDevice *device = engine_device_by_id(engine, id);

    if (device && (device->type == &engine_virtio_blk_type || is_unit(device)))
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

/* What only a drive for discs has. */
static void
add_drive(json_t *object, const ScsiUnit *unit)
{
    json_object_set_new(object, "medium",
                        json_boolean(engine_disk_has_medium(&unit->disk)));
    json_object_set_new(
        object, "tray_open",
        json_boolean(__atomic_load_n(&unit->open, __ATOMIC_RELAXED)));
    json_object_set_new(
        object, "locked",
        json_boolean(__atomic_load_n(&unit->locked, __ATOMIC_RELAXED)));
}

static json_t *
disk_info(EngineDevice *device)
{
    json_t *object = json_object();
    EngineBlkInfo info;

    if (is_unit(device))
        engine_disk_info(&((ScsiUnit *)device)->disk, &info);
    else
        engine_blk_info(device, &info);
    json_object_set_new(object, "id", engine_text(device->config->id));
    json_object_set_new(object, "error", json_string(error_name(info.error)));
    add_number(object, "size", info.image.size);
    add_number(object, "physical", info.image.physical);
    add_number(object, "allocation", info.image.allocation);
    add_number(object, "highest_offset", info.image.highest_offset);
    add_stats(object, &info.stats);
    if (is_unit(device) && ((ScsiUnit *)device)->is_disc)
        add_drive(object, (ScsiUnit *)device);
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

    if (!disk)
        return NULL;
    if (!(is_unit(disk) ? engine_scsi_resize
                        : engine_blk_resize)(disk, resize->size, error))
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
    bool ok = disk != NULL;

    if (ok && is_unit(disk))
        ok = engine_disk_set_throttle(&((ScsiUnit *)disk)->disk,
                                      &throttle->throttle, error);
    else if (ok)
        ok = engine_blk_set_throttle(disk, &throttle->throttle, error);
    return ok ? json_object() : NULL;
}

/* --- media ---------------------------------------------------------------- */
typedef struct MediumArguments {
    char *id;
    bool force;
    EngineDriveConfig *drive; /* NULL: none */
    GArray *fds;              /* int: that it names; NULL: none */
} MediumArguments;

static bool
read_drive(json_t *value, void *target, const EnginePlace *place,
           GError **error)
{
    MediumArguments *medium = target;
    const GArray *noted = place->reader->fds;
    guint first = noted ? noted->len : 0;

    medium->drive = engine_drive_config_new(value, place, error);
    if (!medium->drive)
        return false;
    medium->fds = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = first; noted && i < noted->len; i++)
        g_array_append_val(medium->fds, g_array_index(noted, int, i));
    return true;
}

static const EngineMember medium_members[] = {
    { "id", ENGINE_MEMBER_STRING, ENGINE_AT(MediumArguments, id),
      .required = true, .min = 1, .max = ID_MAX_BYTES },
    { "force", ENGINE_MEMBER_BOOL, ENGINE_AT(MediumArguments, force) },
    { "drive", ENGINE_MEMBER_CUSTOM, .offset = 0, .read = read_drive },
    { NULL },
};

static void
clear_medium(void *arguments)
{
    MediumArguments *medium = arguments;

    engine_drive_config_free(medium->drive);
    if (medium->fds)
        g_array_unref(medium->fds);
    g_free(medium->id);
}

/* What a command that succeeds has named is its own. */
static void
close_all(const GArray *fds)
{
    for (guint i = 0; fds && i < fds->len; i++)
        (void)close(g_array_index(fds, int, i));
}

static json_t *
run_change_medium(Engine *engine, void *arguments, GError **error)
{
    MediumArguments *medium = arguments;
    EngineDevice *disk = find_disk(engine, medium->id, error);

    if (disk && !is_unit(disk)) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("'%s' is no drive for removable media"), medium->id);
        return NULL;
    }
    if (!disk)
        return NULL;
    if (!medium->force && engine_scsi_is_locked(disk)) {
        close_all(medium->fds);
        return json_pack("{s:b}", "asked", 1);
    }
    if (!engine_scsi_change_medium(disk, medium->drive, error))
        return NULL;
    medium->drive = NULL; /* the drive's now */
    engine_device_replace_fds(engine, disk, medium->fds);
    return json_object();
}

const EngineControlCommand engine_control_block[] = {
    { "block_resize", true, run_resize, resize_members, sizeof(ResizeArguments),
      clear_resize },
    { "block_set_throttle", true, run_set_throttle, throttle_members,
      sizeof(ThrottleArguments), clear_throttle },
    { "change_medium", true, run_change_medium, medium_members,
      sizeof(MediumArguments), clear_medium },
    { "query-block", false, run_query_block },
    { NULL },
};
