/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/dev/pci.h"

#include <string.h>

#include "engine/config.h"
#include "engine/dev/dev.h"
#include "engine/dev/pci-bridge.h"
#include "engine/x86/acpi.h"
#include "util/error.h"
#include "util/i18n.h"

/*
 * The host bridge (PCI Local Bus 3.0, 3.2.2.3.2 and chapter 6; PCI Express base
 * specification, 7.2.2). The reset control register lies among the ports of
 * mechanism 1, so it lives here too.
 */
enum {
    REGION_MECHANISM1, /* 0xcf8 to 0xcff */
    REGION_RESET,      /* 0xcf9 where there is no PCI */
    REGION_ECAM,
    REGION_IO, /* the windows, for what BARs claim in them */
    REGION_MEMORY,
    REGION_MEMORY64,
};

#define ADDRESS_PORT   0xcf8
#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_MASK   0x80fffffcu
#define DATA_OFFSET    4 /* of 0xcfc in the region */
#define RESET_OFFSET   (ENGINE_RESET_PORT - ADDRESS_PORT)
#define RESET_CPU      0x04
#define RESET_MASK     0x0e

#define FUNCTIONS (ENGINE_PCI_SLOTS * ENGINE_PCI_FUNCTIONS)

typedef struct Pci {
    EngineDevice device;
    GMutex lock;      /* of all below and of every function's config[] */
    GMutex move_lock; /* held while BARs move, so that hooks come in order */
    bool present;
    uint32_t address;
    uint8_t reset_control;
    EnginePciFunction *functions[FUNCTIONS];
    unsigned lines[ENGINE_PCI_GSIS]; /* how many pins drive each */
    uint64_t io_base, memory_base, memory64_base;
    uint64_t ecam; /* where firmware has put it; atomic */
    const EngineConfig *config;
    EnginePciFunction bridge;
} Pci;

static Pci *
pci_of(EngineDevice *device)
{
    return (Pci *)device;
}

static Pci *
function_pci(const EnginePciFunction *function)
{
    return pci_of(
        engine_device_find(function->device->engine, &engine_pci_type, 0));
}

/* --- bytes of configuration space ----------------------------------------- */
static uint32_t
load(const uint8_t *config, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)config[offset + i] << (8 * i);
    return value;
}

/* --- interrupt pins ------------------------------------------------------- */
/* Drives the line by what the function wants and the guest allows. The lock is
 * held, so that the last to change a line decides it. */
