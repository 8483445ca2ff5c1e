#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# The manual page describes the commands and options that there are.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
page=$source/docs/vshell.pod

"$vshell" -q help --pod > "$dir/made"
sed '1,/^=for comment BEGIN COMMANDS/d; /^=for comment END COMMANDS/,$d' \
    "$page" | sed 1d > "$dir/kept"
diff "$dir/kept" "$dir/made" > "$dir/diff" || {
    fail "run 'make update-vshell-manual'"
    head -20 "$dir/diff"
}
[ "$(grep -c '^=head3' "$dir/made")" -ge 68 ] || fail "commands are missing"

# the program's own options and the environment
for option in $("$vshell" --help | sed -n 's/.*\(--[a-z-]*\)[ =[].*/\1/p' |
    sort -u); do
    grep -q -- "B<$option>" "$page" || fail "$option is not described"
done
for name in $(grep -oh '"VSHELL_[A-Z_]*"' "$source"/shell/*.c | tr -d '"' |
    sort -u); do
    grep -q "C<$name>" "$page" || fail "$name is not described"
done
if command -v podchecker > /dev/null; then
    podchecker "$page" > "$dir/check" 2>&1 || {
        fail "the page is malformed"
        cat "$dir/check"
    }
fi
finish
