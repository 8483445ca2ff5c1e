#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# SeaBIOS finds the machine, boots a disk's first sector, and says so where
# there is none.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
# shellcheck source=tests/kvm/bios-lib.sh
. "${abs_top_srcdir:?}/tests/kvm/bios-lib.sh"
requires_kvm
requires_bios

# The sector goes back to the firmware's entry, once.
sector "$work/disk" J "the first disk"
exec 8<"$work/disk"
bios_document disk "\"machine\": \"pc\"" "\"devices\": [$(blk disk0 3 8 1)]"
run 100
expect_status "$PASS"
expect_console 'SeaBIOS'
[ "$(console | grep -c 'the first disk')" -eq 2 ] || fail "not two rounds"
expect_err 'firmware: Running on QEMU'
expect_err 'Booting from Hard Disk'
expect_err 'Copying SMBIOS'

# Without a serial console the sector still runs: its B comes by port. A reset
# by port begins it all again. The firmware waits for the processors that there
# are.
sector "$work/quiet" C "nobody reads this"
exec 7<"$work/quiet"
bios_document quiet '"vcpus": 3' '"boot": {}' "\"devices\": [$(blk disk0 3 7 1)]"
run 100
expect_status "$PASS"
expect_out BB
expect_err 'Found 3 cpu(s) max supported 3 cpu(s)'

# A domain document without a kernel; its console is the firmware's, too, and
# the disk that comes second is the one to boot.
sector "$work/one" P "the wrong disk"
sector "$work/two" P "the right disk"
domain_document "<type machine='q35'>hvm</type>" "
    <disk type='file'><source file='$work/one'/><target dev='vda' bus='virtio'/>
      <boot order='2'/></disk>
    <disk type='file'><source file='$work/two'/><target dev='vdb' bus='virtio'/>
      <boot order='1'/></disk>
    <console type='pty'/>"
by_hand 60
expect_status "$PASS"
expect_console 'the right disk'
expect_no_console 'the wrong disk'
