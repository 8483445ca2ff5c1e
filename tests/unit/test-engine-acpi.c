/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "engine/x86/acpi.h"
#include "engine/x86/boot.h"
#include "engine/x86/cpu.h"
#include "engine/x86/mptable.h"
#include "fake-engine.h"
#include "util/error.h"

/*
 * Reads the tables back with a parser of its own, offsets as in ACPI 6.4.
 * `test-engine-acpi --write FOLDER` writes those of several machines into files
 * for iasl; see test-engine-acpi-iasl.sh.
 */
#define RAM_SIZE (2u << 20)

typedef struct Machine {
    EngineConfig config;
    Engine *engine;
    uint64_t rsdp;
} Machine;

static void
machine_set(EngineConfig *config, EngineMachine kind, unsigned vcpus,
            uint64_t memory)
{
    *config = (EngineConfig){ .machine = kind,
                              .vcpus = vcpus,
                              .memory = memory,
                              .acpi = true,
                              .rtc = true };
    config->cpu.sockets = vcpus;
    config->cpu.dies = config->cpu.cores = config->cpu.threads = 1;
    config->serials[0].present = true;
}

static void
machine_build(Machine *machine)
{
    g_autoptr(GError) error = NULL;

    machine->engine = fake_engine_new(&machine->config, RAM_SIZE);
    memset(engine_memory_at(machine->engine, 0, RAM_SIZE), 0xcc, RAM_SIZE);
    if (!engine_acpi_build(machine->engine, &machine->config, &machine->rsdp,
                           &error))
        fail_msg("%s", error->message);
}

static const uint8_t *
bytes_at(Machine *machine, uint64_t gpa, size_t size)
{
    const uint8_t *bytes;

    assert_true(gpa >= ENGINE_ACPI_GPA);
    assert_true(gpa + size <= ENGINE_ACPI_GPA + ENGINE_ACPI_MAX);
    bytes = engine_memory_at(machine->engine, gpa, size);
    assert_non_null(bytes);
    return bytes;
}

/* The table at @gpa, checked as a whole */
static const uint8_t *
table_at(Machine *machine, uint64_t gpa, const char *signature,
         size_t *ret_size)
{
    const uint8_t *table = bytes_at(machine, gpa, 36);

    *ret_size = le(table + 4, 4);
    table = bytes_at(machine, gpa, *ret_size);
    assert_memory_equal(table, signature, 4);
    assert_sum(table, *ret_size);
    return table;
}

/* The table that the XSDT names so, or NULL */
static const uint8_t *
find_table(Machine *machine, const char *signature, size_t *ret_size)
{
    const uint8_t *rsdp = bytes_at(machine, machine->rsdp, 36);
    size_t xsdt_size;
    const uint8_t *xsdt;

    assert_memory_equal(rsdp, "RSD PTR ", 8);
    assert_int_equal(machine->rsdp % 16, 0);
    assert_sum(rsdp, 20);
    assert_sum(rsdp, 36);
    assert_int_equal(rsdp[15], 2);
    assert_int_equal(le(rsdp + 20, 4), 36);
    xsdt = table_at(machine, le(rsdp + 24, 8), "XSDT", &xsdt_size);
    for (size_t at = 36; at < xsdt_size; at += 8) {
        uint64_t gpa = le(xsdt + at, 8);

        if (memcmp(bytes_at(machine, gpa, 4), signature, 4) == 0)
            return table_at(machine, gpa, signature, ret_size);
    }
    return NULL;
}

static void
assert_gas(const uint8_t *gas, unsigned bits, uint64_t port)
{
    assert_int_equal(gas[0], port ? 1 : 0);
    assert_int_equal(gas[1], bits);
    assert_int_equal(gas[2], 0);
    assert_int_equal(le(gas + 4, 8), port);
}

