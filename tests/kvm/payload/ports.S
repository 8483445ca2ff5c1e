/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Touches every port: reads of 1, 2 and 4 bytes everywhere, then writes of 0,
 * but for the exit port. What nobody claims reads as ones.
 */
#include "payload.h"

#define UNCLAIMED 0x5f40
#define COUNT     0x10000
#define WIDE      0x1100 /* the wide accesses go this far */

    pvh_entry _start
    .globl _start
_start:
    mov $UNCLAIMED, %dx
    in %dx, %eax
    cmp $0xffffffff, %eax
    check_equal 1
    xor %eax, %eax
    in %dx, %ax
    cmp $0xffff, %eax
    check_equal 2
    xor %eax, %eax
    in %dx, %al
    cmp $0xff, %eax
    check_equal 3

    xor %edx, %edx
1:  in %dx, %al
    inc %edx
    cmp $COUNT, %edx
    jb 1b
    xor %edx, %edx
2:  in %dx, %ax
    in %dx, %eax
    inc %edx
    cmp $WIDE, %edx
    jb 2b

    xor %edx, %edx
    xor %eax, %eax
3:  cmp $EXIT_PORT, %edx
    je 4f
    out %al, %dx
4:  inc %edx
    cmp $COUNT, %edx
    jb 3b
    xor %edx, %edx
5:  lea 3(%edx), %ecx
    sub $EXIT_PORT, %ecx
    cmp $3, %ecx
    jbe 6f
    out %ax, %dx
    out %eax, %dx
6:  inc %edx
    cmp $WIDE, %edx
    jb 5b
    mov $0xffff, %dx
    out %eax, %dx
    in %dx, %eax
    leave_with PASS
