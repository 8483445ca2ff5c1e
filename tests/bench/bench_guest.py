# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""A guest that drives virtio devices and nothing else (guest.c), from memory: the
same file under virtkvm and under QEMU with its own virtio-blk and virtio-net, on
the same image or a tap interface of the same kind, by turns. The guest polls
its rings, which takes interrupts out of the comparison and leaves kicks in.

As a program, in a network namespace of its own: bench_guest.py PATTERN SIZE
SECONDS WHO measures networks and prints frames a second."""
import fcntl
import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import bench_process as process
from bench_disk import LOADS as DISK_LOADS, SIZE_MIB, make_images
from bench_process import median

MEMORY_MIB = 256
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
TAP = b"tap-test"  # as tap-net.h has it
MAC = "52:54:00:12:34:56"
# The guest's clock and the host's may differ by what a busy machine takes to see
# a line.
DISAGREE = 0.3
VCPUS = ("vcpu", "CPU ")  # how their threads' names begin


def tsc_hz():
    """Linux counts BogoMIPS, two to a tick, where it knows the counter's
    frequency; measure() finds out if it does not."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return float(re.search(r"bogomips\s*: ([\d.]+)", file.read())[1]) * 5e5


def engine_command(folder, line, device):
    path = os.path.join(folder, "guest.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({
            "name": "bench-guest", "uuid": process.UUID % 1,
            "memory": MEMORY_MIB << 20,
            "kernel": {"path": process.payload("guest", "elf")},
            "cmdline": line, "debug_exit": True, "on_reboot": "destroy",
            "serials": [{"port": 0, "chardev": {"type": "stdio"}}],
            "devices": [device]}, file)
    return [process.ENGINE, "--machine", path]


def qemu_command(line, words):
    return [shutil.which("qemu-system-x86_64"), "-nodefaults",
            "-no-user-config", "-display", "none", "-accel", "kvm", "-M",
            "q35", "-m", str(MEMORY_MIB), "-smp", "1", "-no-reboot",
            "-serial", "stdio", "-device",
            "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel",
            process.payload("guest", "elf"), "-append", line, *words]


class Lines:
    """What a machine says on COM1, each line with the time it came."""

    def __init__(self, command, fds):
        self.machine = process.Running(command, pass_fds=fds)
        self.text = b""

    def next(self):
        out = self.machine.process.stdout
        while b"\n" not in self.text:
            ready, _, _ = select.select([out], [], [], process.PATIENCE_S)
            got = os.read(out.fileno(), 4096) if ready else b""
            if not got:
                raise RuntimeError("the benchmark guest says nothing")
            self.text += got
        line, _, self.text = self.text.partition(b"\n")
        if line.startswith(b"!"):
            raise RuntimeError("the benchmark guest: " + line.decode())
        return line.decode(), time.monotonic()


def part(pid):
    """The guest keeps a processor to itself, since it polls; its device shares
    another one with whoever sends to it."""
    if len(os.sched_getaffinity(0)) < 2:
        return
    first, second, *_ = os.sched_getaffinity(0)
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
            is_vcpu = file.read().startswith(VCPUS)
        os.sched_setaffinity(int(task), {first if is_vcpu else second})


def measure(command, fds=(), parted=False, count=None):
    """@count: what it has to do in its time. Returns: what it did, a second"""
    lines = Lines(command, fds)
    try:
        lines.next()
        if parted:
            part(lines.machine.process.pid)
        _, begin = lines.next()
        line, end = lines.next()
    finally:
        lines.machine.close()
    _, done, ticks = line.split()
    if count and int(done) < count:
        raise RuntimeError(f"the guest did {done} requests of {count}")
    if int(done) == 0:
        raise RuntimeError("nothing was done in all the time")
    seconds = int(ticks) / tsc_hz()
    if abs(seconds - (end - begin)) > DISAGREE * seconds:
        raise RuntimeError(f"the guest's clock says {seconds:.3f} s, the "
                           f"host's {end - begin:.3f}")
    return int(done) / seconds


def ticks(seconds):
    return f"ticks={int(seconds * tsc_hz())}"


# --- disks -------------------------------------------------------------------
def disk_line(load, seconds, count):
    line = f"disk={load} {ticks(seconds)}"
    return f"{line} count={count}" if count else line


def disk_engine(folder, kind, image, load, seconds, count=None):
    fd = os.open(image, os.O_RDWR | os.O_DIRECT)
    try:
        return measure(engine_command(
            folder, disk_line(load, seconds, count), {
                "type": "virtio-blk", "id": "virtio-disk0", "slot": 3,
                "drive": {"format": kind, "fd": fd, "path": image,
                          "writable": True, "direct": True}}), [fd],
                       count=count)
    finally:
        os.close(fd)


def disk_qemu(_, kind, image, load, seconds, count=None):
    return measure(qemu_command(disk_line(load, seconds, count), [
        "-object", "iothread,id=io0", "-blockdev",
        f"driver=file,node-name=file0,filename={image},cache.direct=on,"
        "aio=io_uring", "-blockdev",
        f"driver={kind},node-name=disk0,file=file0,cache.direct=on",
        "-device", "virtio-blk-pci,drive=disk0,disable-legacy=on,"
        "iothread=io0,num-queues=1,queue-size=256"]), count=count)


