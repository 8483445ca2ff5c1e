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

#include "engine/dev/dev.h"
#include "engine/virtio/devices.h"
#include "fake-block.h"
#include "scsi-guest.h"

/* A virtio-scsi with a disk at target 0, unit 2, over real rings. */
#define BLOCKS     2048
#define VERSION_1  GUEST_FEATURE(VIRTIO_F_VERSION_1)
#define SCSI(NAME) GUEST_FEATURE(VIRTIO_SCSI_F_##NAME)
#define PACKED     GUEST_FEATURE(VIRTIO_F_RING_PACKED)
#define ALL        UINT64_MAX
#define LUN        2

#define NO_SENSE          0x000000
#define WRITE_ERROR       0x030c00
#define READ_ERROR        0x031100
#define PARAMETER_LENGTH  0x051a00
#define INVALID_OPCODE    0x052000
#define OUT_OF_RANGE      0x052100
#define INVALID_FIELD     0x052400
#define NO_SUCH_LUN       0x052500
#define INVALID_PARAMETER 0x052600
#define NO_SAVING         0x053900
#define POWER_ON          0x062900
#define CAPACITY_CHANGED  0x062a09
#define WRITE_PROTECTED   0x072700

typedef struct Fixture {
    ScsiGuest guest;
    EngineDeviceConfig unit;
    EngineDevice *disk;
    FakeDisk *fake;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));

    f->fake = fake_disk_new(BLOCKS * 512);
    f->unit.id = (char *)"scsi0-0-0-2";
    f->unit.kind = ENGINE_DEVICE_UNIT;
    f->unit.unit = (EngineUnitConfig){ .controller = (char *)"scsi0",
                                       .lun = LUN,
                                       .wwn = 0x5000c50015ea71acull };
    f->unit.blk = (EngineBlkConfig){
        .drive = { .fd = -1, .path = (char *)"fake", .writable = true },
        .serial = (char *)"a-serial",
        .logical_block_size = 512,
        .physical_block_size = 4096,
        .discard = true,
        .write_cache = true,
        .werror = ENGINE_BLK_ENOSPACE,
    };
    *state = f;
    return 0;
}

static void
make_bare(Fixture *f)
{
    scsi_guest_init(&f->guest, &engine_virtio_scsi_type, &engine_pci_type);
    f->disk =
        fake_device_add(f->guest.engine, &engine_scsi_unit_type, &f->unit);
}

static unsigned
run(Fixture *f, const ScsiCommand *command)
{
    return scsi_guest_do(&f->guest, command);
}

/* The command without data to LUN 2 */
static unsigned
simple(Fixture *f, uint8_t code)
{
    const ScsiCommand command = { { code }, .lun = LUN };

    return run(f, &command);
}

static void
make(Fixture *f)
{
    make_bare(f);
    scsi_guest_go(&f->guest, ALL);
    assert_int_equal(simple(f, 0x00), SCSI_CHECK);
    assert_int_equal(scsi_guest_sense(&f->guest), POWER_ON);
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->guest.engine);
    assert_int_equal(f->fake->strays, 0);
    fake_disk_free(f->fake);
    free(f);
    return 0;
}

static uint8_t *
data(Fixture *f)
{
    return scsi_data(&f->guest, 0);
}

static uint32_t
resid(Fixture *f)
{
    return scsi_response(&f->guest, 0)->resid;
}

#define assert_good(f, ...)                             \
    do {                                                \
        const ScsiCommand command_ = { __VA_ARGS__ };   \
        assert_int_equal(run(f, &command_), SCSI_GOOD); \
    } while (0)

#define assert_fails(f, code, ...)                             \
    do {                                                       \
        const ScsiCommand command_ = { __VA_ARGS__ };          \
        assert_int_equal(run(f, &command_), SCSI_CHECK);       \
        assert_int_equal(scsi_guest_sense(&(f)->guest), code); \
    } while (0)

static uint64_t
number(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    while (size-- > 0)
        value = value << 8 | *at++;
    return value;
}

static uint64_t
config_at(Fixture *f, unsigned offset, unsigned size)
{
    return fake_mmio_read(f->guest.engine, f->guest.virtio.config + offset,
                          size);
}
#define CONFIG(f, member)                                     \
    config_at(f, offsetof(struct virtio_scsi_config, member), \
              sizeof(((struct virtio_scsi_config *)0)->member))

