#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Bad machine documents, files and options: a clear error, nothing else.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm


# refused TEXT: the engine must not start, and must say TEXT everywhere it can
refused() {
    run 10
    expect_status 1
    expect_err "$1"
    expect_note '"reason":"start-failed"'
    expect_note "$1"
    [ -z "$out" ] || fail "a guest ran: '$out'"
}

document unknown hello '"colour": "blue"'
refused "'colour'"
document zero hello '"vcpus": 0'
refused "'vcpus'"
document many hello '"vcpus": 4096'
refused 'vCPUs'
document huge hello '"memory": 35184372088832'
refused "more than the host's"
document tiny hello '"memory": 4096'
refused "'memory'"
document closed hello '"initrd": {"fd": 77}'
refused '77'
document gone gone
refused 'gone.elf'
document folder ../payload
doc=$work/folder.json
printf '{"name": "a", "uuid": "8f7c5a3e-0d59-4a3c-9f0a-5b6a1c2d3e4f", "memory": 67108864, "kernel": {"path": "/"}}' >"$doc"
refused "'/'"
echo 'not json' >"$doc"
refused 'not a JSON object'
: >"$doc"
refused 'not a JSON object'
head -c 2000000 /dev/zero | tr '\0' ' ' >"$doc"
refused 'limit'
doc=$work/absent.json
refused 'absent.json'

# The document through a descriptor: a file, and a pipe whose writer has died.
document piped hello
status=0
"$engine" --machine-fd 0 <"$doc" >"$work/run.out" 2>"$work/run.err" || status=$?
expect_status $PASS
status=0
# shellcheck disable=SC2002 # a pipe is the point
cat "$doc" | "$engine" --machine-fd=0 >"$work/run.out" 2>"$work/run.err" || status=$?
expect_status $PASS
status=0
head -c 20 "$doc" | "$engine" --machine-fd 0 >"$work/run.out" 2>"$work/run.err" || status=$?
expect_status 1

for options in "" "--machine" "--frob" "--machine-fd x" "--machine-fd -1" \
    "--machine $doc --xml $doc" "--version=3" "stray"; do
    status=0
    # shellcheck disable=SC2086 # several words
    timeout 5 "$engine" $options >"$work/run.out" 2>"$work/run.err" </dev/null || status=$?
    expect_status 1
    [ -s "$work/run.err" ] || fail "no message for '$options'"
done
"$engine" --help | grep -q -- --machine-fd || fail "no help"
"$engine" --version | grep -q '^virtkvm-engine [0-9]' || fail "no version"
