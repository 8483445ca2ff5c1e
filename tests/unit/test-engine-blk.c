/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "blk-guest.h"
#include "engine/control-command.h"
#include "engine/dev/dev.h"
#include "engine/virtio/blk-host.h"
#include "engine/virtio/devices.h"
#include "fake-block.h"

#define SECTORS   2048
#define VERSION_1 GUEST_FEATURE(VIRTIO_F_VERSION_1)
#define EVENT     GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT  GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED    GUEST_FEATURE(VIRTIO_F_RING_PACKED)
#define BLK(NAME) GUEST_FEATURE(VIRTIO_BLK_F_##NAME)
#define ALL       UINT64_MAX

typedef struct Fixture {
    BlkGuest guest;
    FakeDisk *disk;
} Fixture;

static Fixture *
fixture_new(void)
{
    Fixture *f = calloc(1, sizeof(*f));

    f->disk = fake_disk_new(SECTORS * 512);
    f->guest.device.blk = (EngineBlkConfig){
        .queues = 1,
        .queue_size = BLK_ENTRIES,
        .drive = { .fd = -1, .path = (char *)"fake", .writable = true },
        .serial = (char *)"a-serial",
        .logical_block_size = 512,
        .discard = true,
        .write_cache = true,
        .werror = ENGINE_BLK_ENOSPACE,
    };
    return f;
}

static void
make(Fixture *f)
{
    blk_guest_init(&f->guest, &engine_virtio_blk_type, &engine_pci_type);
}

static int
setup(void **state)
{
    *state = fixture_new();
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->guest.engine);
    assert_int_equal(f->disk->strays, 0);
    fake_disk_free(f->disk);
    free(f);
    return 0;
}

static uint64_t
config_at(Fixture *f, unsigned offset, unsigned size)
{
    return fake_mmio_read(f->guest.engine, f->guest.virtio.config + offset,
                          size);
}

#define CONFIG(f, member)                                    \
    config_at(f, offsetof(struct virtio_blk_config, member), \
              sizeof(((struct virtio_blk_config *)0)->member))

static bool
needs_reset(Fixture *f)
{
    gint64 end = g_get_monotonic_time() + BLK_PATIENCE;
    uint8_t status;

    do {
        status = guest_virtio_status(&f->guest.virtio);
    } while (!(status & VIRTIO_CONFIG_S_NEEDS_RESET) &&
             g_get_monotonic_time() < end);
    return status & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static unsigned
flying(Fixture *f)
{
    return __atomic_load_n(&f->disk->in_flight, __ATOMIC_SEQ_CST);
}

static void
await_flying(Fixture *f, unsigned count)
{
    gint64 end = g_get_monotonic_time() + BLK_PATIENCE;

    while (flying(f) != count && g_get_monotonic_time() < end)
        g_usleep(50);
    assert_int_equal(flying(f), count);
}

static EngineBlkInfo
info(Fixture *f)
{
    EngineBlkInfo got;

    engine_blk_info(f->guest.disk, &got);
    return got;
}

/* --- what it says of itself ------------------------------------------------
 */
static void
test_identity(void **state)
{
    Fixture *f = *state;
    const uint64_t wanted = BLK(SEG_MAX) | BLK(BLK_SIZE) | BLK(TOPOLOGY) |
                            BLK(FLUSH) | BLK(CONFIG_WCE) | BLK(DISCARD) |
                            BLK(WRITE_ZEROES) | BLK(MQ) | VERSION_1 | EVENT |
                            INDIRECT | PACKED;

    f->guest.device.blk.queues = 3;
    f->guest.device.blk.physical_block_size = 4096;
    make(f);
    assert_int_equal(guest_virtio_pci_read(&f->guest.virtio, PCI_VENDOR_ID, 4),
                     0x10421af4);
    assert_true(guest_virtio_offered(&f->guest.virtio) == wanted);
    assert_int_equal(
        guest_virtio_reg(&f->guest.virtio, VIRTIO_PCI_COMMON_NUMQ, 2), 3);
    assert_int_equal(CONFIG(f, capacity), SECTORS);
    assert_int_equal(CONFIG(f, seg_max), BLK_ENTRIES - 2);
    assert_int_equal(CONFIG(f, blk_size), 512);
    assert_int_equal(CONFIG(f, physical_block_exp), 3);
    assert_int_equal(CONFIG(f, min_io_size), 8);
    assert_int_equal(CONFIG(f, num_queues), 3);
    assert_int_equal(CONFIG(f, wce), 1);
    assert_int_equal(CONFIG(f, max_discard_seg), 16);
    assert_int_equal(CONFIG(f, discard_sector_alignment), 8);
    assert_int_equal(CONFIG(f, write_zeroes_may_unmap), 1);
    assert_int_equal(config_at(f, 1000, 4), 0);
}

static void
test_what_is_not_offered(void **state)
{
    Fixture *f = *state;
    uint64_t offered;

    f->guest.device.blk.readonly = true;
    f->guest.device.blk.discard = false;
    f->guest.device.blk.write_cache = false;
    f->guest.device.blk.logical_block_size = 4096;
    make(f);
    offered = guest_virtio_offered(&f->guest.virtio);
    assert_true(offered & BLK(RO));
    assert_false(offered & (BLK(FLUSH) | BLK(CONFIG_WCE) | BLK(DISCARD) |
                            BLK(WRITE_ZEROES) | BLK(MQ)));
    blk_guest_go(&f->guest, ALL);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_OUT, 0, 4096),
                     VIRTIO_BLK_S_IOERR);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_DISCARD, 0, 16),
                     VIRTIO_BLK_S_UNSUPP);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_IN, 0, 4096),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_IN, 0, 512),
                     VIRTIO_BLK_S_IOERR);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_IN, 1, 4096),
                     VIRTIO_BLK_S_IOERR);
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_WRITE], 0);
}

