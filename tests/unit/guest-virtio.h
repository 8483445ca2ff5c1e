/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "engine/x86/acpi.h"
#include "fake-engine.h"
#include "guest-queue.h"

/*
 * A guest's driver of one virtio device on the fake engine's PCI bus: it finds
 * everything by the capabilities and keeps to virtio 1.2, 3.1.
 */
#define GUEST_FEATURE(NAME) (1ull << (NAME))
#define GUEST_READY                                         \
    (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
     VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

typedef struct GuestVirtio {
    Engine *engine;
    unsigned slot;
    uint64_t common, notify, isr, config; /* gpa; 0: there is none */
    unsigned msix;                        /* offset of the capability */
} GuestVirtio;

static inline void
guest_virtio_aim(const GuestVirtio *guest, unsigned offset)
{
    fake_out(guest->engine, 0xcf8, 4,
             0x80000000u | guest->slot << 11 | (offset & 0xfc));
}

static inline uint32_t
guest_virtio_pci_read(const GuestVirtio *guest, unsigned offset, unsigned size)
{
    guest_virtio_aim(guest, offset);
    return (uint32_t)fake_in(guest->engine, (uint16_t)(0xcfc + (offset & 3)),
                             size);
}

static inline void
guest_virtio_pci_write(const GuestVirtio *guest, unsigned offset, unsigned size,
                       uint32_t value)
{
    guest_virtio_aim(guest, offset);
    fake_out(guest->engine, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

static inline void
guest_virtio_found(GuestVirtio *guest, unsigned type, uint64_t place)
{
    if (type == VIRTIO_PCI_CAP_COMMON_CFG)
        guest->common = place;
    else if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
        guest->notify = place;
    else if (type == VIRTIO_PCI_CAP_ISR_CFG)
        guest->isr = place;
    else if (type == VIRTIO_PCI_CAP_DEVICE_CFG)
        guest->config = place;
}

/** guest_virtio_init: the device in @slot; its BAR goes to @bar */
static inline void
guest_virtio_init(GuestVirtio *guest, Engine *engine, unsigned slot,
                  uint64_t bar)
{
    unsigned at;

    *guest = (GuestVirtio){ .engine = engine, .slot = slot };
    guest_virtio_pci_write(guest, PCI_BASE_ADDRESS_0, 4, (uint32_t)bar);
    guest_virtio_pci_write(guest, PCI_COMMAND, 2,
                           PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    at = guest_virtio_pci_read(guest, PCI_CAPABILITY_LIST, 1);
    for (; at; at = guest_virtio_pci_read(guest, at + PCI_CAP_LIST_NEXT, 1)) {
        if (guest_virtio_pci_read(guest, at, 1) == PCI_CAP_ID_MSIX)
            guest->msix = at;
        else
            guest_virtio_found(
                guest,
                guest_virtio_pci_read(guest, at + VIRTIO_PCI_CAP_CFG_TYPE, 1),
                bar + guest_virtio_pci_read(guest, at + VIRTIO_PCI_CAP_OFFSET,
                                            4));
    }
}

static inline uint64_t
guest_virtio_reg(const GuestVirtio *guest, unsigned offset, unsigned size)
{
    return fake_mmio_read(guest->engine, guest->common + offset, size);
}

static inline void
guest_virtio_set(const GuestVirtio *guest, unsigned offset, unsigned size,
                 uint64_t value)
{
    fake_mmio_write(guest->engine, guest->common + offset, size, value);
}

static inline uint8_t
guest_virtio_status(const GuestVirtio *guest)
{
    return (uint8_t)guest_virtio_reg(guest, VIRTIO_PCI_COMMON_STATUS, 1);
}

static inline uint64_t
guest_virtio_offered(const GuestVirtio *guest)
{
    uint64_t low;

    guest_virtio_set(guest, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
    low = guest_virtio_reg(guest, VIRTIO_PCI_COMMON_DF, 4);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
    return low | guest_virtio_reg(guest, VIRTIO_PCI_COMMON_DF, 4) << 32;
}

/** guest_virtio_begin: reset the device and agree on @features */
static inline void
guest_virtio_begin(const GuestVirtio *guest, uint64_t features)
{
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_GF, 4, (uint32_t)features);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_GF, 4, features >> 32);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_STATUS, 1,
                     GUEST_READY & ~VIRTIO_CONFIG_S_DRIVER_OK);
}

static inline void
guest_virtio_set_address(const GuestVirtio *guest, unsigned offset,
                         uint64_t gpa)
{
    guest_virtio_set(guest, offset, 4, (uint32_t)gpa);
    guest_virtio_set(guest, offset + 4, 4, gpa >> 32);
}

/** guest_virtio_add_queue: enable it with @vector of MSI-X */
static inline void
guest_virtio_add_queue(const GuestVirtio *guest, unsigned index,
                       const GuestQueue *queue, uint16_t vector)
{
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_Q_SIZE, 2, queue->size);
    guest_virtio_set_address(guest, VIRTIO_PCI_COMMON_Q_DESCLO,
                             queue->descriptors);
    guest_virtio_set_address(guest, VIRTIO_PCI_COMMON_Q_AVAILLO, queue->driver);
    guest_virtio_set_address(guest, VIRTIO_PCI_COMMON_Q_USEDLO, queue->device);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_Q_MSIX, 2, vector);
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

static inline void
guest_virtio_go(const GuestVirtio *guest)
{
    guest_virtio_set(guest, VIRTIO_PCI_COMMON_STATUS, 1, GUEST_READY);
}

static inline void
guest_virtio_kick(const GuestVirtio *guest, unsigned queue)
{
    fake_mmio_write(guest->engine, guest->notify + 4ull * queue, 2, queue);
}

/** guest_virtio_set_vector: let the message @data through for @vector */
static inline void
guest_virtio_set_vector(const GuestVirtio *guest, uint64_t bar, unsigned vector,
                        uint32_t data)
{
    uint64_t table =
        bar +
        (guest_virtio_pci_read(guest, guest->msix + PCI_MSIX_TABLE, 4) & ~7u);
    uint64_t entry = table + (uint64_t)vector * PCI_MSIX_ENTRY_SIZE;

    guest_virtio_pci_write(guest, guest->msix + PCI_MSIX_FLAGS, 2,
                           PCI_MSIX_FLAGS_ENABLE);
    fake_mmio_write(guest->engine, entry, 4, 0xfee00000);
    fake_mmio_write(guest->engine, entry + 4, 4, 0);
    fake_mmio_write(guest->engine, entry + 8, 4, data);
    fake_mmio_write(guest->engine, entry + 12, 4, 0);
}
