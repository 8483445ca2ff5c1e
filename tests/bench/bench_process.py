# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Virtual machines as processes: their commands, times and memory."""
import json
import os
import select
import shutil
import statistics
import subprocess
import time

BUILD = os.environ.get("abs_top_builddir", os.getcwd())
SOURCE = os.environ.get("abs_top_srcdir", os.getcwd())
BENCH = os.path.join(BUILD, "tests/bench")
ENGINE = os.path.join(BUILD, "virtkvm-engine")
MEMORY_MIB = 128
UUID = "5eed0000-0000-4000-8000-%012x"
# What a slow machine may take; nothing waits that long when all is well.
PATIENCE_S = 30
LOOPS = 200000  # of the payload "loop", see Makefile.inc


def median(values):
    return statistics.median(values)


def payload(name, kind):
    return os.path.join(BENCH, f"payload-{name}.{kind}")


def run_environment():
    """What build/run sets, so that uninstalled programs find one another."""
    return dict(
        os.environ, LC_ALL="C",
        VIRTKVM_DRIVER_DIR=os.path.join(BUILD, "driver/core/.libs"),
        VIRTKVM_MODULE_DIR=os.path.join(BUILD, ".libs"),
        VIRTKVM_ENGINE=ENGINE,
        VIRTKVM_DAEMON=os.path.join(BUILD, "virtkvmd"),
        VIRTKVM_SCHEMA_DIR=os.path.join(SOURCE, "schemas"))


def domain_xml(name, number, kernel, serial, machine="q35"):
    return f"""<domain type='kvm'>
  <name>{name}</name>
  <uuid>{UUID % number}</uuid>
  <metadata>
    <virtkvm:config xmlns:virtkvm='urn:virtkvm:domain:1'>
      <virtkvm:debug-exit/>
    </virtkvm:config>
  </metadata>
  <memory unit='MiB'>{MEMORY_MIB}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{kernel}</kernel>
    <cmdline>console=ttyS0</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <on_reboot>destroy</on_reboot>
  <devices>{serial}</devices>
</domain>
"""


class Machines:
    """The commands that start each machine with a payload."""

    def __init__(self, folder):
        self.folder = folder
        self.qemu = shutil.which("qemu-system-x86_64")

    def _file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _document(self, name):
        return self._file(f"{name}.json", json.dumps({
            "name": f"bench-{name}", "uuid": UUID % 1,
            "memory": MEMORY_MIB << 20,
            "kernel": {"path": payload(name, "elf")},
            "serials": [{"port": 0, "chardev": {"type": "stdio"}}],
            "debug_exit": True, "on_reboot": "destroy"}))

    def _xml(self, name):
        serial = "<serial type='stdio'><target port='0'/></serial>"
        return self._file(f"{name}.xml", domain_xml(
            f"bench-{name}", 1, payload(name, "elf"), serial))

    def _qemu(self, machine, name):
        return [self.qemu, "-nodefaults", "-no-user-config", "-display",
                "none", "-accel", "kvm", "-m", str(MEMORY_MIB), "-smp", "1",
                "-no-reboot", "-serial", "stdio", "-device",
                "isa-debug-exit,iobase=0xf4,iosize=1", "-M", machine, "-bios",
                payload(name, "rom")]

    def command(self, machine, name):
        """None where the machine is not installed here."""
        if machine == "floor":
            return [os.path.join(BENCH, "bench-floor"), payload(name, "rom"),
                    str(MEMORY_MIB)]
        if machine == "engine":
            return [ENGINE, "--machine", self._document(name)]
        if machine == "engine --xml":
            return [ENGINE, "--xml", self._xml(name)]
        return self.qemu and self._qemu(machine.removeprefix("qemu "), name)


def spawn(command, runs, terminate=False, warm_ups=1):
    """The object that bench-spawn prints, or None if the program fails."""
    options = ["-n", str(runs), "-w", str(warm_ups), "-t", str(PATIENCE_S)]
    done = subprocess.run(
        [os.path.join(BENCH, "bench-spawn"), *options,
         *(["-k"] if terminate else []), "--", *command],
        env=run_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"# {done.stderr.strip()}", flush=True)
        return None
    return json.loads(done.stdout)


def spawn_rounds(commands, runs, terminate=False, rounds=5):
    """Times several commands by turns, so that a busy spell of the machine
    hits all of them: {name: object of bench-spawn}."""
    results = {}
    rounds = min(rounds, runs)
    for turn in range(rounds):
        share = runs // rounds + (turn < runs % rounds)
        for name, command in commands.items():
            got = spawn(command, share, terminate) if command else None
            if not got:
                continue
            for key, values in got.items():
                if isinstance(values, list):
                    results.setdefault(name, {}).setdefault(key, []).extend(
                        values)
    return results


class Running:
    """A machine that has said its first byte and runs on."""

    def __init__(self, command, pass_fds=()):
        self.process = subprocess.Popen(
            command, env=run_environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            pass_fds=pass_fds)

    def wait_byte(self):
        out = self.process.stdout
        ready, _, _ = select.select([out], [], [], PATIENCE_S)
        return bool(ready) and b"~" in os.read(out.fileno(), 4096)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def memory_kib(pid):
    """Anonymous memory and PSS of a process without its guest's memory."""
    total = {"Anonymous": 0, "Pss": 0}
    guest = False
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        for line in file:
            word = line.split()
            if not word[0].endswith(":"):
                low, high = (int(part, 16) for part in word[0].split("-"))
                guest = high - low == MEMORY_MIB << 20
            elif word[0][:-1] in total and not guest:
                total[word[0][:-1]] += int(word[1])
    return total["Anonymous"], total["Pss"]


def rollup_kib(pid, key):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    raise KeyError(key)


def activity(pid):
    """CPU time in ms, and how often its threads have been scheduled."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    switches = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status",
                  encoding="utf-8") as file:
            switches += sum(int(line.split()[1]) for line in file
                            if "ctxt_switches" in line)
    return ticks * 1e3 / os.sysconf("SC_CLK_TCK"), switches


def idle_activity(pid, seconds=2):
    before = activity(pid)
    time.sleep(seconds)
    after = activity(pid)
    return ((after[0] - before[0]) / seconds,
            (after[1] - before[1]) / seconds)
