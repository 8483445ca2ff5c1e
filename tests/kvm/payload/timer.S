/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Sleeps in HLT until the interval timer's interrupt has come three times,
 * through the PIC: the first one of a machine that had no timer until now.
 */
#include "payload.h"

#define PIC        0x20
#define PIC_DATA   0x21
#define PIC2_DATA  0xa1
#define PIT        0x40
#define PIT_MODE   0x43
#define VECTOR     0x20
#define PERIOD     11932 /* 100 Hz */
#define GDT_CODE   0x20  /* the engine's 32-bit code segment */
#define TICKS      3

    pvh_entry _start
    .globl _start
_start:
    mov $STACK, %esp
    mov $handler, %eax
    mov %ax, idt_entry
    shr $16, %eax
    mov %ax, idt_entry + 6
    lidt idt_pointer
    mov $0x11, %al
    out %al, $PIC
    mov $VECTOR, %al
    out %al, $PIC_DATA
    mov $4, %al
    out %al, $PIC_DATA
    mov $1, %al
    out %al, $PIC_DATA
    mov $0xfe, %al
    out %al, $PIC_DATA
    mov $0xff, %al
    out %al, $PIC2_DATA
    mov $0x34, %al
    out %al, $PIT_MODE
    mov $PERIOD & 0xff, %al
    out %al, $PIT
    mov $PERIOD >> 8, %al
    out %al, $PIT
1:  sti
    hlt
    leave_with 1

/* Returns by hand: a KVM that emulates the guest may not know IRET. */
handler:
    mov $STACK, %esp
    incl ticks
    mov $0x20, %al
    out %al, $PIC
    cmpl $TICKS, ticks
    jb 1b
    print 't'
    leave_with PASS

ticks:
    .long 0
idt_pointer:
    .word (VECTOR + 1) * 8 - 1
    .long idt_entry - VECTOR * 8
    .balign 8
idt_entry:
    .word 0, GDT_CODE, 0x8e00, 0
