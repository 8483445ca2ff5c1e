/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* Ports by the string: one exit for many elements. */
#include "payload.h"

#define UNCLAIMED 0x5f40
#define COUNT     600 /* of 4 bytes: more than KVM hands over at once */

    pvh_entry _start
    .globl _start
_start:
    cld
    mov $text, %esi
    mov $text_end - text, %ecx
    mov $COM1, %dx
    rep outsb

    mov $SCRATCH, %edi
    mov $UNCLAIMED, %dx
    mov $COUNT, %ecx
    rep insl
    cmp $SCRATCH + COUNT * 4, %edi
    check_equal 1
    mov $SCRATCH, %edi
    mov $COUNT, %ecx
    mov $0xffffffff, %eax
    repe scasl
    check_equal 2

    mov $SCRATCH, %esi
    mov $COUNT, %ecx
    rep outsw
    cmp $SCRATCH + COUNT * 2, %esi
    check_equal 3
    leave_with PASS

text:
    .ascii "the quick brown fox\n"
text_end:
