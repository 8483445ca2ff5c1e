#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Disks and interfaces of payload guests under the kvm driver, with Debian's
virsh: grown, throttled, unplugged, plugged in and out; channels and virtio
consoles, and a guest that tells its panic. The guest has no driver for virtio,
but lets go of what it is asked to, refuses to, or says nothing."""
import os
import pty
import re
import shutil
import socket
import time
import unittest

import harness
import virshcase

try:
    os.close(os.open("/dev/kvm", os.O_RDWR))
except OSError as refused:
    harness.skip_all(f"/dev/kvm: {refused.strerror}")

ENGINE = os.path.join(harness.BUILD, "virtkvm-engine")
MODULES = os.path.join(harness.BUILD, ".libs")
PAYLOAD = os.path.join(harness.BUILD, "tests/kvm/payload/hotplug.elf")
CRASH = os.path.join(harness.BUILD, "tests/kvm/payload/crash.elf")
MIB = 1 << 20
XML = """<domain type='kvm'>
  <name>a</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>{kernel}</kernel>
    <cmdline>{how}</cmdline></os>
  <features><acpi/></features>
  <on_crash>{on_crash}</on_crash>
  <devices><serial type='pty'/>{devices}
    <memballoon model='none'/></devices>
</domain>
"""
DISK = """<disk type='file' device='disk'>
  <driver name='qemu' type='raw'/><source file='{path}'/>
  <target dev='{target}' bus='virtio'/></disk>"""


MAC = "52:54:00:00:00:01"
INTERFACE = f"""<interface type='user'><mac address='{MAC}'/>
  <model type='virtio'/></interface>"""


PORTS = """<channel type='unix'>
  <target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<channel type='pty'><target type='virtio' name='two'/></channel>
