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

#include "engine/control-command.h"
#include "engine/dev/dev.h"
#include "engine/virtio/devices.h"
#include "fake-block.h"
#include "scsi-guest.h"

/* A virtio-scsi with a drive for discs at target 0, unit 0. */
#define BLOCKS 700 /* of 2048 bytes */
#define ALL    UINT64_MAX

#define NO_MEDIUM      0x023a01
#define TRAY_OPEN      0x023a02
#define OUT_OF_RANGE   0x052100
#define INVALID_OPCODE 0x052000
#define INVALID_FIELD  0x052400
#define OTHER_FORMAT   0x053002
#define LOCKED         0x055302
#define NEW_MEDIUM     0x062800
#define POWER_ON       0x062900

typedef struct Fixture {
    ScsiGuest guest;
    EngineDeviceConfig unit;
    EngineDevice *drive;
    FakeDisk *fake;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));

    f->fake = fake_disk_new(BLOCKS * 2048 + 512);
    for (unsigned i = 0; i < BLOCKS; i++)
        f->fake->bytes[i * 2048] = (uint8_t)i;
    f->unit.id = (char *)"scsi0-0-0-0";
    f->unit.kind = ENGINE_DEVICE_UNIT;
    f->unit.fds = g_array_new(FALSE, FALSE, sizeof(int));
    f->unit.unit = (EngineUnitConfig){ .controller = (char *)"scsi0",
                                       .kind = ENGINE_UNIT_CDROM };
    f->unit.blk = (EngineBlkConfig){
        .drive = { .fd = -1, .path = (char *)"fake" },
        .readonly = true,
        .logical_block_size = 512,
    };
    *state = f;
    return 0;
}

static void
make_bare(Fixture *f)
{
    scsi_guest_init(&f->guest, &engine_virtio_scsi_type, &engine_pci_type);
    f->drive =
        fake_device_add(f->guest.engine, &engine_scsi_unit_type, &f->unit);
    scsi_guest_go(&f->guest, ALL);
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->guest.engine);
    assert_int_equal(f->fake->strays, 0);
    fake_disk_free(f->fake);
    g_array_unref(f->unit.fds);
    free(f);
    return 0;
}

static uint8_t *
data(Fixture *f)
{
    return scsi_data(&f->guest, 0);
}

#define assert_good(f, ...)                                                 \
    do {                                                                    \
        const ScsiCommand command_ = { __VA_ARGS__ };                       \
        assert_int_equal(scsi_guest_do(&(f)->guest, &command_), SCSI_GOOD); \
    } while (0)

#define assert_fails(f, code, ...)                                           \
    do {                                                                     \
        const ScsiCommand command_ = { __VA_ARGS__ };                        \
        assert_int_equal(scsi_guest_do(&(f)->guest, &command_), SCSI_CHECK); \
        assert_int_equal(scsi_guest_sense(&(f)->guest), code);               \
    } while (0)

static void
make(Fixture *f)
{
    make_bare(f);
    assert_fails(f, POWER_ON, { 0x00 });
}

static uint32_t
number(const uint8_t *at, unsigned size)
{
    uint32_t value = 0;

    while (size-- > 0)
        value = value << 8 | *at++;
    return value;
}

/* --- what it says --------------------------------------------------------- */
static void
test_identity(void **state)
{
    static const uint8_t pages[] = { 0x00, 0x83 };
    Fixture *f = *state;

    make(f);
    assert_good(f, { 0x12, 0, 0, 0, 36 }, .in = 36);
    assert_int_equal(data(f)[0], 5);
    assert_int_equal(data(f)[1], 0x80);
    assert_memory_equal(data(f) + 8, "VIRTKVM OPTICAL DISC    ", 24);
    assert_good(f, { 0x12, 1, 0x00, 0, 255 }, .in = 255);
    assert_int_equal(number(data(f) + 2, 2), sizeof(pages));
    assert_memory_equal(data(f) + 4, pages, sizeof(pages));
    assert_fails(f, INVALID_FIELD, { 0x12, 1, 0xb0, 0, 255 }, .in = 255);
    assert_good(f, { 0x5a, 0x08, 0x2a, [8] = 255 }, .in = 255);
    assert_int_equal(number(data(f), 2), 8 + 28 - 2);
    assert_int_equal(data(f)[7], 0);
    assert_int_equal(data(f)[8], 0x2a);
    assert_int_equal(data(f)[14] >> 5, 1); /* a tray */
    assert_fails(f, INVALID_OPCODE, { 0x2a, [8] = 1 }, .out = 2048);
    assert_fails(f, INVALID_OPCODE, { 0x42, [8] = 40 }, .out = 40);
}

static void
test_reading(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_good(f, { 0x25 }, .in = 8);
    assert_int_equal(number(data(f), 4), BLOCKS - 1);
    assert_int_equal(number(data(f) + 4, 4), 2048);
    assert_good(f, { 0x28, [5] = 5, [8] = 2 }, .in = 4096);
    assert_int_equal(data(f)[0], 5);
    assert_int_equal(data(f)[2048], 6);
    assert_good(f, { 0xa8, [4] = 2, [5] = 187, [9] = 1 }, .in = 2048);
    assert_int_equal(data(f)[0], (BLOCKS - 1) & 0xff);
    assert_fails(f, OUT_OF_RANGE, { 0x28, [4] = 2, [5] = 188, [8] = 1 },
                 .in = 2048);
    assert_good(f, { 0x2b, [5] = 9 });
    assert_fails(f, OUT_OF_RANGE, { 0x2b, [3] = 9 });
}

static void
test_toc(void **state)
{
    static const uint8_t whole[] = { 0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
                                     0, 0,  0, 0x14, 0xaa, 0,    0, 0, 2, 188 };
    static const uint8_t timed[] = {
        0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 11, 25
    };
    static const uint8_t session[] = { 0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0 };
    Fixture *f = *state;

    make(f);
    assert_good(f, { 0x43, [8] = 255 }, .in = 255);
    assert_memory_equal(data(f), whole, sizeof(whole));
    assert_good(f, { 0x43, 2, [6] = 0xaa, [8] = 255 }, .in = 255);
    assert_memory_equal(data(f), timed, sizeof(timed));
    assert_good(f, { 0x43, 0, 1, [8] = 255 }, .in = 255);
    assert_memory_equal(data(f), session, sizeof(session));
    assert_good(f, { 0x43, 0, 2, [8] = 255 }, .in = 255);
    assert_int_equal(number(data(f), 2), 46);
    assert_int_equal(data(f)[4 + 22 + 3], 0xa2);
    assert_int_equal(data(f)[4 + 22 + 9], 11);
    assert_int_equal(data(f)[4 + 22 + 10], 25);
    assert_fails(f, INVALID_FIELD, { 0x43, 0, 3, [8] = 255 }, .in = 255);
    assert_fails(f, INVALID_FIELD, { 0x43, [6] = 2, [8] = 255 }, .in = 255);
    assert_good(f, { 0x51, [8] = 34 }, .in = 34);
    assert_int_equal(data(f)[2], 0x0e);
    assert_fails(f, OTHER_FORMAT, { 0xad, [9] = 255 }, .in = 255);
}

static void
test_configuration(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_good(f, { 0x46, 0, [8] = 255 }, .in = 255);
    assert_int_equal(number(data(f) + 6, 2), 0x08);
    assert_int_equal(number(data(f), 4), 4 + 12 + 12 + 8 + 12 + 4);
    assert_good(f, { 0x46, 2, 0, 0x1f, [8] = 255 }, .in = 255);
    assert_int_equal(number(data(f), 4), 4 + 4);
    assert_int_equal(number(data(f) + 8, 2), 0x1f);
    assert_int_equal(data(f)[10] & 1, 0); /* not of this disc */
    assert_good(f, { 0x46, 1, 0, 1, [8] = 255 }, .in = 255);
    assert_int_equal(number(data(f), 4), 4 + 12 + 8 + 12);
    assert_fails(f, INVALID_FIELD, { 0x46, 3, [8] = 255 }, .in = 255);
}

static void
test_dvd(void **state)
{
    Fixture *f = *state;

    fake_disk_free(f->fake);
    f->fake = fake_disk_new(400000ull * 2048);
    make(f);
    assert_good(f, { 0x46, 0, [8] = 255 }, .in = 255);
    assert_int_equal(number(data(f) + 6, 2), 0x10);
    assert_good(f, { 0xad, [8] = 8, [9] = 4 }, .in = 2052);
    assert_int_equal(number(data(f) + 12, 4), 0x030000 + 400000 - 1);
    assert_good(f, { 0x28, 0, 0, 6, 0x1a, 0x7f, [8] = 1 }, .in = 2048);
}

/* --- the tray and the medium -----------------------------------------------
 */
static void
assert_tray_event(Fixture *f, bool open)
{
    json_t *event = fake_take_event(f->guest.engine);
    json_t *moved;

    assert_non_null(event);
    assert_string_equal(json_string_value(json_object_get(event, "event")),
                        "DEVICE_TRAY_MOVED");
    moved = json_object_get(json_object_get(event, "data"), "tray-open");
    assert_int_equal(json_is_true(moved), open);
    json_decref(event);
}

