#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Networks that are really built, through the daemon and Debian's virsh: the
bridge, dnsmasq and the rules, a client that gets its address by DHCP and
reaches the outside through NAT. All of it in network namespaces of the test's
own: nothing of the host is touched."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import harness

OWN = "VIRTKVM_TEST_NETNS"
NEEDED = ("unshare", "nsenter", "ip", "nft", "tc", "dnsmasq", "virsh",
          "busybox")
SUBNET = "192.168.122."
# The outside, as the host reaches it: no way leads back to the guests.
HOST, OUTSIDE = "203.0.113.1", "203.0.113.2"
MAC = "52:54:00:00:00:11"
NETWORK = """<network><name>{name}</name>{more}</network>"""
ADDRESSES = """<ip address='{net}.1' netmask='255.255.255.0'><dhcp>
<range start='{net}.100' end='{net}.199'/></dhcp></ip>"""
# What the client's program does with its address.
UDHCPC = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
ip route flush dev "$interface" proto boot
ip route add "${ip%.*}.0/24" dev "$interface"
[ -z "$router" ] || ip route add default via "$router"
"""
# Says who it sees.
SERVER = """import socket
s = socket.create_server(("0.0.0.0", 8080))
print("ready", flush=True)
while True:
    c, peer = s.accept()
    c.sendall(peer[0].encode())
    c.close()
"""


def enter_own_namespace():
    """Runs this program again, in a network of its own."""
    missing = [name for name in NEEDED
               if not shutil.which(name, path=os.environ["PATH"] +
                                   ":/usr/sbin:/sbin")]
    if missing:
        harness.skip_all("not installed: " + ", ".join(missing))
    if os.geteuid() != 0:
        harness.skip_all("only root can build networks")
    command = ["unshare", "--net", "--", sys.executable, *sys.argv]
    probe = subprocess.run(["unshare", "--net", "true"], check=False,
                           stderr=subprocess.DEVNULL)
    if probe.returncode != 0:
        harness.skip_all("there can be no network namespaces here")
    os.execvpe("unshare", command, dict(os.environ, **{OWN: "1"}))


def run(*words, stdin=None):
    return subprocess.run(words, check=True, text=True, input=stdin,
                          capture_output=True).stdout


class Namespace:
    """A network of somebody else's, with one cable to this one."""

    def __init__(self, name):
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        self.name = name
        self.peer = name + "-host"
        own = os.readlink("/proc/self/ns/net")
        harness.wait_for(lambda: self.link() != own, "a namespace")
        run("ip", "link", "add", self.peer, "type", "veth", "peer", "name",
            name, "netns", str(self.process.pid))
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", name, "up")
        run("ip", "link", "set", self.peer, "up")

    def link(self):
        return os.readlink(f"/proc/{self.process.pid}/ns/net")

    def words(self, *words):
        return ["nsenter", "--net", "--target", str(self.process.pid), *words]

    def run(self, *words):
        return run(*self.words(*words))

    def close(self):
        self.process.kill()
        self.process.wait()


def links():
    return set(re.findall(r"^\d+: ([^:@]+)", run("ip", "-o", "link"), re.M))


def tables():
    return run("nft", "list", "tables").split("\n")[:-1]


