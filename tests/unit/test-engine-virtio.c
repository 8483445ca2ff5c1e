/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/dev/dev.h"
#include "engine/dev/pci.h"
#include "engine/virtio/devices.h"
#include "engine/x86/acpi.h"
#include "fake-engine.h"
#include "guest-queue.h"

/* A guest with a virtio-rng at 00:05.0: it finds everything by the
 * capabilities, as a driver does. */
#define SLOT    5
#define MEMORY  0x100000
#define BAR_GPA ENGINE_PCI_HOLE_BASE
#define DATA    0x80000
#define SOURCE  "0123456789abcdefghij" /* what the host's source gives */
#define STATUS_READY                                        \
    (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
     VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)
#define VERSION_1   (1ull << VIRTIO_F_VERSION_1)
#define EVENT       (1ull << VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT    (1ull << VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED      (1ull << VIRTIO_F_RING_PACKED)
#define PATIENCE_US (5 * G_USEC_PER_SEC)

typedef struct Fixture {
    EngineConfig config;
    EngineDeviceConfig device;
    Engine *engine;
    EngineDevice *rng;
    int source[2]; /* a pipe: what the guest will get is known */
    uint64_t common, notify, isr, window, msix; /* the last two in config */
    GuestQueue guest;
} Fixture;

