/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "engine/dev/dev.h"
#include "engine/dev/rtc-time.h"
#include "engine/x86/acpi.h"
#include "fake-engine.h"

/* Clock, keyboard controller, ACPI's fixed hardware. */
typedef struct Fixture {
    EngineConfig config;
    Engine *engine;
    const char *event;
    int64_t event_value;
    unsigned events;
} Fixture;

static void
on_event(void *opaque, const char *name, json_t *data)
{
    Fixture *f = opaque;

    f->event = name;
    f->event_value = json_integer_value(json_object_get(data, "offset"));
    f->events++;
}

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->config.acpi = f->config.rtc = f->config.pit = true;
    f->config.memory = UINT64_C(5) << 30;
    f->config.vcpus = 3;
    f->engine = fake_engine_new(&f->config, 4096);
    fake_device_new(f->engine, &engine_i8042_type, 0);
    fake_device_new(f->engine, &engine_pm_type, 0);
    fake_device_new(f->engine, &engine_rtc_type, 0);
    engine_set_listener(f->engine, on_event, f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->engine);
    g_free(f);
    return 0;
}

static unsigned
settle(void)
{
    unsigned turns = 0;

    while (g_main_context_iteration(NULL, FALSE))
        turns++;
    return turns;
}

/* Runs the main context until the line is up. Returns: whether it came */
static bool
await_irq(Fixture *f, unsigned gsi, unsigned timeout_ms)
{
    gint64 end = g_get_monotonic_time() + timeout_ms * 1000;

    while (!fake_irq_level(f->engine, gsi) && g_get_monotonic_time() < end) {
        settle();
        g_usleep(500);
    }
    return fake_irq_level(f->engine, gsi);
}

/* --- clock ---------------------------------------------------------------- */
static uint8_t
cmos(Fixture *f, uint8_t index)
{
    fake_outb(f->engine, 0x70, index);
    return fake_inb(f->engine, 0x71);
}

static void
set_cmos(Fixture *f, uint8_t index, uint8_t value)
{
    fake_outb(f->engine, 0x70, index);
    fake_outb(f->engine, 0x71, value);
}

/* The guest's time, read as an operating system does. */
static int64_t
guest_time(Fixture *f)
{
    uint8_t registers[128] = { 0 };
    static const uint8_t parts[] = { 0, 2, 4, 7, 8, 9, RTC_B, RTC_CENTURY };

    do
        for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
            registers[parts[i]] = cmos(f, parts[i]);
    while (registers[0] != cmos(f, 0));
    return engine_rtc_decode(registers);
}

static void
test_rtc_tells_the_time(void **state)
{
    Fixture *f = *state;
    time_t before = time(NULL);
    int64_t shown = guest_time(f);

    assert_true(shown >= before && shown <= time(NULL));
    assert_int_equal(cmos(f, RTC_D), 0x80);
    assert_int_equal(cmos(f, RTC_A) & 0x7f, 0x26);
    assert_int_equal(cmos(f, RTC_B), 0x02);
    assert_int_equal(fake_inb(f->engine, 0x70), 0xff);
}

static void
test_rtc_encodes_every_mode(void **state)
{
    static const int64_t times[] = {
        0,           951782400,  /* 2000-02-29 */
        1709251199,  1767225599, /* 2025-12-31 23:59:59 */
        4102444800,  -86400,       253402300799,
        -5364662400, -62135596800, /* 1800, 1 */
    };
    struct tm parts;

    for (unsigned mode = 0; mode < 8; mode += 2)
        for (unsigned i = 0; i < G_N_ELEMENTS(times); i++)
            for (int64_t hour = 0; hour < 24; hour++) {
                uint8_t registers[128] = { [RTC_B] = (uint8_t)mode };
                time_t t = times[i] - times[i] % 3600 + hour * 3600 - 86400;

                engine_rtc_encode(registers, t);
                assert_int_equal(engine_rtc_decode(registers), t);
                gmtime_r(&t, &parts);
                assert_int_equal(registers[RTC_WEEKDAY], parts.tm_wday + 1);
            }
    {
        uint8_t registers[128] = { 0 };

        engine_rtc_encode(registers, 46800 + 59 * 60); /* 13:59, 12 h BCD */
        assert_int_equal(registers[RTC_HOURS], 0x81);
        assert_int_equal(registers[RTC_MINUTES], 0x59);
        assert_int_equal(registers[RTC_CENTURY], 0x19);
        assert_int_equal(registers[RTC_YEAR], 0x70);
    }
}

