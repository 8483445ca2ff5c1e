#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# The commands about disks, interfaces, memory and threads print what virsh
# prints, over the driver that libvirt has for tests, as far as that goes.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires virsh
cd "$dir" || exit 1

cat > t.xml <<'XML'
<domain type="test"><name>t</name>
<uuid>11111111-2222-3333-4444-555555555556</uuid>
<memory>65536</memory><vcpu>2</vcpu><iothreads>3</iothreads>
<os><type>hvm</type></os>
<devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
<source file='/tmp/a b.img'/><target dev='vda' bus='virtio'/></disk>
<disk type='block' device='disk'>
<source dev='/dev/loop0'/><target dev='vdb' bus='virtio'/></disk>
<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>
<disk type='network' device='disk'><source protocol='nbd' name='x'>
<host name='h' port='10'/></source><target dev='vdd' bus='virtio'/></disk>
<interface type='network'><mac address='52:54:00:11:22:33'/>
<source network='default'/><model type='virtio'/></interface>
<interface type='bridge'><mac address='52:54:00:11:22:34'/>
<source bridge='br0'/><link state='down'/></interface>
<interface type='user'><mac address='52:54:00:11:22:35'/></interface>
<interface type='network'><mac address='52:54:00:11:22:36'/>
<source network='default'/></interface>
</devices>
</domain>
XML

# with LINE: what it does to a domain with devices
with() { "$1" "define t.xml; start t; $2"; }

while IFS= read -r line; do
    [ -n "$line" ] && with compare "$line"
done <<'LINES'
domblklist t
domblklist t --details
domblklist t --inactive
domblklist test
domblkinfo t vda
domblkinfo t --device vda --human
domblkinfo t --all
domblkinfo t --all --human
domblkinfo test --all
domblkstat t vda
domblkstat t vda --human
domblkerror t
domblkerror test
destroy t; domblklist t; domblkinfo t vda
blkdeviotune t vda
blkdeviotune t vda --total-bytes-sec 10M --total-bytes-sec-max 20M; blkdeviotune t vda
blkdeviotune t vda --total_bytes_sec 5 --total_bytes_sec_max 6; blkdeviotune t vda
blkdeviotune t vda 5
blkdeviotune t vda --read-bytes-sec 10kB --read-bytes-sec-max 20KiB --live; blkdeviotune t vda
blkdeviotune t vda --group-name foo --total-iops-sec 10 --total-iops-sec-max 20; blkdeviotune t vda --live
domiflist t
domiflist t --inactive
domiflist test
domifstat t testnet0
domifstat t 52:54:00:11:22:33
domifaddr t
domifaddr t --full
domifaddr t --full --source agent
domifaddr t testnet1
domifaddr t testnet1 --full
domifaddr t --interface testnet0 --source arp
domifaddr test
domif-getlink t testnet0
domif-getlink t testnet1
domif-getlink t testnet1 --config
domif-getlink t 52:54:00:11:22:34
domif-setlink t testnet0 down --print-xml
domif-setlink t testnet0 up --print-xml
domif-setlink t 52:54:00:11:22:34 up --print-xml --config
domif-setlink --state down --domain t --interface testnet3 --print-xml
domiftune t testnet0
domiftune t testnet0 --inbound 10,20,30; domiftune t testnet0
domiftune t testnet0 --inbound 0,0,0,5; domiftune t testnet0
domiftune t testnet0 --inbound 1,2,3,4 --outbound 5,6,7 --live; domiftune t testnet0
domiftune t testnet0 --inbound 1,2,3; domiftune t testnet0 --inbound 0; domiftune t testnet0
domiftune t testnet0 --inbound 5,; domiftune t testnet0
domiftune t testnet0 --inbound ,
setmem t 32M; dominfo t
setmem t 32M --live; dommemstat t
setmem t 32M --config; dominfo t
setmem t 40KB; dommemstat t
setmem t 40960bytes; dommemstat t
setmem t 010; dominfo t
setmem t --size 20000; dominfo t
setmaxmem t 32M --config; destroy t; dominfo t
destroy t; setmaxmem t 32MiB; dominfo t
dommemstat t
dommemstat t --period 10
dommemstat t --period 0 --live
cpu-stats t
cpu-stats t --total
cpu-stats t --start 1
cpu-stats t --start 1 --count 2
cpu-stats t --start 0 --count 1
cpu-stats t --count 0
cpu-stats t --total --start 1
cpu-stats t --total --count 0
iothreadinfo t
iothreadinfo t --config
iothreadinfo test
attach-disk t /a/b.img vdx --print-xml
attach-disk t "/a/<&'\"b.img" vdx --print-xml
attach-disk t /dev/sda vdx --print-xml --sourcetype block
attach-disk t /a/b.img vdx --print-xml --targetbus virtio --driver qemu --subdriver qcow2 --iothread 1 --cache none --io native --type disk --mode readonly --sourcetype file --serial S1 --wwn 5000c50015ea71ac --alias ua-x --rawio --address pci:0000.00.0b.0 --multifunction
attach-disk t /a/b.img vdx virtio qemu raw 1 none native disk --print-xml
attach-disk t /a/b.img vdx --print-xml --type cdrom --mode shareable
attach-disk t /a/b.img vdx --print-xml --address pci:0000.00.0b.0
attach-disk t /a/b.img sda --print-xml --address scsi:0.0.1
attach-disk t /a/b.img hda --print-xml --address ide:0.0.1
attach-disk t /a/b.img sda --print-xml --targetbus sata --address sata:0.0.1
attach-disk t /a/b.img sda --print-xml --targetbus usb --address usb:0.1
attach-disk t /a/b.img vdx --print-xml --address ccw:fe.0.0
attach-disk t /a/b.img vdx --print-xml --address ccw:0xfe.0.0
attach-disk t /a/b.img zzz --print-xml --address pci:0000.00.0b.0
attach-disk t /a/b.img vdx --print-xml --multifunction
attach-disk t --source "" --target hdc --print-xml --type cdrom
attach-disk t pool/vol vdx --print-xml --sourcetype network --source-protocol rbd --source-host-name h1:10 --source-host-transport tcp
attach-disk t pool/vol vdx --print-xml --sourcetype network --source-protocol nbd --source-host-socket /s --source-host-transport unix
attach-disk t pool/vol vdx --print-xml --source-protocol nbd --source-host-name 1.2.3.4
attach-disk t pool/vol vdx --print-xml --source-protocol nbd
attach-disk nosuch /a/b.img vdx --print-xml --config --live
attach-interface t network default --print-xml
attach-interface t network default --print-xml --target v0 --mac 52:54:00:00:00:01 --script /s --model virtio --alias ua-n --inbound 1,2,3 --outbound 4
attach-interface t bridge br0 --print-xml --inbound 100,200,300,50
attach-interface t bridge br0 --print-xml --inbound 1,,3 --managed
attach-interface t bridge br0 --print-xml --inbound 0,0,0,5
attach-interface t direct eth0 --print-xml
attach-interface t hostdev 0000:00:05.0 --print-xml --managed
attach-interface t vhostuser /x --print-xml --source-mode server
detach-disk t vda --print-xml
detach-disk t "/tmp/a b.img" --print-xml
detach-disk t x --print-xml --config
detach-interface t network --mac 52:54:00:11:22:33 --print-xml
detach-interface t network 52:54:00:11:22:36 --print-xml
detach-interface t bridge --print-xml
LINES