/* --- configuration space by mechanism 1 ----------------------------------- */
static uint32_t
cfg_read(Fixture *f, unsigned offset, unsigned size)
{
    fake_out(f->engine, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
    return (uint32_t)fake_in(f->engine, (uint16_t)(0xcfc + (offset & 3)), size);
}

static void
cfg_write(Fixture *f, unsigned offset, unsigned size, uint32_t value)
{
    fake_out(f->engine, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
    fake_out(f->engine, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

static void
find_capabilities(Fixture *f)
{
    unsigned at = cfg_read(f, PCI_CAPABILITY_LIST, 1);

    for (; at; at = cfg_read(f, at + PCI_CAP_LIST_NEXT, 1)) {
        uint64_t place = BAR_GPA + cfg_read(f, at + VIRTIO_PCI_CAP_OFFSET, 4);

        if (cfg_read(f, at, 1) == PCI_CAP_ID_MSIX) {
            f->msix = at;
            continue;
        }
        assert_int_equal(cfg_read(f, at, 1), PCI_CAP_ID_VNDR);
        assert_int_equal(cfg_read(f, at + VIRTIO_PCI_CAP_BAR, 1), 0);
        switch (cfg_read(f, at + VIRTIO_PCI_CAP_CFG_TYPE, 1)) {
        case VIRTIO_PCI_CAP_COMMON_CFG:
            f->common = place;
            break;
        case VIRTIO_PCI_CAP_NOTIFY_CFG:
            f->notify = place;
            break;
        case VIRTIO_PCI_CAP_ISR_CFG:
            f->isr = place;
            break;
        case VIRTIO_PCI_CAP_PCI_CFG:
            f->window = at;
            break;
        default:
            fail();
        }
    }
    assert_true(f->common && f->notify && f->isr && f->window && f->msix);
}

static void
make(Fixture *f)
{
    f->engine = fake_engine_new(&f->config, MEMORY);
    fake_device_new(f->engine, &engine_pci_type, 0);
    f->rng = fake_device_add(f->engine, &engine_virtio_rng_type, &f->device);
    cfg_write(f, PCI_BASE_ADDRESS_0, 4, BAR_GPA);
    cfg_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    find_capabilities(f);
}

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));

    assert_int_equal(pipe2(f->source, O_CLOEXEC), 0);
    f->device = (EngineDeviceConfig){
        .id = (char *)"rng0",
        .slot = SLOT,
        .packed = true,
        .rng = { .fd = f->source[0], .period_ms = 1000 },
    };
    f->config.memory = MEMORY;
    make(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->engine);
    close(f->source[0]);
    close(f->source[1]);
    free(f);
    return 0;
}

/* --- a driver ------------------------------------------------------------- */
static uint64_t
reg(Fixture *f, unsigned offset, unsigned size)
{
    return fake_mmio_read(f->engine, f->common + offset, size);
}

static void
set_reg(Fixture *f, unsigned offset, unsigned size, uint64_t value)
{
    fake_mmio_write(f->engine, f->common + offset, size, value);
}

static uint8_t
status(Fixture *f)
{
    return (uint8_t)reg(f, VIRTIO_PCI_COMMON_STATUS, 1);
}

static uint64_t
offered(Fixture *f)
{
    uint64_t low;

    set_reg(f, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
    low = reg(f, VIRTIO_PCI_COMMON_DF, 4);
    set_reg(f, VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
    return low | reg(f, VIRTIO_PCI_COMMON_DF, 4) << 32;
}

static void
accept_features(Fixture *f, uint64_t features)
{
    set_reg(f, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    set_reg(f, VIRTIO_PCI_COMMON_GF, 4, (uint32_t)features);
    set_reg(f, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    set_reg(f, VIRTIO_PCI_COMMON_GF, 4, features >> 32);
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1,
            VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                VIRTIO_CONFIG_S_FEATURES_OK);
}

static void
set_address(Fixture *f, unsigned offset, uint64_t gpa)
{
    set_reg(f, offset, 4, (uint32_t)gpa);
    set_reg(f, offset + 4, 4, gpa >> 32);
}

static void
begin(Fixture *f, uint64_t features)
{
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    assert_int_equal(status(f), 0);
    accept_features(f, features);
    assert_true(status(f) & VIRTIO_CONFIG_S_FEATURES_OK);
    set_reg(f, VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
    set_reg(f, VIRTIO_PCI_COMMON_Q_SIZE, 2, 16);
    guest_queue_init(&f->guest, fake_ram(f->engine), 16, features);
    set_address(f, VIRTIO_PCI_COMMON_Q_DESCLO, f->guest.descriptors);
    set_address(f, VIRTIO_PCI_COMMON_Q_AVAILLO, f->guest.driver);
    set_address(f, VIRTIO_PCI_COMMON_Q_USEDLO, f->guest.device);
}

static void
go(Fixture *f, uint64_t features)
{
    begin(f, features);
    set_reg(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, STATUS_READY);
    assert_int_equal(status(f), STATUS_READY);
}

static void
kick(Fixture *f)
{
    fake_mmio_write(f->engine, f->notify, 2, 0);
}

static void
ask(Fixture *f, uint32_t size)
{
    const GuestBuffer buffer = { DATA, size, true };

    guest_queue_add(&f->guest, &buffer, 1);
    kick(f);
}

static bool
answered(Fixture *f, uint32_t *ret_written)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    uint16_t id;

    while (!guest_queue_take(&f->guest, &id, ret_written)) {
        if (g_get_monotonic_time() > end)
            return false;
        g_usleep(100);
    }
    return true;
}

static bool
becomes(Fixture *f, bool (*what)(Fixture *f))
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    while (!what(f) && g_get_monotonic_time() < end)
        g_usleep(100);
    return what(f);
}

static void
give(Fixture *f)
{
    assert_int_equal(write(f->source[1], SOURCE, strlen(SOURCE)),
                     strlen(SOURCE));
}

static bool
pin_is_up(Fixture *f)
{
    return fake_irq_level(f->engine, engine_pci_gsi(SLOT, 0));
}

/* --- tests ---------------------------------------------------------------- */
static void
test_identity(void **state)
{
    Fixture *f = *state;

    assert_int_equal(cfg_read(f, PCI_VENDOR_ID, 4), 0x10441af4);
    assert_int_equal(cfg_read(f, PCI_REVISION_ID, 1), 1);
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_NUMQ, 2), 1);
    assert_true(offered(f) == (VERSION_1 | EVENT | INDIRECT | PACKED));
    set_reg(f, VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_DF, 4), 0);
    set_reg(f, VIRTIO_PCI_COMMON_Q_SELECT, 2, 1); /* there is none */
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
    set_reg(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
}

static void
test_features_are_settled(void **state)
{
    Fixture *f = *state;

    accept_features(f, EVENT); /* a legacy driver */
    assert_false(status(f) & VIRTIO_CONFIG_S_FEATURES_OK);
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    accept_features(f, VERSION_1 | 1ull << 5); /* not offered */
    assert_false(status(f) & VIRTIO_CONFIG_S_FEATURES_OK);
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    accept_features(f, VERSION_1);
    assert_true(status(f) & VIRTIO_CONFIG_S_FEATURES_OK);
    set_reg(f, VIRTIO_PCI_COMMON_GF, 4, 0); /* too late */
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_GF, 4), 1);
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 1); /* bits stay */
    assert_true(status(f) & VIRTIO_CONFIG_S_FEATURES_OK);
}

static void
test_requests(void **state)
{
    Fixture *f = *state;
    static const uint64_t combinations[] = {
        VERSION_1,
        VERSION_1 | EVENT,
        VERSION_1 | INDIRECT | EVENT,
        VERSION_1 | PACKED,
        VERSION_1 | PACKED | EVENT | INDIRECT,
    };

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        go(f, combinations[c]);
        for (unsigned i = 0; i < 100; i++) {
            uint32_t written;

            memset(fake_ram(f->engine) + DATA, 0, 64);
            give(f);
            ask(f, (uint32_t)strlen(SOURCE));
            assert_true(answered(f, &written));
            assert_int_equal(written, strlen(SOURCE));
            assert_string_equal(fake_ram(f->engine) + DATA, SOURCE);
        }
    }
}

