#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# A guest that cannot go on: a report, and what the domain chose to happen then.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm

requires socat

# What KVM cannot emulate ends with a report.
document internal crash '"cmdline": "m"'
run 10
expect_status 2
expect_note '"reason":"internal-error"'
expect_note '"report":"vCPU 0: KVM internal error, suberror 1'
expect_err 'RIP=00000000c8000000'
expect_err 'RCX=0000000000001234'
expect_err 'write 1 bytes at port 0x3f8: 0x7e'
expect_err 'CR0='
case $err in
*'without hardware virtualization'*)
    [ -e /sys/module/kvm_pvm ] || fail "a KVM that is no PVM is called one"
    ;;
*)
    [ ! -e /sys/module/kvm_pvm ] || fail "the report keeps quiet about PVM"
    ;;
esac

# preserve: the domain stays for a look.
document preserve crash '"cmdline": "m"' '"on_crash": "preserve"'
start
eventually 5 grep -q 'suberror' "$work/start.err" || fail "no report"
ask query-status query-report cont system_reset quit >"$work/reply.out"
grep -q '"status": *"internal-error"' "$work/reply.out" || fail "status"
grep -q 'suberror 1' "$work/reply.out" || fail "query-report"
grep -q 'must be reset' "$work/reply.out" || fail "cont of a dead guest"
finish
expect_status 0

# A triple fault resets; without a reset it ends; for ever it ends with a report.
document fault crash '"cmdline": "t"' '"on_reboot": "destroy"'
run 10
expect_status 0
expect_note '"reason":"guest-reset"'
expect_out '~'
document loop crash '"cmdline": "t"'
run 10
expect_status 2
expect_note '"reason":"internal-error"'
expect_note 'triple fault'
expect_out '~~~~~~~~~'

# A panic that the guest tells: on_crash decides, and nothing more is executed.
document panic crash '"cmdline": "p"' '"pvpanic": true'
run 10
expect_status 2
expect_note '"reason":"guest-panicked"'
expect_out '~'
document panic-preserve crash '"cmdline": "p"' '"pvpanic": true' '"on_crash": "preserve"'
start
is_panicked() {
    ask query-status | grep -q '"status": *"guest-panicked"'
}
eventually 5 is_panicked || fail "not preserved"
[ "$(cat "$work/start.out")" = '~' ] || fail "it went on"
ask quit >/dev/null
finish
document panic-restart crash '"cmdline": "p"' '"pvpanic": true' '"on_crash": "restart"'
start
eventually 5 grep -q '~~~' "$work/start.out" || fail "not restarted"
ask quit >/dev/null
finish
