/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Payload guests: ELF files of a few dozen instructions that check one thing
 * and leave by the debug exit. They begin in 32-bit protected mode with flat
 * segments, ebx at hvm_start_info (PVH), unless they define their own entry.
 *
 * The exit byte says how it went: PASS, or the number of the check that failed.
 * The engine's status is twice the byte, plus one.
 */
#pragma once

#define COM1      0x3f8
#define EXIT_PORT 0xf4
#define PASS      42

#define PVH_MAGIC        0x336ec578
#define PVH_CMDLINE      24 /* offsets in hvm_start_info */
#define PVH_MEMMAP       40
#define PVH_MEMMAP_COUNT 48

/* Scratch RAM that no loader writes: it survives a reset. */
#define SCRATCH 0x500000
#define STACK   0x480000

/* A note that says where to begin. */
.macro pvh_entry label
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long \label
    .section .text
    .code32
.endm

.macro print char
    mov $COM1, %dx
    mov $\char, %al
    out %al, %dx
.endm

.macro leave_with byte
    mov $\byte, %al
    out %al, $EXIT_PORT
    hlt
.endm

/* Leaves with @byte unless the last comparison was equal. */
.macro check_equal byte
    je 771f
    leave_with \byte
771:
.endm
