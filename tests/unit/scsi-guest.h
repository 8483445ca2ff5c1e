/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/virtio_scsi.h>

#include "engine/scsi/unit.h"
#include "guest-virtio.h"

/*
 * A guest with a virtio-scsi at 00:05.0 and its driver: commands, each with a
 * page-aligned place of its own for header, response and data.
 */
#define SCSI_SLOT      5
#define SCSI_BAR       ENGINE_PCI_HOLE_BASE
#define SCSI_QUEUES    3 /* control, events, commands */
#define SCSI_ENTRIES   64
#define SCSI_PLACES    32
#define SCSI_DATA_SIZE 0x10000
#define SCSI_RINGS     0x100000 /* from here on, a megabyte each */
#define SCSI_AREA      0x800000
#define SCSI_PLACE     (SCSI_DATA_SIZE + 0x2000)
#define SCSI_MEMORY    (SCSI_AREA + (SCSI_PLACES + 1) * SCSI_PLACE)
#define SCSI_PATIENCE  (10 * G_USEC_PER_SEC)
#define SCSI_MSI       0x20 /* + the queue's number: data of its message */
#define SCSI_NONE      0xfe /* no response yet */

typedef struct ScsiGuest {
    EngineConfig config;
    EngineDeviceConfig device;
    Engine *engine;
    EngineDevice *controller;
    GuestVirtio virtio;
    GuestQueue queues[SCSI_QUEUES];
    uint64_t features; /* agreed on */
    uint32_t written;  /* of the last answer */
} ScsiGuest;

/** A command, and where it goes. */
typedef struct ScsiCommand {
    uint8_t cdb[32];
    unsigned target, lun;
    uint32_t out, in; /* bytes of data */
} ScsiCommand;

static inline void
scsi_guest_init(ScsiGuest *guest, const EngineDeviceType *type,
                const EngineDeviceType *pci)
{
    guest->device.id = (char *)"scsi0";
    guest->device.kind = ENGINE_DEVICE_VIRTIO_SCSI;
    guest->device.slot = SCSI_SLOT;
    guest->device.packed = true;
    guest->device.scsi = (EngineScsiConfig){ 1, SCSI_ENTRIES, 128, 65535 };
    guest->config.memory = SCSI_MEMORY;
    guest->engine = fake_engine_new(&guest->config, SCSI_MEMORY);
    fake_device_new(guest->engine, pci, 0);
    guest->controller = fake_device_add(guest->engine, type, &guest->device);
    guest_virtio_init(&guest->virtio, guest->engine, SCSI_SLOT, SCSI_BAR);
    for (unsigned i = 0; i <= SCSI_QUEUES; i++)
        guest_virtio_set_vector(&guest->virtio, SCSI_BAR, i, SCSI_MSI - 1 + i);
}

/** scsi_guest_go: a driver that wants @features of those offered */
static inline void
scsi_guest_go(ScsiGuest *guest, uint64_t features)
{
    guest->features = features & guest_virtio_offered(&guest->virtio);
    guest_virtio_begin(&guest->virtio, guest->features);
    guest_virtio_set(&guest->virtio, VIRTIO_PCI_COMMON_MSIX, 2, 0);
    for (unsigned i = 0; i < SCSI_QUEUES; i++) {
        guest_queue_init_at(&guest->queues[i], fake_ram(guest->engine),
                            SCSI_RINGS * (i + 1ull), SCSI_ENTRIES,
                            guest->features);
        guest_virtio_add_queue(&guest->virtio, i, &guest->queues[i],
                               (uint16_t)(i + 1));
    }
    guest_virtio_go(&guest->virtio);
}

static inline uint64_t
scsi_place_gpa(unsigned place)
{
    return SCSI_AREA + (uint64_t)place * SCSI_PLACE;
}

/* Header, response, then the data. */
static inline struct virtio_scsi_cmd_resp *
scsi_response(const ScsiGuest *guest, unsigned place)
{
    return (void *)(fake_ram(guest->engine) + scsi_place_gpa(place) + 0x1000);
}

static inline uint8_t *
scsi_data(const ScsiGuest *guest, unsigned place)
{
    return fake_ram(guest->engine) + scsi_place_gpa(place) + 0x2000;
}

static inline void
scsi_put_lun(uint8_t *to, unsigned target, unsigned lun)
{
    memset(to, 0, 8);
    to[0] = 1;
    to[1] = (uint8_t)target;
    to[2] = (uint8_t)(0x40 | lun >> 8);
    to[3] = (uint8_t)lun;
}

