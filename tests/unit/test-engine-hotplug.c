/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/dev/dev.h"
#include "engine/x86/acpi.h"
#include "fake-engine.h"

/* The registers of PCI hotplug, used as ACPI's machine language uses them. */
#define PLUGGED    ENGINE_SLOTS_PORT
#define WANTED     (ENGINE_SLOTS_PORT + 4)
#define EJECT      (ENGINE_SLOTS_PORT + 8)
#define REFUSED    (ENGINE_SLOTS_PORT + 12)
#define GPE_STATUS ENGINE_GPE0_PORT
#define GPE_ENABLE (ENGINE_GPE0_PORT + 8)
#define GPE_BIT    (1u << ENGINE_GPE_SLOTS)

typedef struct Fixture {
    EngineConfig config;
    Engine *engine;
    EngineDevice *pm, *hotplug;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->config.acpi = true;
    f->engine = fake_engine_new(&f->config, 4096);
    f->pm = fake_device_new(f->engine, &engine_pm_type, 0);
    f->hotplug = fake_device_new(f->engine, &engine_hotplug_type, 0);
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

/* Reads a register and takes what it says. */
static uint32_t
take(Fixture *f, uint16_t port)
{
    uint32_t slots = (uint32_t)fake_in(f->engine, port, 4);

    fake_out(f->engine, port, 4, slots);
    return slots;
}

static bool
sci(Fixture *f)
{
    return fake_irq_level(f->engine, ENGINE_SCI_IRQ);
}

static void
test_a_plugged_slot_is_told(void **state)
{
    Fixture *f = *state;

    fake_outb(f->engine, GPE_ENABLE, GPE_BIT);
    assert_false(sci(f));
    engine_hotplug_plugged(f->engine, 4);
    assert_true(sci(f));
    fake_outb(f->engine, GPE_STATUS, GPE_BIT);
    assert_false(sci(f));
    engine_hotplug_plugged(f->engine, 31); /* between event and method */
    assert_true(sci(f));
    fake_outb(f->engine, GPE_STATUS, GPE_BIT);
    assert_int_equal(take(f, PLUGGED), 1u << 31 | 1u << 4);
    assert_int_equal(take(f, PLUGGED), 0);
    assert_int_equal(take(f, WANTED), 0);
}

static void
test_only_what_was_read_is_taken(void **state)
{
    Fixture *f = *state;

    engine_hotplug_plugged(f->engine, 4);
    engine_hotplug_plugged(f->engine, 5);
    fake_out(f->engine, PLUGGED, 4, 1u << 4);
    assert_int_equal(take(f, PLUGGED), 1u << 5);
}

static void
test_a_guest_that_does_not_listen_is_not_asked(void **state)
{
    Fixture *f = *state;

    assert_false(engine_hotplug_ask(f->engine, 4));
    assert_int_equal(take(f, WANTED), 0);
    fake_outb(f->engine, GPE_ENABLE, GPE_BIT);
    assert_true(engine_hotplug_ask(f->engine, 4));
    assert_true(sci(f));
    assert_int_equal(take(f, WANTED), 1u << 4);
    assert_int_equal(take(f, PLUGGED), 0);
}

static void
test_answers_arrive(void **state)
{
    Fixture *f = *state;

    fake_out(f->engine, EJECT, 4, 1u << 4);
    assert_int_equal(fake_take_ejected(f->engine), 1u << 4);
    fake_out(f->engine, REFUSED, 4, 1u << 5);
    assert_int_equal(fake_take_refused(f->engine), 1u << 5);
    assert_int_equal(fake_take_ejected(f->engine), 0);
    assert_int_equal(fake_in(f->engine, EJECT, 4), 0);
    assert_int_equal(fake_in(f->engine, REFUSED, 4), 0);
}

/* Every access that no ACPI system makes */
static void
test_odd_accesses_do_nothing(void **state)
{
    Fixture *f = *state;

    engine_hotplug_plugged(f->engine, 4);
    for (unsigned size = 1; size <= 4; size *= 2) {
        for (unsigned at = 0; at + size <= ENGINE_SLOTS_SIZE; at++) {
            if (size == 4 && at % 4 == 0)
                continue;
            fake_out(f->engine, (uint16_t)(PLUGGED + at), size, UINT32_MAX);
            assert_int_equal(fake_in(f->engine, (uint16_t)(PLUGGED + at), size),
                             size == 4 ? UINT32_MAX : (1u << 8 * size) - 1);
        }
    }
    assert_int_equal(fake_take_ejected(f->engine), 0);
    assert_int_equal(fake_take_refused(f->engine), 0);
    assert_int_equal(take(f, PLUGGED), 1u << 4);
}

static void
test_a_reset_forgets(void **state)
{
    Fixture *f = *state;

    fake_outb(f->engine, GPE_ENABLE, GPE_BIT);
    engine_hotplug_plugged(f->engine, 4);
    assert_true(engine_hotplug_ask(f->engine, 5));
    f->pm->type->reset(f->pm);
    f->hotplug->type->reset(f->hotplug);
    assert_false(sci(f));
    assert_int_equal(take(f, PLUGGED), 0);
    assert_int_equal(take(f, WANTED), 0);
    assert_false(engine_hotplug_ask(f->engine, 5));
}

static void
test_only_with_pci_and_acpi(void **state)
{
    static const EngineConfig machines[] = {
        { .machine = ENGINE_MACHINE_PC, .acpi = true },
        { .machine = ENGINE_MACHINE_PC },
        { .machine = ENGINE_MACHINE_MICROVM, .acpi = true },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(machines); i++) {
        Engine *engine = fake_engine_new(&machines[i], 4096);

        fake_device_new(engine, &engine_pm_type, 0);
        fake_device_new(engine, &engine_hotplug_type, 0);
        assert_int_equal(engine_hotplug_is_there(engine), i == 0);
        assert_int_equal(
            fake_mapped(engine, ENGINE_SPACE_PIO, ENGINE_SLOTS_PORT), i == 0);
        assert_false(engine_hotplug_ask(engine, 4));
        fake_engine_free(engine);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_plugged_slot_is_told),
        T(test_only_what_was_read_is_taken),
        T(test_a_guest_that_does_not_listen_is_not_asked),
        T(test_answers_arrive),
        T(test_odd_accesses_do_nothing),
        T(test_a_reset_forgets),
        cmocka_unit_test(test_only_with_pci_and_acpi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
