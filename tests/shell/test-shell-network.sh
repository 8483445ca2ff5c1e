#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# The commands about networks, over the driver that builds none.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires_daemon null
uri=null:///session

run() {
    "$vshell" -c "$uri" "$@" 2> "$dir/errors"
}

# says TEXT COMMAND...: the command's output has TEXT
says() {
    local text=$1
    shift
    run "$@" > "$dir/output" || fail "$*: $(cat "$dir/errors")"
    grep -qF -- "$text" "$dir/output" ||
        fail "$*: no '$text' in: $(cat "$dir/output")"
}

runs() {
    run "$@" > "$dir/output" || fail "$*: $(cat "$dir/errors")"
}

# refuses STATUS TEXT COMMAND...
refuses() {
    local expected=$1 text=$2 status=0
    shift 2
    run "$@" > /dev/null || status=$?
    [ "$status" = "$expected" ] || fail "$*: exit status $status"
    grep -qF -- "$text" "$dir/errors" ||
        fail "$*: no '$text' in: $(cat "$dir/errors")"
}

cat > "$dir/net.xml" <<'XML'
<network><name>net</name>
<uuid>11111111-2222-3333-4444-555555555556</uuid><bridge name='vt0'/>
<ip address='192.0.2.1' prefix='24'>
<dhcp><range start='192.0.2.2' end='192.0.2.99'/></dhcp></ip></network>
XML
runs net-define "$dir/net.xml"
runs net-define "$dir/net.xml" --validate
says 'inactive' net-list --all
says '"state": "inactive"' net-list --all --format json
says '"persistent": true' net-list --all --format json
runs net-start net
says '"active": true' net-info net --format json
says 'vt0' net-info net
refuses 4 'network is already active' net-start net
refuses 3 "did you mean 'net'?" net-info nett
refuses 3 "failed to get network 'x'" net-start x
says '[]' net-dhcp-leases net --format json
says '[]' net-port-list net --format json

# an entry as text, and in a file
runs net-update net add ip-dhcp-host \
    "<host mac='52:54:00:00:00:01' ip='192.0.2.9'/>" --live --config
says "ip='192.0.2.9'" net-dumpxml net --inactive
printf "<host ip='192.0.2.5'><hostname>five</hostname></host>" > "$dir/host"
runs net-update net add dns-host "$dir/host"
says 'five' net-dumpxml net --xpath '//hostname'
refuses 4 'existing' net-update net add ip-dhcp-host \
    "<host mac='52:54:00:00:00:01' ip='192.0.2.10'/>"
refuses 2 "unrecognized section name 'frob'" net-update net add frob x
refuses 8 "can't update 'bridge' section" net-update net add bridge '<bridge/>'

# edit: kept, left as it is, refused
EDITOR='sed -i s/192.0.2.99/192.0.2.88/' runs net-edit net
says '192.0.2.88' net-dumpxml net --inactive
EDITOR=true says 'not changed' net-edit net
EDITOR='sed -i s/192.0.2.88/192.0.3.88/' refuses 1 'not entirely within' \
    net-edit net
says '192.0.2.88' net-dumpxml net --inactive

# events
"$vshell" -c "$uri" net-event --event lifecycle --loop --timeout 5 \
    > "$dir/events" &
listener=$!
"$vshell" -c "$uri" --format json net-event net --event lifecycle \
    --timeout 5 > "$dir/event.json" &
single=$!
sleep 1.5
run net-destroy net > /dev/null
run net-undefine net > /dev/null
wait "$single" || fail "net-event: no event"
grep -q '"type":"Stopped"' "$dir/event.json" || fail "$(cat "$dir/event.json")"
wait "$listener" || fail "net-event: no event at all"
grep -qx "event 'lifecycle' for network net: Stopped" "$dir/events" ||
    fail "no word of the end: $(cat "$dir/events")"
grep -qx "event 'lifecycle' for network net: Undefined" "$dir/events" ||
    fail "no word of undefine: $(cat "$dir/events")"
refuses 2 'is required' net-event

# a name that both commands and the shell complete
runs net-define "$dir/net.xml"
says 'net' net-list --all --name
completes net-start '' | grep -qx default || fail "networks are not completed"
finish