static void
test_fadt(void **state)
{
    Machine m = { 0 };
    const uint8_t *fadt, *facs;
    size_t size;

    machine_set(&m.config, ENGINE_MACHINE_Q35, 2, 256 << 20);
    machine_build(&m);
    fadt = find_table(&m, "FACP", &size);
    assert_non_null(fadt);
    assert_int_equal(size, 276);
    assert_int_equal(fadt[8], 6);
    assert_int_equal(fadt[131], 3);
    assert_int_equal(le(fadt + 46, 2), ENGINE_SCI_IRQ);
    assert_int_equal(le(fadt + 48, 4), 0); /* no SMI command */
    assert_int_equal(le(fadt + 56, 4), ENGINE_PM1_EVT_PORT);
    assert_int_equal(le(fadt + 64, 4), ENGINE_PM1_CNT_PORT);
    assert_int_equal(le(fadt + 76, 4), ENGINE_PM_TMR_PORT);
    assert_int_equal(le(fadt + 80, 4), ENGINE_GPE0_PORT);
    assert_int_equal(fadt[88], 4);
    assert_int_equal(fadt[89], 2);
    assert_int_equal(fadt[91], 4);
    assert_int_equal(fadt[92], 16);
    assert_true(le(fadt + 96, 2) > 100);
    assert_true(le(fadt + 98, 2) > 1000);
    assert_int_equal(fadt[108], 0x32);
    assert_int_equal(le(fadt + 109, 2), 0x0005); /* no 8042: bit 1 clear */
    assert_int_equal(le(fadt + 112, 4), 0x00000565);
    assert_gas(fadt + 116, 8, ENGINE_RESET_PORT);
    assert_int_equal(fadt[128], 6);
    assert_int_equal(le(fadt + 132, 8), 0);
    assert_int_equal(le(fadt + 140, 8), le(fadt + 40, 4));
    assert_gas(fadt + 148, 32, ENGINE_PM1_EVT_PORT);
    assert_gas(fadt + 160, 0, 0);
    assert_gas(fadt + 172, 16, ENGINE_PM1_CNT_PORT);
    assert_gas(fadt + 208, 32, ENGINE_PM_TMR_PORT);
    assert_gas(fadt + 220, 128, ENGINE_GPE0_PORT);
    assert_gas(fadt + 244, 0, 0);
    (void)table_at(&m, le(fadt + 40, 4), "DSDT", &size);
    facs = bytes_at(&m, le(fadt + 36, 4), 64);
    assert_memory_equal(facs, "FACS", 4);
    assert_int_equal(le(facs + 4, 4), 64);
    assert_int_equal(le(fadt + 36, 4) % 64, 0);
    assert_int_equal(facs[32], 2);
    assert_int_equal(facs[8], 0);
    fake_engine_free(m.engine);
}

static void
test_fadt_without_clock(void **state)
{
    Machine m = { 0 };
    const uint8_t *fadt;
    size_t size;

    machine_set(&m.config, ENGINE_MACHINE_PC, 1, 256 << 20);
    m.config.rtc = false;
    machine_build(&m);
    fadt = find_table(&m, "FACP", &size);
    assert_int_equal(fadt[108], 0);
    assert_int_equal(le(fadt + 109, 2) & 0x20, 0x20);
    assert_null(find_table(&m, "MCFG", &size)); /* pc has no ECAM */
    fake_engine_free(m.engine);
}

/* How many of each entry, with its fields checked */
static void
walk_madt(Machine *m, unsigned *counts)
{
    size_t size;
    const uint8_t *madt = find_table(m, "APIC", &size);
    unsigned cpu = 0;

    assert_int_equal(le(madt + 36, 4), 0xfee00000);
    assert_int_equal(le(madt + 40, 4), 1);
    memset(counts, 0, 16 * sizeof(*counts));
    for (size_t at = 44; at < size; at += madt[at + 1]) {
        const uint8_t *entry = madt + at;
        static const uint8_t sizes[16] = { 8, 12, 10, 0, 6, 0, 0, 0,
                                           0, 16, 12, 0, 0, 0, 0, 0 };

        assert_true(entry[0] < 16);
        assert_int_equal(entry[1], sizes[entry[0]]);
        counts[entry[0]]++;
        if (entry[0] == 0) {
            assert_int_equal(entry[2], cpu);
            assert_int_equal(entry[3], engine_apic_id(&m->config, cpu));
            assert_int_equal(le(entry + 4, 4), 1);
            cpu++;
        } else if (entry[0] == 9) {
            assert_int_equal(le(entry + 4, 4), engine_apic_id(&m->config, cpu));
            assert_int_equal(le(entry + 8, 4), 1);
            assert_int_equal(le(entry + 12, 4), cpu);
            cpu++;
        } else if (entry[0] == 1) {
            assert_int_equal(le(entry + 4, 4), 0xfec00000);
            assert_int_equal(le(entry + 8, 4), 0);
        } else if (entry[0] == 2) {
            assert_int_equal(le(entry + 4, 4), entry[3] == 0 ? 2 : 9);
            assert_int_equal(le(entry + 8, 2), entry[3] == 0 ? 0 : 0x0d);
        } else if (entry[0] == 4) {
            assert_int_equal(entry[2], 0xff);
            assert_int_equal(entry[5], 1);
        }
    }
    assert_int_equal(cpu, m->config.vcpus);
}

