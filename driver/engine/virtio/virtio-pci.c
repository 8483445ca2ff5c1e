/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/eventfd.h>

#include "engine/virtio/virtio.h"

/*
 * Virtio over PCI (virtio 1.2, 4.1): one memory BAR with everything in it, and
 * capabilities that say where.
 */
#define BAR         0
#define BAR_SIZE    0x8000
#define PART_SIZE   0x1000
#define PART_COMMON 0x0000
#define PART_ISR    0x1000
#define PART_DEVICE 0x2000
#define PART_NOTIFY 0x3000
#define PART_MSIX   0x4000
#define MSIX_TABLE  PART_MSIX
#define MSIX_PBA    (PART_MSIX + 0x800)

#define NOTIFY_MULTIPLIER 4 /* bytes from queue to queue */
#define COMMON_BYTES      sizeof(struct virtio_pci_common_cfg)
#define VENDOR            0x1af4
#define DEVICE_ID_BASE    0x1040
#define ISR_QUEUE         0x1
#define ISR_CONFIG        0x2

G_STATIC_ASSERT(MSIX_PBA - MSIX_TABLE >=
                ENGINE_MSIX_VECTORS_MAX * ENGINE_MSIX_ENTRY_SIZE);
G_STATIC_ASSERT(ENGINE_VIRTIO_QUEUES_MAX *NOTIFY_MULTIPLIER <= PART_SIZE);
G_STATIC_ASSERT(ENGINE_VIRTIO_QUEUES_MAX + 1 <= ENGINE_MSIX_VECTORS_MAX);

static EngineVirtio *
virtio_of(EnginePciFunction *function)
{
    return (EngineVirtio *)function->device;
}

/* --- interrupts ------------------------------------------------------------
 */
static void
raise_isr(EngineVirtio *virtio, uint8_t bit, bool pin)
{
    g_mutex_lock(&virtio->isr_lock);
    virtio->isr |= bit;
    if (pin)
        engine_pci_set_intx(&virtio->pci, true);
    g_mutex_unlock(&virtio->isr_lock);
}

/* 4.1.4.5: a read tells and takes back. */
static uint8_t
take_isr(EngineVirtio *virtio)
{
    uint8_t isr;

    g_mutex_lock(&virtio->isr_lock);
    isr = virtio->isr;
    virtio->isr = 0;
    engine_pci_set_intx(&virtio->pci, false);
    g_mutex_unlock(&virtio->isr_lock);
    return isr;
}

void
engine_virtio_pci_interrupt_queue(EngineVirtioQueue *queue)
{
    EngineVirtio *virtio = queue->virtio;

    if (engine_msix_enabled(&virtio->msix))
        engine_msix_signal(&virtio->msix,
                           __atomic_load_n(&queue->vector, __ATOMIC_RELAXED));
    else
        raise_isr(virtio, ISR_QUEUE, true);
}

void
engine_virtio_pci_interrupt_config(EngineVirtio *virtio)
{
    bool msix = engine_msix_enabled(&virtio->msix);

    raise_isr(virtio, ISR_CONFIG, !msix);
    if (msix)
        engine_msix_signal(
            &virtio->msix,
            __atomic_load_n(&virtio->config_vector, __ATOMIC_RELAXED));
}

/* --- kicks -----------------------------------------------------------------
 */
/* Needs the lock. Where KVM refuses, the kick is a vCPU's exit that writes the
 * same eventfd. */
void
engine_virtio_pci_listen(EngineVirtio *virtio, bool on)
{
    uint64_t to = on ? virtio->bar : ENGINE_PCI_UNMAPPED;
    uint64_t from = virtio->ioevents;

    if (from == to)
        return;
    for (unsigned i = 0; i < virtio->n_queues; i++) {
        uint64_t offset = PART_NOTIFY + (uint64_t)i * NOTIFY_MULTIPLIER;
        int fd = virtio->queues[i].kick_fd;

        if (from != ENGINE_PCI_UNMAPPED)
            (void)engine_ioevent(virtio->device.engine, from + offset, fd,
                                 false);
        if (to != ENGINE_PCI_UNMAPPED)
            (void)engine_ioevent(virtio->device.engine, to + offset, fd, true);
    }
    virtio->ioevents = to;
}

