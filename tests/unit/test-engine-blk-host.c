/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blk-fixture.h"

/* Virtio disks: many requests, and what the host wants of a disk. */

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
        T(test_batches), T(test_flight_is_bounded), T(test_resize),
        T(test_query),   T(test_commands),          T(test_throttle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
