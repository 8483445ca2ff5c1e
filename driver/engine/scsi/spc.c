/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/scsi/scsi.h"

/* What every unit says of itself (SPC-4, 6.4, 6.39 and 7.8). */
#define VENDOR_BYTES   8
#define PRODUCT_BYTES  16
#define REVISION_BYTES 4
#define PAGE_MAX       255

#define TYPE_DISK 0x00
#define TYPE_DISC 0x05

#define BLOCK_LIMITS    0xb0
#define CHARACTERISTICS 0xb1
#define PROVISIONING    0xb2

static uint8_t
type_of(const ScsiUnit *unit)
{
    return unit->is_disc ? TYPE_DISC : TYPE_DISK;
}

/* Left aligned, filled with blanks */
static void
put_text(uint8_t *to, size_t size, const char *text)
{
    memset(to, ' ', size);
    memcpy(to, text, MIN(strlen(text), size));
}

static const char *
vendor_of(const ScsiUnit *unit)
{
    const char *vendor = unit->device.config->unit.vendor;

    return vendor ? vendor : "VIRTKVM";
}

static const char *
product_of(const ScsiUnit *unit)
{
    const char *product = unit->device.config->unit.product;

    if (product)
        return product;
    return unit->is_disc ? "OPTICAL DISC" : "HARD DISK";
}

void
scsi_request_sense(ScsiRequest *request)
{
    const ScsiSense *sense;
    uint8_t bytes[SCSI_SENSE];

    if (request->cdb[1] & 1) { /* descriptors */
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    sense = scsi_take_attention(request->unit);
    scsi_fixed_sense(sense ? sense : &scsi_no_sense, bytes);
    scsi_answer(request, bytes, sizeof(bytes), request->cdb[4]);
}

/* --- vital product data ----------------------------------------------------
 */
typedef struct Page {
    uint8_t code;
    bool disks_only;
    /** Returns: bytes behind the header; 0: there is no such page */
    size_t (*fill)(const ScsiUnit *unit, uint8_t *bytes);
} Page;

static size_t fill_list(const ScsiUnit *unit, uint8_t *bytes);

/* 7.8.15 */
static size_t
fill_serial(const ScsiUnit *unit, uint8_t *bytes)
{
    const char *serial = unit->disk.config->serial;
    size_t size = serial ? MIN(strlen(serial), PAGE_MAX) : 0;

    if (size > 0)
        memcpy(bytes, serial, size);
    return size;
}

/* One descriptor (7.8.6.1). Returns: its size */
static size_t
put_designator(uint8_t *to, uint8_t code_set, uint8_t type, const void *bytes,
               size_t size)
{
    to[0] = code_set;
    to[1] = type;
    to[3] = (uint8_t)size;
    memcpy(to + 4, bytes, size);
    return 4 + size;
}

/* By the vendor and the serial number, or the name in the domain */
static size_t
fill_identification(const ScsiUnit *unit, uint8_t *bytes)
{
    const char *serial = unit->disk.config->serial;
    const char *name = serial ? serial : unit->device.config->id;
    uint64_t wwn = unit->device.config->unit.wwn;
    uint8_t text[VENDOR_BYTES + 64], number[8];
    size_t length = MIN(strlen(name), 64), size;

    put_text(text, VENDOR_BYTES, vendor_of(unit));
    memcpy(text + VENDOR_BYTES, name, length);
    size = put_designator(bytes, 2, 1, text, VENDOR_BYTES + length);
    if (wwn != 0) {
        scsi_put64(number, wwn);
        size += put_designator(bytes + size, 1, 3, number, sizeof(number));
    }
    return size;
}

static bool
is_thin(const ScsiUnit *unit)
{
    return unit->disk.config->discard && !unit->disk.read_only;
}

static uint32_t
range_max(const ScsiUnit *unit)
{
    return (uint32_t)(SCSI_RANGE_BYTES_MAX / unit->disk.block_size);
}

/* SBC-3, 6.5.3 */
static size_t
fill_limits(const ScsiUnit *unit, uint8_t *bytes)
{
    unsigned block = unit->disk.block_size;
    unsigned physical = MAX(unit->disk.config->physical_block_size, block);

    scsi_put16(bytes + 2, (uint16_t)(physical / block));
    if (is_thin(unit)) {
        scsi_put32(bytes + 16, range_max(unit));
        scsi_put32(bytes + 20, SCSI_UNMAP_RANGES_MAX);
        scsi_put32(bytes + 24, unit->disk.discard_granularity / block);
        scsi_put32(bytes + 28, 1u << 31); /* aligned at 0 */
    }
    scsi_put64(bytes + 32, range_max(unit)); /* WRITE SAME */
    return 60;
}

/* SBC-3, 6.5.2 */
static size_t
fill_characteristics(const ScsiUnit *unit, uint8_t *bytes)
{
    scsi_put16(bytes, (uint16_t)unit->device.config->unit.rotation_rate);
    return 60;
}

/* SBC-3, 6.5.4 */
static size_t
fill_provisioning(const ScsiUnit *unit, uint8_t *bytes)
{
    if (is_thin(unit)) {
        bytes[1] = 0xe0; /* LBPU, LBPWS, LBPWS10 */
        bytes[2] = 2;    /* thin */
    }
    return 4;
}

static const Page pages[] = {
    { 0x00, false, fill_list },
    { 0x80, false, fill_serial },
    { 0x83, false, fill_identification },
    { BLOCK_LIMITS, true, fill_limits },
    { CHARACTERISTICS, true, fill_characteristics },
    { PROVISIONING, true, fill_provisioning },
};

static bool
has_page(const ScsiUnit *unit, const Page *page)
{
    return !(page->disks_only && unit->is_disc) &&
           (page->fill != fill_serial || unit->disk.config->serial);
}

static size_t
fill_list(const ScsiUnit *unit, uint8_t *bytes)
{
    size_t size = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++)
        if (has_page(unit, &pages[i]))
            bytes[size++] = pages[i].code;
    return size;
}

