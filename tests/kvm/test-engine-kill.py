#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""The engine is killed at random moments while its guest (payload/disk.c) writes
and flushes: what the guest was told is flushed must be in the image, what is
there beside it must be later writes, and qemu-img check must find nothing worse
than leaks. $VIRTKVM_ROUNDS says how often."""
import fcntl
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.environ.get("abs_top_srcdir", os.getcwd()),
                                "tests/client"))
import harness

try:
    os.close(os.open("/dev/kvm", os.O_RDWR))
except OSError as refused:
    harness.skip_all(f"/dev/kvm: {refused.strerror}")
if not shutil.which("qemu-img"):
    harness.skip_all("qemu-img is not installed")

ROUNDS = int(os.environ.get("VIRTKVM_ROUNDS", "20"))
ENGINE = os.path.join(harness.BUILD, "virtkvm-engine")
PAYLOAD = os.path.join(harness.BUILD, "tests/kvm/payload/disk.elf")
BLOCKS, BLOCK, BATCH = 2048, 4096, 8
MOST = 1 << 16  # numbers in one run
LONGEST_S = 0.2
LEAKS = 3  # a status of qemu-img check


def block_of(number):
    return (number * 2654435761 & 0xffffffff) >> 21


def contents(number):
    """What write NUMBER leaves in its block."""
    return bytes(BLOCK) if number % 8 == 7 else struct.pack("<I", number) * 1024


class Kill(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vk-kill-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder)
        self.image = os.path.join(self.folder, "image")

    def document(self, first, **drive):
        return {
            "name": "kill", "uuid": "8f7c5a3e-0d59-4a3c-9f0a-5b6a1c2d3e4f",
            "kernel": {"path": PAYLOAD}, "cmdline": f"{first:x}",
            "memory": 16 << 20, "debug_exit": True,
            "serials": [{"port": 0, "chardev": {"type": "stdio"}}],
            "devices": [{"type": "virtio-blk", "id": "disk", "slot": 3,
                         "discard": "unmap", "drive": {
                             "path": self.image, "writable": True, **drive}}]}

    def run_and_kill(self, first, wait, direct, **drive):
        """The last write that was flushed, as far as the guest could tell.
        With @wait only after a first flush. Returns when the kernel has let go
        of the image, with all that was in flight."""
        lock = os.open(self.image, os.O_RDONLY)
        image = os.open(self.image, os.O_RDWR |
                        (os.O_DIRECT if direct else 0))
        fcntl.flock(image, fcntl.LOCK_EX)
        path = os.path.join(self.folder, "machine")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.document(first, fd=image, direct=direct, **drive),
                      file)
        output = os.path.join(self.folder, "output")
        with open(output, "wb") as out:
            engine = subprocess.Popen(
                [ENGINE, "--machine", path], stdin=subprocess.DEVNULL,
                stdout=out, pass_fds=[image])
        self.addCleanup(engine.kill)
        os.close(image)
        if wait:
            harness.wait_for(lambda: os.stat(output).st_size > 0, "a flush")
        time.sleep(random.uniform(0, LONGEST_S))
        engine.kill()
        self.assertEqual(engine.wait(), -9, "it ended by itself")
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.close(lock)
        with open(output, "rb") as said:
            numbers = said.read()
        whole = len(numbers) // 4 * 4
        if whole == 0:
            return first - 1
        return struct.unpack_from("<I", numbers, whole - 4)[0]

    def read(self, kind):
        if kind == "raw":
            with open(self.image, "rb") as image:
                return image.read()
        done = subprocess.run(["qemu-img", "check", "-q", self.image],
                              capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, LEAKS), done.stdout + done.stderr)
        plain = self.image + ".raw"
        subprocess.run(["qemu-img", "convert", "-O", "raw", self.image, plain],
                       check=True)
        with open(plain, "rb") as image:
            return image.read()

    def judge(self, before, after, first, flushed):
        """Each block has the last write that was flushed, or one of the same
        eight, which are on their way at once, or one of the eight that were on
        their way at the end; without any, what was there before. A guest that
        wrote a number had been told that all earlier eights are flushed."""
        places = range(0, BLOCKS * BLOCK, BLOCK)
        numbers = [struct.unpack_from("<I", after, place)[0]
                   for place in places]
        highest = max(first - 1, *numbers)
        self.assertLess(highest, first + MOST, "never written")
        last = max(flushed, highest // BATCH * BATCH - 1)
        right = [[before[place:place + BLOCK]] for place in places]
        batches = [0] * BLOCKS
        for number in range(first, last + 1 + BATCH):
            block, batch = block_of(number), number // BATCH
            if number <= last and batches[block] != batch:
                right[block].clear()
            batches[block] = batch
            right[block].append(contents(number))
        for block, place in enumerate(places):
            found = after[place:place + BLOCK]
            self.assertTrue(
                found in right[block],
                f"block {block} has {found[:8].hex()} after {last} of {first}")

    def play(self, kind, *options):
        subprocess.run(["qemu-img", "create", "-q", "-f", kind, *options,
                        self.image, str(BLOCKS * BLOCK)], check=True)
        first, total, before = BATCH, 0, bytes(BLOCKS * BLOCK)
        for turn in range(ROUNDS):
            flushed = self.run_and_kill(
                first, wait=turn % 4 > 0, direct=turn % 2 == 1, format=kind,
                aio="threads" if turn % 3 == 2 else "io_uring")
            after = self.read(kind)
            self.judge(before, after, first, flushed)
            total += (flushed + 1 - first) // BATCH
            first, before = first + MOST, after
        print(f"# {ROUNDS} rounds, {total} flushes")
        self.assertGreaterEqual(total, ROUNDS * 3 // 4)

    def test_raw(self):
        self.play("raw")

    def test_qcow2(self):
        self.play("qcow2")

    def test_qcow2_small_clusters(self):
        self.play("qcow2", "-o", "cluster_size=4k,lazy_refcounts=on")


if __name__ == "__main__":
    harness.main()
