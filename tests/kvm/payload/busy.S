/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Keeps every vCPU busy with accesses that leave for the engine, after as many
 * as the command line's digit have been started. The first one prints a dot now
 * and then.
 */
#include "payload.h"

#define LAPIC       0xfee00000
#define SVR         0xf0
#define ICR         0x300
#define ENABLE      0x1ff
#define ALL_INIT    0xc4500
#define ALL_STARTUP 0xc4600
#define TRAMPOLINE  0x60000
#define POST_PORT   0x80
#define ROUNDS      200

    pvh_entry _start
    .globl _start
_start:
    mov $trampoline, %esi
    mov $TRAMPOLINE, %edi
    mov $trampoline_end - trampoline, %ecx
    rep movsb
    mov $LAPIC, %edi
    movl $ENABLE, SVR(%edi)
    movl $ALL_INIT, ICR(%edi)
    movl $ALL_STARTUP | (TRAMPOLINE >> 12), ICR(%edi)
1:  mov $ROUNDS, %ecx
2:  out %al, $POST_PORT
    loop 2b
    print '.'
    jmp 1b

    .code16
trampoline:
    cli
1:  out %al, $POST_PORT
    in $POST_PORT, %al
    jmp 1b
trampoline_end:
