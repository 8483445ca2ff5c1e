#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# By hand on a terminal: says how to get out, takes every key but that one, and
# leaves the terminal as it was.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm
requires expect

document terminal idle
cat >"$work/talk" <<'E2'
set timeout 10
log_user 0
spawn -noecho bash -c "stty -a >$work/before; $engine --machine $doc; echo status=\$?; stty -a >$work/after"
expect {
    "'terminal' runs on this terminal; Ctrl-] ends it" {}
    timeout { puts "no greeting"; exit 1 }
}
expect {
    "~" {}
    timeout { puts "the guest does not run"; exit 1 }
}
send "\003\004"
sleep 0.3
send "\035"
expect {
    "status=0" {}
    timeout { puts "Ctrl-] does not end it"; exit 1 }
}
expect eof
E2
sed -i "s#\$work#$work#g; s#\$engine#$engine#; s#\$doc#$doc#" "$work/talk"
expect "$work/talk" >"$work/talk.out" 2>&1 || fail "the terminal"
cmp "$work/before" "$work/after" >"$work/cmp.out" 2>&1 || fail "the terminal is not what it was"