<console type='pty'/><console type='pty'><target type='virtio'/></console>"""


def xml(kernel=PAYLOAD, how="x", devices="", on_crash="destroy"):
    return XML.format(kernel=kernel, how=how, devices=devices,
                      on_crash=on_crash)


class Case(virshcase.Case):
    scheme = "kvm"

    def setUp(self):
        super().setUp()
        self.addCleanup(self.destroy)

    def new_daemon(self):
        return harness.Daemon(drivers=harness.DRIVERS,
                              environment={"VIRTKVM_ENGINE": ENGINE,
                                           "VIRTKVM_MODULE_DIR": MODULES})

    def destroy(self):
        """No engine may outlive the test."""
        if self.daemon.process.poll() is not None:
            self.daemon.start()
        if self.virsh("list", "--name").strip():
            self.virsh("destroy", "a")

    def image(self, name="image"):
        path = os.path.join(self.daemon.root, name)
        with open(path, "wb") as image:
            image.truncate(MIB)
        return path

    def start(self, how="x", devices=""):
        """A guest that listens to what is plugged in and out."""
        self.virsh("define", self.write("a.xml", xml(
            how=how, devices=devices)))
        self.virsh("start", "a")

    def targets(self):
        return re.findall(r"(vd\w) +/", self.virsh("domblklist", "a"))


class Disks(Case):
    def test_a_disk_is_grown(self):
        image = self.image()
        self.start(devices=DISK.format(path=image, target="vda"))
        self.assertRegex(self.virsh("domblkinfo", "a", "vda"),
                         rf"Capacity: +{MIB}\n")
        self.virsh("blockresize", "a", "vda", "2M")
        self.assertRegex(self.virsh("domblkinfo", "a", "vda"),
                         rf"Capacity: +{2 * MIB}\n")
        self.assertEqual(os.stat(image).st_size, 2 * MIB)

    def test_a_disk_is_throttled(self):
        self.start(devices=DISK.format(path=self.image(), target="vda"))
        self.virsh("blkdeviotune", "a", "vda", "--total-bytes-sec", "1000000",
                   "--total-bytes-sec-max", "2000000", "--live")
        self.assertRegex(self.virsh("blkdeviotune", "a", "vda"),
                         "total_bytes_sec: 1000000")

    def test_statistics(self):
        self.start(devices=DISK.format(path=self.image(), target="vda"))
        self.assertRegex(self.virsh("domblkstat", "a", "vda"), "vda rd_req 0")
        self.assertEqual(self.virsh("domblkerror", "a").strip(),
                         "No errors found")
        stats = self.virsh("domstats", "a")
        self.assertIn("block.0.rd.reqs=0", stats)
        self.assertIn(f"block.0.capacity={MIB}", stats)

    def test_an_image_is_one_domains(self):
        image = self.image()
        self.start(devices=DISK.format(path=image, target="vda"))
        other = xml(devices=DISK.format(
            path=image, target="vda")).replace(">a<", ">b<")
        self.virsh("create", self.write("b.xml", other),
                   fail=f"'?{image}'?.*'a'|'a'.*{image}")


class Interfaces(Case):
    def test_cable_limits_and_statistics(self):
        self.start(devices=INTERFACE)
        self.virsh("domif-setlink", "a", MAC, "down")
        self.assertIn("down", self.virsh("domif-getlink", "a", MAC))
        self.virsh("domif-setlink", "a", MAC, "up")
        self.virsh("domiftune", "a", MAC, "--inbound", "100,200,50", "--live")
        self.assertRegex(self.virsh("domiftune", "a", MAC),
                         "inbound.average: 100\ninbound.peak *: 200")
        self.assertIn(f"{MAC} rx_bytes 0", self.virsh("domifstat", "a", MAC))
        self.assertIn("net.0.rx.bytes=0",
                      self.virsh("domstats", "a", "--interface"))

    def test_in_and_out(self):
        self.start()
        path = self.write("i.xml", INTERFACE)
        for _ in range(3):
            self.virsh("attach-device", "a", path)
            self.assertIn(MAC, self.virsh("domiflist", "a"))
            self.assertIn(f"{MAC} tx_bytes 0",
                          self.virsh("domifstat", "a", MAC))
            self.virsh("detach-device", "a", path)
            self.assertNotIn(MAC, self.virsh("domiflist", "a"))


class Ports(Case):
    def live(self, pattern):
        return re.search(pattern, self.virsh("dumpxml", "a")).group(1)

    def socket_path(self):
        return self.live("<source mode='bind' path='([^']*agent.0)'/>")

    def test_a_socket_for_a_channel(self):
        self.start(devices=PORTS)
        path = self.socket_path()
        self.live(r"<target type='virtio' name='(org\S*)' "
                  "state='disconnected'/>")
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(path)
        self.assertNotIn(path, self.virsh("dumpxml", "a", "--inactive"))
        self.virsh("destroy", "a")
        self.assertFalse(os.path.exists(os.path.dirname(path)))
        self.virsh("start", "a")
        self.assertNotEqual(path, self.socket_path())

    def test_the_next_daemon_removes_the_socket(self):
        self.start(devices=PORTS)
        path = self.socket_path()
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(path, self.socket_path())
        self.virsh("destroy", "a")
        self.assertFalse(os.path.exists(os.path.dirname(path)))

    def test_a_virtio_console(self):
        self.start(devices=PORTS)
        tty = self.live(r"<console type='pty' tty='([^']*)'>\s*<source [^>]*>"
                        r"\s*<target type='virtio'")
        self.assertNotEqual(self.virsh("ttyconsole", "a").strip(), tty)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("virsh", ["virsh", "-c", self.daemon.uri("kvm"),
                                 "console", "a", "--devname", "console1"],
                       self.daemon.environment)
        output = b""
        try:
            while b"Escape character" not in output:
                output += os.read(terminal, 4096)
            time.sleep(0.2)
            os.write(terminal, b"\x1d")
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
        finally:
            os.close(terminal)


class Panic(Case):
    def define(self, devices=""):
        self.virsh("define", self.write("a.xml", xml(
            CRASH, "p", devices, "preserve")))

    def expect_panic(self):
        harness.wait_for(lambda: self.state() == "crashed (panicked)",
                         "a panic")

    def state(self):
        return self.virsh("domstate", "a", "--reason").strip()

    def test_a_panic_that_is_told(self):
        self.define("<panic model='isa'/>")
        self.virsh("start", "a", "--paused")
        self.virsh("resume", "a")
        self.expect_panic()

    def test_one_before_anybody_listens(self):
        self.define("<panic model='isa'/>")
        for _ in range(5):
            self.virsh("start", "a")
            self.expect_panic()
            self.virsh("destroy", "a")

    def test_nobody_to_tell(self):
        self.define()
        self.virsh("start", "a")
        time.sleep(0.5)
        self.assertEqual(self.state(), "running (booted)")


class Hotplug(Case):
    def test_in_and_out(self):
        image = self.image("second")
        self.start()
        watcher = self.watch("--all", "--loop", "--timeout", "4")
        for _ in range(3):
            self.virsh("attach-disk", "a", image, "vdb")
            self.assertEqual(self.targets(), ["vdb"])
            self.assertRegex(self.virsh("domblkinfo", "a", "vdb"),
                             rf"Capacity: +{MIB}\n")
            self.virsh("detach-disk", "a", "vdb")
            self.assertEqual(self.targets(), [])
        output, _ = watcher.communicate(timeout=60)
        self.assertEqual(
            re.findall("event 'device-(.*)' for domain 'a'", output),
            ["added", "removed"] * 3)

    @unittest.skipUnless(shutil.which("qemu-img"), "needs qemu-img")
    def test_a_transient_disk(self):
        image = self.image("second")
        disk = DISK.format(path=image, target="vdb").replace(
            "</disk>", "<transient/></disk>")
        self.start()
        self.virsh("attach-device", "a", self.write("t.xml", disk))
        self.assertEqual(re.findall(r"vdb +(\S+)", self.virsh(
            "domblklist", "a")), [image])
        self.virsh("blockresize", "a", "vdb", "2M")
        self.assertRegex(self.virsh("domblkinfo", "a", "vdb"),
                         rf"Capacity: +{2 * MIB}\n")
        self.virsh("detach-disk", "a", "vdb")
        self.virsh("attach-device", "a", self.write("t.xml", disk))
        self.assertRegex(self.virsh("domblkinfo", "a", "vdb"),
                         rf"Capacity: +{MIB}\n")
        self.assertEqual(os.stat(image).st_size, MIB)

    def test_a_guest_that_refuses(self):
        self.start("r")
        self.virsh("attach-disk", "a", self.image(), "vdb")
        watcher = self.watch("--event", "device-removal-failed", "--timeout",
                             "4")
        self.virsh("detach-disk", "a", "vdb", fail="operation failed: unplug "
                   "of device was rejected by the guest")
        self.assertEqual(self.targets(), ["vdb"])
        output, _ = watcher.communicate(timeout=60)
        self.assertIn("device-removal-failed", output)

    def test_a_guest_that_says_nothing(self):
        self.start("q")
        self.virsh("attach-disk", "a", self.image(), "vdb")
        begun = time.monotonic()
        self.virsh("detach-disk", "a", "vdb")
        self.assertGreater(time.monotonic() - begun, 4.5)
        self.assertEqual(self.targets(), ["vdb"])

    def test_what_was_attached_outlives_the_daemon(self):
        self.start()
        self.virsh("attach-disk", "a", self.image(), "vdb")
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.targets(), ["vdb"])
        self.assertRegex(self.virsh("domblkstat", "a", "vdb"), "vdb rd_req 0")
        self.virsh("detach-disk", "a", "vdb")
        self.assertEqual(self.targets(), [])

    def test_an_image_that_is_not_there(self):
        self.start()
        self.virsh("attach-disk", "a", self.daemon.root + "/none", "vdb",
                   fail="none.*No such file")
        self.assertEqual(self.targets(), [])


if __name__ == "__main__":
    harness.main()
