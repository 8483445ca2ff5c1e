#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Payload guests under the kvm driver: states, ends and restarts, as a client
of libvirt sees them."""
import os
import re
import shutil
import signal
import threading
import time
import unittest

import harness

try:
    import libvirt
except ImportError:
    harness.skip_all("python3-libvirt is not installed")
try:
    os.close(os.open("/dev/kvm", os.O_RDWR))
except OSError as refused:
    harness.skip_all(f"/dev/kvm: {refused.strerror}")

PAYLOADS = os.path.join(harness.BUILD, "tests/kvm/payload")
ENGINE = os.path.join(harness.BUILD, "virtkvm-engine")
INVALID = libvirt.VIR_ERR_OPERATION_INVALID
LIFECYCLE = ("Defined Undefined Started Suspended Resumed Stopped Shutdown "
             "PMSuspended Crashed").split()
XML = """<domain type='kvm'>
  <name>{name}</name>
  <metadata>
    <v:config xmlns:v='urn:virtkvm:domain:1'><v:debug-exit/></v:config>
  </metadata>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel></os>
  <features><acpi/></features>
  {more}
  <devices><serial type='pty'/></devices>
</domain>
"""
libvirt.registerErrorHandler(lambda _context, _error: None, None)


def loop():
    while True:
        libvirt.virEventRunDefaultImpl()


libvirt.virEventRegisterDefaultImpl()
threading.Thread(target=loop, daemon=True).start()


def xml(name="a", payload="obey", more="", kernel=None):
    return XML.format(name=name, more=more, kernel=kernel or
                      os.path.join(PAYLOADS, payload + ".elf"))


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon(drivers=harness.DRIVERS,
                                     environment={"VIRTKVM_ENGINE": ENGINE})
        self.addCleanup(self.daemon.close)
        self.events = []
        self.open()
        self.addCleanup(self.end_all)

    def open(self):
        self.connection = libvirt.open(self.daemon.uri("kvm"))
        for kind, tell in (
                (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.on_lifecycle),
                (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self.on_reboot)):
            self.connection.domainEventRegisterAny(None, kind, tell, None)

    def on_lifecycle(self, _connection, domain, event, detail, _opaque):
        self.events.append(f"{domain.name()} {LIFECYCLE[event]} {detail}")

    def on_reboot(self, _connection, domain, _opaque):
        self.events.append(f"{domain.name()} Reboot")

    def end_all(self):
        """No engine may outlive the test, whatever became of its daemon."""
        if self.daemon.process.poll() is not None:
            self.daemon.start()
        last = libvirt.open(self.daemon.uri("kvm"))
        for domain in last.listAllDomains(
                libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            domain.destroy()
        last.close()

    def restart(self, meanwhile=lambda: None):
        """kill -9, and another daemon."""
        self.daemon.stop(signal.SIGKILL)
        meanwhile()
        os.unlink(self.daemon.socket)
        self.daemon.start()
        self.open()

    def domain(self, name="a"):
        return self.connection.lookupByName(name)

    def start(self, **how):
        domain = self.connection.defineXML(xml(**how))
        domain.create()
        return domain

    def expect_state(self, domain, state, reason):
        harness.wait_for(lambda: domain.state() == [state, reason],
                         f"state {state}/{reason}; it is {domain.state()}")

    def expect_events(self, *expected):
        harness.wait_for(lambda: len(self.events) >= len(expected),
                         f"{expected}; there are {self.events}")
        seen, self.events[:] = list(self.events), []
        self.assertEqual(seen, list(expected))

    def refused(self, code, text, call, *arguments):
        with self.assertRaises(libvirt.libvirtError) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.get_error_code(), code)
        self.assertRegex(str(caught.exception), text)

    def tell(self, domain, letter):
        """Types a letter at the guest's console once it listens."""
        stream = self.connection.newStream(0)
        domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        stream.send(letter.encode())
        try:
            stream.finish()
        except libvirt.libvirtError:
            pass  # the guest was quicker

    def engine(self, name="a"):
        """The pid of the engine, by the daemon's own note."""
        path = os.path.join(self.daemon.root, "run/kvm", name + ".xml")
        with open(path, encoding="utf-8") as file:
            return int(re.search(r"<engine pid='(\d+)'", file.read()).group(1))

    def log(self, name="a"):
        path = os.path.join(self.daemon.root, "log/kvm", name + ".log")
        with open(path, encoding="utf-8") as file:
            return file.read()

    def assert_nothing_left(self):
        """Beside the daemon's own files and descriptors."""
        run = os.listdir(os.path.join(self.daemon.root, "run/kvm"))
        own = ("autostarted", "dnsmasq", "networks")
        self.assertEqual([name for name in run
                          if not name.startswith(own)], [])


