/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/firmware/fw-cfg.h"

#include <string.h>

#include "engine/config.h"
#include "engine/firmware/firmware.h"
#include "util/fd.h"

/* Registers: selector (2 bytes, written), data (1 byte, read, which shares the
 * selector's upper port), DMA (8 bytes, big-endian). */
#define SELECTOR_PORT 0x510
#define DATA_OFFSET   1
#define DMA_PORT      0x514
enum { REGION_SELECTOR, REGION_DMA };

/* What reading the DMA register says: "QEMU CFG" */
#define DMA_SIGNATURE UINT64_C(0x51454d5520434647)

/* The structure that a DMA write points at: three big-endian numbers, control
 * (4 bytes), length (4), address (8) */
#define DMA_BYTES     16
#define DMA_ERROR     0x01
#define DMA_READ      0x02
#define DMA_SKIP      0x04
#define DMA_SELECT    0x08
#define DMA_WRITE     0x10
#define DMA_KEY_SHIFT 16

/* What lies behind an item's end reads as zeroes; so much of it at once. */
#define ZEROES_MAX (1u << 20)

#define DIRECTORY_ENTRY 64 /* bytes: size, selector, 2 reserved, name */
#define NAME_OFFSET     8
#define NUMBERED        0x20 /* items 0 to 0x1f, */
#define LEGACY_BASE     0x8000
#define LEGACY_COUNT    8 /* and from 0x8000 on */
#define ITEMS           (NUMBERED + ENGINE_FW_CFG_FILES_MAX + LEGACY_COUNT)

typedef struct Item {
    uint8_t *data; /* NULL: from fd */
    uint32_t size;
    int fd;
    uint64_t fd_offset;
    const char *name;
    EngineFwCfgHook hook;
} Item;

typedef struct FwCfg {
    EngineDevice device;
    GMutex lock;
    bool present;
    Item items[ITEMS];
    unsigned n_files;
    const Item *current; /* NULL: none of that number */
    uint32_t offset;     /* of the next byte in it */
    uint32_t dma_high;   /* of the address to come */
} FwCfg;

static FwCfg *
fw_cfg_of(EngineDevice *device)
{
    return (FwCfg *)device;
}

static FwCfg *
fw_cfg_find(Engine *engine)
{
    EngineDevice *device = engine_device_find(engine, &engine_fw_cfg_type, 0);

    g_assert(device && fw_cfg_of(device)->present);
    return fw_cfg_of(device);
}