static void
test_madt(void **state)
{
    Machine m = { 0 };
    unsigned counts[16];

    machine_set(&m.config, ENGINE_MACHINE_Q35, 4, 256 << 20);
    machine_build(&m);
    walk_madt(&m, counts);
    assert_int_equal(counts[0], 4);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 2);
    assert_int_equal(counts[4], 1);
    assert_int_equal(counts[9] + counts[10], 0);
    fake_engine_free(m.engine);
}

static void
test_madt_beyond_255_cpus(void **state)
{
    Machine m = { 0 };
    unsigned counts[16];

    machine_set(&m.config, ENGINE_MACHINE_Q35, 300, 256 << 20);
    machine_build(&m);
    walk_madt(&m, counts);
    assert_int_equal(counts[0], 255);
    assert_int_equal(counts[9], 45);
    assert_int_equal(counts[10], 1);
    fake_engine_free(m.engine);
}

static void
test_the_largest_machine_fits(void **state)
{
    Machine m = { 0 };
    unsigned counts[16];

    machine_set(&m.config, ENGINE_MACHINE_Q35, ENGINE_VCPUS_MAX,
                UINT64_C(1) << 40);
    for (unsigned i = 0; i < ENGINE_SERIALS_MAX; i++)
        m.config.serials[i].present = true;
    machine_build(&m);
    walk_madt(&m, counts);
    fake_engine_free(m.engine);
}

static void
test_mcfg_and_waet(void **state)
{
    Machine m = { 0 };
    const uint8_t *table;
    size_t size;

    machine_set(&m.config, ENGINE_MACHINE_Q35, 1, 256 << 20);
    machine_build(&m);
    table = find_table(&m, "MCFG", &size);
    assert_int_equal(size, 60);
    assert_int_equal(le(table + 44, 8), ENGINE_ECAM_BASE);
    assert_int_equal(le(table + 52, 2), 0);
    assert_int_equal(table[54], 0);
    assert_int_equal(table[55], 255);
    table = find_table(&m, "WAET", &size);
    assert_int_equal(size, 40);
    assert_int_equal(le(table + 36, 4), 2);
    fake_engine_free(m.engine);
}

static void
test_windows_lie_outside_ram(void **state)
{
    static const uint64_t sizes[] = { 1, 64, 3072, 3073, 4096, 65536, 1 << 20 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        EngineConfig config = { .memory = sizes[i] << 20 };
        uint64_t end =
            config.memory <= ENGINE_PCI_HOLE_BASE
                ? UINT64_C(1) << 32
                : (UINT64_C(1) << 32) + config.memory - ENGINE_PCI_HOLE_BASE;

        assert_true(engine_pci64_base(&config) >= end);
        assert_int_equal(engine_pci64_base(&config) % ENGINE_PCI64_SIZE, 0);
        assert_true(engine_pci64_base(&config) < end + ENGINE_PCI64_SIZE);
    }
}

static void
test_too_little_memory_is_refused(void **state)
{
    EngineConfig config;
    Engine *engine;
    g_autoptr(GError) error = NULL;
    uint64_t rsdp = 7;

    machine_set(&config, ENGINE_MACHINE_Q35, 1, 512 << 10);
    engine = fake_engine_new(&config, 512 << 10);
    assert_false(engine_acpi_build(engine, &config, &rsdp, &error));
    assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    assert_int_equal(rsdp, 7);
    fake_engine_free(engine);
}

/* --- the MP table --------------------------------------------------------- */
/* Checks every entry. Returns: how many CPUs */
static unsigned
walk_mptable(Engine *engine, const EngineConfig *config)
{
    const uint8_t *pointer = engine_memory_at(engine, ENGINE_MPTABLE_GPA, 16);
    const uint8_t *table, *entry;
    unsigned counts[5] = { 0 }, entries;

    assert_memory_equal(pointer, "_MP_", 4);
    assert_int_equal(pointer[8], 1);
    assert_int_equal(pointer[9], 4);
    assert_sum(pointer, 16);
    table = engine_memory_at(engine, le(pointer + 4, 4), 44);
    assert_memory_equal(table, "PCMP", 4);
    assert_sum(table, le(table + 4, 2));
    assert_int_equal(le(table + 36, 4), 0xfee00000);
    entries = (unsigned)le(table + 34, 2);
    entry = table + 44;
    for (unsigned i = 0; i < entries; i++) {
        assert_true(entry[0] < 5);
        counts[entry[0]]++;
        if (entry[0] == 0) {
            assert_int_equal(entry[1], engine_apic_id(config, i));
            assert_int_equal(entry[3], i == 0 ? 3 : 1);
        } else if (entry[0] == 1) {
            assert_memory_equal(entry + 2, entry[1] ? "ISA   " : "PCI   ", 6);
        } else if (entry[0] == 2) {
            assert_int_equal(le(entry + 4, 4), 0xfec00000);
        } else if (entry[0] == 3 && entry[4] == 1) {
            assert_int_equal(entry[7], entry[5] ? entry[5] : 2);
        } else if (entry[0] == 3) {
            assert_int_equal(entry[7],
                             engine_pci_gsi(entry[5] >> 2, entry[5] & 3));
        } else {
            assert_int_equal(entry[7], entry[1] == 3 ? 0 : 1);
        }
        entry += entry[0] == 0 ? 20 : 8;
    }
    assert_int_equal(entry - table, le(table + 4, 2));
    assert_int_equal(counts[1],
                     config->machine == ENGINE_MACHINE_MICROVM ? 1 : 2);
    assert_int_equal(counts[2], 1);
    assert_int_equal(counts[3],
                     config->machine == ENGINE_MACHINE_MICROVM ? 15 : 143);
    assert_int_equal(counts[4], 2);
    return counts[0];
}

