/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/scsi.h"

#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include <string.h>
#include <sys/eventfd.h>

#include "engine/msi.h"
#include "engine/virtio/devices.h"
#include "util/error.h"
#include "util/i18n.h"

#define PCI_CLASS 0x010000 /* mass storage, SCSI */
#define SOON_NS   1        /* in the past: at the end of this wake-up */
#define SENSE_MAX VIRTIO_SCSI_SENSE_DEFAULT_SIZE
#define CDB_MIN   16
#define CDB_MAX   255

#define FEATURE(NAME) (1ull << VIRTIO_SCSI_F_##NAME)

static Vscsi *
vscsi_of(EngineVirtio *virtio)
{
    return (Vscsi *)virtio;
}

/* --- one wake-up ---------------------------------------------------------- */
void
vscsi_pushed(Vscsi *vscsi, unsigned queue)
{
    vscsi->pushed |= 1u << queue;
    if (vscsi->end.deadline_ns == 0)
        engine_io_timer_set(&vscsi->end, SOON_NS);
}

/* The hungry by way of their kicks, so that other devices have their turn. */
static void
on_end(void *opaque)
{
    Vscsi *vscsi = opaque;
    uint32_t pushed = vscsi->pushed;

    vscsi->pushed = 0;
    for (unsigned i = 0; pushed >> i; i++)
        if (pushed & 1u << i)
            engine_virtio_notify(&vscsi->virtio, i);
    if (vscsi->in_flight >= VSCSI_FLIGHT_MAX)
        return;
    for (unsigned i = 0; vscsi->hungry >> i; i++)
        if (vscsi->hungry & 1u << i)
            engine_virtio_again(&vscsi->virtio, i);
}

static void
vscsi_kick(EngineVirtio *virtio, unsigned queue)
{
    Vscsi *vscsi = vscsi_of(virtio);

    if (queue == VSCSI_CONTROL)
        vscsi_control(vscsi);
    else if (queue == VSCSI_EVENTS)
        vscsi_events(vscsi);
    else
        vscsi_serve(vscsi, queue);
}

/* --- configuration (5.6.4) ------------------------------------------------ */
static void
vscsi_config_read(EngineVirtio *virtio, uint8_t *config, size_t size)
{
    const Vscsi *vscsi = vscsi_of(virtio);
    struct virtio_scsi_config to = {
        .num_queues = vscsi->config->queues,
        .seg_max = vscsi->config->queue_size - 2, /* header and response */
        .max_sectors = vscsi->config->max_sectors,
        .cmd_per_lun = vscsi->config->cmd_per_lun,
        .event_info_size = sizeof(struct virtio_scsi_event),
        .sense_size = __atomic_load_n(&vscsi->sense_size, __ATOMIC_RELAXED),
        .cdb_size = __atomic_load_n(&vscsi->cdb_size, __ATOMIC_RELAXED),
        .max_channel = VSCSI_CHANNEL_MAX,
        .max_target = ENGINE_UNIT_TARGET_MAX,
        .max_lun = ENGINE_UNIT_LUN_MAX,
    };

    memcpy(config, &to, MIN(size, sizeof(to)));
}

/* What cannot be is not taken. */
static void
vscsi_config_write(EngineVirtio *virtio, unsigned offset, unsigned size,
                   uint64_t value)
{
    Vscsi *vscsi = vscsi_of(virtio);

    if (size != 4)
        return;
    if (offset == offsetof(struct virtio_scsi_config, sense_size) &&
        value <= SENSE_MAX)
        __atomic_store_n(&vscsi->sense_size, (uint32_t)value, __ATOMIC_RELAXED);
    else if (offset == offsetof(struct virtio_scsi_config, cdb_size) &&
             value >= CDB_MIN && value <= CDB_MAX)
        __atomic_store_n(&vscsi->cdb_size, (uint32_t)value, __ATOMIC_RELAXED);
}

/* The queues are dead already: what comes back is forgotten. */
static void
vscsi_reset(EngineVirtio *virtio)
{
    Vscsi *vscsi = vscsi_of(virtio);

    for (unsigned i = 0; i < vscsi->n_units; i++) {
        vscsi_cancel(vscsi, vscsi->units[i], VIRTIO_SCSI_S_RESET);
        scsi_unit_reset(vscsi->units[i]);
    }
    vscsi->hungry = vscsi->pushed = 0;
    vscsi->missed = false;
    __atomic_store_n(&vscsi->sense_size, VIRTIO_SCSI_SENSE_DEFAULT_SIZE,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&vscsi->cdb_size, VIRTIO_SCSI_CDB_DEFAULT_SIZE,
                     __ATOMIC_RELAXED);
}

/* --- units ---------------------------------------------------------------- */
ScsiUnit *
vscsi_unit(const Vscsi *vscsi, unsigned target, unsigned lun)
{
    for (unsigned i = 0; i < vscsi->n_units; i++)
        if (vscsi->units[i]->target == target && vscsi->units[i]->lun == lun)
            return vscsi->units[i];
    return NULL;
}

