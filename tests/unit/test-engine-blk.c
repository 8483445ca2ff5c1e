/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blk-fixture.h"

/* Virtio disks: what a guest finds and asks for. */

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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_identity),     T(test_what_is_not_offered),
        T(test_requests),     T(test_ranges),
        T(test_bad_ranges),   T(test_bad_places),
        T(test_any_layout),   T(test_broken_chains),
        T(test_write_cache),  T(test_no_write_cache),
        T(test_unsafe_cache), T(test_detect_zeroes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
