/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* Says that it is ready, then sends back what COM1 receives, up to a '!'. */
#include "payload.h"

#define LSR       (COM1 + 5)
#define LSR_READY 1

    pvh_entry _start
    .globl _start
_start:
    cld
    mov $text, %esi
    mov $text_end - text, %ecx
    mov $COM1, %dx
    rep outsb
next:
    mov $LSR, %dx
    in %dx, %al
    test $LSR_READY, %al
    jz next
    mov $COM1, %dx
    in %dx, %al
    out %al, %dx
    cmp $'!', %al
    jne next
    leave_with PASS

text:
    .ascii "echo is ready\n"
text_end:
