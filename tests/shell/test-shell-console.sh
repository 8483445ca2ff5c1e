#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# The console of a guest that sends back what it is sent: from a pipe, on a
# terminal, taken by another, and at the guest's end.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires_daemon kvm
requires_kvm
requires expect base64
cd "$dir" || exit 1
uri="kvm:///embed?root=$dir/private"
v() { timeout 60 "$vshell" -c "$uri" "$@"; }

cat > echo.xml <<XML
<domain type="kvm"><name>echo</name><memory unit="MiB">16</memory>
<vcpu>1</vcpu><os><type>hvm</type>
<kernel>$build/tests/kvm/payload/echo.elf</kernel></os>
<metadata><virtkvm:config xmlns:virtkvm="urn:virtkvm:domain:1">
<virtkvm:debug-exit/></virtkvm:config></metadata>
<devices><serial type="pty"/><console type="pty"/></devices></domain>
XML
v -q define echo.xml || fail "define"

# --- not running --------------------------------------------------------
expect_error 4 "The domain is not running" v console echo < /dev/null
expect_error 3 "failed to get domain" v console nosuch < /dev/null

# --- from a pipe --------------------------------------------------------
v -q start echo || fail "start"
v console echo --until 'ready' --timeout 20 < /dev/null > out ||
    fail "the guest's first line"
grep -q 'echo is ready' out || fail "the first line was lost: $(cat out)"
printf 'hello\n' | v console echo --until 'hello' --timeout 20 > out ||
    fail "an answer"
expect_error 7 "did not print 'never'" \
    v console echo --until never --timeout 1 < /dev/null
expect 0 "" v console echo --timeout 1 < /dev/null

# --- much, in both directions -------------------------------------------
head -c 6000 /dev/urandom | base64 -w 0 > much
{ cat much; echo '.end'; } |
    v console echo --until '.end' --timeout 40 > out || fail "much"
tr -d '\r\n' < out | grep -qF "$(cat much).end" || {
    fail "$(wc -c < much) bytes were sent, and not the same came back"
    wc -c out
}

# --- a second console, and one that takes over --------------------------
mkfifo hold
v console echo < hold > first 2> first.err &
first=$!
exec 3> hold
echo 'one' >&3
for _ in $(seq 100); do
    grep -q one first && break
    sleep 0.05
done
expect_error 1 "Active console session exists" v console echo < /dev/null
printf 'two\n' | v console echo --force --until two --timeout 20 > out ||
    fail "taken by force"
for _ in $(seq 100); do
    kill -0 "$first" 2> /dev/null || break
    sleep 0.05
done
kill -0 "$first" 2> /dev/null && fail "the first console did not end"
exec 3>&-
wait "$first"

# --- on a terminal ------------------------------------------------------
cat > terminal.exp <<'TCL'
set timeout 20
log_user [info exists env(SHOW)]
proc sees {pattern} {
    expect -re $pattern return timeout { puts "no $pattern"; exit 1 } \
        eof { puts "ended before $pattern"; exit 1 }
}
set vshell [lindex $argv 0]
set uri [lindex $argv 1]
spawn -noecho $vshell -c $uri
sees {# $}
send -- "console echo\r"
sees {Escape character is \^\] \(Ctrl \+ \]\)}
# Ctrl-C is for the guest, which sends it back
send -- "abc\003"
sees "abc\003"
send -- "\035"
sees {# $}
send -- "echo 'back in the shell'\r"
sees {back in the shell}
sees {# $}
send -- "destroy echo\r"
sees {Domain 'echo' destroyed}
sees {# $}
# nothing of a guest that is started with its console is lost
send -- "start echo --console\r"
sees {Domain 'echo' started}
sees {echo is ready}
# the guest ends, and with it the console
send -- "!"
sees {!}
sees {# $}
send -- "quit\r"
expect eof
# another escape character
spawn -noecho $vshell -c $uri -e ^X "start echo --console"
sees {Escape character is \^X \(Ctrl \+ X\)}
sees {echo is ready}
send -- "\035"
sees "\035"
send -- "\030"
expect eof
exit [lindex [wait] 3]
TCL
command expect terminal.exp "$vshell" "$uri" || fail "on a terminal"

# --- the guest's end ----------------------------------------------------
printf 'bye!' | v console echo --timeout 30 > out || fail "at the guest's end"
grep -q 'bye!' out || fail "the last words: $(cat out)"
expect 0 "shut off" v -q domstate echo
v -q start echo
printf '!' | expect_error 1 "ended before" \
    v console echo --until nothing --timeout 30

finish
