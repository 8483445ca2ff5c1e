#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Disks, interfaces and memory in Debian's virsh, unmodified, against virtkvmd
with the null driver: what is printed is what libvirt's QEMU driver prints."""
import os
import re

import harness
from virshcase import Case

MAC = "52:54:00:00:00:01"
DISK = """<disk type='file' device='disk'>
  <driver name='qemu' type='raw'/><source file='{path}'/>
  <target dev='{target}' bus='virtio'/></disk>"""
INTERFACE = f"""<interface type='user'><mac address='{MAC}'/>
  <model type='virtio'/></interface>"""
BALLOON = "<memballoon model='virtio'/>"
MIB = 1 << 20


def table(text):
    """The cells of a table of virsh, by line."""
    return [line.split() for line in text.splitlines()[2:] if line.strip()]


def pairs(text):
    """The lines `name : value` and `name value` of virsh."""
    return {words[0]: words[-1] for words in
            (line.replace(":", " ").split() for line in text.splitlines())
            if len(words) > 1}


class Devices(Case):
    devices = ""

    def setUp(self):
        super().setUp()
        self.image = os.path.join(self.daemon.root, "image")
        with open(self.image, "wb") as image:
            image.write(b"first" + bytes(MIB - 5))
        self.virsh("define", self.file(
            devices=DISK.format(path=self.image, target="vda") + INTERFACE +
            BALLOON))

    def live(self):
        return self.virsh("dumpxml", "a")

    def config(self):
        return self.virsh("dumpxml", "a", "--inactive")


class Memory(Devices):
    def test_setmem(self):
        watcher = self.watch("--event", "balloon-change", "--timeout", "5")
        self.virsh("setmem", "a", "32M", "--live",
                   fail="Requested operation is not valid: domain is not "
                   "running")
        self.virsh("start", "a")
        self.virsh("setmem", "a", "100M", "--live",
                   fail="invalid argument: cannot set memory higher than max "
                   "memory")
        self.virsh("setmem", "a", "48M", "--live")
        output, _ = watcher.communicate(timeout=60)
        self.assertIn("event 'balloon-change' for domain 'a': 49152KiB",
                      output)
        self.assertRegex(self.virsh("dominfo", "a"),
                         "Max memory: +65536 KiB\nUsed memory: +49152 KiB")
        self.assertIn("<currentMemory unit='KiB'>49152<", self.live())
        self.assertIn("<currentMemory unit='KiB'>65536<", self.config())
        self.virsh("setmem", "a", "32M", "--config")
        self.assertIn("<currentMemory unit='KiB'>32768<", self.config())
        self.assertIn("<currentMemory unit='KiB'>49152<", self.live())

    def test_balloon_outlives_the_daemon(self):
        self.virsh("start", "a")
        self.virsh("setmem", "a", "48M", "--live")
        harness.wait_for(lambda: "49152" in self.live(), "the balloon")
        self.daemon.stop()
        self.daemon.start()
        self.assertIn("<currentMemory unit='KiB'>49152<", self.live())

    def test_setmaxmem(self):
        self.virsh("setmaxmem", "a", "128M", "--config")
        self.assertIn("<memory unit='KiB'>131072<", self.config())
        self.virsh("setmaxmem", "a", "16M", "--config")
        self.assertRegex(self.config(), r"<memory unit='KiB'>16384<.*\s*"
                         "<currentMemory unit='KiB'>16384<")
        self.virsh("start", "a")
        self.virsh("setmaxmem", "a", "256M", "--live",
                   fail="Requested operation is not valid: cannot resize the "
                   "maximum memory on an active domain")

    def test_dommemstat(self):
        self.virsh("dommemstat", "a", fail="domain is not running")
        self.virsh("start", "a")
        self.assertEqual(self.virsh("dommemstat", "a").split(),
                         ["actual", "65536", "last_update", "0"])
        self.virsh("dommemstat", "a", "--period", "5", "--live", "--config")
        self.assertIn("<stats period='5'/>", self.live())
        self.assertIn("<stats period='5'/>", self.config())

    def test_without_a_balloon(self):
        self.virsh("define", self.file("b", "<memballoon model='none'/>"))
        self.virsh("start", "b")
        self.virsh("setmem", "b", "32M", "--live",
                   fail="Unable to change memory of active domain without the "
                   "balloon device and guest OS balloon driver")
        self.virsh("dommemstat", "b", "--period", "5", "--live",
                   fail="No memory balloon device configured, can not set the "
                   "collection period")
        self.assertEqual(self.virsh("dommemstat", "b").split(), [])

    def test_balloon_that_nobody_asked_for(self):
        self.virsh("define", self.file("b"))
        self.assertIn("<memballoon model='virtio'>",
                      self.virsh("dumpxml", "b"))
        self.virsh("detach-device", "b", self.write("m.xml", BALLOON),
                   "--config", fail="persistent detach of device 'memballoon' "
                   "is not supported")


