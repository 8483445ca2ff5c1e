#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# A guest resets itself and starts again in the same process, or as it chose.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm

requires socat

for how in c k t; do
    document "reset-$how" reset "\"cmdline\": \"$how\""
    run 10
    expect_out 12
    expect_status $PASS

    document "destroy-$how" reset "\"cmdline\": \"$how\"" '"on_reboot": "destroy"'
    run 10
    expect_out 1
    expect_status 0
    expect_note '"reason":"guest-reset"'
done

is_shut_down() {
    ask query-status | grep -q '"status": *"shutdown"'
}

# on_reboot preserve: it stays, stopped, until it is reset from outside.
document preserve reset '"cmdline": "k"' '"on_reboot": "preserve"'
start
eventually 5 test -s "$work/start.out" || fail "no output"
eventually 5 is_shut_down || fail "not preserved"
ask system_reset cont >/dev/null
finish
expect_status $PASS
[ "$(cat "$work/start.out")" = 12 ] || fail "no second round"

has_bytes() {
    [ "$(wc -c <"$work/start.out")" -eq "$1" ]
}

# From outside, again and again, with several vCPUs.
document outside idle '"vcpus": 2'
start
eventually 5 test -s "$work/start.out" || fail "no output"
for count in 2 3 4 5 6; do
    ask system_reset >/dev/null
    eventually 5 has_bytes "$count" || fail "reset $((count - 1))"
done