static void
test_rtc_alarm_matches(void **state)
{
    uint8_t registers[128] = { [RTC_B] = RTC_B_24H,
                               [RTC_HOURS_ALARM] = 0x12,
                               [RTC_MINUTES_ALARM] = 0x34,
                               [RTC_SECONDS_ALARM] = 0x56 };
    int64_t alarm = 12 * 3600 + 34 * 60 + 56;

    assert_int_equal(engine_rtc_next_alarm(registers, 0), alarm);
    assert_int_equal(engine_rtc_next_alarm(registers, alarm - 1), alarm);
    assert_int_equal(engine_rtc_next_alarm(registers, alarm), alarm + 86400);
    assert_int_equal(engine_rtc_next_alarm(registers, alarm - 86400 * 3 - 1),
                     alarm - 86400 * 3);
    registers[RTC_HOURS_ALARM] = 0xff;
    assert_int_equal(engine_rtc_next_alarm(registers, 0), 34 * 60 + 56);
    registers[RTC_MINUTES_ALARM] = 0xc0;
    assert_int_equal(engine_rtc_next_alarm(registers, 100), 116);
    registers[RTC_SECONDS_ALARM] = 0xc0;
    assert_int_equal(engine_rtc_next_alarm(registers, 100), 101);
    registers[RTC_SECONDS_ALARM] = 0x99; /* never */
    assert_int_equal(engine_rtc_next_alarm(registers, 100), INT64_MAX);
}

static void
set_time(Fixture *f, int64_t time_s)
{
    uint8_t registers[128] = { [RTC_B] = cmos(f, RTC_B) };
    static const uint8_t parts[] = { 0, 2, 4, 6, 7, 8, 9, RTC_CENTURY };

    engine_rtc_encode(registers, time_s);
    set_cmos(f, RTC_B, cmos(f, RTC_B) | 0x80);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        set_cmos(f, parts[i], registers[parts[i]]);
    set_cmos(f, RTC_B, cmos(f, RTC_B) & 0x7f);
}

static void
test_rtc_setting_moves_the_offset(void **state)
{
    Fixture *f = *state;
    int64_t wanted = (int64_t)time(NULL) + 3600, shown;

    set_time(f, wanted);
    shown = guest_time(f);
    assert_true(shown >= wanted && shown <= wanted + 2);
    settle();
    assert_int_equal(f->events, 1);
    assert_string_equal(f->event, "RTC_CHANGE");
    assert_true(f->event_value >= 3598 && f->event_value <= 3600);
    set_time(f, guest_time(f)); /* no change, no event (if not on the edge) */
    settle();
    assert_true(f->events <= 2);
    /* Without SET a single register moves it, too. */
    set_cmos(f, RTC_YEAR, 0x99);
    settle();
    assert_int_equal(cmos(f, RTC_YEAR), 0x99);
    assert_int_equal(cmos(f, RTC_CENTURY), 0x20);
    assert_string_equal(f->event, "RTC_CHANGE");
}

static void
test_rtc_survives_nonsense_times(void **state)
{
    Fixture *f = *state;

    for (unsigned b = 0; b < 256; b += 2) {
        set_cmos(f, RTC_B, (uint8_t)b);
        for (unsigned index = 0; index < 0x33; index++)
            set_cmos(f, (uint8_t)index, (uint8_t)(b * 7 + index * 37));
        for (unsigned index = 0; index < 256; index++)
            (void)cmos(f, (uint8_t)index);
        settle();
    }
    set_cmos(f, RTC_A, 0x26);
    set_cmos(f, RTC_B, 0x02);
    set_time(f, 1700000000);
    assert_true(guest_time(f) - 1700000000 < 3);
}

