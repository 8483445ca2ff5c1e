#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Commands from arguments, pipes and files; exit statuses; JSON.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
cd "$dir" || exit 1
v() { "$vshell" -c test:///default "$@"; }

mkdir sub
touch 'my box.xml'
for i in 1 2 3; do
    cat > "off$i.xml" <<XML
<domain type="test"><name>off$i</name><memory>65536</memory>
<os><type>hvm</type></os></domain>
XML
done

# --- where commands come from -------------------------------------------
expect 0 "test" v -q domname 1
expect 0 "test" v -q 'domname 1'
expect 0 "a
b" v -q 'echo a; echo b'
expect 0 "a
b" v -q <<< $'echo a\necho b'
expect 0 "a b" v -q <<< $'echo a \\\n b'
expect 0 $'two\nlines' v -q <<< $'echo "two\nlines"'
expect 0 "no end" v -q < <(printf 'echo no end')
expect 0 "" v -q < /dev/null
printf '# a comment\necho from file\n\nquit\necho never\n' > script
expect 0 "from file" v -q -f script
expect 0 "from file" v -q --file=script
expect 0 "from file" v -q -f - < script
# arguments are words already: a semicolon in one is part of it
expect 0 "a; echo b" v -q echo 'a; echo b'
expect 0 "x" v -q 'echo x; quit; echo y'
# nothing but what was asked for goes to a pipe: no prompt, no banner
expect 0 "x" v <<< 'echo x'

# --- nothing runs if any part of the line is wrong ----------------------
expect 2 "" v 'destroy test; lits'
expect 0 "running" v -q 'domstate test'

# --- exit statuses ------------------------------------------------------
expect_error 2 "unknown command: 'lits'" v lits
expect_error 2 "did you mean 'list'?" v lits
expect_error 2 "See --help" "$vshell" --nonsense
expect_error 2 "requires an argument" "$vshell" -c
expect_error 2 "See --help" "$vshell" -qx
expect_error 2 "takes a number" "$vshell" -d 9 list
expect_error 2 "unknown output format" "$vshell" --format yaml list
expect_error 3 "failed to get domain 'nosuch'" v dominfo nosuch
expect_error 3 "did you mean 'test'?" v dominfo tset
expect_error 3 "no domain matches 'no*'" v destroy 'no*'
expect_error 4 "Domain is already active" v start test
expect_error 4 "domain is not running" v 'destroy test; destroy test'
expect_error 5 "failed to connect to the hypervisor" \
    "$vshell" -c 'kvm+unix:///session?socket=/nonexistent' list
expect_error 6 "read only access" v -r destroy test
expect_error 7 "no event came in time" v event --event reboot --timeout 1
expect_error 8 "not supported" v domcapabilities
expect_error 9 "Document is empty" v define /dev/null
expect_error 1 "cannot open" v define /nonexistent
expect_error 1 "cannot open" "$vshell" -f /nonexistent
expect_error 1 "log file" "$vshell" -l /nonexistent/log list

# the first failure decides, wherever it stands
expect 3 $'a\nb' v -q 'echo a; dominfo nosuch; echo b'
expect 3 $'a\nb' v -q 'echo a; dominfo nosuch; start test; echo b'
expect 3 "a" v -q --stop-on-error 'echo a; dominfo nosuch; echo b'
expect 3 "a" v -q --stop-on-error <<< $'echo a\ndominfo nosuch\necho b'
expect 3 $'a\nb' v -q <<< $'echo a\ndominfo nosuch\necho b'

# --- several domains ----------------------------------------------------
define='define off1.xml off2.xml off3.xml'
expect 0 $'off1\noff2\noff3' v -q "$define; list --inactive --name"
got=$(v "$define; start 'off[13]'" 2>&1 | grep started)
[ "$got" = "Domain 'off1' started
Domain 'off3' started" ] || fail "pattern: $got"
# a pattern means the domains that the command can act on
got=$(v "$define; start '*'; list --name" | tail -5)
[ "$got" = "test
off1
off2
off3" ] || fail "a pattern for start: $got"
expect 0 "off1: running
off2: shut off" v -q "define off1.xml off2.xml; start off1; domstate off1 off2"
got=$(v "$define; start off1 nosuch off2 test off3" 2> errors)
rc=$?; [ "$rc" = 3 ] || fail "status $rc of several"
[ "$(grep -c started <<< "$got")" = 3 ] || fail "the rest goes on: $got"
grep -q "2 of 5 domains failed" errors || fail "no summary"
grep -q "failed to get domain 'nosuch'" errors || fail "no single result"
got=$(v --stop-on-error "$define; start off1 nosuch off2" 2> errors)
[ "$(grep -c started <<< "$got")" = 0 ] || fail "stop-on-error: $got"
expect_error 9 "1 of 3 files failed" v define off1.xml /dev/null off2.xml

# --- quiet, timing, log, debug ------------------------------------------
expect 0 "" v -q destroy test
v -t list | grep -q '^(Time: [0-9.]* ms)$' || fail "no time"
v -l log 'dominfo nosuch' 2> /dev/null
grep -q "failed to get domain 'nosuch'" log || fail "nothing in the log"
v -d 0 list 2>&1 | grep -q 'command: list' || fail "no debug message"
expect 0 "0.1.0" "$vshell" --version
expect 0 "0.1.0" "$vshell" -v
"$vshell" -V | grep -q 'libvirt' || fail "no long version"
"$vshell" --version=long | grep -q 'libvirt' || fail "no long version"
"$vshell" --help | grep -q -- '--stop-on-error' || fail "no help"

# --- help ---------------------------------------------------------------
v help start | grep -q '^    start <domain>\.\.\.' || fail "synopsis"
v start --help | grep -q 'SYNOPSIS' || fail "--help of a command"
v help host | grep -q '^    nodeinfo' || fail "help of a group"
[ "$(v -q help | grep -c '^    ')" -ge 68 ] || fail "help lacks commands"

# --- completion in bash -------------------------------------------------
expect 0 "dominfo" completes domin
expect 0 "test" completes dominfo ''
expect 0 $'acpi\nagent' completes shutdown --mode a
expect 0 $'--format=json\n--format=table' completes list --format=
expect 0 $'-o nospace\nsub/' completes define su
expect 0 "my\\ box.xml" completes define my

# --- JSON ---------------------------------------------------------------
expect_json 'x[0]["name"] == "test" and x[0]["id"] == 1 and x[0]["state"] == "running"' \
    v --format json list
expect_json 'x == []' v list --inactive --format json
expect_json '[c["name"] for c in x] == ["start"]' v help start --format json
expect_json 'len(x) > 3 and {c["group"] for c in x} == {"host"}' v help host --format json
expect_json 'x["vcpus"] == 2 and x["persistent"] is True and x["max_memory_kib"] == 8388608' \
    v dominfo test --format json
expect_json 'x["state"] == "running"' v domstate test --format=json
expect_json '[y["domain"] for y in x] == ["test"]' v domstate 'te*' --format json
expect_json 'x["id"] == 1' v domid test --format json
expect_json 'x["uuid"][8] == "-"' v domuuid test --format json
expect_json 'x["xml"].startswith("<domain")' v dumpxml test --format json
expect_json 'x["maximum_config"] == 2' v vcpucount test --format json
expect_json 'len(x) == 2 and x[1]["vcpu"] == 1' v vcpuinfo test --format json
expect_json 'x[0]["stats"]["state.state"] == 1' v domstats --format json
expect_json 'x["uri"] == "test:///default"' v uri --format json
expect_json 'x["type"] == "TEST"' v version --format json
expect_json 'x["cpus"] == 16' v nodeinfo --format json
expect_json 'x["xml"].startswith("<capabilities")' v capabilities --format json
expect_json 'x["hostname"]' v hostname --format json
expect_json 'x["description"] == ""' v desc test --format json
expect_json 'x["control"] == "ok"' v domcontrol test --format json
expect_json 'len(x) == 27' v event --list --format json
expect_json 'any(y["name"] == "start" for y in x)' v help --format json
expect_json 'x["message"] == "Domain '"'test'"' destroyed"' v --format json destroy test
"$vshell" --format json validate-host > host.json 2> /dev/null
expect_json 'all(y["result"] in ("PASS", "WARN", "FAIL") for y in x)' \
    cat host.json

finish
