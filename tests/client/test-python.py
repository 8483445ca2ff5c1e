#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""python3-libvirt, unmodified, against virtkvmd with the null driver."""
import threading
import time
import unittest

import harness

try:
    import libvirt
except ImportError:
    harness.skip_all("python3-libvirt is not installed")

XML = """<domain type='kvm'><name>{}</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='q35'>hvm</type><kernel>{}</kernel></os>
</domain>"""


def quiet(*_):
    pass


class EventLoop(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        libvirt.virEventRegisterDefaultImpl()
        self.start()

    def run(self):
        while True:
            libvirt.virEventRunDefaultImpl()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        libvirt.registerErrorHandler(quiet, None)
        cls.daemon = harness.Daemon(drivers=harness.DRIVERS)
        cls.addClassCleanup(cls.daemon.close)

    def setUp(self):
        self.connection = libvirt.open(self.daemon.uri("null"))
        self.addCleanup(self.connection.close)

    def define(self, name):
        domain = self.connection.defineXML(XML.format(name, self.daemon.log))

        def remove():
            if domain.isActive():
                domain.destroy()
            if domain.isPersistent():
                domain.undefine()

        self.addCleanup(remove)
        return domain

    def refused(self, code, call, *args):
        with self.assertRaises(libvirt.libvirtError) as caught:
            call(*args)
        self.assertEqual(caught.exception.get_error_code(), code,
                         caught.exception)
        return caught.exception


class Connection(Case):
    def test_facts(self):
        self.assertEqual(self.connection.getType(), "null")
        self.assertEqual(self.connection.getLibVersion(), 9000000)
        self.assertGreater(self.connection.getVersion(), 0)
        self.assertEqual(self.connection.isSecure(), 1)
        self.assertEqual(self.connection.isAlive(), 1)
        self.assertEqual(self.connection.getURI(), self.daemon.uri("null"))
        self.assertEqual(len(self.connection.getInfo()), 8)

    def test_lists(self):
        first, second = self.define("one"), self.define("two")
        second.create()
        self.assertEqual(self.connection.numOfDomains(), 1)
        self.assertEqual(self.connection.numOfDefinedDomains(), 1)
        self.assertEqual(self.connection.listDomainsID(), [second.ID()])
        self.assertEqual(self.connection.listDefinedDomains(), ["one"])
        self.assertEqual({d.name() for d in self.connection.listAllDomains()},
                         {"one", "two"})
        self.assertEqual(self.connection.lookupByUUID(first.UUID()).name(),
                         "one")
        self.assertEqual(self.connection.lookupByID(second.ID()).name(),
                         "two")
        self.assertEqual(self.connection.listAllNetworks(), [])
        self.assertEqual(self.connection.listAllStoragePools(), [])
        self.assertEqual(self.connection.listAllDevices(), [])
        self.assertEqual(self.connection.listAllSecrets(), [])

    def test_codes(self):
        self.refused(libvirt.VIR_ERR_NO_DOMAIN,
                     self.connection.lookupByName, "none")
        self.refused(libvirt.VIR_ERR_NO_STORAGE_VOL,
                     self.connection.storageVolLookupByPath, "/none")
        self.refused(libvirt.VIR_ERR_NO_STORAGE_POOL,
                     self.connection.storagePoolLookupByName, "none")
        self.refused(libvirt.VIR_ERR_NO_NETWORK,
                     self.connection.networkLookupByName, "none")
        domain = self.define("idle")
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID,
                             domain.suspend)
        self.assertEqual(error.get_error_message(), "Requested operation is "
                         "not valid: domain is not running")
        self.assertEqual(error.get_error_domain(), libvirt.VIR_FROM_QEMU)
        self.assertEqual(error.get_str2(), "domain is not running")
        self.refused(libvirt.VIR_ERR_NO_SUPPORT, domain.jobInfo)

    def test_read_only(self):
        self.define("kept")
        connection = libvirt.openReadOnly(
            self.daemon.uri("null", read_only=True))
        domain = connection.lookupByName("kept")
        self.assertEqual(domain.info()[0], libvirt.VIR_DOMAIN_SHUTOFF)
        self.refused(libvirt.VIR_ERR_OPERATION_DENIED, domain.create)
        connection.close()

    def test_many_connections_and_threads(self):
        failures = []

        def visit(number):
            try:
                connection = libvirt.open(self.daemon.uri("null"))
                name = f"crowd-{number}"
                domain = connection.defineXML(
                    XML.format(name, self.daemon.log))
                for _ in range(5):
                    connection.listAllDomains()
                    domain.info()
                domain.undefine()
                connection.close()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [threading.Thread(target=visit, args=(number,))
                   for number in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_one_connection_in_many_threads(self):
        domain = self.define("shared")
        failures = []

        def ask():
            try:
                for _ in range(50):
                    domain.info()
                    domain.XMLDesc()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


NETWORK = """<network><name>{}</name><ip address='192.0.2.1' prefix='24'>
<dhcp><range start='192.0.2.2' end='192.0.2.99'/></dhcp></ip></network>"""


class Networks(Case):
    def define_network(self, name):
        network = self.connection.networkDefineXML(NETWORK.format(name))

        def remove():
            if network.isActive():
                network.destroy()
            if network.isPersistent():
                network.undefine()

        self.addCleanup(remove)
        return network

    def names(self, flags=0):
        return [n.name() for n in self.connection.listAllNetworks(flags)]

    def test_life(self):
        network = self.define_network("wire")
        self.assertEqual(self.names(), ["wire"])
        self.assertEqual(self.connection.listDefinedNetworks(), ["wire"])
        self.assertEqual(self.connection.numOfNetworks(), 0)
        network.create()
        self.assertEqual(self.connection.listNetworks(), ["wire"])
        self.assertEqual(self.connection.numOfDefinedNetworks(), 0)
        self.assertEqual(self.names(
            libvirt.VIR_CONNECT_LIST_NETWORKS_INACTIVE), [])
        self.assertRegex(network.bridgeName(), "^virbr[0-9]+$")
        network.setAutostart(1)
        self.assertEqual(network.autostart(), 1)
        self.assertIn("<name>wire</name>", network.XMLDesc(
            libvirt.VIR_NETWORK_XML_INACTIVE))
        self.assertEqual(network.DHCPLeases(), [])
        self.assertEqual(network.DHCPLeases("52:54:00:00:00:01"), [])
        self.assertEqual(network.listAllPorts(), [])
        self.assertEqual(self.connection.networkLookupByUUIDString(
            network.UUIDString()).name(), "wire")
        network.update(
            libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
            libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, -1,
            "<host mac='52:54:00:00:00:01' ip='192.0.2.9'/>",
            libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE)
        self.assertIn("192.0.2.9", network.XMLDesc())

    def test_transient(self):
        network = self.connection.networkCreateXML(NETWORK.format("passing"))
        self.assertEqual(network.isPersistent(), 0)
        network.destroy()
        self.assertEqual(self.names(), [])

    def test_refusals(self):
        network = self.define_network("wire")
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID,
                             network.destroy)
        self.assertEqual(error.get_error_message(), "Requested operation is "
                         "not valid: network 'wire' is not active")
        self.refused(libvirt.VIR_ERR_XML_ERROR,
                     self.connection.networkDefineXML,
                     "<network><name>a/b</name></network>")
        self.refused(libvirt.VIR_ERR_NO_NETWORK_PORT,
                     network.portLookupByUUID, bytes(range(16)))
        read_only = libvirt.openReadOnly(
            self.daemon.uri("null", read_only=True))
        self.addCleanup(read_only.close)
        seen = read_only.networkLookupByName("wire")
        self.assertIn("wire", seen.XMLDesc())
        for call, args in ((seen.create, ()), (seen.undefine, ()),
                           (seen.setAutostart, (1,)), (seen.destroy, ()),
                           (read_only.networkDefineXML, (NETWORK,)),
                           (read_only.networkCreateXML, (NETWORK,))):
            self.refused(libvirt.VIR_ERR_OPERATION_DENIED, call, *args)


