# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# What the shell's tests share. Each test sources it first; it makes a folder
# of its own in $dir, where everything the programs keep goes, and removes it.

set -u
build=${abs_top_builddir:-$PWD}
source=${abs_top_srcdir:-$PWD}
export vshell=$build/vshell
dir=$(mktemp -d /tmp/vsh-XXXXXX)
failures=0

export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_CACHE_HOME=$dir/cache \
    XDG_CONFIG_HOME=$dir/config XDG_DATA_HOME=$dir/data \
    XDG_STATE_HOME=$dir/state
export LC_ALL=C.UTF-8 TERM=xterm NO_COLOR=1
export VIRTKVM_DAEMON=$build/virtkvmd VIRTKVM_ENGINE=$build/virtkvm-engine \
    VIRTKVM_DRIVER_DIR=$build/driver/core/.libs \
    VIRTKVM_MODULE_DIR=$build/.libs VIRTKVM_SCHEMA_DIR=$source/schemas
unset VSHELL_DEFAULT_CONNECT_URI LIBVIRT_DEFAULT_URI VSHELL_HISTSIZE \
    VISUAL EDITOR
mkdir -p "$dir/run" "$dir/cache" "$dir/config" "$dir/data" "$dir/state"
chmod 700 "$dir/run"

# Ends the daemons that vshell started for this test: their command line or
# environment names our folder.
end_daemons() {
    local pid
    for pid in $(pgrep -f "^$VIRTKVM_DAEMON "); do
        if tr '\0' '\n' < "/proc/$pid/environ" 2> /dev/null |
            grep -qx "HOME=$dir"; then
            kill "$pid" 2> /dev/null
            # it holds files in our folder until it has ended
            for _ in $(seq 50); do
                [ -d "/proc/$pid" ] || break
                grep -q '^State:.*Z' "/proc/$pid/status" 2> /dev/null && break
                sleep 0.1
            done
        fi
    done
}

cleanup() {
    end_daemons
    rm -rf "$dir"
}
trap cleanup EXIT

skip() {
    echo "SKIP: $*"
    exit 77
}

# requires PROGRAM...: skip without one of them
requires() {
    local program
    for program; do
        command -v "$program" > /dev/null || skip "$program is not installed"
    done
}

# requires_daemon DRIVER: skip unless the daemon and the driver are built
requires_daemon() {
    [ -x "$VIRTKVM_DAEMON" ] || skip "virtkvmd is not built"
    [ -e "$VIRTKVM_DRIVER_DIR/$1.so" ] || skip "the driver $1 is not built"
}

requires_kvm() {
    [ -e /dev/kvm ] || skip "there is no /dev/kvm"
    # A redirection that fails ends a script, but not a subshell's.
    (: <> /dev/kvm) 2> /dev/null || skip "/dev/kvm cannot be opened"
}

fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# expect STATUS TEXT COMMAND...: the status, and all of standard output
expect() {
    local status=$1 text=$2 got rc
    shift 2
    got=$("$@" 2> "$dir/stderr")
    rc=$?
    [ "$rc" = "$status" ] || fail "status $rc, not $status: $*"
    [ "$got" = "$text" ] || {
        fail "output of: $*"
        diff <(printf '%s\n' "$text") <(printf '%s\n' "$got")
    }
}

# expect_error STATUS TEXT COMMAND...: the status, and TEXT in standard error
expect_error() {
    local status=$1 text=$2 rc
    shift 2
    "$@" > "$dir/stdout" 2> "$dir/stderr"
    rc=$?
    [ "$rc" = "$status" ] || fail "status $rc, not $status: $*"
    grep -qF -- "$text" "$dir/stderr" || {
        fail "'$text' is not in the errors of: $*"
        cat "$dir/stderr"
    }
}

# expect_json EXPRESSION COMMAND...: the output is JSON, and the Python
# expression about it (x) is true
expect_json() {
    local expression=$1
    shift
    "$@" 2> "$dir/stderr" > "$dir/stdout" || fail "status $?: $*"
    /usr/bin/python3 -c "
import json, sys
x = json.load(open(sys.argv[1]))
sys.exit(not ($expression))" "$dir/stdout" || {
        fail "not so: $expression: $*"
        cat "$dir/stdout" "$dir/stderr"
    }
}

# What differs between two runs of the same program is made equal.
normal() {
    sed -E -e 's/^(CPU time:).*/\1/' \
        -e 's/^([a-z0-9:]+ [rtw][dxr]_[a-z]+|[a-z]+ errs) [0-9]+$/\1 N/' \
        -e 's/^( (number of|error count).*:) +[0-9]+$/\1 N/'
}

# compare LINE: output, and whether it failed, are those of virsh
compare() {
    local theirs ours
    theirs=$(virsh -c test:///default "$1" 2> "$dir/e1"; echo "rc=$?")
    ours=$("$vshell" -c test:///default "$1" 2> "$dir/e2"; echo "rc=$?")
    # the classes of errors are ours alone
    case $theirs in *rc=0) ;; *) ours=${ours%rc=*}rc=1 ;; esac
    [ "$(normal <<< "$theirs")" = "$(normal <<< "$ours")" ] && return
    fail "differs: $1"
    diff <(normal <<< "$theirs") <(normal <<< "$ours")
    cat "$dir/e2"
}

# compare_error LINE: the first line of the errors as well
compare_error() {
    compare "$1"
    [ "$(head -1 "$dir/e1")" = "$(head -1 "$dir/e2")" ] && return
    fail "the error differs: $1"
    diff <(head -1 "$dir/e1") <(head -1 "$dir/e2")
}

# completes WORD...: what the last word can be, as bash completes it
completes() {
    bash -c 'PATH=$1:$PATH
        . "$2/shell/bash-completion/vshell"
        shift 2
        COMP_WORDS=(vshell -c test:///default "$@")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        compopt() { echo "$*"; }
        _vshell
        printf "%s\n" "${COMPREPLY[@]}"' bash "$build" "$source" "$@"
}

finish() {
    [ "$failures" = 0 ] && exit 0
    echo "$failures failures"
    exit 1
}
