# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Disks: the device alone under a driver in shared memory (bench-disk), beside
fio and QEMU's block layer on the same files, by turns; and what a disk costs an
engine. fio and qemu-img have no guest that is to be woken up for each request:
one at a time they are compared with a driver that polls its ring, and what one
that sleeps gets stands beside it."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import bench_process as process
from bench_process import median

SIZE_MIB = 1024
MEMORY_MIB = 256
MEMORY = "/dev/shm"
DISKS = 8
# what, fio's name of it, bytes of a request, requests at once
LOADS = (
    ("4 KiB random read, one at a time", "randread", 4096, 1),
    ("4 KiB random read, 32 at a time", "randread", 4096, 32),
    ("4 KiB random write, one at a time", "randwrite", 4096, 1),
    ("4 KiB random write, 32 at a time", "randwrite", 4096, 32),
    ("1 MiB sequential read", "read", 1 << 20, 8),
    ("1 MiB sequential write", "write", 1 << 20, 8),
)
# Where no disk is the bound
MEMORY_LOADS = (
    ("4 KiB random read in memory, 32 at a time", "randread", 4096, 32),
    ("4 KiB random write in memory, 32 at a time", "randwrite", 4096, 32),
)
# A stride through the file that leaves no two requests beside each other: as
# near to random as qemu-img can be brought.
STRIDE = (1 << 20) + 4096


def make_images(folder, size_mib):
    """A raw file with every block written, and its copy as qcow2."""
    raw, qcow2 = (os.path.join(folder, f"disk.{name}")
                  for name in ("raw", "qcow2"))
    with open(raw, "wb") as file:
        for _ in range(size_mib):
            file.write(os.urandom(1 << 20))
        os.fsync(file.fileno())
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, qcow2],
                   check=True)
    return {"raw": raw, "qcow2": qcow2}


def ours(images, kind, load, seconds, sleeps=False):
    _, pattern, size, depth = load
    polls = depth == 1 and not sleeps
    done = subprocess.run(
        [os.path.join(process.BENCH, "bench-disk"),
         *(["--polls"] if polls else []), kind, images[kind], pattern,
         str(size), str(depth), str(seconds)],
        capture_output=True, text=True, check=True)
    return float(done.stdout)


def fio(images, load, seconds):
    _, pattern, size, depth = load
    done = subprocess.run(
        ["fio", "--name=bench", f"--filename={images['raw']}",
         f"--rw={pattern}", f"--bs={size}", f"--iodepth={depth}",
         "--direct=1", "--ioengine=io_uring",
         f"--runtime={seconds}", "--time_based", "--thread",
         "--output-format=json"],
        capture_output=True, text=True, check=True)
    job = json.loads(done.stdout)["jobs"][0]
    return job["read"]["iops"] + job["write"]["iops"]


def qemu(images, kind, load, count):
    """qemu-img takes a number of requests, not a time."""
    _, pattern, size, depth = load
    stride = STRIDE if pattern.startswith("rand") else size
    done = subprocess.run(
        ["qemu-img", "bench", "-f", kind, "-t", "none", "-i", "io_uring",
         "-c", str(count), "-d", str(depth), "-s", str(size), "-S",
         str(stride), *(["-w"] if "write" in pattern else []), images[kind]],
        capture_output=True, text=True, check=True)
    taken = re.search(r"completed in ([\d.]+) seconds", done.stdout)
    return count / float(taken.group(1))


