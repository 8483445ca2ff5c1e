/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/acpi-table.h"
#include "engine/x86/acpi.h"
#include "engine/x86/cpu.h"

/* The fixed tables: FADT, MADT, MCFG, WAET. Sections are ACPI 6.4's. */
#define FADT_REVISION 6
#define FADT_MINOR    3
#define FADT_SIZE     276

#define FADT_WBINVD       (1u << 0)
#define FADT_PROC_C1      (1u << 2)
#define FADT_NO_SLEEP_KEY (1u << 5)
#define FADT_NO_RTC_WAKE  (1u << 6)
#define FADT_TIMER_32     (1u << 8)
#define FADT_RESET        (1u << 10)

#define BOOT_LEGACY_DEVICES (1u << 0)
#define BOOT_NO_VGA         (1u << 2)
#define BOOT_NO_RTC         (1u << 5)

#define GAS_IO    1
#define GAS_BYTE  1
#define GAS_WORD  2
#define GAS_DWORD 3

#define RESET_VALUE   0x06
#define CENTURY       0x32 /* in CMOS */
#define NO_C2_LATENCY 0x0fff
#define NO_C3_LATENCY 0x0fff

#define LAPIC_GPA     0xfee00000u
#define IOAPIC_GPA    0xfec00000u
#define MADT_PC_PICS  1
#define MADT_LAPIC    0
#define MADT_IOAPIC   1
#define MADT_OVERRIDE 2
#define MADT_NMI      4
#define MADT_X2APIC   9
#define MADT_X2_NMI   10
#define APIC_ENABLED  1
#define APIC_ID_MAX   254 /* of a local APIC entry; 255 is everybody */
#define ALL_CPUS      0xff
#define ALL_CPUS_X2   0xffffffffu
#define IRQ_BUS       0      /* as ISA says */
#define IRQ_LEVEL     0x000d /* level, active high */
#define LINT1         1

#define WAET_TIMER_GOOD 2 /* one read of the PM timer is enough */

static void
put_gas(GByteArray *table, uint64_t port, unsigned bits, unsigned access)
{
    engine_acpi_put(table, port ? GAS_IO : 0, 1);
    engine_acpi_put(table, bits, 1);
    engine_acpi_put(table, 0, 1); /* bit offset */
    engine_acpi_put(table, access, 1);
    engine_acpi_put(table, port, 8);
}

/* Offsets 36 to 95: everything in its 32-bit form */
static void
put_fadt_blocks(GByteArray *fadt, uint64_t facs, uint64_t dsdt)
{
    engine_acpi_put(fadt, facs, 4);
    engine_acpi_put(fadt, dsdt, 4);
    engine_acpi_put(fadt, 0, 2); /* reserved, profile unspecified */
    engine_acpi_put(fadt, ENGINE_SCI_IRQ, 2);
    engine_acpi_put(fadt, 0, 8); /* no SMI_CMD: always in ACPI mode */
    engine_acpi_put(fadt, ENGINE_PM1_EVT_PORT, 4);
    engine_acpi_put(fadt, 0, 4);
    engine_acpi_put(fadt, ENGINE_PM1_CNT_PORT, 4);
    engine_acpi_put(fadt, 0, 4);
    engine_acpi_put(fadt, 0, 4); /* PM2 */
    engine_acpi_put(fadt, ENGINE_PM_TMR_PORT, 4);
    engine_acpi_put(fadt, ENGINE_GPE0_PORT, 4);
    engine_acpi_put(fadt, 0, 4);
    engine_acpi_put(fadt, 4, 1);  /* length of PM1 events, */
    engine_acpi_put(fadt, 2, 1);  /* PM1 control, */
    engine_acpi_put(fadt, 0, 1);  /* PM2, */
    engine_acpi_put(fadt, 4, 1);  /* PM timer, */
    engine_acpi_put(fadt, 16, 1); /* GPE0, */
    engine_acpi_put(fadt, 0, 3);  /* GPE1; its base; no _CST */
}

/* Offsets 96 to 131 */
static void
put_fadt_flags(GByteArray *fadt, const EngineConfig *config)
{
    unsigned boot =
        BOOT_LEGACY_DEVICES | BOOT_NO_VGA | (config->rtc ? 0 : BOOT_NO_RTC);

    engine_acpi_put(fadt, NO_C2_LATENCY, 2);
    engine_acpi_put(fadt, NO_C3_LATENCY, 2);
    engine_acpi_put(fadt, 0, 6); /* flush size, stride, duty cycle */
    engine_acpi_put(fadt, 0, 2); /* no alarm by day or month */
    engine_acpi_put(fadt, config->rtc ? CENTURY : 0, 1);
    engine_acpi_put(fadt, boot, 2);
    engine_acpi_put(fadt, 0, 1);
    engine_acpi_put(fadt,
                    FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_KEY |
                        FADT_NO_RTC_WAKE | FADT_TIMER_32 | FADT_RESET,
                    4);
    put_gas(fadt, ENGINE_RESET_PORT, 8, GAS_BYTE);
    engine_acpi_put(fadt, RESET_VALUE, 1);
    engine_acpi_put(fadt, 0, 2); /* of ARM */
    engine_acpi_put(fadt, FADT_MINOR, 1);
}