while IFS= read -r line; do
    [ -n "$line" ] && with compare_error "$line"
done <<'LINES'
domblkinfo t
domblkinfo t --all --device vda
domblkstat t
domblkstat t vdz
destroy t; domblkstat t vda
blockresize t vda 10M
blkdeviotune t vdz
blkdeviotune t vda --total-bytes-sec 10M
blkdeviotune t vda --live --current
domifstat t zz
domifaddr t --source foo
destroy t; domifaddr t
domif-getlink t zz
domif-getlink t 52:54:00:11:22:3f
domif-setlink t testnet0 foo
domif-setlink t testnet1 up
domiftune t zz
domiftune t testnet0 --inbound 10,foo
domiftune t testnet0 --inbound -5
domiftune t testnet0 --inbound 0,5
domiftune t testnet0 --inbound 99999999999
domiftune t testnet0 --inbound 10,20,30,40,50
domiftune t testnet0 --outbound 0,5
domiftune t testnet0 --outbound 4,5,6,7
setmem t 1kib --current --live
setmem nosuch 4M
setmaxmem t 32M
destroy t; dommemstat t
cpu-stats t --start 99
destroy t; cpu-stats t
iothreadinfo t --live --config
attach-disk t x vdx --mode foo
attach-disk t x vdx --sourcetype foo
attach-disk t x vdx --address scsi:0.0.1
attach-disk t x sda --address pci:0.0.1.0
attach-disk t x hda --address pci:0.0.1.0
attach-disk t x vdx --address foo
attach-disk t x vdx --address pci:0000.zz.0b.0
attach-disk t x vdx --address pci:0000.00.0b
attach-disk t x vdx --source-host-name h
attach-disk t x vdx --persistent --current
attach-disk t x vdx
attach-disk t x vdx --config
attach-interface t foo x
attach-interface t bridge br0 --inbound 0
attach-interface t bridge br0 --inbound foo
attach-interface t bridge br0 --outbound 4,5,6,7
attach-interface t direct eth0 --source-mode foo
attach-interface t hostdev foo
attach-interface t vhostuser x
attach-interface t network default --current --live
attach-interface t network default
detach-disk t vdz
detach-disk t vda
detach-interface t network
detach-interface t foo
detach-interface t user --mac 52:54:00:11:22:33
detach-interface t bridge
detach-device-alias t foo
attach-device t t.xml
attach-device t t.xml --live --persistent
attach-device t t.xml --current --persistent
detach-device t t.xml
update-device t t.xml --force
LINES

# What is wrong with the command line itself is found before anything runs: the
# words are the same, but not the empty line of a command that has run.
while IFS= read -r line; do
    theirs=$(virsh -c test:///default "$line" 2>&1 > stdout | head -1)
    expect_error 2 "$theirs" "$vshell" -c test:///default "$line"
done <<'LINES'
blockresize test vda foo
blockresize test vda -1
blkdeviotune test vda --total-bytes-sec foo
blkdeviotune test vda --total-iops-sec -1
blkdeviotune test vda --total-iops-sec 10K
setmem test foo
setmem test 1.5G
setmem test 16E
setmem test 32 M
dommemstat test --period x
domblkinfo test --frob
attach-disk test /a
blkdeviotune test
LINES
finish
