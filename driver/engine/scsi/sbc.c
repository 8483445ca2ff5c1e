/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/scsi/scsi.h"

/* What only disks have (SBC-3), and the capacity, which discs have, too. */
#define ADDRESS_BITS 0x1f /* of byte 1: the service action */

/* 5.15; MMC-6, 6.25 */
void
scsi_read_capacity_10(ScsiRequest *request)
{
    const ScsiUnit *unit = request->unit;
    uint64_t blocks = engine_disk_blocks(&unit->disk);
    uint8_t bytes[8];

    if (!unit->is_disc && scsi_get32(request->cdb + 2) != 0) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    scsi_put32(bytes, (uint32_t)MIN(blocks > 0 ? blocks - 1 : 0, UINT32_MAX));
    scsi_put32(bytes + 4, unit->disk.block_size);
    scsi_answer(request, bytes, sizeof(bytes), sizeof(bytes));
}

static unsigned
physical_exponent(const ScsiUnit *unit)
{
    unsigned block = unit->disk.block_size, exponent = 0;

    while (block << exponent < unit->disk.config->physical_block_size)
        exponent++;
    return exponent;
}

/* 5.16 */
static void
read_capacity_16(ScsiRequest *request)
{
    const ScsiUnit *unit = request->unit;
    uint64_t blocks = engine_disk_blocks(&unit->disk);
    uint8_t bytes[32] = { 0 };

    scsi_put64(bytes, blocks > 0 ? blocks - 1 : 0);
    scsi_put32(bytes + 8, unit->disk.block_size);
    bytes[13] = (uint8_t)physical_exponent(unit);
    if (unit->disk.config->discard && !unit->disk.read_only)
        bytes[14] = 0x80; /* LBPME */
    scsi_answer(request, bytes, sizeof(bytes), scsi_get32(request->cdb + 10));
}

void
scsi_service_action_in(ScsiRequest *request)
{
    if ((request->cdb[1] & ADDRESS_BITS) == SCSI_SERVICE_READ_CAPACITY_16)
        read_capacity_16(request);
    else
        scsi_fail(request, &scsi_invalid_field);
}

/* 5.25: it always turns; what is to be ejected is a disc. */
void
scsi_start_stop_disk(ScsiRequest *request)
{
    if (request->cdb[4] & 0x02)
        scsi_fail(request, &scsi_invalid_field);
    else
        scsi_good(request);
}

/* There is nothing that could be removed. */
void
scsi_allow(ScsiRequest *request)
{
    scsi_good(request);
}