/* --- requests --------------------------------------------------------------
 */
static void
test_requests(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    char id[20] = "a-serial";
    EngineBlkInfo got;

    make(f);
    blk_guest_go(guest, ALL & ~PACKED);
    memset(blk_data(guest, 0), 'w', 8192);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 10, 8192),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(f->disk->bytes[10 * 512 - 1], 0);
    assert_int_equal(f->disk->bytes[10 * 512], 'w');
    assert_int_equal(f->disk->bytes[26 * 512 - 1], 'w');
    assert_int_equal(f->disk->bytes[26 * 512], 0);
    memset(blk_data(guest, 0), 0, 8192);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, 25, 1024),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(blk_data(guest, 0)[511], 'w');
    assert_int_equal(blk_data(guest, 0)[512], 0);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_FLUSH, 0, 0),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_FLUSH], 1);
    memset(blk_data(guest, 0), 0xff, 64);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_GET_ID, 0, 20),
                     VIRTIO_BLK_S_OK);
    assert_memory_equal(blk_data(guest, 0), id, 20);
    assert_int_equal(blk_data(guest, 0)[20], 0xff);
    assert_int_equal(blk_guest_do(guest, 99, 0, 512), VIRTIO_BLK_S_UNSUPP);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 0),
                     VIRTIO_BLK_S_OK);
    got = info(f);
    assert_int_equal(got.stats.operations[ENGINE_BLK_READ], 1);
    assert_int_equal(got.stats.bytes[ENGINE_BLK_READ], 1024);
    assert_int_equal(got.stats.operations[ENGINE_BLK_WRITE], 2);
    assert_int_equal(got.stats.bytes[ENGINE_BLK_WRITE], 8192);
    assert_int_equal(got.stats.operations[ENGINE_BLK_FLUSH], 1);
    assert_true(got.stats.total_ns[ENGINE_BLK_WRITE] > 0);
    assert_int_equal(got.stats.errors, 1);
}

static void
put_ranges(BlkGuest *guest, const struct virtio_blk_discard_write_zeroes *range,
           unsigned count)
{
    memcpy(blk_data(guest, 0), range, count * sizeof(*range));
}

static void
test_ranges(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    static const struct virtio_blk_discard_write_zeroes ranges[] = {
        { 8, 8, 0 },
        { 64, 1, 0 },
        { SECTORS - 1, 1, 0 },
    };

    make(f);
    blk_guest_go(guest, ALL);
    memset(f->disk->bytes, 'd', f->disk->size);
    put_ranges(guest, ranges, 3);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_WRITE_ZEROES, 0, 48),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_WRITE_ZEROES], 3);
    assert_int_equal(f->disk->unmaps, 0);
    assert_int_equal(f->disk->bytes[8 * 512 - 1], 'd');
    assert_int_equal(f->disk->bytes[8 * 512], 0);
    assert_int_equal(f->disk->bytes[16 * 512], 'd');
    assert_int_equal(f->disk->bytes[64 * 512 + 511], 0);
    assert_int_equal(f->disk->bytes[f->disk->size - 1], 0);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_DISCARD, 0, 48),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_DISCARD], 3);
    assert_int_equal(info(f).stats.bytes[ENGINE_BLK_DISCARD], 10 * 512);
    put_ranges(guest, &(struct virtio_blk_discard_write_zeroes){ 0, 1, 1 }, 1);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(f->disk->unmaps, 1);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_DISCARD, 0, 16),
                     VIRTIO_BLK_S_UNSUPP); /* it has no flag */
}