bool
vscsi_has_target(const Vscsi *vscsi, unsigned target)
{
    for (unsigned i = 0; i < vscsi->n_units; i++)
        if (vscsi->units[i]->target == target)
            return true;
    return false;
}

typedef struct Move {
    Vscsi *vscsi;
    ScsiUnit *unit;
} Move;

static void
attach_here(void *opaque)
{
    const Move *move = opaque;
    Vscsi *vscsi = move->vscsi;

    vscsi->units = g_renew(ScsiUnit *, vscsi->units, vscsi->n_units + 1);
    vscsi->units[vscsi->n_units++] = move->unit;
    vscsi_tell(vscsi, move->unit, VIRTIO_SCSI_T_TRANSPORT_RESET,
               VIRTIO_SCSI_EVT_RESET_RESCAN);
}

static bool
vscsi_attach(EngineDevice *controller, ScsiUnit *unit, GError **error)
{
    Move move = { (Vscsi *)controller, unit };

    if (move.vscsi->n_units == VSCSI_UNITS_MAX ||
        vscsi_unit(move.vscsi, unit->target, unit->lun)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("target %u, unit %u of the controller '%s' is taken"),
                  unit->target, unit->lun, controller->config->id);
        return false;
    }
    engine_io_call(move.vscsi->virtio.io, attach_here, &move);
    return true;
}

static void
detach_here(void *opaque)
{
    const Move *move = opaque;
    Vscsi *vscsi = move->vscsi;
    unsigned at = 0;

    while (vscsi->units[at] != move->unit)
        at++;
    memmove(&vscsi->units[at], &vscsi->units[at + 1],
            (--vscsi->n_units - at) * sizeof(ScsiUnit *));
    vscsi_cancel(vscsi, move->unit, VIRTIO_SCSI_S_BAD_TARGET);
    vscsi_tell(vscsi, move->unit, VIRTIO_SCSI_T_TRANSPORT_RESET,
               VIRTIO_SCSI_EVT_RESET_REMOVED);
}

static void
vscsi_detach(EngineDevice *controller, ScsiUnit *unit)
{
    Move move = { (Vscsi *)controller, unit };

    engine_io_call(move.vscsi->virtio.io, detach_here, &move);
}

/* The condition, as its sense has it (5.6.6.3) */
static void
vscsi_news(EngineDevice *controller, ScsiUnit *unit, ScsiNews news)
{
    vscsi_tell((Vscsi *)controller, unit, VIRTIO_SCSI_T_PARAM_CHANGE,
               news == SCSI_NEWS_CAPACITY ? 0x2a | 0x09 << 8 : 0x28);
}

static EngineIo *
vscsi_io(EngineDevice *controller)
{
    return ((Vscsi *)controller)->virtio.io;
}

static const ScsiBus vscsi_units = {
    .io = vscsi_io,
    .attach = vscsi_attach,
    .detach = vscsi_detach,
    .news = vscsi_news,
};

/* --- life ----------------------------------------------------------------- */
static const EngineVirtioType vscsi_virtio = {
    .id = VIRTIO_ID_SCSI,
    .class_code = PCI_CLASS,
    .features = FEATURE(HOTPLUG) | FEATURE(CHANGE),
    .kick = vscsi_kick,
    .reset = vscsi_reset,
    .config_read = vscsi_config_read,
    .config_write = vscsi_config_write,
};

static void
stop_timer(void *opaque)
{
    Vscsi *vscsi = opaque;

    engine_io_timer_set(&vscsi->end, 0);
}

static void
vscsi_unrealize(EngineDevice *device)
{
    Vscsi *vscsi = (Vscsi *)device;
    EngineIo *io = vscsi->virtio.io;

    engine_virtio_clear(&vscsi->virtio);
    engine_io_call(io, stop_timer, vscsi);
    g_free(vscsi->units);
    g_free(vscsi->iov);
}

static bool
vscsi_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
              unsigned index, GError **error)
{
    Vscsi *vscsi = (Vscsi *)device;
    EngineIo *io = engine_io(engine, device->config->iothread, error);

    if (!io)
        return false;
    vscsi->config = &device->config->scsi;
    vscsi->sense_size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
    vscsi->cdb_size = VIRTIO_SCSI_CDB_DEFAULT_SIZE;
    vscsi->iov = g_new(struct iovec, vscsi->config->queue_size);
    engine_io_timer_init(&vscsi->end, io, on_end, vscsi);
    vscsi->virtio.queue_size = (uint16_t)vscsi->config->queue_size;
    if (engine_virtio_init(&vscsi->virtio, &vscsi_virtio,
                           VSCSI_REQUESTS + vscsi->config->queues, error))
        return true;
    g_clear_pointer(&vscsi->iov, g_free);
    return false;
}

static void
vscsi_machine_reset(EngineDevice *device)
{
    engine_virtio_reset(&((Vscsi *)device)->virtio);
}

const EngineDeviceType engine_virtio_scsi_type = {
    .name = "virtio-scsi",
    .size = sizeof(Vscsi),
    .realize = vscsi_realize,
    .unrealize = vscsi_unrealize,
    .reset = vscsi_machine_reset,
    .units = &vscsi_units,
};
