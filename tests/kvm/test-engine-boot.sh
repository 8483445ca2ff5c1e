#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Every way to boot: PVH, multiboot and the 64-bit entry; the command line.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm


for payload in hello hello-multiboot hello-long; do
    for machine in q35 pc microvm; do
        document "$payload" "$payload" "\"machine\": \"$machine\""
        run 10
        expect_status $PASS
        expect_out '~'
        expect_note '"reason":"debug-exit"'
        expect_note '"status":85'
    done
done

document cmdline cmdline '"cmdline": "hello=world  x"'
run 10
expect_out 'hello=world  x'
expect_status $((2 * 104 + 1 - (2 * 104 + 1) / 256 * 256))

# Without the setting the port is nobody's, and the guest goes on.
document closed hello '"debug_exit": false'
start
sleep 0.3
kill -0 "$pid" 2>/dev/null || fail "the debug exit is open without being asked for"
kill -TERM "$pid"
finish
expect_status 0
expect_note '"reason":"host-quit"'

# Memory on both sides of the hole below 4 GiB, if the host has that much.
if [ "$(awk '/^MemTotal/ {print $2}' /proc/meminfo)" -gt 8388608 ]; then
    document large hello '"memory": 6442450944'
    run 10
    expect_status $PASS
fi