static void
bar_moved(EnginePciFunction *function, unsigned bar, uint64_t base)
{
    EngineVirtio *virtio = virtio_of(function);

    g_mutex_lock(&virtio->lock);
    virtio->bar = base;
    engine_virtio_pci_listen(virtio, engine_virtio_status(virtio) &
                                         VIRTIO_CONFIG_S_DRIVER_OK);
    g_mutex_unlock(&virtio->lock);
}

static void
kick(EngineVirtio *virtio, uint64_t offset)
{
    uint64_t queue = offset / NOTIFY_MULTIPLIER;

    if (queue < virtio->n_queues && offset % NOTIFY_MULTIPLIER == 0)
        (void)eventfd_write(virtio->queues[queue].kick_fd, 1);
}

/* --- the common configuration (4.1.4.3); all need the lock -----------------
 */
static EngineVirtioQueue *
selected(EngineVirtio *virtio)
{
    return virtio->queue_select < virtio->n_queues
               ? &virtio->queues[virtio->queue_select]
               : NULL;
}

static uint32_t
half(uint64_t features, uint32_t select)
{
    return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

static void
show_queue(const EngineVirtioQueue *queue, struct virtio_pci_common_cfg *cfg)
{
    const EngineQueueSetup *setup = &queue->setup;

    cfg->queue_size = setup->size;
    cfg->queue_msix_vector = __atomic_load_n(&queue->vector, __ATOMIC_RELAXED);
    cfg->queue_enable = queue->enabled;
    cfg->queue_notify_off = (uint16_t)queue->index;
    cfg->queue_desc_lo = (uint32_t)setup->descriptors;
    cfg->queue_desc_hi = (uint32_t)(setup->descriptors >> 32);
    cfg->queue_avail_lo = (uint32_t)setup->driver;
    cfg->queue_avail_hi = (uint32_t)(setup->driver >> 32);
    cfg->queue_used_lo = (uint32_t)setup->device;
    cfg->queue_used_hi = (uint32_t)(setup->device >> 32);
}

static uint64_t
read_common(EngineVirtio *virtio, uint64_t offset, unsigned size)
{
    struct virtio_pci_common_cfg cfg = {
        .device_feature_select = virtio->offered_select,
        .device_feature = half(virtio->offered, virtio->offered_select),
        .guest_feature_select = virtio->accepted_select,
        .guest_feature = half(virtio->accepted, virtio->accepted_select),
        .msix_config =
            __atomic_load_n(&virtio->config_vector, __ATOMIC_RELAXED),
        .num_queues = (uint16_t)virtio->n_queues,
        .device_status = engine_virtio_status(virtio),
        .config_generation =
            __atomic_load_n(&virtio->generation, __ATOMIC_RELAXED),
        .queue_select = virtio->queue_select,
        .queue_msix_vector = ENGINE_MSIX_NO_VECTOR,
    };
    uint64_t value = 0;

    if (selected(virtio))
        show_queue(selected(virtio), &cfg);
    if (offset + size <= COMMON_BYTES)
        memcpy(&value, (const uint8_t *)&cfg + offset, size);
    return value;
}

static void
write_feature(EngineVirtio *virtio, uint32_t value)
{
    unsigned shift = 32 * virtio->accepted_select;

    /* They are settled once both sides have said so (3.1.1). */
    if (virtio->accepted_select > 1 ||
        (engine_virtio_status(virtio) & VIRTIO_CONFIG_S_FEATURES_OK))
        return;
    virtio->accepted &= ~((uint64_t)UINT32_MAX << shift);
    virtio->accepted |= (uint64_t)value << shift;
}

static uint16_t
known_vector(const EngineVirtio *virtio, uint64_t value)
{
    return value < virtio->msix.count ? (uint16_t)value : ENGINE_MSIX_NO_VECTOR;
}

static void
set_half(uint64_t *address, bool upper, uint32_t value)
{
    unsigned shift = upper ? 32 : 0;

    *address &= ~((uint64_t)UINT32_MAX << shift);
    *address |= (uint64_t)value << shift;
}

static void
write_queue(EngineVirtioQueue *queue, unsigned offset, unsigned size,
            uint32_t value)
{
    EngineQueueSetup *setup = &queue->setup;

    if (offset == VIRTIO_PCI_COMMON_Q_MSIX && size == 2) {
        __atomic_store_n(&queue->vector, known_vector(queue->virtio, value),
                         __ATOMIC_RELAXED);
        return;
    }
    if (queue->enabled)
        return;
    if (offset == VIRTIO_PCI_COMMON_Q_SIZE && size == 2)
        setup->size = (uint16_t)MIN(value, queue->virtio->queue_size);
    else if (offset == VIRTIO_PCI_COMMON_Q_ENABLE && size == 2 && value == 1)
        engine_virtio_enable(queue);
    if (size != 4)
        return;
    if (offset == VIRTIO_PCI_COMMON_Q_DESCLO ||
        offset == VIRTIO_PCI_COMMON_Q_DESCHI)
        set_half(&setup->descriptors, offset & 4, value);
    else if (offset == VIRTIO_PCI_COMMON_Q_AVAILLO ||
             offset == VIRTIO_PCI_COMMON_Q_AVAILHI)
        set_half(&setup->driver, offset & 4, value);
    else if (offset == VIRTIO_PCI_COMMON_Q_USEDLO ||
             offset == VIRTIO_PCI_COMMON_Q_USEDHI)
        set_half(&setup->device, offset & 4, value);
}

/* Fields are written as wide as they are, those of 64 bits in halves
 * (4.1.3.1); other writes are ignored. */
static void
write_common(EngineVirtio *virtio, unsigned offset, unsigned size,
             uint32_t value)
{
    if (offset == VIRTIO_PCI_COMMON_DFSELECT && size == 4)
        virtio->offered_select = value;
    else if (offset == VIRTIO_PCI_COMMON_GFSELECT && size == 4)
        virtio->accepted_select = value;
    else if (offset == VIRTIO_PCI_COMMON_GF && size == 4)
        write_feature(virtio, value);
    else if (offset == VIRTIO_PCI_COMMON_MSIX && size == 2)
        __atomic_store_n(&virtio->config_vector, known_vector(virtio, value),
                         __ATOMIC_RELAXED);
    else if (offset == VIRTIO_PCI_COMMON_STATUS && size == 1)
        engine_virtio_set_status(virtio, (uint8_t)value);
    else if (offset == VIRTIO_PCI_COMMON_Q_SELECT && size == 2)
        virtio->queue_select = (uint16_t)value;
    else if (offset >= VIRTIO_PCI_COMMON_Q_SIZE && selected(virtio))
        write_queue(selected(virtio), offset, size, value);
}

/* --- the device's configuration (2.5) --------------------------------------
 */
static uint64_t
read_device(EngineVirtio *virtio, uint64_t offset, unsigned size)
{
    uint8_t config[ENGINE_VIRTIO_CONFIG_BYTES / 16] = { 0 };
    uint64_t value = 0;

    if (!virtio->type->config_read || offset + size > sizeof(config))
        return 0;
    virtio->type->config_read(virtio, config, sizeof(config));
    memcpy(&value, config + offset, size);
    return value;
}

static void
write_device(EngineVirtio *virtio, uint64_t offset, unsigned size,
             uint64_t value)
{
    if (!virtio->type->config_write)
        return;
    g_mutex_lock(&virtio->lock);
    virtio->type->config_write(virtio, (unsigned)offset, size, value);
    g_mutex_unlock(&virtio->lock);
}

/* --- the BAR ---------------------------------------------------------------
 */
static uint64_t
read_locked(EngineVirtio *virtio, uint64_t offset, unsigned size)
{
    uint64_t value;

    g_mutex_lock(&virtio->lock);
    value = offset < PART_ISR ? read_common(virtio, offset, size)
                              : read_device(virtio, offset - PART_DEVICE, size);
    g_mutex_unlock(&virtio->lock);
    return value;
}

static uint64_t
bar_read(EnginePciFunction *function, unsigned bar, uint64_t offset,
         unsigned size)
{
    EngineVirtio *virtio = virtio_of(function);

    switch (offset & ~(uint64_t)(PART_SIZE - 1)) {
    case PART_COMMON:
    case PART_DEVICE:
        return read_locked(virtio, offset, size);
    case PART_ISR:
        return offset == PART_ISR ? take_isr(virtio) : 0;
    case PART_MSIX:
        return offset < MSIX_PBA
                   ? engine_msix_read(&virtio->msix, offset - MSIX_TABLE, size)
                   : engine_msix_pending(&virtio->msix, offset - MSIX_PBA,
                                         size);
    default:
        return 0;
    }
}

static void
bar_write(EnginePciFunction *function, unsigned bar, uint64_t offset,
          unsigned size, uint64_t value)
{
    EngineVirtio *virtio = virtio_of(function);

    switch (offset & ~(uint64_t)(PART_SIZE - 1)) {
    case PART_COMMON:
        g_mutex_lock(&virtio->lock);
        write_common(virtio, (unsigned)offset, MIN(size, 4), (uint32_t)value);
        if (size == 8)
            write_common(virtio, (unsigned)offset + 4, 4,
                         (uint32_t)(value >> 32));
        g_mutex_unlock(&virtio->lock);
        break;
    case PART_DEVICE:
        write_device(virtio, offset - PART_DEVICE, size, value);
        break;
    case PART_NOTIFY:
        kick(virtio, offset - PART_NOTIFY);
        break;
    case PART_MSIX:
        if (offset < MSIX_PBA)
            engine_msix_write(&virtio->msix, offset - MSIX_TABLE, size, value);
        break;
    default:
        break;
    }
}

/* --- the window in configuration space (4.1.4.9) ---------------------------
 */
/* Where the window is: its capability is the last but MSI-X. */
static unsigned
window_at(EnginePciFunction *function)
{
    return virtio_of(function)->msix.capability -
           (unsigned)sizeof(struct virtio_pci_cfg_cap);
}

/* Returns: whether the guest chose a place that exists */
static bool
window_aim(EnginePciFunction *function, uint32_t *ret_offset,
           unsigned *ret_size)
{
    unsigned at = window_at(function);
    uint32_t bar = engine_pci_config_get(function, at + VIRTIO_PCI_CAP_BAR, 1);
    uint32_t offset =
        engine_pci_config_get(function, at + VIRTIO_PCI_CAP_OFFSET, 4);
    uint32_t size =
        engine_pci_config_get(function, at + VIRTIO_PCI_CAP_LENGTH, 4);

    if (bar != BAR || (size != 1 && size != 2 && size != 4) ||
        offset % size != 0 || offset >= BAR_SIZE)
        return false;
    *ret_offset = offset;
    *ret_size = size;
    return true;
}

static bool
is_window_data(EnginePciFunction *function, unsigned offset)
{
    return offset == window_at(function) +
                         offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
}

static void
config_read(EnginePciFunction *function, unsigned offset, unsigned size,
            uint32_t *value)
{
    uint32_t at;
    unsigned width;

    if (is_window_data(function, offset) && window_aim(function, &at, &width))
        *value = (uint32_t)bar_read(function, BAR, at, width);
}

static void
config_written(EnginePciFunction *function, unsigned offset, unsigned size)
{
    EngineVirtio *virtio = virtio_of(function);
    unsigned flags = virtio->msix.capability + PCI_MSIX_FLAGS;
    uint32_t at;
    unsigned width;

    if (offset < flags + 2 && offset + size > flags)
        engine_msix_config_written(&virtio->msix);
    if (is_window_data(function, offset) && window_aim(function, &at, &width))
        bar_write(function, BAR, at, width,
                  engine_pci_config_get(function, offset, width));
}

/* --- life ------------------------------------------------------------------
 */
static const EnginePciOps ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .bar_moved = bar_moved,
    .config_read = config_read,
    .config_written = config_written,
};

