# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# TAP for the checks of the project itself.

cd "${abs_top_srcdir:?}" || exit 99
check_count=0

# check NAME COMMAND...: passes when the command prints nothing
check() {
    local name=$1 out
    shift
    check_count=$((check_count + 1))
    out=$("$@" 2>&1)
    if [ -z "$out" ]; then
        echo "ok $check_count - $name"
    else
        echo "not ok $check_count - $name"
        printf '%s\n' "$out" | head -n 40 | sed 's/^/# /'
    fi
}

# skip NAME REASON
skip() {
    check_count=$((check_count + 1))
    echo "ok $check_count - $1 # SKIP $2"
}

# refuses NAME COMMAND...: passes when the command prints something: a check
# that finds nothing in what was made wrong would find nothing ever
refuses() {
    local name=$1
    shift
    # shellcheck disable=SC2317 # called by name
    silent() { [ -n "$("$@" 2>&1)" ] || echo "nothing was found"; }
    check "$name" silent "$@"
}

check_done() {
    echo "1..$check_count"
}

# source_files PATTERN...: of the tree's own, by name
source_files() {
    local args=() pattern
    for pattern; do
        args+=(-o -name "$pattern")
    done
    find driver shell tests -type f \( "${args[@]:1}" \) | LC_ALL=C sort
}