static void
test_guest_ejects(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_good(f, { 0x1e, [4] = 1 });
    assert_fails(f, LOCKED, { 0x1b, [4] = 2 });
    assert_null(fake_take_event(f->guest.engine));
    assert_good(f, { 0x1e, [4] = 0 });
    assert_good(f, { 0x1b, [4] = 2 });
    assert_tray_event(f, true);
    assert_fails(f, TRAY_OPEN, { 0x00 });
    assert_fails(f, TRAY_OPEN, { 0x28, [8] = 1 }, .in = 2048);
    assert_good(f, { 0xbd, [9] = 8 }, .in = 8);
    assert_int_equal(data(f)[1], 0x10);
    assert_good(f, { 0x1b, [4] = 2 }); /* it is */
    assert_null(fake_take_event(f->guest.engine));
    assert_good(f, { 0x1b, [4] = 3 });
    assert_tray_event(f, false);
    assert_fails(f, NEW_MEDIUM, { 0x00 });
    assert_good(f, { 0x00 });
    assert_good(f, { 0x28, [8] = 1 }, .in = 2048);
    assert_int_equal(scsi_guest_manage(&f->guest, 5, 0, 0, 0), 0);
}

/* Returns: the media event, with the state above it */
static unsigned
media(Fixture *f)
{
    assert_good(f, { 0x4a, 1, [4] = 0x10, [8] = 8 }, .in = 8);
    assert_int_equal(number(data(f), 2), 4 + 2 - 2);
    assert_int_equal(data(f)[2], 4);
    return (unsigned)data(f)[5] << 8 | data(f)[4];
}

static EngineDriveConfig *
another(void)
{
    EngineDriveConfig *drive = g_new0(EngineDriveConfig, 1);

    drive->fd = -1;
    drive->path = g_strdup("another");
    return drive;
}

static void
test_host_changes(void **state)
{
    Fixture *f = *state;
    struct virtio_scsi_event event;

    make(f);
    assert_int_equal(media(f), 0x200);
    assert_true(engine_scsi_change_medium(f->drive, NULL, NULL));
    assert_tray_event(f, true);
    assert_tray_event(f, false);
    assert_fails(f, NO_MEDIUM, { 0x00 });
    assert_int_equal(media(f), 0x003);
    assert_int_equal(media(f), 0x000);
    assert_good(f, { 0x46, 0, [8] = 255 }, .in = 255);
    assert_int_equal(number(data(f) + 6, 2), 0);
    scsi_guest_listen(&f->guest); /* of the first there was none */
    assert_true(scsi_guest_event(&f->guest, &event));
    assert_int_equal(event.event, VIRTIO_SCSI_T_EVENTS_MISSED);
    scsi_guest_listen(&f->guest);
    assert_true(engine_scsi_change_medium(f->drive, another(), NULL));
    assert_true(scsi_guest_event(&f->guest, &event));
    assert_int_equal(event.event, VIRTIO_SCSI_T_PARAM_CHANGE);
    assert_int_equal(event.reason, 0x28);
    assert_int_equal(media(f), 0x202);
    assert_fails(f, NEW_MEDIUM, { 0x00 });
    assert_good(f, { 0x28, [5] = 7, [8] = 1 }, .in = 2048);
    assert_int_equal(data(f)[0], 7);
    assert_tray_event(f, true);
    assert_tray_event(f, false);
    assert_true(engine_scsi_change_medium(f->drive, another(), NULL));
    assert_fails(f, NEW_MEDIUM, { 0x28, [8] = 1 }, .in = 2048);
}

static void
test_locked(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_false(engine_scsi_is_locked(f->drive));
    assert_good(f, { 0x1e, [4] = 1 });
    assert_true(engine_scsi_is_locked(f->drive));
    assert_int_equal(media(f), 0x201);
    assert_good(f, { 0x00 });
    assert_null(fake_take_event(f->guest.engine));
    assert_true(engine_scsi_change_medium(f->drive, NULL, NULL));
    assert_fails(f, NO_MEDIUM, { 0x00 });
    assert_good(f, { 0x1b, [4] = 2 }); /* the lock has gone, too */
}

