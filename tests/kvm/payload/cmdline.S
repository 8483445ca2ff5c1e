/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* Prints its command line, and leaves with its first character. */
#include "payload.h"

    pvh_entry _start
    .globl _start
_start:
    mov PVH_CMDLINE(%ebx), %esi
    mov (%esi), %bl
    mov $COM1, %dx
1:  lodsb
    test %al, %al
    jz 2f
    out %al, %dx
    jmp 1b
2:  mov %bl, %al
    out %al, $EXIT_PORT
    hlt
