/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Starts every other vCPU by INIT and start-up message, waits until as many as
 * the command line's digit have answered, and prints the digit.
 */
#include "payload.h"

#define LAPIC      0xfee00000
#define SVR        0xf0
#define ICR        0x300
#define ENABLE     0x1ff
#define ALL_INIT   0xc4500
#define ALL_STARTUP 0xc4600
#define TRAMPOLINE 0x60000
#define ANSWERS    0x61000
#define TRIES      3000000

    pvh_entry _start
    .globl _start
_start:
    mov PVH_CMDLINE(%ebx), %esi
    movzbl (%esi), %ebx
    sub $'0', %ebx
    movl $0, ANSWERS
    mov $trampoline, %esi
    mov $TRAMPOLINE, %edi
    mov $trampoline_end - trampoline, %ecx
    rep movsb
    mov $LAPIC, %edi
    movl $ENABLE, SVR(%edi)
    movl $ALL_INIT, ICR(%edi)
    movl $ALL_STARTUP | (TRAMPOLINE >> 12), ICR(%edi)
    mov $TRIES, %ecx
1:  cmp %ebx, ANSWERS
    je 2f
    pause
    loop 1b
    leave_with 1
2:  lea '0'(%ebx), %eax
    mov $COM1, %dx
    out %al, %dx
    leave_with PASS

    .code16
trampoline:
    cli
    mov $ANSWERS >> 4, %ax
    mov %ax, %ds
    lock incl 0
1:  hlt
    jmp 1b
trampoline_end:
