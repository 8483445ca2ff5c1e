/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* Multiboot 1: eax and the flag of a memory size. */
#include "payload.h"

#define HEADER_MAGIC 0x1badb002
#define LOADER_MAGIC 0x2badb002
#define INFO_MEMORY  1

    .section .head, "ax"
    .balign 4
    .long HEADER_MAGIC, 0, -HEADER_MAGIC

    .section .text
    .code32
    .globl _start
_start:
    cmp $LOADER_MAGIC, %eax
    check_equal 1
    mov (%ebx), %eax
    and $INFO_MEMORY, %eax
    cmp $INFO_MEMORY, %eax
    check_equal 2
    print '~'
    print '\n'
    leave_with PASS
