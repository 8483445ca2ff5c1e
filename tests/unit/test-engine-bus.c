/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/bus.h"
#include "util/error.h"

#define LOG_MAX 32

/* A device that notes how it was asked and answers with its offset. */
typedef struct Probe {
    EngineDevice device;
    char log[LOG_MAX][48];
    unsigned count;
} Probe;

static void
note(Probe *probe, char kind, unsigned region, uint64_t offset, unsigned size,
     uint64_t value)
{
    assert_true(probe->count < LOG_MAX);
    g_snprintf(probe->log[probe->count++], sizeof(probe->log[0]),
               "%c%u+%llx/%u=%llx", kind, region, (unsigned long long)offset,
               size, (unsigned long long)value);
}

static uint64_t
probe_read(EngineDevice *device, unsigned region, uint64_t offset,
           unsigned size)
{
    note((Probe *)device, 'r', region, offset, size, 0);
    return 0x1111111111111111ull * (offset + 1);
}

static void
probe_write(EngineDevice *device, unsigned region, uint64_t offset,
            unsigned size, uint64_t value)
{
    note((Probe *)device, 'w', region, offset, size, value);
}

static const EngineDeviceType probe_type = { .name = "probe",
                                             .read = probe_read,
                                             .write = probe_write };
static const EngineDeviceType mute_type = { .name = "mute" };

static bool
map(EngineBus *bus, EngineDevice *device, uint64_t base, uint64_t size,
    unsigned region)
{
    const EngineRange range = { base, base + size, device, region };
    g_autoptr(GError) error = NULL;

    if (engine_bus_add(bus, ENGINE_SPACE_MMIO, &range, &error))
        return true;
    assert_int_equal(error_code(error), VIR_ERR_INTERNAL_ERROR);
    return false;
}

static void
do_access(const EngineBus *bus, EngineBusHint *hint, uint64_t address,
          void *data, unsigned size, bool write)
{
    const EngineAccess access = { address, data, size, write };

    engine_bus_access(bus, ENGINE_SPACE_MMIO, hint, &access);
}

static void
test_overlap_is_refused(void **state)
{
    EngineBus bus = { 0 };
    Probe probe = { .device = { .type = &probe_type } };

    assert_true(map(&bus, &probe.device, 0x100, 0x10, 0));
    assert_true(map(&bus, &probe.device, 0x110, 0x10, 1));
    assert_true(map(&bus, &probe.device, 0xf0, 0x10, 2));
    assert_false(map(&bus, &probe.device, 0x10f, 2, 3));
    assert_false(map(&bus, &probe.device, 0, 0x1000, 3));
    assert_false(map(&bus, &probe.device, 0x104, 1, 3));
    assert_false(map(&bus, &probe.device, 0x200, 0, 3));
    engine_bus_clear(&bus);
}

static void
test_unclaimed_reads_ones(void **state)
{
    EngineBus bus = { 0 };
    EngineBusHint hint = { 0 };
    Probe probe = { .device = { .type = &probe_type } };
    uint8_t data[8] = { 0 };

    do_access(&bus, &hint, 0x4000, data, 8, false);
    assert_memory_equal(data, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    do_access(&bus, &hint, 0x4000, data, 8, true);
    assert_true(map(&bus, &probe.device, 0x100, 0x10, 0));
    hint = (EngineBusHint){ 0 };
    do_access(&bus, &hint, 0xff, data, 1, true);
    do_access(&bus, &hint, 0x110, data, 1, true);
    assert_int_equal(probe.count, 0);
    engine_bus_clear(&bus);
}

static void
test_mute_device_reads_ones(void **state)
{
    EngineBus bus = { 0 };
    EngineBusHint hint = { 0 };
    EngineDevice device = { .type = &mute_type };
    uint8_t data[2] = { 0 };

    assert_true(map(&bus, &device, 0, 16, 0));
    do_access(&bus, &hint, 4, data, 2, true);
    do_access(&bus, &hint, 4, data, 2, false);
    assert_memory_equal(data, "\xff\xff", 2);
    engine_bus_clear(&bus);
}

static void
test_accesses_are_cut(void **state)
{
    EngineBus bus = { 0 };
    EngineBusHint hint = { 0 };
    Probe probe = { .device = { .type = &probe_type } };
    uint8_t data[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

    assert_true(map(&bus, &probe.device, 0x100, 6, 0));
    assert_true(map(&bus, &probe.device, 0x108, 8, 1));
    do_access(&bus, &hint, 0x100, data, 8, true);
    do_access(&bus, &hint, 0x104, data, 8, true);
    do_access(&bus, &hint, 0x109, data, 7, true);
    assert_int_equal(probe.count, 7);
    assert_string_equal(probe.log[0], "w0+0/4=3020100");
    assert_string_equal(probe.log[1], "w0+4/2=504");
    assert_string_equal(probe.log[2], "w0+4/2=100");
    assert_string_equal(probe.log[3], "w1+0/4=7060504");
    assert_string_equal(probe.log[4], "w1+1/4=3020100");
    assert_string_equal(probe.log[5], "w1+5/2=504");
    assert_string_equal(probe.log[6], "w1+7/1=6");
    do_access(&bus, &hint, 0x104, data, 8, false);
    assert_memory_equal(data, "\x55\x55\xff\xff\x11\x11\x11\x11", 8);
    engine_bus_clear(&bus);
}

/* Every address finds what a plain search finds, with a hint left from any
 * other address. */
static void
test_hint_never_lies(void **state)
{
    EngineBus bus = { 0 };
    EngineBusHint hint = { 0 };
    Probe probe = { .device = { .type = &probe_type } };
    uint32_t seed = 12345;

    for (unsigned i = 0; i < 8; i++)
        assert_true(map(&bus, &probe.device, i * 16, 8 + i % 9, i));
    for (unsigned i = 0; i < 4096; i++) {
        unsigned address, region;
        uint8_t byte = 0;

        seed = seed * 1103515245 + 12345;
        address = (seed >> 16) % 160;
        region = address / 16;
        probe.count = 0;
        do_access(&bus, &hint, address, &byte, 1, false);
        assert_int_equal(probe.count,
                         region < 8 && address % 16 < 8 + region % 9);
    }
    engine_bus_clear(&bus);
}

static void
test_last_address(void **state)
{
    EngineBus bus = { 0 };
    EngineBusHint hint = { 0 };
    uint8_t data[8] = { 0 };

    do_access(&bus, &hint, UINT64_MAX - 3, data, 8, false);
    assert_memory_equal(data, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlap_is_refused),
        cmocka_unit_test(test_unclaimed_reads_ones),
        cmocka_unit_test(test_mute_device_reads_ones),
        cmocka_unit_test(test_accesses_are_cut),
        cmocka_unit_test(test_hint_never_lies),
        cmocka_unit_test(test_last_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
