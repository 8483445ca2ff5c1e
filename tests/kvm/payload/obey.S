/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Says that it is ready and then does what COM1 tells it: p powers off, r
 * resets, t ends in a triple fault, m runs into an address without memory, x
 * leaves by the debug exit; anything else comes back. It obeys the ACPI power
 * button too, unless it was told to ignore it (i).
 */
#include "payload.h"

#define LSR       (COM1 + 5)
#define LSR_READY 1

#define PM1_STATUS   0x600
#define PM1_ENABLE   0x602
#define PM1_CONTROL  0x604
#define POWER_BUTTON 0x100
#define SLEEP_S5     0x3400 /* SLP_EN, and the SLP_TYP of S5 */
#define RESET_PORT   0xcf9
#define NO_MEMORY    0xc8000000

    pvh_entry _start
    .globl _start
_start:
    cld
    mov $POWER_BUTTON, %ebp
    mov $PM1_ENABLE, %dx
    mov %ebp, %eax
    out %ax, %dx
    mov $text, %esi
    mov $text_end - text, %ecx
    mov $COM1, %dx
    rep outsb
next:
    mov $PM1_STATUS, %dx
    in %dx, %ax
    test %bp, %ax
    jnz power_off
    mov $LSR, %dx
    in %dx, %al
    test $LSR_READY, %al
    jz next
    mov $COM1, %dx
    in %dx, %al
    cmp $'p', %al
    je power_off
    cmp $'r', %al
    je reset
    cmp $'t', %al
    je triple_fault
    cmp $'m', %al
    je nowhere
    cmp $'x', %al
    je leave
    out %al, %dx
    cmp $'i', %al
    jne next
    xor %ebp, %ebp
    jmp next

power_off:
    mov $PM1_CONTROL, %dx
    mov $SLEEP_S5, %ax
    out %ax, %dx
    hlt
reset:
    mov $RESET_PORT, %dx
    mov $6, %al
    out %al, %dx
    hlt
triple_fault:
    lidt zero
    ud2
nowhere:
    mov $NO_MEMORY, %eax
    jmp *%eax
leave:
    leave_with PASS

    .balign 8
zero:
    .quad 0
text:
    .ascii "ready\n"
text_end:
