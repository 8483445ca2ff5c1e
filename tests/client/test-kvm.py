#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""The kvm driver, through the daemon and python3-libvirt, with payload guests:
engines that outlive the daemon, die, are many, and leave nothing behind."""
import os
import re
import signal
import threading
import unittest

import harness

try:
    import libvirt
except ImportError:
    harness.skip_all("python3-libvirt is not installed")
if not os.access("/dev/kvm", os.R_OK | os.W_OK):
    harness.skip_all("/dev/kvm cannot be opened")

PAYLOADS = os.path.join(harness.BUILD, "tests/kvm/payload")
ENGINE = os.path.join(harness.BUILD, "virtkvm-engine")
MANY = 16
CYCLES = 60
GROWTH_KIB = 1024

XML = """<domain type='kvm'><name>{name}</name><memory unit='MiB'>16</memory>
<metadata><v:config xmlns:v='urn:virtkvm:domain:1'><v:debug-exit/></v:config>
</metadata>
<os><type arch='x86_64' machine='q35'>hvm</type><kernel>{kernel}</kernel></os>
<features><acpi/></features>
<devices><serial type='pty'/><console type='pty'/></devices></domain>"""


def xml(name, payload="idle"):
    return XML.format(name=name, kernel=f"{PAYLOADS}/{payload}.elf")


class Loop(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        libvirt.virEventRegisterDefaultImpl()
        self.start()

    def run(self):
        while True:
            libvirt.virEventRunDefaultImpl()


def is_gone(pid):
    """Nobody may have reaped it yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


class Case(unittest.TestCase):
    def setUp(self):
        libvirt.registerErrorHandler(lambda *_: None, None)
        self.daemon = harness.Daemon(
            drivers=harness.DRIVERS, environment={"VIRTKVM_ENGINE": ENGINE})
        self.addCleanup(self.daemon.close)
        self.addCleanup(self.end_engines)
        self.connect()

    def connect(self):
        self.connection = libvirt.open(self.daemon.uri("kvm"))

    def path(self, *parts):
        return os.path.join(self.daemon.root, *parts)

    def engine(self, name):
        """The engine's pid, from the status file."""
        with open(self.path("run/kvm", name + ".xml"), encoding="utf-8") as f:
            return int(re.search(r"<engine pid='(\d+)'", f.read()).group(1))

    def engines(self):
        found = {}
        for file in os.listdir(self.path("run/kvm")):
            if file.endswith(".xml"):
                found[file[:-4]] = self.engine(file[:-4])
        return found

    def end_engines(self):
        for pid in self.engines().values():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def left(self):
        return [f for f in os.listdir(self.path("run/kvm"))
                if f not in ("autostarted", "dnsmasq", "networks")]

    def kill_daemon(self):
        self.daemon.stop(signal.SIGKILL)
        self.connection.close()

    def start_daemon(self):
        os.unlink(self.daemon.socket)
        self.daemon.start()
        self.connect()

    def wait_state(self, domain, *state):
        harness.wait_for(lambda: tuple(domain.state()) == state,
                         f"state {state}, which is {domain.state()}")


class Restart(Case):
    def test_engines_outlive_the_daemon(self):
        domains = []

        def start(number):
            connection = libvirt.open(self.daemon.uri("kvm"))
            connection.createXML(xml(f"d{number}"))

        threads = [threading.Thread(target=start, args=(n,))
                   for n in range(MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        before = self.engines()
        self.assertEqual(len(before), MANY)
        self.connection.lookupByName("d3").suspend()
        self.kill_daemon()
        for pid in before.values():
            os.kill(pid, 0)
        self.start_daemon()
        domains = self.connection.listAllDomains()
        self.assertEqual(len(domains), MANY)
        self.assertEqual(self.engines(), before)
        self.assertEqual(self.connection.lookupByName("d3").state(),
                         [libvirt.VIR_DOMAIN_PAUSED,
                          libvirt.VIR_DOMAIN_PAUSED_USER])
        self.connection.lookupByName("d3").resume()
        for domain in domains:
            self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
            domain.destroy()
        self.assertEqual(self.connection.listAllDomains(), [])
        self.assertEqual(self.left(), [])

    def test_one_that_died_meanwhile(self):
        kept = self.connection.defineXML(xml("kept"))
        kept.create()
        self.connection.createXML(xml("passing"))
        engines = self.engines()
        self.kill_daemon()
        for pid in engines.values():
            os.kill(pid, signal.SIGKILL)
        for pid in engines.values():
            harness.wait_for(lambda pid=pid: is_gone(pid), "an engine's end")
        self.start_daemon()
        domains = self.connection.listAllDomains()
        self.assertEqual([d.name() for d in domains], ["kept"])
        self.assertEqual(domains[0].state(),
                         [libvirt.VIR_DOMAIN_SHUTOFF,
                          libvirt.VIR_DOMAIN_SHUTOFF_CRASHED])
        domains[0].create()
        domains[0].destroy()
        self.assertEqual(self.left(), [])


class Ends(Case):
    def test_a_dead_engine_is_noticed(self):
        domain = self.connection.defineXML(xml("d"))
        domain.create()
        os.kill(self.engine("d"), signal.SIGABRT)
        self.wait_state(domain, libvirt.VIR_DOMAIN_SHUTOFF,
                        libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)
        self.assertIn("signal 6", domain.messages()[0])
        self.assertEqual(self.left(), [])

    def test_a_stopped_engine_can_be_destroyed(self):
        domain = self.connection.createXML(xml("d"))
        os.kill(self.engine("d"), signal.SIGSTOP)
        domain.destroy()
        self.assertEqual(self.left(), [])

    def test_a_crash_leaves_its_report(self):
        domain = self.connection.defineXML(xml("d", "crash"))
        domain.create()
        self.wait_state(domain, libvirt.VIR_DOMAIN_SHUTOFF,
                        libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)
        self.assertIn("triple fault", domain.messages()[0])
        with open(self.path("log/kvm/d.log"), encoding="utf-8") as log:
            self.assertIn("RIP=", log.read())

    def test_why_it_cannot_start(self):
        for kernel, words in (("/nonexistent", "No such file"),
                              ("/tmp", "directory"),
                              ("/etc/passwd", "neither a bzImage")):
            with self.assertRaises(libvirt.libvirtError) as caught:
                self.connection.createXML(XML.format(name="d", kernel=kernel))
            self.assertIn(words, str(caught.exception))
            self.assertIn(kernel, str(caught.exception))
        self.assertEqual(self.connection.listAllDomains(), [])
        self.assertEqual(self.left(), [])

    def test_the_last_words_on_the_console(self):
        domain = self.connection.defineXML(xml("d", "hello"))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        stream = self.connection.newStream(0)
        domain.openConsole(None, stream, 0)
        domain.resume()
        self.wait_state(domain, libvirt.VIR_DOMAIN_SHUTOFF,
                        libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)
        text = b""
        while True:
            more = stream.recv(4096)
            if not more:
                break
            text += more
        stream.finish()
        self.assertIn(b"~", text)


class Many(Case):
    def test_nothing_grows(self):
        domain = self.connection.defineXML(xml("d"))
        pid = self.daemon.process.pid

        def cycle():
            domain.create()
            domain.destroy()

        for _ in range(CYCLES):
            cycle()
        files = harness.open_files(pid)
        memory = harness.memory_kib(pid, "Pss")
        for _ in range(CYCLES):
            cycle()
        harness.wait_for(lambda: harness.open_files(pid) <= files,
                         "descriptors to be closed")
        if not harness.SANITIZED:
            self.assertLess(harness.memory_kib(pid, "Pss"),
                            memory + GROWTH_KIB)
        self.assertEqual(self.left(), [])


class Events(Case):
    def test_a_guest_that_ends_itself(self):
        seen = []
        self.connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            lambda c, d, event, detail, o: seen.append((event, detail)), None)
        self.connection.createXML(xml("d", "hello"))
        expected = [
            (libvirt.VIR_DOMAIN_EVENT_STARTED,
             libvirt.VIR_DOMAIN_EVENT_STARTED_BOOTED),
            (libvirt.VIR_DOMAIN_EVENT_SHUTDOWN,
             libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_GUEST),
            (libvirt.VIR_DOMAIN_EVENT_STOPPED,
             libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN),
        ]
        harness.wait_for(lambda: len(seen) >= len(expected), "the events")
        self.assertEqual(seen, expected)


Loop()
if __name__ == "__main__":
    harness.main()