static void
test_rtc_idle_needs_no_timer(void **state)
{
    Fixture *f = *state;

    settle();
    g_usleep(20000);
    assert_int_equal(settle(), 0);
    assert_int_equal(cmos(f, RTC_C) & 0x80, 0);
    assert_false(fake_irq_level(f->engine, 8));
}

static void
test_rtc_periodic_interrupt(void **state)
{
    Fixture *f = *state;
    unsigned woken;

    (void)cmos(f, RTC_C);
    set_cmos(f, RTC_A, 0x26); /* 1024 Hz */
    set_cmos(f, RTC_B, 0x42);
    assert_true(await_irq(f, 8, 1000));
    /* Undelivered, it does not wake the host again. */
    settle();
    g_usleep(20000);
    woken = settle();
    assert_int_equal(woken, 0);
    assert_int_equal(cmos(f, RTC_C) & 0xc0, 0xc0);
    assert_false(fake_irq_level(f->engine, 8));
    assert_true(await_irq(f, 8, 1000));
    set_cmos(f, RTC_B, 0x02);
    assert_false(fake_irq_level(f->engine, 8));
    (void)cmos(f, RTC_C);
    g_usleep(5000);
    settle();
    assert_false(fake_irq_level(f->engine, 8));
}

static void
test_rtc_update_and_alarm_interrupts(void **state)
{
    Fixture *f = *state;
    uint8_t flags;

    (void)cmos(f, RTC_C);
    set_cmos(f, RTC_SECONDS_ALARM, 0xff);
    set_cmos(f, RTC_MINUTES_ALARM, 0xff);
    set_cmos(f, RTC_HOURS_ALARM, 0xff);
    set_cmos(f, RTC_B, 0x22);
    assert_true(await_irq(f, 8, 3000));
    flags = cmos(f, RTC_C);
    assert_int_equal(flags & 0xb0, 0xb0); /* the update came with the alarm */
    set_cmos(f, RTC_B, 0x12);
    assert_true(await_irq(f, 8, 3000));
    assert_int_equal(cmos(f, RTC_C) & 0x90, 0x90);
    engine_rtc_type.reset(engine_device_find(f->engine, &engine_rtc_type, 0));
    assert_int_equal(cmos(f, RTC_B), 0x02);
}

static void
test_rtc_cmos_tells_the_machine(void **state)
{
    Fixture *f = *state;
    unsigned sum = 0;

    assert_int_equal(cmos(f, 0x15) | cmos(f, 0x16) << 8, 640);
    assert_int_equal(cmos(f, 0x30) | cmos(f, 0x31) << 8, 0xffff);
    /* 3 GiB below the hole, 2 GiB above 4 GiB */
    assert_int_equal(cmos(f, 0x34) | cmos(f, 0x35) << 8,
                     ((3u << 30) - (16u << 20)) / 65536);
    assert_int_equal(cmos(f, 0x5b) | cmos(f, 0x5c) << 8 | cmos(f, 0x5d) << 16,
                     (2u << 30) / 65536);
    assert_int_equal(cmos(f, 0x5f), 2);
    assert_int_equal(cmos(f, 0x0f), 0);
    for (uint8_t i = 0x10; i < 0x2e; i++)
        sum += cmos(f, i);
    assert_int_equal(cmos(f, 0x2e) << 8 | cmos(f, 0x2f), sum);
    set_cmos(f, 0x40, 0x5a);
    assert_int_equal(cmos(f, 0xc0), 0x5a); /* bit 7 masks NMI, no address */
}

/* --- keyboard controller -------------------------------------------------- */
static uint8_t
command(Fixture *f, uint8_t value)
{
    fake_outb(f->engine, 0x64, value);
    return fake_inb(f->engine, 0x64);
}