static void
pci_update_intx(Pci *pci, EnginePciFunction *function)
{
    unsigned pin = function->config[PCI_INTERRUPT_PIN];
    bool disabled =
        load(function->config, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;
    bool level = function->intx_wanted && !disabled;
    unsigned gsi, *count;

    function->config[PCI_STATUS] =
        (uint8_t)((function->config[PCI_STATUS] & ~PCI_STATUS_INTERRUPT) |
                  (function->intx_wanted ? PCI_STATUS_INTERRUPT : 0));
    if (pin == 0 || level == function->intx)
        return;
    function->intx = level;
    gsi = engine_pci_gsi(function->slot, pin - 1);
    count = &pci->lines[gsi - ENGINE_PCI_GSI_BASE];
    *count += level ? 1 : -1u;
    if (*count == level)
        engine_irq_set(pci->device.engine, gsi, level);
}

void
engine_pci_set_intx(EnginePciFunction *function, bool level)
{
    Pci *pci = function_pci(function);

    g_mutex_lock(&pci->lock);
    function->intx_wanted = level;
    pci_update_intx(pci, function);
    g_mutex_unlock(&pci->lock);
}

/* --- BARs and configuration space ----------------------------------------- */
static unsigned
bar_register(unsigned index)
{
    return index == ENGINE_PCI_ROM ? PCI_ROM_ADDRESS
                                   : PCI_BASE_ADDRESS_0 + 4 * index;
}

/* The address that a BAR's register and the command register give it */
static uint64_t
bar_address(const EnginePciFunction *function, unsigned index)
{
    const EnginePciBar *bar = &function->bars[index];
    unsigned command = load(function->config, PCI_COMMAND, 2);
    unsigned offset = bar_register(index);
    uint64_t base = load(function->config, offset, 4);

    if (bar->type == ENGINE_PCI_BAR_ROM) {
        if (!(base & PCI_ROM_ADDRESS_ENABLE))
            return ENGINE_PCI_UNMAPPED;
        base &= (uint32_t)PCI_ROM_ADDRESS_MASK;
        return command & PCI_COMMAND_MEMORY ? base : ENGINE_PCI_UNMAPPED;
    }
    if (bar->type == ENGINE_PCI_BAR_IO) {
        base &= PCI_BASE_ADDRESS_IO_MASK & 0xffff;
        return command & PCI_COMMAND_IO ? base : ENGINE_PCI_UNMAPPED;
    }
    base &= (uint64_t)PCI_BASE_ADDRESS_MEM_MASK;
    if (bar->type == ENGINE_PCI_BAR_MEMORY64)
        base |= (uint64_t)load(function->config, offset + 4, 4) << 32;
    return command & PCI_COMMAND_MEMORY ? base : ENGINE_PCI_UNMAPPED;
}

/* Makes the BARs answer where the registers say. */
static void
pci_move_bars(Pci *pci, EnginePciFunction *function)
{
    g_mutex_lock(&pci->move_lock);
    for (unsigned i = 0; i < ENGINE_PCI_REGIONS; i++) {
        EnginePciBar *bar = &function->bars[i];
        uint64_t base;
        bool moved;

        if (bar->type == ENGINE_PCI_BAR_NONE ||
            bar->type == ENGINE_PCI_BAR_PLACED)
            continue;
        g_mutex_lock(&pci->lock);
        base = bar_address(function, i);
        moved = base != bar->base;
        bar->base = base;
        g_mutex_unlock(&pci->lock);
        if (moved && i == ENGINE_PCI_ROM)
            engine_pci_rom_moved(function, base);
        else if (moved && function->ops->bar_moved)
            function->ops->bar_moved(function, i, base);
    }
    g_mutex_unlock(&pci->move_lock);
}

void
engine_pci_place_ports(EnginePciFunction *function, unsigned index,
                       uint64_t size, uint64_t base)
{
    Pci *pci = function_pci(function);

    g_mutex_lock(&pci->lock);
    function->bars[index] =
        (EnginePciBar){ ENGINE_PCI_BAR_PLACED, false, size, base };
    g_mutex_unlock(&pci->lock);
}

uint32_t
engine_pci_config_get(EnginePciFunction *function, unsigned offset,
                      unsigned size)
{
    Pci *pci = function_pci(function);
    uint32_t value;

    g_mutex_lock(&pci->lock);
    value = load(function->config, offset, size);
    g_mutex_unlock(&pci->lock);
    return value;
}

void
engine_pci_config_set(EnginePciFunction *function, unsigned offset,
                      unsigned size, uint32_t value)
{
    Pci *pci = function_pci(function);

    g_mutex_lock(&pci->lock);
    for (unsigned i = 0; i < size; i++)
        function->config[offset + i] = (uint8_t)(value >> (8 * i));
    g_mutex_unlock(&pci->lock);
}

static EnginePciFunction *
pci_find(Pci *pci, unsigned bus, unsigned devfn)
{
    EnginePciFunction *function;

    if (bus != 0)
        return NULL;
    g_mutex_lock(&pci->lock);
    function = pci->functions[devfn];
    g_mutex_unlock(&pci->lock);
    return function;
}

/* @offset + @size stays within the dword; beyond the first 256 bytes there is
 * nothing, which reads as an empty list of extended capabilities. */
static uint32_t
config_read(Pci *pci, unsigned where, unsigned offset, unsigned size)
{
    EnginePciFunction *function = pci_find(pci, where >> 8, where & 0xff);
    uint32_t value;

    if (!function)
        return UINT32_MAX;
    if (offset + size > PCI_CFG_SPACE_SIZE)
        return 0;
    g_mutex_lock(&pci->lock);
    value = load(function->config, offset, size);
    g_mutex_unlock(&pci->lock);
    if (function->ops->config_read)
        function->ops->config_read(function, offset, size, &value);
    return value;
}

static void
config_write(Pci *pci, unsigned where, unsigned offset, unsigned size,
             uint32_t value)
{
    EnginePciFunction *function = pci_find(pci, where >> 8, where & 0xff);

    if (!function || offset + size > PCI_CFG_SPACE_SIZE)
        return;
    g_mutex_lock(&pci->lock);
    for (unsigned i = 0; i < size; i++) {
        uint8_t *byte = &function->config[offset + i];
        uint8_t mask = function->writable[offset + i];

        *byte = (uint8_t)((*byte & ~mask) | ((value >> (8 * i)) & mask));
    }
    pci_update_intx(pci, function);
    g_mutex_unlock(&pci->lock);
    if (offset < PCI_ROM_ADDRESS + 4)
        pci_move_bars(pci, function);
    if (function->ops->config_written)
        function->ops->config_written(function, offset, size);
}

/* --- mechanism 1 ---------------------------------------------------------- */
static uint64_t
mechanism1_read(Pci *pci, unsigned offset, unsigned size)
{
    uint32_t address;

    g_mutex_lock(&pci->lock);
    address = pci->address;
    g_mutex_unlock(&pci->lock);
    if (offset == 0 && size == 4)
        return address;
    if (offset == RESET_OFFSET && size == 1)
        return pci->reset_control;
    if (offset < DATA_OFFSET || !(address & ADDRESS_ENABLE))
        return UINT64_MAX;
    return config_read(pci, (address >> 8) & 0xffff,
                       (address & 0xfc) + offset - DATA_OFFSET, size);
}

static void
reset_write(Pci *pci, uint8_t value)
{
    pci->reset_control = value & RESET_MASK & ~RESET_CPU;
    if (value & RESET_CPU)
        engine_request(pci->device.engine, ENGINE_REQUEST_RESET, 0);
}

static void
mechanism1_write(Pci *pci, unsigned offset, unsigned size, uint32_t value)
{
    uint32_t address;

    g_mutex_lock(&pci->lock);
    if (offset == 0 && size == 4)
        pci->address = value & ADDRESS_MASK;
    address = pci->address;
    g_mutex_unlock(&pci->lock);
    if (offset == RESET_OFFSET && size == 1)
        reset_write(pci, (uint8_t)value);
    if (offset >= DATA_OFFSET && (address & ADDRESS_ENABLE))
        config_write(pci, (address >> 8) & 0xffff,
                     (address & 0xfc) + offset - DATA_OFFSET, size, value);
}

/* --- ECAM ----------------------------------------------------------------- */
/* Eight bytes are two dwords; what is not aligned is as undefined as on
 * hardware, here: byte by byte. */
static unsigned
ecam_piece(uint64_t offset, unsigned size)
{
    unsigned piece = MIN(size, 4);

    return offset % piece ? 1 : piece;
}

static uint64_t
ecam_read(Pci *pci, uint64_t offset, unsigned size)
{
    unsigned piece = ecam_piece(offset, size);
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i += piece) {
        uint64_t at = offset + i;

        value |= (config_read(pci, (unsigned)(at >> 12), at & 0xfff, piece) &
                  (UINT64_MAX >> (64 - 8 * piece)))
                 << (8 * i);
    }
    return value;
}

