#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Debian's virsh, unmodified, against virtkvmd with the null driver."""
import os
import pty
import re
import time

import harness
from virshcase import Case


class Domains(Case):
    def test_life(self):
        self.assertEqual(self.names("--all"), [])
        self.virsh("define", self.file())
        self.assertEqual(self.names("--all"), ["a"])
        self.assertEqual(self.names("--inactive"), ["a"])
        self.assertEqual(self.virsh("domstate", "a").strip(), "shut off")
        self.virsh("suspend", "a", fail="Requested operation is not valid: "
                   "domain is not running")
        self.virsh("start", "a")
        self.assertEqual(self.names(), ["a"])
        self.assertEqual(self.virsh("domstate", "a", "--reason").strip(),
                         "running (booted)")
        self.assertEqual(self.virsh("domid", "a").strip(), "1")
        self.assertEqual(self.virsh("domname", "1").strip(), "a")
        self.virsh("start", "a", fail="Domain is already active")
        self.virsh("suspend", "a")
        self.assertEqual(self.virsh("domstate", "a").strip(), "paused")
        self.virsh("resume", "a")
        self.virsh("resume", "a", fail="already running")
        self.virsh("reset", "a")
        self.virsh("reboot", "a")
        self.virsh("destroy", "a")
        self.virsh("undefine", "a")
        self.virsh("domstate", "a", fail="Domain not found|failed to get "
                   "domain 'a'")

    def test_shutdown(self):
        self.virsh("define", self.file())
        self.virsh("start", "a", "--paused")
        self.assertEqual(self.virsh("domstate", "a").strip(), "paused")
        self.virsh("shutdown", "a", fail="domain is not running")
        self.virsh("resume", "a")
        self.virsh("shutdown", "a")
        harness.wait_for(lambda: self.virsh("domstate", "a").strip() ==
                         "shut off", "the shutdown")

    def test_transient(self):
        self.virsh("create", self.file("t"))
        self.assertRegex(self.virsh("dominfo", "t"), r"Persistent: +no")
        self.virsh("autostart", "t", fail="transient")
        self.virsh("destroy", "t")
        self.assertEqual(self.names("--all"), [])

    def test_xml_and_info(self):
        self.virsh("define", self.file())
        xml = self.virsh("dumpxml", "a")
        uuid = self.virsh("domuuid", "a").strip()
        self.assertIn(f"<uuid>{uuid}</uuid>", xml)
        self.assertRegex(self.virsh("dominfo", "a"),
                         r"(?s)Name: +a\n.*CPU\(s\): +2\n"
                         r"Max memory: +65536 KiB\n")
        self.assertEqual(self.virsh("domcontrol", "a", fail="not running")
                         [:6], "error:")
        self.virsh("start", "a")
        self.assertEqual(self.virsh("domcontrol", "a").strip(), "ok")
        self.assertIn("<domain type='kvm' id='1'>", self.virsh("dumpxml", "a"))
        self.assertNotIn("id='1'", self.virsh("dumpxml", "a", "--inactive"))

    def test_autostart_and_rename(self):
        self.virsh("define", self.file())
        self.virsh("autostart", "a")
        self.assertEqual(self.names("--all", "--autostart"), ["a"])
        self.virsh("autostart", "--disable", "a")
        self.assertEqual(self.names("--all", "--autostart"), [])
        self.virsh("domrename", "a", "b")
        self.assertEqual(self.names("--all"), ["b"])
        self.virsh("start", "b")
        self.virsh("domrename", "b", "c", fail="cannot rename active domain")

    def test_vcpus_and_statistics(self):
        self.virsh("define", self.file())
        self.virsh("start", "a")
        counts = re.findall(r"(\S+) +(\S+) +(\d+)",
                            self.virsh("vcpucount", "a"))
        self.assertEqual(counts, [("maximum", "config", "2"),
                                  ("maximum", "live", "2"),
                                  ("current", "config", "2"),
                                  ("current", "live", "2")])
        info = self.virsh("vcpuinfo", "a")
        self.assertEqual(re.findall(r"VCPU: +(\d)", info), ["0", "1"])
        self.assertEqual(len(re.findall(r"CPU Affinity: +[y-]+", info)), 2)
        stats = self.virsh("domstats", "a")
        self.assertIn("Domain: 'a'", stats)
        self.assertIn("state.state=1", stats)
        self.assertIn("vcpu.current=2", stats)
        only = self.virsh("domstats", "--state", "a")
        self.assertNotIn("vcpu", only)

    def test_words_about_it(self):
        self.virsh("define", self.file())
        self.virsh("desc", "a", "long words")
        self.virsh("desc", "a", "--title", "short")
        self.assertEqual(self.virsh("desc", "a").strip(), "long words")
        self.assertRegex(self.virsh("list", "--all", "--title"),
                         "a +shut off +short")
        self.virsh("metadata", "a", "urn:x", fail="metadata not found")
        self.virsh("metadata", "a", "urn:x", "k", "<e at='1'/>")
        self.assertIn("at='1'", self.virsh("metadata", "a", "urn:x")
                      .replace('"', "'"))
        self.assertIn("urn:x", self.virsh("dumpxml", "a"))
        self.virsh("metadata", "a", "urn:x", "--remove")
        self.virsh("metadata", "a", "urn:x", fail="metadata not found")

    def test_sysinfo(self):
        if os.path.exists("/sys/class/dmi/id/sys_vendor"):
            self.assertRegex(self.virsh("sysinfo"), r"(?s)<sysinfo type='smbios'>"
                             r".*<entry name='manufacturer'>")
        else:
            self.virsh("sysinfo", fail="SMBIOS information is not available")

    def test_wrong_xml(self):
        path = os.path.join(self.daemon.root, "bad.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<domain>")
        self.virsh("define", path, fail="Premature end of data")


