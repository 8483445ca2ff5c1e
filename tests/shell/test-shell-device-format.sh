#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# What virsh doesn't have in the commands about devices: JSON, several domains
# at once, hints, completion.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
cd "$dir" || exit 1

cat > t.xml <<'XML'
<domain type="test"><name>t</name><memory>65536</memory>
<iothreads>2</iothreads><os><type>hvm</type></os><devices>
<disk type='file' device='disk'><source file='/tmp/a b.img'/>
<target dev='vda' bus='virtio'/></disk>
<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>
<interface type='bridge'><mac address='52:54:00:11:22:34'/>
<source bridge='br0'/><link state='down'/></interface>
<memballoon model='virtio'/></devices></domain>
XML
v() { "$vshell" -c test:///default "$@"; }
# quietly, so that only the last command's output is there
t() { v -q --format json "define t.xml; start t; $*"; }

# --- JSON --------------------------------------------------------------
expect_json 'x == [
    dict(domain="t", type="file", device="disk", target="vda", source="/tmp/a b.img"),
    dict(domain="t", type="file", device="cdrom", target="hdc", source=None)]' \
    t domblklist t
expect_json 'x["device"] == "vda" and x["capacity"] > 0 and x["physical"] > 0' \
    t domblkinfo t vda
expect_json '[y["device"] for y in x] == ["vda", "hdc"]
    and x[0]["allocation"] > 0 and x[1]["allocation"] is None' \
    t domblkinfo t --all --human
expect_json 'x["device"] == "vda" and x["rd_req"] > 0 and x["errs"] > 0' \
    t domblkstat t vda
expect_json 'x["device"] == "vda" and x["rd_req"] > 0' \
    t domblkstat t vda --human
expect_json 'x["errors"][0] == dict(device="vda", error="unspecified error")' \
    t domblkerror t
expect_json 'x["group_name"] == "" and x["total_bytes_sec"] == 0' \
    t blkdeviotune t vda
expect_json 'x == [dict(domain="t", interface="testnet0", type="bridge",
    source="br0", model=None, mac="52:54:00:11:22:34")]' t domiflist t
expect_json 'x["interface"] == "testnet0" and x["rx_bytes"] > 0' \
    t domifstat t testnet0
expect_json 'x == [dict(name="testnet0", mac="52:54:00:11:22:34",
    protocol="ipv4", address="192.168.0.1", prefix=24)]' t domifaddr t
expect_json 'x["link"] == "down"' t domif-getlink t testnet0
expect_json 'x["inbound.average"] == 5' \
    t 'domiftune t testnet0 --inbound 5; domiftune t testnet0'
expect_json 'x["actual"] == 65536 and x["rss"] == 32768' t dommemstat t
expect_json 'len(x["cpus"]) == 2 and x["cpus"][1]["cpu"] == 1
    and x["total"]["user_time_ns"] == 5540000000' t cpu-stats t
expect_json '"cpus" not in x' t cpu-stats t --total
expect_json '[y["iothread"] for y in x] == [1, 2] and x[0]["affinity"]' \
    t iothreadinfo t
expect_json 'x == []' t iothreadinfo test
expect_json '"<disk" in x["xml"]' t attach-disk t /x vdx --print-xml
expect_json '"<interface" in x["xml"]' t detach-interface t bridge --print-xml

# --- several domains ---------------------------------------------------
got=$(v "define t.xml; start t; domblklist '*'" | sed '1,/^Domain .t. started/d')
[ "$got" = "
 Domain   Target   Source
--------------------------------------
 test     vda      /guest/diskimage1
 t        vda      /tmp/a b.img
 t        hdc      -" ] || fail "a table of several: $got"
expect_json '{y["domain"] for y in x} == {"t", "test"}' t "domiflist 't*'"
expect_json '[y["domain"] for y in x] == ["test", "t"]' t "dommemstat '*'"
got=$(v -q "define t.xml; start t; domblkerror t test" | sed 's/  */ /g')
[ "$got" = "Domain: t
vda: unspecified error
hdc: no space

Domain: test
vda: unspecified error" ] || fail "records of several: $got"

# --- what to try next --------------------------------------------------
expect_error 2 "hint: --all shows every disk" v domblkinfo test
expect_error 1 "hint: 'domblklist test' shows the disks" v domblkstat test vdz
expect_error 3 "hint: 'domblklist test' shows the disks" v detach-disk test vdz
expect_error 3 "hint: 'domiflist test' shows the interfaces" \
    v domif-getlink test eth0
expect_error 3 "hint: 'domiflist test' shows the interfaces" \
    v detach-interface test user
expect_error 1 "hint: 'domiflist test' shows the interfaces" \
    v domifstat test eth0
expect_error 4 "hint: --config changes it for the next start" \
    v setmaxmem test 1G
expect_error 2 "hint: a whole number and a unit" v setmem test 1.5G
expect_error 2 "hint: expecting 'up' or 'down'" \
    v domif-setlink test testnet0 off
expect_error 2 "hint: did you mean 'bridge'?" v attach-interface test brigde x
expect_error 2 "an interface of type user has no source" \
    v attach-interface test user x
expect_error 2 "requires <source> option" v attach-interface test network
printf 'QFI\373' > image
expect_error 8 "'image' is an image of format qcow2; without '--subdriver" \
    v attach-disk test image vdb
expect_error 8 "Failed to attach disk" \
    v attach-disk test image vdb --subdriver qcow2
grep -q "is an image of format" stderr && fail "a remark about a known format"
expect_error 1 "cannot open" v attach-device test nosuch.xml
expect_error 8 "2 of 2 files failed" v attach-device test t.xml t.xml

# --- XML of types that virsh's attach-interface lacks -------------------
expect 0 "<interface type='user'>
  <model type='virtio'/>
</interface>" v attach-interface test user --model virtio --print-xml
expect 0 "<interface type='ethernet'>
  <target dev='tap0'/>
</interface>" v attach-interface test ethernet --target tap0 --print-xml
expect 0 "<interface type='direct'>
  <source dev='eth0' mode='bridge'/>
</interface>" v attach-interface test direct eth0 --source-mode bridge --print-xml
got=$(v attach-disk test x vdb --print-xml --source-protocol nbd \
    --source-host-name '[::1]:99' | grep host)
[ "$got" = "    <host name='[::1]' port='99'/>" ] || fail "IPv6: $got"
# virsh forgets to escape these
expect 0 "<interface type='network'>
  <source network='a&lt;&amp;&apos;&quot;'/>
</interface>" v attach-interface test network "a<&'\"" --print-xml

# --- completion --------------------------------------------------------
expect 0 "vda" completes detach-disk test ''
expect 0 "vda" completes domblkstat test vd
expect 0 "vda" completes blockresize test v
expect 0 "vda" completes blkdeviotune test ''
expect 0 "vdb" completes attach-disk test /dev/null ''
expect 0 $'testnet0' completes domif-setlink test t
expect 0 $'down\nup' completes domif-setlink test testnet0 ''
expect 0 "network" completes detach-interface test ''
expect 0 $'direct' completes attach-interface test d
expect 0 $'qcow2\nraw' completes attach-disk test x vdb --subdriver ''
expect 0 $'agent\narp\nlease' completes domifaddr test --source ''
completes attach-interface test network '' > list
grep -qx default list || fail "the networks: $(cat list)"
completes domblkinfo test '' > list
if ! grep -qx vda list || ! grep -qx -- --all list; then
    fail "an option by position: $(cat list)"
fi
finish
