#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# An engine by hand: a domain document on a terminal, with no daemon at all.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm

export VIRTKVM_MODULE_DIR=${abs_top_builddir:?}/.libs
export XDG_CACHE_HOME=$work/cache
xml=$work/domain.xml

# domain KERNEL [DEVICES]: writes $xml
domain() {
    cat >"$xml" <<EOF
<domain type='kvm'>
  <name>by-hand</name>
  <metadata>
    <virtkvm:config xmlns:virtkvm='urn:virtkvm:domain:1'>
      <virtkvm:debug-exit/>
    </virtkvm:config>
  </metadata>
  <memory unit='MiB'>64</memory>
  <os>
    <type>hvm</type>
    <kernel>$1</kernel>
  </os>
  <features><acpi/></features>
  <devices>${2-<console type='pty'/>}</devices>
</domain>
EOF
}

# by_hand: runs the engine on $xml and sets $status, $out and $err
by_hand() {
    status=0
    timeout -k 5 10 "$engine" --xml "$xml" </dev/null \
        >"$work/run.out" 2>"$work/run.err" || status=$?
    out=$(tr -d '\0' <"$work/run.out")
    err=$(cat "$work/run.err")
}

# The console is the terminal, though the document says pty.
domain "$payloads/hello.elf"
by_hand
expect_status "$PASS"
[ -n "$out" ] || fail 'nothing on the terminal'
hello=$out
[ -z "$err" ] || fail "messages: $err"

# A device on the PCI bus changes nothing for those who do not use it.
domain "$payloads/hello.elf" "<console type='pty'/><rng model='virtio'>
    <backend model='random'>/dev/urandom</backend></rng>"
by_hand
expect_status "$PASS"
[ "$out" = "$hello" ] || fail 'another output with a device'
[ -z "$err" ] || fail "messages: $err"

# One that cannot be opened is named.
domain "$payloads/hello.elf" "<console type='pty'/><rng model='virtio'>
    <backend model='random'>$work/none</backend></rng>"
by_hand
[ "$status" != "$PASS" ] || fail 'started without its source'
[[ $err == *"<rng>: "*"$work/none"* ]] || fail "messages: $err"

# A file gets the same, and nothing is on the terminal.
domain "$payloads/hello.elf" "<serial type='file'><source path='$work/file'/>
    <log file='$work/log'/></serial>"
by_hand
expect_status "$PASS"
expect_out ''
[ "$(tr -d '\0' <"$work/file")" = "$hello" ] || fail 'the file differs'
cmp "$work/file" "$work/log" || fail 'the log differs'

# What does not matter is said, what matters is refused by name.
domain "$payloads/hello.elf" "<console type='pty'/><video/>"
by_hand
expect_status "$PASS"
expect_err '<video>'
domain "$payloads/hello.elf" "<console type='pty'/><filesystem/>"
by_hand
expect_status 1
expect_err '<filesystem>'
expect_out ''

# Files that are not what they should be
domain "$work/gone"
by_hand
expect_status 1
expect_err "$work/gone"
domain /
by_hand
expect_status 1
expect_err 'not a regular file'
echo '<domain' >"$xml"
by_hand
expect_status 1
expect_err '(domain_definition):'
rm "$xml"
by_hand
expect_status 1
expect_err "$xml"
