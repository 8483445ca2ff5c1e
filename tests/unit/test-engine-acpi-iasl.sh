#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
# Every ACPI table disassembles, and compiles again without an error or warning.
set -eu

if ! command -v iasl >/dev/null; then
    echo "iasl is not installed (package acpica-tools)"
    exit 77
fi
program=${abs_top_builddir:?}/tests/unit/test-engine-acpi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" --write "$folder"
cd "$folder"
tables=(*.dat)
[ ${#tables[@]} -ge 16 ] || { echo "only ${#tables[@]} tables"; exit 1; }
failed=0
for table in "${tables[@]}"; do
    name=${table%.dat}
    if ! iasl -d "$table" >"$name.log" 2>&1 || grep -iE 'error|warning|invalid' "$name.log"; then
        echo "not disassembled: $table"
        cat "$name.log"
        failed=1
        continue
    fi
    if ! iasl -oa -p "$name-new" "$name.dsl" >"$name.log" 2>&1 ||
        ! grep -q ' 0 Errors, 0 Warnings' "$name.log"; then
        echo "not compiled without complaints: $table"
        cat "$name.log"
        failed=1
    elif ! cmp <(tail -c +37 "$table") <(tail -c +37 "$name-new.aml"); then
        echo "compiles to something else: $table"
        failed=1
    fi
done
exit $failed