class States(Case):
    def test_shut_off(self):
        domain = self.connection.defineXML(xml())
        for call in (domain.suspend, domain.resume, domain.shutdown,
                     domain.reset, domain.destroy, lambda: domain.reboot(0)):
            self.refused(INVALID, "domain is not running", call)

    def test_running(self):
        domain = self.start()
        self.refused(INVALID, "already running", domain.create)
        self.refused(INVALID, "already running", domain.resume)
        self.refused(INVALID, "cannot rename active", domain.rename, "b")
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, "already exists",
                     self.connection.createXML, xml())
        document = domain.XMLDesc()
        self.refused(INVALID, "'a' is already active",
                     self.connection.createXML, document)
        self.expect_events("a Defined 0", "a Started 0")

    def test_paused(self):
        domain = self.connection.defineXML(xml())
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.expect_state(domain, libvirt.VIR_DOMAIN_PAUSED,
                          libvirt.VIR_DOMAIN_PAUSED_USER)
        domain.suspend()
        self.refused(INVALID, "not running", domain.shutdown)
        self.refused(INVALID, "not running", domain.reboot, 0)
        domain.reset()
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        domain.resume()
        self.expect_state(domain, libvirt.VIR_DOMAIN_RUNNING,
                          libvirt.VIR_DOMAIN_RUNNING_UNPAUSED)
        domain.suspend()
        domain.destroy()
        self.expect_events("a Defined 0", "a Started 0", "a Suspended 0",
                           "a Reboot", "a Resumed 0", "a Suspended 0",
                           "a Stopped 1")

    def test_transient(self):
        domain = self.connection.createXML(xml())
        self.refused(INVALID, "cannot undefine transient", domain.undefine)
        self.refused(INVALID, "for transient", domain.setAutostart, 1)
        domain.destroy()
        self.refused(libvirt.VIR_ERR_NO_DOMAIN, "no domain with matching name",
                     self.connection.lookupByName, "a")
        self.expect_events("a Started 0", "a Stopped 1")

    def test_persistent_becomes_transient(self):
        domain = self.start()
        domain.undefine()
        self.assertEqual((domain.isPersistent(), domain.isActive()), (0, 1))
        domain.destroy()
        self.assertEqual(self.connection.listAllDomains(), [])
        self.expect_events("a Defined 0", "a Started 0", "a Undefined 0",
                           "a Stopped 1")

    def test_no_power_button(self):
        document = xml().replace("<acpi/>", "")
        domain = self.connection.createXML(document)
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, "no ACPI",
                     domain.shutdown)


class Ends(Case):
    def ends(self, letter, more, state, reason, *events):
        domain = self.start(more=more)
        self.tell(domain, letter)
        harness.wait_for(lambda: events[-1] in self.events, events[-1])
        self.expect_state(domain, state, reason)
        if domain.isActive():
            domain.destroy()
            events += ("a Stopped 1",)
        domain.undefine()
        self.expect_events("a Defined 0", "a Started 0", *events,
                           "a Undefined 0")

    def test_power_button(self):
        domain = self.start()
        domain.reboot(0)
        harness.wait_for(lambda: "a Reboot" in self.events, "the reboot")
        self.assertEqual(domain.ID(), 1)
        domain.shutdown()
        self.expect_state(domain, libvirt.VIR_DOMAIN_SHUTOFF,
                          libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)
        self.expect_events("a Defined 0", "a Started 0", "a Reboot",
                           "a Shutdown 1", "a Stopped 0")

    def test_of_the_guest(self):
        off = (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN,
               "a Shutdown 1", "a Stopped 0")
        on = (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED,
              "a Reboot")
        kept = (libvirt.VIR_DOMAIN_SHUTDOWN,
                libvirt.VIR_DOMAIN_SHUTDOWN_UNKNOWN, "a Shutdown 1")
        self.ends("p", "", *off)
        self.ends("x", "", *off)
        self.ends("r", "", *on)
        self.ends("t", "", *on)
        self.ends("p", "<on_poweroff>restart</on_poweroff>", *on)
        self.ends("r", "<on_reboot>destroy</on_reboot>", *off)
        self.ends("r", "<on_reboot>preserve</on_reboot>", *kept)

    def test_of_a_vcpu(self):
        self.ends("m", "", libvirt.VIR_DOMAIN_SHUTOFF,
                  libvirt.VIR_DOMAIN_SHUTOFF_CRASHED, "a Stopped 5")
        self.ends("m", "<on_crash>restart</on_crash>",
                  libvirt.VIR_DOMAIN_RUNNING,
                  libvirt.VIR_DOMAIN_RUNNING_CRASHED, "a Reboot")
        domain = self.start(more="<on_crash>preserve</on_crash>")
        self.tell(domain, "m")
        self.expect_state(domain, libvirt.VIR_DOMAIN_CRASHED,
                          libvirt.VIR_DOMAIN_CRASHED_UNKNOWN)
        self.refused(INVALID, "already running", domain.create)
        self.refused(INVALID, "not running", domain.shutdown)
        domain.reset()
        self.expect_state(domain, libvirt.VIR_DOMAIN_PAUSED,
                          libvirt.VIR_DOMAIN_PAUSED_CRASHED)
        domain.resume()
        self.tell(domain, "p")
        self.expect_state(domain, libvirt.VIR_DOMAIN_SHUTOFF,
                          libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)
        self.assertIn("RIP=", self.log())

    def test_of_the_engine(self):
        domain = self.start()
        os.kill(self.engine(), signal.SIGKILL)
        self.expect_state(domain, libvirt.VIR_DOMAIN_SHUTOFF,
                          libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)
        self.expect_events("a Defined 0", "a Started 0", "a Stopped 5")
        self.assertIn("killed by signal 9", self.log())
        self.assertIn("killed by signal 9", domain.messages()[0])
        domain.create()
        self.assertEqual(domain.messages(), [])
        self.assert_nothing_else()

    def assert_nothing_else(self):
        self.domain().destroy()
        self.assertRegex(self.log(), "ended: destroyed by request\n$")
        self.assert_nothing_left()

    def test_no_folder_of_logs(self):
        shutil.rmtree(os.path.join(self.daemon.root, "log"))
        self.start().destroy()
        self.assertIn("destroyed by request", self.log())

    def test_kernel_that_cannot_start(self):
        root = self.daemon.root
        domain = self.connection.defineXML(xml(kernel=root + "/none"))
        self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, "<kernel>.*No such file",
                     domain.create)
        self.expect_state(domain, libvirt.VIR_DOMAIN_SHUTOFF,
                          libvirt.VIR_DOMAIN_SHUTOFF_FAILED)
        self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, "<kernel>",
                     self.connection.createXML, xml("t", kernel=root))
        self.assertEqual(len(self.connection.listAllDomains()), 1)
        self.assert_nothing_left()


