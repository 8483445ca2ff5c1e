/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Resets itself once, the way its command line says, and finds its memory
 * again: c 0xcf9, k keyboard controller, t triple fault. It prints its round.
 */
#include "payload.h"

#define KBD_COMMAND 0x64
#define KBD_RESET   0xfe
#define RESET_PORT  0xcf9

    pvh_entry _start
    .globl _start
_start:
    mov %cr0, %eax
    test $0x80000000, %eax
    mov $1, %al
    jnz fail
    mov PVH_CMDLINE(%ebx), %esi
    incb first /* the image is loaded again, so this is 1 again */
    cmpb $1, first
    mov $2, %al
    jne fail
    incl SCRATCH
    mov SCRATCH, %eax
    cmp $2, %eax
    je done
    print '1'
    mov (%esi), %al
    cmp $'c', %al
    je by_port
    cmp $'k', %al
    je by_keyboard
    lidt zero
    ud2
by_port:
    mov $RESET_PORT, %dx
    mov $6, %al
    out %al, %dx
    jmp stay
by_keyboard:
    mov $KBD_RESET, %al
    out %al, $KBD_COMMAND
stay:
    hlt /* not reached: the vCPU that asks executes nothing further */
    mov $3, %al
fail:
    out %al, $EXIT_PORT
    hlt
done:
    print '2'
    print '\n'
    leave_with PASS

    .balign 8
zero:
    .quad 0
first:
    .byte 0