/* --- the controller ------------------------------------------------------- */
static void
test_identity(void **state)
{
    Fixture *f = *state;

    make_bare(f);
    assert_int_equal(guest_virtio_pci_read(&f->guest.virtio, PCI_VENDOR_ID, 4),
                     0x10481af4);
    assert_true(guest_virtio_offered(&f->guest.virtio) & SCSI(HOTPLUG));
    assert_true(guest_virtio_offered(&f->guest.virtio) & SCSI(CHANGE));
    assert_false(guest_virtio_offered(&f->guest.virtio) & SCSI(INOUT));
    assert_int_equal(
        guest_virtio_reg(&f->guest.virtio, VIRTIO_PCI_COMMON_NUMQ, 2), 3);
    assert_int_equal(CONFIG(f, num_queues), 1);
    assert_int_equal(CONFIG(f, seg_max), SCSI_ENTRIES - 2);
    assert_int_equal(CONFIG(f, max_sectors), 65535);
    assert_int_equal(CONFIG(f, cmd_per_lun), 128);
    assert_int_equal(CONFIG(f, event_info_size), 16);
    assert_int_equal(CONFIG(f, sense_size), 96);
    assert_int_equal(CONFIG(f, cdb_size), 32);
    assert_int_equal(CONFIG(f, max_channel), 0);
    assert_int_equal(CONFIG(f, max_target), 255);
    assert_int_equal(CONFIG(f, max_lun), 16383);
}

static void
test_places(void **state)
{
    Fixture *f = *state;

    make(f);
    for (unsigned lun = 0; lun < 4; lun++) {
        if (lun == LUN)
            continue;
        assert_fails(f, NO_SUCH_LUN, { 0x00 }, .lun = lun);
        assert_good(f, { 0x12, 0, 0, 0, 36 }, .lun = lun, .in = 36);
        assert_int_equal(data(f)[0], 0x7f);
    }
    assert_good(f, { 0x12, 0, 0, 0, 36 }, .lun = LUN, .in = 36);
    assert_int_equal(data(f)[0], 0);
    assert_good(f, { 0xa0, [9] = 16 }, .in = 16);
    assert_int_equal(number(data(f), 4), 8);
    assert_int_equal(number(data(f) + 8, 2), LUN);
    assert_int_equal(
        run(f, &(ScsiCommand){ { 0x12, 0, 0, 0, 36 }, 1, 0, 0, 36 }),
        SCSI_NONE - VIRTIO_SCSI_S_BAD_TARGET);
    assert_int_equal(resid(f), 0);
}

/* Data both ways are not offered. */
static void
test_both_ways(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_int_equal(
        run(f, &(ScsiCommand){ { 0x12, 0, 0, 0, 36 }, 0, LUN, 8, 36 }),
        SCSI_NONE - VIRTIO_SCSI_S_FAILURE);
}

static void
test_broken_requests(void **state)
{
    Fixture *f = *state;
    uint64_t gpa = scsi_place_gpa(0);
    const GuestBuffer bad[][2] = {
        { { gpa, 50, false }, { gpa + 0x1000, 108, true } },
        { { gpa, 51, false }, { gpa + 0x1000, 107, true } },
    };

    make(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        scsi_guest_go(&f->guest, ALL);
        guest_queue_add(&f->guest.queues[2], bad[i], 2);
        guest_virtio_kick(&f->guest.virtio, 2);
        for (unsigned tries = 0; tries < 100000; tries++) {
            if (guest_virtio_status(&f->guest.virtio) &
                VIRTIO_CONFIG_S_NEEDS_RESET)
                break;
            g_usleep(50);
        }
        assert_true(guest_virtio_status(&f->guest.virtio) &
                    VIRTIO_CONFIG_S_NEEDS_RESET);
    }
}

/* The driver says how long a CDB and the sense are. */
static void
test_sizes(void **state)
{
    Fixture *f = *state;
    uint64_t config, gpa = scsi_place_gpa(0);
    const GuestBuffer buffers[] = { { gpa, 19 + 16, false },
                                    { gpa + 0x1000, 12 + 4, true } };
    struct virtio_scsi_cmd_req request = { .cdb = { 0xff } };

    make(f);
    config = f->guest.virtio.config;
    fake_mmio_write(f->guest.engine,
                    config + offsetof(struct virtio_scsi_config, sense_size), 4,
                    4);
    fake_mmio_write(f->guest.engine,
                    config + offsetof(struct virtio_scsi_config, cdb_size), 4,
                    16);
    fake_mmio_write(f->guest.engine,
                    config + offsetof(struct virtio_scsi_config, cdb_size), 4,
                    100000); /* not taken */
    assert_int_equal(CONFIG(f, sense_size), 4);
    assert_int_equal(CONFIG(f, cdb_size), 16);
    scsi_put_lun(request.lun, 0, LUN);
    memcpy(fake_ram(f->guest.engine) + gpa, &request, sizeof(request));
    memset(scsi_response(&f->guest, 0), 0xee, 64);
    guest_queue_add(&f->guest.queues[2], buffers, 2);
    guest_virtio_kick(&f->guest.virtio, 2);
    assert_true(scsi_guest_wait(&f->guest, 2, 1));
    assert_int_equal(f->guest.written, 16);
    assert_int_equal(scsi_response(&f->guest, 0)->sense_len, 4);
    assert_int_equal(scsi_response(&f->guest, 0)->sense[2], 5);
    assert_int_equal(scsi_response(&f->guest, 0)->sense[4], 0xee);
}

