/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * The first sectors of a disk, for a BIOS. The first one reads the second by
 * int 13h, whose text it prints by int 10h; its own B goes to COM1 by port. What
 * follows depends on the byte of the second one that the test writes: P leaves
 * with PASS; R resets the machine through the keyboard controller the first
 * time, C through port 0xcf9, J jumps to the BIOS's entry, each counted in a
 * byte of CMOS that survives a reset.
 */
#include "bios.inc"
    .code16
    .text
    .globl _start
_start:
    ljmp $0, $1f
1:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    mov %dl, drive
    mov $0x3f8, %dx
    mov $'B', %al
    out %al, %dx
    mov $packet, %si
    mov $0x42, %ah
    mov drive, %dl
    int $0x13
    mov $'X', %al
    jc say
    print second_text
    mov second_choice, %bl
    cmp $'P', %bl
    je leave
    mov $0x50, %al
    out %al, $0x70
    in $0x71, %al
    test %al, %al
    jnz leave
    inc %al
    out %al, $0x71
    cmp $'R', %bl
    je keyboard
    cmp $'C', %bl
    je port
    ljmp $0xf000, $0xfff0
keyboard:
    mov $0xfe, %al
    out %al, $0x64
    jmp hang
port:
    mov $0xcf9, %dx
    mov $0x06, %al
    out %al, %dx
hang:
    hlt
    jmp hang
leave:
    pass
say:
    mov $0x3f8, %dx
    out %al, %dx
    jmp hang

drive:
    .byte 0
    .balign 4
packet:
    .byte 16, 0
    .word 1
    .word second_text, 0
    .quad 1

    .org 510
    .word 0xaa55
second_text:
    .asciz "second sector\r\n"
    .org 512 + 64
second_choice:
    .byte 'P'
    .org 1024
