/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Plugs PCI devices in and out with the registers that ACPI's machine language
 * uses. It prints R when it listens, P when a slot has come to hold a device, G
 * when one that it has ejected is gone, ? when that is not so. By its command
 * line it also refuses to let go (r, prints K), does not answer (q, prints Q),
 * or does not even listen (n).
 */
#include "payload.h"

#define GPE_STATUS  0x620
#define GPE_ENABLE  0x628
#define GPE_SLOTS   0x02
#define PLUGGED     0x650
#define WANTED      0x654
#define EJECT       0x658
#define REFUSED     0x65c
#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define NOBODY      0xffffffff

    pvh_entry _start
    .globl _start
_start:
    mov $STACK, %esp
    mov PVH_CMDLINE(%ebx), %esi
    mov (%esi), %bl
    cmp $'n', %bl
    je 1f
    mov $GPE_ENABLE, %dx
    mov $GPE_SLOTS, %al
    out %al, %dx
1:  print 'R'
wait:
    mov $GPE_STATUS, %dx
    in %dx, %al
    test $GPE_SLOTS, %al
    jz wait
    cmp $'n', %bl
    je wait
    mov $GPE_SLOTS, %al
    out %al, %dx

    mov $PLUGGED, %dx
    in %dx, %eax
    out %eax, %dx
    test %eax, %eax
    jz 2f
    call look
    mov $'P', %cl
    cmp $NOBODY, %eax
    call say_unless_equal
2:  mov $WANTED, %dx
    in %dx, %eax
    out %eax, %dx
    test %eax, %eax
    jz wait
    cmp $'r', %bl
    je refuse
    cmp $'q', %bl
    je quiet
    mov $EJECT, %dx
    out %eax, %dx
    call look
    mov $'G', %cl
    cmp $NOBODY, %eax
    setne %al
    cmp $1, %al
    call say_unless_equal
    jmp wait
refuse:
    mov $REFUSED, %dx
    out %eax, %dx
    print 'K'
    jmp wait
quiet:
    print 'Q'
    jmp wait

/* eax: a slot's bit; what its first register says */
look:
    bsf %eax, %eax
    shl $11, %eax
    or $0x80000000, %eax
    mov $PCI_ADDRESS, %dx
    out %eax, %dx
    mov $PCI_DATA, %dx
    in %dx, %eax
    ret

say_unless_equal:
    jne 3f
    mov $'?', %cl
3:  mov $COM1, %dx
    mov %cl, %al
    out %al, %dx
    ret