def compare(table, what, ours, peer, limit, unit="a second"):
    """Of the same rounds"""
    print(f"  {what:56} " + "  ".join(
        f"{name} {median(rates):.0f} [{min(rates):.0f} {max(rates):.0f}]"
        for name, rates in (("ours", ours), ("QEMU's", peer))), flush=True)
    table.add(f"{what}, of QEMU's", median([own / other for own, other in
                                            zip(ours, peer)]), "times", limit,
              f"{median(ours):.0f} / {median(peer):.0f} {unit}",
              at_least=True)


def bench_disk_devices(table, folder, rounds, seconds):
    images = make_images(folder, SIZE_MIB)
    for what, pattern, size, depth in DISK_LOADS:
        got = {}
        for _ in range(rounds):
            for kind, image in images.items():
                for run in (disk_engine, disk_qemu):
                    got.setdefault((kind, run), []).append(run(
                        folder, kind, image, f"{pattern}:{size}:{depth}",
                        seconds))
        for kind, limit in (("raw", 1.2), ("qcow2", None)):
            compare(table, f"virtio-blk, {kind}, {what}",
                    got[kind, disk_engine], got[kind, disk_qemu], limit)


# --- an image that grows -----------------------------------------------------
ALLOCATION_MIB = 1024
CLUSTER = 64 << 10
# what, the guest's name of it, requests at once
ALLOCATIONS = (
    ("one after another, one at a time", "write", 1),
    ("one after another, 8 at a time", "write", 8),
    ("in no order, one at a time", "shuffle", 1),
    ("in no order, 8 at a time", "shuffle", 8),
)


def allocate(run, folder, pattern, depth):
    """Every cluster of a fresh image is written once, and flushed."""
    image = os.path.join(folder, "fresh.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image,
                    f"{ALLOCATION_MIB}M"], check=True)
    try:
        return run(folder, "qcow2", image, f"{pattern}:{CLUSTER}:{depth}",
                   process.PATIENCE_S, (ALLOCATION_MIB << 20) // CLUSTER)
    finally:
        subprocess.run(["qemu-img", "check", "-q", image], check=True)
        os.unlink(image)


def bench_allocation(table, folder, rounds):
    for what, pattern, depth in ALLOCATIONS:
        got = {disk_engine: [], disk_qemu: []}
        for _ in range(rounds):
            for run, rates in got.items():
                rates.append(allocate(run, folder, pattern, depth))
        compare(table, f"qcow2 allocates 64 KiB {what}", got[disk_engine],
                got[disk_qemu], 1.0)


# --- networks ----------------------------------------------------------------
def tap():
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack(
        "16sH22x", TAP, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as request:
        fcntl.ioctl(request, SIOCSIFFLAGS,
                    struct.pack("16sH22x", TAP, IFF_UP))
    return fd


def quiet_kernel():
    """So that it sends nothing of its own."""
    for name in ("all", "default"):
        path = f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"
        if os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write("1")


def net_command(folder, who, line, fd):
    if who == "qemu":
        return qemu_command(line, [
            "-netdev", f"tap,id=net0,fd={fd},vhost=off", "-device",
            f"virtio-net-pci,netdev=net0,mac={MAC},disable-legacy=on,"
            "rx_queue_size=256,tx_queue_size=256,mrg_rxbuf=on,romfile="])
    return engine_command(folder, line, {
        "type": "virtio-net", "id": "net0", "slot": 3, "mac": MAC,
        "queue_size": 256, "backend": {"type": "tap", "fds": [fd]}})


def net_here(pattern, size, seconds, who):
    """In this process's network namespace."""
    quiet_kernel()
    fd = tap()
    flood = None
    if pattern == "receive":
        flood = subprocess.Popen(
            [os.path.join(process.BENCH, "bench-net"), "flood", str(size),
             str(process.PATIENCE_S)], stdin=subprocess.DEVNULL)
        part(flood.pid)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return measure(net_command(
                folder, who, f"net={pattern}:{size}:1 {ticks(seconds)}", fd),
                [fd], flood is not None)
    finally:
        if flood:
            flood.kill()
            flood.wait()
        os.close(fd)


def net(pattern, size, seconds, who):
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-B", os.path.abspath(__file__),
         pattern, str(size), str(seconds), who],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return float(done.stdout)


NET_LOADS = (("64 bytes", 64), ("1500 bytes", 1500),
             ("60 KB in segments", 60000))


def bench_net_devices(table, rounds, seconds):
    for pattern in ("send", "receive"):
        for what, size in NET_LOADS:
            got = {"engine": [], "qemu": []}
            for _ in range(rounds):
                for who, rates in got.items():
                    rates.append(net(pattern, size, seconds, who))
            compare(table, f"virtio-net, {pattern} {what}", got["engine"],
                    got["qemu"], 1.2, "frames a second")


def bench_guests(table, folder, rounds, seconds):
    """Those of QEMU's own devices."""
    if not shutil.which("qemu-system-x86_64"):
        raise RuntimeError("QEMU is not installed")
    print("\na guest that drives virtio devices", flush=True)
    bench_net_devices(table, rounds, seconds)
    bench_disk_devices(table, folder, rounds, seconds)
    bench_allocation(table, folder, rounds)


if __name__ == "__main__":
    print(net_here(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]),
                   sys.argv[4]))
