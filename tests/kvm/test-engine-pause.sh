#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# 50 rounds of stop and continue with every vCPU busy: each stop is one.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm

requires socat

vcpus=3
document busy busy "\"vcpus\": $vcpus"
start
eventually 10 test -s "$work/start.out" || fail "the guest does not run"

# One connection for all rounds; the sum of the exits must stand still while
# the domain is stopped, and go on when it is not.
coproc control { socat - "UNIX-CONNECT:$work/control"; }
exec 3<&"${control[0]}" 4>&"${control[1]}"
read -r -t 5 <&3 || fail "no greeting"

# call COMMAND: sets $reply, past events
call() {
    printf '{"execute": "%s"}\n' "$1" >&4
    while read -r -t 10 reply <&3; do
        case $reply in *'"event"'*) ;; *) return ;; esac
    done
    fail "no answer to $1"
}

exits() {
    call query-cpus
    exits=$(grep -o '"exits": *[0-9]*' <<<"$reply" | awk '{n += $2} END {print n}')
}

goes_on() {
    exits
    [ "$exits" -gt "$first" ]
}

for round in $(seq 50); do
    call stop
    case $reply in *'"return"'*) ;; *) fail "round $round, stop: $reply" ;; esac
    exits
    first=$exits
    [ $((round % 10)) -ne 0 ] || sleep 0.05
    exits
    [ "$first" -eq "$exits" ] || fail "round $round: exits while stopped"
    call cont
    case $reply in *'"return"'*) ;; *) fail "round $round, cont: $reply" ;; esac
    eventually 5 goes_on || fail "round $round: stuck"
done
call quit
finish
expect_status 0
