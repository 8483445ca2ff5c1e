# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Helpers for tests of firmware, after lib.sh.
bios=${SEABIOS:-/usr/share/seabios/bios-256k.bin}

requires_bios() {
    [ -r "$bios" ] || skip "needs '$bios' (package seabios)"
}

# bios_document NAME [MEMBER...]: as document(), of a machine that the BIOS
# starts; its console is COM1, too
bios_document() {
    local name=$1 member
    shift
    doc=$work/$name.json
    {
        printf '{"name": "%s", "uuid": "8f7c5a3e-0d59-4a3c-9f0a-5b6a1c2d3e4f",' "$name"
        printf '"debug_exit": true, "serials": [{"port": 0, "chardev": {"type": "stdio"}}]'
        case "$*" in *'"firmware"'*) ;; *)
            printf ', "firmware": {"type": "rom", "path": "%s"}' "$bios"
            ;;
        esac
        case "$*" in *'"boot"'*) ;; *) printf ', "boot": {"serial": true}' ;; esac
        case "$*" in *'"memory"'*) ;; *) printf ', "memory": 67108864' ;; esac
        for member; do
            printf ', %s' "$member"
        done
        printf '}\n'
    } >"$doc"
}

# sector FILE CHOICE TEXT: a disk of 1 MiB whose first sectors are the payload's.
# The dots are there because the firmware keeps back the last characters.
sector() {
    cp "$payloads/sector.bin" "$1"
    truncate -s 1M "$1" || fail "no disk"
    printf '%s...\r\n\0' "$3" | dd of="$1" bs=1 seek=512 conv=notrunc status=none
    printf '%s' "$2" | dd of="$1" bs=1 seek=576 conv=notrunc status=none
}

# blk ID SLOT FD BOOTINDEX: the device that has the disk behind a descriptor
blk() {
    printf '{"type": "virtio-blk", "id": "%s", "slot": %d, "bootindex": %d,' "$1" "$2" "$4"
    printf ' "drive": {"format": "raw", "fd": %d, "path": "%s"}, "readonly": true}' "$3" "$1"
}

# Nothing but what firmware and guests print
console() {
    tr -d '\0\r' <"$work/run.out" | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\x1bc//g'
}

expect_console() {
    console | grep -q -- "$1" || fail "no '$1' on the console"
}

expect_no_console() {
    ! console | grep -q -- "$1" || fail "there is '$1' on the console"
}
