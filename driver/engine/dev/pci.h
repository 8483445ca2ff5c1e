/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/pci_regs.h>

#include "engine/dev/pci-rom.h"
#include "engine/device.h"

/*
 * Bus 0, its functions, and how guests reach them: configuration mechanism 1
 * and (q35) ECAM; BARs wherever the guest puts them within the host bridge's
 * windows. A device embeds an EnginePciFunction, describes itself and adds it
 * from its realize; the rest of the header then works by itself.
 *
 * Threads: as in engine/device.h. Hooks and BAR accesses come on vCPU threads
 * with no lock of the bus held. What stands in config[] belongs to the bus
 * after engine_pci_add(); a device changes it with engine_pci_config_set().
 */
#define ENGINE_PCI_SLOTS     32
#define ENGINE_PCI_FUNCTIONS 8
#define ENGINE_PCI_BARS      6
#define ENGINE_PCI_ROM       ENGINE_PCI_BARS /* behind them in bars[] */
#define ENGINE_PCI_REGIONS   (ENGINE_PCI_BARS + 1)
#define ENGINE_PCI_UNMAPPED  UINT64_MAX

typedef struct EnginePciFunction EnginePciFunction;

typedef struct EnginePciIds {
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits: class, subclass, interface */
    uint8_t revision;
} EnginePciIds;

/** What a function does beyond its header; every callback may be NULL. */
typedef struct EnginePciOps {
    uint64_t (*bar_read)(EnginePciFunction *function, unsigned bar,
                         uint64_t offset, unsigned size);
    void (*bar_write)(EnginePciFunction *function, unsigned bar,
                      uint64_t offset, unsigned size, uint64_t value);
    /** The guest placed a BAR or switched it off; @base is guest physical (or
     * a port), ENGINE_PCI_UNMAPPED if it answers nowhere now. Called by one
     * thread at a time, in the order of the changes. */
    void (*bar_moved)(EnginePciFunction *function, unsigned bar, uint64_t base);
    /** Registers whose reads are not what config[] holds: change *@value.
     * @size: 1, 2 or 4 */
    void (*config_read)(EnginePciFunction *function, unsigned offset,
                        unsigned size, uint32_t *value);
    /** After the writable bits have been taken over */
    void (*config_written)(EnginePciFunction *function, unsigned offset,
                           unsigned size);
} EnginePciOps;

typedef enum EnginePciBarType {
    ENGINE_PCI_BAR_NONE = 0,
    ENGINE_PCI_BAR_IO,
    ENGINE_PCI_BAR_MEMORY,   /* 32 bits */
    ENGINE_PCI_BAR_MEMORY64, /* takes the next BAR, too */
    ENGINE_PCI_BAR_PLACED,   /* ports, by engine_pci_place_ports() */
    ENGINE_PCI_BAR_ROM,      /* by engine_pci_add_rom() */
} EnginePciBarType;

typedef struct EnginePciBar {
    EnginePciBarType type;
    bool prefetchable;
    uint64_t size; /* bytes, a power of two: 4 to 256 for ports, 16 or more */
    uint64_t base; /* where it answers, or ENGINE_PCI_UNMAPPED */
} EnginePciBar;

struct EnginePciFunction {
    EngineDevice *device; /* whose it is */
    const EnginePciOps *ops;
    uint8_t config[PCI_CFG_SPACE_SIZE];
    uint8_t writable[PCI_CFG_SPACE_SIZE]; /* bits the guest may set */
    EnginePciBar bars[ENGINE_PCI_REGIONS];
    EnginePciRom rom;
    unsigned slot, number;
    uint8_t next_capability; /* free space in config[] */
    bool intx_wanted;        /* by the device */
    bool intx;               /* driven now */
};

/** engine_pci_init: an empty header; @ops may be NULL */
void engine_pci_init(EnginePciFunction *function, EngineDevice *device,
                     const EnginePciIds *ids, const EnginePciOps *ops);

/** engine_pci_add_bar: before engine_pci_add() */
void engine_pci_add_bar(EnginePciFunction *function, unsigned index,
                        EnginePciBarType type, uint64_t size,
                        bool prefetchable);

/** engine_pci_add_rom_bar: a part of engine_pci_add_rom() */
void engine_pci_add_rom_bar(EnginePciFunction *function, uint64_t size);

/**
 * engine_pci_add_capability: append to the list; before engine_pci_add()
 * @size: bytes with the two of the header
 * Returns: its offset in config[]
 */
unsigned engine_pci_add_capability(EnginePciFunction *function, uint8_t id,
                                   unsigned size);

/** engine_pci_use_intx: the function has INTA to INTD (1 to 4) */
void engine_pci_use_intx(EnginePciFunction *function, unsigned pin);

/**
 * engine_pci_add: put the function on bus 0; from realize
 * @error: INTERNAL_ERROR if the place is taken, CONFIG_UNSUPPORTED if the
 * machine has no PCI
 */
bool engine_pci_add(Engine *engine, EnginePciFunction *function, unsigned slot,
                    unsigned number, GError **error);
/** engine_pci_remove: from unrealize; fine if it was never added */
void engine_pci_remove(Engine *engine, EnginePciFunction *function);

/** engine_pci_reset: from the device's reset: BARs off, nothing enabled */
void engine_pci_reset(EnginePciFunction *function);

/** engine_pci_config_get/_set: @size is 1, 2 or 4. Thread: any */
uint32_t engine_pci_config_get(EnginePciFunction *function, unsigned offset,
                               unsigned size);
void engine_pci_config_set(EnginePciFunction *function, unsigned offset,
                           unsigned size, uint32_t value);

/** engine_pci_ecam: where the configuration window is; ENGINE_PCI_UNMAPPED if
 * nowhere. Thread: any */
uint64_t engine_pci_ecam(Engine *engine);

/** engine_pci_place_ports: let one more BAR, 4 to 256 ports that the header
 * does not show, answer from port @base on; ENGINE_PCI_UNMAPPED: nowhere.
 * @index: of a BAR that the function has not. Thread: any */
void engine_pci_place_ports(EnginePciFunction *function, unsigned index,
                            uint64_t size, uint64_t base);

/** engine_pci_set_intx: drive the pin; lines are shared. Thread: any */
void engine_pci_set_intx(EnginePciFunction *function, bool level);
