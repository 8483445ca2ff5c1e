#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Devices are plugged in and out of a running machine, by the registers that a
# guest's ACPI uses.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm

control() {
    answer=$("${abs_top_builddir:?}/tests/kvm/control" "$work/control" "$@") ||
        fail "no answer: $answer"
}

# plug ID SLOT [MEMBERS]: adds a virtio-rng
plug() {
    control --open /dev/urandom "{\"execute\": \"device_add\", \"arguments\": {\"device\": {
        \"type\": \"virtio-rng\", \"id\": \"$1\", \"slot\": $2, ${3:-}\"fd\": 0}}}"
}

# unplug ID [OPTION...]
unplug() {
    local id=$1
    shift
    control "$@" "{\"execute\": \"device_del\", \"arguments\": {\"id\": \"$id\"}}"
}

expect_answer() {
    case $answer in *"$1"*) ;; *) fail "no '$1' in the answer '$answer'" ;; esac
}

says() {
    [ "$(cat "$work/start.out")" = "$1" ]
}

expect_says() {
    eventually 5 says "$1" || fail "not '$1' but '$(cat "$work/start.out")'"
}

count_fds() {
    set -- "/proc/$pid/fd/"*
    echo $#
}

# has_fds COUNT: who has ended a connection may be seen a little later
has_fds() {
    [ "$(count_fds)" -eq "$1" ]
}

# In and out again, in changing slots, and nothing is left over.
document rounds hotplug '"vcpus": 2' '"cmdline": "e"'
start
expect_says R
said=R
plug rng0 3
said+=P
expect_says $said
unplug rng0 --event DEVICE_DELETED
said+=G
expect_says $said
fds=$(count_fds)
for round in $(seq 5 12); do
    plug "rng$round" "$round"
    expect_answer '{"return": {}}'
    said+=P
    expect_says $said
    control '{"execute": "query-devices"}'
    expect_answer "[{\"id\": \"rng$round\", \"type\": \"virtio-rng\", \"slot\": $round, \"function\": 0}]"
    unplug "rng$round" --event DEVICE_DELETED
    expect_answer "\"data\": {\"id\": \"rng$round\"}"
    said+=G
    expect_says $said
done
eventually 5 has_fds "$fds" || fail "$fds descriptors before, $(count_fds) after"

# What cannot be is refused, and leaves nothing behind.
plug rng0 31
said+=P
expect_says $said
plug rng0 5
expect_answer "there is a device 'rng0' already"
plug rng1 31
expect_answer "PCI slot 0x1f is taken"
plug rng1 5 '"function": 1, '
expect_answer "only function 0"
plug rng1 5 '"iothread": 1, '
expect_answer "there is no I/O thread 1"
plug rng1 5 '"colour": 1, '
expect_answer "colour"
unplug rng7
expect_answer "there is no device 'rng7'"
control '{"execute": "query-devices"}'
expect_answer '[{"id": "rng0"'
eventually 5 has_fds $((fds + 2)) || fail "$((fds + 2)) descriptors expected, there are $(count_fds)"

# A device stays over a reset; one that a stopped guest was to let go of goes.
control '{"execute": "system_reset"}'
said+=R
expect_says $said
control '{"execute": "stop"}'
unplug rng0
expect_answer '{"return": {}}'
control '{"execute": "query-devices"}'
expect_answer '"rng0"'
control --event DEVICE_DELETED '{"execute": "system_reset"}'
control '{"execute": "query-devices"}' '{"execute": "cont"}'
expect_answer '{"return": []}'
said+=R
expect_says $said
control '{"execute": "quit"}'
finish
expect_status 0

# Guests that do not let go, or do not even listen
document refuses hotplug '"cmdline": "r"'
start
expect_says R
plug rng0 3
expect_says RP
unplug rng0 --event DEVICE_UNPLUG_GUEST_ERROR
expect_says RPK
control '{"execute": "query-devices"}'
expect_answer '"rng0"'
control '{"execute": "quit"}'
finish

document quiet hotplug '"cmdline": "q"' '"machine": "pc"'
start
expect_says R
plug rng0 3
unplug rng0
expect_says RPQ
control --event DEVICE_DELETED '{"execute": "system_reset"}'
control '{"execute": "quit"}'
finish

document deaf hotplug '"cmdline": "n"'
start
expect_says R
plug rng0 3
unplug rng0
expect_answer "does not listen"
control '{"execute": "quit"}'
finish

# Before its first instruction nobody needs to be asked.
document early hotplug '"cmdline": "e"' '"paused": true'
start
plug rng0 3
unplug rng0 --event DEVICE_DELETED
plug rng0 4
control '{"execute": "cont"}'
expect_says R
control '{"execute": "quit"}'
finish

# No PCI, or no ACPI
for how in '"machine": "microvm"' '"features": {"acpi": false}'; do
    document without hotplug "$how" '"cmdline": "n"'
    start
    expect_says R
    plug rng0 3
    expect_answer "cannot plug devices in or out"
    control '{"execute": "quit"}'
    finish
done