class Restarts(Case):
    def test_guests_go_on(self):
        running, paused = self.start(), self.start(name="b", payload="idle")
        paused.suspend()
        transient = self.connection.createXML(xml("t", "idle"))
        ids = [d.ID() for d in (running, paused, transient)]
        pids = [self.engine(name) for name in "abt"]
        self.restart()
        found = [self.domain(name) for name in "abt"]
        self.assertEqual([d.ID() for d in found], ids)
        self.assertEqual([self.engine(name) for name in "abt"], pids)
        self.assertEqual([d.state()[0] for d in found],
                         [libvirt.VIR_DOMAIN_RUNNING,
                          libvirt.VIR_DOMAIN_PAUSED,
                          libvirt.VIR_DOMAIN_RUNNING])
        self.assertEqual([d.isPersistent() for d in found], [1, 1, 0])
        self.tell(found[0], "p")
        self.expect_state(found[0], libvirt.VIR_DOMAIN_SHUTOFF,
                          libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)

    def test_ends_in_between(self):
        domains = [self.start(name=name) for name in "abc"]
        ttys = [re.search("tty='(.*?)'", d.XMLDesc()).group(1)
                for d in domains]
        pids = [self.engine(name) for name in "abc"]

        def meanwhile():
            with open(ttys[0], "wb", buffering=0) as tty:
                tty.write(b"p")
            with open(ttys[1], "wb", buffering=0) as tty:
                tty.write(b"m")
            os.kill(pids[2], signal.SIGKILL)
            for name in "abc":
                harness.wait_for(lambda n=name: self.gone(n), "the ends")

        self.restart(meanwhile)
        for name, reason in zip("abc", (libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN,
                                        libvirt.VIR_DOMAIN_SHUTOFF_CRASHED,
                                        libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)):
            self.assertEqual(self.domain(name).state(),
                             [libvirt.VIR_DOMAIN_SHUTOFF, reason], name)
        self.assert_nothing_left()

    def gone(self, name):
        try:
            with open(f"/proc/{self.engine(name)}/stat",
                      encoding="utf-8") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    def test_at_any_moment(self):
        """A client's work is cut short again and again: nothing that it was
        told is untrue afterwards."""
        self.start(name="keep", payload="idle")
        pid = self.engine("keep")
        for moment in range(12):
            known = {}
            worker = threading.Thread(target=self.work, args=(known,))
            worker.start()
            time.sleep(moment * 0.017)
            self.daemon.stop(signal.SIGKILL)
            worker.join()
            os.unlink(self.daemon.socket)
            self.daemon.start()
            self.open()
            self.assertEqual(self.engine("keep"), pid)
            for name, states in known.items():
                self.assertIn(self.domain(name).state()[0], states, name)
            for domain in self.connection.listAllDomains():
                if domain.name() != "keep":
                    if domain.isActive():
                        domain.destroy()
                    domain.undefine()
        self.domain("keep").destroy()
        self.assert_nothing_left()

    def work(self, known):
        off, on, paused = (libvirt.VIR_DOMAIN_SHUTOFF,
                           libvirt.VIR_DOMAIN_RUNNING,
                           libvirt.VIR_DOMAIN_PAUSED)
        try:
            for i in range(1000):
                name = f"w{i}"
                domain = self.connection.defineXML(xml(name, "idle"))
                for before, call, after in (
                        (off, domain.create, on), (on, domain.suspend, paused),
                        (paused, domain.resume, on),
                        (on, domain.destroy, off)):
                    known[name] = {before, after}
                    call()
                    known[name] = {after}
        except libvirt.libvirtError:
            pass  # the daemon has been killed


if __name__ == "__main__":
    harness.main()
