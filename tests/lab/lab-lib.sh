# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Helpers for scripts on the lab host. Results are in the form of TAP: each check is one
# line "ok" or "not ok"; lab_done prints the plan and ends the script.

lab_count=0
lab_failed=0

# lab_ok NAME: reports success
lab_ok() {
    lab_count=$((lab_count + 1))
    echo "ok $lab_count - $1"
}

# lab_fail NAME [FILE...]: reports a failure and shows the ends of the files
lab_fail() {
    local name=$1 file
    shift
    lab_count=$((lab_count + 1))
    lab_failed=$((lab_failed + 1))
    echo "not ok $lab_count - $name"
    for file; do
        echo "# --- $file"
        tail -n 30 "$file" 2>/dev/null | tr -d '\r' | sed 's/^/# /'
        echo # the file may end within a line
    done
}

# lab_check NAME COMMAND...: the command must succeed; its output is shown
# only when it does not
lab_check() {
    local name=$1 out
    shift
    out=$(mktemp)
    if "$@" >"$out" 2>&1; then
        lab_ok "$name"
    else
        lab_fail "$name" "$out"
    fi
    rm -f "$out"
}

# lab_wait SECONDS COMMAND...: repeats the command until it succeeds
lab_wait() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

lab_done() {
    echo "1..$lab_count"
    exit $((lab_failed > 0))
}

# lab_domain_xml NAME VCPUS CMDLINE ELEMENTS SERIAL: a domain that runs the
# lab's guest; SERIAL is the type of its first serial line
lab_domain_xml() {
    cat <<XML
<domain type='kvm'>
  <name>$1</name>
  <memory unit='MiB'>256</memory>
  <vcpu>$2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/lab/guest/vmlinuz</kernel>
    <initrd>/lab/guest/initrd</initrd>
    <cmdline>console=ttyS0 quiet $3</cmdline>
  </os>
  <features><acpi/><apic/></features>
  $4
  <devices>
    <serial type='$5'><target port='0'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
XML
}

# lab_expect SECONDS NAME PATTERN FILE: the file must come to have it
lab_expect() {
    local start=$SECONDS
    if lab_wait "$1" grep -q "$3" "$4"; then
        lab_ok "$2 ($((SECONDS - start)) s)"
    else
        lab_fail "$2" "$4"
    fi
}
