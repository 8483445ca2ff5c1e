/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blk-fixture.h"

/* Virtio disks: an image that fails, and an end in the middle of it. */

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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_errors_are_reported),
        T(test_errors_are_ignored),
        T(test_no_space_stops),
        T(test_reset_drops_what_is_held),
        T(test_drain),
        T(test_reset_in_flight),
        T(test_end_in_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
