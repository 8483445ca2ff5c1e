#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Measures virtkvm against the least that KVM allows and against QEMU, all in
one run on one machine, and prints a table of ratios with the limits they are
to keep. Every figure is a median."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import bench_process as process
from bench_daemon import (Libvirtd, Unavailable, Virtkvmd, durable_file_ms,
                          rate, start_destroy, timed_ms)
from bench_disk import bench_disks
from bench_guest import bench_guests
from bench_lab import bench_linux, boot_times
from bench_net import bench_nets
from bench_process import median

MACHINES = ("floor", "engine", "engine --xml", "qemu microvm", "qemu pc")


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, limit=None, against="", at_least=False):
        """@limit: of @value, in its unit; @against: where it comes from."""
        verdict = ""
        if limit is not None:
            met = value >= limit if at_least else value <= limit
            verdict = "met" if met else "NOT MET"
        self.rows.append((what, value, unit, limit, against, verdict,
                          at_least))

    def skip(self, what, why):
        self.rows.append((what, None, "", None, str(why), "not measured",
                          False))

    def show(self):
        print(f"\n{'what':52} {'measured':>12} {'limit':>14}  verdict")
        for what, value, unit, limit, against, verdict, at_least in self.rows:
            if value is None:
                print(f"{what:52} {'-':>12} {'':>14}  {verdict}: {against}")
                continue
            sign = ">=" if at_least else "<="
            bound = "" if limit is None else f"{sign} {limit:.4g} {unit}"
            note = f"  ({against})" if against else ""
            print(f"{what:52} {f'{value:.4g} {unit}':>12} {bound:>14}"
                  f"  {verdict}{note}")

    def failed(self):
        return [row[0] for row in self.rows if row[5] == "NOT MET"]


def show(title, results, keys):
    print(f"\n{title}")
    for name, got in results.items():
        cells = "  ".join(
            f"{key} {median(got[key]):8.2f} [{min(got[key]):.2f} "
            f"{max(got[key]):.2f}]" for key in keys)
        print(f"  {name:14} n={len(got[keys[0]])}  {cells}", flush=True)


def commands(machines, payload):
    return {name: machines.command(name, payload) for name in MACHINES}


def bench_start(table, machines, runs):
    """From the exec to the first byte, and to the end."""
    left = process.spawn_rounds(commands(machines, "leave"), runs)
    killed = process.spawn_rounds(commands(machines, "halt"), runs, True)
    show("exec to first byte, first byte to gone when the guest leaves",
         left, ("first_ms", "gone_ms", "peak_kib"))
    show("SIGTERM to gone", killed, ("gone_ms",))
    for name in ("engine", "engine --xml"):
        what = f"{name}: exec to first byte"
        if name not in left or "floor" not in left:
            table.skip(what, "it did not run")
            continue
        first = median(left[name]["first_ms"])
        floor = median(left["floor"]["first_ms"])
        table.add(f"{what}, of the floor's", first / floor, "times", 3,
                  f"{first:.2f} / {floor:.2f} ms")
        if "qemu microvm" in left:
            peer = median(left["qemu microvm"]["first_ms"])
            table.add(f"{what}, of QEMU microvm's", first / peer, "times",
                      0.12, f"{first:.2f} / {peer:.2f} ms")
        if "qemu pc" in left:
            peer = median(left["qemu pc"]["first_ms"])
            table.add(f"{what}, of QEMU pc's", first / peer, "times", None,
                      f"{first:.2f} / {peer:.2f} ms")
    if "engine" in killed and "floor" in killed:
        gone = median(killed["engine"]["gone_ms"])
        floor = median(killed["floor"]["gone_ms"])
        table.add("engine: SIGTERM to gone, beyond the floor's", gone - floor,
                  "ms", 5, f"{gone:.2f} - {floor:.2f} ms")
        gone = median(left["engine"]["gone_ms"])
        floor = median(left["floor"]["gone_ms"])
        table.add("engine: guest's exit to gone, beyond the floor's",
                  gone - floor, "ms", 5, f"{gone:.2f} - {floor:.2f} ms")
    return median(left["engine"]["first_ms"]) if "engine" in left else 0


def measure_memory(command, runs, idle):
    """Medians of anonymous MiB and PSS MiB; CPU ms and wake-ups a second."""
    anonymous, pss, activity = [], [], (0, 0)
    for turn in range(runs):
        machine = process.Running(command)
        try:
            if not machine.wait_byte():
                return None
            time.sleep(0.3)
            got = process.memory_kib(machine.process.pid)
            anonymous.append(got[0] / 1024)
            pss.append(got[1] / 1024)
            if idle and turn == 0:
                activity = process.idle_activity(machine.process.pid)
        finally:
            machine.close()
    return {"anon_mib": anonymous, "pss_mib": pss,
            "idle_ms_s": [activity[0]], "wakes_s": [activity[1]]}


