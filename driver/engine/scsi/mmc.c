/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/scsi/scsi.h"

/* Drives for optical discs (MMC-6): one that reads, with a tray. A disc has one
 * data track in one session. What is bigger than a CD is a DVD. */
#define CD_BLOCKS_MAX (80 * 60 * 75) /* of 80 minutes */
#define LEAD_OUT      0xaa
#define DATA_TRACK    0x14 /* ADR 1, a data track (6.27.2.5) */

#define PROFILE_CD  0x0008
#define PROFILE_DVD 0x0010

#define MEDIA_CLASS 4 /* of GET EVENT STATUS NOTIFICATION (6.6) */

static uint64_t
blocks_of(const ScsiUnit *unit)
{
    return engine_disk_blocks(&unit->disk);
}

static unsigned
profile_of(const ScsiUnit *unit)
{
    if (!scsi_has_medium(unit))
        return 0;
    return blocks_of(unit) > CD_BLOCKS_MAX ? PROFILE_DVD : PROFILE_CD;
}

/* --- the tray ------------------------------------------------------------- */
static void
move(ScsiRequest *request, bool open)
{
    ScsiUnit *unit = request->unit;

    if (open && __atomic_load_n(&unit->locked, __ATOMIC_RELAXED)) {
        scsi_fail(request, &scsi_removal_prevented);
        return;
    }
    scsi_move_tray(unit, open);
    scsi_good(request);
}

/* 6.42 */
void
scsi_start_stop_disc(ScsiRequest *request)
{
    uint8_t what = request->cdb[4];

    if (what >> 4) /* power conditions: it has none to change */
        scsi_good(request);
    else if (what & 0x02)
        move(request, !(what & 0x01));
    else
        scsi_good(request);
}

/* 6.14 */
void
scsi_prevent_allow(ScsiRequest *request)
{
    __atomic_store_n(&request->unit->locked, (request->cdb[4] & 1) != 0,
                     __ATOMIC_RELAXED);
    scsi_good(request);
}

/* 6.8 */
void
scsi_mechanism_status(ScsiRequest *request)
{
    uint8_t bytes[8] = { 0 };

    if (__atomic_load_n(&request->unit->open, __ATOMIC_RELAXED))
        bytes[1] = 0x10;
    scsi_answer(request, bytes, sizeof(bytes), scsi_get16(request->cdb + 8));
}

/* 6.6: only when it is polled, and only about media */
void
scsi_get_event_status(ScsiRequest *request)
{
    ScsiUnit *unit = request->unit;
    const uint8_t *cdb = request->cdb;
    uint8_t bytes[8] = { 0, 0, 0x80, 1 << MEDIA_CLASS };
    size_t size = 4;

    if (!(cdb[1] & 1)) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    if (cdb[4] & 1 << MEDIA_CLASS) {
        bytes[1] = 4;
        bytes[2] = MEDIA_CLASS;
        bytes[4] = unit->media_event;
        bytes[5] = (uint8_t)((engine_disk_has_medium(&unit->disk) ? 2 : 0) |
                             (unit->open ? 1 : 0));
        size = sizeof(bytes);
        if (scsi_get16(cdb + 7) >= size)
            unit->media_event = 0;
    }
    scsi_answer(request, bytes, size, scsi_get16(cdb + 7));
}

/* --- what it can do (5.3, 6.5) ---------------------------------------------
 */
#define CURRENT    1
#define PERSISTENT 2

/* Returns: its size. @flags: of byte 2; the version is 0 */
static size_t
put_feature(uint8_t *to, unsigned code, uint8_t flags, const void *data,
            uint8_t size)
{
    scsi_put16(to, (uint16_t)code);
    to[2] = flags;
    to[3] = size;
    memcpy(to + 4, data, size);
    return 4u + size;
}

static size_t
put_profiles(const ScsiUnit *unit, uint8_t *to)
{
    unsigned now = profile_of(unit);
    uint8_t list[8] = { 0, PROFILE_DVD, now == PROFILE_DVD, 0,
                        0, PROFILE_CD,  now == PROFILE_CD,  0 };

    return put_feature(to, 0x0000, PERSISTENT | CURRENT, list, sizeof(list));
}

typedef struct Feature {
    unsigned code, profile; /* 0: of any medium, and of none */
    uint8_t version, size;
    uint8_t data[8];
} Feature;

static const Feature features[] = {
    /* core: a SCSI device that can be polled, with a lock */
    { 0x0001, 0, 2, 8, { 0, 0, 0, 1, 1 } },
    { 0x0003, 0, 0, 4, { 0x29 } }, /* removable: a tray, lock and eject */
    /* random access, blocks of 2048 bytes, one at a time */
    { 0x0010, PROFILE_CD | PROFILE_DVD, 0, 8, { 0, 0, 8, 0, 0, 1 } },
    { 0x001f, PROFILE_DVD, 0, 0, { 0 } }, /* DVD read */
};

static size_t
put_features(const ScsiUnit *unit, unsigned way, unsigned from, uint8_t *to)
{
    unsigned profile = profile_of(unit);
    size_t size = 0;

    if (from == 0)
        size = put_profiles(unit, to);
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        const Feature *feature = &features[i];
        bool now = feature->profile == 0 || (feature->profile & profile);
        uint8_t flags = (uint8_t)(feature->version << 2 |
                                  (feature->profile == 0 ? PERSISTENT : 0) |
                                  (now ? CURRENT : 0));

        if (feature->code < from || (way == 1 && !now) ||
            (way == 2 && feature->code != from))
            continue;
        size += put_feature(to + size, feature->code, flags, feature->data,
                            feature->size);
    }
    return size;
}

void
scsi_get_configuration(ScsiRequest *request)
{
    const uint8_t *cdb = request->cdb;
    uint8_t bytes[8 + 12 * (G_N_ELEMENTS(features) + 1)] = { 0 };
    unsigned way = cdb[1] & 3;
    size_t size;

    if (way == 3) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    size = 8 + put_features(request->unit, way, scsi_get16(cdb + 2), bytes + 8);
    scsi_put32(bytes, (uint32_t)(size - 4));
    scsi_put16(bytes + 6, (uint16_t)profile_of(request->unit));
    scsi_answer(request, bytes, size, scsi_get16(cdb + 7));
}

/* --- the disc ------------------------------------------------------------- */
/* Minutes, seconds and frames, with the two seconds of the pregap */
static void
put_address(uint8_t *to, uint64_t lba, bool msf)
{
    uint64_t frames = lba + 150;

    if (!msf) {
        scsi_put32(to, (uint32_t)MIN(lba, UINT32_MAX));
        return;
    }
    to[0] = 0;
    to[1] = (uint8_t)MIN(frames / (60 * 75), 255);
    to[2] = (uint8_t)(frames / 75 % 60);
    to[3] = (uint8_t)(frames % 75);
}

/* 6.27.2: the track and the end. Returns: bytes */
static size_t
put_tracks(const ScsiUnit *unit, bool msf, uint8_t from, uint8_t *bytes)
{
    size_t size = 4;

    bytes[2] = bytes[3] = 1; /* first and last track */
    if (from <= 1) {
        bytes[size + 1] = DATA_TRACK;
        bytes[size + 2] = 1;
        put_address(bytes + size + 4, 0, msf);
        size += 8;
    }
    bytes[size + 1] = DATA_TRACK;
    bytes[size + 2] = LEAD_OUT;
    put_address(bytes + size + 4, blocks_of(unit), msf);
    return size + 8;
}

/* The first track of the last session: 6.27.3 */
static size_t
put_session(bool msf, uint8_t *bytes)
{
    bytes[2] = bytes[3] = 1;
    bytes[5] = DATA_TRACK;
    bytes[6] = 1;
    put_address(bytes + 8, 0, msf);
    return 12;
}

/* One line of the full table: 6.27.4 */
static void
put_point(uint8_t *to, uint8_t point, uint8_t minute, uint64_t lba)
{
    to[0] = 1;
    to[1] = DATA_TRACK;
    to[3] = point;
    if (minute > 0)
        to[8] = minute;
    else
        put_address(to + 7, lba, true);
}

static size_t
put_full(const ScsiUnit *unit, uint8_t *bytes)
{
    bytes[2] = bytes[3] = 1;
    put_point(bytes + 4, 0xa0, 1, 0);
    put_point(bytes + 15, 0xa1, 1, 0);
    put_point(bytes + 26, 0xa2, 0, blocks_of(unit));
    put_point(bytes + 37, 1, 0, 0);
    return 48;
}

void
scsi_read_toc(ScsiRequest *request)
{
    const uint8_t *cdb = request->cdb;
    uint8_t bytes[64] = { 0 }, from = cdb[6];
    /* drives of old had the format in byte 9 */
    unsigned format = cdb[2] & 0x0f ? cdb[2] & 0x0f : cdb[9] >> 6;
    bool msf = cdb[1] & 0x02;
    size_t size;

    if (format > 2 || (format == 0 && from > 1 && from != LEAD_OUT)) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    if (format == 0)
        size = put_tracks(request->unit, msf, from, bytes);
    else
        size = format == 1 ? put_session(msf, bytes)
                           : put_full(request->unit, bytes);
    scsi_put16(bytes, (uint16_t)(size - 2));
    scsi_answer(request, bytes, size, scsi_get16(cdb + 7));
}

/* 6.22: complete, one session, one track */
void
scsi_read_disc_information(ScsiRequest *request)
{
    uint8_t bytes[34] = { 0, 32, 0x0e, 1, 1, 1, 1, 0x20 };

    if (request->cdb[1] & 7) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    scsi_answer(request, bytes, sizeof(bytes), scsi_get16(request->cdb + 7));
}

/* 6.23.3.1: the physical format of a DVD-ROM of one layer */
void
scsi_read_dvd_structure(ScsiRequest *request)
{
    const uint8_t *cdb = request->cdb;
    uint64_t blocks = blocks_of(request->unit);
    uint8_t bytes[4 + 2048] = { 0 };

    if (profile_of(request->unit) != PROFILE_DVD) {
        scsi_fail(request, &scsi_other_medium_format);
        return;
    }
    if ((cdb[1] & 0x0f) != 0 || cdb[6] != 0 || cdb[7] != 0) {
        scsi_fail(request, &scsi_invalid_field);
        return;
    }
    scsi_put16(bytes, sizeof(bytes) - 2);
    bytes[4] = 1;    /* DVD-ROM, version 1 */
    bytes[5] = 0x0f; /* 12 cm, no rate */
    bytes[6] = 1;    /* the layer is embossed */
    scsi_put32(bytes + 8, 0x030000);
    scsi_put32(bytes + 12, (uint32_t)(0x030000 + MIN(blocks, 0xfc0000) - 1));
    scsi_answer(request, bytes, sizeof(bytes), scsi_get16(cdb + 8));
}
