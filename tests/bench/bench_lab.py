# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Debian's kernel on the lab host, whose KVM is a complete one."""
import glob
import os
import shutil
import subprocess
import tempfile

from bench_process import BUILD, SOURCE, median

LIMIT_S = 1800
# What QEMU reads at run time to boot a kernel.
ROMS = ("/usr/share/seabios/bios-microvm.bin", "/usr/share/qemu/bios-microvm.bin",
        "/usr/share/qemu/linuxboot_dma.bin", "/usr/share/qemu/pvh.bin",
        "/usr/share/qemu/kvmvapic.bin", "/usr/share/seabios/bios-256k.bin")
LAB = os.path.join(SOURCE, "tests/lab")


def run_lab(script, rounds, options):
    """Lines of the script's output"""
    adds = []
    qemu = shutil.which("qemu-system-x86_64")
    if qemu:
        adds.append(f"{qemu}:/usr/bin/qemu-system-x86_64")
        adds += [f"{rom}:{rom}" for rom in ROMS if os.path.exists(rom)]
    command = [os.path.join(LAB, "lab-run"), "--mem", "2800", "--timeout",
               str(LIMIT_S), *options]
    for add in adds:
        command += ["--add", add]
    command += [os.path.join(SOURCE, "tests/bench", script), str(rounds)]
    return subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False,
        env=dict(os.environ, abs_top_builddir=BUILD)).stdout.splitlines()


def boot_times(rounds):
    """{name: [seconds]} of every machine that booted."""
    times = {}
    for line in run_lab("in-boot", rounds, []):
        name, _, value = line.rpartition(" ")
        if value.isdigit() and not line.startswith("#"):
            times.setdefault(name, []).append(int(value) / 1000)
        else:
            print(f"# {line}", flush=True)
    return times


# --- a guest with disks and a network ----------------------------------------
# what, linux-init's name of it, its unit
LINUX_LOADS = (
    ("exec to the login", "login", "ms"),
    ("fio, 4 KiB random read, one at a time", "randread-1", "a second"),
    ("fio, 4 KiB random read, 32 at a time", "randread-32", "a second"),
    ("fio, 4 KiB random write, one at a time", "randwrite-1", "a second"),
    ("fio, 4 KiB random write, 32 at a time", "randwrite-32", "a second"),
    ("fio, 1 MiB sequential read, 8 at a time", "read-8", "a second"),
    ("fio, 1 MiB sequential write, 8 at a time", "write-8", "a second"),
    ("iperf3, guest to host", "send", "Mbit/s"),
    ("iperf3, host to guest", "receive", "Mbit/s"),
)


def linux_results(rounds):
    """{machine: {name: [value]}}"""
    results = {}
    kernel = subprocess.run([os.path.join(LAB, "lab-kernel")], text=True,
                            stdout=subprocess.PIPE, check=True).stdout.strip()
    brd, = glob.glob(f"{kernel}/lib/modules/*/kernel/drivers/block/brd.ko")
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root.img")
        subprocess.run(
            [os.path.join(LAB, "lab-root"), root,
             os.path.join(SOURCE, "tests/bench/linux-init")], check=True)
        lines = run_lab("in-linux", rounds, [
            "--disk", root, "--module", "tun", "--add", brd, "--add",
            shutil.which("iperf3")])
    for line in lines:
        machine, _, value = line.removeprefix("result ").partition(": ")
        if not line.startswith("result ") or len(value.split()) != 2:
            print(f"# {line}", flush=True)
            continue
        name, number = value.split()
        results.setdefault(machine, {}).setdefault(name, []).append(
            float(number))
    return results


def bench_linux(table, rounds):
    results = linux_results(rounds)
    print("\nLinux with disks and a network on the lab host")
    for machine, got in results.items():
        print(f"  {machine:14} " + "  ".join(
            f"{name} {median(values):.0f} [{min(values):.0f} "
            f"{max(values):.0f}]" for name, values in got.items()),
              flush=True)
    own = results.pop("engine", {})
    for what, name, unit in LINUX_LOADS:
        peers = {machine: median(got[name])
                 for machine, got in results.items() if name in got}
        what = f"Linux in the lab: {what}, of the better QEMU's"
        if name not in own or not peers:
            table.skip(what, "it did not run")
            continue
        best = (min if unit == "ms" else max)(peers, key=peers.get)
        ours = median(own[name])
        ratio = peers[best] / ours if unit == "ms" else ours / peers[best]
        table.add(what, ratio, "times", 1.0,
                  f"{ours:.0f} / {peers[best]:.0f} {unit}, {best}",
                  at_least=True)
