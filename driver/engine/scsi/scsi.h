/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/scsi/unit.h"

/*
 * Inside the SCSI layer: a command is a row of a table (command.c) with a
 * function that answers it at once or hands it to the disk.
 */

/* What this layer knows of, by the names that SPC-4, SBC-3 and MMC-6 have. */
enum {
    SCSI_TEST_UNIT_READY = 0x00,
    SCSI_REQUEST_SENSE = 0x03,
    SCSI_READ_6 = 0x08,
    SCSI_WRITE_6 = 0x0a,
    SCSI_INQUIRY = 0x12,
    SCSI_MODE_SELECT_6 = 0x15,
    SCSI_MODE_SENSE_6 = 0x1a,
    SCSI_START_STOP_UNIT = 0x1b,
    SCSI_PREVENT_ALLOW = 0x1e,
    SCSI_READ_CAPACITY_10 = 0x25,
    SCSI_READ_10 = 0x28,
    SCSI_WRITE_10 = 0x2a,
    SCSI_SEEK_10 = 0x2b,
    SCSI_VERIFY_10 = 0x2f,
    SCSI_SYNCHRONIZE_CACHE_10 = 0x35,
    SCSI_WRITE_SAME_10 = 0x41,
    SCSI_UNMAP = 0x42,
    SCSI_READ_TOC = 0x43,
    SCSI_GET_CONFIGURATION = 0x46,
    SCSI_GET_EVENT_STATUS = 0x4a,
    SCSI_READ_DISC_INFORMATION = 0x51,
    SCSI_MODE_SELECT_10 = 0x55,
    SCSI_MODE_SENSE_10 = 0x5a,
    SCSI_READ_16 = 0x88,
    SCSI_WRITE_16 = 0x8a,
    SCSI_VERIFY_16 = 0x8f,
    SCSI_SYNCHRONIZE_CACHE_16 = 0x91,
    SCSI_WRITE_SAME_16 = 0x93,
    SCSI_SERVICE_ACTION_IN_16 = 0x9e,
    SCSI_REPORT_LUNS = 0xa0,
    SCSI_READ_12 = 0xa8,
    SCSI_WRITE_12 = 0xaa,
    SCSI_READ_DVD_STRUCTURE = 0xad,
    SCSI_MECHANISM_STATUS = 0xbd,
};

#define SCSI_SERVICE_READ_CAPACITY_16 0x10

/* Bounds that the pages tell of: of one command. */
#define SCSI_UNMAP_RANGES_MAX 256
#define SCSI_RANGE_BYTES_MAX  (1ull << 30) /* of one UNMAP range, WRITE SAME */

extern const ScsiSense scsi_no_sense, scsi_not_ready_no_medium,
    scsi_not_ready_open, scsi_medium_error_read, scsi_medium_error_write,
    scsi_no_space, scsi_invalid_opcode, scsi_invalid_field, scsi_no_such_lun,
    scsi_invalid_parameter, scsi_parameter_length, scsi_out_of_range,
    scsi_write_protected, scsi_removal_prevented, scsi_other_medium_format;

/* --- command.c: answers --------------------------------------------------- */
void scsi_good(ScsiRequest *request);
void scsi_fail(ScsiRequest *request, const ScsiSense *sense);
/** scsi_answer: the first @size bytes of @data, as many as were asked for
 * @allocation: the command's length in bytes */
void scsi_answer(ScsiRequest *request, const void *data, size_t size,
                 size_t allocation);
/** scsi_parameters: copy what the initiator sends, once
 * Returns: false if it is less than @size; the command has failed then */
bool scsi_parameters(ScsiRequest *request, void *buffer, size_t size);
/** scsi_attention: raise a condition */
void scsi_attention(ScsiUnit *unit, ScsiAttention attention);
/** scsi_take_attention: Returns: the condition to be told now, or NULL */
const ScsiSense *scsi_take_attention(ScsiUnit *unit);

/* --- spc.c: any unit ------------------------------------------------------ */
void scsi_test_unit_ready(ScsiRequest *request);
void scsi_request_sense(ScsiRequest *request);
void scsi_inquiry(ScsiRequest *request);

/* --- mode.c --------------------------------------------------------------- */
void scsi_mode_sense(ScsiRequest *request);
void scsi_mode_select(ScsiRequest *request);

/* --- transfer.c: data between the disk and the initiator ------------------ */
void scsi_read(ScsiRequest *request);
void scsi_write(ScsiRequest *request);
void scsi_verify(ScsiRequest *request);
void scsi_synchronize(ScsiRequest *request);
void scsi_seek(ScsiRequest *request);
/** scsi_range: blocks of READ, WRITE, VERIFY and their like of any length */
typedef struct ScsiRange {
    uint64_t lba, blocks;
} ScsiRange;
ScsiRange scsi_range(const uint8_t *cdb);
/** scsi_range_check: is it on the medium? Else the command has failed. */
bool scsi_range_check(ScsiRequest *request, const ScsiRange *range);
/** scsi_begin: hand request->disk.io to the disk; then step(), or the end */
void scsi_begin(ScsiRequest *request, EngineBlkKind kind,
                void (*step)(ScsiRequest *request));

/* --- thin.c: UNMAP and WRITE SAME ------------------------------------------
 */
void scsi_unmap(ScsiRequest *request);
void scsi_write_same(ScsiRequest *request);

/* --- sbc.c: disks --------------------------------------------------------- */
void scsi_read_capacity_10(ScsiRequest *request);
void scsi_service_action_in(ScsiRequest *request);
void scsi_start_stop_disk(ScsiRequest *request);
void scsi_allow(ScsiRequest *request);

/* --- mmc.c: discs --------------------------------------------------------- */
void scsi_start_stop_disc(ScsiRequest *request);
void scsi_prevent_allow(ScsiRequest *request);
void scsi_read_toc(ScsiRequest *request);
void scsi_get_configuration(ScsiRequest *request);
void scsi_get_event_status(ScsiRequest *request);
void scsi_read_disc_information(ScsiRequest *request);
void scsi_read_dvd_structure(ScsiRequest *request);
void scsi_mechanism_status(ScsiRequest *request);

/* --- unit.c --------------------------------------------------------------- */
/** scsi_move_tray: out (@open) or in, and tell */
void scsi_move_tray(ScsiUnit *unit, bool open);
static inline bool
scsi_has_medium(const ScsiUnit *unit)
{
    return engine_disk_has_medium(&unit->disk) &&
           !__atomic_load_n(&unit->open, __ATOMIC_RELAXED);
}

/* --- big endian, as all of SCSI is -----------------------------------------
 */
static inline uint16_t
scsi_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}
static inline uint32_t
scsi_get32(const uint8_t *at)
{
    return (uint32_t)scsi_get16(at) << 16 | scsi_get16(at + 2);
}
static inline uint64_t
scsi_get64(const uint8_t *at)
{
    return (uint64_t)scsi_get32(at) << 32 | scsi_get32(at + 4);
}
static inline void
scsi_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}
static inline void
scsi_put32(uint8_t *at, uint32_t value)
{
    scsi_put16(at, (uint16_t)(value >> 16));
    scsi_put16(at + 2, (uint16_t)value);
}
static inline void
scsi_put64(uint8_t *at, uint64_t value)
{
    scsi_put32(at, (uint32_t)(value >> 32));
    scsi_put32(at + 4, (uint32_t)value);
}
