#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
#
# control.py SOCKET [--open FILE]... [--event NAME]... REQUEST...: sends each
# request, the files' descriptors beside the first, and prints what comes back
# until all are answered and the named events have come. Ends with 1 if that
# takes longer than 10 s.
import json
import os
import socket
import sys

SECONDS = 10


def main(path, words):
    files, events, requests = [], [], []
    while words:
        word = words.pop(0)
        if word == "--open":
            files.append(os.open(words.pop(0), os.O_RDWR))
        elif word == "--event":
            events.append(words.pop(0))
        else:
            requests.append(word)
    engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    engine.settimeout(SECONDS)
    engine.connect(path)
    answers = len(requests)
    for request in requests:
        socket.send_fds(engine, [" ".join(request.split("\n")).encode() + b"\n"], files)
        files = []
    for line in engine.makefile():
        said = json.loads(line)
        if "QMP" in said:
            continue
        print(line, end="", flush=True)
        if said.get("event") in events:
            events.remove(said["event"])
        elif "event" not in said:
            answers -= 1
        if answers == 0 and not events:
            return 0
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
    except TimeoutError:
        sys.exit(1)
