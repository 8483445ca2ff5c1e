/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/dev/pci-bridge.h"

#include <string.h>

#include "engine/x86/acpi.h"

/*
 * The host bridge's own registers, for firmware: Intel 440FX (82441FX, 3.2) or
 * Q35's MCH (3 series, 5.1). RAM lies under the BIOS area all the time and
 * holds the image from the start, so what the PAM registers say is kept and
 * changes nothing; they begin with the value that firmware finds after it has
 * copied itself.
 */
#define INTEL             0x8086
#define DEVICE_440FX      0x1237
#define DEVICE_Q35        0x29c0
#define CLASS_HOST_BRIDGE 0x060000
/* By this subsystem firmware knows that fw_cfg is there. */
#define SUBSYSTEM_VENDOR 0x1af4
#define SUBSYSTEM        0x1100

#define PAM_REGISTERS 7
#define PAM0_RAM      0x30 /* the BIOS area is RAM for reads and writes */
#define PAM_440FX     0x59
#define PAM_Q35       0x90
#define SMRAM_440FX   0x72
#define SMRAM_Q35     0x9d
#define SMRAM_DEFAULT 0x02
#define PCIEXBAR      0x60 /* 8 bytes */
#define PCIEXBAR_ON   0x01
#define PCIEXBAR_MASK (~(ENGINE_ECAM_SIZE - 1) & 0x7fffffffffull)

static void
put_firmware_registers(EnginePciFunction *bridge, bool q35)
{
    unsigned pam = q35 ? PAM_Q35 : PAM_440FX;
    unsigned smram = q35 ? SMRAM_Q35 : SMRAM_440FX;

    memset(bridge->config + pam, 0, PAM_REGISTERS);
    bridge->config[pam] = PAM0_RAM;
    memset(bridge->writable + pam, 0x33, PAM_REGISTERS);
    bridge->config[smram] = SMRAM_DEFAULT;
    if (!q35)
        return;
    memset(bridge->config + PCIEXBAR, 0, 8);
    for (unsigned i = 0; i < 8; i++)
        bridge->writable[PCIEXBAR + i] = (uint8_t)(PCIEXBAR_MASK >> (8 * i));
    bridge->writable[PCIEXBAR] = PCIEXBAR_ON;
}

void
engine_pci_bridge_init(EnginePciFunction *bridge, EngineDevice *device,
                       const EngineConfig *config, const EnginePciOps *ops)
{
    bool q35 = config->machine == ENGINE_MACHINE_Q35;
    bool firmware = engine_config_has_firmware(config);
    const EnginePciIds ids = {
        .vendor = INTEL,
        .device = q35 ? DEVICE_Q35 : DEVICE_440FX,
        .class_code = CLASS_HOST_BRIDGE,
        .subsystem_vendor = firmware ? SUBSYSTEM_VENDOR : 0,
        .subsystem = firmware ? SUBSYSTEM : 0,
    };

    engine_pci_init(bridge, device, &ids, ops);
    /* It always decodes and always may master the bus. */
    bridge->config[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    memset(bridge->writable, 0, sizeof(bridge->writable));
    if (firmware)
        put_firmware_registers(bridge, q35);
}

bool
engine_pci_bridge_is_ecam(unsigned offset, unsigned size)
{
    return offset < PCIEXBAR + 8 && offset + size > PCIEXBAR;
}

uint64_t
engine_pci_bridge_ecam(const EnginePciFunction *bridge)
{
    uint64_t value;

    memcpy(&value, bridge->config + PCIEXBAR, sizeof(value));
    return value & PCIEXBAR_ON ? value & PCIEXBAR_MASK : ENGINE_PCI_UNMAPPED;
}