static void
test_i8042_answers_at_once(void **state)
{
    Fixture *f = *state;

    assert_int_equal(fake_inb(f->engine, 0x64) & 0x03, 0);
    assert_int_equal(command(f, 0xaa) & 0x01, 1);
    assert_int_equal(fake_inb(f->engine, 0x60), 0x55);
    assert_int_equal(fake_inb(f->engine, 0x64) & 0x01, 0);
    assert_int_equal(command(f, 0xab) & 0x01, 1);
    assert_int_equal(fake_inb(f->engine, 0x60), 0x00);
    assert_int_equal(command(f, 0xa9) & 0x01, 1);
    assert_int_not_equal(fake_inb(f->engine, 0x60), 0x00);

    (void)command(f, 0x60);
    fake_outb(f->engine, 0x60, 0x74);
    assert_int_equal(command(f, 0x20) & 0x01, 1);
    assert_int_equal(fake_inb(f->engine, 0x60), 0x74);

    /* No keyboard: a timeout, without an interrupt as that is off, ... */
    fake_outb(f->engine, 0x60, 0xf2);
    assert_int_equal(fake_inb(f->engine, 0x64) & 0x61, 0x41);
    assert_false(fake_irq_level(f->engine, 1));
    assert_int_equal(fake_inb(f->engine, 0x60), 0xfe);
    /* ... no mouse: the same, marked as the mouse's. */
    (void)command(f, 0xd4);
    fake_outb(f->engine, 0x60, 0xf2);
    assert_int_equal(fake_inb(f->engine, 0x64) & 0x61, 0x61);
    (void)fake_inb(f->engine, 0x60);
    (void)command(f, 0xd3);
    fake_outb(f->engine, 0x60, 0x5a);
    assert_int_not_equal(fake_inb(f->engine, 0x60), 0x5a);
    (void)command(f, 0xd2);
    fake_outb(f->engine, 0x60, 0x5a);
    assert_int_equal(fake_inb(f->engine, 0x60), 0x5a);
    assert_int_equal(fake_take_request(f->engine).request, 0);
}

static void
test_i8042_interrupts_when_enabled(void **state)
{
    Fixture *f = *state;

    fake_outb(f->engine, 0x60, 0xff);
    assert_true(fake_irq_level(f->engine, 1));
    (void)fake_inb(f->engine, 0x60);
    assert_false(fake_irq_level(f->engine, 1));
}

static void
assert_resets(Fixture *f, uint16_t port, uint8_t value, bool resets)
{
    fake_outb(f->engine, port, value);
    assert_int_equal(fake_take_request(f->engine).request,
                     resets ? ENGINE_REQUEST_RESET : 0);
}

static void
test_i8042_resets(void **state)
{
    Fixture *f = *state;

    assert_resets(f, 0x64, 0xfe, true);
    assert_resets(f, 0x64, 0xff, false);
    assert_resets(f, 0x64, 0xf0, true);
    assert_int_equal(fake_inb(f->engine, 0x92), 0x02);
    assert_resets(f, 0x92, 0x00, false);
    assert_int_equal(fake_inb(f->engine, 0x92), 0x00);
    assert_resets(f, 0x92, 0x03, true);
    assert_resets(f, 0x64, 0xd1, false);
    assert_resets(f, 0x60, 0x03, false);
    assert_resets(f, 0x64, 0xd1, false);
    assert_resets(f, 0x60, 0x02, true);
}

static void
test_i8042_port_b_only_without_a_timer_chip(void **state)
{
    Fixture *f = *state;
    EngineConfig config = { .pit = false };
    Engine *engine = fake_engine_new(&config, 4096);
    uint8_t first;

    assert_false(fake_mapped(f->engine, ENGINE_SPACE_PIO, 0x61));
    fake_device_new(engine, &engine_i8042_type, 0);
    first = fake_inb(engine, 0x61);
    assert_int_equal((first ^ fake_inb(engine, 0x61)) & 0x10, 0x10);
    fake_outb(engine, 0x61, 0xff);
    assert_int_equal(fake_inb(engine, 0x61) & 0xcf, 0x03);
    fake_engine_free(engine);
}

