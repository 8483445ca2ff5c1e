# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Booting Debian's kernel on the lab host, whose KVM is a complete one."""
import os
import shutil
import subprocess

from bench_process import BUILD, SOURCE

LIMIT_S = 1800
# What QEMU reads at run time to boot a kernel.
ROMS = ("/usr/share/seabios/bios-microvm.bin", "/usr/share/qemu/bios-microvm.bin",
        "/usr/share/qemu/linuxboot_dma.bin", "/usr/share/qemu/pvh.bin",
        "/usr/share/qemu/kvmvapic.bin")


def boot_times(rounds):
    """{name: [seconds]} of every machine that booted."""
    adds = []
    qemu = shutil.which("qemu-system-x86_64")
    if qemu:
        adds.append(f"{qemu}:/usr/bin/qemu-system-x86_64")
        adds += [f"{rom}:{rom}" for rom in ROMS if os.path.exists(rom)]
    command = [os.path.join(SOURCE, "tests/lab/lab-run"), "--mem", "2800",
               "--timeout", str(LIMIT_S)]
    for add in adds:
        command += ["--add", add]
    command += [os.path.join(SOURCE, "tests/bench/in-boot"), str(rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          env=dict(os.environ, abs_top_builddir=BUILD),
                          check=False)
    times = {}
    for line in done.stdout.splitlines():
        name, _, value = line.rpartition(" ")
        if value.isdigit() and not line.startswith("#"):
            times.setdefault(name, []).append(int(value) / 1000)
        else:
            print(f"# {line}", flush=True)
    return times