static void
answer_page(ScsiRequest *request)
{
    const uint8_t *cdb = request->cdb;
    const ScsiUnit *unit = request->unit;
    uint8_t bytes[4 + PAGE_MAX] = { type_of(unit), cdb[2] };

    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
        size_t size;

        if (pages[i].code != cdb[2] || !has_page(unit, &pages[i]))
            continue;
        size = pages[i].fill(unit, bytes + 4);
        scsi_put16(bytes + 2, (uint16_t)size);
        scsi_answer(request, bytes, 4 + size, scsi_get16(cdb + 3));
        return;
    }
    scsi_fail(request, &scsi_invalid_field);
}

/* --- INQUIRY -------------------------------------------------------------- */
static void
answer_standard(ScsiRequest *request)
{
    const ScsiUnit *unit = request->unit;
    uint8_t bytes[36] = {
        type_of(unit),
        unit->is_disc ? 0x80 : 0, /* removable */
        6,                        /* SPC-4 */
        0x12,                     /* this format, LUNs as of SAM */
        sizeof(bytes) - 5,
        [7] = 0x02, /* command queueing */
    };

    put_text(bytes + 8, VENDOR_BYTES, vendor_of(unit));
    put_text(bytes + 16, PRODUCT_BYTES, product_of(unit));
    put_text(bytes + 32, REVISION_BYTES, PACKAGE_VERSION);
    scsi_answer(request, bytes, sizeof(bytes), scsi_get16(request->cdb + 3));
}

void
scsi_inquiry(ScsiRequest *request)
{
    if (request->cdb[1] & 1)
        answer_page(request);
    else if (request->cdb[2] != 0)
        scsi_fail(request, &scsi_invalid_field);
    else
        answer_standard(request);
}
