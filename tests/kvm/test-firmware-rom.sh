#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# SeaBIOS finds the expansion ROM of a network device, copies and runs it. iPXE
# goes on from there in protected mode: see the lab.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
# shellcheck source=tests/kvm/bios-lib.sh
. "${abs_top_srcdir:?}/tests/kvm/bios-lib.sh"
requires_kvm
requires_bios

# net ROM: a network device with the ROM behind a descriptor or a path
net() {
    printf '"devices": [{"type": "virtio-net", "id": "net0", "slot": 3, "mac": "52:54:00:12:34:56",'
    printf ' "rom": {%s}, "backend": {"type": "user"}}]' "$1"
}

# A byte that makes the image's sum zero
sum=$(od -An -v -tu1 "$payloads/option-rom.bin" | awk '{ for (i = 1; i <= NF; i++) s += $i } END { print (256 - s % 256) % 256 }')
cp "$payloads/option-rom.bin" "$work/rom"
# shellcheck disable=SC2059 # the format is the byte
printf "\\$(printf %o "$sum")" | dd of="$work/rom" bs=1 seek=6 conv=notrunc status=none

exec 8<"$work/rom"
bios_document rom "$(net '"fd": 8')"
run 100
expect_status "$PASS"
expect_console 'the ROM runs'

# What is none is refused by name.
head -c 2000 /dev/zero >"$work/zeroes"
bios_document zeroes "$(net "\"path\": \"$work/zeroes\"")"
run 10
expect_status 1
expect_err 'no expansion ROM'
expect_err "$work/zeroes"
truncate -s 17M "$work/large"
bios_document large "$(net "\"path\": \"$work/large\"")"
run 10
expect_status 1
expect_err '16 MiB'

# A domain document names it, or that there is none.
# domain ROM
domain() {
    domain_document "<type machine='q35'>hvm</type>" "
        <interface type='user'><boot order='1'/>$1</interface>
        <disk type='file'><source file='$work/disk'/><target dev='vda' bus='virtio'/>
          <boot order='2'/></disk>
        <console type='pty'/>"
    by_hand 100
}
sector "$work/disk" P "the disk"
domain "<rom file='$work/rom'/>"
expect_status "$PASS"
expect_console 'the ROM runs'
expect_no_console 'the disk'
domain "<rom enabled='no'/>"
expect_status "$PASS"
expect_console 'the disk'
expect_no_console 'ROM'
