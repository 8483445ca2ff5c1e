/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/dev/pci.h"

/* What a function says of itself before it is on the bus. */
#define COMMAND_WRITABLE \
    (PCI_COMMAND_MASTER | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)

static void
put(uint8_t *bytes, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

void
engine_pci_init(EnginePciFunction *function, EngineDevice *device,
                const EnginePciIds *ids, const EnginePciOps *ops)
{
    static const EnginePciOps none = { 0 };
    uint8_t *config = function->config;

    memset(function, 0, sizeof(*function));
    function->device = device;
    function->ops = ops ? ops : &none;
    function->next_capability = PCI_STD_HEADER_SIZEOF;
    put(config + PCI_VENDOR_ID, 2, ids->vendor);
    put(config + PCI_DEVICE_ID, 2, ids->device);
    put(config + PCI_REVISION_ID, 1, ids->revision);
    put(config + PCI_CLASS_PROG, 3, ids->class_code);
    put(config + PCI_SUBSYSTEM_VENDOR_ID, 2, ids->subsystem_vendor);
    put(config + PCI_SUBSYSTEM_ID, 2, ids->subsystem);
    put(function->writable + PCI_COMMAND, 2, COMMAND_WRITABLE);
    put(function->writable + PCI_CACHE_LINE_SIZE, 1, 0xff);
    for (unsigned i = 0; i < ENGINE_PCI_REGIONS; i++)
        function->bars[i].base = ENGINE_PCI_UNMAPPED;
}

void
engine_pci_add_bar(EnginePciFunction *function, unsigned index,
                   EnginePciBarType type, uint64_t size, bool prefetchable)
{
    unsigned offset = PCI_BASE_ADDRESS_0 + 4 * index;
    unsigned width = type == ENGINE_PCI_BAR_MEMORY64 ? 8 : 4;
    uint8_t flags = PCI_BASE_ADDRESS_SPACE_IO;
    uint8_t enable = PCI_COMMAND_IO;

    g_assert(size >= 4 && (size & (size - 1)) == 0);
    g_assert(index + width / 4 <= ENGINE_PCI_BARS);
    if (type != ENGINE_PCI_BAR_IO) {
        g_assert(size >= 16);
        flags = (width == 8 ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0) |
                (prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0);
        enable = PCI_COMMAND_MEMORY;
    }
    function->bars[index].type = type;
    function->bars[index].size = size;
    function->bars[index].prefetchable = prefetchable;
    put(function->config + offset, 1, flags);
    /* The bits below the size are fixed; that is how guests learn the size. */
    put(function->writable + offset, width, ~(size - 1));
    function->writable[PCI_COMMAND] |= enable;
}

void
engine_pci_add_rom_bar(EnginePciFunction *function, uint64_t size)
{
    EnginePciBar *bar = &function->bars[ENGINE_PCI_ROM];

    g_assert(size >= 4096 && (size & (size - 1)) == 0);
    bar->type = ENGINE_PCI_BAR_ROM;
    bar->size = size;
    put(function->writable + PCI_ROM_ADDRESS, 4,
        ~(size - 1) | PCI_ROM_ADDRESS_ENABLE);
    function->writable[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
}

unsigned
engine_pci_add_capability(EnginePciFunction *function, uint8_t id,
                          unsigned size)
{
    unsigned offset = function->next_capability;
    uint8_t *config = function->config;
    unsigned link = PCI_CAPABILITY_LIST;

    g_assert(offset + size <= PCI_CFG_SPACE_SIZE);
    while (config[link])
        link = config[link] + PCI_CAP_LIST_NEXT;
    config[link] = (uint8_t)offset;
    config[offset + PCI_CAP_LIST_ID] = id;
    config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    function->next_capability = (uint8_t)((offset + size + 3) & ~3u);
    return offset;
}

void
engine_pci_use_intx(EnginePciFunction *function, unsigned pin)
{
    g_assert(pin >= 1 && pin <= 4);
    function->config[PCI_INTERRUPT_PIN] = (uint8_t)pin;
    function->writable[PCI_INTERRUPT_LINE] = 0xff;
}