/* By the pin: the status register takes it back. */
static void
test_pin(void **state)
{
    Fixture *f = *state;
    uint32_t written;

    go(f, VERSION_1);
    give(f);
    ask(f, 8);
    assert_true(answered(f, &written));
    assert_true(becomes(f, pin_is_up));
    assert_int_equal(fake_mmio_read(f->engine, f->isr, 1), 1);
    assert_false(pin_is_up(f));
    assert_int_equal(fake_mmio_read(f->engine, f->isr, 1), 0);
}

static uint64_t
msix_table(Fixture *f)
{
    return BAR_GPA + (cfg_read(f, (unsigned)f->msix + PCI_MSIX_TABLE, 4) & ~7u);
}

static void
set_vector(Fixture *f, unsigned vector, uint32_t data, uint32_t control)
{
    uint64_t entry = msix_table(f) + vector * PCI_MSIX_ENTRY_SIZE;

    fake_mmio_write(f->engine, entry, 4, 0xfee00000);
    fake_mmio_write(f->engine, entry + 4, 4, 0);
    fake_mmio_write(f->engine, entry + 8, 4, data);
    fake_mmio_write(f->engine, entry + 12, 4, control);
}

static bool
message_came(Fixture *f)
{
    return fake_msi_count(f->engine, 0x21) == 1;
}

static bool
is_pending(Fixture *f)
{
    uint64_t at =
        BAR_GPA + (cfg_read(f, (unsigned)f->msix + PCI_MSIX_PBA, 4) & ~7u);

    return fake_mmio_read(f->engine, at, 4) == 2;
}