static void
test_bad_ranges(void **state)
{
    Fixture *f = *state;
    static const struct {
        struct virtio_blk_discard_write_zeroes range;
        uint32_t size;
        uint8_t status;
    } cases[] = {
        { { SECTORS, 1, 0 }, 16, VIRTIO_BLK_S_IOERR },
        { { SECTORS - 1, 2, 0 }, 16, VIRTIO_BLK_S_IOERR },
        { { UINT64_MAX, 1, 0 }, 16, VIRTIO_BLK_S_IOERR },
        { { 1ull << 55, 1, 0 }, 16, VIRTIO_BLK_S_IOERR },
        { { 0, UINT32_MAX, 0 }, 16, VIRTIO_BLK_S_IOERR },
        { { 0, 1, 2 }, 16, VIRTIO_BLK_S_UNSUPP },
        { { 0, 1, 0 }, 0, VIRTIO_BLK_S_IOERR },
        { { 0, 1, 0 }, 15, VIRTIO_BLK_S_IOERR },
        { { 0, 1, 0 }, 17, VIRTIO_BLK_S_IOERR },
        { { 0, 1, 0 }, 17 * 16, VIRTIO_BLK_S_IOERR },
    };

    make(f);
    blk_guest_go(&f->guest, ALL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        memset(blk_data(&f->guest, 0), 0, 512);
        put_ranges(&f->guest, &cases[i].range, 1);
        assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_WRITE_ZEROES, 0,
                                      cases[i].size),
                         cases[i].status);
    }
    assert_int_equal(f->disk->n_offsets, 0);
}

static void
test_bad_places(void **state)
{
    Fixture *f = *state;
    static const struct {
        uint64_t sector;
        uint32_t size;
    } cases[] = {
        { SECTORS, 512 },
        { SECTORS - 1, 1024 },
        { UINT64_MAX, 512 },
        { 1ull << 55, 512 },
        { (1ull << 55) - 1, 512 },
        { 0, 511 },
        { 0, 1 },
        { SECTORS + 1, 0 },
    };

    make(f);
    blk_guest_go(&f->guest, ALL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_IN,
                                      cases[i].sector, cases[i].size),
                         VIRTIO_BLK_S_IOERR);
        assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_OUT,
                                      cases[i].sector, cases[i].size),
                         VIRTIO_BLK_S_IOERR);
    }
    assert_int_equal(f->disk->n_offsets, 0);
    assert_int_equal(info(f).stats.errors, 2 * G_N_ELEMENTS(cases));
}

/* Where buffers end means nothing. */
static void
test_any_layout(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    uint64_t at = blk_header_gpa(0), data = blk_data_gpa(1);
    /* the header by pieces, its end and the data in one buffer */
    const GuestBuffer out[] = {
        { at, 3, false },      { at + 3, 1, false },
        { at + 4, 10, false }, { at + 14, 2 + 500, false },
        { data, 12, false },   { blk_status_gpa(1), 1, true },
    };
    /* the status right behind the data */
    const GuestBuffer in[] = { { at, 16, false }, { data, 513, true } };
    uint8_t *ram;

    make(f);
    ram = fake_ram(guest->engine);
    blk_guest_go(guest, ALL);
    blk_put_header(guest, 0, VIRTIO_BLK_T_OUT, 7);
    memset(ram + at + 16, 'a', 500);
    memset(ram + data, 'b', 12);
    guest_queue_add(&guest->queues[0], out, G_N_ELEMENTS(out));
    guest_virtio_kick(&guest->virtio, 0);
    assert_true(blk_guest_wait(guest, 0, 1));
    assert_int_equal(blk_status(guest, 1), VIRTIO_BLK_S_OK);
    assert_int_equal(f->disk->bytes[7 * 512 + 499], 'a');
    assert_int_equal(f->disk->bytes[7 * 512 + 511], 'b');
    blk_put_header(guest, 0, VIRTIO_BLK_T_IN, 7);
    memset(ram + data, 0xee, 520);
    guest_queue_add(&guest->queues[0], in, G_N_ELEMENTS(in));
    guest_virtio_kick(&guest->virtio, 0);
    assert_true(blk_guest_wait(guest, 0, 1));
    assert_int_equal(ram[data], 'a');
    assert_int_equal(ram[data + 511], 'b');
    assert_int_equal(ram[data + 512], VIRTIO_BLK_S_OK);
    assert_int_equal(ram[data + 513], 0xee);
}

