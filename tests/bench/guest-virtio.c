/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "guest.h"

/* Configuration mechanism 1 of PCI, and where BARs go that nobody placed */
#define ADDRESS_PORT 0xcf8
#define DATA_PORT    0xcfc
#define ENABLE       0x80000000u
#define VENDOR       0x1af4
#define MODERN       0x1040 /* 4.1.2: the type's number is added */
#define FUNCTIONS    256    /* of the first bus */
#define FREE_MEMORY  0xd0000000u
#define CAPABILITIES 48

static uint32_t
config_read(unsigned function, unsigned offset)
{
    guest_gate(GUEST_OUT_32, ADDRESS_PORT, ENABLE | function << 8 | offset);
    return guest_gate(GUEST_IN_32, DATA_PORT, 0);
}

static void
config_write(unsigned function, unsigned offset, uint32_t value)
{
    guest_gate(GUEST_OUT_32, ADDRESS_PORT, ENABLE | function << 8 | offset);
    guest_gate(GUEST_OUT_32, DATA_PORT, value);
}

static unsigned
find_function(unsigned id)
{
    for (unsigned function = 0; function < FUNCTIONS; function += 8)
        if (config_read(function, PCI_VENDOR_ID) ==
            ((MODERN + id) << 16 | VENDOR))
            return function;
    guest_fail("there is no such device on the bus");
}

