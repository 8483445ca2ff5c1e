/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "engine/scsi/scsi.h"

/* --- what can go wrong (SPC-4, annex D.2) --------------------------------- */
#define NOT_READY       0x02
#define MEDIUM_ERROR    0x03
#define ILLEGAL_REQUEST 0x05
#define UNIT_ATTENTION  0x06
#define DATA_PROTECT    0x07

const ScsiSense scsi_no_sense = { 0, 0, 0 };
const ScsiSense scsi_not_ready_no_medium = { NOT_READY, 0x3a, 0x01 };
const ScsiSense scsi_not_ready_open = { NOT_READY, 0x3a, 0x02 };
const ScsiSense scsi_medium_error_read = { MEDIUM_ERROR, 0x11, 0x00 };
const ScsiSense scsi_medium_error_write = { MEDIUM_ERROR, 0x0c, 0x00 };
const ScsiSense scsi_no_space = { DATA_PROTECT, 0x27, 0x07 };
const ScsiSense scsi_invalid_opcode = { ILLEGAL_REQUEST, 0x20, 0x00 };
const ScsiSense scsi_invalid_field = { ILLEGAL_REQUEST, 0x24, 0x00 };
const ScsiSense scsi_no_such_lun = { ILLEGAL_REQUEST, 0x25, 0x00 };
const ScsiSense scsi_invalid_parameter = { ILLEGAL_REQUEST, 0x26, 0x00 };
const ScsiSense scsi_parameter_length = { ILLEGAL_REQUEST, 0x1a, 0x00 };
const ScsiSense scsi_out_of_range = { ILLEGAL_REQUEST, 0x21, 0x00 };
const ScsiSense scsi_write_protected = { DATA_PROTECT, 0x27, 0x00 };
const ScsiSense scsi_removal_prevented = { ILLEGAL_REQUEST, 0x53, 0x02 };
const ScsiSense scsi_other_medium_format = { ILLEGAL_REQUEST, 0x30, 0x02 };

static const ScsiSense attentions[] = {
    [SCSI_ATTENTION_RESET] = { UNIT_ATTENTION, 0x29, 0x00 },
    [SCSI_ATTENTION_MEDIUM] = { UNIT_ATTENTION, 0x28, 0x00 },
    [SCSI_ATTENTION_CAPACITY] = { UNIT_ATTENTION, 0x2a, 0x09 },
};

void
scsi_attention(ScsiUnit *unit, ScsiAttention attention)
{
    unit->attention |= 1u << attention;
}

const ScsiSense *
scsi_take_attention(ScsiUnit *unit)
{
    unsigned first;

    if (unit->attention == 0)
        return NULL;
    first = (unsigned)__builtin_ctz(unit->attention);
    unit->attention &= ~(1u << first);
    return &attentions[first];
}

void
scsi_fixed_sense(const ScsiSense *sense, uint8_t *ret_bytes)
{
    memset(ret_bytes, 0, SCSI_SENSE);
    ret_bytes[0] = 0x70; /* current, fixed format */
    ret_bytes[2] = sense->key;
    ret_bytes[7] = SCSI_SENSE - 8;
    ret_bytes[12] = sense->asc;
    ret_bytes[13] = sense->ascq;
}

/* --- answers -------------------------------------------------------------- */
static void
end(ScsiRequest *request, uint8_t status)
{
    g_clear_pointer(&request->buffer, g_free);
    request->status = status;
    request->done(request);
}

void
scsi_good(ScsiRequest *request)
{
    end(request, SCSI_GOOD);
}

void
scsi_fail(ScsiRequest *request, const ScsiSense *sense)
{
    scsi_fixed_sense(sense, request->sense);
    end(request, SCSI_CHECK);
}

void
scsi_answer(ScsiRequest *request, const void *data, size_t size,
            size_t allocation)
{
    const uint8_t *from = data;
    size_t left = MIN(MIN(size, allocation), request->in_size);

    request->transferred = left;
    for (unsigned i = 0; i < request->n_in && left > 0; i++) {
        size_t part = MIN(left, request->in[i].iov_len);

        memcpy(request->in[i].iov_base, from, part);
        from += part;
        left -= part;
    }
    scsi_good(request);
}

