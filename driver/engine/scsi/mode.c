/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/scsi/scsi.h"

/* Mode pages (SPC-4, 7.5; SBC-3, 6.4; MMC-6, 7.2 and its annex E). */
#define PAGE_BYTES_MAX  28 /* of one page, with its header */
#define ALL_PAGES       0x3f
#define ALL_SUBPAGES    0xff
#define DESCRIPTOR      8
#define WRITE_PROTECTED 0x80
#define DPO_FUA         0x10
#define WCE             0x04

/* The saved values; there is no place for them (SPC-4, 6.11.5). */
static const ScsiSense no_saving = { 0x05, 0x39, 0x00 };

typedef enum Control {
    CURRENT = 0,
    CHANGEABLE,
    DEFAULT,
    SAVED,
} Control;

typedef struct ModePage {
    uint8_t code, size; /* of what follows the header */
    bool disks, discs;
    void (*fill)(const ScsiUnit *unit, Control control, uint8_t *bytes);
} ModePage;

/* Nothing of it can be changed: errors are the host's business. */
static void
fill_recovery(const ScsiUnit *unit, Control control, uint8_t *bytes)
{
    if (control != CHANGEABLE && !unit->is_disc)
        bytes[0] = 0x80; /* AWRE */
}

static void
fill_caching(const ScsiUnit *unit, Control control, uint8_t *bytes)
{
    const EngineBlkConfig *config = unit->disk.config;
    bool on = false;

    if (control == CHANGEABLE)
        on = config->write_cache && !config->ignore_flush;
    else if (control == DEFAULT)
        on = config->write_cache;
    else
        on = engine_disk_writes_back(&unit->disk);
    bytes[0] = on ? WCE : 0;
}

static void
fill_control(const ScsiUnit *unit, Control control, uint8_t *bytes)
{
    if (control != CHANGEABLE)
        bytes[1] = 0x10; /* commands have no order of their own */
}

/* MM capabilities and mechanical status, of old */
static void
fill_capabilities(const ScsiUnit *unit, Control control, uint8_t *bytes)
{
    bool locked = __atomic_load_n(&unit->locked, __ATOMIC_RELAXED);

    if (control == CHANGEABLE)
        return;
    bytes[0] = 0x3b; /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
    bytes[2] = 0x70; /* mode 2, multisession */
    bytes[4] = (uint8_t)(0x29 | (locked ? 0x02 : 0)); /* a tray, with a lock */
    scsi_put16(bytes + 6, 50 * 176);                  /* KB/s at most */
    scsi_put16(bytes + 8, 2);
    scsi_put16(bytes + 10, 512); /* KB of buffer */
    scsi_put16(bytes + 12, 50 * 176);
}

static const ModePage pages[] = {
    { 0x01, 10, true, true, fill_recovery },
    { 0x08, 18, true, false, fill_caching },
    { 0x0a, 10, true, true, fill_control },
    { 0x2a, 26, false, true, fill_capabilities },
};

static bool
has_page(const ScsiUnit *unit, const ModePage *page)
{
    return unit->is_disc ? page->discs : page->disks;
}

/* Returns: bytes of the page, with its header */
static size_t
put_page(const ScsiUnit *unit, const ModePage *page, Control control,
         uint8_t *to)
{
    memset(to, 0, 2u + page->size);
    to[0] = page->code;
    to[1] = page->size;
    page->fill(unit, control, to + 2);
    return 2u + page->size;
}

static void
put_descriptor(const ScsiUnit *unit, uint8_t *to)
{
    uint64_t blocks = engine_disk_blocks(&unit->disk);

    scsi_put32(to, (uint32_t)MIN(blocks, UINT32_MAX));
    scsi_put32(to + 4, unit->disk.block_size); /* 24 bits of it */
}

/* Returns: bytes of the pages that are asked for; 0: there are none */
static size_t
put_pages(const ScsiUnit *unit, const uint8_t *cdb, uint8_t *to)
{
    uint8_t code = cdb[2] & 0x3f;
    size_t size = 0;

    if (cdb[3] != 0 && !(code == ALL_PAGES && cdb[3] == ALL_SUBPAGES))
        return 0;
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++)
        if (has_page(unit, &pages[i]) &&
            (code == ALL_PAGES || code == pages[i].code))
            size +=
                put_page(unit, &pages[i], (Control)(cdb[2] >> 6), to + size);
    return size;
}

