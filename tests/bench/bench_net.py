# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Networks: the device alone under a driver in shared memory (bench-net) on a
tap interface, beside a bare loop of readv or writev on the same tap, by turns;
and what an interface costs an engine. QEMU's virtio-net has no such driver: its
comparison is the one with real guests, in the lab."""
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time

import bench_process as process
from bench_process import median

INTERFACES = 8
# what, bytes of a frame
LOADS = (("64 bytes", 64), ("1500 bytes", 1500),
         ("60 KB in segments", 60000))
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


def rate(what, size, seconds):
    """Frames a second, and ns of CPU for each."""
    done = subprocess.run(
        [os.path.join(process.BENCH, "bench-net"), what, str(size),
         str(seconds)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return [float(word) for word in done.stdout.split()]


def bench_load(table, load, way, rounds, seconds):
    name, size = load
    got = {"ours": [], "floor": []}
    for _ in range(rounds):
        got["floor"].append(rate(f"floor-{way}", size, seconds))
        got["ours"].append(rate(way, size, seconds))
    frames = {who: median([one[0] for one in runs])
              for who, runs in got.items()}
    cpu = {who: median([one[1] for one in runs]) for who, runs in got.items()}
    gigabits = frames["ours"] * size * 8 / 1e9
    print(f"  {way} {name:20} ours {frames['ours']:.0f}/s ({gigabits:.2f} "
          f"Gbit/s), floor {frames['floor']:.0f}/s", flush=True)
    table.add(f"net: {way} {name}: CPU of a bare loop's",
              cpu["floor"] / cpu["ours"], "times", None,
              f"{cpu['floor']:.0f} / {cpu['ours']:.0f} ns a frame",
              at_least=True)
    table.add(f"net: {way} {name}: frames of a bare loop's",
              frames["ours"] / frames["floor"], "times", None,
              f"{frames['ours']:.0f} / {frames['floor']:.0f} a second",
              at_least=True)


# --- what an interface costs, in a namespace with nothing else --------------
def tap():
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack(
        "16sH22x", b"", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    return fd


def backends(kind, count):
    """Returns: their JSON, and what must be kept open."""
    kept, found = [], []
    for _ in range(count):
        if kind == "tap":
            kept.append(tap())
            found.append({"type": "tap", "fds": [kept[-1]]})
        else:
            found.append({"type": "user"})
    return found, kept


def start_engine(folder, kind, count):
    """Milliseconds to the first byte, and PSS in KiB."""
    found, fds = backends(kind, count)
    path = os.path.join(folder, "net.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({
            "name": "bench-net", "uuid": process.UUID % 1,
            "memory": process.MEMORY_MIB << 20,
            "kernel": {"path": process.payload("halt", "elf")},
            "serials": [{"port": 0, "chardev": {"type": "stdio"}}],
            "devices": [{"type": "virtio-net", "id": f"net{i}", "slot": 3 + i,
                         "mac": f"52:54:00:00:00:{i:02x}", "backend": backend}
                        for i, backend in enumerate(found)]}, file)
    begin = time.monotonic()
    machine = process.Running([process.ENGINE, "--machine", path],
                              pass_fds=fds)
    try:
        if not machine.wait_byte():
            raise RuntimeError("an engine with interfaces does not start")
        taken = (time.monotonic() - begin) * 1e3
        time.sleep(0.2)
        return taken, process.memory_kib(machine.process.pid)[1]
    finally:
        machine.close()
        for fd in fds:
            os.close(fd)


def measure_cost(folder, runs):
    got = {"none": [], "tap": [], "user": [], "one user": []}
    for _ in range(runs):
        got["none"].append(start_engine(folder, "tap", 0))
        got["tap"].append(start_engine(folder, "tap", INTERFACES))
        got["one user"].append(start_engine(folder, "user", 1))
        got["user"].append(start_engine(folder, "user", INTERFACES))
    return {name: [median([run[i] for run in runs]) for i in (0, 1)]
            for name, runs in got.items()}


def bench_cost(table, folder, runs):
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-B", os.path.abspath(__file__),
         folder, str(runs)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    cost = json.loads(done.stdout)

    def add(what, more, less, count, limits):
        for i, unit in ((0, "ms"), (1, "KiB")):
            each = (cost[more][i] - cost[less][i]) / count
            part = "start" if unit == "ms" else "PSS"
            table.add(f"net: {what}: {part}", each, unit, limits[i],
                      f"({cost[more][i]:.2f} - {cost[less][i]:.2f}) / {count}")

    add("a tap interface", "tap", "none", INTERFACES, (1, 200))
    add("the first in user mode", "one user", "none", 1, (None, None))
    add("another in user mode", "user", "one user", INTERFACES - 1, (1, 200))


def bench_nets(table, folder, runs, rounds, seconds):
    print("\nvirtio-net on a tap, and a bare loop")
    for way in ("send", "receive"):
        for load in LOADS:
            bench_load(table, load, way, rounds, seconds)
    bench_cost(table, folder, runs)


if __name__ == "__main__":
    json.dump(measure_cost(sys.argv[1], int(sys.argv[2])), sys.stdout)