/* The medium that was there stays, if the other cannot be had. */
static void
test_bad_medium(void **state)
{
    Fixture *f = *state;
    EngineDriveConfig *drive = another();
    FakeDisk *fake = f->fake;
    g_autoptr(GError) error = NULL;

    make(f);
    f->fake = fake_disk_new(512);
    fake_disk_free(f->fake); /* there is none now */
    f->fake = fake;
    assert_false(engine_scsi_change_medium(f->drive, drive, &error));
    assert_string_equal(error->message, "there is no fake disk");
    engine_drive_config_free(drive);
    assert_fails(f, NEW_MEDIUM, { 0x00 });
    assert_good(f, { 0x28, [5] = 7, [8] = 1 }, .in = 2048);
    assert_int_equal(data(f)[0], 7);
}

static void
test_empty(void **state)
{
    Fixture *f = *state;

    f->unit.blk.drive.path = NULL;
    make(f);
    assert_fails(f, NO_MEDIUM, { 0x00 });
    assert_fails(f, NO_MEDIUM, { 0x28, [8] = 1 }, .in = 2048);
    assert_fails(f, NO_MEDIUM, { 0x25 }, .in = 8);
    assert_fails(f, NO_MEDIUM, { 0x43, [8] = 255 }, .in = 255);
    assert_good(f, { 0x12, 0, 0, 0, 36 }, .in = 36);
    assert_true(engine_scsi_change_medium(f->drive, another(), NULL));
    assert_fails(f, NEW_MEDIUM, { 0x25 }, .in = 8);
    assert_good(f, { 0x25 }, .in = 8);
}

/* What is under way ends before the medium goes. */
static void
test_change_in_flight(void **state)
{
    Fixture *f = *state;
    const ScsiCommand read = { { 0x28, [8] = 1 }, .in = 2048 };
    EngineThrottleConfig limit = { 0 };

    make(f);
    limit.rates[ENGINE_THROTTLE_READ_BYTES].average = 1;
    assert_true(
        engine_disk_set_throttle(&((ScsiUnit *)f->drive)->disk, &limit, NULL));
    assert_good(f, { 0x28, [8] = 1 }, .in = 2048);
    for (unsigned i = 1; i < 5; i++)
        scsi_guest_add(&f->guest, i, &read);
    guest_virtio_kick(&f->guest.virtio, 2);
    assert_good(f, { 0x00 });
    assert_true(engine_scsi_change_medium(f->drive, NULL, NULL));
    assert_true(scsi_guest_wait(&f->guest, 2, 4));
    for (unsigned i = 1; i < 5; i++)
        assert_int_equal(scsi_response(&f->guest, i)->status, SCSI_CHECK);
}

/* --- commands of the control socket ----------------------------------------
 */
static json_t *
ask(Fixture *f, const char *line, GError **error)
{
    EngineReader reader = { .fds = NULL };
    g_auto(EngineControlCall) call = { 0 };

    assert_true(
        engine_control_parse(line, strlen(line), &reader, &call, error));
    return call.command->run(f->guest.engine, call.arguments, error);
}

static void
test_commands(void **state)
{
    Fixture *f = *state;
    g_autoptr(GError) error = NULL;
    json_t *answer;

    make(f);
    answer = ask(f, "{\"execute\": \"query-block\"}", NULL);
    assert_int_equal(json_array_size(answer), 1);
    assert_true(
        json_is_true(json_object_get(json_array_get(answer, 0), "medium")));
    json_decref(answer);
    answer = ask(f,
                 "{\"execute\": \"change_medium\", \"arguments\": "
                 "{\"id\": \"scsi0-0-0-0\"}}",
                 NULL);
    assert_non_null(answer);
    json_decref(answer);
    assert_fails(f, NO_MEDIUM, { 0x00 });
    assert_good(f, { 0x1e, [4] = 1 });
    answer = ask(f,
                 "{\"execute\": \"change_medium\", \"arguments\": "
                 "{\"id\": \"scsi0-0-0-0\"}}",
                 NULL);
    assert_true(json_is_true(json_object_get(answer, "asked")));
    json_decref(answer);
    answer = ask(f, "{\"execute\": \"query-block\"}", NULL);
    assert_true(
        json_is_false(json_object_get(json_array_get(answer, 0), "medium")));
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(answer, 0), "size")),
        0);
    json_decref(answer);
    assert_null(ask(f,
                    "{\"execute\": \"change_medium\", \"arguments\": "
                    "{\"id\": \"cow\"}}",
                    &error));
    assert_string_equal(error->message, "there is no disk 'cow'");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_identity),
        T(test_reading),
        T(test_toc),
        T(test_configuration),
        T(test_dvd),
        T(test_guest_ejects),
        T(test_host_changes),
        T(test_locked),
        T(test_bad_medium),
        T(test_empty),
        T(test_change_in_flight),
        T(test_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