static void
ecam_write(Pci *pci, uint64_t offset, unsigned size, uint64_t value)
{
    unsigned piece = ecam_piece(offset, size);

    for (unsigned i = 0; i < size; i += piece) {
        uint64_t at = offset + i;

        config_write(pci, (unsigned)(at >> 12), at & 0xfff, piece,
                     (uint32_t)(value >> (8 * i)));
    }
}

/* --- what BARs claim ------------------------------------------------------ */
static bool
is_ports(const EnginePciBar *bar)
{
    return bar->type == ENGINE_PCI_BAR_IO || bar->type == ENGINE_PCI_BAR_PLACED;
}

/* Where two claim the same address, the lower function answers. */
static EnginePciFunction *
pci_claim(Pci *pci, bool io, uint64_t address, unsigned size, unsigned *ret_bar)
{
    for (unsigned f = 0; f < FUNCTIONS; f++) {
        EnginePciFunction *function = pci->functions[f];

        for (unsigned i = 0; function && i < ENGINE_PCI_REGIONS; i++) {
            const EnginePciBar *bar = &function->bars[i];

            if (bar->type == ENGINE_PCI_BAR_NONE || is_ports(bar) != io ||
                bar->base == ENGINE_PCI_UNMAPPED || address < bar->base ||
                size > bar->size || address - bar->base > bar->size - size)
                continue;
            *ret_bar = i;
            return function;
        }
    }
    return NULL;
}

