#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# edit, desc --edit and metadata --edit: what editors do and do not leave.

# The editors' scripts stand in single quotes.
# shellcheck disable=SC2016
# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires_daemon null
requires expect
cd "$dir" || exit 1
v() { timeout 60 "$vshell" -c null:/// "$@"; }

# editor NAME: makes a program of standard input; the file is its argument
editor() {
    { echo '#!/bin/sh'; cat; } > "$dir/$1"
    chmod +x "$dir/$1"
}

cat > one.xml <<'XML'
<domain type="kvm"><name>one</name><memory unit="MiB">16</memory>
<vcpu>1</vcpu><os><type>hvm</type><kernel>/dev/null</kernel></os></domain>
XML
v -q define one.xml || fail "define"

expect 0 "Domain 'one' XML configuration not changed." \
    env EDITOR=true "$vshell" -c null:/// edit one
editor vcpus <<< 'sed -i "s|>1</vcpu>|>3</vcpu>|" "$1"'
expect 0 "Domain 'one' XML configuration edited." \
    env EDITOR="$dir/vcpus" "$vshell" -c null:/// edit one
expect 0 "3" v -q vcpucount one --config
# VISUAL comes first, and an editor may have arguments
expect 0 "Domain 'one' XML configuration edited." \
    env EDITOR=false VISUAL="sed -i 's|>3</vcpu>|>4</vcpu>|'" \
    "$vshell" -c null:/// edit one
expect 0 "4" v -q vcpucount one --config
expect_error 1 "the editor 'false' failed" \
    env EDITOR=false "$vshell" -c null:/// edit one

# what is refused is not kept; without a terminal nobody is asked
editor broken <<< 'echo "<domain>" > "$1"'
expect_error 9 "thrown away" env EDITOR="$dir/broken" "$vshell" -c null:/// edit one
expect 0 "4" v -q vcpucount one --config
[ -z "$(find /tmp -maxdepth 1 -name 'vshell-*' -newer one.xml -user "$(id -u)" \
    -size -1 2> /dev/null)" ] || fail "a temporary file was left"

# somebody else was quicker
editor slow <<SH
"$vshell" -q -c null:/// desc one --config changed meanwhile
sed -i "s|>4</vcpu>|>5</vcpu>|" "\$1"
SH
expect_error 4 "changed by another user" \
    env EDITOR="$dir/slow" "$vshell" -c null:/// edit one
expect 0 "4" v -q vcpucount one --config

# --- asked on a terminal ------------------------------------------------
# The first time it breaks the document, the second time it mends it.
editor twice <<SH
if [ -e "$dir/broke" ]; then
    "$vshell" -q -c null:/// dumpxml one --inactive > "\$1"
    sed -i "s|>4</vcpu>|>6</vcpu>|" "\$1"
else
    touch "$dir/broke"
    echo "<domain>" > "\$1"
fi
SH
cat > ask.exp <<'TCL'
set timeout 20
proc sees {pattern} {
    expect -re $pattern return timeout { puts "no $pattern"; exit 1 } \
        eof { puts "ended before $pattern"; exit 1 }
}
log_user 0
spawn -noecho [lindex $argv 0] -c null:/// edit one
sees {Failed\. Try again\? \[y,n,i,f,\?\]: $}
send -- "?\r"
sees {start editor again}
sees {Try again\?.*: $}
send -- "f\r"
sees {Try again\?.*: $}
send -- "i\r"
sees {\[y,n,f,\?\]: $}
send -- "y\r"
sees {XML configuration edited}
expect eof
exit [lindex [wait] 3]
TCL
EDITOR=$dir/twice command expect ask.exp "$vshell" || fail "asked on a terminal"
expect 0 "6" v -q vcpucount one --config

# --- description and metadata -------------------------------------------
editor words <<< 'echo "new words" > "$1"'
expect 0 "Domain description updated successfully" \
    env EDITOR="$dir/words" "$vshell" -c null:/// desc one --edit
expect 0 "new words" v -q desc one
expect 0 "Domain description not changed" \
    env EDITOR="$dir/words" "$vshell" -c null:/// desc one --edit
expect 0 "Domain title updated successfully" v desc one --title 'a title'
expect 0 "a title" v -q desc one --title
expect 0 " Id   Name   State      Title
---------------------------------
 -    one    shut off   a title" v list --all --title

editor element <<< 'echo "<app><n>7</n></app>" > "$1"'
expect 0 "Metadata modified" env EDITOR="$dir/element" \
    "$vshell" -c null:/// metadata one urn:app --key app --edit
v -q metadata one urn:app | grep -q '<n>7</n>' || fail "metadata"
expect 0 "Metadata removed" v metadata one urn:app --remove
expect_error 3 "metadata not found" v metadata one urn:app
expect_error 2 "namespace key is required" v metadata one urn:app --set '<x/>'
expect_error 2 "mutually exclusive" v metadata one urn:app --edit --remove
finish
