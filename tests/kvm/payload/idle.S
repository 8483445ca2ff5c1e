/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* Says that it is up and sleeps for ever. */
#include "payload.h"

    pvh_entry _start
    .globl _start
_start:
    print '~'
    cli
1:  hlt
    jmp 1b
