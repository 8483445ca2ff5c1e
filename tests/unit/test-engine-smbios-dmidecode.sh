#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
# dmidecode reads the SMBIOS tables without a complaint, and what was said.
set -eu
PATH=$PATH:/usr/sbin

if ! command -v dmidecode >/dev/null; then
    echo "dmidecode is not installed (package dmidecode)"
    exit 77
fi
program=${abs_top_builddir:?}/tests/unit/test-engine-smbios
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" --write "$folder/dump"
dmidecode --from-dump "$folder/dump" >"$folder/out" 2>&1
failed=0
has() {
    grep -qE "$1" "$folder/out" || { echo "lacks: $1"; failed=1; }
}
has 'SMBIOS 2.8 present'
has 'Vendor: bv'
has 'BIOS Revision: 4.20'
has 'System is a virtual machine'
has 'UUID: 00112233-4455-6677-8899-aabbccddeeff'
has 'SKU Number: sk'
has 'Location In Chassis: l1'
has 'Status: Populated, Enabled'
has 'String 2: two'
has 'Maximum Capacity: 256 MB'
has 'Size: 256 MB'
has 'Range Size: 256 MB'
has 'Status: No errors detected'
has 'End Of Table'
if grep -iE 'wrong|invalid|truncated|out of spec|bad index' "$folder/out"; then
    failed=1
fi
[ $failed = 0 ] || cat "$folder/out"
exit $failed
