#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# shutdown that waits for guests that do not listen, and what a terminal shows
# meanwhile.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires_daemon kvm
requires_kvm
requires expect
cd "$dir" || exit 1
uri="kvm:///embed?root=$dir/private"
v() { timeout 60 "$vshell" -c "$uri" "$@"; }

for name in deaf1 deaf2; do
    cat > "$name.xml" <<XML
<domain type="kvm"><name>$name</name><memory unit="MiB">16</memory>
<vcpu>1</vcpu><os><type>hvm</type>
<kernel>$build/tests/kvm/payload/idle.elf</kernel></os>
<features><acpi/></features></domain>
XML
done
v -q 'define deaf1.xml deaf2.xml; start deaf1 deaf2' || fail "start"

expect_error 7 "1 domain, first 'deaf1', did not shut down within 1 s" \
    v shutdown deaf1 --timeout 1
expect_error 7 "2 domains" v shutdown 'deaf*' --timeout 1
expect_error 2 "--then-destroy needs --timeout" v shutdown deaf1 --then-destroy
expect 0 $'deaf1: running\ndeaf2: running' v -q domstate deaf1 deaf2
expect 0 "Domain 'deaf1' is being shutdown
Domain 'deaf1' destroyed" v shutdown deaf1 --timeout 1 --then-destroy
expect 0 "shut off (destroyed)" v -q domstate deaf1 --reason

cat > progress.exp <<'TCL'
set timeout 20
log_user 0
proc sees {pattern} {
    expect -re $pattern return timeout { puts "no $pattern"; exit 1 } \
        eof { puts "ended before $pattern"; exit 1 }
}
spawn -noecho [lindex $argv 0] -c [lindex $argv 1]
sees {# $}
send -- "shutdown deaf2 --wait\r"
sees {waiting for domain 'deaf2' to shut down: 1 s}
sees {2 s}
send -- "\003"
sees {# $}
send -- "shutdown deaf2 --timeout 2 --then-destroy\r"
sees {1 s}
sees {Domain 'deaf2' destroyed}
sees {# $}
send -- "list\r"
sees {2 domains of '.*' are not active: 'list --all' shows them}
sees {# $}
send -- "quit\r"
expect eof
exit [lindex [wait] 3]
TCL
command expect progress.exp "$vshell" "$uri" || fail "progress on a terminal"
# nothing of that where no terminal is
v -q start deaf1
v shutdown deaf1 --timeout 2 --then-destroy 2>&1 > out | grep -q . &&
    fail "progress without a terminal"
finish