def dnsmasqs(root):
    """Pids of those that serve networks of the daemon at @root."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if words[0].endswith("dnsmasq") and root in words[1]:
            found.append(int(pid))
    return found


class Case(harness.unittest.TestCase):
    def setUp(self):
        run("ip", "link", "set", "lo", "up")
        with open("/proc/sys/net/ipv4/ip_forward", "w",
                  encoding="utf-8") as file:
            file.write("0")
        self.folder = tempfile.mkdtemp(prefix="vk-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.daemon = self.new_daemon()
        self.addCleanup(self.end)
        self.links, self.tables = links(), tables()
        self.virsh("net-list")  # the first network has been chosen

    @staticmethod
    def new_daemon():
        return harness.Daemon(drivers=harness.DRIVERS, environment={
            "VIRTKVM_NETWORK_DIR": os.path.join(harness.SOURCE,
                                                "data/networks")})

    def add_bridge(self, name):
        """Somebody else's, which stays."""
        run("ip", "link", "add", name, "type", "bridge")
        self.addCleanup(run, "ip", "link", "delete", name)
        self.links.add(name)

    def end(self):
        """Whatever a failed test has left; first who would start it again."""
        self.daemon.close()
        for pid in dnsmasqs(self.daemon.root):
            os.kill(pid, signal.SIGKILL)
        harness.wait_for(lambda: not dnsmasqs(self.daemon.root),
                         "the end of dnsmasq")
        for name in links() - self.links:
            subprocess.run(["ip", "link", "delete", name], check=False,
                           stderr=subprocess.DEVNULL)
        run("nft", "flush", "ruleset")

    def virsh(self, *words, fail=None):
        done = subprocess.run(["virsh", "-c", self.daemon.uri("kvm"), *words],
                              capture_output=True, text=True, check=False,
                              env=self.daemon.environment, timeout=60)
        if fail:
            self.assertNotEqual(done.returncode, 0, words)
            self.assertRegex(done.stderr, fail)
        else:
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def file(self, xml):
        path = os.path.join(self.folder, "network.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(xml)
        return path

    def define(self, name, more):
        self.virsh("net-define", self.file(NETWORK.format(name=name,
                                                          more=more)))

    def bridge(self, name="default"):
        return re.search(r"Bridge: +(\S+)",
                         self.virsh("net-info", name)).group(1)

    def plug(self, name, bridge, mac=None):
        """Another machine at @bridge."""
        client = Namespace(name)
        self.addCleanup(client.close)
        run("ip", "link", "set", client.peer, "master", bridge)
        if mac:
            client.run("ip", "link", "set", name, "address", mac)
        return client

    def dhcp(self, client, *options):
        script = os.path.join(self.folder, "udhcpc")
        with open(script, "w", encoding="utf-8") as file:
            file.write(UDHCPC)
        os.chmod(script, 0o755)
        client.run("busybox", "udhcpc", "-i", client.name, "-s", script, "-q",
                   "-n", "-f", "-t", "20", "-T", "1", *options)
        return re.search(r"inet (\S+)/",
                         client.run("ip", "-4", "-o", "address", "show", "dev",
                                    client.name)).group(1)

    def outside(self):
        world = Namespace("world")
        self.addCleanup(world.close)
        world.run("ip", "address", "add", OUTSIDE + "/24", "dev", "world")
        run("ip", "address", "add", HOST + "/24", "dev", world.peer)
        server = subprocess.Popen(
            world.words(sys.executable, "-c", SERVER), text=True,
            stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), "ready\n")
        return world

    def seen_from_outside(self, client):
        return client.run("busybox", "nc", "-w", "5", OUTSIDE, "8080")

    def assert_nothing_left(self):
        self.assertEqual(links(), self.links)
        self.assertEqual(tables(), self.tables)
        self.assertEqual(dnsmasqs(self.daemon.root), [])
        left = [os.path.join(where, name)
                for where, _, names in os.walk(self.daemon.root + "/run/kvm")
                for name in names if name != "autostarted"]
        self.assertEqual(left, [])


class Default(Case):
    def test_from_start_to_end(self):
        """A guest's way: address, name, the outside, and then nothing."""
        self.outside()
        self.virsh("net-start", "default")
        self.virsh("net-start", "default", fail="network is already active")
        bridge = self.bridge()
        guest = self.plug("guest", bridge, MAC)
        address = self.dhcp(guest, "-x", "hostname:guest1")
        self.assertTrue(address.startswith(SUBNET), address)
        leases = self.virsh("net-dhcp-leases", "default")
        self.assertRegex(leases, rf"{MAC} +ipv4 +{address}/24 +guest1 +01:")
        self.assertIn(address, self.virsh("net-dhcp-leases", "default", MAC))
        self.assertNotIn(address, self.virsh("net-dhcp-leases", "default",
                                             "52:54:00:00:00:99"))
        self.assertEqual(self.seen_from_outside(guest), HOST)
        self.assertIn(address, guest.run("busybox", "nslookup", "-type=a",
                                         "guest1", SUBNET + "1"))
        self.virsh("net-destroy", "default")
        guest.close()
        self.assertIn("inactive", self.virsh("net-list", "--all"))
        harness.wait_for(lambda: "guest-host" not in links(), "the cable")
        self.links |= {"world-host"}
        self.assert_nothing_left()

    def test_two_guests_and_the_host(self):
        self.virsh("net-start", "default")
        one = self.plug("one", self.bridge())
        two = self.plug("two", self.bridge())
        first, second = self.dhcp(one), self.dhcp(two)
        self.assertNotEqual(first, second)
        one.run("busybox", "ping", "-c", "1", "-W", "5", second)
        run("busybox", "ping", "-c", "1", "-W", "5", first)

    def test_another_subnet_where_ours_is_taken(self):
        self.add_bridge("busy")
        run("ip", "address", "add", SUBNET + "9/24", "dev", "busy")
        run("ip", "link", "set", "busy", "up")
        self.virsh("net-start", "default",
                   fail="already in use by interface busy")
        self.assert_nothing_left()
        with self.new_daemon() as other:
            path = os.path.join(other.root, "etc/kvm/networks/default.xml")
            harness.wait_for(lambda: os.path.exists(path), "a first network")
            with open(path, encoding="utf-8") as file:
                text = file.read()
        self.assertIn("192.168.123.1", text)
        self.assertNotIn(SUBNET, text)


