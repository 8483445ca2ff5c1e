/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A driver for the virtio disk in slot 3 (virtio 1.2, 4.1.4.3 and 5.2.6): it
 * prints the first byte of sector 0, writes W there, reads it again and prints
 * that. Then it leaves, or by its command line stays (s).
 */
#include "payload.h"

#define PCI_ADDRESS  0xcf8
#define PCI_DATA     0xcfc
#define SLOT_3       (0x80000000 | 3 << 11)
#define PCI_COMMAND  0x04
#define PCI_BAR      0x10
#define MEMORY_MASTER 0x06

/* Where the device's registers are put, and what is in them */
#define COMMON         0xd0000000
#define DRIVER_SELECT  0x08
#define DRIVER_FEATURE 0x0c
#define STATUS         0x14
#define QUEUE_SELECT   0x16
#define QUEUE_SIZE     0x18
#define QUEUE_ENABLE   0x1c
#define QUEUE_DESC     0x20
#define QUEUE_AVAIL    0x28
#define QUEUE_USED     0x30
#define NOTIFY         (COMMON + 0x3000)
#define VERSION_1      1 /* bit 32 */
#define FEATURES_OK    0x0b /* and all before it */
#define DRIVER_OK      0x0f

#define DESC       SCRATCH
#define AVAIL      (SCRATCH + 0x1000)
#define USED       (SCRATCH + 0x2000)
#define HEADER     (SCRATCH + 0x3000)
#define ANSWER     (SCRATCH + 0x3100)
#define SECTOR     (SCRATCH + 0x3200)
#define NEXT       1 /* flags of a descriptor */
#define DEVICE_WRITES 2
#define READ       0
#define WRITE      1

.macro set_pci register, value
    mov $PCI_ADDRESS, %dx
    mov $(SLOT_3 | \register), %eax
    out %eax, %dx
    mov $PCI_DATA, %dx
    mov $\value, %eax
    out %eax, %dx
.endm

.macro descriptor number, address, size, flags
    movl $\address, DESC + 16 * \number
    movl $0, DESC + 16 * \number + 4
    movl $\size, DESC + 16 * \number + 8
    movl $(\flags | (\number + 1) << 16), DESC + 16 * \number + 12
.endm

    pvh_entry _start
    .globl _start
_start:
    mov $STACK, %esp
    mov PVH_CMDLINE(%ebx), %esi
    mov (%esi), %bl
    set_pci PCI_BAR, COMMON
    set_pci PCI_BAR + 4, 0
    set_pci PCI_COMMAND, MEMORY_MASTER

    mov $COMMON, %edi
    movb $0, STATUS(%edi)
    movb $0x03, STATUS(%edi)
    movl $1, DRIVER_SELECT(%edi)
    movl $VERSION_1, DRIVER_FEATURE(%edi)
    movb $FEATURES_OK, STATUS(%edi)
    cmpb $FEATURES_OK, STATUS(%edi)
    check_equal 1
    movw $0, QUEUE_SELECT(%edi)
    movw $4, QUEUE_SIZE(%edi)
    movl $DESC, QUEUE_DESC(%edi)
    movl $AVAIL, QUEUE_AVAIL(%edi)
    movl $USED, QUEUE_USED(%edi)
    movw $1, QUEUE_ENABLE(%edi)
    movb $DRIVER_OK, STATUS(%edi)

    mov $READ, %ecx
    call transfer
    mov SECTOR, %al
    call say
    movb $'W', SECTOR
    mov $WRITE, %ecx
    call transfer
    movb $0, SECTOR
    mov $READ, %ecx
    call transfer
    mov SECTOR, %al
    call say
    cmp $'s', %bl
    je stay
    leave_with PASS
stay:
    hlt
    jmp stay

/* ecx: READ or WRITE; one sector, the first */
transfer:
    mov %ecx, HEADER
    descriptor 0, HEADER, 16, NEXT
    descriptor 1, SECTOR, 512, NEXT
    cmp $READ, %ecx
    jne 1f
    orb $DEVICE_WRITES, DESC + 16 + 12
1:  descriptor 2, ANSWER, 1, DEVICE_WRITES
    movb $0xff, ANSWER
    incw AVAIL + 2
    mov AVAIL + 2, %cx
    movw $0, NOTIFY
2:  pause
    cmp USED + 2, %cx
    jne 2b
    cmpb $0, ANSWER
    check_equal 2
    ret

say:
    mov $COM1, %dx
    out %al, %dx
    ret
