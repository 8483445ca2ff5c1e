#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Start paused, stop, continue, quit and signals; the exit file.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm

requires socat

document paused hello '"paused": true'
start
ask query-status | grep -q '"status": *"prelaunch"' || fail "not prelaunch"
[ ! -s "$work/start.out" ] || fail "the guest runs before it may"
ask cont >/dev/null
finish
expect_status $PASS
[ "$(cat "$work/start.out")" = '~' ] || fail "no output"

for signal in TERM INT HUP; do
    document idle idle
    start
    eventually 5 test -s "$work/start.out" || fail "no output"
    kill -"$signal" "$pid"
    finish
    expect_status 0
    expect_note '"reason":"host-quit"'
    [ ! -e "$work/control" ] || fail "the control socket is left behind"
done

document idle idle
start
eventually 5 test -s "$work/start.out" || fail "no output"
ask stop stop cont cont query-cpus >"$work/reply.out"
[ "$(grep -c '"error"' "$work/reply.out")" -eq 2 ] || fail "stop or cont twice"
grep -q '"halted": *true' "$work/reply.out" || fail "HLT is not seen"
ask quit >/dev/null
finish
expect_status 0
expect_note '"reason":"host-quit"'

# An idle guest costs nothing: no tick while a second passes.
start
eventually 5 test -s "$work/start.out" || fail "no output"
sleep 0.3
before=$(grep -h ctxt_switches /proc/"$pid"/task/*/status | awk '{n += $2} END {print n}')
sleep 1
after=$(grep -h ctxt_switches /proc/"$pid"/task/*/status | awk '{n += $2} END {print n}')
[ "$before" -eq "$after" ] || fail "the idle engine woke up: $before to $after switches"
