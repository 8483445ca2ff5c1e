/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * An expansion ROM (PCI Local Bus 3.0, 6.3) of virtio's transitional network
 * device: says so by int 10h when firmware begins it, and leaves with PASS. All
 * its bytes sum up to zero: the test sets the one at 6.
 */
#include "bios.inc"
    .code16
    .text
    .globl _start
_start:
    .byte 0x55, 0xaa
    .byte 1024 / 512
    jmp begin
    .org 6
    .byte 0
    .org 0x18
    .word pcir
    .word 0
pcir:
    .ascii "PCIR"
    .word 0x1af4, 0x1000
    .word 0, 24
    .byte 0, 0, 0, 2        /* a network controller */
    .word 1024 / 512, 0
    .byte 0, 0x80           /* for PCs; the last image */
    .word 0
begin:
    print text
    pass
text:
    .asciz "\r\nthe ROM runs...\r\n"
    .org 1024
