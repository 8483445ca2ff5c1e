# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""What tests with Debian's virsh have in common."""
import os
import shutil
import subprocess
import time
import unittest

import harness

if not shutil.which("virsh"):
    harness.skip_all("virsh is not installed")

XML = """<domain type='kvm'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>{kernel}</kernel></os>
  <devices><console type='pty'/>{devices}</devices>
</domain>
"""


class Case(unittest.TestCase):
    drivers, scheme = harness.DRIVERS, "null"

    def setUp(self):
        self.daemon = self.new_daemon()
        self.addCleanup(self.daemon.close)

    def new_daemon(self):
        return harness.Daemon(drivers=self.drivers)

    def virsh(self, *words, read_only=False, fail=None):
        """Output of virsh; with `fail`, its error, which must match it."""
        options = ["-r"] if read_only else []
        done = subprocess.run(
            ["virsh", *options, "-c", self.daemon.uri(self.scheme, read_only),
             *words],
            env=dict(self.daemon.environment, HOME=self.daemon.root),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, check=False)
        if fail is None:
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            return done.stdout
        self.assertNotEqual(done.returncode, 0, words)
        self.assertRegex(done.stderr, fail)
        return done.stderr

    def write(self, name, text):
        path = os.path.join(self.daemon.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def file(self, name="a", devices=""):
        return self.write(name + ".xml", XML.format(
            name=name, kernel=self.daemon.log, devices=devices))

    def names(self, *options):
        return self.virsh("list", "--name", *options).split()

    def watch(self, *words):
        """Starts virsh event and returns it once it is registered."""
        process = subprocess.Popen(
            ["virsh", "-c", self.daemon.uri(self.scheme), "event", *words],
            env=self.daemon.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        time.sleep(0.7)
        return process