class Disks(Devices):
    def test_lists(self):
        self.assertEqual(table(self.virsh("domblklist", "a")),
                         [["vda", self.image]])
        self.assertEqual(table(self.virsh("domblklist", "a", "--details")),
                         [["file", "disk", "vda", self.image]])

    def test_domblkinfo(self):
        inactive = self.virsh("domblkinfo", "a", "vda")
        info = pairs(inactive)
        self.assertEqual((info["Capacity"], info["Physical"]),
                         (str(MIB), str(MIB)))
        self.virsh("start", "a")
        self.assertEqual(self.virsh("domblkinfo", "a", "vda"), inactive)
        self.virsh("domblkinfo", "a", "vdz", fail="invalid argument: invalid "
                   "path vdz not assigned to domain")

    def test_domblkstat(self):
        self.virsh("domblkstat", "a", "vda", fail="domain is not running")
        self.virsh("start", "a")
        words = self.virsh("domblkstat", "a", "vda").split("\n")
        self.assertEqual([line.split()[1:] for line in words if line],
                         [[name, "0"] for name in (
                             "rd_req", "rd_bytes", "wr_req", "wr_bytes",
                             "errs", "flush_operations", "rd_total_times",
                             "wr_total_times", "flush_total_times")])
        self.virsh("domblkstat", "a", "vdz",
                   fail="invalid argument: invalid path: vdz")
        self.assertEqual(self.virsh("domblkerror", "a").strip(),
                         "No errors found")

    def test_blockresize(self):
        self.virsh("blockresize", "a", "vda", "2M",
                   fail="domain is not running")
        self.virsh("start", "a")
        self.assertEqual(self.virsh("blockresize", "a", "vda", "2M").strip(),
                         "Block device 'vda' is resized")
        self.assertEqual(pairs(self.virsh("domblkinfo", "a", "vda"))
                         ["Capacity"], str(2 * MIB))
        self.virsh("blockresize", "a", "vdz", "2M",
                   fail="invalid argument: invalid path: vdz")

    def test_blkdeviotune(self):
        none = pairs(self.virsh("blkdeviotune", "a", "vda"))
        self.assertEqual(len(none), 19)
        self.assertEqual(set(none.values()), {"0"})
        watcher = self.watch("--event", "tunable", "--timeout", "5")
        self.virsh("start", "a")
        self.virsh("blkdeviotune", "a", "vda", "--total-bytes-sec", "1000000",
                   "--read-iops-sec", "50", "--live", "--config")
        output, _ = watcher.communicate(timeout=60)
        self.assertRegex(output, "(?s)event 'tunable' for domain 'a'.*"
                         "blkdeviotune.disk: vda.*"
                         "blkdeviotune.total_bytes_sec: 1000000")
        for source in ("--live", "--config"):
            tune = pairs(self.virsh("blkdeviotune", "a", "vda", source))
            self.assertEqual((tune["total_bytes_sec"], tune["read_iops_sec"]),
                             ("1000000", "50"))
        self.assertIn("<total_bytes_sec>1000000<", self.live())
        # a group is replaced whole, the others stay
        self.virsh("blkdeviotune", "a", "vda", "--write-bytes-sec", "7",
                   "--live")
        tune = pairs(self.virsh("blkdeviotune", "a", "vda", "--live"))
        self.assertEqual([tune[key] for key in (
            "total_bytes_sec", "write_bytes_sec", "read_iops_sec")],
            ["0", "7", "50"])
        self.virsh("blkdeviotune", "a", "vda", "--total-iops-sec", "1",
                   "--write-iops-sec", "1", "--live",
                   fail="total and read/write of iops_sec cannot be set at "
                   "the same time")
        self.virsh("blkdeviotune", "a", "vda", "--write-bytes-sec-max", "5",
                   "--live", fail="value 'write_bytes_sec_max' cannot be "
                   "smaller than 'write_bytes_sec'")
        self.virsh("blkdeviotune", "a", "vdz", "--live",
                   fail="disk 'vdz' was not found in the domain config")

    def test_qcow2_is_read_from_its_header(self):
        path = os.path.join(self.daemon.root, "q")
        with open(path, "wb") as image:
            image.write(b"QFI\xfb\0\0\0\3" + bytes(16) +
                        (5 * MIB).to_bytes(8, "big") + bytes(80))
        self.virsh("define", self.file("q", DISK.format(
            path=path, target="vda").replace("raw", "qcow2")))
        self.assertEqual(pairs(self.virsh("domblkinfo", "q", "vda"))
                         ["Capacity"], str(5 * MIB))
        os.truncate(path, 10)
        self.virsh("domblkinfo", "q", "vda",
                   fail="is not an image of format 'qcow2'")
        os.unlink(path)
        self.virsh("domblkinfo", "q", "vda", fail="No such file")