bool
scsi_parameters(ScsiRequest *request, void *buffer, size_t size)
{
    uint8_t *to = buffer;
    size_t left = size;

    if (request->out_size < size) {
        scsi_fail(request, &scsi_parameter_length);
        return false;
    }
    request->transferred = size;
    for (unsigned i = 0; i < request->n_out && left > 0; i++) {
        size_t part = MIN(left, request->out[i].iov_len);

        memcpy(to, request->out[i].iov_base, part);
        to += part;
        left -= part;
    }
    return true;
}

/* --- the table ------------------------------------------------------------ */
typedef enum CommandFlags {
    ANYHOW = 1 << 0, /* also while there is a condition to be told */
    MEDIUM = 1 << 1, /* needs one */
    WRITES = 1 << 2, /* one that can be written */
} CommandFlags;

typedef struct Command {
    void (*run)(ScsiRequest *request);
    unsigned flags;
} Command;

static const Command disk_commands[256] = {
    [SCSI_TEST_UNIT_READY] = { scsi_test_unit_ready, 0 },
    [SCSI_REQUEST_SENSE] = { scsi_request_sense, ANYHOW },
    [SCSI_READ_6] = { scsi_read, MEDIUM },
    [SCSI_WRITE_6] = { scsi_write, MEDIUM | WRITES },
    [SCSI_INQUIRY] = { scsi_inquiry, ANYHOW },
    [SCSI_MODE_SELECT_6] = { scsi_mode_select, 0 },
    [SCSI_MODE_SENSE_6] = { scsi_mode_sense, 0 },
    [SCSI_START_STOP_UNIT] = { scsi_start_stop_disk, 0 },
    [SCSI_PREVENT_ALLOW] = { scsi_allow, 0 },
    [SCSI_READ_CAPACITY_10] = { scsi_read_capacity_10, MEDIUM },
    [SCSI_READ_10] = { scsi_read, MEDIUM },
    [SCSI_WRITE_10] = { scsi_write, MEDIUM | WRITES },
    [SCSI_VERIFY_10] = { scsi_verify, MEDIUM },
    [SCSI_SYNCHRONIZE_CACHE_10] = { scsi_synchronize, MEDIUM },
    [SCSI_WRITE_SAME_10] = { scsi_write_same, MEDIUM | WRITES },
    [SCSI_UNMAP] = { scsi_unmap, MEDIUM | WRITES },
    [SCSI_MODE_SELECT_10] = { scsi_mode_select, 0 },
    [SCSI_MODE_SENSE_10] = { scsi_mode_sense, 0 },
    [SCSI_READ_16] = { scsi_read, MEDIUM },
    [SCSI_WRITE_16] = { scsi_write, MEDIUM | WRITES },
    [SCSI_VERIFY_16] = { scsi_verify, MEDIUM },
    [SCSI_SYNCHRONIZE_CACHE_16] = { scsi_synchronize, MEDIUM },
    [SCSI_WRITE_SAME_16] = { scsi_write_same, MEDIUM | WRITES },
    [SCSI_SERVICE_ACTION_IN_16] = { scsi_service_action_in, MEDIUM },
    [SCSI_READ_12] = { scsi_read, MEDIUM },
    [SCSI_WRITE_12] = { scsi_write, MEDIUM | WRITES },
};

static const Command disc_commands[256] = {
    [SCSI_TEST_UNIT_READY] = { scsi_test_unit_ready, 0 },
    [SCSI_REQUEST_SENSE] = { scsi_request_sense, ANYHOW },
    [SCSI_INQUIRY] = { scsi_inquiry, ANYHOW },
    [SCSI_MODE_SELECT_6] = { scsi_mode_select, 0 },
    [SCSI_MODE_SENSE_6] = { scsi_mode_sense, 0 },
    [SCSI_START_STOP_UNIT] = { scsi_start_stop_disc, 0 },
    [SCSI_PREVENT_ALLOW] = { scsi_prevent_allow, 0 },
    [SCSI_READ_CAPACITY_10] = { scsi_read_capacity_10, MEDIUM },
    [SCSI_READ_10] = { scsi_read, MEDIUM },
    [SCSI_SEEK_10] = { scsi_seek, MEDIUM },
    [SCSI_VERIFY_10] = { scsi_verify, MEDIUM },
    [SCSI_SYNCHRONIZE_CACHE_10] = { scsi_synchronize, MEDIUM },
    [SCSI_READ_TOC] = { scsi_read_toc, MEDIUM },
    [SCSI_GET_CONFIGURATION] = { scsi_get_configuration, ANYHOW },
    [SCSI_GET_EVENT_STATUS] = { scsi_get_event_status, ANYHOW },
    [SCSI_READ_DISC_INFORMATION] = { scsi_read_disc_information, MEDIUM },
    [SCSI_MODE_SELECT_10] = { scsi_mode_select, 0 },
    [SCSI_MODE_SENSE_10] = { scsi_mode_sense, 0 },
    [SCSI_READ_12] = { scsi_read, MEDIUM },
    [SCSI_READ_DVD_STRUCTURE] = { scsi_read_dvd_structure, MEDIUM },
    [SCSI_MECHANISM_STATUS] = { scsi_mechanism_status, 0 },
};