def measure_many(command, count):
    running = [process.Running(command) for _ in range(count)]
    try:
        if not all([machine.wait_byte() for machine in running]):
            return None
        time.sleep(0.3)
        return sum(process.memory_kib(machine.process.pid)[1]
                   for machine in running) / count / 1024
    finally:
        for machine in running:
            machine.close()


def bench_memory(table, machines, runs):
    results = {}
    for name, command in commands(machines, "halt").items():
        got = measure_memory(command, runs, True) if command else None
        if got:
            results[name] = got
    show("memory beside the guest's, and an idle guest", results,
         ("anon_mib", "pss_mib", "idle_ms_s", "wakes_s"))
    if "engine" not in results:
        table.skip("engine: memory", "it did not run")
        return
    for name in ("engine", "engine --xml"):
        if name not in results:
            continue
        table.add(f"{name}: anonymous memory",
                  median(results[name]["anon_mib"]), "MiB", 0.8)
        table.add(f"{name}: PSS alone", median(results[name]["pss_mib"]),
                  "MiB", 4)
    many = measure_many(machines.command("engine", "halt"), 20)
    if many:
        table.add("engine: PSS of each of 20", many, "MiB", 1.2)
    if "qemu microvm" in results:
        table.add("QEMU microvm: anonymous memory",
                  median(results["qemu microvm"]["anon_mib"]), "MiB")
    table.add("engine: CPU of an idle guest",
              results["engine"]["idle_ms_s"][0], "ms/s", 0)
    table.add("engine: wake-ups of an idle guest",
              results["engine"]["wakes_s"][0], "/s", 0)


def bench_exits(table, machines, runs):
    """User CPU of writes to a port that nobody claims."""
    results = process.spawn_rounds(commands(machines, "loop"), runs)
    bare = process.spawn_rounds(commands(machines, "leave"), runs)
    show(f"{process.LOOPS} exits to user space", results,
         ("loop_ms", "user_ms", "sys_ms"))
    for name in results:
        user = (sum(results[name]["user_ms"]) - sum(bare[name]["user_ms"]))
        user_us = max(0, user) / len(results[name]["user_ms"]) * 1e3
        limit = 0.35 if name == "engine" else None
        table.add(f"{name}: user CPU of an exit", user_us / process.LOOPS,
                  "us", limit)


def bench_cycles(table, daemon, runs, engine_ms):
    created, byte, destroyed = start_destroy(daemon, runs)
    print(f"\n{daemon.name}: create() back after {median(created):.2f} ms, "
          f"first byte after {median(byte):.2f} ms (of it the engine by "
          f"itself {engine_ms:.2f}), destroy() {median(destroyed):.2f} ms, "
          f"n={len(byte)}", flush=True)
    return median(byte), median(destroyed)


def bench_rates(table, daemon, serial, wide):
    """Engines a second, one and 16 at a time, and what stays behind."""
    rate(daemon, 16, 16)
    files, memory = daemon.files(), daemon.pss_mib()
    rates = rate(daemon, serial, 1), rate(daemon, wide, 16)
    print(f"{daemon.name}: {rates[0]:.1f} engines/s one at a time, "
          f"{rates[1]:.1f} engines/s 16 at a time", flush=True)
    time.sleep(0.5)
    return rates, daemon.files() - files, daemon.pss_mib() - memory


def bench_running(table, folder, runs, count, engine_ms):
    """Starting and destroying through the daemon."""
    daemon = Virtkvmd(folder)
    try:
        byte, destroyed = bench_cycles(table, daemon, runs, engine_ms)
        table.add("start over RPC to first byte, beyond the engine's",
                  byte - engine_ms, "ms", 15,
                  f"{byte:.2f} - {engine_ms:.2f} ms")
        table.add("destroy over RPC", destroyed, "ms", 10)
        rates, files, memory = bench_rates(table, daemon, count, count)
        table.add(f"files left in virtkvmd after {2 * count} engines", files,
                  "", 0)
        table.add(f"processes left after {2 * count} engines",
                  len(daemon.children()), "", 0)
        table.add(f"virtkvmd's growth by {2 * count} engines", memory, "MiB",
                  1)
        return rates
    finally:
        daemon.close()


def bench_libvirtd(table, folder, runs, count, ours):
    what = "engines a second, of libvirtd with QEMU's"
    try:
        daemon = Libvirtd(folder)
    except Unavailable as error:
        table.skip(what, error)
        return
    try:
        bench_cycles(table, daemon, runs, 0)
        rates, _, _ = bench_rates(table, daemon, count, count)
        for own, peer, how in zip(ours, rates, ("one", "16")):
            table.add(f"{what}, {how} at a time", own / peer, "times", 5,
                      f"{own:.1f} / {peer:.1f} a second", at_least=True)
    except Exception as error:
        table.skip(what, error)
    finally:
        daemon.close()


def time_list(daemon, runs):
    times = []
    for _ in range(runs + 1):
        elapsed, done = timed_ms(lambda: subprocess.run(
            [os.path.join(process.BUILD, "vshell"), "-c", daemon.uri, "-q",
             "list", "--all"], env=process.run_environment(),
            stdin=subprocess.DEVNULL, capture_output=True, check=True))
        times.append(elapsed)
    return times[1:], done.stdout.count(b"\n")