class Interfaces(Devices):
    def test_domiflist(self):
        self.assertEqual(table(self.virsh("domiflist", "a")),
                         [["-", "user", "-", "virtio", MAC]])

    def test_domifstat(self):
        self.virsh("domifstat", "a", MAC, fail="domain is not running")
        self.virsh("start", "a")
        self.assertEqual(
            [line.split() for line in
             self.virsh("domifstat", "a", MAC).splitlines() if line],
            [[MAC, name, "0"] for name in (
                "rx_bytes", "rx_packets", "rx_errs", "rx_drop", "tx_bytes",
                "tx_packets", "tx_errs", "tx_drop")])
        self.virsh("domifstat", "a", "vnet9",
                   fail="invalid argument: 'vnet9' is not a known interface")

    def test_domiftune(self):
        self.virsh("start", "a")
        names = ("inbound.average", "inbound.peak", "inbound.burst",
                 "inbound.floor", "outbound.average", "outbound.peak",
                 "outbound.burst")
        tune = pairs(self.virsh("domiftune", "a", MAC))
        self.assertEqual(list(tune), list(names))
        self.assertEqual(set(tune.values()), {"0"})
        self.virsh("domiftune", "a", MAC, "--inbound", "100,200,50",
                   "--live", "--config")
        self.virsh("domiftune", "a", MAC, "--outbound", "9", "--live")
        tune = pairs(self.virsh("domiftune", "a", MAC, "--live"))
        self.assertEqual([tune[name] for name in names],
                         ["100", "200", "50", "0", "9", "0", "0"])
        self.assertIn("<inbound average='100' peak='200' burst='50'/>",
                      self.config())
        self.virsh("domiftune", "a", MAC, "--inbound", "0", "--config")
        self.assertNotIn("<inbound", self.config())

    def test_domifaddr(self):
        self.virsh("domifaddr", "a", fail="domain is not running")
        self.virsh("start", "a")
        self.assertEqual(table(self.virsh("domifaddr", "a")), [])
        self.assertEqual(table(self.virsh("domifaddr", "a", "--source",
                                          "arp")), [])
        self.virsh("domifaddr", "a", "--source", "agent",
                   fail="a guest agent is not configured")


class Hotplug(Devices):
    def targets(self, *options):
        return [row[0] for row in table(
            self.virsh("domblklist", "a", *options))]

    def macs(self, *options):
        return [row[4] for row in table(
            self.virsh("domiflist", "a", *options))]

    def test_disk(self):
        self.virsh("attach-disk", "a", self.image, "vdb", "--live",
                   fail="domain is not running")
        self.virsh("start", "a")
        watcher = self.watch("--all", "--loop", "--timeout", "4")
        self.assertEqual(self.virsh("attach-disk", "a", self.image + "2",
                                    "vdb").strip(),
                         "Disk attached successfully")
        self.assertEqual(self.targets(), ["vda", "vdb"])
        self.assertEqual(self.targets("--inactive"), ["vda"])
        self.assertIn("<alias name='virtio-disk1'/>", self.live())
        self.virsh("attach-disk", "a", self.image, "vdb",
                   fail="target vdb already exists")
        self.assertEqual(self.virsh("domblkstat", "a", "vdb").split()[:3],
                         ["vdb", "rd_req", "0"])
        self.assertEqual(self.virsh("detach-disk", "a", "vdb").strip(),
                         "Disk detached successfully")
        self.assertEqual(self.targets(), ["vda"])
        self.virsh("detach-disk", "a", "vdb",
                   fail="No disk found whose source path or target is vdb")
        output, _ = watcher.communicate(timeout=60)
        self.assertEqual(
            re.findall("event '(device.*)' for domain 'a': (.*)", output),
            [("device-added", "virtio-disk1"),
             ("device-removed", "virtio-disk1")])

    def test_disk_of_the_next_start(self):
        self.virsh("start", "a")
        self.virsh("attach-disk", "a", self.image, "vdc", "--config")
        self.assertEqual(self.targets(), ["vda"])
        self.assertEqual(self.targets("--inactive"), ["vda", "vdc"])
        self.virsh("attach-disk", "a", self.image, "vdd", "--persistent")
        self.assertEqual(self.targets(), ["vda", "vdd"])
        self.assertEqual(self.targets("--inactive"), ["vda", "vdc", "vdd"])
        self.virsh("detach-disk", "a", "vdc", "--config")
        self.virsh("detach-disk", "a", "vdd", "--persistent")
        self.assertEqual(self.targets("--inactive"), ["vda"])
        self.assertEqual(self.targets(), ["vda"])

    def test_interface(self):
        mac = "52:54:00:00:00:02"
        self.virsh("start", "a")
        self.assertEqual(self.virsh(
            "attach-interface", "a", "bridge", "br9", "--model", "virtio", "--mac",
            mac, "--live", "--config").strip(),
            "Interface attached successfully")
        self.assertEqual(self.macs(), [MAC, mac])
        self.assertEqual(self.macs("--inactive"), [MAC, mac])
        self.assertEqual(self.virsh("domifstat", "a", mac).split()[:3],
                         [mac, "rx_bytes", "0"])
        self.assertEqual(self.virsh("detach-interface", "a", "bridge", "--mac",
                                    mac, "--live", "--config").strip(),
                         "Interface detached successfully")
        self.assertEqual((self.macs(), self.macs("--inactive")),
                         ([MAC], [MAC]))
        path = self.write("gone.xml", INTERFACE.replace(MAC, mac))
        self.virsh("detach-device", "a", path,
                   fail=f"no device matching MAC address {mac} found")

    def test_one_mac_for_both_definitions(self):
        self.virsh("start", "a")
        path = self.write("i.xml", "<interface type='user'>"
                          "<model type='virtio'/></interface>")
        self.assertEqual(self.virsh("attach-device", "a", path, "--live",
                                    "--config").strip(),
                         "Device attached successfully")
        self.assertEqual(self.macs(), self.macs("--inactive"))

    def test_device(self):
        path = self.write("d.xml", DISK.format(path=self.image, target="vde"))
        self.virsh("attach-device", "a", path, "--config")
        self.virsh("start", "a")
        self.assertEqual(self.targets(), ["vda", "vde"])
        self.assertEqual(self.virsh("detach-device", "a", path).strip(),
                         "Device detached successfully")
        self.virsh("detach-device", "a", path,
                   fail="device not found: no target device vde")
        self.virsh("detach-device-alias", "a", "virtio-disk0")
        harness.wait_for(lambda: self.targets() == [], "the removal")
        self.virsh("detach-device-alias", "a", "virtio-disk9",
                   fail="no device found with alias virtio-disk9")
        panic = self.write("p.xml", "<panic model='isa'/>")
        self.virsh("attach-device", "a", panic, "--live",
                   fail="Operation not supported: live attach of device "
                   "'panic' is not supported")
        wrong = self.write("w.xml", "<what/>")
        self.virsh("attach-device", "a", wrong, "--live",
                   fail="XML error: unknown device type 'what'")

    def test_attached_devices_outlive_the_daemon(self):
        self.virsh("start", "a")
        self.virsh("attach-disk", "a", self.image + "2", "vdb", "--live")
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.targets(), ["vda", "vdb"])
        self.virsh("detach-disk", "a", "vdb", "--live")
        self.assertEqual(self.targets(), ["vda"])
        self.virsh("destroy", "a")
        self.assertEqual(self.targets(), ["vda"])

    def test_twenty_rounds(self):
        self.virsh("start", "a")
        path = self.write("d.xml", DISK.format(path=self.image, target="vdf"))
        before = self.live()
        for _ in range(20):
            self.virsh("attach-device", "a", path)
            self.virsh("detach-device", "a", path)
        self.assertEqual(self.live(), before)