class Events(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.loop = EventLoop()

    def test_life_of_a_domain(self):
        seen, reboots = [], []
        self.connection.setKeepAlive(1, 3)
        numbers = [
            self.connection.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                lambda c, d, event, detail, o: seen.append(
                    (d.name(), event, detail)), None),
            self.connection.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT,
                lambda c, d, o: reboots.append(d.name()), None),
        ]
        domain = self.define("eventful")
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        domain.resume()
        domain.reset()
        domain.destroy()
        harness.wait_for(lambda: len(seen) >= 5 and reboots, "the events")
        self.assertEqual(seen, [
            ("eventful", libvirt.VIR_DOMAIN_EVENT_DEFINED, 0),
            ("eventful", libvirt.VIR_DOMAIN_EVENT_STARTED, 0),
            ("eventful", libvirt.VIR_DOMAIN_EVENT_SUSPENDED, 0),
            ("eventful", libvirt.VIR_DOMAIN_EVENT_RESUMED, 0),
            ("eventful", libvirt.VIR_DOMAIN_EVENT_STOPPED,
             libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED)])
        self.assertEqual(reboots, ["eventful"])
        for number in numbers:
            self.connection.domainEventDeregisterAny(number)
        domain.create()
        time.sleep(0.2)
        self.assertEqual(len(seen), 5)

    def test_life_of_a_network(self):
        seen, others = [], []
        network = self.connection.networkDefineXML(NETWORK.format("wire"))
        other = self.connection.networkDefineXML(NETWORK.format("other"))
        numbers = [self.connection.networkEventRegisterAny(
            of, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE,
            lambda c, n, event, detail, into: into.append((n.name(), event)),
            into) for of, into in ((None, seen), (other, others))]
        network.create()
        network.destroy()
        network.undefine()
        other.undefine()
        harness.wait_for(lambda: len(seen) >= 4 and others, "the events")
        self.assertEqual(seen, [
            ("wire", libvirt.VIR_NETWORK_EVENT_STARTED),
            ("wire", libvirt.VIR_NETWORK_EVENT_STOPPED),
            ("wire", libvirt.VIR_NETWORK_EVENT_UNDEFINED),
            ("other", libvirt.VIR_NETWORK_EVENT_UNDEFINED)])
        self.assertEqual(others,
                         [("other", libvirt.VIR_NETWORK_EVENT_UNDEFINED)])
        for number in numbers:
            self.connection.networkEventDeregisterAny(number)

    def test_all_kinds_can_be_registered(self):
        numbers = [self.connection.domainEventRegisterAny(
            None, event, quiet, None)
            for event in range(27)]
        for number in numbers:
            self.connection.domainEventDeregisterAny(number)

    def test_what_each_kind_says(self):
        """As the library reads our messages."""
        daemon = harness.Daemon()
        self.addCleanup(daemon.close)
        connection = libvirt.open(daemon.uri("probe"))
        domain = connection.defineXML("<domain><name>d</name></domain>")
        seen = []

        def listen(event):
            connection.domainEventRegisterAny(
                None, event, lambda c, d, *rest: seen.append(
                    (event, d.name(), d.UUID(), *rest[:-1])), None)

        kinds = [getattr(libvirt, "VIR_DOMAIN_EVENT_ID_" + name) for name in (
            "RTC_CHANGE", "CONTROL_ERROR", "BALLOON_CHANGE", "DEVICE_REMOVED",
            "DEVICE_ADDED", "DEVICE_REMOVAL_FAILED", "METADATA_CHANGE",
            "METADATA_CHANGE", "IO_ERROR", "IO_ERROR_REASON", "DISK_CHANGE",
            "TRAY_CHANGE", "TUNABLE", "AGENT_LIFECYCLE")]
        for kind in sorted(set(kinds)):
            listen(kind)
        domain.reboot(1 << 30)
        harness.wait_for(lambda: len(seen) >= len(kinds), "the events")
        values = [(-3600,), (), (1 << 40,), ("gone",), ("new",), ("stuck",),
                  (libvirt.VIR_DOMAIN_METADATA_ELEMENT, "urn:x"),
                  (libvirt.VIR_DOMAIN_METADATA_TITLE, None),
                  ("/a", "virtio-disk0",
                   libvirt.VIR_DOMAIN_EVENT_IO_ERROR_PAUSE),
                  ("/a", "virtio-disk0",
                   libvirt.VIR_DOMAIN_EVENT_IO_ERROR_REPORT, ""),
                  (None, "/b", "virtio-disk0",
                   libvirt.VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START),
                  ("ide0-0-1", libvirt.VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE),
                  ({"blkdeviotune.disk": "vda",
                    "blkdeviotune.total_iops_sec": 9},), (1, 2)]
        self.assertEqual(seen, [
            (kind, "d", domain.UUID(), *value)
            for kind, value in zip(kinds, values)])
        connection.close()

    def test_close_callback(self):
        reasons = []
        daemon = harness.Daemon(drivers=harness.DRIVERS)
        self.addCleanup(daemon.close)
        connection = libvirt.open(daemon.uri("null"))
        connection.registerCloseCallback(
            lambda c, reason, o: reasons.append(reason), None)
        self.assertEqual(daemon.stop(), 0)
        harness.wait_for(lambda: reasons, "the close callback")
        self.assertEqual(reasons, [libvirt.VIR_CONNECT_CLOSE_REASON_EOF])


if __name__ == "__main__":
    harness.main()