/* A masked vector keeps its interrupt until it is let through. */
static void
test_msix(void **state)
{
    Fixture *f = *state;
    unsigned flags = (unsigned)f->msix + PCI_MSIX_FLAGS;
    uint32_t written;

    assert_int_equal(cfg_read(f, flags, 2), 1); /* two vectors */
    cfg_write(f, flags, 2, PCI_MSIX_FLAGS_ENABLE);
    set_vector(f, 1, 0x21, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    begin(f, VERSION_1);
    set_reg(f, VIRTIO_PCI_COMMON_Q_MSIX, 2, 2); /* there is none */
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
    set_reg(f, VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_Q_MSIX, 2), 1);
    set_reg(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, STATUS_READY);
    give(f);
    ask(f, 8);
    assert_true(answered(f, &written));
    assert_true(becomes(f, is_pending));
    assert_int_equal(fake_msi_count(f->engine, 0x21), 0);
    set_vector(f, 1, 0x21, 0);
    assert_int_equal(fake_msi_count(f->engine, 0x21), 1);
    assert_false(is_pending(f));
    cfg_write(f, flags, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    ask(f, 8);
    assert_true(answered(f, &written));
    assert_true(becomes(f, is_pending));
    assert_true(message_came(f));
    cfg_write(f, flags, 2, PCI_MSIX_FLAGS_ENABLE);
    assert_int_equal(fake_msi_count(f->engine, 0x21), 2);
    assert_false(pin_is_up(f));
}

/* Kicks that end in an eventfd follow the BAR and end with the driver. */
static void
test_ioevents(void **state)
{
    Fixture *f = *state;
    uint32_t written;

    fake_allow_ioevents(f->engine);
    go(f, VERSION_1);
    assert_int_equal(fake_ioevents(f->engine), 1);
    give(f);
    ask(f, 8);
    assert_true(answered(f, &written));
    cfg_write(f, PCI_COMMAND, 2, 0);
    assert_int_equal(fake_ioevents(f->engine), 0);
    cfg_write(f, PCI_BASE_ADDRESS_0, 4, BAR_GPA + 0x100000);
    cfg_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(fake_ioevents(f->engine), 1);
    f->notify += 0x100000;
    f->common += 0x100000;
    ask(f, 8);
    assert_true(answered(f, &written));
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    assert_int_equal(fake_ioevents(f->engine), 0);
}

static bool
needs_reset(Fixture *f)
{
    return status(f) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* A mistake stops the device, says so, and a reset mends it. */
static void
test_mistakes(void **state)
{
    Fixture *f = *state;
    const GuestBuffer outside = { MEMORY, 8, true };
    uint32_t written;

    for (unsigned i = 0; i < 20; i++) {
        go(f, VERSION_1);
        guest_queue_add(&f->guest, &outside, 1);
        kick(f);
        assert_true(becomes(f, needs_reset));
        assert_true(becomes(f, pin_is_up));
        assert_int_equal(fake_mmio_read(f->engine, f->isr, 1) & 2, 2);
        kick(f);
        set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, STATUS_READY);
        assert_true(needs_reset(f));
    }
    go(f, VERSION_1);
    give(f);
    ask(f, 4);
    assert_true(answered(f, &written));
}

static void
test_bad_setup(void **state)
{
    Fixture *f = *state;

    begin(f, VERSION_1);
    set_address(f, VIRTIO_PCI_COMMON_Q_USEDLO, MEMORY);
    set_reg(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    assert_true(needs_reset(f));
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, STATUS_READY);
    kick(f);
    /* ready without having settled the features */
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    assert_false(needs_reset(f));
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1,
            VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_DRIVER_OK);
    assert_true(needs_reset(f));
    /* a queue before the features */
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    set_reg(f, VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
    set_reg(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    assert_int_equal(reg(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
}

/* After a reset the memory is the guest's own again. */
static void
test_reset_forgets(void **state)
{
    Fixture *f = *state;
    uint16_t id;
    uint32_t written;

    go(f, VERSION_1);
    ask(f, 8); /* the source has nothing yet */
    g_usleep(20000);
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    give(f);
    g_usleep(200000); /* longer than it waits to try again */
    assert_false(guest_queue_take(&f->guest, &id, &written));
    go(f, VERSION_1);
    ask(f, 8);
    assert_true(answered(f, &written));
    f->rng->type->reset(f->rng); /* the machine's */
    assert_int_equal(cfg_read(f, PCI_COMMAND, 2), 0);
    assert_int_equal(cfg_read(f, (unsigned)f->msix + PCI_MSIX_FLAGS, 2), 1);
}

/* A source that has nothing is asked again. */
static void
test_slow_source(void **state)
{
    Fixture *f = *state;
    uint32_t written;

    go(f, VERSION_1 | EVENT);
    ask(f, 8);
    g_usleep(20000);
    give(f);
    assert_true(answered(f, &written));
    assert_int_equal(written, 8);
}

static void
test_rate(void **state)
{
    Fixture *f = *state;
    gint64 begun = g_get_monotonic_time();
    uint32_t written, all = 0;

    f->device.rng.bytes = 4;
    f->device.rng.period_ms = 50;
    go(f, VERSION_1);
    give(f);
    while (all < 16) {
        ask(f, 8);
        assert_true(answered(f, &written));
        assert_in_range(written, 1, 4);
        all += written;
    }
    /* the first period's at once, three periods more */
    assert_true(g_get_monotonic_time() - begun >= 150000);
}

/* While the domain is paused nothing happens to its memory. */
static void
test_pause(void **state)
{
    Fixture *f = *state;
    uint16_t id;
    uint32_t written;
    EngineIo *io = engine_io(f->engine, 0, NULL);

    go(f, VERSION_1);
    give(f);
    engine_io_pause(io);
    ask(f, 8);
    g_usleep(20000);
    assert_false(guest_queue_take(&f->guest, &id, &written));
    engine_io_resume(io);
    assert_true(answered(f, &written));
    engine_io_pause(io); /* a reset is not held up */
    set_reg(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    assert_int_equal(status(f), 0);
}

/* 4.1.4.9: the BAR through configuration space */
static void
test_window(void **state)
{
    Fixture *f = *state;
    unsigned at = (unsigned)f->window;
    unsigned data = at + sizeof(struct virtio_pci_cap);

    cfg_write(f, at + VIRTIO_PCI_CAP_OFFSET, 4,
              (uint32_t)(f->common - BAR_GPA) + VIRTIO_PCI_COMMON_STATUS);
    cfg_write(f, at + VIRTIO_PCI_CAP_LENGTH, 4, 1);
    cfg_write(f, data, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    assert_int_equal(status(f), VIRTIO_CONFIG_S_ACKNOWLEDGE);
    assert_int_equal(cfg_read(f, data, 1), VIRTIO_CONFIG_S_ACKNOWLEDGE);
    cfg_write(f, at + VIRTIO_PCI_CAP_LENGTH, 4, 3); /* not a length */
    cfg_write(f, data, 1, 0);
    assert_int_equal(status(f), VIRTIO_CONFIG_S_ACKNOWLEDGE);
    cfg_write(f, at + VIRTIO_PCI_CAP_LENGTH, 4, 4);
    cfg_write(f, at + VIRTIO_PCI_CAP_OFFSET, 4, 0xfffffffc); /* outside */
    cfg_write(f, data, 4, 0);
    (void)cfg_read(f, data, 4);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identity),      TEST(features_are_settled),
        TEST(requests),      TEST(pin),
        TEST(msix),          TEST(ioevents),
        TEST(mistakes),      TEST(bad_setup),
        TEST(reset_forgets), TEST(slow_source),
        TEST(rate),          TEST(pause),
        TEST(window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
