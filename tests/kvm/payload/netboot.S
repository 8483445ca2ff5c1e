/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A network bootstrap program (PXE 2.1, 4.4.5): prints a line by int 10h and
 * leaves with PASS.
 */
#include "bios.inc"
    .code16
    .text
    .globl _start
_start:
    ljmp $0, $1f
1:  print text
    pass
text:
    /* The dots are there because the firmware keeps back the last characters. */
    .asciz "\r\nloaded by the network...\r\n"
    .org 512