static void
test_mptable(void **state)
{
    static const EngineMachine kinds[] = { ENGINE_MACHINE_Q35,
                                           ENGINE_MACHINE_MICROVM };
    static const unsigned vcpus[] = { 1, 4, 255 };

    for (unsigned i = 0; i < 6; i++) {
        Machine m = { 0 };

        machine_set(&m.config, kinds[i % 2], vcpus[i / 2], 64 << 20);
        m.config.apic = true;
        machine_build(&m);
        assert_true(engine_mptable_build(m.engine, &m.config));
        assert_int_equal(walk_mptable(m.engine, &m.config), vcpus[i / 2]);
        assert_non_null(find_table(&m, "FACP", &(size_t){ 0 }));
        fake_engine_free(m.engine);
    }
}

static void
test_mptable_only_where_it_can_be_true(void **state)
{
    Machine m = { 0 };

    machine_set(&m.config, ENGINE_MACHINE_Q35, 300, 64 << 20);
    machine_build(&m);
    m.config.apic = true;
    assert_false(engine_mptable_build(m.engine, &m.config));
    m.config.vcpus = 1;
    m.config.apic = false;
    assert_false(engine_mptable_build(m.engine, &m.config));
    fake_engine_free(m.engine);
}

/* --- for iasl ------------------------------------------------------------- */
static void
write_table(const char *folder, const char *machine, const uint8_t *table,
            size_t size)
{
    g_autofree char *path =
        g_strdup_printf("%s/%s-%.4s.dat", folder, machine, (const char *)table);
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(path, (const char *)table, (gssize)size, &error))
        g_error("%s", error->message);
}

static void
write_machine(const char *folder, const char *name, Machine *m)
{
    static const char *const names[] = { "APIC", "MCFG", "WAET", "FACP" };
    const uint8_t *table = NULL;
    size_t size;

    machine_build(m);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        table = find_table(m, names[i], &size);
        if (table)
            write_table(folder, name, table, size);
    }
    table = table_at(m, le(table + 40, 4), "DSDT", &size);
    write_table(folder, name, table, size);
    fake_engine_free(m->engine);
}

static int
write_all(const char *folder)
{
    Machine m = { 0 };

    machine_set(&m.config, ENGINE_MACHINE_Q35, 2, 256 << 20);
    m.config.pvpanic = true;
    write_machine(folder, "q35", &m);
    machine_set(&m.config, ENGINE_MACHINE_Q35, 300, UINT64_C(8) << 30);
    for (unsigned i = 0; i < ENGINE_SERIALS_MAX; i++)
        m.config.serials[i].present = true;
    write_machine(folder, "big", &m);
    machine_set(&m.config, ENGINE_MACHINE_PC, 1, 64 << 20);
    m.config.rtc = m.config.serials[0].present = false;
    write_machine(folder, "pc", &m);
    machine_set(&m.config, ENGINE_MACHINE_MICROVM, 1, 64 << 20);
    write_machine(folder, "microvm", &m);
    return 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fadt),
        cmocka_unit_test(test_fadt_without_clock),
        cmocka_unit_test(test_madt),
        cmocka_unit_test(test_madt_beyond_255_cpus),
        cmocka_unit_test(test_the_largest_machine_fits),
        cmocka_unit_test(test_mcfg_and_waet),
        cmocka_unit_test(test_windows_lie_outside_ram),
        cmocka_unit_test(test_too_little_memory_is_refused),
        cmocka_unit_test(test_mptable),
        cmocka_unit_test(test_mptable_only_where_it_can_be_true),
    };

    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_all(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