/* Where firmware places the configuration window it lies within that of BARs.
 */
static bool
is_ecam(const Pci *pci, unsigned region, uint64_t offset, uint64_t *ret_offset)
{
    uint64_t ecam = __atomic_load_n(&pci->ecam, __ATOMIC_RELAXED);

    if (region != REGION_MEMORY || pci->memory_base + offset < ecam)
        return false;
    *ret_offset = pci->memory_base + offset - ecam;
    return *ret_offset < ENGINE_ECAM_SIZE;
}

static uint64_t
window_base(const Pci *pci, unsigned region)
{
    return region == REGION_IO       ? pci->io_base
           : region == REGION_MEMORY ? pci->memory_base
                                     : pci->memory64_base;
}

/* Returns: the function that answers, NULL if none; *ret_offset in its BAR */
static EnginePciFunction *
window_find(Pci *pci, unsigned region, uint64_t offset, unsigned size,
            unsigned *ret_bar, uint64_t *ret_offset)
{
    uint64_t address = window_base(pci, region) + offset;
    EnginePciFunction *function;

    g_mutex_lock(&pci->lock);
    function = pci_claim(pci, region == REGION_IO, address, size, ret_bar);
    if (function)
        *ret_offset = address - function->bars[*ret_bar].base;
    g_mutex_unlock(&pci->lock);
    return function;
}

static uint64_t
window_read(Pci *pci, unsigned region, uint64_t offset, unsigned size)
{
    unsigned bar;
    uint64_t at;
    EnginePciFunction *function;

    if (is_ecam(pci, region, offset, &at))
        return ecam_read(pci, at, size);
    function = window_find(pci, region, offset, size, &bar, &at);
    if (function && bar == ENGINE_PCI_ROM)
        return engine_pci_rom_read(&function->rom, at, size);
    if (!function || !function->ops->bar_read)
        return UINT64_MAX;
    return function->ops->bar_read(function, bar, at, size);
}

static void
window_write(Pci *pci, unsigned region, uint64_t offset, unsigned size,
             uint64_t value)
{
    unsigned bar;
    uint64_t at;
    EnginePciFunction *function;

    if (is_ecam(pci, region, offset, &at)) {
        ecam_write(pci, at, size, value);
        return;
    }
    function = window_find(pci, region, offset, size, &bar, &at);
    if (function && bar != ENGINE_PCI_ROM && function->ops->bar_write)
        function->ops->bar_write(function, bar, at, size, value);
}

/* --- functions ------------------------------------------------------------ */
/* A guest looks for functions 1 to 7 only if function 0 says there are more. */
static void
pci_mark_multifunction(Pci *pci, unsigned slot)
{
    EnginePciFunction **of_slot = &pci->functions[slot * ENGINE_PCI_FUNCTIONS];
    bool more = false;

    for (unsigned i = 1; i < ENGINE_PCI_FUNCTIONS; i++)
        more |= of_slot[i] != NULL;
    if (of_slot[0])
        of_slot[0]->config[PCI_HEADER_TYPE] =
            (uint8_t)((of_slot[0]->config[PCI_HEADER_TYPE] & 0x7f) |
                      (more ? 0x80 : 0));
}