/* --- ACPI's fixed hardware ------------------------------------------------ */
static void
test_pm_power_button(void **state)
{
    Fixture *f = *state;

    assert_int_equal(fake_in(f->engine, ENGINE_PM1_CNT_PORT, 2), 1);
    assert_true(engine_pm_power_button(f->engine));
    assert_false(fake_irq_level(f->engine, ENGINE_SCI_IRQ));
    fake_out(f->engine, ENGINE_PM1_EVT_PORT + 2, 2, 0x0120);
    assert_true(fake_irq_level(f->engine, ENGINE_SCI_IRQ));
    assert_int_equal(fake_in(f->engine, ENGINE_PM1_EVT_PORT, 2), 0x0100);
    assert_int_equal(fake_in(f->engine, ENGINE_PM1_EVT_PORT + 2, 2), 0x0120);
    fake_out(f->engine, ENGINE_PM1_EVT_PORT, 2, 0x0001); /* another bit */
    assert_true(fake_irq_level(f->engine, ENGINE_SCI_IRQ));
    fake_out(f->engine, ENGINE_PM1_EVT_PORT, 2, 0x0100);
    assert_false(fake_irq_level(f->engine, ENGINE_SCI_IRQ));
    /* Linux enables the clock's event for a moment and insists that it sticks.
     */
    fake_out(f->engine, ENGINE_PM1_EVT_PORT + 2, 2, 0x0520);
    assert_int_equal(fake_in(f->engine, ENGINE_PM1_EVT_PORT + 2, 2), 0x0520);
    assert_true(engine_pm_power_button(f->engine));
    assert_int_equal(fake_irq_rises(f->engine, ENGINE_SCI_IRQ), 2);
    engine_pm_type.reset(engine_device_find(f->engine, &engine_pm_type, 0));
    assert_false(fake_irq_level(f->engine, ENGINE_SCI_IRQ));
    assert_int_equal(fake_in(f->engine, ENGINE_PM1_EVT_PORT, 4), 0);
}

/* A system that enables an event wants to read that it is enabled. */
static void
test_pm_enable_bits(void **state)
{
    Fixture *f = *state;

    fake_out(f->engine, ENGINE_PM1_EVT_PORT + 2, 2, 0xffff);
    assert_int_equal(fake_in(f->engine, ENGINE_PM1_EVT_PORT + 2, 2), 0x0521);
}

static void
test_pm_only_s5_powers_off(void **state)
{
    Fixture *f = *state;

    for (unsigned type = 0; type < 8; type++) {
        fake_out(f->engine, ENGINE_PM1_CNT_PORT, 2, type << 10);
        assert_int_equal(fake_take_request(f->engine).request, 0);
        fake_out(f->engine, ENGINE_PM1_CNT_PORT, 2, 0x2000 | type << 10);
        assert_int_equal(
            fake_take_request(f->engine).request,
            type == ENGINE_S5_TYPE || type == 0 ? ENGINE_REQUEST_POWEROFF : 0);
        assert_int_equal(fake_in(f->engine, ENGINE_PM1_CNT_PORT, 2),
                         1 | type << 10);
    }
    fake_outb(f->engine, ENGINE_PM1_CNT_PORT + 1, 0x20 | ENGINE_S5_TYPE << 2);
    assert_int_equal(fake_take_request(f->engine).request,
                     ENGINE_REQUEST_POWEROFF);
}

static void
test_pm_timer_counts(void **state)
{
    Fixture *f = *state;
    gint64 start_us = g_get_monotonic_time(), took_us;
    uint32_t start = (uint32_t)fake_in(f->engine, ENGINE_PM_TMR_PORT, 4);
    uint32_t ticks;

    g_usleep(20000);
    ticks = (uint32_t)fake_in(f->engine, ENGINE_PM_TMR_PORT, 4) - start;
    took_us = g_get_monotonic_time() - start_us;
    assert_true(ticks >= 20000 * 3.579);
    assert_true(ticks <= (double)took_us * 3.580);
    settle();
    assert_int_equal(settle(), 0);
}