static unsigned
add_capability(EnginePciFunction *function, uint8_t type, uint32_t offset,
               uint32_t length, unsigned size)
{
    unsigned at = engine_pci_add_capability(function, PCI_CAP_ID_VNDR, size);
    uint8_t *config = function->config + at;

    config[VIRTIO_PCI_CAP_LEN] = (uint8_t)size;
    config[VIRTIO_PCI_CAP_CFG_TYPE] = type;
    config[VIRTIO_PCI_CAP_BAR] = BAR;
    memcpy(config + VIRTIO_PCI_CAP_OFFSET, &offset, sizeof(offset));
    memcpy(config + VIRTIO_PCI_CAP_LENGTH, &length, sizeof(length));
    return at;
}

static void
add_capabilities(EngineVirtio *virtio)
{
    EnginePciFunction *function = &virtio->pci;
    const EngineMsixPlace place = { BAR, MSIX_TABLE, MSIX_PBA };
    const uint32_t multiplier = NOTIFY_MULTIPLIER;
    unsigned at, plain = sizeof(struct virtio_pci_cap);

    add_capability(function, VIRTIO_PCI_CAP_COMMON_CFG, PART_COMMON,
                   COMMON_BYTES, plain);
    at = add_capability(function, VIRTIO_PCI_CAP_NOTIFY_CFG, PART_NOTIFY,
                        virtio->n_queues * NOTIFY_MULTIPLIER,
                        sizeof(struct virtio_pci_notify_cap));
    memcpy(function->config + at + plain, &multiplier, sizeof(multiplier));
    add_capability(function, VIRTIO_PCI_CAP_ISR_CFG, PART_ISR, 1, plain);
    if (virtio->type->config_read)
        add_capability(function, VIRTIO_PCI_CAP_DEVICE_CFG, PART_DEVICE,
                       PART_SIZE, plain);
    at = add_capability(function, VIRTIO_PCI_CAP_PCI_CFG, 0, 0,
                        sizeof(struct virtio_pci_cfg_cap));
    function->writable[at + VIRTIO_PCI_CAP_BAR] = 0xff;
    memset(function->writable + at + VIRTIO_PCI_CAP_OFFSET, 0xff,
           sizeof(struct virtio_pci_cfg_cap) - VIRTIO_PCI_CAP_OFFSET);
    engine_msix_init(&virtio->msix, function, virtio->n_queues + 1, &place);
    g_assert(window_at(function) == at);
}

