#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# A guest with a driver of its own for a disk. What it writes to a transient
# disk is gone when the engine ends, in whatever way; else it stays.
# shellcheck source=tests/kvm/lib.sh
. "${abs_top_srcdir:?}/tests/kvm/lib.sh"
requires_kvm
requires qemu-img

export XDG_CACHE_HOME=$work/cache
folder=$work/images
mkdir "$folder"

# domain CMDLINE FORMAT MORE: with the disk $folder/image
domain() {
    domain_document \
        "<type>hvm</type><kernel>$payloads/transient.elf</kernel><cmdline>$1</cmdline>" \
        "<disk type='file'><driver name='qemu' type='$2' cache='writeback'/>
         <source file='$folder/image'/><target dev='vda'/>$3</disk><serial type='stdio'/>"
}

# run_until_written NAME: runs the engine on $xml until its guest has written
run_until_written() {
    "$engine" --xml "$xml" </dev/null >"$work/kill.out" 2>"$work/kill.err" &
    pid=$!
    started+=("$pid")
    until grep -q W "$work/kill.out"; do
        kill -0 "$pid" 2>/dev/null || fail "$1: the engine has ended"
        sleep 0.02
    done
}

kill_it() {
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
}

# The image holds A, and nothing is beside it.
untouched() {
    [ "$(md5sum <"$folder/image")" = "$sum" ] || fail "$1: the image was written"
    [ "$(ls -A "$folder")" = image ] || fail "$1: left over: $(ls -A "$folder")"
}

# image FORMAT: makes one
image() {
    rm -f "$folder/image"
    printf 'A%01535d' 0 | tr '\0' 0 >"$work/raw"
    qemu-img convert -f raw -O "$1" "$work/raw" "$folder/image" || fail 'qemu-img'
    sum=$(md5sum <"$folder/image")
}

for format in raw qcow2; do
    image "$format"
    for _ in 1 2; do
        domain x "$format" '<transient/>'
        by_hand 10
        expect_status "$PASS"
        [ "$out" = AW ] || fail "$format: the guest has seen '$out'"
        untouched "$format"
    done

    # killed in the middle of it
    domain s "$format" "<transient shareBacking='yes'/>"
    run_until_written "$format"
    untouched "$format, running"
    kill_it
    untouched "$format, killed"
done

# Without qemu-img there is no such disk.
mkdir "$work/bin"
PATH=$work/bin "$engine" --xml "$xml" </dev/null >"$work/run.out" 2>"$work/run.err" &&
    fail 'a transient disk without qemu-img'
grep -q "disk 'vda': .*'qemu-img'" "$work/run.err" || fail 'the error does not name qemu-img'
untouched 'no qemu-img'

# And without <transient/> the guest writes what it writes.
domain x qcow2 ''
by_hand 10
expect_status "$PASS"
[ "$out" = AW ] || fail "the guest has seen '$out'"
by_hand 10
[ "$out" = WW ] || fail "the guest has seen '$out' the second time"

# A killed engine's image can be used at once, whenever the kernel lets it go.
domain s qcow2 ''
for _ in 1 2 3; do
    run_until_written 'after a killed one'
    kill_it
done
qemu-img check -U -q "$folder/image" || fail 'qemu-img check'
