/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "engine/config-device.h"
#include "engine/disk/disk.h"
#include "engine/scsi/bus.h"

/*
 * A logical unit: a disk (SPC-4, SBC-3) or a drive for optical discs (MMC-6)
 * on whatever brings commands to it: virtio-scsi, or AHCI by PACKET.
 *
 * Threads: requests and all that they touch are the controller's I/O thread's;
 * what is the host's is said to be so.
 */
#define SCSI_CDB_MAX   16
#define SCSI_SENSE     18 /* bytes, fixed format (SPC-4, 4.5.3) */
#define SCSI_GOOD      0x00
#define SCSI_CHECK     0x02
#define SCSI_DATA_MAX  512  /* parameters of MODE SELECT */
#define SCSI_DISC_SIZE 2048 /* bytes of a disc's block */

typedef struct ScsiRequest ScsiRequest;

/**
 * A command. All memory is the caller's until done() is called, which may free
 * it.
 * @cdb: with zeroes behind it
 * @out, @in: what the initiator sends and takes: guest memory; the arrays are
 *     changed
 * @done: called once, from scsi_submit() or later
 */
struct ScsiRequest {
    EngineDiskRequest disk; /* first */
    ScsiUnit *unit;
    uint8_t cdb[SCSI_CDB_MAX];
    struct iovec *out, *in;
    unsigned n_out, n_in;
    uint64_t out_size, in_size; /* bytes */
    void (*done)(ScsiRequest *request);
    /* the answer */
    int cancelled; /* -errno: there is no answer: a reset, or the unit goes */
    bool overrun;  /* there is no answer: its buffers are too short */
    uint8_t status;
    uint8_t sense[SCSI_SENSE]; /* if the status is SCSI_CHECK */
    uint64_t transferred;      /* bytes of out or in */
    /* the unit's own */
    void (*step)(ScsiRequest *request); /* after the disk's; NULL: it is over */
    uint8_t *buffer;                    /* g_malloc()ed; NULL: none */
    struct iovec own;                   /* of it */
    uint64_t offset, left;              /* bytes; what is still to be done */
    unsigned at;                        /* of a list in the buffer */
};

/** What a command fails with (SPC-4, 4.5.6 and annex D). */
typedef struct ScsiSense {
    uint8_t key, asc, ascq;
} ScsiSense;

/** Conditions that are told once (SAM-5, 5.14), the most important first. */
typedef enum ScsiAttention {
    SCSI_ATTENTION_RESET = 0,
    SCSI_ATTENTION_MEDIUM,
    SCSI_ATTENTION_CAPACITY,
} ScsiAttention;

struct ScsiUnit {
    EngineDevice device;
    EngineDisk disk;
    EngineDevice *controller;
    bool is_disc; /* a drive for discs, else a disk */
    unsigned target, lun;
    unsigned attention; /* bits of ScsiAttention */
    /* drives for discs */
    bool locked, open;         /* atomic; the guest's lock; the tray is out */
    uint8_t media_event;       /* of GET EVENT STATUS NOTIFICATION; 0: none */
    EngineDriveConfig *medium; /* main's: inserted since the start; or NULL */
};

extern const EngineDeviceType engine_scsi_unit_type;

/** scsi_submit: begin a command */
void scsi_submit(ScsiUnit *unit, ScsiRequest *request);
/** scsi_unit_reset: as after power on, without touching the medium. All
 * requests have ended. */
void scsi_unit_reset(ScsiUnit *unit);
/** scsi_fixed_sense: 18 bytes */
void scsi_fixed_sense(const ScsiSense *sense, uint8_t *ret_bytes);

/* --- a target's answers where it has no such unit; see scsi_target() -------
 */
/**
 * scsi_target_submit: answer a command to a LUN that @luns don't have
 * @luns: numbers of those there are
 * scsi_target_luns: REPORT LUNS, for whichever unit
 */
void scsi_target_submit(ScsiRequest *request, const unsigned *luns,
                        unsigned n_luns);

/* --- thread: main --------------------------------------------------------- */
/**
 * engine_scsi_change_medium: put another medium into a drive for discs
 * @drive: owned by the drive if it succeeds; NULL: take it out
 * @error: OPERATION_UNSUPPORTED: it is a disk; as engine_disk_load()
 */
bool engine_scsi_change_medium(EngineDevice *device, EngineDriveConfig *drive,
                               GError **error);
/** engine_scsi_is_locked: has the guest locked the tray, which is in? Then it
 * is asked to open it. */
bool engine_scsi_is_locked(EngineDevice *device);
/** engine_scsi_resize: as engine_blk_resize() */
bool engine_scsi_resize(EngineDevice *device, uint64_t size, GError **error);
