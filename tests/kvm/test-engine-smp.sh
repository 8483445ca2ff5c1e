#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Every vCPU answers INIT and the start-up message, also after a reset.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm


for vcpus in 1 2 4 9; do
    document "smp$vcpus" smp "\"vcpus\": $vcpus" "\"cmdline\": \"$((vcpus - 1))\""
    run 30
    expect_status $PASS
    expect_out "$((vcpus - 1))"
done
