/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/mptable.h"

#include <string.h>

#include "engine/x86/acpi-table.h"
#include "engine/x86/acpi.h"
#include "engine/x86/cpu.h"

/* Sizes, types and offsets are those of chapter 4. */
#define POINTER_SIZE   16
#define POINTER_SUM    10
#define TABLE_LENGTH   4
#define TABLE_SUM      7
#define TABLE_COUNT    34
#define SPEC_REVISION  4 /* 1.4 */
#define OEM_ID         "VIRTKVM "
#define PRODUCT_ID     "VIRTKVM     "
#define LAPIC_GPA      0xfee00000u
#define IOAPIC_GPA     0xfec00000u
#define LAPIC_VERSION  0x14
#define IOAPIC_VERSION 0x11
#define IOAPIC_ID      0
#define CPU_ENABLED    1
#define CPU_BOOT       2
#define CPU_SIGNATURE  0x600 /* of some kind; systems ask CPUID */
#define CPU_FPU_APIC   0x201
#define BUS_PCI        0
#define BUS_ISA        1
#define PCI_SLOTS      32
#define PCI_PINS       4
#define ISA_IRQS       16
#define ISA_CASCADE    2
#define TIMER_GSI      2
#define ALL_CPUS       0xff

enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_IRQ, ENTRY_LOCAL_IRQ };
enum { IRQ_INT = 0, IRQ_NMI = 1, IRQ_EXTINT = 3 };

static void
put_text(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
}

static void
put_cpu(GByteArray *out, unsigned apic_id, bool boot)
{
    engine_acpi_put(out, ENTRY_CPU, 1);
    engine_acpi_put(out, apic_id, 1);
    engine_acpi_put(out, LAPIC_VERSION, 1);
    engine_acpi_put(out, CPU_ENABLED | (boot ? CPU_BOOT : 0), 1);
    engine_acpi_put(out, CPU_SIGNATURE, 4);
    engine_acpi_put(out, CPU_FPU_APIC, 4);
    engine_acpi_put(out, 0, 8);
}

static void
put_bus(GByteArray *out, unsigned id, const char *name)
{
    engine_acpi_put(out, ENTRY_BUS, 1);
    engine_acpi_put(out, id, 1);
    put_text(out, name);
}

static void
put_ioapic(GByteArray *out)
{
    engine_acpi_put(out, ENTRY_IOAPIC, 1);
    engine_acpi_put(out, IOAPIC_ID, 1);
    engine_acpi_put(out, IOAPIC_VERSION, 1);
    engine_acpi_put(out, 1, 1); /* enabled */
    engine_acpi_put(out, IOAPIC_GPA, 4);
}

/* @source, @target: bus and line there, APIC and pin there */
static void
put_irq(GByteArray *out, uint8_t entry, uint8_t type, const uint8_t source[2],
        const uint8_t target[2])
{
    engine_acpi_put(out, entry, 1);
    engine_acpi_put(out, type, 1);
    engine_acpi_put(out, 0, 2); /* polarity and trigger as the bus has them */
    g_byte_array_append(out, source, 2);
    g_byte_array_append(out, target, 2);
}

/* Returns: how many entries */
static unsigned
put_irqs(GByteArray *out, bool pci)
{
    static const uint8_t pic[] = { BUS_ISA, 0 }, lint0[] = { 0, 0 };
    static const uint8_t lint1[] = { ALL_CPUS, 1 };
    unsigned count = 0;

    for (uint8_t irq = 0; irq < ISA_IRQS; irq++) {
        const uint8_t source[] = { BUS_ISA, irq };
        const uint8_t target[] = { IOAPIC_ID, irq ? irq : TIMER_GSI };

        if (irq == ISA_CASCADE)
            continue;
        put_irq(out, ENTRY_IRQ, IRQ_INT, source, target);
        count++;
    }
    for (unsigned i = 0; pci && i < PCI_SLOTS * PCI_PINS; i++) {
        const uint8_t source[] = { BUS_PCI, (uint8_t)i }; /* slot, pin */
        const uint8_t target[] = { IOAPIC_ID, (uint8_t)engine_pci_gsi(
                                                  i / PCI_PINS, i % PCI_PINS) };

        put_irq(out, ENTRY_IRQ, IRQ_INT, source, target);
        count++;
    }
    put_irq(out, ENTRY_LOCAL_IRQ, IRQ_EXTINT, pic, lint0);
    put_irq(out, ENTRY_LOCAL_IRQ, IRQ_NMI, pic, lint1);
    return count + 2;
}

static unsigned
put_cpus(GByteArray *out, const EngineConfig *config)
{
    unsigned count = 0;

    for (unsigned i = 0; i < config->vcpus; i++) {
        unsigned apic_id = engine_apic_id(config, i);

        if (apic_id > ENGINE_MPTABLE_APIC_ID_MAX)
            continue;
        put_cpu(out, apic_id, i == 0);
        count++;
    }
    return count;
}

static GByteArray *
make_table(const EngineConfig *config)
{
    GByteArray *table = g_byte_array_new();
    bool pci = config->machine != ENGINE_MACHINE_MICROVM;
    unsigned count;

    put_text(table, "PCMP");
    engine_acpi_put(table, 0, 2); /* length */
    engine_acpi_put(table, SPEC_REVISION, 1);
    engine_acpi_put(table, 0, 1); /* checksum */
    put_text(table, OEM_ID PRODUCT_ID);
    engine_acpi_put(table, 0, 6); /* no table of the manufacturer's */
    engine_acpi_put(table, 0, 2); /* count of entries */
    engine_acpi_put(table, LAPIC_GPA, 4);
    engine_acpi_put(table, 0, 4); /* no extended table */

    count = put_cpus(table, config);
    if (pci)
        put_bus(table, BUS_PCI, "PCI   ");
    put_bus(table, BUS_ISA, "ISA   ");
    put_ioapic(table);
    count += put_irqs(table, pci) + 2 + pci;
    for (unsigned i = 0; i < 2; i++) {
        table->data[TABLE_LENGTH + i] = (uint8_t)(table->len >> (8 * i));
        table->data[TABLE_COUNT + i] = (uint8_t)(count >> (8 * i));
    }
    table->data[TABLE_SUM] = engine_acpi_checksum(table->data, table->len);
    return table;
}

/* The floating pointer structure, which guests search for */
static void
fill_pointer(uint8_t *pointer, uint32_t table)
{
    memset(pointer, 0, POINTER_SIZE);
    memcpy(pointer, "_MP_", 4);
    for (unsigned i = 0; i < 4; i++)
        pointer[4 + i] = (uint8_t)(table >> (8 * i));
    pointer[8] = POINTER_SIZE / 16;
    pointer[9] = SPEC_REVISION;
    pointer[POINTER_SUM] = engine_acpi_checksum(pointer, POINTER_SIZE);
}

bool
engine_mptable_build(Engine *engine, const EngineConfig *config)
{
    uint8_t *ram =
        engine_memory_at(engine, ENGINE_MPTABLE_GPA, ENGINE_MPTABLE_MAX);
    GByteArray *table;

    if (!ram || !config->apic || config->vcpus > ENGINE_MPTABLE_APIC_ID_MAX + 1)
        return false;
    table = make_table(config);
    g_assert(POINTER_SIZE + table->len <= ENGINE_MPTABLE_MAX);
    fill_pointer(ram, ENGINE_MPTABLE_GPA + POINTER_SIZE);
    memcpy(ram + POINTER_SIZE, table->data, table->len);
    g_byte_array_unref(table);
    return true;
}