/* A chain that cannot be a request is the driver's mistake. */
static void
test_broken_chains(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    uint64_t at = blk_header_gpa(0);
    static const struct {
        uint32_t header, status;
    } cases[] = { { 15, 1 }, { 0, 1 }, { 16, 0 }, { 0, 0 } };

    make(f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const GuestBuffer buffers[] = {
            { at, cases[i].header, false },
            { at + 0x100, cases[i].status, true },
        };

        blk_guest_go(guest, ALL & ~INDIRECT);
        blk_put_header(guest, 0, VIRTIO_BLK_T_IN, 0);
        guest_queue_add(&guest->queues[0], buffers, 2);
        guest_queue_add(&guest->queues[0], buffers, 2); /* is not looked at */
        guest_virtio_kick(&guest->virtio, 0);
        assert_true(needs_reset(f));
        assert_int_equal(info(f).stats.errors, 0);
        assert_int_equal(blk_status(guest, 0), BLK_NO_STATUS);
    }
    blk_guest_go(guest, ALL);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, 0, 512),
                     VIRTIO_BLK_S_OK);
}

/* --- caches ----------------------------------------------------------------
 */
/* A driver that knows no flush, or wants none, has every write made durable. */
static void
test_write_cache(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    uint64_t wce;

    make(f);
    wce = guest->virtio.config + offsetof(struct virtio_blk_config, wce);
    blk_guest_go(guest, ALL);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 512), 0);
    assert_int_equal(f->disk->fuas, 0);
    fake_mmio_write(guest->engine, wce, 1, 0);
    assert_int_equal(CONFIG(f, wce), 0);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 512), 0);
    assert_int_equal(f->disk->fuas, 1);
    fake_mmio_write(guest->engine, wce, 1, 1);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 512), 0);
    assert_int_equal(f->disk->fuas, 1);
    blk_guest_go(guest, ALL & ~BLK(CONFIG_WCE) & ~BLK(FLUSH));
    fake_mmio_write(guest->engine, wce, 1, 0); /* it may not */
    assert_int_equal(CONFIG(f, wce), 1);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 512), 0);
    assert_int_equal(f->disk->fuas, 2);
}

static void
test_no_write_cache(void **state)
{
    Fixture *f = *state;

    f->guest.device.blk.write_cache = false;
    make(f);
    blk_guest_go(&f->guest, ALL);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_OUT, 0, 512), 0);
    assert_int_equal(f->disk->fuas, 1);
}

static void
test_unsafe_cache(void **state)
{
    Fixture *f = *state;

    f->guest.device.blk.ignore_flush = true;
    make(f);
    blk_guest_go(&f->guest, VERSION_1);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_OUT, 0, 512), 0);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_FLUSH, 0, 0), 0);
    assert_int_equal(f->disk->fuas, 0);
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_FLUSH], 0);
}

static void
test_detect_zeroes(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    guest->device.blk.detect_zeroes = ENGINE_BLK_ZEROES_UNMAP;
    make(f);
    blk_guest_go(guest, ALL);
    memset(f->disk->bytes, 'z', 8192);
    memset(blk_data(guest, 0), 0, 4096);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 4096), 0);
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_WRITE_ZEROES], 1);
    assert_int_equal(f->disk->unmaps, 1);
    assert_int_equal(f->disk->bytes[4095], 0);
    assert_int_equal(f->disk->bytes[4096], 'z');
    blk_data(guest, 0)[4095] = 1;
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 4096), 0);
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_WRITE], 1);
    assert_int_equal(f->disk->bytes[4095], 1);
}

/* --- errors ----------------------------------------------------------------
 */
static void
fail_with(Fixture *f, int result)
{
    __atomic_store_n(&f->disk->fail, result, __ATOMIC_SEQ_CST);
}

