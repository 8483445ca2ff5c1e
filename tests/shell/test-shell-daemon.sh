#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# vshell and the daemon: it is started where none listens, found again after
# it was killed, and left alone by completion.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires_daemon null
requires pgrep
cd "$dir" || exit 1
cat > one.xml <<'XML'
<domain type="kvm"><name>one</name><memory unit="MiB">16</memory>
<vcpu>1</vcpu><os><type>hvm</type><kernel>/dev/null</kernel></os></domain>
XML

# daemon_pid: of the daemon of this test
daemon_pid() {
    local pid
    for pid in $(pgrep -f "^$VIRTKVM_DAEMON "); do
        tr '\0' '\n' < "/proc/$pid/environ" 2> /dev/null |
            grep -qx "HOME=$dir" && echo "$pid"
    done
}

# gone PID: waits until it has ended
gone() {
    for _ in $(seq 100); do
        [ -d "/proc/$1" ] || return 0
        grep -q '^State:.*Z' "/proc/$1/status" 2> /dev/null && return 0
        sleep 0.05
    done
    fail "process $1 did not end"
}

# --- completion starts nothing ------------------------------------------
expect 0 "" "$vshell" -c null:/// complete -- -c null:/// domi one
[ -z "$(daemon_pid)" ] || fail "completion started a daemon"

# --- started where none listens -----------------------------------------
expect 0 "Domain 'one' defined from one.xml" "$vshell" -c null:/// define one.xml
pid=$(daemon_pid)
[ -n "$pid" ] || fail "no daemon"
expect 0 "one" "$vshell" -q -c null:/// list --all --name
[ "$(daemon_pid)" = "$pid" ] || fail "a second daemon was started"
expect_json "x['uri'] == 'null:///' and
    x['client_uri'].endswith('socket=$dir/run/libvirt/virtkvmd-sock')" \
    "$vshell" -c null:/// uri --format json
expect 0 "one" "$vshell" -c null:/// complete -- -c null:/// dominfo o

# --- any other client can join ------------------------------------------
if command -v virsh > /dev/null; then
    expect 0 "one" virsh -q -c \
        "null+unix:///session?socket=$dir/run/libvirt/virtkvmd-sock" \
        list --all --name
fi

# --- connected again after it was killed --------------------------------
# The commands come one by one, so that the daemon dies between two of them.
mkfifo commands
"$vshell" -c null:/// < commands > output 2> errors &
shell=$!
exec 3> commands
echo 'start one' >&3
for _ in $(seq 100); do
    grep -q "'one' started" output && break
    sleep 0.05
done
kill -KILL "$pid"
gone "$pid"
echo 'list --all --name' >&3
echo 'quit' >&3
exec 3>&-
wait "$shell" || fail "status of the shell that was connected again"
grep -q "Reconnected to the hypervisor" errors || fail "it did not say so"
grep -qx "one" output || fail "no list after the daemon came back"
[ "$(daemon_pid)" != "$pid" ] || fail "the daemon was not killed"

# --- killed while a command waits ---------------------------------------
"$vshell" -c null:/// event --all --timeout 60 > output 2> errors &
shell=$!
sleep 0.5
pid=$(daemon_pid)
kill -KILL "$pid"
gone "$pid"
wait "$shell"
rc=$?
[ "$rc" = 5 ] || fail "status $rc of a command that lost its daemon"
grep -q "the connection was lost" errors || fail "no word of the lost daemon"

# --- read-only ----------------------------------------------------------
expect_error 6 "read only" "$vshell" -r -c null:/// undefine one

# --- a private daemon ---------------------------------------------------
uri="null:///embed?root=$dir/private"
expect 0 "" "$vshell" -q -c "$uri" list --all --name
[ -S "$dir/private/virtkvmd-sock" ] || fail "no socket in the private folder"
expect 0 "Domain 'one' defined from one.xml" "$vshell" -c "$uri" define one.xml
expect 0 "$uri" "$vshell" -q -c "$uri" uri
[ "$(daemon_pid | wc -l)" = 2 ] || fail "a private daemon is not private"

# --- it ends with the last client and domain ------------------------------
private=$(pgrep -f "^$VIRTKVM_DAEMON .*--root=$dir/private")
expect 0 "" "$vshell" -q -c "$uri" start one
sleep 3
[ -d "/proc/$private" ] || fail "the private daemon left its domain alone"
expect 0 "" "$vshell" -q -c "$uri" destroy one
gone "$private"

# --- none can be started ------------------------------------------------
end_daemons
expect_error 5 "was not found" \
    env VIRTKVM_DAEMON=/nonexistent "$vshell" -c null:/// list
expect_error 5 "does not listen" \
    env VIRTKVM_DAEMON=/bin/false "$vshell" -c null:/// list
printf '#!/bin/sh\necho "no room on this machine" >&2\nexit 1\n' > refuses
chmod +x refuses
expect_error 5 "no room on this machine" \
    env VIRTKVM_DAEMON="$dir/refuses" "$vshell" -c null:/// list
expect_error 2 "embed?root=DIR" "$vshell" -c null:///embed list

finish