class Life(Case):
    def test_a_killed_daemon_finds_it_again(self):
        self.virsh("net-start", "default")
        before = dnsmasqs(self.daemon.root)
        rules = run("nft", "list", "ruleset")
        xml = self.virsh("net-dumpxml", "default")
        self.daemon.stop(signal.SIGKILL)
        self.assertEqual(dnsmasqs(self.daemon.root), before)
        self.daemon.start()
        self.assertEqual(self.virsh("net-dumpxml", "default"), xml)
        self.assertEqual(dnsmasqs(self.daemon.root), before)
        self.assertEqual(run("nft", "list", "ruleset"), rules)
        self.dhcp(self.plug("guest", self.bridge()))
        self.virsh("net-destroy", "default")
        self.assertEqual(dnsmasqs(self.daemon.root), [])

    def test_what_vanished_meanwhile(self):
        """dnsmasq and the rules are made again; without its bridge a network
        is inactive, and nothing of it is left."""
        self.virsh("net-start", "default")
        bridge = self.bridge()
        self.daemon.stop(signal.SIGKILL)
        for pid in dnsmasqs(self.daemon.root):
            os.kill(pid, signal.SIGKILL)
        run("nft", "flush", "ruleset")
        self.daemon.start()
        harness.wait_for(lambda: len(dnsmasqs(self.daemon.root)) == 1,
                         "another dnsmasq")
        self.assertIn("masquerade", run("nft", "list", "ruleset"))
        self.daemon.stop(signal.SIGKILL)
        run("ip", "link", "delete", bridge)
        self.daemon.start()
        self.assertIn("inactive", self.virsh("net-list", "--all"))
        self.assert_nothing_left()

    def test_dnsmasq_that_dies_is_started_again(self):
        self.virsh("net-start", "default")
        for _ in range(2):
            pid, = dnsmasqs(self.daemon.root)
            os.kill(pid, signal.SIGKILL)
            harness.wait_for(lambda old=pid: dnsmasqs(self.daemon.root)
                             not in ([], [old]), "another dnsmasq")
        self.assertIn("dnsmasq of network 'default' has ended",
                      self.daemon.output())
        self.dhcp(self.plug("guest", self.bridge()))

    def test_a_dnsmasq_that_always_dies_is_not_started_often(self):
        """The second death waits longer than the first."""
        self.virsh("net-start", "default")
        end = time.monotonic() + 3
        seen = set()
        while time.monotonic() < end:
            for pid in dnsmasqs(self.daemon.root):
                seen.add(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        self.assertTrue(2 <= len(seen) <= 5, seen)
        self.virsh("net-destroy", "default")
        self.assert_nothing_left()

    def test_a_start_that_fails_leaves_nothing(self):
        self.add_bridge("blocker")
        self.define("taken", "<bridge name='blocker'/>")
        self.virsh("net-start", "taken",
                   fail="Unable to create bridge blocker: File exists")
        hosts = "".join(f"<host mac='52:54:00:00:00:0{i}' ip='10.77.0.9'/>"
                        for i in (1, 2))
        self.define("bad", "<bridge name='vkb1'/>" +
                    ADDRESSES.format(net="10.77.0").replace(
                        "</dhcp>", hosts + "</dhcp>"))
        self.virsh("net-start", "bad", fail="dnsmasq ended at once .* "
                   "duplicate dhcp-host IP address 10.77.0.9")
        self.assert_nothing_left()

    def test_autostart(self):
        self.virsh("net-autostart", "default")
        self.daemon.stop()
        os.unlink(self.daemon.root + "/run/kvm/networks/autostarted")
        self.daemon.start()
        self.assertRegex(self.virsh("net-list"), "default +active +yes +yes")
        self.virsh("net-destroy", "default")
        self.daemon.stop()
        self.daemon.start()
        self.assertNotIn("default", self.virsh("net-list"))


class Kinds(Case):
    def test_isolated(self):
        self.outside()
        self.define("alone", ADDRESSES.format(net="10.77.0"))
        self.virsh("net-start", "alone")
        guest = self.plug("guest", self.bridge("alone"))
        address = self.dhcp(guest)
        self.assertTrue(address.startswith("10.77.0."), address)
        self.assertNotIn("default", guest.run("ip", "route"))
        guest.run("ip", "route", "add", "default", "via", "10.77.0.1")
        self.assertEqual(subprocess.run(
            guest.words("busybox", "nc", "-w", "2", OUTSIDE, "8080"),
            check=False, capture_output=True, text=True).stdout, "")

    def test_routed(self):
        """Nothing is translated: the outside has to know the way."""
        world = self.outside()
        self.define("routed", "<forward mode='route'/>" +
                    ADDRESSES.format(net="10.77.0"))
        self.virsh("net-start", "routed")
        guest = self.plug("guest", self.bridge("routed"))
        address = self.dhcp(guest)
        world.run("ip", "route", "add", "10.77.0.0/24", "via", HOST)
        self.assertEqual(self.seen_from_outside(guest), address)

    def test_bridge_mtu_and_limits(self):
        self.define("limited", "<bridge name='vkb7' stp='off' delay='3'/>"
                    "<mtu size='1400'/><mac address='52:54:00:77:77:77'/>"
                    "<bandwidth><inbound average='1000'/>"
                    "<outbound average='500' burst='128'/></bandwidth>")
        self.virsh("net-start", "limited")
        link = run("ip", "-d", "-o", "link", "show", "dev", "vkb7")
        for words in ("mtu 1400", "52:54:00:77:77:77", "forward_delay 300",
                      "stp_state 0"):
            self.assertIn(words, link)
        self.assertIn("tbf", run("tc", "qdisc", "show", "dev", "vkb7"))
        self.assertIn("limit rate over 500 kbytes/second burst 128 kbytes",
                      run("nft", "list", "ruleset"))
        self.virsh("net-destroy", "limited")
        self.assert_nothing_left()

    def test_ipv6(self):
        self.define("six", "<bridge name='vkb6'/><ip family='ipv6' "
                    "address='fd00:77::1' prefix='64'><dhcp><range "
                    "start='fd00:77::100' end='fd00:77::1ff'/></dhcp></ip>")
        self.virsh("net-start", "six")
        self.assertIn("fd00:77::1/64", run("ip", "-6", "-o", "address", "show",
                                           "dev", "vkb6"))
        guest = self.plug("guest", "vkb6")
        harness.wait_for(lambda: "fd00:77::" in guest.run(
            "ip", "-6", "route"), "a router's word")


class Update(Case):
    def test_a_host_gets_its_address(self):
        self.virsh("net-start", "default")
        self.virsh("net-update", "default", "add", "ip-dhcp-host",
                   f"<host mac='{MAC}' name='fixed' ip='{SUBNET}77'/>",
                   "--live", "--config")
        guest = self.plug("guest", self.bridge(), MAC)
        self.assertEqual(self.dhcp(guest), SUBNET + "77")
        self.virsh("net-update", "default", "add", "dns-host",
                   f"<host ip='{SUBNET}42'><hostname>answer</hostname></host>",
                   "--live")
        self.assertIn(SUBNET + "42", guest.run(
            "busybox", "nslookup", "-type=a", "answer", SUBNET + "1"))
        self.assertNotIn("answer", self.virsh("net-dumpxml", "default",
                                              "--inactive"))
        self.assertIn("fixed", self.virsh("net-dumpxml", "default",
                                          "--inactive"))

    def test_what_dnsmasq_refuses_is_not_kept(self):
        self.virsh("net-start", "default")
        before = self.virsh("net-dumpxml", "default")
        self.virsh("net-update", "default", "add", "ip-dhcp-range",
                   f"<range start='{SUBNET}250' end='{SUBNET}240'/>", "--live",
                   fail="is reversed")
        self.assertEqual(self.virsh("net-dumpxml", "default"), before)
        self.dhcp(self.plug("guest", self.bridge()))


if __name__ == "__main__":
    if OWN not in os.environ:
        enter_own_namespace()
    harness.main()
