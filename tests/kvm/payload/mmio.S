/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Addresses that nobody claims read as ones and swallow writes, of any size and
 * alignment, also across the ends of RAM and of claimed ranges.
 */
#include "payload.h"

#define UNCLAIMED 0xc8000000
#define HOLE      0xc0000000
#define ECAM      0xe0000000
#define ECAM_END  0xf0000000
#define IOAPIC    0xfec00000
#define HPET      0xfed00000

    pvh_entry _start
    .globl _start
_start:
    mov $STACK, %esp
    mov $UNCLAIMED, %edi
    cmpl $0xffffffff, (%edi)
    check_equal 1
    cmpl $0xffffffff, 1(%edi)
    check_equal 2
    cmpw $0xffff, 3(%edi)
    check_equal 3
    cmpb $0xff, 5(%edi)
    check_equal 4
    movl $0, (%edi)
    movl $0, 0xffe(%edi)
    cmpl $0xffffffff, 0xffe(%edi)
    check_equal 5

    mov $edges, %esi
1:  lodsl
    test %eax, %eax
    jz 3f
    mov %eax, %edi
    sub $8, %edi
    mov $16, %ecx
2:  mov (%edi), %eax
    mov %eax, (%edi)
    mov (%edi), %ax
    mov %ax, (%edi)
    mov (%edi), %al
    mov %al, (%edi)
    inc %edi
    loop 2b
    jmp 1b
3:  leave_with PASS

    .balign 4
edges:
    .long HOLE, ECAM, ECAM + 0x1000, ECAM + 0x8000, ECAM_END, IOAPIC, HPET, 0