static const ScsiSense *
not_ready(const ScsiUnit *unit)
{
    return __atomic_load_n(&unit->open, __ATOMIC_RELAXED)
               ? &scsi_not_ready_open
               : &scsi_not_ready_no_medium;
}

void
scsi_test_unit_ready(ScsiRequest *request)
{
    if (scsi_has_medium(request->unit))
        scsi_good(request);
    else
        scsi_fail(request, not_ready(request->unit));
}

void
scsi_submit(ScsiUnit *unit, ScsiRequest *request)
{
    const Command *commands = unit->is_disc ? disc_commands : disk_commands;
    const Command *command = &commands[request->cdb[0]];
    const ScsiSense *attention;

    request->unit = unit;
    if (!command->run) {
        scsi_fail(request, &scsi_invalid_opcode);
        return;
    }
    attention = command->flags & ANYHOW ? NULL : scsi_take_attention(unit);
    if (attention)
        scsi_fail(request, attention);
    else if ((command->flags & MEDIUM) && !scsi_has_medium(unit))
        scsi_fail(request, not_ready(unit));
    else if ((command->flags & WRITES) && unit->disk.read_only)
        scsi_fail(request, &scsi_write_protected);
    else
        command->run(request);
}

/* --- a target without such a unit (SPC-4, 6.4.1 and 6.33) ------------------
 */
#define NO_DEVICE 0x7f /* peripheral qualifier and type */

static void
answer_luns(ScsiRequest *request, const unsigned *luns, unsigned n_luns)
{
    uint32_t allocation = scsi_get32(request->cdb + 6);
    g_autofree uint8_t *list = NULL;
    size_t size = 8 + (size_t)n_luns * 8;

    if (request->cdb[2] > 2 || allocation < 16) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    if (request->cdb[2] == 1) /* well known ones only: there are none */
        size = 8;
    list = g_malloc0(size);
    scsi_put32(list, (uint32_t)(size - 8));
    for (unsigned i = 0; 8 + (size_t)i * 8 < size; i++)
        scsi_put16(list + 8 + (size_t)i * 8,
                   (uint16_t)(luns[i] < 256 ? luns[i] : 0x4000 | luns[i]));
    scsi_answer(request, list, size, allocation);
}

void
scsi_target_submit(ScsiRequest *request, const unsigned *luns, unsigned n_luns)
{
    uint8_t bytes[36] = { NO_DEVICE, 0, 6, 2, sizeof(bytes) - 5 };
    const uint8_t *cdb = request->cdb;

    switch (cdb[0]) {
    case SCSI_REPORT_LUNS:
        answer_luns(request, luns, n_luns);
        break;
    case SCSI_INQUIRY:
        memset(bytes + 8, ' ', sizeof(bytes) - 8);
        if ((cdb[1] & 1) || cdb[2] != 0)
            scsi_fail(request, &scsi_invalid_field);
        else
            scsi_answer(request, bytes, sizeof(bytes), scsi_get16(cdb + 3));
        break;
    case SCSI_REQUEST_SENSE:
        scsi_fixed_sense(&scsi_no_such_lun, bytes);
        scsi_answer(request, bytes, SCSI_SENSE, cdb[4]);
        break;
    default:
        scsi_fail(request, &scsi_no_such_lun);
        break;
    }
}
