#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# The shell on a terminal: test-shell-interactive.exp tells what is looked at.

# shellcheck source=tests/shell/lib.sh
. "${abs_top_srcdir:?}/tests/shell/lib.sh"
requires expect
cd "$dir" || exit 1
cat > blank.xml <<'XML'
<domain type="test"><name>my box</name><memory>65536</memory>
<os><type>hvm</type></os></domain>
XML
printf 'set bell-style none\nset enable-bracketed-paste off\n' > inputrc
export INPUTRC=$dir/inputrc
timeout 100 expect "$source/tests/shell/test-shell-interactive.exp" \
    "$vshell" < /dev/null || fail "on a terminal"
finish