static void
assert_event(Fixture *f, const char *operation, const char *action,
             bool nospace)
{
    json_t *event = fake_take_event(f->guest.engine);
    const json_t *data = json_object_get(event, "data");

    assert_non_null(event);
    assert_string_equal(json_string_value(json_object_get(event, "event")),
                        "BLOCK_IO_ERROR");
    assert_string_equal(json_string_value(json_object_get(data, "id")),
                        "virtio-disk0");
    assert_string_equal(json_string_value(json_object_get(data, "operation")),
                        operation);
    assert_string_equal(json_string_value(json_object_get(data, "action")),
                        action);
    assert_int_equal(json_is_true(json_object_get(data, "nospace")), nospace);
    json_decref(event);
}

static void
test_errors_are_reported(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    make(f);
    blk_guest_go(guest, ALL);
    fail_with(f, -EIO);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 512),
                     VIRTIO_BLK_S_IOERR);
    assert_event(f, "write", "report", false);
    for (unsigned i = 0; i < 50; i++) /* are not told each */
        assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, 0, 512),
                         VIRTIO_BLK_S_IOERR);
    g_usleep(110000);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_FLUSH, 0, 0),
                     VIRTIO_BLK_S_IOERR);
    assert_int_equal(info(f).stats.errors, 52);
    assert_int_equal(info(f).stats.operations[ENGINE_BLK_WRITE], 0);
    assert_int_equal(info(f).error, 0);
    assert_int_equal(fake_stops(guest->engine), 0);
}

static void
test_errors_are_ignored(void **state)
{
    Fixture *f = *state;

    f->guest.device.blk.werror = ENGINE_BLK_IGNORE;
    make(f);
    blk_guest_go(&f->guest, ALL);
    fail_with(f, -ENOSPC);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_OUT, 0, 512),
                     VIRTIO_BLK_S_OK);
    assert_event(f, "write", "ignore", true);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_IN, 0, 512),
                     VIRTIO_BLK_S_IOERR);
}

static void
await_stops(Fixture *f, unsigned count)
{
    gint64 end = g_get_monotonic_time() + BLK_PATIENCE;

    while (fake_stops(f->guest.engine) < count && g_get_monotonic_time() < end)
        g_usleep(50);
    assert_int_equal(fake_stops(f->guest.engine), count);
}

/* Waits until the disk has been asked for @count requests in all. */
static void
await_submitted(Fixture *f, unsigned count)
{
    gint64 end = g_get_monotonic_time() + BLK_PATIENCE;

    while ((__atomic_load_n(&f->disk->n_offsets, __ATOMIC_SEQ_CST) < count ||
            flying(f) > 0) &&
           g_get_monotonic_time() < end)
        g_usleep(50);
    assert_int_equal(f->disk->n_offsets, count);
}

/* The host is full: the domain stops, once; going on tries the same requests
 * again, in the order in which they failed, until there is room. */
static void
test_no_space_stops(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    uint64_t failed[5];

    make(f);
    blk_guest_go(guest, ALL);
    fail_with(f, -ENOSPC);
    for (unsigned i = 0; i < 5; i++) {
        memset(blk_data(guest, i), 'A' + (int)i, 512);
        blk_guest_add(guest, 0, i, VIRTIO_BLK_T_OUT, i * 8, 512);
    }
    guest_virtio_kick(&guest->virtio, 0);
    await_submitted(f, 5);
    await_stops(f, 1);
    assert_event(f, "write", "stop", true);
    assert_null(fake_take_event(guest->engine));
    assert_int_equal(info(f).error, -ENOSPC);
    engine_virtio_blk_type.drain(guest->disk);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(blk_status(guest, i), BLK_NO_STATUS);

    engine_virtio_blk_type.resume(guest->disk); /* still full */
    await_submitted(f, 10);
    await_stops(f, 2);
    assert_event(f, "write", "stop", true);
    for (unsigned i = 0; i < 5; i++)
        failed[i] = f->disk->offsets[9 - i]; /* the newest fail first */

    fail_with(f, 0);
    engine_virtio_blk_type.resume(guest->disk);
    assert_true(blk_guest_wait(guest, 0, 5));
    await_submitted(f, 15);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(f->disk->offsets[10 + i], failed[i]);
        assert_int_equal(blk_status(guest, i), VIRTIO_BLK_S_OK);
        assert_int_equal(f->disk->bytes[i * 8 * 512], 'A' + i);
    }
    assert_int_equal(info(f).error, 0);
    assert_int_equal(info(f).stats.operations[ENGINE_BLK_WRITE], 5);
    assert_int_equal(info(f).stats.errors, 10);
}