GByteArray *
engine_acpi_fadt(const EngineConfig *config, uint64_t facs, uint64_t dsdt)
{
    GByteArray *fadt = engine_acpi_table_new("FACP", FADT_REVISION);

    put_fadt_blocks(fadt, facs, dsdt);
    put_fadt_flags(fadt, config);
    engine_acpi_put(fadt, 0, 8); /* the FACS is named above already */
    engine_acpi_put(fadt, dsdt, 8);
    put_gas(fadt, ENGINE_PM1_EVT_PORT, 32, GAS_WORD);
    put_gas(fadt, 0, 0, 0);
    put_gas(fadt, ENGINE_PM1_CNT_PORT, 16, GAS_WORD);
    put_gas(fadt, 0, 0, 0);
    put_gas(fadt, 0, 0, 0); /* PM2 */
    put_gas(fadt, ENGINE_PM_TMR_PORT, 32, GAS_DWORD);
    put_gas(fadt, ENGINE_GPE0_PORT, 128, GAS_BYTE);
    put_gas(fadt, 0, 0, 0);
    put_gas(fadt, 0, 0, 0); /* sleep control and status */
    put_gas(fadt, 0, 0, 0);
    engine_acpi_put(fadt, 0, 8); /* hypervisor vendor: unspecified */
    g_assert(fadt->len == FADT_SIZE);
    return fadt;
}

/* --- MADT (5.2.12) -------------------------------------------------------- */
static void
put_cpu(GByteArray *madt, unsigned index, unsigned apic_id)
{
    if (apic_id <= APIC_ID_MAX) {
        engine_acpi_put(madt, MADT_LAPIC, 1);
        engine_acpi_put(madt, 8, 1);
        engine_acpi_put(madt, index, 1);
        engine_acpi_put(madt, apic_id, 1);
        engine_acpi_put(madt, APIC_ENABLED, 4);
    } else {
        engine_acpi_put(madt, MADT_X2APIC, 1);
        engine_acpi_put(madt, 16, 1);
        engine_acpi_put(madt, 0, 2);
        engine_acpi_put(madt, apic_id, 4);
        engine_acpi_put(madt, APIC_ENABLED, 4);
        engine_acpi_put(madt, index, 4);
    }
}

static void
put_ioapic(GByteArray *madt)
{
    engine_acpi_put(madt, MADT_IOAPIC, 1);
    engine_acpi_put(madt, 12, 1);
    engine_acpi_put(madt, 0, 2); /* id 0, as KVM's has; reserved */
    engine_acpi_put(madt, IOAPIC_GPA, 4);
    engine_acpi_put(madt, 0, 4); /* its first GSI */
}

static void
put_override(GByteArray *madt, unsigned irq, unsigned gsi, unsigned flags)
{
    engine_acpi_put(madt, MADT_OVERRIDE, 1);
    engine_acpi_put(madt, 10, 1);
    engine_acpi_put(madt, 0, 1); /* ISA */
    engine_acpi_put(madt, irq, 1);
    engine_acpi_put(madt, gsi, 4);
    engine_acpi_put(madt, flags, 2);
}

static void
put_nmi(GByteArray *madt, bool x2apic)
{
    engine_acpi_put(madt, MADT_NMI, 1);
    engine_acpi_put(madt, 6, 1);
    engine_acpi_put(madt, ALL_CPUS, 1);
    engine_acpi_put(madt, IRQ_BUS, 2);
    engine_acpi_put(madt, LINT1, 1);
    if (!x2apic)
        return;
    engine_acpi_put(madt, MADT_X2_NMI, 1);
    engine_acpi_put(madt, 12, 1);
    engine_acpi_put(madt, IRQ_BUS, 2);
    engine_acpi_put(madt, ALL_CPUS_X2, 4);
    engine_acpi_put(madt, LINT1, 4); /* with three reserved bytes */
}

GByteArray *
engine_acpi_madt(const EngineConfig *config)
{
    GByteArray *madt = engine_acpi_table_new("APIC", 5);
    bool x2apic = false;

    engine_acpi_put(madt, LAPIC_GPA, 4);
    engine_acpi_put(madt, MADT_PC_PICS, 4);
    for (unsigned i = 0; i < config->vcpus; i++) {
        unsigned apic_id = engine_apic_id(config, i);

        put_cpu(madt, i, apic_id);
        x2apic |= apic_id > APIC_ID_MAX;
    }
    put_ioapic(madt);
    put_override(madt, 0, 2, IRQ_BUS); /* the timer */
    put_override(madt, ENGINE_SCI_IRQ, ENGINE_SCI_IRQ, IRQ_LEVEL);
    put_nmi(madt, x2apic);
    return madt;
}

/* PCI Firmware 3.2, 4.1.2 */
GByteArray *
engine_acpi_mcfg(uint64_t ecam)
{
    GByteArray *mcfg = engine_acpi_table_new("MCFG", 1);

    engine_acpi_put(mcfg, 0, 8);
    engine_acpi_put(mcfg, ecam, 8);
    engine_acpi_put(mcfg, 0, 2); /* segment */
    engine_acpi_put(mcfg, 0, 1); /* first bus */
    engine_acpi_put(mcfg, (ENGINE_ECAM_SIZE >> 20) - 1, 1);
    engine_acpi_put(mcfg, 0, 4);
    return mcfg;
}

/* Windows ACPI Emulated Devices Table: the clock does want to be acknowledged
 */
GByteArray *
engine_acpi_waet(void)
{
    GByteArray *waet = engine_acpi_table_new("WAET", 1);

    engine_acpi_put(waet, WAET_TIMER_GOOD, 4);
    return waet;
}