bool
engine_virtio_pci_init(EngineVirtio *virtio, GError **error)
{
    const EngineDeviceConfig *config = virtio->device.config;
    const EnginePciIds ids = {
        .vendor = VENDOR,
        .device = (uint16_t)(DEVICE_ID_BASE + virtio->type->id),
        .subsystem_vendor = VENDOR,
        .subsystem = (uint16_t)(DEVICE_ID_BASE + virtio->type->id),
        .class_code = virtio->type->class_code,
        .revision = 1,
    };

    engine_pci_init(&virtio->pci, &virtio->device, &ids, &ops);
    engine_pci_add_bar(&virtio->pci, BAR, ENGINE_PCI_BAR_MEMORY, BAR_SIZE,
                       false);
    add_capabilities(virtio);
    engine_pci_use_intx(&virtio->pci, 1);
    if (config->rom && !engine_pci_add_rom(&virtio->pci, config->rom, error))
        return false;
    return engine_pci_add(virtio->device.engine, &virtio->pci, config->slot,
                          config->function, error);
}

void
engine_virtio_pci_clear(EngineVirtio *virtio)
{
    if (virtio->pci.device) {
        engine_pci_remove(virtio->device.engine, &virtio->pci);
        engine_pci_rom_clear(&virtio->pci);
    }
    engine_msix_clear(&virtio->msix);
}

void
engine_virtio_pci_reset(EngineVirtio *virtio)
{
    (void)take_isr(virtio);
}
