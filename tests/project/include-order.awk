# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# Reads C files whose names start with driver/FOLDER/ or shell/ and prints each
# #include "..." of a folder that the file's own must not know. A folder may
# include those that stand before it here; the shell is a client like any
# other and knows util alone.
BEGIN {
    split("util conf engine core rpc daemon", order, " ")
    for (i in order)
        rank[order[i]] = i
}

FNR == 1 {
    split(FILENAME, part, "/")
    shell = part[1] == "shell"
    own = shell ? "shell" : part[2]
}

/^[ \t]*#[ \t]*include[ \t]+"/ {
    split($0, quoted, "\"")
    split(quoted[2], part, "/")
    other = part[1]
    # Something else than a folder of ours: its own neighbour, config.h
    if (!(other in rank) || other == own)
        next
    if (shell ? other != "util" : rank[other] > rank[own])
        print FILENAME ":" FNR ": " own " must not include " quoted[2]
}
