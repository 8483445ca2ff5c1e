/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* The 64-bit entry: long mode, rsi at Linux's boot_params. */
#include "payload.h"

#define SETUP_HEADER 0x202       /* boot.rst: "HdrS" */
#define SETUP_MAGIC  0x53726448

    .section .text
    .code64
    .globl _start
_start:
    mov $1, %rax
    shl $40, %rax
    shr $40, %rax
    cmp $1, %rax
    check_equal 1
    cmpl $SETUP_MAGIC, SETUP_HEADER(%rsi)
    check_equal 2
    print '~'
    print '\n'
    leave_with PASS
