/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Writes to the virtio-blk at 00:03.0 for ever, in batches of eight requests
 * at once, each followed by a flush; then says the number of its last write on
 * COM1, four bytes, the least first. Write NUMBER goes to block NUMBER * FACTOR
 * >> 21 and fills it with NUMBER; of eight numbers the last writes zeroes
 * instead. The command line has the number of the first, in hexadecimal, a
 * multiple of eight.
 *
 * Leaves with: 1: the device is not what it should be; 2: no flush;
 * 3: a request failed.
 */
#include <stdbool.h>
#include <stdint.h>

#define COM1        0x3f8
#define EXIT_PORT   0xf4
#define PVH_CMDLINE 24
#define FACTOR      2654435761u
#define BLOCK       4096u
#define BATCH       8u
#define SLOT        3u
#define QUEUE_SIZE  32u
#define BAR         0xc0000000u
#define DESCRIPTORS 0x600000u
#define DRIVER_RING 0x601000u
#define DEVICE_RING 0x602000u
#define HEADERS     0x603000u
#define SEGMENTS    0x604000u
#define STATUSES    0x605000u
#define DATA        0x700000u

/* PCI, virtio 1.2: 4.1.4 (capabilities and common configuration), 2.7 (split
 * rings), 5.2.6 (requests of a block device) */
#define PCI_COMMAND        4u
#define PCI_BAR            16u
#define PCI_CAPABILITIES   0x34u
#define CAP_VENDOR         9u
#define COMMON_DFSELECT    0u
#define COMMON_DF          4u
#define COMMON_GFSELECT    8u
#define COMMON_GF          12u
#define COMMON_STATUS      20u
#define COMMON_Q_SELECT    22u
#define COMMON_Q_SIZE      24u
#define COMMON_Q_ENABLE    28u
#define COMMON_Q_DESC      32u
#define COMMON_Q_DRIVER    40u
#define COMMON_Q_DEVICE    48u
#define STATUS_FEATURES_OK 11u
#define STATUS_DRIVER_OK   15u
#define F_FLUSH            (1u << 9)
#define F_WRITE_ZEROES     (1u << 14)
#define F_VERSION_1        1u /* of the second word */
#define T_OUT              1u
#define T_FLUSH            4u
#define T_WRITE_ZEROES     13u
#define DESC_NEXT          1u
#define DESC_WRITE         2u

typedef struct Descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
} Descriptor;

typedef struct Header {
    uint32_t type, reserved;
    uint64_t sector;
} Header;

typedef struct Segment {
    uint64_t sector;
    uint32_t sectors, flags;
} Segment;

void start(const char *info);

__asm__(".section .note.Xen, \"a\", @note\n"
        ".balign 4\n"
        ".long 4, 4, 18\n"
        ".asciz \"Xen\"\n"
        ".long _start\n"
        ".section .head, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "    mov $0x480000, %esp\n"
        "    push %ebx\n"
        "    call start\n"
        ".section .text\n");

static void
out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void
out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t
in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void
leave(uint8_t status)
{
    for (;;)
        out8(EXIT_PORT, status);
}

static uint32_t
pci_read(unsigned offset)
{
    out32(0xcf8, 0x80000000u | SLOT << 11 | (offset & 0xfcu));
    return in32(0xcfc) >> (offset & 3) * 8;
}

static void
pci_write(unsigned offset, uint32_t value)
{
    out32(0xcf8, 0x80000000u | SLOT << 11 | offset);
    out32(0xcfc, value);
}

static volatile uint8_t *
reg(uint32_t base, unsigned offset)
{
    return (volatile uint8_t *)(uintptr_t)(base + offset);
}

static void
set8(uint32_t base, unsigned offset, unsigned value)
{
    *reg(base, offset) = (uint8_t)value;
}

static void
set16(uint32_t base, unsigned offset, unsigned value)
{
    *(volatile uint16_t *)reg(base, offset) = (uint16_t)value;
}

static void
set32(uint32_t base, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)reg(base, offset) = value;
}

static uint32_t
get32(uint32_t base, unsigned offset)
{
    return *(volatile uint32_t *)reg(base, offset);
}

/* The place in the BAR of the structure of this type. */
static uint32_t
find(unsigned type)
{
    unsigned at = pci_read(PCI_CAPABILITIES) & 0xff;

    while (at && ((pci_read(at) & 0xff) != CAP_VENDOR ||
                  (pci_read(at + 3) & 0xff) != type))
        at = pci_read(at + 1) & 0xff;
    if (!at)
        leave(1);
    return BAR + pci_read(at + 8);
}

static void
set_up(uint32_t common)
{
    static const uint32_t wanted[2] = { F_FLUSH | F_WRITE_ZEROES, F_VERSION_1 };

    set8(common, COMMON_STATUS, 0);
    for (unsigned word = 0; word < 2; word++) {
        uint32_t offered;

        set32(common, COMMON_DFSELECT, word);
        offered = get32(common, COMMON_DF);
        if ((offered & wanted[word]) != wanted[word])
            leave(2);
        set32(common, COMMON_GFSELECT, word);
        set32(common, COMMON_GF, wanted[word]);
    }
    set8(common, COMMON_STATUS, STATUS_FEATURES_OK);
    if (*reg(common, COMMON_STATUS) != STATUS_FEATURES_OK)
        leave(1);
    set16(common, COMMON_Q_SELECT, 0);
    set16(common, COMMON_Q_SIZE, QUEUE_SIZE);
    set32(common, COMMON_Q_DESC, DESCRIPTORS);
    set32(common, COMMON_Q_DRIVER, DRIVER_RING);
    set32(common, COMMON_Q_DEVICE, DEVICE_RING);
    set16(common, COMMON_Q_ENABLE, 1);
    set8(common, COMMON_STATUS, STATUS_DRIVER_OK);
}

static void
describe(unsigned index, uint32_t address, uint32_t size, unsigned flags)
{
    Descriptor *descriptor = (Descriptor *)DESCRIPTORS + index;

    descriptor->address = address;
    descriptor->size = size;
    descriptor->flags = (uint16_t)flags;
    descriptor->next = (uint16_t)(index + 1);
}

/* Offers request @place, of three descriptors, or two without @size. */
static void
offer(unsigned place, uint32_t type, uint32_t block, uint32_t data,
      uint32_t size)
{
    volatile uint16_t *ring = (volatile uint16_t *)DRIVER_RING;
    Header *header = (Header *)HEADERS + place;
    unsigned first = place * 3, last = first + (size ? 2 : 1);

    header->type = type;
    header->sector = block * (uint64_t)(BLOCK / 512);
    describe(first, (uint32_t)(uintptr_t)header, sizeof(*header), DESC_NEXT);
    if (size)
        describe(first + 1, data, size, DESC_NEXT);
    describe(last, STATUSES + place, 1, DESC_WRITE);
    *(volatile uint8_t *)(STATUSES + place) = 0xff;
    ring[2 + ring[1] % QUEUE_SIZE] = (uint16_t)first;
    __asm__ volatile("lock; addl $0, (%%esp)" : : : "memory");
    ring[1]++;
}

static void
write_block(unsigned place, uint32_t number)
{
    uint32_t block = number * FACTOR >> 21;
    uint32_t data = DATA + place * BLOCK, at = data, words = BLOCK / 4;
    Segment *segment = (Segment *)SEGMENTS + place;

    if (number % 8 == 7) {
        segment->sector = block * (uint64_t)(BLOCK / 512);
        segment->sectors = BLOCK / 512;
        segment->flags = number >> 3 & 1;
        offer(place, T_WRITE_ZEROES, 0, (uint32_t)(uintptr_t)segment,
              sizeof(*segment));
        return;
    }
    __asm__ volatile("rep stosl"
                     : "+D"(at), "+c"(words)
                     : "a"(number)
                     : "memory");
    offer(place, T_OUT, block, data, BLOCK);
}

/* Kicks and waits until all that was offered is done. */
static void
finish(uint32_t notify, unsigned first, unsigned count)
{
    volatile uint16_t *offered = (volatile uint16_t *)DRIVER_RING + 1;
    volatile uint16_t *done = (volatile uint16_t *)DEVICE_RING + 1;

    set16(notify, 0, 0);
    while (*done != *offered)
        __asm__ volatile("pause");
    for (unsigned place = first; place < first + count; place++)
        if (*(volatile uint8_t *)(STATUSES + place) != 0)
            leave(3);
}

static uint32_t
parse(const char *text)
{
    uint32_t value = 0;

    for (; *text; text++)
        value = value * 16 +
                (uint32_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

void
start(const char *info)
{
    uint32_t number = parse(*(const char *const *)(info + PVH_CMDLINE));
    uint32_t common, notify;

    pci_write(PCI_BAR, BAR);
    pci_write(PCI_COMMAND, 6);
    common = find(1);
    notify = find(2);
    set_up(common);
    for (;;) {
        for (unsigned i = 0; i < BATCH; i++)
            write_block(i, number++);
        finish(notify, 0, BATCH);
        offer(BATCH, T_FLUSH, 0, 0, 0);
        finish(notify, BATCH, 1);
        for (unsigned i = 0; i < 32; i += 8)
            out8(COM1, (uint8_t)((number - 1) >> i));
    }
}