bool
engine_pci_add(Engine *engine, EnginePciFunction *function, unsigned slot,
               unsigned number, GError **error)
{
    EngineDevice *device = engine_device_find(engine, &engine_pci_type, 0);
    unsigned devfn = slot * ENGINE_PCI_FUNCTIONS + number;
    Pci *pci = device ? pci_of(device) : NULL;

    g_assert(slot < ENGINE_PCI_SLOTS && number < ENGINE_PCI_FUNCTIONS);
    if (!pci || !pci->present) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("this machine has no PCI bus"));
        return false;
    }
    if (pci->functions[devfn]) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("PCI address %02x.%x is taken"), slot, number);
        return false;
    }
    function->slot = slot;
    function->number = number;
    g_mutex_lock(&pci->lock);
    pci->functions[devfn] = function;
    pci_mark_multifunction(pci, slot);
    g_mutex_unlock(&pci->lock);
    return true;
}

void
engine_pci_remove(Engine *engine, EnginePciFunction *function)
{
    EngineDevice *device = engine_device_find(engine, &engine_pci_type, 0);
    unsigned devfn = function->slot * ENGINE_PCI_FUNCTIONS + function->number;
    Pci *pci = device ? pci_of(device) : NULL;

    if (!pci || !pci->present || pci->functions[devfn] != function)
        return;
    engine_pci_set_intx(function, false);
    g_mutex_lock(&pci->lock);
    pci->functions[devfn] = NULL;
    pci_mark_multifunction(pci, function->slot);
    g_mutex_unlock(&pci->lock);
}

void
engine_pci_reset(EnginePciFunction *function)
{
    Pci *pci = function_pci(function);
    unsigned first = PCI_BASE_ADDRESS_0;
    unsigned last = first + 4 * ENGINE_PCI_BARS;

    engine_pci_set_intx(function, false);
    g_mutex_lock(&pci->lock);
    for (unsigned i = 0; i < PCI_CFG_SPACE_SIZE; i++)
        if (i < PCI_CAPABILITY_LIST || (i >= first && i < last) ||
            i == PCI_INTERRUPT_LINE)
            function->config[i] &= (uint8_t)~function->writable[i];
    pci_update_intx(pci, function);
    g_mutex_unlock(&pci->lock);
    pci_move_bars(pci, function);
}

/* --- the device ----------------------------------------------------------- */
static uint64_t
pci_read(EngineDevice *device, unsigned region, uint64_t offset, unsigned size)
{
    Pci *pci = pci_of(device);

    switch (region) {
    case REGION_MECHANISM1:
        return size <= 4 ? mechanism1_read(pci, (unsigned)offset, size)
                         : UINT64_MAX;
    case REGION_RESET:
        return pci->reset_control;
    case REGION_ECAM:
        return ecam_read(pci, offset, size);
    default:
        return window_read(pci, region, offset, size);
    }
}

static void
pci_write(EngineDevice *device, unsigned region, uint64_t offset, unsigned size,
          uint64_t value)
{
    Pci *pci = pci_of(device);

    switch (region) {
    case REGION_MECHANISM1:
        if (size <= 4)
            mechanism1_write(pci, (unsigned)offset, size, (uint32_t)value);
        break;
    case REGION_RESET:
        reset_write(pci, (uint8_t)value);
        break;
    case REGION_ECAM:
        ecam_write(pci, offset, size, value);
        break;
    default:
        window_write(pci, region, offset, size, value);
        break;
    }
}

/* Firmware moves the window while nobody else uses it, as on hardware. */
static void
bridge_written(EnginePciFunction *function, unsigned offset, unsigned size)
{
    Pci *pci = pci_of(function->device);
    uint64_t ecam = ENGINE_PCI_UNMAPPED;

    if (pci->config->machine != ENGINE_MACHINE_Q35 ||
        !engine_config_has_firmware(pci->config) ||
        !engine_pci_bridge_is_ecam(offset, size))
        return;
    g_mutex_lock(&pci->lock);
    ecam = engine_pci_bridge_ecam(function);
    __atomic_store_n(&pci->ecam, ecam, __ATOMIC_RELAXED);
    g_mutex_unlock(&pci->lock);
}