static uint8_t
specific(const ScsiUnit *unit)
{
    if (unit->is_disc)
        return 0;
    return (uint8_t)(DPO_FUA | (unit->disk.read_only ? WRITE_PROTECTED : 0));
}

void
scsi_mode_sense(ScsiRequest *request)
{
    const ScsiUnit *unit = request->unit;
    const uint8_t *cdb = request->cdb;
    bool ten = cdb[0] == SCSI_MODE_SENSE_10;
    size_t header = ten ? 8 : 4, size = header, added;
    uint8_t bytes[8 + DESCRIPTOR + G_N_ELEMENTS(pages) * PAGE_BYTES_MAX] = {
        0
    };

    if (cdb[2] >> 6 == SAVED) {
        scsi_fail(request, &no_saving);
        return;
    }
    if (!unit->is_disc && !(cdb[1] & 0x08)) {
        put_descriptor(unit, bytes + size);
        size += DESCRIPTOR;
    }
    added = put_pages(unit, cdb, bytes + size);
    if (added == 0) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    if (ten) {
        scsi_put16(bytes, (uint16_t)(size + added - 2));
        bytes[3] = specific(unit);
        bytes[7] = (uint8_t)(size - header);
    } else {
        bytes[0] = (uint8_t)(size + added - 1);
        bytes[2] = specific(unit);
        bytes[3] = (uint8_t)(size - header);
    }
    scsi_answer(request, bytes, size + added,
                ten ? scsi_get16(cdb + 7) : cdb[4]);
}

/* --- MODE SELECT (SPC-4, 6.9) ----------------------------------------------
 */
static const ModePage *
find_page(const ScsiUnit *unit, uint8_t code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++)
        if (pages[i].code == code && has_page(unit, &pages[i]))
            return &pages[i];
    return NULL;
}

/* Returns: bytes of the page at @bytes; 0: it cannot be so */
static size_t
select_page(ScsiUnit *unit, const uint8_t *bytes, size_t size, bool act)
{
    uint8_t now[PAGE_BYTES_MAX], mask[PAGE_BYTES_MAX];
    const ModePage *page = size >= 2 ? find_page(unit, bytes[0] & 0x7f) : NULL;
    size_t whole;

    if (!page || bytes[1] != page->size || size < 2u + page->size)
        return 0;
    whole = put_page(unit, page, CURRENT, now);
    (void)put_page(unit, page, CHANGEABLE, mask);
    for (size_t i = 2; i < whole; i++)
        if ((bytes[i] ^ now[i]) & ~mask[i])
            return 0;
    if (act && page->fill == fill_caching)
        __atomic_store_n(&unit->disk.writeback, (bytes[2] & WCE) != 0,
                         __ATOMIC_RELAXED);
    return whole;
}

/* All or nothing. */
static bool
select_pages(ScsiUnit *unit, const uint8_t *bytes, size_t size, bool act)
{
    while (size > 0) {
        size_t whole = select_page(unit, bytes, size, act);

        if (whole == 0)
            return false;
        bytes += whole;
        size -= whole;
    }
    return true;
}

void
scsi_mode_select(ScsiRequest *request)
{
    const uint8_t *cdb = request->cdb;
    bool ten = cdb[0] == SCSI_MODE_SELECT_10;
    size_t size = ten ? scsi_get16(cdb + 7) : cdb[4], header = ten ? 8 : 4;
    uint8_t bytes[SCSI_DATA_MAX];

    if ((cdb[1] & 0x11) != 0x10 || size > sizeof(bytes)) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    if (size == 0) {
        scsi_good(request);
        return;
    }
    if (!scsi_parameters(request, bytes, size))
        return;
    if (size >= header)
        header += ten ? scsi_get16(bytes + 6) : bytes[3];
    if (size < header) {
        scsi_fail(request, &scsi_parameter_length);
        return;
    }
    if (!select_pages(request->unit, bytes + header, size - header, false)) {
        scsi_fail(request, &scsi_invalid_parameter);
        return;
    }
    (void)select_pages(request->unit, bytes + header, size - header, true);
    scsi_good(request);
}