static void
test_pm_gpe_block(void **state)
{
    Fixture *f = *state;

    for (unsigned i = 0; i < 16; i++)
        fake_outb(f->engine, (uint16_t)(ENGINE_GPE0_PORT + i), 0xff);
    assert_int_equal(fake_in(f->engine, ENGINE_GPE0_PORT, 8), 0);
    assert_int_equal(fake_in(f->engine, ENGINE_GPE0_PORT + 8, 8), UINT64_MAX);
    assert_false(fake_irq_level(f->engine, ENGINE_SCI_IRQ));
}

/* --- pvpanic -------------------------------------------------------------- */
static void
test_pvpanic(void **state)
{
    Fixture *f = *state;
    EngineDevice *device;
    json_t *event;

    f->config.pvpanic = true;
    device = fake_device_new(f->engine, &engine_pvpanic_type, 0);
    assert_int_equal(fake_inb(f->engine, ENGINE_PVPANIC_PORT), 3);
    fake_outb(f->engine, ENGINE_PVPANIC_PORT, 0xfc); /* of later times */
    assert_int_equal(fake_take_request(f->engine).request, 0);
    assert_null(fake_take_event(f->engine));
    for (unsigned i = 0; i < 3; i++)
        fake_outb(f->engine, ENGINE_PVPANIC_PORT, 2);
    assert_int_equal(fake_take_request(f->engine).request, 0);
    event = fake_take_event(f->engine);
    assert_string_equal(json_string_value(json_object_get(event, "event")),
                        "GUEST_CRASHLOADED");
    json_decref(event);
    assert_null(fake_take_event(f->engine));
    device->type->reset(device);
    fake_outb(f->engine, ENGINE_PVPANIC_PORT, 2);
    json_decref(fake_take_event(f->engine));
    fake_outb(f->engine, ENGINE_PVPANIC_PORT, 1);
    assert_int_equal(fake_take_request(f->engine).request,
                     ENGINE_REQUEST_PANIC);
}

static void
test_absent_devices_claim_nothing(void **state)
{
    Engine *engine = fake_engine_new(NULL, 4096);

    fake_device_new(engine, &engine_pm_type, 0);
    fake_device_new(engine, &engine_rtc_type, 0);
    assert_false(fake_mapped(engine, ENGINE_SPACE_PIO, 0x70));
    assert_false(fake_mapped(engine, ENGINE_SPACE_PIO, ENGINE_PM1_EVT_PORT));
    assert_false(engine_pm_power_button(engine));
    engine_pm_type.reset(engine_device_find(engine, &engine_pm_type, 0));
    engine_rtc_type.reset(engine_device_find(engine, &engine_rtc_type, 0));
    fake_engine_free(engine);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_rtc_tells_the_time),
        cmocka_unit_test(test_rtc_encodes_every_mode),
        cmocka_unit_test(test_rtc_alarm_matches),
        T(test_rtc_setting_moves_the_offset),
        T(test_rtc_survives_nonsense_times),
        T(test_rtc_idle_needs_no_timer),
        T(test_rtc_periodic_interrupt),
        T(test_rtc_update_and_alarm_interrupts),
        T(test_rtc_cmos_tells_the_machine),
        T(test_i8042_answers_at_once),
        T(test_i8042_interrupts_when_enabled),
        T(test_i8042_resets),
        T(test_i8042_port_b_only_without_a_timer_chip),
        T(test_pm_power_button),
        T(test_pm_enable_bits),
        T(test_pm_only_s5_powers_off),
        T(test_pm_timer_counts),
        T(test_pm_gpe_block),
        T(test_pvpanic),
        cmocka_unit_test(test_absent_devices_claim_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