/* --- what a disk says of itself --------------------------------------------
 */
static void
test_inquiry(void **state)
{
    Fixture *f = *state;

    make(f);
    memset(data(f), 0xee, 64);
    assert_good(f, { 0x12, 0, 0, 0, 64 }, .lun = LUN, .in = 64);
    assert_int_equal(resid(f), 64 - 36);
    assert_int_equal(f->guest.written, 108 + 36);
    assert_int_equal(data(f)[0], 0);
    assert_int_equal(data(f)[1], 0);
    assert_int_equal(data(f)[2], 6);
    assert_int_equal(data(f)[3] & 0x0f, 2);
    assert_int_equal(data(f)[4], 31);
    assert_memory_equal(data(f) + 8, "VIRTKVM HARD DISK       ", 24);
    assert_int_equal(data(f)[36], 0xee);
    assert_good(f, { 0x12, 0, 0, 0, 5 }, .lun = LUN, .in = 64);
    assert_int_equal(resid(f), 64 - 5);
    assert_fails(f, INVALID_FIELD, { 0x12, 0, 0x80, 0, 64 }, .lun = LUN,
                 .in = 64);
}

static void
test_vital_data(void **state)
{
    static const uint8_t list[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };
    Fixture *f = *state;
    uint8_t *d;

    make(f);
    d = data(f);
    assert_good(f, { 0x12, 1, 0x00, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(number(d + 2, 2), sizeof(list));
    assert_memory_equal(d + 4, list, sizeof(list));
    assert_good(f, { 0x12, 1, 0x80, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(number(d + 2, 2), 8);
    assert_memory_equal(d + 4, "a-serial", 8);
    assert_good(f, { 0x12, 1, 0x83, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(number(d + 2, 2), 4 + 16 + 4 + 8);
    assert_memory_equal(d + 4, "\2\1\0\20VIRTKVM a-serial\1\3\0\10", 24);
    assert_true(number(d + 28, 8) == 0x5000c50015ea71acull);
    assert_good(f, { 0x12, 1, 0xb0, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(number(d + 2, 2), 60);
    assert_int_equal(number(d + 6, 2), 8);
    assert_int_equal(number(d + 20, 4), (1 << 30) / 512);
    assert_int_equal(number(d + 24, 4), 256);
    assert_int_equal(number(d + 28, 4), 8);
    assert_int_equal(number(d + 36, 8), (1 << 30) / 512);
    assert_good(f, { 0x12, 1, 0xb1, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(number(d + 2, 2), 60);
    assert_good(f, { 0x12, 1, 0xb2, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(d[5], 0xe0);
    assert_fails(f, INVALID_FIELD, { 0x12, 1, 0x81, 0, 255 }, .lun = LUN,
                 .in = 255);
}

static void
test_capacity(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_good(f, { 0x25 }, .lun = LUN, .in = 8);
    assert_int_equal(number(data(f), 4), BLOCKS - 1);
    assert_int_equal(number(data(f) + 4, 4), 512);
    assert_good(f, { 0x9e, 0x10, [13] = 32 }, .lun = LUN, .in = 32);
    assert_int_equal(number(data(f), 8), BLOCKS - 1);
    assert_int_equal(number(data(f) + 8, 4), 512);
    assert_int_equal(data(f)[13], 3);
    assert_int_equal(data(f)[14], 0x80);
    assert_fails(f, INVALID_FIELD, { 0x9e, 0x11, [13] = 32 }, .lun = LUN,
                 .in = 32);
}

static void
test_conditions(void **state)
{
    Fixture *f = *state;

    make_bare(f);
    scsi_guest_go(&f->guest, ALL);
    assert_good(f, { 0x12, 0, 0, 0, 36 }, .lun = LUN, .in = 36);
    assert_good(f, { 0x03, 0, 0, 0, 18 }, .lun = LUN, .in = 18);
    assert_int_equal(data(f)[2] << 16 | data(f)[12] << 8, POWER_ON);
    assert_good(f, { 0x03, 0, 0, 0, 18 }, .lun = LUN, .in = 18);
    assert_int_equal(data(f)[2], 0);
    assert_int_equal(simple(f, 0x00), SCSI_GOOD);
    assert_fails(f, INVALID_OPCODE, { 0xff }, .lun = LUN);
    assert_fails(f, INVALID_FIELD, { 0x03, 1, 0, 0, 18 }, .lun = LUN, .in = 18);
}

static void
test_mode_pages(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_good(f, { 0x1a, 0, 0x08, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(data(f)[0], 4 + 8 + 20 - 1);
    assert_int_equal(data(f)[2], 0x10);
    assert_int_equal(data(f)[3], 8);
    assert_int_equal(number(data(f) + 4, 4), BLOCKS);
    assert_int_equal(number(data(f) + 8, 4), 512);
    assert_int_equal(data(f)[12], 0x08);
    assert_int_equal(data(f)[14], 0x04);
    assert_good(f, { 0x1a, 0x08, 0x48, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(data(f)[6], 0x04); /* WCE can be changed */
    assert_int_equal(data(f)[7], 0);
    assert_good(f, { 0x5a, 0x08, 0x3f, 0xff, [8] = 255 }, .lun = LUN,
                .in = 255);
    assert_int_equal(number(data(f), 2), 8 + 12 + 20 + 12 - 2);
    assert_fails(f, NO_SAVING, { 0x1a, 0, 0xc8, 0, 255 }, .lun = LUN,
                 .in = 255);
    assert_fails(f, INVALID_FIELD, { 0x1a, 0, 0x2a, 0, 255 }, .lun = LUN,
                 .in = 255);
    assert_fails(f, INVALID_FIELD, { 0x1a, 0, 0x08, 1, 255 }, .lun = LUN,
                 .in = 255);
}

static void
test_mode_select(void **state)
{
    Fixture *f = *state;
    const ScsiCommand off = { { 0x15, 0x10, 0, 0, 24 }, .lun = LUN, .out = 24 };

    make(f);
    memset(data(f), 0, 64);
    data(f)[4] = 0x08;
    data(f)[5] = 18;
    assert_int_equal(run(f, &off), SCSI_GOOD);
    assert_good(f, { 0x2a, [8] = 1 }, .lun = LUN, .out = 512);
    assert_int_equal(f->fake->fuas, 1);
    assert_good(f, { 0x1a, 0x08, 0x08, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(data(f)[6], 0);
    data(f)[6] = 0x04 | 0x01; /* RCD is not to be changed */
    memset(data(f), 0, 4);
    assert_int_equal(run(f, &off), SCSI_CHECK);
    assert_int_equal(scsi_guest_sense(&f->guest), INVALID_PARAMETER);
    data(f)[6] = 0x04;
    assert_int_equal(run(f, &off), SCSI_GOOD);
    assert_good(f, { 0x2a, [8] = 1 }, .lun = LUN, .out = 512);
    assert_int_equal(f->fake->fuas, 1);
    assert_fails(f, INVALID_FIELD, { 0x15, 0x11, 0, 0, 24 }, .lun = LUN,
                 .out = 24);
    assert_fails(f, PARAMETER_LENGTH, { 0x15, 0x10, 0, 0, 24 }, .lun = LUN,
                 .out = 23);
    assert_fails(f, INVALID_PARAMETER, { 0x15, 0x10, 0, 0, 23 }, .lun = LUN,
                 .out = 23);
    assert_fails(f, PARAMETER_LENGTH, { 0x15, 0x10, 0, 0, 3 }, .lun = LUN,
                 .out = 3);
}

/* --- data ----------------------------------------------------------------- */
static void
test_transfers(void **state)
{
    static const uint8_t writes[][16] = {
        { 0x0a, 0, 0, 10, 2 },
        { 0x2a, 0, [5] = 20, [8] = 2 },
        { 0xaa, 0, [5] = 30, [9] = 2 },
        { 0x8a, 0, [9] = 40, [13] = 2 },
    };
    Fixture *f = *state;

    make(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++) {
        ScsiCommand command = { .lun = LUN, .out = 2048 };
        uint8_t *at = f->fake->bytes + (10 + 10 * i) * 512;

        memcpy(command.cdb, writes[i], 16);
        memset(data(f), 'a' + (int)i, 2048);
        assert_int_equal(run(f, &command), SCSI_GOOD);
        assert_int_equal(resid(f), 1024);
        assert_int_equal(at[-1], 0);
        assert_int_equal(at[0], 'a' + (int)i);
        assert_int_equal(at[1023], 'a' + (int)i);
        assert_int_equal(at[1024], 0);
        memset(data(f), 0, 2048);
        command.cdb[0] = (uint8_t)(command.cdb[0] - 2);
        command.out = 0;
        command.in = 2048;
        assert_int_equal(run(f, &command), SCSI_GOOD);
        assert_int_equal(resid(f), 1024);
        assert_int_equal(data(f)[0], 'a' + (int)i);
        assert_int_equal(data(f)[1023], 'a' + (int)i);
        assert_int_equal(data(f)[1024], 0);
    }
    assert_int_equal(f->fake->fuas, 0);
    assert_good(f, { 0x2a, 0x08, [8] = 1 }, .lun = LUN, .out = 512);
    assert_int_equal(f->fake->fuas, 1);
    assert_good(f, { 0x35 }, .lun = LUN);
    assert_good(f, { 0x91 }, .lun = LUN);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_FLUSH], 2);
    assert_good(f, { 0x28 }, .lun = LUN, .in = 512); /* nothing */
    assert_int_equal(resid(f), 512);
    assert_good(f, { 0x2f, [8] = 1 }, .lun = LUN);
}

static void
test_ranges(void **state)
{
    Fixture *f = *state;

    make(f);
    assert_fails(f, OUT_OF_RANGE, { 0x28, [4] = 8, [8] = 1 }, .lun = LUN,
                 .in = 512);
    assert_fails(f, OUT_OF_RANGE, { 0x28, [4] = 7, [5] = 255, [8] = 2 },
                 .lun = LUN, .in = 1024);
    assert_good(f, { 0x28, [4] = 7, [5] = 255, [8] = 1 }, .lun = LUN,
                .in = 512);
    assert_fails(
        f, OUT_OF_RANGE,
        { 0x8a, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1 },
        .lun = LUN, .out = 512);
    assert_fails(f, OUT_OF_RANGE,
                 { 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255 },
                 .lun = LUN, .in = 512);
    assert_fails(f, OUT_OF_RANGE, { 0x35, [3] = 1 }, .lun = LUN);
    assert_fails(f, OUT_OF_RANGE, { 0x2f, [3] = 1, [8] = 1 }, .lun = LUN);
    /* more than there is room for */
    assert_int_equal(
        run(f, &(ScsiCommand){ { 0x28, [8] = 2 }, 0, LUN, 0, 1023 }),
        SCSI_NONE - VIRTIO_SCSI_S_OVERRUN);
    assert_int_equal(
        run(f, &(ScsiCommand){ { 0x2a, [8] = 2 }, 0, LUN, 0, 1024 }),
        SCSI_NONE - VIRTIO_SCSI_S_OVERRUN);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_WRITE], 0);
}

static void
put(uint8_t *to, unsigned size, uint64_t value)
{
    while (size-- > 0) {
        to[size] = (uint8_t)value;
        value >>= 8;
    }
}

/* An UNMAP list of two ranges in the data */
static void
put_ranges(Fixture *f, uint64_t first, uint32_t blocks, uint64_t second)
{
    memset(data(f), 0, 40);
    put(data(f), 2, 38);
    put(data(f) + 2, 2, 32);
    put(data(f) + 8, 8, first);
    put(data(f) + 16, 4, blocks);
    put(data(f) + 24, 8, second);
    put(data(f) + 32, 4, 1);
}

static void
test_unmap(void **state)
{
    Fixture *f = *state;

    make(f);
    memset(f->fake->bytes, 'x', BLOCKS * 512);
    put_ranges(f, 8, 16, 100);
    assert_good(f, { 0x42, [8] = 40 }, .lun = LUN, .out = 40);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_DISCARD], 2);
    assert_int_equal(f->fake->bytes[8 * 512 - 1], 'x');
    assert_int_equal(f->fake->bytes[8 * 512], 0);
    assert_int_equal(f->fake->bytes[24 * 512 - 1], 0);
    assert_int_equal(f->fake->bytes[24 * 512], 'x');
    assert_int_equal(f->fake->bytes[100 * 512], 0);
    put_ranges(f, 8, 0, 100);
    assert_good(f, { 0x42, [8] = 40 }, .lun = LUN, .out = 40);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_DISCARD], 3);
    put_ranges(f, 8, 16, BLOCKS);
    assert_fails(f, OUT_OF_RANGE, { 0x42, [8] = 40 }, .lun = LUN, .out = 40);
    put_ranges(f, UINT64_MAX, 2, 1);
    assert_fails(f, OUT_OF_RANGE, { 0x42, [8] = 40 }, .lun = LUN, .out = 40);
    put_ranges(f, 0, UINT32_MAX, 1);
    assert_fails(f, INVALID_PARAMETER, { 0x42, [8] = 40 }, .lun = LUN,
                 .out = 40);
    assert_fails(f, PARAMETER_LENGTH, { 0x42, [8] = 40 }, .lun = LUN,
                 .out = 39);
    assert_fails(f, INVALID_FIELD, { 0x42, 1, [8] = 40 }, .lun = LUN,
                 .out = 40);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_DISCARD], 3);
}

static void
test_write_same(void **state)
{
    Fixture *f = *state;

    make(f);
    memset(f->fake->bytes, 'x', BLOCKS * 512);
    memset(data(f), 0, 512);
    assert_good(f, { 0x93, 0x08, [9] = 4, [13] = 4 }, .lun = LUN, .out = 512);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_WRITE_ZEROES], 1);
    assert_int_equal(f->fake->unmaps, 1);
    assert_int_equal(f->fake->bytes[4 * 512 - 1], 'x');
    assert_int_equal(f->fake->bytes[4 * 512], 0);
    assert_int_equal(f->fake->bytes[8 * 512 - 1], 0);
    assert_int_equal(f->fake->bytes[8 * 512], 'x');
    assert_good(f, { 0x93, 0x01, [9] = 9, [13] = 1 }, .lun = LUN);
    assert_int_equal(f->fake->bytes[9 * 512], 0);
    for (unsigned i = 0; i < 512; i++)
        data(f)[i] = (uint8_t)i;
    assert_good(f, { 0x41, 0, [4] = 1, [7] = 3, [8] = 0x21 }, .lun = LUN,
                .out = 512);
    /* 801 blocks in two chunks */
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_WRITE], 2);
    assert_int_equal(f->fake->bytes[256 * 512 - 1], 'x');
    for (unsigned i = 0; i < 801; i++)
        assert_memory_equal(f->fake->bytes + (256 + i) * 512, data(f), 512);
    assert_int_equal(f->fake->bytes[(256 + 801) * 512], 'x');
    assert_fails(f, INVALID_FIELD, { 0x41, 0x10, [8] = 1 }, .lun = LUN,
                 .out = 512);
    assert_fails(f, PARAMETER_LENGTH, { 0x41, 0, [8] = 1 }, .lun = LUN,
                 .out = 511);
    assert_fails(f, OUT_OF_RANGE, { 0x41, 0, [3] = 1, [8] = 1 }, .lun = LUN,
                 .out = 512);
}

static void
test_read_only(void **state)
{
    Fixture *f = *state;

    f->unit.blk.readonly = true;
    make(f);
    assert_fails(f, WRITE_PROTECTED, { 0x2a, [8] = 1 }, .lun = LUN, .out = 512);
    put_ranges(f, 0, 1, 1);
    assert_fails(f, WRITE_PROTECTED, { 0x42, [8] = 40 }, .lun = LUN, .out = 40);
    assert_good(f, { 0x28, [8] = 1 }, .lun = LUN, .in = 512);
    assert_good(f, { 0x1a, 0, 0x08, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(data(f)[2], 0x90);
    assert_good(f, { 0x9e, 0x10, [13] = 32 }, .lun = LUN, .in = 32);
    assert_int_equal(data(f)[14], 0);
}

static void
test_without_discard(void **state)
{
    Fixture *f = *state;

    f->unit.blk.discard = false;
    make(f);
    put_ranges(f, 0, 1, 1);
    assert_fails(f, INVALID_OPCODE, { 0x42, [8] = 40 }, .lun = LUN, .out = 40);
    assert_good(f, { 0x12, 1, 0xb2, 0, 255 }, .lun = LUN, .in = 255);
    assert_int_equal(data(f)[5], 0);
}

static void
test_detect_zeroes(void **state)
{
    Fixture *f = *state;

    f->unit.blk.detect_zeroes = ENGINE_BLK_ZEROES_UNMAP;
    make(f);
    memset(data(f), 0, 1024);
    assert_good(f, { 0x2a, [8] = 2 }, .lun = LUN, .out = 1024);
    data(f)[1023] = 1;
    assert_good(f, { 0x2a, [8] = 2 }, .lun = LUN, .out = 1024);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_WRITE_ZEROES], 1);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_WRITE], 1);
    assert_int_equal(f->fake->unmaps, 1);
}

/* --- the host's errors -----------------------------------------------------
 */
static void
assert_event(Fixture *f, const char *name, const char *member,
             const char *value)
{
    json_t *event = fake_take_event(f->guest.engine);
    json_t *found;

    assert_non_null(event);
    assert_string_equal(json_string_value(json_object_get(event, "event")),
                        name);
    found = json_object_get(json_object_get(event, "data"), member);
    if (json_is_boolean(found))
        assert_string_equal(json_is_true(found) ? "true" : "false", value);
    else
        assert_string_equal(json_string_value(found), value);
    json_decref(event);
}

static void
test_errors(void **state)
{
    Fixture *f = *state;

    make(f);
    f->fake->fail = -EIO;
    assert_fails(f, READ_ERROR, { 0x28, [8] = 1 }, .lun = LUN, .in = 512);
    assert_int_equal(resid(f), 512);
    assert_event(f, "BLOCK_IO_ERROR", "action", "report");
    assert_fails(f, WRITE_ERROR, { 0x2a, [8] = 1 }, .lun = LUN, .out = 512);
    assert_int_equal(fake_stops(f->guest.engine), 0);
}

static void
await_stop(Fixture *f)
{
    for (unsigned i = 0; i < 100000 && fake_stops(f->guest.engine) == 0; i++)
        g_usleep(50);
    assert_int_equal(fake_stops(f->guest.engine), 1);
}

static void
test_no_space_stops(void **state)
{
    Fixture *f = *state;
    const ScsiCommand write = { { 0x2a, [8] = 1 }, .lun = LUN, .out = 512 };
    EngineBlkInfo info;

    make(f);
    f->fake->fail = -ENOSPC;
    scsi_guest_add(&f->guest, 1, &write);
    scsi_guest_add(&f->guest, 2, &write);
    guest_virtio_kick(&f->guest.virtio, 2);
    await_stop(f);
    assert_event(f, "BLOCK_IO_ERROR", "action", "stop");
    engine_scsi_unit_type.drain(f->disk);
    engine_disk_info(&((ScsiUnit *)f->disk)->disk, &info);
    assert_int_equal(info.error, -ENOSPC);
    __atomic_store_n(&f->fake->fail, 0, __ATOMIC_SEQ_CST);
    memset(scsi_data(&f->guest, 1), 's', 512);
    engine_scsi_unit_type.resume(f->disk);
    assert_true(scsi_guest_wait(&f->guest, 2, 2));
    assert_int_equal(scsi_response(&f->guest, 1)->status, SCSI_GOOD);
    engine_disk_info(&((ScsiUnit *)f->disk)->disk, &info);
    assert_int_equal(info.error, 0);
}

/* --- ending what is under way ----------------------------------------------
 */
static void
await_flying(Fixture *f, unsigned count)
{
    for (unsigned i = 0; i < 100000; i++) {
        if (__atomic_load_n(&f->fake->in_flight, __ATOMIC_SEQ_CST) == count)
            return;
        g_usleep(50);
    }
    fail_msg("%u are not in flight", count);
}

static void
set_limit(Fixture *f, uint64_t bytes)
{
    EngineThrottleConfig limit = { 0 };

    limit.rates[ENGINE_THROTTLE_WRITE_BYTES].average = bytes;
    assert_true(
        engine_disk_set_throttle(&((ScsiUnit *)f->disk)->disk, &limit, NULL));
}

static void
test_task_management(void **state)
{
    Fixture *f = *state;
    ScsiGuest *guest = &f->guest;
    const ScsiCommand write = { { 0x2a, [8] = 1 }, .lun = LUN, .out = 512 };

    make(f);
    set_limit(f, 1);
    assert_int_equal(run(f, &write), SCSI_GOOD);
    for (unsigned i = 1; i < 4; i++)
        scsi_guest_add(guest, i, &write);
    guest_virtio_kick(&guest->virtio, 2);
    assert_int_equal(simple(f, 0x00), SCSI_GOOD);
    assert_int_equal(scsi_guest_manage(guest, 6, 0, LUN, 2), 10);
    assert_int_equal(scsi_guest_manage(guest, 6, 0, LUN, 7), 0);
    assert_int_equal(scsi_guest_manage(guest, 7, 0, LUN, 0), 10);
    assert_int_equal(scsi_guest_manage(guest, 0, 0, LUN, 2), 0);
    assert_true(scsi_guest_wait(guest, 2, 1));
    assert_int_equal(scsi_response(guest, 2)->response, VIRTIO_SCSI_S_ABORTED);
    assert_int_equal(scsi_response(guest, 1)->response, SCSI_NONE);
    assert_int_equal(scsi_guest_manage(guest, 5, 0, LUN, 0), 0);
    assert_true(scsi_guest_wait(guest, 2, 2));
    assert_int_equal(scsi_response(guest, 1)->response, VIRTIO_SCSI_S_RESET);
    assert_int_equal(scsi_response(guest, 3)->response, VIRTIO_SCSI_S_RESET);
    assert_int_equal(f->fake->counts[ENGINE_BLOCK_WRITE], 1);
    assert_fails(f, POWER_ON, { 0x00 }, .lun = LUN);
    assert_int_equal(scsi_guest_manage(guest, 5, 0, 7, 0), 12);
    assert_int_equal(scsi_guest_manage(guest, 5, 3, 0, 0), 3);
    assert_int_equal(scsi_guest_manage(guest, 9, 0, LUN, 0), 11);
    assert_int_equal(scsi_guest_manage(guest, 4, 0, 0, 0), 0);
    assert_fails(f, POWER_ON, { 0x00 }, .lun = LUN);
}

/* What the host has is waited for. */
static void
test_abort_in_flight(void **state)
{
    Fixture *f = *state;
    const ScsiCommand write = { { 0x2a, [8] = 1 }, .lun = LUN, .out = 512 };

    make(f);
    fake_disk_hold(f->fake, true);
    scsi_guest_add(&f->guest, 1, &write);
    guest_virtio_kick(&f->guest.virtio, 2);
    await_flying(f, 1);
    assert_int_equal(scsi_guest_manage(&f->guest, 0, 0, LUN, 1), 0);
    assert_true(scsi_guest_wait(&f->guest, 2, 1));
    assert_int_equal(scsi_response(&f->guest, 1)->status, SCSI_GOOD);
    await_flying(f, 0);
    fake_disk_hold(f->fake, false);
}

static void
test_reset_in_flight(void **state)
{
    Fixture *f = *state;
    const ScsiCommand write = { { 0x2a, [8] = 1 }, .lun = LUN, .out = 512 };

    make(f);
    fake_disk_hold(f->fake, true);
    for (unsigned i = 1; i < 9; i++)
        scsi_guest_add(&f->guest, i, &write);
    guest_virtio_kick(&f->guest.virtio, 2);
    await_flying(f, 8);
    guest_virtio_set(&f->guest.virtio, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    assert_int_equal(f->fake->in_flight, 0);
    for (unsigned i = 1; i < 9; i++)
        assert_int_equal(scsi_response(&f->guest, i)->response, SCSI_NONE);
    fake_disk_hold(f->fake, false);
    scsi_guest_go(&f->guest, ALL & ~PACKED);
    assert_fails(f, POWER_ON, { 0x00 }, .lun = LUN);
    assert_int_equal(simple(f, 0x00), SCSI_GOOD);
}

static void
test_end_in_flight(void **state)
{
    Fixture *f = *state;
    const ScsiCommand write = { { 0x2a, [8] = 1 }, .lun = LUN, .out = 512 };

    make(f);
    set_limit(f, 1);
    for (unsigned i = 1; i < 9; i++)
        scsi_guest_add(&f->guest, i, &write);
    guest_virtio_kick(&f->guest.virtio, 2);
    assert_int_equal(simple(f, 0x00), SCSI_GOOD);
}

/* --- coming and going ------------------------------------------------------
 */
static void
test_resize(void **state)
{
    Fixture *f = *state;
    g_autoptr(GError) error = NULL;
    struct virtio_scsi_event event;

    make(f);
    scsi_guest_listen(&f->guest);
    assert_true(engine_scsi_resize(f->disk, 512 * 4096, NULL));
    assert_true(scsi_guest_event(&f->guest, &event));
    assert_int_equal(event.event, VIRTIO_SCSI_T_PARAM_CHANGE);
    assert_int_equal(event.reason, 0x092a);
    assert_int_equal(event.lun[2], 0);
    assert_int_equal(event.lun[3], LUN);
    assert_fails(f, CAPACITY_CHANGED, { 0x00 }, .lun = LUN);
    assert_good(f, { 0x25 }, .lun = LUN, .in = 8);
    assert_int_equal(number(data(f), 4), 4095);
    assert_false(engine_scsi_resize(f->disk, 100, &error));
    assert_string_equal(
        error->message,
        "the size of 'scsi0-0-0-2' must be a multiple of 512 bytes");
}

static void
test_events(void **state)
{
    Fixture *f = *state;
    const ScsiBus *bus = engine_virtio_scsi_type.units;
    struct virtio_scsi_event event;
    ScsiUnit *unit;

    make(f);
    unit = (ScsiUnit *)f->disk;
    scsi_guest_listen(&f->guest);
    bus->detach(f->guest.controller, unit);
    assert_true(scsi_guest_event(&f->guest, &event));
    assert_int_equal(event.event, VIRTIO_SCSI_T_TRANSPORT_RESET);
    assert_int_equal(event.reason, VIRTIO_SCSI_EVT_RESET_REMOVED);
    assert_int_equal(run(f, &(ScsiCommand){ { 0 }, .lun = LUN }),
                     SCSI_NONE - VIRTIO_SCSI_S_BAD_TARGET);
    /* for this one there is no buffer */
    assert_true(bus->attach(f->guest.controller, unit, NULL));
    assert_false(bus->attach(f->guest.controller, unit, NULL));
    scsi_guest_listen(&f->guest);
    assert_true(scsi_guest_event(&f->guest, &event));
    assert_int_equal(event.event, VIRTIO_SCSI_T_EVENTS_MISSED);
    assert_int_equal(simple(f, 0x00), SCSI_GOOD);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_identity),        T(test_places),
        T(test_both_ways),       T(test_broken_requests),
        T(test_sizes),           T(test_inquiry),
        T(test_vital_data),      T(test_capacity),
        T(test_conditions),      T(test_mode_pages),
        T(test_mode_select),     T(test_transfers),
        T(test_ranges),          T(test_unmap),
        T(test_write_same),      T(test_read_only),
        T(test_without_discard), T(test_detect_zeroes),
        T(test_errors),          T(test_no_space_stops),
        T(test_task_management), T(test_abort_in_flight),
        T(test_reset_in_flight), T(test_end_in_flight),
        T(test_resize),          T(test_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
