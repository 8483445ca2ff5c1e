/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Ends by its own fault, as the command line says: t triple fault, m by running
 * into an address that has no memory, which KVM cannot emulate, p with a panic
 * that it tells.
 */
#include "payload.h"

#define NO_MEMORY    0xc8000000
#define PVPANIC_PORT 0x505
#define PANICKED     1

    pvh_entry _start
    .globl _start
_start:
    mov PVH_CMDLINE(%ebx), %esi
    print '~'
    cmpb $'p', (%esi)
    je panic
    cmpb $'m', (%esi)
    jne 1f
    mov $0x1234, %ecx
    mov $NO_MEMORY, %eax
    jmp *%eax
1:  lidt zero
    ud2
panic:
    mov $PVPANIC_PORT, %dx
    in %dx, %al
    and $PANICKED, %al
    out %al, %dx
    print '!'
    hlt
    .balign 8
zero:
    .quad 0
