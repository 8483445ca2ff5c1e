# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# What became of tests, from the .trs files that Automake's drivers leave beside
# the logs. The names of the files are relative or absolute, as they come.

passed=0 failed=0 skipped=0

if [ -t 1 ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    # shellcheck disable=SC2034 # for those who read this file
    bold='' red='' green='' plain=''
fi

# count NAME PASSED FAILED SKIPPED: a line for them; adds to the sum
count() {
    local colour=$green
    [ "$3" = 0 ] || colour=$red
    printf '%s%-12s%s %4d passed  %3d failed  %3d skipped\n' \
        "$colour" "$1" "$plain" "$2" "$3" "$4"
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
}

# results PATTERN [FILE...]: how many results are one of the words
results() {
    local pattern=$1
    shift
    [ $# -gt 0 ] || set -- /dev/null
    cat "$@" | grep -cE "^:test-result: ($pattern)\$" || :
}

# count_results NAME [FILE...]
count_results() {
    local name=$1
    shift
    count "$name" "$(results 'PASS|XFAIL' "$@")" \
        "$(results 'FAIL.*|XPASS.*|ERROR.*' "$@")" "$(results 'SKIP.*' "$@")"
}

# show_problems [FILE...]: the ends of failed tests' logs, and why tests were
# skipped
show_problems() {
    local trs base
    for trs; do
        base=${trs%.trs}
        if grep -qE '^:test-result: (FAIL|XPASS|ERROR)' "$trs"; then
            echo "----- ${red}failed${plain}: ${base#"$PWD"/}"
            grep -E '^(not ok|FAIL|ERROR)' "$base.log" | head -n 20
            echo "--- the end of its log"
            tail -n 20 "$base.log"
        elif grep -q '^:test-result: SKIP' "$trs"; then
            echo "skipped: ${base#"$PWD"/}: $(grep -v '^:' "$base.log" | tail -n 1)"
        fi
    done
}

# show_total: the plain sum; fails unless something passed and nothing failed
show_total() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