static const EnginePciOps bridge_ops = { .config_written = bridge_written };

static void
reset_bridge(Pci *pci)
{
    uint8_t type = pci->bridge.config[PCI_HEADER_TYPE];

    engine_pci_bridge_init(&pci->bridge, &pci->device, pci->config,
                           &bridge_ops);
    pci->bridge.config[PCI_HEADER_TYPE] = type;
    __atomic_store_n(&pci->ecam, ENGINE_PCI_UNMAPPED, __ATOMIC_RELAXED);
}

uint64_t
engine_pci_ecam(Engine *engine)
{
    EngineDevice *device = engine_device_find(engine, &engine_pci_type, 0);
    const Pci *pci = device ? pci_of(device) : NULL;

    if (!pci || !pci->present || pci->config->machine != ENGINE_MACHINE_Q35)
        return ENGINE_PCI_UNMAPPED;
    if (!engine_config_has_firmware(pci->config))
        return ENGINE_ECAM_BASE;
    return __atomic_load_n(&pci->ecam, __ATOMIC_RELAXED);
}

static void
pci_reset(EngineDevice *device)
{
    Pci *pci = pci_of(device);

    g_mutex_lock(&pci->lock);
    pci->address = 0;
    pci->reset_control = 0;
    if (pci->present)
        reset_bridge(pci);
    g_mutex_unlock(&pci->lock);
}

static bool
pci_map(Pci *pci, const EngineConfig *config, GError **error)
{
    const struct {
        EngineSpace space;
        uint64_t base, size;
        unsigned region;
    } ranges[] = {
        { ENGINE_SPACE_PIO, ADDRESS_PORT, 8, REGION_MECHANISM1 },
        { ENGINE_SPACE_PIO, pci->io_base, 0x10000 - pci->io_base, REGION_IO },
        { ENGINE_SPACE_MMIO, pci->memory_base,
          engine_pci_hole_end(config) - pci->memory_base, REGION_MEMORY },
        { ENGINE_SPACE_MMIO, pci->memory64_base, ENGINE_PCI64_SIZE,
          REGION_MEMORY64 },
        { ENGINE_SPACE_MMIO, ENGINE_ECAM_BASE, ENGINE_ECAM_SIZE, REGION_ECAM },
    };
    size_t count = G_N_ELEMENTS(ranges);

    if (config->machine != ENGINE_MACHINE_Q35 ||
        engine_config_has_firmware(config))
        count--;
    for (size_t i = 0; i < count; i++)
        if (!engine_bus_map(pci->device.engine, &pci->device, ranges[i].space,
                            ranges[i].base, ranges[i].size, ranges[i].region,
                            error))
            return false;
    return true;
}

static bool
pci_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    Pci *pci = pci_of(device);

    g_mutex_init(&pci->lock);
    g_mutex_init(&pci->move_lock);
    if (config->machine == ENGINE_MACHINE_MICROVM)
        return engine_bus_map(engine, device, ENGINE_SPACE_PIO,
                              ENGINE_RESET_PORT, 1, REGION_RESET, error);
    pci->present = true;
    pci->io_base = ENGINE_PCI_IO_BASE;
    pci->memory_base = engine_pci_hole_base(config);
    pci->memory64_base = engine_pci64_base(config);
    pci->config = config;
    reset_bridge(pci);
    pci->functions[0] = &pci->bridge;
    return pci_map(pci, config, error);
}

static void
pci_unrealize(EngineDevice *device)
{
    g_mutex_clear(&pci_of(device)->move_lock);
    g_mutex_clear(&pci_of(device)->lock);
}

const EngineDeviceType engine_pci_type = {
    .name = "pci",
    .size = sizeof(Pci),
    .realize = pci_realize,
    .unrealize = pci_unrealize,
    .reset = pci_reset,
    .read = pci_read,
    .write = pci_write,
};
