/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * What every virtual machine of the benchmarks runs: one byte on COM1, then
 * as the build says.
 *   ROM     16-bit code for a reset vector, else a 32-bit ELF with a PVH note
 *   LOOP=n  n writes to a port that nobody claims, then a second byte
 *   LEAVE   ends the machine (debug exit, else the keyboard controller), else
 *           it halts for ever
 */
#define COM1      0x3f8
#define NOBODY    0x80
#define EXIT_PORT 0xf4
#define I8042     0x64

#ifdef ROM
    .code16
#else
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long _start
    .code32
#endif
    .text
    .globl _start
_start:
    cli
    mov $COM1, %dx
    mov $'~', %al
    out %al, %dx
#ifdef LOOP
    mov $LOOP, %ecx
    mov $NOBODY, %dx
1:
    out %al, %dx
    dec %ecx
    jnz 1b
    mov $COM1, %dx
    mov $'!', %al
    out %al, %dx
#endif
#ifdef LEAVE
    xor %al, %al
    out %al, $EXIT_PORT
    mov $0xfe, %al
    out %al, $I8042
#endif
2:
    hlt
    jmp 2b

#ifdef ROM
    .section .reset, "ax"
    .globl reset
reset:
    ljmp $0xf000, $0
#endif