static void
test_reset_drops_what_is_held(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    guest->device.blk.rerror = ENGINE_BLK_STOP;
    make(f);
    blk_guest_go(guest, ALL);
    fail_with(f, -EIO);
    blk_guest_add(guest, 0, 0, VIRTIO_BLK_T_IN, 0, 512);
    guest_virtio_kick(&guest->virtio, 0);
    await_stops(f, 1);
    assert_event(f, "read", "stop", false);
    engine_virtio_blk_type.reset(guest->disk);
    assert_int_equal(info(f).error, 0);
    fail_with(f, 0);
    engine_virtio_blk_type.resume(guest->disk);
    guest_virtio_pci_write(&guest->virtio, PCI_BASE_ADDRESS_0, 4, BLK_BAR);
    guest_virtio_pci_write(&guest->virtio, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    blk_guest_go(guest, ALL);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, 0, 512),
                     VIRTIO_BLK_S_OK);
    assert_int_equal(f->disk->n_offsets, 2);
}

/* --- stopping --------------------------------------------------------------
 */
/* What is in flight when the domain stops is done before it has stopped. */
static void
test_drain(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    EngineIo *io;

    make(f);
    io = engine_io(guest->engine, 0, NULL);
    blk_guest_go(guest, ALL);
    fake_disk_hold(f->disk, true);
    for (unsigned i = 0; i < 10; i++)
        blk_guest_add(guest, 0, i, VIRTIO_BLK_T_IN, i, 512);
    guest_virtio_kick(&guest->virtio, 0);
    await_flying(f, 10);
    engine_io_pause(io);
    engine_virtio_blk_type.drain(guest->disk);
    assert_int_equal(flying(f), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(blk_status(guest, i), VIRTIO_BLK_S_OK);
    fake_disk_hold(f->disk, false);
    /* what the guest asked for after that is for later */
    blk_guest_add(guest, 0, 20, VIRTIO_BLK_T_IN, 0, 512);
    guest_virtio_kick(&guest->virtio, 0);
    g_usleep(20000);
    assert_int_equal(blk_status(guest, 20), BLK_NO_STATUS);
    engine_virtio_blk_type.resume(guest->disk);
    engine_io_resume(io);
    assert_true(blk_guest_wait(guest, 0, 11));
}

static void
test_reset_in_flight(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    make(f);
    for (unsigned turn = 0; turn < 3; turn++) {
        blk_guest_go(guest, ALL);
        fake_disk_hold(f->disk, true);
        for (unsigned i = 0; i < 10; i++)
            blk_guest_add(guest, 0, i, VIRTIO_BLK_T_IN, i, 512);
        guest_virtio_kick(&guest->virtio, 0);
        await_flying(f, 10);
        guest_virtio_set(&guest->virtio, VIRTIO_PCI_COMMON_STATUS, 1, 0);
        assert_int_equal(flying(f), 0);
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(blk_status(guest, i), BLK_NO_STATUS);
        fake_disk_hold(f->disk, false);
    }
    blk_guest_go(guest, ALL);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, 0, 512),
                     VIRTIO_BLK_S_OK);
}

static void
test_end_in_flight(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    make(f);
    blk_guest_go(guest, ALL);
    fake_disk_hold(f->disk, true);
    for (unsigned i = 0; i < 10; i++)
        blk_guest_add(guest, 0, i, VIRTIO_BLK_T_OUT, i, 512);
    guest_virtio_kick(&guest->virtio, 0);
    await_flying(f, 10); /* teardown ends the engine */
}

/* --- batches ---------------------------------------------------------------
 */
/* What comes by one kick goes to the kernel at once and comes back by one
 * interrupt. */
static void
test_batches(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    make(f);
    blk_guest_go(guest, VERSION_1 | INDIRECT);
    fake_disk_hold(f->disk, true);
    for (unsigned i = 0; i < 20; i++)
        blk_guest_add(guest, 0, i, VIRTIO_BLK_T_IN, i, 512);
    guest_virtio_kick(&guest->virtio, 0);
    await_flying(f, 20);
    assert_int_equal(info(f).stats.operations[ENGINE_BLK_READ], 0);
    assert_int_equal(f->disk->kicks, 1);
    fake_disk_hold(f->disk, false);
    assert_true(blk_guest_wait(guest, 0, 20));
    (void)info(f); /* the wake-up is over */
    assert_int_equal(fake_msi_count(guest->engine, BLK_MSI), 1);
}

