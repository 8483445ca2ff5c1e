#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# A timer made at its first use wakes a vCPU from HLT, through the PIC.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm


document timer timer
run 20
expect_status $PASS
expect_out 't'

# Without one the guest sleeps on.
document none timer '"clock": {"pit": false}'
start
sleep 0.5
kill -0 "$pid" 2>/dev/null || fail "a timer that is not there ticked"