def bench_definitions(table, folder, runs, count):
    """Many definitions: how long, how much, how fast they are listed."""
    daemon = Virtkvmd(folder)
    try:
        time.sleep(0.5)
        table.add("virtkvmd idle: PSS", daemon.pss_mib(), "MiB", 10)
        serial = "<serial type='pty'><target port='0'/></serial>"
        definitions = os.path.join(folder, "etc", "kvm")
        times, durable = [], []
        for i in range(count):
            times.append(timed_ms(daemon.connection.defineXML, daemon.xml(
                f"bench-{i:05d}", i, serial))[0])
            if i % 20 == 0:
                durable.append(durable_file_ms(definitions))
        sync = median(durable)
        table.add("define, beyond a durable file", median(times) - sync, "ms",
                  1, f"{median(times):.2f} - {sync:.2f} ms")
    finally:
        daemon.close()
    ready = []
    for turn in range(3):
        daemon = Virtkvmd(folder)
        ready.append(daemon.ready_ms)
        if turn < 2:
            daemon.close()
    try:
        table.add(f"virtkvmd with {count}: start to first answer",
                  median(ready), "ms", 500)
        times, lines = time_list(daemon, runs)
        if lines < count:
            raise RuntimeError(f"{lines} lines listed, not {count}")
        table.add(f"vshell: list --all of {count}", median(times), "ms", 60)
        table.add(f"virtkvmd with {count}: PSS", daemon.pss_mib(), "MiB", 40)
    finally:
        daemon.close()


def bench_boot(table, rounds):
    """Debian's kernel to the first line of its init, and back."""
    results = boot_times(rounds)
    print("\nDebian's kernel on the lab host: exec to exit, seconds")
    for name, times in results.items():
        print(f"  {name:20} n={len(times)}  {median(times):.2f} "
              f"[{min(times):.2f} {max(times):.2f}]", flush=True)
    what = "Linux in the lab, of QEMU microvm's"
    if "qemu microvm" not in results:
        table.skip(what, "QEMU did not run there")
        return
    peer = median(results["qemu microvm"])
    for name in ("engine, unpacked", "engine, bzImage"):
        if name not in results:
            table.skip(f"{what}: {name}", "it did not boot")
            continue
        own = median(results[name])
        limit = 0.7 if name == "engine, unpacked" else None
        table.add(f"{what}: {name}", own / peer, "times", limit,
                  f"{own:.2f} / {peer:.2f} s")


PARTS = ("start", "memory", "exits", "running", "definitions", "disks", "nets",
         "guests", "boot", "linux")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true",
                        help="fewer runs: a minute, and rougher figures")
    parser.add_argument("--only", metavar="PART", action="append",
                        choices=PARTS,
                        help="this part; may be given again")
    parser.add_argument("--strict", action="store_true",
                        help="fail if a limit is not kept")
    return parser.parse_args()


def bench(options, table, folder):
    quick = options.quick
    runs = 4 if quick else 15
    machines = process.Machines(folder)
    parts = options.only or (PARTS[:-2] if quick else PARTS)

    def part(name, function, *arguments):
        if name not in parts:
            return None
        try:
            return function(table, *arguments)
        except Exception as error:
            table.skip(name, error)
            return None

    def sub(name):
        path = os.path.join(folder, name)
        os.mkdir(path, 0o700)
        return path

    engine_ms = part("start", bench_start, machines, runs) or 0
    part("memory", bench_memory, machines, 2 if quick else 10)
    part("exits", bench_exits, machines, 2 if quick else 10)
    rates = part("running", bench_running, sub("running"), runs,
                 32 if quick else 200, engine_ms)
    if rates:
        part("running", bench_libvirtd, sub("libvirtd"), 3 if quick else 10,
             16 if quick else 48, rates)
    part("definitions", bench_definitions, sub("definitions"), runs,
         500 if quick else 5000)
    part("disks", bench_disks, sub("disks"), runs, 2 if quick else 5,
         1 if quick else 2)
    part("nets", bench_nets, sub("nets"), runs, 2 if quick else 5,
         1 if quick else 2)
    part("guests", bench_guests, sub("guests"), 2 if quick else 5,
         0.5 if quick else 1)
    part("boot", bench_boot, 1 if quick else 10)
    part("linux", bench_linux, 1 if quick else 5)


def main():
    options = parse_arguments()
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        sys.exit("bench: /dev/kvm cannot be opened")
    table = Table()
    # Short: the name of a socket in it has to fit 107 bytes.
    folder = tempfile.mkdtemp(prefix="vb-", dir="/tmp")
    try:
        bench(options, table, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table.show()
    failed = table.failed()
    if failed:
        print(f"\n{len(failed)} limits are not kept")
    sys.exit(1 if failed and options.strict else 0)


if __name__ == "__main__":
    main()