class Update(Devices):
    def link(self, *options):
        return self.virsh("domif-getlink", "a", MAC, *options).split()[-1]

    def test_link(self):
        self.virsh("start", "a")
        self.assertEqual(self.virsh("domif-setlink", "a", MAC, "down").strip(),
                         "Device updated successfully")
        self.assertEqual((self.link(), self.link("--config")), ("down", "up"))
        self.virsh("domif-setlink", "a", MAC, "up")
        self.assertEqual(self.link(), "up")
        self.virsh("domif-setlink", "a", MAC, "down", "--config")
        self.assertEqual((self.link(), self.link("--config")), ("up", "down"))

    def test_what_a_guest_would_notice_is_refused_by_name(self):
        self.virsh("start", "a")
        path = self.write("i.xml", INTERFACE.replace(
            "<model", "<mtu size='1400'/><model"))
        self.virsh("update-device", "a", path, "--live",
                   fail="Operation not supported: cannot modify field 'size' "
                   "of <mtu> of the network interface")
        self.virsh("update-device", "a", path, "--config")
        self.assertIn("<mtu size='1400'/>", self.config())
        disk = DISK.format(path=self.image, target="vda")
        path = self.write("d.xml", disk.replace(
            "type='raw'", "type='raw' cache='none'"))
        self.virsh("update-device", "a", path, "--live",
                   fail="Operation not supported: cannot modify field 'cache' "
                   "of <driver> of the disk")

    def test_what_the_next_start_asks_for(self):
        self.virsh("start", "a")
        disk = DISK.format(path=self.image, target="vda")
        path = self.write("d.xml", disk.replace(
            "<source ", "<source startupPolicy='optional' ").replace(
                "<disk ", "<disk snapshot='no' "))
        self.virsh("update-device", "a", path, "--live")
        self.assertIn("startupPolicy='optional'", self.live())
        self.assertIn("snapshot='no'", self.live())
        path = self.write("d.xml", disk.replace("/image'", "/other'"))
        self.virsh("update-device", "a", path, "--live",
                   fail="cannot modify field 'file' of <source> of the disk")

    def test_another_bridge(self):
        bridge = INTERFACE.replace("'user'", "'bridge'").replace(
            "<model", "<source bridge='one'/><model")
        self.virsh("define", self.file("b", bridge))
        self.virsh("start", "b")
        path = self.write("i.xml", bridge.replace("'one'", "'two'"))
        self.virsh("update-device", "b", path, "--live")
        self.assertIn("<source bridge='two'/>", self.virsh("dumpxml", "b"))
        path = self.write("i.xml", INTERFACE)
        self.virsh("update-device", "b", path, "--live",
                   fail="cannot modify field .*of the network interface")

    def test_limits(self):
        self.virsh("start", "a")
        path = self.write("d.xml", DISK.format(
            path=self.image, target="vda").replace(
                "</disk>", "<iotune><total_iops_sec>9</total_iops_sec>"
                "</iotune></disk>"))
        self.virsh("update-device", "a", path, "--live")
        self.assertEqual(pairs(self.virsh("blkdeviotune", "a", "vda"))
                         ["total_iops_sec"], "9")
        path = self.write("i.xml", INTERFACE.replace(
            "<model", "<bandwidth><inbound average='7'/></bandwidth><model"))
        self.virsh("update-device", "a", path, "--live")
        self.assertEqual(pairs(self.virsh("domiftune", "a", MAC))
                         ["inbound.average"], "7")


