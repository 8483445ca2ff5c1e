# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Helpers for the tests of this folder: a test runs payload guests on this
# machine's own KVM, of whatever sort that is. A test that fails says why and
# shows the engine's messages; one that cannot run says why and exits 77.
# Everything it makes is in $work, which is removed, and what it starts ends
# with it.
set -u

engine=${abs_top_builddir:?}/virtkvm-engine
payloads=${abs_top_builddir:?}/tests/kvm/payload
work=$(mktemp -d "${TMPDIR:-/tmp}/virtkvm-test.XXXXXX") || exit 99
started=()
export VIRTKVM_MODULE_DIR=${abs_top_builddir:?}/.libs # for those of the build tree
export PASS=85 # the engine's status when a payload leaves with its PASS

cleanup() {
    local pid
    for pid in ${started[@]+"${started[@]}"}; do
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 99' INT TERM HUP

skip() {
    echo "SKIP: $*"
    exit 77
}

fail() {
    local file
    echo "FAIL: $*"
    for file in "$work"/*.err "$work"/*.out; do
        [ -s "$file" ] || continue
        echo "--- ${file##*/}"
        head -c 4000 "$file" | tr -d '\r' | tail -n 60
    done
    exit 1
}

requires_kvm() {
    [ -e /dev/kvm ] || skip "there is no /dev/kvm"
    # A redirection that fails ends a script, but not a subshell's.
    (: <>/dev/kvm) 2>/dev/null || skip "/dev/kvm cannot be opened"
}

requires() {
    local tool
    for tool; do
        command -v "$tool" >/dev/null || skip "needs '$tool'"
    done
}

# document NAME PAYLOAD [MEMBER...]: writes a machine document and sets $doc.
# Each MEMBER is JSON: '"vcpus": 2'. The console is COM1 on standard output.
document() {
    local name=$1 payload=$2 member
    shift 2
    doc=$work/$name.json
    {
        printf '{"name": "%s", "uuid": "8f7c5a3e-0d59-4a3c-9f0a-5b6a1c2d3e4f",' "$name"
        printf '"kernel": {"path": "%s"}' "$payloads/$payload.elf"
        case "$*" in *'"debug_exit"'*) ;; *) printf ', "debug_exit": true' ;; esac
        case "$*" in *'"memory"'*) ;; *) printf ', "memory": 67108864' ;; esac
        case "$*" in *'"serials"'*) ;; *)
            printf ', "serials": [{"port": 0, "chardev": {"type": "stdio"}}]'
            ;;
        esac
        for member; do
            printf ', %s' "$member"
        done
        printf '}\n'
    } >"$doc"
}

# run SECONDS: runs the engine on $doc and sets $status, $out, $err
# and $note, the line of the exit file
run() {
    local seconds=$1
    : >"$work/exit"
    timeout -k 5 "$seconds" "$engine" --machine "$doc" --exit-fd 9 \
        </dev/null >"$work/run.out" 2>"$work/run.err" 9>"$work/exit"
    status=$?
    out=$(tr -d '\0' <"$work/run.out")
    err=$(cat "$work/run.err")
    note=$(cat "$work/exit")
    [ "$status" -ne 124 ] || fail "the engine did not end in $seconds s"
}

# domain_document OS DEVICES: writes a domain document and sets $xml
domain_document() {
    xml=$work/domain.xml
    cat >"$xml" <<EOF
<domain type='kvm'>
  <name>by-hand</name>
  <metadata>
    <virtkvm:config xmlns:virtkvm='urn:virtkvm:domain:1'>
      <virtkvm:debug-exit/>
    </virtkvm:config>
  </metadata>
  <memory unit='MiB'>64</memory>
  <os>$1</os>
  <features><acpi/></features>
  <devices>$2</devices>
</domain>
EOF
}

# by_hand SECONDS: runs the engine on $xml and sets $status, $out and $err
by_hand() {
    status=0
    timeout -k 5 "$1" "$engine" --xml "$xml" </dev/null \
        >"$work/run.out" 2>"$work/run.err" || status=$?
    out=$(tr -d '\0' <"$work/run.out")
    err=$(cat "$work/run.err")
    [ "$status" -ne 124 ] || fail "the engine did not end in $1 s"
}

expect_status() {
    [ "$status" -eq "$1" ] || fail "status $status instead of $1"
}

expect_out() {
    [ "$out" = "$1" ] || fail "the console shows '$out' instead of '$1'"
}

expect_err() {
    case $err in *"$1"*) ;; *) fail "no '$1' among the messages" ;; esac
}

expect_note() {
    case $note in *"$1"*) ;; *) fail "no '$1' in the exit file: '$note'" ;; esac
}

# start: runs the engine on $doc beside the test, with a control
# socket at $work/control; sets $pid. Its output goes to start.out, start.err.
start() {
    rm -f "$work/control"
    : >"$work/exit"
    "$engine" --machine "$doc" --control "$work/control" --exit-fd 9 \
        </dev/null >"$work/start.out" 2>"$work/start.err" 9>"$work/exit" &
    pid=$!
    started+=("$pid")
    eventually 5 test -S "$work/control" || fail "no control socket"
}

# finish: waits for the engine that start() ran and sets $status and $note
finish() {
    status=0
    wait "$pid" || status=$?
    note=$(cat "$work/exit")
}

# eventually SECONDS COMMAND...: repeats COMMAND until it succeeds
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -le "$deadline" ] || return 1
        sleep 0.02
    done
}

# ask COMMAND...: sends each to the control socket and prints what comes back,
# the greeting left out
ask() {
    local command
    for command; do
        printf '{"execute": "%s"}\n' "$command"
    done | socat -t 5 - "UNIX-CONNECT:$work/control" | tail -n +2
}
