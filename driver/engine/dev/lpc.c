/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/config.h"
#include "engine/dev/dev.h"
#include "engine/dev/pci.h"
#include "engine/x86/acpi.h"

/*
 * The bridge to what is not on PCI, where firmware looks for it: PIIX3 with
 * PIIX4's power management on pc (82371SB, 82371AB), ICH9's LPC interface on
 * q35 (ICH9, 13). Machines without firmware do without: ACPI describes the
 * same to systems.
 *
 * There is no system management mode. Firmware that would have to set it up
 * finds that done, and whoever asks for its services at port 0xb2 finds them
 * done, too.
 */
enum { REGION_SMI };

#define INTEL              0x8086
#define DEVICE_PIIX3       0x7000
#define DEVICE_PIIX4_PM    0x7113
#define DEVICE_ICH9_LPC    0x2918
#define CLASS_ISA_BRIDGE   0x060100
#define CLASS_OTHER_BRIDGE 0x068000
#define SUBSYSTEM_VENDOR   0x1af4
#define SUBSYSTEM          0x1100

#define PIIX_SLOT        1
#define PIIX_PM_FUNCTION 3
#define ICH9_SLOT        31

#define PIRQ         0x60 /* A to D, a byte each */
#define PIRQ_ICH9_E  0x68 /* E to H */
#define PIRQ_DISABLE 0x80
#define PIRQ_BITS    0x8f

#define PMBASE           0x40
#define PMBASE_IO        0x01 /* always reads so */
#define PMBASE_MASK      0xff80u
#define PIIX4_MASK       0xffc0u
#define PIIX4_DEVACTB    0x58
#define DEVACTB_APMC_EN  0x02 /* of the fourth byte: SMIs have been set up */
#define PIIX4_PMREGMISC  0x80
#define PIIX4_SMBUS_BASE 0x90
#define PIIX4_SMBUS      0xd2
#define ICH9_ACPI_CNTL   0x44
#define ICH9_RCBA        0xf0
#define PM_ENABLE_PIIX4  0x01
#define PM_ENABLE_ICH9   0x80
#define SCI_LINE         9

#define PM_BAR   0 /* of engine_pci_place_ports() */
#define PM_PORTS 64

#define APM_PORT  0xb2 /* what is asked; 0xb3: the answer */
#define APM_PORTS 2

typedef struct Lpc {
    EngineDevice device;
    bool q35, present;
    EnginePciFunction isa, pm; /* q35: power management is part of isa */
    uint8_t apm[APM_PORTS];    /* atomic */
} Lpc;

static Lpc *
lpc_of(EngineDevice *device)
{
    return (Lpc *)device;
}

static EnginePciFunction *
power(Lpc *lpc)
{
    return lpc->q35 ? &lpc->isa : &lpc->pm;
}

/* --- where the registers of power management are, besides ENGINE_PM1_EVT_PORT
 */
static void
place_power(Lpc *lpc)
{
    EnginePciFunction *function = power(lpc);
    unsigned enable = lpc->q35 ? ICH9_ACPI_CNTL : PIIX4_PMREGMISC;
    uint8_t bit = lpc->q35 ? PM_ENABLE_ICH9 : PM_ENABLE_PIIX4;
    uint32_t base = engine_pci_config_get(function, PMBASE, 2) &
                    (lpc->q35 ? PMBASE_MASK : PIIX4_MASK);
    bool on = engine_pci_config_get(function, enable, 1) & bit;

    engine_pci_place_ports(function, PM_BAR, PM_PORTS,
                           on && base ? base : ENGINE_PCI_UNMAPPED);
}

static void
config_written(EnginePciFunction *function, unsigned offset, unsigned size)
{
    Lpc *lpc = lpc_of(function->device);

    if (function == power(lpc))
        place_power(lpc);
}

static uint64_t
bar_read(EnginePciFunction *function, unsigned bar, uint64_t offset,
         unsigned size)
{
    return engine_pm_read(function->device->engine, (unsigned)offset, size);
}

static void
bar_write(EnginePciFunction *function, unsigned bar, uint64_t offset,
          unsigned size, uint64_t value)
{
    engine_pm_write(function->device->engine, (unsigned)offset, size, value);
}

static const EnginePciOps ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .config_written = config_written,
};

/* --- configuration space -------------------------------------------------- */
static void
init_function(Lpc *lpc, EnginePciFunction *function, uint16_t id,
              uint32_t class_code)
{
    const EnginePciIds ids = {
        .vendor = INTEL,
        .device = id,
        .class_code = class_code,
        .subsystem_vendor = SUBSYSTEM_VENDOR,
        .subsystem = SUBSYSTEM,
    };

    engine_pci_init(function, &lpc->device, &ids, &ops);
    function->config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MASTER;
}

/* It decodes what nobody else does, whatever is written (82371SB, 2.1.3; ICH9,
 * 13.1.3); UEFI firmware looks for its devices behind nothing less. */
static void
init_isa(Lpc *lpc, uint16_t id)
{
    uint8_t *command = lpc->isa.config + PCI_COMMAND;

    init_function(lpc, &lpc->isa, id, CLASS_ISA_BRIDGE);
    *command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    lpc->isa.writable[PCI_COMMAND] = 0;
}