class Host(Case):
    def test_facts(self):
        self.assertIn("Using API: null", self.virsh("version"))
        self.assertIn("Running against daemon: 9.0.0",
                      self.virsh("version", "--daemon"))
        self.assertEqual(self.virsh("hostname").strip(), os.uname().nodename)
        self.assertRegex(self.virsh("nodeinfo"), r"CPU\(s\): +\d+")
        self.assertRegex(self.virsh("nodecpumap"), r"CPU map: +[y-]+")
        self.assertEqual(self.virsh("uri").strip(), self.daemon.uri("null"))

    def test_documents(self):
        self.assertIn("<arch name='x86_64'>", self.virsh("capabilities"))
        self.assertIn("<domain>kvm</domain>", self.virsh("domcapabilities"))
        self.assertRegex(self.virsh("maxvcpus"), r"^\d+\s*$")

    def test_what_is_not_here_is_an_empty_list(self):
        for words in (["net-list", "--all"], ["pool-list", "--all"],
                      ["iface-list", "--all"], ["nodedev-list"],
                      ["nwfilter-list"], ["secret-list"]):
            lines = self.virsh(*words).strip().splitlines()
            self.assertLessEqual(len(lines), 2, lines)
        self.virsh("define", self.file())
        self.virsh("snapshot-list", "a")
        self.virsh("checkpoint-list", "a")
        self.virsh("net-info", "n", fail="Network not found|failed to get")
        self.virsh("pool-info", "p", fail="pool")

    def test_not_supported(self):
        self.virsh("define", self.file())
        self.virsh("domjobinfo", "a", fail="this function is not supported by "
                   "the connection driver: virDomainGetJobInfo")


class ReadOnly(Case):
    def test_only_questions(self):
        self.virsh("define", self.file())
        self.assertIn(" a ", self.virsh("list", "--all", read_only=True))
        self.virsh("dumpxml", "a", read_only=True)
        for words in (["start", "a"], ["undefine", "a"], ["autostart", "a"],
                      ["create", self.file("b")], ["domrename", "a", "b"]):
            self.virsh(*words, read_only=True, fail="operation forbidden: "
                       "read only access prevents vir[A-Z]")
        self.virsh("dumpxml", "a", "--security-info", read_only=True,
                   fail="operation forbidden: virDomainGetXMLDesc with secure")
        self.assertEqual(self.names("--all"), ["a"])


class Event(Case):
    def test_lifecycle(self):
        watcher = self.watch("--all", "--loop", "--timeout", "5")
        self.virsh("define", self.file())
        for words in (["start"], ["suspend"], ["resume"], ["destroy"],
                      ["undefine"]):
            self.virsh(*words, "a")
        output, _ = watcher.communicate(timeout=60)
        seen = re.findall(r"event 'lifecycle' for domain '?a'?: (.*)", output)
        self.assertEqual(seen, [
            "Defined Added", "Started Booted", "Suspended Paused",
            "Resumed Unpaused", "Stopped Destroyed", "Undefined Removed"],
            output)

    def test_names(self):
        self.assertIn("reboot", self.virsh("event", "--list"))


class Console(Case):
    drivers, scheme = harness.PROBE, "probe"

    def test_words_and_escape(self):
        """virsh wants a terminal; what is typed comes back from the probe."""
        path = os.path.join(self.daemon.root, "p.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<domain><name>p</name></domain>")
        self.virsh("define", path)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("virsh", ["virsh", "-c", self.daemon.uri("probe"),
                                 "console", "p", "--devname", "echo"],
                       self.daemon.environment)
        output = b""
        try:
            while b"Escape character" not in output:
                output += os.read(terminal, 4096)
            time.sleep(0.2)
            os.write(terminal, b"hello, console")
            while b"hello, console" not in output:
                output += os.read(terminal, 4096)
            os.write(terminal, b"\x1d")
            _, status = os.waitpid(pid, 0)
            self.assertEqual(status, 0)
        finally:
            os.close(terminal)


if __name__ == "__main__":
    harness.main()
