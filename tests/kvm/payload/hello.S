/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* The least: one line on COM1. Also the boot information of PVH. */
#include "payload.h"

    pvh_entry _start
    .globl _start
_start:
    cmpl $PVH_MAGIC, (%ebx)
    check_equal 1
    print '~'
    print '\n'
    leave_with PASS
