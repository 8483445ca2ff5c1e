/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/scsi/unit.h"
#include "engine/virtio/virtio.h"

/*
 * The SCSI host (virtio 1.2, 5.6): its commands go to the units that hang on it
 * (scsi-request.c), what manages them comes by the control queue
 * (scsi-control.c), and what happens to them is told by the event queue
 * (scsi-event.c). What the commands mean is not known here.
 *
 * Threads: all on the device's I/O thread unless it says otherwise.
 */
#define VSCSI_CONTROL     0
#define VSCSI_EVENTS      1
#define VSCSI_REQUESTS    2   /* and those behind it */
#define VSCSI_FLIGHT_MAX  512 /* commands; others wait in the guest's ring */
#define VSCSI_UNITS_MAX   256
#define VSCSI_CHANNEL_MAX 0

typedef struct Vscsi Vscsi;
typedef struct VscsiCommand VscsiCommand;

struct VscsiCommand {
    ScsiRequest scsi; /* first */
    Vscsi *vscsi;
    VscsiCommand *prev, *next; /* of all that are under way */
    uint64_t tag;              /* the driver's name for it */
    unsigned target, lun;
    unsigned queue;
    EngineChain chain;
    struct iovec *response; /* in guest memory; written once */
    unsigned n_response;
    uint32_t sense_size; /* bytes of it that are for the sense */
    struct iovec iov[];
};

struct Vscsi {
    EngineVirtio virtio;
    const EngineScsiConfig *config;
    uint32_t sense_size, cdb_size; /* as the driver wants them; atomic */

    /* the I/O thread's */
    ScsiUnit **units;
    unsigned n_units;
    VscsiCommand *first; /* under way */
    unsigned in_flight;
    EngineIoTimer end; /* of this wake-up */
    uint32_t pushed;   /* queues whose driver has not been told yet */
    uint32_t hungry;   /* queues with more than was taken */
    struct iovec *iov;
    uint8_t cancelled_as; /* VIRTIO_SCSI_S_*, of what is being cancelled */
    bool missed;          /* an event, for want of a buffer */
};

/* --- scsi.c --------------------------------------------------------------- */
/** vscsi_pushed: tell the driver of queue @queue at the end of this wake-up */
void vscsi_pushed(Vscsi *vscsi, unsigned queue);
/** vscsi_unit: the unit at a place, or NULL */
ScsiUnit *vscsi_unit(const Vscsi *vscsi, unsigned target, unsigned lun);
/** vscsi_has_target: is there any unit of it? */
bool vscsi_has_target(const Vscsi *vscsi, unsigned target);

/* --- scsi-request.c ------------------------------------------------------- */
/** vscsi_serve: take what the driver has put into a queue of commands */
void vscsi_serve(Vscsi *vscsi, unsigned queue);
/** vscsi_place: what an address of eight bytes names (5.6.6.1)
 * Returns: false if it can be nothing of ours */
bool vscsi_place(const uint8_t *address, unsigned *ret_target,
                 unsigned *ret_lun);
/** vscsi_cancel: all commands of @unit end: @response: VIRTIO_SCSI_S_* */
void vscsi_cancel(Vscsi *vscsi, ScsiUnit *unit, uint8_t response);

/* --- scsi-control.c ------------------------------------------------------- */
void vscsi_control(Vscsi *vscsi);

/* --- scsi-event.c --------------------------------------------------------- */
/** vscsi_events: the driver has given buffers for events */
void vscsi_events(Vscsi *vscsi);
/** vscsi_tell: @event: VIRTIO_SCSI_T_*, about @unit */
void vscsi_tell(Vscsi *vscsi, const ScsiUnit *unit, uint32_t event,
                uint32_t reason);
