#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Devices come and go by vshell as by virsh: each does the same to a domain of
# its own, and what they print and what the domains are then must agree.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires_daemon null
requires virsh
cd "$dir" || exit 1
uri="null+unix:///session?socket=$dir/run/libvirt/virtkvmd-sock"
v() { timeout 60 "$vshell" -c null:/// "$@"; }

truncate -s 10M a.img b.img
# make NAME MAC: a domain with a disk, an interface and a balloon
make() {
    cat > "$1.xml" <<XML
<domain type="kvm"><name>$1</name><memory unit="MiB">64</memory>
<vcpu>1</vcpu><iothreads>2</iothreads>
<os><type>hvm</type><kernel>/dev/null</kernel></os><devices>
<disk type='file' device='disk'><source file='$dir/$1.img'/>
<target dev='vda' bus='virtio'/></disk>
<interface type='user'><mac address='$2'/><model type='virtio'/></interface>
<memballoon model='virtio'/></devices></domain>
XML
    truncate -s 10M "$1.img"
}
make twin1 52:54:00:00:00:01
make twin2 52:54:00:00:00:02

cat > disk.xml <<'XML'
<disk type='file' device='disk'><source file='/none/c.img'/>
<target dev='vdc' bus='virtio'/></disk>
XML
sed 's/vdc/vdd/' disk.xml > disk2.xml
echo "<disk" > broken.xml
cat > nic.xml <<'XML'
<interface type='user'><mac address='52:54:00:00:00:09'/>
<model type='virtio'/></interface>
XML
sed "s|</interface>|<link state='down'/></interface>|" nic.xml > nic-down.xml

# What differs between the twins by nature.
twin() {
    sed -e 's/twin[12]/DOMAIN/g' \
        -e 's/52:54:00:00:00:0[12]/MAC/g' \
        -e '/^hint: /d; /^last_update/d; /^ \+$/d' \
        -e '/^Successfully .* media\.$/{n;/^$/d}' |
        sed -E 's#<uuid>.*|^UUID: .*##; s/id="?'"'"'?[0-9]+/id=N/'
}

# both LINE: the same of both programs; D is the domain, M its interface
both() {
    virsh -c "$uri" "$(sed 's/\bD\b/twin1/g; s/\bM\b/52:54:00:00:00:01/g' \
        <<< "$1")" > out1 2> err1
    echo "rc=$?" >> out1
    v "$(sed 's/\bD\b/twin2/g; s/\bM\b/52:54:00:00:00:02/g' <<< "$1")" \
        > out2 2> err2
    rc=$?
    # the classes of errors are twin2 alone
    if [ "$rc" = 0 ]; then echo rc=0 >> out2; else echo rc=1 >> out2; fi
    diff <(twin < out1) <(twin < out2) || fail "the output differs: $1"
    # virsh says more of detach-interface, and we where virsh says less
    diff <(twin < err1 | grep -v '^error: Failed to detach interface$') \
        <(twin < err2) | grep '^<' && fail "the errors differ: $1"
}

v -q 'define twin1.xml twin2.xml; start twin1 twin2' || fail "no domains"
while IFS= read -r line; do
    [ -n "$line" ] && both "$line"
done <<'LINES'
domblklist D --details
domiflist D
attach-disk D /none/c.img sda --targetbus scsi --serial S2
attach-disk D /none/d.iso sdb --targetbus scsi --type cdrom --mode readonly
domblklist D --details
change-media D sdb --eject
change-media D sdb --eject
change-media D sdb
change-media D sdb /none/e.iso --insert
change-media D sdb /none/f.iso --insert
change-media D sdb /none/g.iso --update --force
change-media D sdb /none/h.iso
change-media D sda /none/i.iso
change-media D sdz /none/i.iso
change-media D sdb /dev/null --block --print-xml
change-media D sdb --eject --print-xml
change-media D sdb /none/j.iso --config
domblklist D
attach-disk D /none/d.iso sdb --targetbus scsi --type cdrom --config
change-media D sdb /none/j.iso --config
change-media D sdb /none/k.iso --live --config
domblklist D; domblklist D --inactive
detach-disk D sdb --persistent
detach-disk D sda
attach-disk D /none/b.img vdb --subdriver raw --serial S1
domblklist D
attach-disk D /none/b.img vdb
attach-disk D /none/b.img hdb
attach-disk D /none/b.img vde --persistent --cache none
attach-disk D /none/b.img vdf --config
attach-disk D /none/b.img vdf --config
domblklist D; domblklist D --inactive
domblkinfo D vda
domblkinfo D --all --human
domblkstat D vda
domblkstat D
domblkstat D vda --human
domblkerror D
blockresize D vda 20M
domblkinfo D vda
blockresize D vda 100
blockresize D vdz 10M
blkdeviotune D vda --total-bytes-sec 10M --total-bytes-sec-max 20M
blkdeviotune D vda
blkdeviotune D vda --total-iops-sec 100 --group-name g --config
blkdeviotune D vda --config
blkdeviotune D vdz
detach-disk D vdb --print-xml
detach-disk D vdb
detach-disk D vdb
detach-disk D vde --persistent
detach-disk D vdf --config
domblklist D; domblklist D --inactive
attach-device D disk.xml
attach-device D disk2.xml --persistent
attach-device D broken.xml
domblklist D; domblklist D --inactive
detach-device D disk.xml
detach-device D disk.xml
detach-device D disk2.xml --live --config
detach-device-alias D nosuch
attach-device D nic.xml --live --config
domiflist D
update-device D nic-down.xml
domif-getlink D 52:54:00:00:00:09
domif-getlink D 52:54:00:00:00:09 --config
domif-setlink D M down
domif-getlink D M
domif-setlink D M up --config
domif-getlink D M --config
domif-setlink D M up
domif-setlink D nosuch up
domifstat D M
domifstat D nosuch
domiftune D M
domiftune D M --inbound 100,200,300 --outbound 50
domiftune D M
domiftune D M --inbound 0 --config
domiftune D M --config
detach-interface D user
detach-interface D user --mac 52:54:00:00:00:09 --print-xml
detach-interface D user --mac 52:54:00:00:00:09 --persistent
detach-interface D user --mac 52:54:00:00:00:09
detach-interface D bridge
domiflist D; domiflist D --inactive
setmem D 32M
dommemstat D
setmem D 48M --config
setmem D 1G
setmaxmem D 128M
setmaxmem D 128M --config
dommemstat D --period 5
dommemstat D --period 5 --live --config
cpu-stats D --total --start 0
iothreadinfo D
iothreadinfo D --config
destroy D
attach-disk D /none/b.img vdb
attach-disk D /none/b.img vdb --current
detach-disk D vdb
detach-disk D vdb --config
attach-interface D network default --config --mac 52:54:00:00:00:0a
domiflist D
detach-interface D network --config
domif-setlink D M down
domif-getlink D M
setmem D 16M
setmem D 16M --config
setmaxmem D 256M
dominfo D
blockresize D vda 20M
domblkstat D vda
domblkerror D
domifstat D M
dommemstat D
iothreadinfo D
blkdeviotune D vda --read-iops-sec 5
blkdeviotune D vda
domiftune D M --outbound 9
domiftune D M
LINES
diff <(v -q dumpxml twin1 | twin) <(v -q dumpxml twin2 | twin) ||
    fail "the domains differ"

expect_error 2 "No disk source specified for inserting" \
    v change-media twin2 sda --insert
expect_error 2 "mutually exclusive" v change-media twin2 sda --insert --eject

# --- beyond virsh -------------------------------------------------------
v -q start twin2 || fail "no start"
expect 0 "Disk attached successfully" v attach-disk twin2 /none/b.img vdb
expect 0 "Disk detached successfully" v detach-disk twin2 vdb --wait
expect 0 " Target   Source
----------------------${dir//?/-}
 vda      $dir/twin2.img" v domblklist twin2
expect 0 "Device detach request sent successfully" \
    v detach-device-alias twin2 net0 --timeout 5
expect 0 "" v -q domiflist twin2
expect 0 "Device attached successfully
Device attached successfully" v attach-device twin2 disk.xml disk2.xml
expect 0 "Device detached successfully
Device detached successfully" v detach-device twin2 disk.xml disk2.xml --wait
expect_error 9 "1 of 2 files failed" v attach-device twin2 broken.xml disk.xml
expect 0 "Interface attached successfully" v attach-interface twin2 user
expect_json '[y["target"] for y in x] == ["vda", "vdc"]' \
    v domblklist twin2 --format json
expect_error 3 "hint: 'domblklist twin2 --inactive' shows those" \
    v detach-disk twin2 vdc --config
v -q destroy twin2
expect_error 4 "hint: --config changes the definition of a domain that" \
    v attach-disk twin2 /none/b.img vdb
finish