def bench_load(table, images, load, rounds, seconds):
    rates = {}
    for _ in range(rounds):
        raw = ours(images, "raw", load, seconds)
        count = max(16, int(raw * seconds))
        turn = {"raw": raw, "qcow2": ours(images, "qcow2", load, seconds),
                "QEMU": qemu(images, "raw", load, count),
                "QEMU's qcow2": qemu(images, "qcow2", load, count)}
        if load[3] == 1:
            turn["sleeping"] = ours(images, "raw", load, seconds, sleeps=True)
        if shutil.which("fio"):
            turn["fio"] = fio(images, load, seconds)
        for name, rate in turn.items():
            rates.setdefault(name, []).append(rate)
    print(f"  {load[0]:36} " + "  ".join(
        f"{name} {median(values):.0f}/s" for name, values in rates.items()),
        flush=True)

    def ratio(what, left, right, limit):
        if right not in rates:
            table.skip(f"{load[0]}: {what}", f"{right} is not installed")
            return
        table.add(f"{load[0]}: {what}",
                  median([own / peer for own, peer in
                          zip(rates[left], rates[right])]), "times", limit,
                  f"{median(rates[left]):.0f} / {median(rates[right]):.0f}"
                  " a second", at_least=True)

    ratio("of fio's", "raw", "fio", 0.9)
    ratio("of QEMU's", "raw", "QEMU", 1.2)
    ratio("qcow2, of raw", "qcow2", "raw", 0.85)
    ratio("qcow2, of QEMU's", "qcow2", "QEMU's qcow2", None)
    if "sleeping" in rates:
        ratio("a guest that sleeps, of fio's", "sleeping", "fio", None)


def engine_document(folder, image, fds):
    path = os.path.join(folder, f"disks-{len(fds)}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({
            "name": "bench-disks", "uuid": process.UUID % 1,
            "memory": process.MEMORY_MIB << 20,
            "kernel": {"path": process.payload("halt", "elf")},
            "serials": [{"port": 0, "chardev": {"type": "stdio"}}],
            "devices": [{
                "type": "virtio-blk", "id": f"virtio-disk{i}", "slot": 3 + i,
                "drive": {"format": "raw", "fd": fd, "path": image,
                          "writable": True, "direct": True},
            } for i, fd in enumerate(fds)]}, file)
    return path


def start_engine(folder, image, count):
    """Milliseconds to the first byte, and PSS in KiB."""
    fds = [os.open(image, os.O_RDWR | os.O_DIRECT) for _ in range(count)]
    document = engine_document(folder, image, fds)
    begin = time.monotonic()
    machine = process.Running([process.ENGINE, "--machine", document],
                              pass_fds=fds)
    try:
        if not machine.wait_byte():
            raise RuntimeError("an engine with disks does not start")
        taken = (time.monotonic() - begin) * 1e3
        time.sleep(0.2)
        return taken, process.memory_kib(machine.process.pid)[1]
    finally:
        machine.close()
        for fd in fds:
            os.close(fd)


def bench_cost(table, folder, image, runs):
    got = {0: [], DISKS: []}
    for _ in range(runs):
        for count, results in got.items():
            results.append(start_engine(folder, image, count))
    first, memory = ([median([run[i] for run in results])
                      for results in got.values()] for i in (0, 1))
    table.add("each disk: start to first byte", (first[1] - first[0]) / DISKS,
              "ms", 1, f"{first[1]:.2f} - {first[0]:.2f} ms, {DISKS} disks")
    table.add("each disk: PSS", (memory[1] - memory[0]) / DISKS, "KiB", 200,
              f"{memory[1]:.0f} - {memory[0]:.0f} KiB")


def bench_memory(table, rounds, seconds):
    """Kernels before 6.6 have no O_DIRECT there, as others have no such place.
    """
    try:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            images = make_images(folder, MEMORY_MIB)
            os.close(os.open(images["raw"], os.O_RDWR | os.O_DIRECT))
            for load in MEMORY_LOADS:
                bench_load(table, images, load, rounds, seconds)
    except OSError as error:
        table.skip("disks in memory", error)


def bench_disks(table, folder, runs, rounds, seconds):
    images = make_images(folder, SIZE_MIB)
    print("\ndisks: requests a second")
    bench_cost(table, folder, images["raw"], runs)
    for load in LOADS:
        bench_load(table, images, load, rounds, seconds)
    bench_memory(table, rounds, seconds)
