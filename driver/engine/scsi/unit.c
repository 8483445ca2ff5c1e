/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>

#include "engine/scsi/scsi.h"
#include "util/error.h"
#include "util/i18n.h"

/* Events of the medium (MMC-6, 6.6.2.5) */
#define EVENT_EJECT   1
#define EVENT_NEW     2
#define EVENT_REMOVAL 3

static ScsiUnit *
unit_of(EngineDevice *device)
{
    return (ScsiUnit *)device;
}

static void
tell(ScsiUnit *unit, ScsiNews news)
{
    const ScsiBus *bus = unit->controller->type->units;

    if (bus->news)
        bus->news(unit->controller, unit, news);
}

/* --- the tray; thread: I/O -------------------------------------------------
 */
void
scsi_move_tray(ScsiUnit *unit, bool open)
{
    if (unit->open == open)
        return;
    __atomic_store_n(&unit->open, open, __ATOMIC_RELAXED);
    if (!open && engine_disk_has_medium(&unit->disk)) {
        scsi_attention(unit, SCSI_ATTENTION_MEDIUM);
        unit->media_event = EVENT_NEW;
    } else if (open) {
        unit->media_event = EVENT_REMOVAL;
    }
    engine_event_post(unit->device.engine, "DEVICE_TRAY_MOVED",
                      json_pack("{s:o,s:b}", "id",
                                engine_text(unit->device.config->id),
                                "tray-open", (int)open));
}

static void
open_here(void *opaque)
{
    ScsiUnit *unit = opaque;

    __atomic_store_n(&unit->locked, false, __ATOMIC_RELAXED);
    scsi_move_tray(unit, true);
}

static void
close_here(void *opaque)
{
    ScsiUnit *unit = opaque;

    scsi_move_tray(unit, false);
    tell(unit, SCSI_NEWS_MEDIUM);
}

static void
ask_here(void *opaque)
{
    ScsiUnit *unit = opaque;

    unit->media_event = EVENT_EJECT;
    tell(unit, SCSI_NEWS_MEDIUM);
}

bool
engine_scsi_is_locked(EngineDevice *device)
{
    ScsiUnit *unit = unit_of(device);

    if (!__atomic_load_n(&unit->locked, __ATOMIC_RELAXED) ||
        __atomic_load_n(&unit->open, __ATOMIC_RELAXED))
        return false;
    engine_io_call(unit->disk.io, ask_here, unit);
    return true;
}

/* The tray goes out, and with the new medium, if any, in again. */
bool
engine_scsi_change_medium(EngineDevice *device, EngineDriveConfig *drive,
                          GError **error)
{
    ScsiUnit *unit = unit_of(device);
    EngineIo *io = unit->disk.io;
    bool loaded;

    if (!unit->is_disc) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("'%s' is no drive for removable media"),
                  device->config->id);
        return false;
    }
    engine_io_call(io, open_here, unit);
    loaded = engine_disk_load(&unit->disk, drive, error);
    if (loaded) {
        engine_drive_config_free(unit->medium);
        unit->medium = drive;
    }
    engine_io_call(io, close_here, unit);
    return loaded;
}

static void
resized_here(void *opaque)
{
    ScsiUnit *unit = opaque;

    scsi_attention(unit, SCSI_ATTENTION_CAPACITY);
    tell(unit, SCSI_NEWS_CAPACITY);
}

bool
engine_scsi_resize(EngineDevice *device, uint64_t size, GError **error)
{
    ScsiUnit *unit = unit_of(device);

    if (!engine_disk_resize(&unit->disk, size, error))
        return false;
    engine_io_call(unit->disk.io, resized_here, unit);
    return true;
}

/* --- life ----------------------------------------------------------------- */
void
scsi_unit_reset(ScsiUnit *unit)
{
    unit->attention = 1u << SCSI_ATTENTION_RESET;
    unit->media_event = 0;
    __atomic_store_n(&unit->locked, false, __ATOMIC_RELAXED);
    __atomic_store_n(&unit->disk.writeback, true, __ATOMIC_RELAXED);
}

static void
reset_here(void *opaque)
{
    ScsiUnit *unit = opaque;

    engine_disk_cancel(&unit->disk, -ECANCELED);
    scsi_unit_reset(unit);
    scsi_move_tray(unit, false);
    unit->attention = 1u << SCSI_ATTENTION_RESET;
}

static void
unit_reset(EngineDevice *device)
{
    engine_io_call(unit_of(device)->disk.io, reset_here, device);
}

static EngineDevice *
find_controller(Engine *engine, const EngineUnitConfig *config, GError **error)
{
    EngineDevice *controller = engine_device_by_id(engine, config->controller);

    if (controller && controller->type->units)
        return controller;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("there is no controller '%s' for disks"), config->controller);
    return NULL;
}

static bool
unit_realize(EngineDevice *device, Engine *engine, const EngineConfig *machine,
             unsigned index, GError **error)
{
    const EngineDeviceConfig *config = device->config;
    ScsiUnit *unit = unit_of(device);

    unit->controller = find_controller(engine, &config->unit, error);
    if (!unit->controller)
        return false;
    unit->is_disc = config->unit.kind == ENGINE_UNIT_CDROM;
    unit->target = config->unit.target;
    unit->lun = config->unit.lun;
    unit->disk.engine = engine;
    unit->disk.name = config->id;
    unit->disk.config = &config->blk;
    unit->disk.block_size =
        unit->is_disc ? SCSI_DISC_SIZE : config->blk.logical_block_size;
    unit->disk.io = unit->controller->type->units->io(unit->controller);
    scsi_unit_reset(unit);
    if (!engine_disk_init(&unit->disk, error))
        return false;
    if ((!config->blk.drive.path ||
         engine_disk_load(&unit->disk, &config->blk.drive, error)) &&
        unit->controller->type->units->attach(unit->controller, unit, error))
        return true;
    engine_disk_clear(&unit->disk);
    return false;
}

static void
unit_unrealize(EngineDevice *device)
{
    ScsiUnit *unit = unit_of(device);

    unit->controller->type->units->detach(unit->controller, unit);
    engine_disk_clear(&unit->disk);
    engine_drive_config_free(unit->medium);
}

static void
unit_drain(EngineDevice *device)
{
    engine_disk_drain(&unit_of(device)->disk);
}

static void
unit_resume(EngineDevice *device)
{
    engine_disk_resume(&unit_of(device)->disk);
}

const EngineDeviceType engine_scsi_unit_type = {
    .name = "unit",
    .size = sizeof(ScsiUnit),
    .realize = unit_realize,
    .unrealize = unit_unrealize,
    .reset = unit_reset,
    .drain = unit_drain,
    .resume = unit_resume,
};
