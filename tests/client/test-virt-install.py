#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Debian's virt-install, unmodified, makes a domain of the null driver."""
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

import harness

for program in ("virt-install", "virsh"):
    if not shutil.which(program):
        harness.skip_all(program + " is not installed")


class Install(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon(drivers=harness.DRIVERS)
        self.addCleanup(self.daemon.close)

    def run_on(self, *words):
        done = subprocess.run(
            words, env=dict(self.daemon.environment, HOME=self.daemon.root),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def virsh(self, *words):
        return self.run_on("virsh", "-c", self.daemon.uri("null"), *words)

    def test_kernel_and_no_disk(self):
        self.run_on("virt-install", "--connect", self.daemon.uri("null"),
                    "--name", "made", "--memory", "64", "--vcpus", "2",
                    "--disk", "none", "--network", "none", "--graphics",
                    "none", "--osinfo", "detect=off,require=off",
                    "--boot", "kernel=" + self.daemon.log,
                    "--noautoconsole", "--import")
        self.assertEqual(self.virsh("domstate", "made").strip(), "running")
        self.assertRegex(self.virsh("dominfo", "made"), "Persistent: +yes")
        root = xml.etree.ElementTree.fromstring(self.virsh("dumpxml", "made"))
        self.assertEqual(root.findtext("memory"), "65536")
        self.assertEqual(root.findtext("vcpu"), "2")
        self.assertEqual(root.findtext("os/kernel"), self.daemon.log)
        self.virsh("destroy", "made")
        self.virsh("undefine", "made")


if __name__ == "__main__":
    harness.main()