/** scsi_guest_add: offer a command in @place; its tag is the place */
static inline void
scsi_guest_add(ScsiGuest *guest, unsigned place, const ScsiCommand *command)
{
    struct virtio_scsi_cmd_req request = { .tag = place };
    uint64_t gpa = scsi_place_gpa(place);
    GuestBuffer buffers[4] = { { gpa, sizeof(request), false } };
    unsigned count = 1;

    scsi_put_lun(request.lun, command->target, command->lun);
    memcpy(request.cdb, command->cdb, sizeof(request.cdb));
    memcpy(fake_ram(guest->engine) + gpa, &request, sizeof(request));
    memset(scsi_response(guest, place), SCSI_NONE,
           sizeof(struct virtio_scsi_cmd_resp));
    if (command->out > 0)
        buffers[count++] = (GuestBuffer){ gpa + 0x2000, command->out, false };
    buffers[count++] =
        (GuestBuffer){ gpa + 0x1000, sizeof(struct virtio_scsi_cmd_resp),
                       true };
    if (command->in > 0)
        buffers[count++] = (GuestBuffer){ gpa + 0x2000, command->in, true };
    guest_queue_add(&guest->queues[2], buffers, count);
}

/** scsi_guest_wait: for @count answers in @queue. Returns: whether they came */
static inline bool
scsi_guest_wait(ScsiGuest *guest, unsigned queue, unsigned count)
{
    gint64 end = g_get_monotonic_time() + SCSI_PATIENCE;
    uint16_t id;

    while (count > 0) {
        if (guest_queue_take(&guest->queues[queue], &id, &guest->written))
            count--;
        else if (g_get_monotonic_time() > end)
            return false;
        else
            g_usleep(50);
    }
    return true;
}

/** scsi_guest_do: one command in place 0. Returns: its status, or
 * SCSI_NONE - the response's code where it is not OK */
static inline unsigned
scsi_guest_do(ScsiGuest *guest, const ScsiCommand *command)
{
    const struct virtio_scsi_cmd_resp *response = scsi_response(guest, 0);

    scsi_guest_add(guest, 0, command);
    guest_virtio_kick(&guest->virtio, 2);
    if (!scsi_guest_wait(guest, 2, 1))
        return SCSI_NONE;
    return response->response == VIRTIO_SCSI_S_OK
               ? response->status
               : SCSI_NONE - response->response;
}

/** scsi_guest_sense: key, asc and ascq of place 0 as one number */
static inline unsigned
scsi_guest_sense(const ScsiGuest *guest)
{
    const struct virtio_scsi_cmd_resp *response = scsi_response(guest, 0);

    if (response->status != SCSI_CHECK || response->sense_len != SCSI_SENSE ||
        response->sense[0] != 0x70)
        return UINT32_MAX;
    return (unsigned)response->sense[2] << 16 |
           (unsigned)response->sense[12] << 8 | response->sense[13];
}

/** scsi_guest_manage: a task management function. Returns: its response */
static inline uint8_t
scsi_guest_manage(ScsiGuest *guest, unsigned subtype, unsigned target,
                  unsigned lun, uint64_t tag)
{
    struct virtio_scsi_ctrl_tmf_req request = { .subtype = subtype,
                                                .tag = tag };
    uint64_t gpa = scsi_place_gpa(SCSI_PLACES);
    const GuestBuffer buffers[] = { { gpa, sizeof(request), false },
                                    { gpa + 0x1000, 1, true } };

    scsi_put_lun(request.lun, target, lun);
    memcpy(fake_ram(guest->engine) + gpa, &request, sizeof(request));
    fake_ram(guest->engine)[gpa + 0x1000] = SCSI_NONE;
    guest_queue_add(&guest->queues[0], buffers, 2);
    guest_virtio_kick(&guest->virtio, 0);
    (void)scsi_guest_wait(guest, 0, 1);
    return fake_ram(guest->engine)[gpa + 0x1000];
}

/** scsi_guest_listen: offer a buffer for events; take them by
 * scsi_guest_event(): whether one came */
static inline uint64_t
scsi_event_gpa(void)
{
    return scsi_place_gpa(SCSI_PLACES) + 0x2000;
}

static inline void
scsi_guest_listen(ScsiGuest *guest)
{
    const GuestBuffer buffer = { scsi_event_gpa(),
                                 sizeof(struct virtio_scsi_event), true };

    guest_queue_add(&guest->queues[1], &buffer, 1);
    guest_virtio_kick(&guest->virtio, 1);
}

static inline bool
scsi_guest_event(ScsiGuest *guest, struct virtio_scsi_event *event)
{
    if (!scsi_guest_wait(guest, 1, 1))
        return false;
    memcpy(event, fake_ram(guest->engine) + scsi_event_gpa(), sizeof(*event));
    return true;
}
