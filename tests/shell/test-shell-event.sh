#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# The events that vshell prints are those that virsh prints.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires_daemon null
requires virsh
cd "$dir" || exit 1
uri="null+unix:///session?socket=$dir/run/libvirt/virtkvmd-sock"
v() { timeout 60 "$vshell" -c null:/// "$@"; }
listening=()

cat > one.xml <<'XML'
<domain type="kvm"><name>one</name><memory unit="MiB">16</memory>
<vcpu>1</vcpu><os><type>hvm</type><kernel>/dev/null</kernel></os><devices>
<disk type='file' device='disk'><source file='/none/a.img'/>
<target dev='vda' bus='virtio'/></disk>
<interface type='user'><mac address='52:54:00:00:00:01'/>
<model type='virtio'/></interface><memballoon model='virtio'/>
</devices></domain>
XML
sed 's/>one</>two</' one.xml > two.xml
v -q uri > /dev/null || fail "no daemon"

# listen FILE COMMAND...: in the background, up to Ctrl-C
listen() {
    local file=$1
    shift
    # a background job of a script ignores the signal unless told otherwise
    env --default-signal=INT "$@" > "$file" 2> "$file.err" < /dev/null &
    listening+=($!)
}

listen theirs virsh -c "$uri" event --all --loop --timeout 60
listen ours "$vshell" -c null:/// event --all --loop --timeout 60
listen json "$vshell" -c null:/// event --all --loop --timeout 60 --format json
listen stamped "$vshell" -c null:/// event --event lifecycle --timestamp \
    --timeout 60
listen only "$vshell" -c null:/// event --event lifecycle --loop --timeout 60
# all of them have registered when each has seen an event
for _ in $(seq 40); do
    v -q 'define two.xml; undefine two'
    seen=0
    for file in theirs ours json stamped only; do
        [ -s "$file" ] && seen=$((seen + 1))
    done
    [ "$seen" = 5 ] && break
    sleep 0.1
done
[ "$seen" = 5 ] || fail "only $seen of 5 listen"

v -q 'define one.xml; start one; suspend one; resume one; reset one
reboot one; desc one --title new; attach-disk one /none/b.img vdb
detach-disk one vdb --wait; attach-interface one user --persistent
detach-device-alias one net0 --wait; setmem one 8M
blkdeviotune one vda --total-bytes-sec 1M; shutdown one --timeout 20; start one --paused
destroy one; domrename one other; undefine other; create one.xml
destroy one; define one.xml; undefine one' || fail "the commands"
sleep 1
for pid in "${listening[@]}"; do
    kill -INT "$pid" 2> /dev/null
done
for pid in "${listening[@]}"; do
    wait "$pid"
done

# what came before all listened is left out
from_define() { sed -n "/for domain 'one': Defined Added/,\$p" "$1"; }
from_define theirs | grep -v '^events received' > theirs.events
from_define ours | grep -v '^events received' > ours.events
for kind in device-added device-removed balloon-change tunable; do
    grep -q "^event '$kind' for domain 'one'" ours || fail "no event $kind"
done
[ "$(wc -l < theirs.events)" -ge 20 ] || {
    fail "virsh has seen little"
    cat theirs
}
diff theirs.events ours.events || fail "the events differ"
grep -q '^event loop interrupted$' ours || fail "no word of Ctrl-C"
grep -q '^events received: [1-9]' ours || fail "no count"
grep -Eq "^[0-9-]{10} [0-9:]{8}\.[0-9]{3}\+0000: event 'lifecycle' for domain" \
    stamped || fail "no timestamp: $(cat stamped)"
[ "$(grep -c lifecycle stamped)" = 1 ] || fail "without --loop more than one"
grep -v lifecycle only | grep -q "^event '" && fail "another kind of event"
/usr/bin/python3 - json <<'PY' || fail "JSON: $(tail -3 json)"
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
assert {"event": "lifecycle", "domain": "one"}.items() <= events[-1].items()
assert all("time" in e for e in events)
kinds = [(e["type"], e["detail"]) for e in events if e["event"] == "lifecycle"
         and e["domain"] == "one"]
for kind in (("Started", "Booted"), ("Suspended", "Paused"),
             ("Resumed", "Unpaused"), ("Stopped", "Destroyed")):
    assert kind in kinds, kind
assert any(e["event"] == "device-removed" and e["device"] == "net0"
           for e in events)
assert any(e["event"] == "balloon-change" and e["actual_kib"] == 8192
           for e in events)
assert any(e["event"] == "tunable" and
           e["params"]["blkdeviotune.total_bytes_sec"] == 1 << 20
           for e in events)
PY
# it ends when nobody reads any more
"$vshell" -c null:/// event --event lifecycle --loop --timeout 60 |
    head -n 1 > first &
pipe=$!
for _ in $(seq 100); do
    v -q 'define two.xml; undefine two'
    kill -0 "$pipe" 2> /dev/null || break
    sleep 0.05
done
kill -0 "$pipe" 2> /dev/null && fail "events for nobody"
wait "$pipe"
[ -s first ] || fail "no event in the pipe"

expect_error 2 "did you mean 'lifecycle'" v event --event lifecycl
expect_error 3 "failed to get domain" v event --all --domain nosuch
finish
