#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# The output of vshell is that of virsh for the commands both have, over the
# driver that libvirt has for tests.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires virsh

cat > "$dir/other.xml" <<'XML'
<domain type="test"><name>other</name>
<uuid>11111111-2222-3333-4444-555555555555</uuid>
<memory>65536</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain>
XML
cat > "$dir/net.xml" <<'XML'
<network><name>net</name>
<uuid>11111111-2222-3333-4444-555555555556</uuid>
<ip address="192.0.2.1" prefix="24"/></network>
XML
cd "$dir" || exit 1

while IFS= read -r line; do
    [ -n "$line" ] && compare "$line"
done <<'LINES'
list
list --all
list --all --title
list --uuid
list --name
list --id
list --uuid --name
list --uuid --id --name
list --id --name
list --inactive
list --inactive --name
list --table
define other.xml; list --all; list --all --name; list --all --uuid --id --name
define other.xml; list --all --id; list
define other.xml; list --state-shutoff; list --autostart --all; list --inactive --title
define other.xml; list --persistent; list --transient; list --all --with-managed-save
define other.xml; list --all --without-snapshot; list --all --no-autostart; list --all --managed-save
define other.xml; autostart other; list --all --autostart; dominfo other
dominfo test
dominfo --domain test
dominfo --domain=test
destroy test; dominfo test; domid test; vcpuinfo test; vcpucount test
domstate test
domstate test --reason
domid test
domname 1
domuuid test
domuuid 1
domcontrol test
vcpucount test
vcpucount test --maximum
vcpucount test --live
vcpucount test --config
vcpucount test --current
vcpucount test --active
vcpuinfo test
vcpuinfo test --pretty
domstats
domstats test
domstats --state --raw test
domstats --list-active
uri
version
version --daemon
hostname
nodeinfo
capabilities
desc test
desc test --title
desc test hello world; desc test; list
desc test --new-desc hello there; list
desc test --title foo; desc test --title; list --title
metadata test http://a --key a --set "<x>1</x>"; metadata test http://a; metadata test http://a --remove
destroy test
destroy test --graceful
suspend test; domstate test --reason; list; resume test; domstate test --reason
reboot test
reboot test --mode acpi
reset test
shutdown test; domstate test --reason
shutdown test --mode acpi,agent
destroy test; undefine test; list --all
define other.xml; start other; list; domstate other; destroy other; undefine other
create other.xml; list; destroy other; list --all
event --list
autostart test; autostart test --disable
destroy test; domrename test new; list --all; autostart new
echo a b c
echo --shell "a b" "it's"
echo --xml "a<b&c>d"
echo --split a,b,,c
echo a#b #c
echo 'a b';echo c
echo a; # comment
echo "a\"b\\c" 'x"y'
echo a\ b
echo -- --shell
pwd
connect; list
dumpxml test
dumpxml test --inactive --security-info
dumpxml test --xpath //name
dumpxml test --xpath //type --wrap
dumpxml test; list
quit; list
net-list
net-list --all --name
net-list --uuid
net-list --inactive
net-list --transient; net-list --persistent --autostart; net-list --no-autostart
net-define net.xml; net-list --all; net-info net; net-start net; net-info net
net-create net.xml; net-list; net-destroy net; net-list --all
net-define net.xml; net-undefine net; net-list --all
net-destroy default; net-list --all; net-start default; net-list
net-autostart default; net-list --autostart; net-autostart default --disable
net-dumpxml default
net-dumpxml default --inactive
net-dumpxml default --xpath //range
net-uuid default
net-info default
net-event --list
net-update default add ip-dhcp-host "<host mac='52:54:00:00:00:01' ip='192.168.122.9'/>"; net-dumpxml default
net-update default add-first ip-dhcp-range "<range start='192.168.122.1' end='192.168.122.1'/>" --live
LINES

while IFS= read -r line; do
    [ -n "$line" ] && compare_error "$line"
done <<'LINES'
list --table --name
list --all=3
list --frob
vcpucount test --live --config
start test
start nosuch
start --domain
destroy test; destroy test
suspend test; suspend test
resume test
shutdown test --mode foo
undefine nosuch
define /dev/null
frobnicate
dominfo
dominfo --frob test
dominfo --domain
domrename test
domrename test a b
net-start default
net-start nosuch
net-info nosuch
net-dhcp-leases default
net-list --name --uuid
net-update default frob ip x
net-update default add frob x
net-update default add ip-dhcp-host <x/>
net-event
net-event --event frob
domrename --domain a --domain b c
event
event --event foo
edit test --foo
help nosuch
domstate 99
domname nosuch
domid 1
dumpxml nosuch
echo --shell --xml x
metadata test http://a --set x
LINES

# It starts before there is no console.
expect_error 8 "Failed to open the console" \
    "$vshell" -c test:///default 'define other.xml; start other --console'
grep -q "'other' started" "$dir/stdout" || fail "not started"

# What virsh gets wrong, or does otherwise by design.
expect_error 2 "missing ' for the quote" "$vshell" -c test:///default "echo 'a"
expect_error 4 "error" "$vshell" -c test:///default "destroy test; destroy test; list"
finish