/* A guest may have more in its rings than is taken at once. */
static void
test_flight_is_bounded(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    guest->device.blk.queue_size = 1024;
    make(f);
    blk_guest_go(guest, 0);
    guest->features = VERSION_1 | INDIRECT;
    guest_virtio_begin(&guest->virtio, guest->features);
    guest_queue_init_at(&guest->queues[0], fake_ram(guest->engine), BLK_RINGS,
                        1024, guest->features);
    guest_virtio_add_queue(&guest->virtio, 0, &guest->queues[0], 1);
    guest_virtio_go(&guest->virtio);
    fake_disk_hold(f->disk, true);
    for (unsigned i = 0; i < 1000; i++)
        blk_guest_add(guest, 0, i % BLK_PLACES, VIRTIO_BLK_T_IN, i, 512);
    guest_virtio_kick(&guest->virtio, 0);
    await_flying(f, 512);
    (void)info(f);
    assert_int_equal(flying(f), 512);
    fake_disk_hold(f->disk, false);
    assert_true(blk_guest_wait(guest, 0, 1000));
    assert_int_equal(info(f).stats.operations[ENGINE_BLK_READ], 1000);
}

/* --- the host's wishes -----------------------------------------------------
 */
static void
test_resize(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;
    g_autoptr(GError) error = NULL;
    uint64_t generation;

    make(f);
    blk_guest_go(guest, ALL);
    generation =
        guest_virtio_reg(&guest->virtio, VIRTIO_PCI_COMMON_CFGGENERATION, 1);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, SECTORS, 512),
                     VIRTIO_BLK_S_IOERR);
    assert_true(engine_blk_resize(guest->disk, 2 * SECTORS * 512, &error));
    assert_int_equal(CONFIG(f, capacity), 2 * SECTORS);
    assert_int_not_equal(
        guest_virtio_reg(&guest->virtio, VIRTIO_PCI_COMMON_CFGGENERATION, 1),
        generation);
    assert_int_equal(fake_msi_count(guest->engine, BLK_MSI - 1), 1);
    assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, SECTORS, 512),
                     VIRTIO_BLK_S_OK);
    assert_false(engine_blk_resize(guest->disk, 1000, &error));
}

/* --- commands --------------------------------------------------------------
 */
/* Returns: the answer, or the error's message as a string */
static json_t *
ask(Fixture *f, const char *request)
{
    g_autoptr(GError) error = NULL;
    g_auto(EngineControlCall) call = { 0 };
    EngineReader reader = { .given = NULL };
    json_t *answer = NULL;

    if (engine_control_parse(request, strlen(request), &reader, &call, &error))
        answer = call.command->run(f->guest.engine, call.arguments, &error);
    return answer ? answer : json_string(error->message);
}

static void
assert_number(const json_t *object, const char *name, json_int_t value)
{
    const json_t *member = json_object_get(object, name);

    if (!json_is_integer(member) || json_integer_value(member) != value)
        fail_msg("%s is %lld, not %lld", name,
                 (long long)json_integer_value(member), (long long)value);
}

static void
test_query(void **state)
{
    Fixture *f = *state;
    json_t *answer;
    const json_t *disk;

    make(f);
    blk_guest_go(&f->guest, ALL);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_OUT, 0, 1024), 0);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_IN, 0, 512), 0);
    assert_int_equal(blk_guest_do(&f->guest, VIRTIO_BLK_T_FLUSH, 0, 0), 0);
    answer = ask(f, "{\"execute\": \"query-block\"}");
    assert_int_equal(json_array_size(answer), 1);
    disk = json_array_get(answer, 0);
    assert_string_equal(json_string_value(json_object_get(disk, "id")),
                        "virtio-disk0");
    assert_string_equal(json_string_value(json_object_get(disk, "error")),
                        "none");
    assert_number(disk, "size", SECTORS * 512);
    assert_number(disk, "physical", SECTORS * 512);
    assert_number(disk, "allocation", SECTORS * 256);
    assert_number(disk, "highest_offset", SECTORS * 128);
    assert_number(disk, "wr_operations", 1);
    assert_number(disk, "wr_bytes", 1024);
    assert_number(disk, "rd_operations", 1);
    assert_number(disk, "rd_bytes", 512);
    assert_number(disk, "flush_operations", 1);
    assert_number(disk, "discard_operations", 0);
    assert_number(disk, "errors", 0);
    assert_true(json_integer_value(json_object_get(disk, "rd_total_ns")) > 0);
    json_decref(answer);
}

