/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/dev/pci.h"

/*
 * The host bridge at 00.0, a part of dev/pci.c.
 */

/** engine_pci_bridge_init: its header and registers, as after a reset */
void engine_pci_bridge_init(EnginePciFunction *bridge, EngineDevice *device,
                            const EngineConfig *config,
                            const EnginePciOps *ops);
/** engine_pci_bridge_is_ecam: whether a write moves the configuration window,
 * where firmware places it */
bool engine_pci_bridge_is_ecam(unsigned offset, unsigned size);
/** engine_pci_bridge_ecam: where the window is, by the q35's register. Returns:
 * guest physical, ENGINE_PCI_UNMAPPED if nowhere */
uint64_t engine_pci_bridge_ecam(const EnginePciFunction *bridge);
