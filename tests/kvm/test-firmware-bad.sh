#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Firmware that is none, and disks that nothing boots from.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
# shellcheck source=tests/kvm/bios-lib.sh
. "${abs_top_srcdir:?}/tests/kvm/bios-lib.sh"
requires_kvm
requires_bios
requires socat

# refused FILE MESSAGE
refused() {
    bios_document refused "\"firmware\": {\"type\": \"rom\", \"path\": \"$1\"}"
    run 10
    expect_status 1
    expect_err "$2"
    expect_err "$1"
}

refused "$work/absent" 'No such file or directory'
: >"$work/empty"
refused "$work/empty" 'is empty'
head -c 200000 "$bios" >"$work/truncated"
refused "$work/truncated" 'it may be truncated'
truncate -s 32M "$work/large"
refused "$work/large" '16 MiB at most'
truncate -s 256K "$work/foreign"
refused "$work/foreign" 'nothing to execute where a processor begins'
head -c 131072 "$bios" >"$work/half"
refused "$work/half" 'nothing to execute'
refused "$work" 'is a directory'

bios_document microvm '"machine": "microvm"'
run 10
expect_status 1
expect_err "'firmware'"

# The firmware's own message reaches console and log, and the domain stays
# manageable.
truncate -s 1M "$work/blank"
exec 8<"$work/blank"
bios_document blank "\"devices\": [$(blk disk0 3 8 1)]"
start
says_so() {
    tr -d '\r' <"$work/start.out" | grep -q 'not a bootable disk' &&
        grep -q 'firmware: No bootable device' "$work/start.err"
}
eventually 60 says_so || fail "no message"
ask query-status | grep -q '"status": *"running"' || fail "not running"
ask quit >/dev/null
finish
expect_note '"reason":"host-quit"'