class Statistics(Devices):
    def test_domstats(self):
        self.virsh("start", "a")
        stats = dict(line.strip().split("=", 1) for line in
                     self.virsh("domstats", "a").splitlines() if "=" in line)
        alias = re.search("alias name='(net[0-9]+)'", self.live())[1]
        self.assertEqual(
            {key: value for key, value in stats.items()
             if key.startswith(("block.", "net.", "balloon."))} |
            {"block.0.allocation": ""}, {
                "balloon.current": "65536", "balloon.maximum": "65536",
                "balloon.last-update": "0", "net.count": "1",
                "net.0.name": alias, "net.0.rx.bytes": "0",
                "net.0.rx.pkts": "0", "net.0.rx.errs": "0",
                "net.0.rx.drop": "0", "net.0.tx.bytes": "0",
                "net.0.tx.pkts": "0", "net.0.tx.errs": "0",
                "net.0.tx.drop": "0", "block.count": "1",
                "block.0.name": "vda", "block.0.path": self.image,
                "block.0.rd.reqs": "0",
                "block.0.rd.bytes": "0", "block.0.rd.times": "0",
                "block.0.wr.reqs": "0", "block.0.wr.bytes": "0",
                "block.0.wr.times": "0", "block.0.fl.reqs": "0",
                "block.0.fl.times": "0", "block.0.errors": "0",
                "block.0.allocation": "", "block.0.capacity": str(MIB),
                "block.0.physical": str(MIB)})

    def test_of_an_inactive_domain(self):
        stats = self.virsh("domstats", "a", "--block", "--interface")
        self.assertIn(f"block.0.capacity={MIB}", stats)
        self.assertNotIn("net.", stats)
        self.assertNotIn("rd.reqs", stats)

    def test_cpu_stats(self):
        self.virsh("cpu-stats", "a", "--total", fail="domain is not running")
        self.virsh("start", "a")
        self.assertEqual(re.findall(r"(\S+) +0\.0+ seconds",
                                    self.virsh("cpu-stats", "a", "--total")),
                         ["cpu_time", "user_time", "system_time"])
        self.virsh("cpu-stats", "a", "--start", "0", "--count", "1",
                   fail="the time of each host CPU is not known")

    def test_iothreads(self):
        self.assertIn("No IOThreads found for the domain",
                      self.virsh("iothreadinfo", "a"))
        xml = self.config().replace("<os>", "<iothreads>2</iothreads><os>")
        self.virsh("define", self.write("i.xml", xml))
        self.assertEqual([row[0] for row in table(
            self.virsh("iothreadinfo", "a"))], ["1", "2"])


if __name__ == "__main__":
    harness.main()
