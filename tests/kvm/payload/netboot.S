/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A network bootstrap program (PXE 2.1, 4.4.5): prints a line by int 10h and
 * leaves with PASS.
 */
    .code16
    .text
    .globl _start
_start:
    ljmp $0, $1f
1:  xor %ax, %ax
    mov %ax, %ds
    mov $text, %si
2:  lodsb
    test %al, %al
    jz 3f
    mov $0x0e, %ah
    mov $7, %bx
    int $0x10
    jmp 2b
3:  mov $42, %al
    out %al, $0xf4
4:  hlt
    jmp 4b
text:
    /* The dots are there because the firmware keeps back the last characters. */
    .asciz "\r\nloaded by the network...\r\n"
    .org 512
