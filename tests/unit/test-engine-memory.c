/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>

#include "engine/device.h"
#include "engine/memory.h"
#include "engine/x86/acpi.h"
#include "util/error.h"

#define MIB  (1ull << 20)
#define GIB  (1ull << 30)
#define HIGH (4 * GIB)

static void
test_lookup_edges(void **state)
{
    EngineMemory memory = { 0 };
    uint8_t *host;

    assert_true(engine_memory_init(&memory, 2 * MIB, 2 * MIB, NULL));
    host = memory.host;
    assert_ptr_equal(engine_memory_lookup(&memory, 0, 2 * MIB), host);
    assert_ptr_equal(engine_memory_lookup(&memory, 2 * MIB - 1, 1),
                     host + 2 * MIB - 1);
    assert_null(engine_memory_lookup(&memory, 2 * MIB - 1, 2));
    assert_null(engine_memory_lookup(&memory, 2 * MIB, 1));
    assert_null(engine_memory_lookup(&memory, HIGH, 1));
    assert_null(engine_memory_lookup(&memory, 1, UINT64_MAX));
    assert_null(engine_memory_lookup(&memory, UINT64_MAX, 2));
    host[2 * MIB - 1] = 7; /* mapped to its very end */
    engine_memory_clear(&memory);
}

/* The struct alone: no such memory is touched. */
static void
test_lookup_around_the_hole(void **state)
{
    uint8_t *base = (uint8_t *)(uintptr_t)MIB;
    const EngineMemory memory = { .host = base,
                                  .size = 4 * GIB,
                                  .low_size = ENGINE_PCI_HOLE_BASE };

    assert_null(engine_memory_lookup(&memory, ENGINE_PCI_HOLE_BASE, 1));
    assert_null(engine_memory_lookup(&memory, ENGINE_PCI_HOLE_BASE - 1, 2));
    assert_null(engine_memory_lookup(&memory, HIGH - 1, 1));
    assert_null(engine_memory_lookup(&memory, HIGH - 1, 2));
    assert_ptr_equal(engine_memory_lookup(&memory, HIGH, 1),
                     base + ENGINE_PCI_HOLE_BASE);
    assert_non_null(engine_memory_lookup(&memory, HIGH, GIB));
    assert_null(engine_memory_lookup(&memory, HIGH, GIB + 1));
}

static void
test_more_than_the_host_has(void **state)
{
    g_autoptr(GError) error = NULL;
    EngineMemory memory = { 0 };

    assert_false(engine_memory_init(&memory, 1ull << 45, MIB, &error));
    assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    assert_non_null(strstr(error->message, "more than the host's"));
    engine_memory_clear(&memory);
}

/* Bytes that the host has given. */
static size_t
resident(const EngineMemory *memory)
{
    size_t pages = memory->size / 4096, count = 0;
    g_autofree uint8_t *map = g_malloc(pages);

    assert_int_equal(mincore(memory->host, memory->size, map), 0);
    for (size_t i = 0; i < pages; i++)
        count += map[i] & 1;
    return count * 4096;
}

static void
test_released_memory_is_the_hosts(void **state)
{
    EngineMemory memory = { 0 };

    assert_true(engine_memory_init(&memory, 2 * MIB, 2 * MIB, NULL));
    assert_int_equal(resident(&memory), 0);
    memset(memory.host, 7, 2 * MIB);
    assert_int_equal(resident(&memory), 2 * MIB);
    engine_memory_release(NULL, memory.host + 4096, MIB);
    assert_int_equal(resident(&memory), MIB);
    assert_int_equal(memory.host[4095], 7);
    assert_int_equal(memory.host[4096], 0);
    assert_int_equal(memory.host[4095 + MIB], 0);
    assert_int_equal(memory.host[4096 + MIB], 7);
    engine_memory_clear(&memory);
}

/* Of a size that is no multiple of a huge page's, too. */
static void
test_huge_pages_fit(void **state)
{
    static const uint64_t sizes[] = { 4096, MIB, 2 * MIB, 5 * MIB + 4096 };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        EngineMemory memory = { 0 };

        assert_true(engine_memory_init(&memory, sizes[i], sizes[i], NULL));
        assert_int_equal((uintptr_t)memory.host % (2 * MIB), 0);
        memset(memory.host, 7, sizes[i]);
        assert_int_equal(resident(&memory), sizes[i]);
        engine_memory_clear(&memory);
    }
}

/* Sorted, not overlapping, and its RAM is ours but for the BIOS's 384 KiB. */
static void
check_map(uint64_t size, bool ecam)
{
    const EngineMemory memory = { .size = size,
                                  .low_size = MIN(size, ENGINE_PCI_HOLE_BASE) };
    EngineE820 map[ENGINE_E820_MAX];
    unsigned count = engine_memory_e820(&memory, ecam, map);
    uint64_t ram = 0;
    uint64_t end = 0;

    for (unsigned i = 0; i < count; i++) {
        assert_true(map[i].base >= end);
        end = map[i].base + map[i].size;
        ram += map[i].type == 1 ? map[i].size : 0;
    }
    assert_int_equal(ram, size - (0x100000 - 0x9fc00));
}

static void
test_e820(void **state)
{
    check_map(64 * MIB, true);
    check_map(ENGINE_PCI_HOLE_BASE, false);
    check_map(8 * GIB, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup_edges),
        cmocka_unit_test(test_lookup_around_the_hole),
        cmocka_unit_test(test_more_than_the_host_has),
        cmocka_unit_test(test_released_memory_is_the_hosts),
        cmocka_unit_test(test_huge_pages_fit),
        cmocka_unit_test(test_e820),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
