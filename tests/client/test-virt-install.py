#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Debian's virt-install, unmodified, makes a domain of the null driver."""
import os
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

import harness

for program in ("virt-install", "virsh"):
    if not shutil.which(program):
        harness.skip_all(program + " is not installed")


OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"


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

    @unittest.skipUnless(os.path.exists(OVMF), "ovmf is not installed")
    def test_uefi(self):
        capabilities = self.virsh("domcapabilities", "--machine", "q35")
        self.assertIn("<value>efi</value>", capabilities)
        self.assertIn("<value>%s</value>" % OVMF, capabilities)
        self.run_on("virt-install", "--connect", self.daemon.uri("null"),
                    "--name", "made", "--memory", "64", "--boot", "uefi",
                    "--disk", "none", "--network", "none", "--graphics",
                    "none", "--osinfo", "detect=off,require=off",
                    "--noautoconsole", "--import")
        root = xml.etree.ElementTree.fromstring(self.virsh("dumpxml", "made"))
        system = root.find("os")
        self.assertEqual(system.get("firmware"), "efi")
        self.assertEqual(system.findtext("loader"), OVMF)
        variables = system.findtext("nvram")
        self.assertTrue(variables.endswith("/nvram/made_VARS.fd"), variables)
        with open(variables, "rb") as file:
            with open(system.find("nvram").get("template"), "rb") as template:
                self.assertEqual(file.read(), template.read())
        self.virsh("destroy", "made")
        self.assertRaisesRegex(AssertionError, "--keep-nvram", self.virsh,
                               "undefine", "made")
        self.virsh("undefine", "made", "--nvram")
        self.assertFalse(os.path.exists(variables))


if __name__ == "__main__":
    harness.main()