/* --- big-endian numbers --------------------------------------------------- */
static uint64_t
load_be(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void
store_be(uint8_t *bytes, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

/* --- items ---------------------------------------------------------------- */
/* Returns: the item of the number, NULL if there is no such number */
static Item *
item_of(FwCfg *cfg, unsigned key)
{
    if (key < NUMBERED + ENGINE_FW_CFG_FILES_MAX)
        return &cfg->items[key];
    if (key >= LEGACY_BASE && key < LEGACY_BASE + LEGACY_COUNT)
        return &cfg->items[NUMBERED + ENGINE_FW_CFG_FILES_MAX + key -
                           LEGACY_BASE];
    return NULL;
}

static void
item_set(Item *item, const void *data, size_t size)
{
    uint8_t *copy = g_memdup2(data, size);

    g_free(item->data);
    item->data = copy;
    item->size = (uint32_t)size;
    item->fd = -1;
}

static void
clear_items(FwCfg *cfg)
{
    for (unsigned i = 0; i < ITEMS; i++)
        g_free(cfg->items[i].data);
    memset(cfg->items, 0, sizeof(cfg->items));
    for (unsigned i = 0; i < ITEMS; i++)
        cfg->items[i].fd = -1;
    cfg->n_files = 0;
    cfg->current = NULL;
    cfg->offset = 0;
}

void
engine_fw_cfg_clear(Engine *engine)
{
    FwCfg *cfg = fw_cfg_find(engine);

    g_mutex_lock(&cfg->lock);
    clear_items(cfg);
    g_mutex_unlock(&cfg->lock);
}

void
engine_fw_cfg_put(Engine *engine, unsigned key, const void *data, size_t size)
{
    FwCfg *cfg = fw_cfg_find(engine);
    Item *item = item_of(cfg, key);

    g_assert(item && size <= UINT32_MAX);
    g_mutex_lock(&cfg->lock);
    item_set(item, data, size);
    g_mutex_unlock(&cfg->lock);
}

void
engine_fw_cfg_put_number(Engine *engine, unsigned key, uint64_t value,
                         unsigned size)
{
    value = GUINT64_TO_LE(value);
    engine_fw_cfg_put(engine, key, &value, size);
}

void
engine_fw_cfg_put_image(Engine *engine, unsigned key, int fd, uint64_t offset,
                        uint32_t size)
{
    FwCfg *cfg = fw_cfg_find(engine);
    Item *item = item_of(cfg, key);

    g_assert(item);
    g_mutex_lock(&cfg->lock);
    g_clear_pointer(&item->data, g_free);
    item->fd = fd;
    item->fd_offset = offset;
    item->size = size;
    g_mutex_unlock(&cfg->lock);
}

/* --- files ---------------------------------------------------------------- */
/* Needs the lock. */
static Item *
find_file(FwCfg *cfg, const char *name)
{
    for (unsigned i = 0; i < cfg->n_files; i++)
        if (strcmp(cfg->items[ENGINE_FW_CFG_FILES + i].name, name) == 0)
            return &cfg->items[ENGINE_FW_CFG_FILES + i];
    return NULL;
}

/* Needs the lock. */
static void
update_directory(FwCfg *cfg)
{
    size_t size = 4 + (size_t)cfg->n_files * DIRECTORY_ENTRY;
    g_autofree uint8_t *bytes = g_malloc0(size);

    store_be(bytes, 4, cfg->n_files);
    for (unsigned i = 0; i < cfg->n_files; i++) {
        const Item *file = &cfg->items[ENGINE_FW_CFG_FILES + i];
        uint8_t *entry = bytes + 4 + (size_t)i * DIRECTORY_ENTRY;

        store_be(entry, 4, file->size);
        store_be(entry + 4, 2, ENGINE_FW_CFG_FILES + i);
        memcpy(entry + NAME_OFFSET, file->name, strlen(file->name));
    }
    item_set(&cfg->items[ENGINE_FW_CFG_DIRECTORY], bytes, size);
}

void
engine_fw_cfg_put_file(Engine *engine, const char *name, const void *data,
                       size_t size)
{
    FwCfg *cfg = fw_cfg_find(engine);
    Item *file;

    g_assert(strlen(name) <= ENGINE_FW_CFG_NAME_MAX && size <= UINT32_MAX);
    g_mutex_lock(&cfg->lock);
    file = find_file(cfg, name);
    if (!file) {
        g_assert(cfg->n_files < ENGINE_FW_CFG_FILES_MAX);
        file = &cfg->items[ENGINE_FW_CFG_FILES + cfg->n_files++];
        file->name = name;
        file->size = 0;
    }
    if (file->size != size || !file->data) {
        item_set(file, data, size);
        update_directory(cfg);
    } else {
        item_set(file, data, size);
    }
    g_mutex_unlock(&cfg->lock);
}

void
engine_fw_cfg_put_file_number(Engine *engine, const char *name, uint64_t value,
                              unsigned size)
{
    value = GUINT64_TO_LE(value);
    engine_fw_cfg_put_file(engine, name, &value, size);
}

void
engine_fw_cfg_set_hook(Engine *engine, const char *name, EngineFwCfgHook hook)
{
    FwCfg *cfg = fw_cfg_find(engine);
    Item *file;

    g_mutex_lock(&cfg->lock);
    file = find_file(cfg, name);
    g_assert(file);
    file->hook = hook;
    g_mutex_unlock(&cfg->lock);
}

/* --- what the guest does -------------------------------------------------- */
/* Needs the lock, and lets go of it meanwhile: a hook puts files. */
static void
select_item(FwCfg *cfg, unsigned key)
{
    Item *item = item_of(cfg, key);

    cfg->current = item && item->size > 0 ? item : NULL;
    cfg->offset = 0;
    if (!cfg->current || !item->hook)
        return;
    g_mutex_unlock(&cfg->lock);
    item->hook(cfg->device.engine);
    g_mutex_lock(&cfg->lock);
}

/* Needs the lock. Copies what there is of the current item into @buffer, zeroes
 * after it, and moves on. */
static void
read_current(FwCfg *cfg, uint8_t *buffer, uint32_t size)
{
    const Item *item = cfg->current;
    uint32_t left =
        item && cfg->offset < item->size ? item->size - cfg->offset : 0;
    uint32_t count = MIN(size, left);
    ssize_t n = count;

    if (count > 0 && item->data)
        memcpy(buffer, item->data + cfg->offset, count);
    else if (count > 0)
        n = fd_pread_all(item->fd, buffer, count,
                         (off_t)(item->fd_offset + cfg->offset));
    n = MAX(n, 0);
    memset(buffer + n, 0, size - (size_t)n);
    cfg->offset += count;
}

/* Needs the lock. Moves on by @size bytes, at most to the item's end. */
static void
skip_current(FwCfg *cfg, uint32_t size)
{
    uint32_t end = cfg->current ? cfg->current->size : 0;

    cfg->offset = size < end - MIN(end, cfg->offset) ? cfg->offset + size : end;
}

/* Needs the lock. Returns: false if the guest named what is not RAM, or more
 * than there can be */
static bool
dma_read(FwCfg *cfg, uint64_t address, uint32_t size)
{
    uint32_t most = (cfg->current ? cfg->current->size : 0) + ZEROES_MAX;
    uint8_t *ram = engine_memory_at(cfg->device.engine, address, size);

    if (!ram || size > most)
        return false;
    read_current(cfg, ram, size);
    return true;
}

/* Needs the lock. Nothing may be written by the guest.
 * Returns: what becomes of the structure's control */
static uint32_t
dma_run(FwCfg *cfg, uint32_t control, uint32_t size, uint64_t address)
{
    if (control & DMA_SELECT)
        select_item(cfg, control >> DMA_KEY_SHIFT);
    if (control & DMA_READ)
        return dma_read(cfg, address, size) ? 0 : DMA_ERROR;
    if (control & DMA_WRITE)
        return DMA_ERROR;
    if (control & DMA_SKIP)
        skip_current(cfg, size);
    return 0;
}

/* Needs the lock. */
static void
dma_start(FwCfg *cfg, uint64_t gpa)
{
    Engine *engine = cfg->device.engine;
    uint8_t bytes[DMA_BYTES];
    uint32_t control;

    if (!engine_memory_read(engine, gpa, bytes, sizeof(bytes)))
        return;
    control = dma_run(cfg, (uint32_t)load_be(bytes, 4),
                      (uint32_t)load_be(bytes + 4, 4), load_be(bytes + 8, 8));
    store_be(bytes, 4, control);
    (void)engine_memory_write(engine, gpa, bytes, 4);
}

static uint64_t
fw_cfg_read(EngineDevice *device, unsigned region, uint64_t offset,
            unsigned size)
{
    FwCfg *cfg = fw_cfg_of(device);
    uint8_t value = 0;

    if (region == REGION_DMA)
        return GUINT64_SWAP_LE_BE(DMA_SIGNATURE) >> (8 * offset);
    if (offset != DATA_OFFSET)
        return 0;
    g_mutex_lock(&cfg->lock);
    read_current(cfg, &value, 1);
    g_mutex_unlock(&cfg->lock);
    return value;
}

/* A 64-bit register, written whole or in halves, the upper one first */
static void
dma_write(FwCfg *cfg, uint64_t offset, unsigned size, uint64_t value)
{
    if (size == 8) {
        dma_start(cfg, GUINT64_SWAP_LE_BE(value));
    } else if (size == 4 && offset == 0) {
        cfg->dma_high = GUINT32_SWAP_LE_BE((uint32_t)value);
    } else if (size == 4 && offset == 4) {
        uint64_t high = cfg->dma_high;

        cfg->dma_high = 0;
        dma_start(cfg, high << 32 | GUINT32_SWAP_LE_BE((uint32_t)value));
    }
}

static void
fw_cfg_write(EngineDevice *device, unsigned region, uint64_t offset,
             unsigned size, uint64_t value)
{
    FwCfg *cfg = fw_cfg_of(device);

    g_mutex_lock(&cfg->lock);
    if (region == REGION_DMA)
        dma_write(cfg, offset, size, value);
    else if (offset == 0 && size == 2)
        select_item(cfg, (uint16_t)value);
    g_mutex_unlock(&cfg->lock);
}

/* --- the device ----------------------------------------------------------- */
static void
fw_cfg_reset(EngineDevice *device)
{
    FwCfg *cfg = fw_cfg_of(device);

    cfg->current = NULL;
    cfg->offset = 0;
    cfg->dma_high = 0;
}

static void
fw_cfg_unrealize(EngineDevice *device)
{
    FwCfg *cfg = fw_cfg_of(device);

    if (!cfg->present)
        return;
    clear_items(cfg);
    g_mutex_clear(&cfg->lock);
}

static bool
fw_cfg_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
               unsigned index, GError **error)
{
    FwCfg *cfg = fw_cfg_of(device);

    if (!engine_config_has_firmware(config))
        return true;
    if (!engine_bus_map(engine, device, ENGINE_SPACE_PIO, SELECTOR_PORT, 2,
                        REGION_SELECTOR, error) ||
        !engine_bus_map(engine, device, ENGINE_SPACE_PIO, DMA_PORT, 8,
                        REGION_DMA, error))
        return false;
    g_mutex_init(&cfg->lock);
    clear_items(cfg);
    cfg->present = true;
    return true;
}

const EngineDeviceType engine_fw_cfg_type = {
    .name = "fw-cfg",
    .size = sizeof(FwCfg),
    .realize = fw_cfg_realize,
    .unrealize = fw_cfg_unrealize,
    .reset = fw_cfg_reset,
    .read = fw_cfg_read,
    .write = fw_cfg_write,
};