static void
assert_answer(Fixture *f, const char *request, const char *wanted)
{
    json_t *answer = ask(f, request);
    const char *message = json_string_value(answer);

    if (g_strcmp0(message, wanted) != 0)
        fail_msg("%s: %s", request, message ? message : "done");
    json_decref(answer);
}

static void
test_commands(void **state)
{
    Fixture *f = *state;

    make(f);
    blk_guest_go(&f->guest, ALL);
    assert_answer(f,
                  "{\"execute\": \"block_resize\", \"arguments\": {\"id\": "
                  "\"virtio-disk0\", \"size\": 2097152}}",
                  NULL);
    assert_int_equal(CONFIG(f, capacity), 4096);
    assert_answer(f,
                  "{\"execute\": \"block_resize\", \"arguments\": {\"id\": "
                  "\"virtio-disk0\", \"size\": 100}}",
                  "the size of 'virtio-disk0' must be a multiple of 512 bytes");
    assert_answer(f,
                  "{\"execute\": \"block_resize\", \"arguments\": {\"id\": "
                  "\"cow\", \"size\": 512}}",
                  "there is no disk 'cow'");
    assert_answer(f,
                  "{\"execute\": \"block_set_throttle\", \"arguments\": "
                  "{\"id\": \"cow\", \"throttle\": {}}}",
                  "there is no disk 'cow'");
    assert_answer(f,
                  "{\"execute\": \"block_set_throttle\", \"arguments\": "
                  "{\"id\": \"virtio-disk0\", \"throttle\": "
                  "{\"read_iops_sec\": 5, \"read_iops_sec_max\": 4}}}",
                  "the argument 'throttle.read_iops_sec' has a burst slower "
                  "than its rate");
}

/* A limit delays what it is for and nothing else; lifting it lets go of what
 * waits; a reset forgets it. */
static void
test_throttle(void **state)
{
    Fixture *f = *state;
    BlkGuest *guest = &f->guest;

    make(f);
    for (unsigned turn = 0; turn < 2; turn++) {
        blk_guest_go(guest, ALL);
        assert_answer(f,
                      "{\"execute\": \"block_set_throttle\", \"arguments\": "
                      "{\"id\": \"virtio-disk0\", \"throttle\": "
                      "{\"read_bytes_sec\": 1}}}",
                      NULL);
        assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_IN, 0, 512), 0);
        for (unsigned i = 1; i < 6; i++)
            blk_guest_add(guest, 0, i, VIRTIO_BLK_T_IN, i, 512);
        assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_OUT, 0, 512), 0);
        assert_int_equal(blk_guest_do(guest, VIRTIO_BLK_T_FLUSH, 0, 0), 0);
        for (unsigned i = 1; i < 6; i++)
            assert_int_equal(blk_status(guest, i), BLK_NO_STATUS);
        if (turn == 0)
            guest_virtio_set(&guest->virtio, VIRTIO_PCI_COMMON_STATUS, 1, 0);
        assert_answer(f,
                      "{\"execute\": \"block_set_throttle\", \"arguments\": "
                      "{\"id\": \"virtio-disk0\", \"throttle\": {}}}",
                      NULL);
    }
    assert_true(blk_guest_wait(guest, 0, 5));
    assert_int_equal(f->disk->counts[ENGINE_BLOCK_READ], 2 + 5);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_identity),
        T(test_what_is_not_offered),
        T(test_requests),
        T(test_ranges),
        T(test_bad_ranges),
        T(test_bad_places),
        T(test_any_layout),
        T(test_broken_chains),
        T(test_write_cache),
        T(test_no_write_cache),
        T(test_unsafe_cache),
        T(test_detect_zeroes),
        T(test_errors_are_reported),
        T(test_errors_are_ignored),
        T(test_no_space_stops),
        T(test_reset_drops_what_is_held),
        T(test_drain),
        T(test_reset_in_flight),
        T(test_end_in_flight),
        T(test_batches),
        T(test_flight_is_bounded),
        T(test_resize),
        T(test_query),
        T(test_commands),
        T(test_throttle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