/* All is mapped up to 4 GiB. */
static volatile uint8_t *
bar_address(unsigned function, unsigned bar)
{
    unsigned offset = PCI_BASE_ADDRESS_0 + 4 * bar;
    uint32_t low = config_read(function, offset);
    bool is_64 =
        (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
    uint32_t high = is_64 ? config_read(function, offset + 4) : 0;

    if (low & PCI_BASE_ADDRESS_SPACE_IO)
        guest_fail("a BAR of ports");
    low &= (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    if (low == 0 || high > 0) {
        low = FREE_MEMORY;
        config_write(function, offset, low);
        if (is_64)
            config_write(function, offset + 4, 0);
    }
    return (volatile uint8_t *)(uintptr_t)low;
}

/* One of the device's capabilities (4.1.4), if it is of those looked for */
static void
take_capability(GuestVirtio *virtio, unsigned function, unsigned at)
{
    uint32_t first = config_read(function, at);
    unsigned bar = config_read(function, at + VIRTIO_PCI_CAP_BAR) & 0xff;
    uint32_t offset = config_read(function, at + VIRTIO_PCI_CAP_OFFSET);

    switch (first >> 24) {
    case VIRTIO_PCI_CAP_COMMON_CFG:
        virtio->common = bar_address(function, bar) + offset;
        break;
    case VIRTIO_PCI_CAP_DEVICE_CFG:
        virtio->device = bar_address(function, bar) + offset;
        break;
    case VIRTIO_PCI_CAP_NOTIFY_CFG:
        virtio->notify = bar_address(function, bar) + offset;
        virtio->notify_multiplier =
            config_read(function, at + VIRTIO_PCI_NOTIFY_CAP_MULT);
        break;
    default:
        break;
    }
}

static void
map_device(GuestVirtio *virtio, unsigned function)
{
    unsigned at = config_read(function, PCI_CAPABILITY_LIST) & 0xfc;

    for (unsigned i = 0; at != 0 && i < CAPABILITIES; i++) {
        uint32_t first = config_read(function, at);

        if ((first & 0xff) == PCI_CAP_ID_VNDR)
            take_capability(virtio, function, at);
        at = first >> 8 & 0xfc;
    }
    if (!virtio->common || !virtio->device || !virtio->notify)
        guest_fail("the device is not a modern one");
    config_write(function, PCI_COMMAND,
                 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                     PCI_COMMAND_INTX_DISABLE);
}

/* --- the common configuration (4.1.4.3) ------------------------------------
 */
static volatile uint32_t *
common32(GuestVirtio *virtio, unsigned offset)
{
    return (volatile uint32_t *)(virtio->common + offset);
}

static volatile uint16_t *
common16(GuestVirtio *virtio, unsigned offset)
{
    return (volatile uint16_t *)(virtio->common + offset);
}

static void
add_status(GuestVirtio *virtio, uint8_t bit)
{
    virtio->common[VIRTIO_PCI_COMMON_STATUS] |= bit;
}

static void
agree(GuestVirtio *virtio, uint64_t features)
{
    for (unsigned i = 0; i < 2; i++) {
        *common32(virtio, VIRTIO_PCI_COMMON_DFSELECT) = i;
        *common32(virtio, VIRTIO_PCI_COMMON_GFSELECT) = i;
        *common32(virtio, VIRTIO_PCI_COMMON_GF) =
            *common32(virtio, VIRTIO_PCI_COMMON_DF) &
            (uint32_t)(features >> 32 * i);
    }
}

void
guest_virtio_begin(GuestVirtio *virtio, unsigned id, uint64_t features)
{
    map_device(virtio, find_function(id));
    virtio->common[VIRTIO_PCI_COMMON_STATUS] = 0;
    while (virtio->common[VIRTIO_PCI_COMMON_STATUS] != 0)
        __builtin_ia32_pause();
    add_status(virtio, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    agree(virtio, features | GUEST_FEATURE(VIRTIO_F_VERSION_1) |
                      GUEST_FEATURE(VIRTIO_RING_F_EVENT_IDX) |
                      GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
    add_status(virtio, VIRTIO_CONFIG_S_FEATURES_OK);
    if (!(virtio->common[VIRTIO_PCI_COMMON_STATUS] &
          VIRTIO_CONFIG_S_FEATURES_OK))
        guest_fail("the device takes no such features");
}

void
guest_virtio_go(GuestVirtio *virtio)
{
    add_status(virtio, VIRTIO_CONFIG_S_DRIVER_OK);
}

/* --- rings ------------------------------------------------------------------
 */
#define QUEUES 2

static struct {
    _Alignas(4096) struct vring_desc table[GUEST_ENTRIES];
    _Alignas(4096) uint16_t avail[2 + GUEST_ENTRIES + 1];
    _Alignas(4096) uint32_t used[1 + 2 * GUEST_ENTRIES + 1];
} areas[QUEUES];

static void
set_address(GuestVirtio *virtio, unsigned offset, const void *address)
{
    *common32(virtio, offset) = (uint32_t)(uintptr_t)address;
    *common32(virtio, offset + 4) = 0;
}

void
guest_virtio_add_queue(GuestVirtio *virtio, GuestRing *ring, unsigned index)
{
    *ring = (GuestRing){ .table = areas[index].table,
                         .avail = (void *)areas[index].avail,
                         .used = (void *)areas[index].used,
                         .index = (uint16_t)index,
                         .size = GUEST_ENTRIES };
    ring->avail->ring[ring->size] = (uint16_t)-1;
    *common16(virtio, VIRTIO_PCI_COMMON_Q_SELECT) = (uint16_t)index;
    if (*common16(virtio, VIRTIO_PCI_COMMON_Q_SIZE) < ring->size)
        guest_fail("the device has no queue of that size");
    *common16(virtio, VIRTIO_PCI_COMMON_Q_SIZE) = ring->size;
    set_address(virtio, VIRTIO_PCI_COMMON_Q_DESCLO, ring->table);
    set_address(virtio, VIRTIO_PCI_COMMON_Q_AVAILLO, ring->avail);
    set_address(virtio, VIRTIO_PCI_COMMON_Q_USEDLO, ring->used);
    ring->notify =
        (volatile uint16_t *)(virtio->notify +
                              *common16(virtio, VIRTIO_PCI_COMMON_Q_NOFF) *
                                  virtio->notify_multiplier);
    *common16(virtio, VIRTIO_PCI_COMMON_Q_ENABLE) = 1;
}

void
guest_ring_kick(GuestRing *ring)
{
    uint16_t event;

    if (ring->kicked == ring->next)
        return;
    __atomic_store_n(&ring->avail->idx, ring->next, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    event = *(volatile uint16_t *)(void *)&ring->used->ring[ring->size];
    if (vring_need_event(event, ring->next, ring->kicked))
        *ring->notify = ring->index;
    ring->kicked = ring->next;
}
