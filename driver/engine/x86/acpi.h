/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/device.h"

/** Where in a blob of tables the address of another one stands. */
typedef struct EngineAcpiPointer {
    uint32_t offset;
    unsigned size; /* 4 or 8 */
} EngineAcpiPointer;

/** A checksum that depends on such addresses. */
typedef struct EngineAcpiSum {
    uint32_t offset, start, length;
} EngineAcpiSum;

/** All tables, wherever they are to be. */
typedef struct EngineAcpi {
    uint64_t base; /* guest physical, of `tables` */
    uint64_t ecam;
    GByteArray *tables;
    GByteArray *rsdp;
    GArray *pointers; /* EngineAcpiPointer, in `tables` */
    GArray *sums;     /* EngineAcpiSum, of `tables` */
} EngineAcpi;

/* The one pointer in the RSDP, and its checksums (ACPI 6.4, 5.2.5.3) */
#define ENGINE_ACPI_RSDP_SIZE    36
#define ENGINE_ACPI_RSDP_SIZE_V1 20
#define ENGINE_ACPI_RSDP_SUM     8
#define ENGINE_ACPI_RSDP_XSDT    24
#define ENGINE_ACPI_RSDP_SUM_ALL 32

/**
 * engine_acpi_new: RSDP, XSDT, FADT, FACS, DSDT, MADT, MCFG (with @ecam), WAET
 * @base: guest physical; a multiple of 64   @ecam: of the configuration window,
 * 0 if there is none
 */
EngineAcpi *engine_acpi_new(const EngineConfig *config, uint64_t base,
                            uint64_t ecam);
void engine_acpi_free(EngineAcpi *acpi); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineAcpi, engine_acpi_free)

/**
 * engine_acpi_build: all tables into guest RAM at ENGINE_ACPI_GPA. Called at
 * start and again at every reset.
 * @ret_rsdp: guest physical address of the RSDP
 * @error: INTERNAL_ERROR if they do not fit in ENGINE_ACPI_MAX, INVALID_ARG if
 * RAM does not reach that far
 */
bool engine_acpi_build(Engine *engine, const EngineConfig *config,
                       uint64_t *ret_rsdp, GError **error);

/* The platform's fixed addresses; devices and tables use the same names. */
#define ENGINE_PM1_EVT_PORT 0x600 /* PM1a event block, 4 bytes */
#define ENGINE_PM1_CNT_PORT 0x604 /* PM1a control block, 2 bytes */
#define ENGINE_PM_TMR_PORT  0x608 /* PM timer, 4 bytes */
#define ENGINE_GPE0_PORT    0x620 /* GPE0 block, 16 bytes */
#define ENGINE_GPE_SLOTS    1     /* the event of slots to be looked at */
#define ENGINE_SMI_EN_PORT  0x630 /* ICH9: which events make SMIs, 4 bytes */
#define ENGINE_SLOTS_PORT   0x650 /* PCI hotplug, 16 bytes; dev/hotplug.c */
#define ENGINE_SLOTS_SIZE   16
#define ENGINE_PVPANIC_PORT 0x505 /* a byte */
#define ENGINE_RESET_PORT   0xcf9 /* value 6 resets */
#define ENGINE_SCI_IRQ      9
#define ENGINE_ECAM_BASE    0xe0000000ull /* q35: one segment, 256 buses */
#define ENGINE_ECAM_SIZE    0x10000000ull
/* where firmware usually puts it instead */
#define ENGINE_FIRMWARE_ECAM_BASE 0xb0000000ull
#define ENGINE_PCI_HOLE_BASE \
    0xc0000000ull /* RAM below 4 GiB ends here at most */
#define ENGINE_PCI_HOLE_END      0xe0000000ull
#define ENGINE_FIRMWARE_HOLE_END 0xfec00000ull /* the IOAPIC */
#define ENGINE_KVM_PAGES_GPA     0xfeffc000ul  /* four pages of KVM's own */
#define ENGINE_KVM_PAGES_SIZE    0x4000
#define ENGINE_PCI64_SIZE        (1ull << 36) /* window above RAM */
#define ENGINE_PCI_IO_BASE       0x1000       /* ports of BARs, to 0xffff */
#define ENGINE_PCI_GSI_BASE      16           /* INTx: eight lines from here */
#define ENGINE_PCI_GSIS          8
#define ENGINE_S5_TYPE           5

/**
 * engine_low_memory: how much of RAM lies below 4 GiB
 *
 * Firmware for the q35 puts the configuration window at 0xb0000000; RAM that
 * would reach it ends at 2 GiB, so that its size is a power of two, which costs
 * the fewest MTRRs.
 */
static inline uint64_t
engine_low_memory(const EngineConfig *config)
{
    if (engine_config_has_firmware(config) &&
        config->machine == ENGINE_MACHINE_Q35 &&
        config->memory >= ENGINE_FIRMWARE_ECAM_BASE)
        return 0x80000000ull;
    return config->memory < ENGINE_PCI_HOLE_BASE ? config->memory
                                                 : ENGINE_PCI_HOLE_BASE;
}

/** engine_pci_hole_base/_end: the window for BARs below 4 GiB. Firmware, which
 * places them, takes all that RAM leaves; q35's configuration window is then
 * within. */
static inline uint64_t
engine_pci_hole_base(const EngineConfig *config)
{
    if (!engine_config_has_firmware(config))
        return ENGINE_PCI_HOLE_BASE;
    if (engine_low_memory(config) <= 0x80000000ull)
        return 0x80000000ull;
    return config->machine == ENGINE_MACHINE_Q35 ? ENGINE_FIRMWARE_ECAM_BASE
                                                 : ENGINE_PCI_HOLE_BASE;
}

static inline uint64_t
engine_pci_hole_end(const EngineConfig *config)
{
    return engine_config_has_firmware(config) ? ENGINE_FIRMWARE_HOLE_END
                                              : ENGINE_PCI_HOLE_END;
}

/** engine_pci64_base: where the window above RAM begins, by its own alignment
 */
static inline uint64_t
engine_pci64_base(const EngineConfig *config)
{
    uint64_t end = (1ull << 32) + config->memory - engine_low_memory(config);

    return (end + ENGINE_PCI64_SIZE - 1) / ENGINE_PCI64_SIZE *
           ENGINE_PCI64_SIZE;
}

/** engine_pci_gsi: the interrupt line of a slot's pin, INTA being 0 */
static inline unsigned
engine_pci_gsi(unsigned slot, unsigned pin)
{
    return ENGINE_PCI_GSI_BASE + (slot + pin) % ENGINE_PCI_GSIS;
}