static void
put_routes(EnginePciFunction *function, unsigned at)
{
    memset(function->config + at, PIRQ_DISABLE, 4);
    memset(function->writable + at, PIRQ_BITS, 4);
}

static void
put_power(EnginePciFunction *function, unsigned mask, unsigned enable,
          uint8_t bit)
{
    function->config[PMBASE] = PMBASE_IO;
    function->writable[PMBASE] = (uint8_t)mask;
    function->writable[PMBASE + 1] = (uint8_t)(mask >> 8);
    function->writable[enable] = bit;
}

static void
init_ich9(Lpc *lpc)
{
    EnginePciFunction *isa = &lpc->isa;

    init_isa(lpc, DEVICE_ICH9_LPC);
    put_routes(isa, PIRQ);
    put_routes(isa, PIRQ_ICH9_E);
    put_power(isa, PMBASE_MASK, ICH9_ACPI_CNTL, PM_ENABLE_ICH9);
    memset(isa->writable + ICH9_RCBA, 0xff, 4);
    isa->writable[ICH9_RCBA] = 0x01;
    isa->writable[ICH9_RCBA + 1] = 0xc0;
}

static void
init_piix(Lpc *lpc)
{
    EnginePciFunction *pm = &lpc->pm;

    init_isa(lpc, DEVICE_PIIX3);
    put_routes(&lpc->isa, PIRQ);
    init_function(lpc, pm, DEVICE_PIIX4_PM, CLASS_OTHER_BRIDGE);
    put_power(pm, PIIX4_MASK, PIIX4_PMREGMISC, PM_ENABLE_PIIX4);
    pm->config[PIIX4_DEVACTB + 3] = DEVACTB_APMC_EN;
    pm->config[PIIX4_SMBUS_BASE] = PMBASE_IO;
    pm->writable[PIIX4_SMBUS_BASE] = 0xf0;
    pm->writable[PIIX4_SMBUS_BASE + 1] = 0xff;
    pm->writable[PIIX4_SMBUS] = 0x0f;
    engine_pci_use_intx(pm, 1);
    pm->config[PCI_INTERRUPT_LINE] = SCI_LINE;
}

/* --- port 0xb2 ------------------------------------------------------------ */
static uint64_t
lpc_read(EngineDevice *device, unsigned region, uint64_t offset, unsigned size)
{
    Lpc *lpc = lpc_of(device);
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |=
            (uint64_t)__atomic_load_n(&lpc->apm[offset + i], __ATOMIC_RELAXED)
            << (8 * i);
    return value;
}

/* Whoever asks waits until the second register is zero. */
static void
lpc_write(EngineDevice *device, unsigned region, uint64_t offset, unsigned size,
          uint64_t value)
{
    Lpc *lpc = lpc_of(device);

    for (unsigned i = 0; i < size; i++)
        __atomic_store_n(&lpc->apm[offset + i], (uint8_t)(value >> (8 * i)),
                         __ATOMIC_RELAXED);
    if (offset == 0)
        __atomic_store_n(&lpc->apm[1], 0, __ATOMIC_RELAXED);
}

/* --- the device ----------------------------------------------------------- */
static bool
add_functions(Lpc *lpc, Engine *engine, GError **error)
{
    if (lpc->q35)
        return engine_pci_add(engine, &lpc->isa, ICH9_SLOT, 0, error);
    return engine_pci_add(engine, &lpc->isa, PIIX_SLOT, 0, error) &&
           engine_pci_add(engine, &lpc->pm, PIIX_SLOT, PIIX_PM_FUNCTION, error);
}

static void
reset_function(EnginePciFunction *function, const EnginePciFunction *pristine)
{
    for (unsigned i = 0; i < PCI_CFG_SPACE_SIZE; i++)
        if (function->writable[i])
            engine_pci_config_set(function, i, 1, pristine->config[i]);
}

static void
lpc_reset(EngineDevice *device)
{
    Lpc *lpc = lpc_of(device);
    Lpc pristine = { .device = *device, .q35 = lpc->q35 };

    if (!lpc->present)
        return;
    if (lpc->q35)
        init_ich9(&pristine);
    else
        init_piix(&pristine);
    reset_function(&lpc->isa, &pristine.isa);
    if (!lpc->q35)
        reset_function(&lpc->pm, &pristine.pm);
    place_power(lpc);
    memset(lpc->apm, 0, sizeof(lpc->apm));
}

static bool
lpc_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    Lpc *lpc = lpc_of(device);

    if (!engine_config_has_firmware(config) ||
        config->machine == ENGINE_MACHINE_MICROVM)
        return true;
    lpc->q35 = config->machine == ENGINE_MACHINE_Q35;
    lpc->present = true;
    if (lpc->q35)
        init_ich9(lpc);
    else
        init_piix(lpc);
    if (!add_functions(lpc, engine, error))
        return false;
    place_power(lpc);
    return engine_bus_map(engine, device, ENGINE_SPACE_PIO, APM_PORT, APM_PORTS,
                          REGION_SMI, error);
}

const EngineDeviceType engine_lpc_type = {
    .name = "lpc",
    .size = sizeof(Lpc),
    .realize = lpc_realize,
    .reset = lpc_reset,
    .read = lpc_read,
    .write = lpc_write,
};
