#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# An engine by hand: a domain document on a terminal, with no daemon at all.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm

export XDG_CACHE_HOME=$work/cache

# domain KERNEL [DEVICES]
domain() {
    domain_document "<type>hvm</type><kernel>$1</kernel>" "${2-<console type='pty'/>}"
}

# The console is the terminal, though the document says pty.
domain "$payloads/hello.elf"
by_hand 10
expect_status "$PASS"
[ -n "$out" ] || fail 'nothing on the terminal'
hello=$out
[ -z "$err" ] || fail "messages: $err"

# A device on the PCI bus changes nothing for those who do not use it.
domain "$payloads/hello.elf" "<console type='pty'/><rng model='virtio'>
    <backend model='random'>/dev/urandom</backend></rng>"
by_hand 10
expect_status "$PASS"
[ "$out" = "$hello" ] || fail 'another output with a device'
[ -z "$err" ] || fail "messages: $err"

# One that cannot be opened is named.
domain "$payloads/hello.elf" "<console type='pty'/><rng model='virtio'>
    <backend model='random'>$work/none</backend></rng>"
by_hand 10
[ "$status" != "$PASS" ] || fail 'started without its source'
[[ $err == *"<rng>: "*"$work/none"* ]] || fail "messages: $err"

# A file gets the same, and nothing is on the terminal.
domain "$payloads/hello.elf" "<serial type='file'><source path='$work/file'/>
    <log file='$work/log'/></serial>"
by_hand 10
expect_status "$PASS"
expect_out ''
[ "$(tr -d '\0' <"$work/file")" = "$hello" ] || fail 'the file differs'
cmp "$work/file" "$work/log" || fail 'the log differs'

# What does not matter is said, what matters is refused by name.
domain "$payloads/hello.elf" "<console type='pty'/><video/>"
by_hand 10
expect_status "$PASS"
expect_err '<video>'
domain "$payloads/hello.elf" "<console type='pty'/><filesystem/>"
by_hand 10
expect_status 1
expect_err '<filesystem>'
expect_out ''

# Files that are not what they should be
domain "$work/gone"
by_hand 10
expect_status 1
expect_err "$work/gone"
domain /
by_hand 10
expect_status 1
expect_err 'not a regular file'
echo '<domain' >"$xml"
by_hand 10
expect_status 1
expect_err '(domain_definition):'
rm "$xml"
by_hand 10
expect_status 1
expect_err "$xml"
