#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# What nobody claims reads as ones and takes writes, at any size and alignment.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm


for machine in q35 pc microvm; do
    document mmio mmio "\"machine\": \"$machine\""
    run 20
    expect_status $PASS
done

document ports ports '"serials": []'
run 60
expect_status $PASS

document string string
run 20
expect_status $PASS
expect_out 'the quick brown fox'
