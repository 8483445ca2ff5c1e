#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""The program virtkvmd: options, files, signals, activation, modules."""
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import harness
import rawrpc
from rawrpc import Client, RpcError, domain, string, u32


def run(*words, **environment):
    return subprocess.run(
        [harness.DAEMON, *words], capture_output=True, text=True, timeout=30,
        env={**os.environ, "LC_ALL": "C",
             "VIRTKVM_DRIVER_DIR": harness.PROBE, **environment}, check=False)


class Case(unittest.TestCase):
    def daemon(self, *options, **keywords):
        daemon = harness.Daemon(*options, **keywords)
        self.addCleanup(daemon.close)
        return daemon

    def folder(self):
        path = tempfile.mkdtemp(prefix="vk-", dir="/tmp")
        self.addCleanup(shutil.rmtree, path, True)
        return path

    def fails(self, text, *words, **environment):
        done = run(*words, **environment)
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr, text)


class Options(Case):
    def test_help_and_version(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--timeout=SECONDS", "--daemon", "--config=FILE",
                       "--pid-file=FILE", "--verbose", "--root=FOLDER"):
            self.assertIn(option, done.stdout)
        self.assertRegex(run("--version").stdout, r"^virtkvm \d")

    def test_wrong(self):
        self.fails("(?i)unknown option", "--nonsense")
        self.fails("unexpected argument 'more'", "more")
        self.fails("'0' is not a number of seconds", "--timeout", "0")
        self.fails("'-5' is not a number of seconds", "--timeout=-5")
        self.fails("(?i)cannot parse", "--timeout", "soon")

    def test_long_folder(self):
        self.fails("longer than", "--root", "/tmp/" + "x" * 100)

    def test_pid_file(self):
        path = os.path.join(self.folder(), "pid")
        daemon = self.daemon("--pid-file", path)
        with open(path, encoding="ascii") as file:
            self.assertEqual(int(file.read()), daemon.process.pid)
        daemon.stop()
        self.assertFalse(os.path.exists(path))

    def test_background(self):
        root = self.folder()
        done = run("--root", root, "--daemon", "--timeout", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        client = Client(os.path.join(root, "virtkvmd-sock"))
        client.open().call(3)
        with open(os.path.join(root, "run/virtkvmd.pid"),
                  encoding="ascii") as file:
            pid = int(file.read())
        self.assertEqual(os.readlink(f"/proc/{pid}/fd/2"), "/dev/null")
        self.assertTrue(os.path.exists(
            os.path.join(root, "log/virtkvmd.log")))
        client.close()
        harness.wait_for(lambda: not os.path.exists(
            os.path.join(root, "run/virtkvmd.pid")), "the daemon's end")

    def test_background_that_fails(self):
        self.fails("no usable driver module", "--root", self.folder(),
                   "--daemon", VIRTKVM_DRIVER_DIR=self.folder())
        self.fails("cannot open '/none'", "--root", self.folder(), "--daemon",
                   "--config", "/none")


class Sockets(Case):
    def mode(self, path):
        return stat.S_IMODE(os.stat(path).st_mode)

    def test_modes(self):
        daemon = self.daemon()
        self.assertEqual(self.mode(daemon.socket), 0o700)
        self.assertEqual(self.mode(daemon.read_only), 0o700)
        daemon = self.daemon(config="unix_sock_rw_perms = 0770\n"
                             "unix_sock_ro_perms = 0777\n")
        self.assertEqual(self.mode(daemon.socket), 0o770)
        self.assertEqual(self.mode(daemon.read_only), 0o777)

    def test_gone_at_the_end(self):
        daemon = self.daemon()
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual([name for name in os.listdir(daemon.root)
                          if "sock" in name], [])
        self.assertEqual(os.listdir(os.path.join(daemon.root, "run")),
                         ["virtkvmd.lock"])

    def test_left_by_a_dead_daemon(self):
        daemon = self.daemon()
        daemon.stop(signal.SIGKILL)
        self.assertTrue(os.path.exists(daemon.socket))
        again = self.daemon(root=daemon.root, start=False)
        again.start(wait=False)

        def answers():
            try:
                Client(daemon.socket).open().close()
                return True
            except ConnectionRefusedError:
                return False

        harness.wait_for(answers, "the new daemon")
        self.assertEqual(again.stop(), 0)

    def test_one_daemon(self):
        daemon = self.daemon()
        self.fails("another virtkvmd is running", "--root", daemon.root)
        Client(daemon.socket).open().close()

    def test_a_listener_that_is_not_ours(self):
        root = self.folder()
        other = socket.socket(socket.AF_UNIX)
        self.addCleanup(other.close)
        other.bind(os.path.join(root, "virtkvmd-sock-ro"))
        other.listen()
        self.fails("another program", "--root", root)

    def test_many_start_at_once(self):
        """One wins; the others say so, and all clients are served."""
        root = self.folder()
        started = [harness.Daemon(root=root, start=False) for _ in range(8)]
        for daemon in started:
            self.addCleanup(daemon.close)
            daemon.start(wait=False)
        harness.wait_for(lambda: sum(d.process.poll() is None
                                     for d in started) == 1, "one winner")
        Client(started[0].socket).open().close()


class Activation(Case):
    # Becomes virtkvmd with two listening sockets, as a service manager does.
    manager = """
import os, socket, sys
root, names = sys.argv[1], sys.argv[2]
for number, name in enumerate(("virtkvmd-sock", "virtkvmd-sock-ro")):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(root, name))
    listener.listen()
    os.dup2(listener.fileno(), 10 + number, inheritable=True)
for number in range(2):
    os.dup2(10 + number, 3 + number, inheritable=True)
    os.close(10 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2")
if names:
    os.environ["LISTEN_FDNAMES"] = names
os.execv(sys.argv[3], sys.argv[3:])
"""

    def activate(self, names, *options):
        daemon = harness.Daemon(start=False)
        self.addCleanup(daemon.close)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notify.close)
        notify.settimeout(30)
        notify.bind(os.path.join(daemon.root, "notify"))
        daemon.process = subprocess.Popen(
            [sys.executable, "-c", self.manager, daemon.root, names,
             harness.DAEMON, "--root", daemon.root, *options],
            env=dict(daemon.environment,
                     NOTIFY_SOCKET=os.path.join(daemon.root, "notify")))
        self.assertEqual(notify.recv(100), b"READY=1")
        return daemon, notify

    def check(self, names):
        daemon, notify = self.activate(names)
        Client(daemon.socket).open().define()
        client = Client(daemon.read_only).open()
        with self.assertRaises(RpcError):
            client.define()
        client.close()
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(notify.recv(100), b"STOPPING=1")
        # they are the manager's: it will start the next daemon with them
        self.assertTrue(os.path.exists(daemon.socket))
        self.assertTrue(os.path.exists(daemon.read_only))

    def test_named(self):
        self.check("virtkvmd.socket:virtkvmd-ro.socket")

    def test_unnamed(self):
        self.check("")

    def test_idle_end(self):
        daemon, _ = self.activate("", "--timeout", "1")
        self.assertEqual(daemon.process.wait(30), 0)

    def test_notify_is_not_for_files(self):
        daemon = self.daemon(environment={"NOTIFY_SOCKET": "relative"})
        self.assertEqual(daemon.stop(), 0)


class Ending(Case):
    def test_timeout(self):
        start = time.monotonic()
        daemon = self.daemon("--timeout", "1")
        self.assertEqual(daemon.process.wait(30), 0)
        self.assertGreaterEqual(time.monotonic() - start, 1.0)

    def test_timeout_waits_for_clients(self):
        daemon = self.daemon("--timeout", "1")
        client = Client(daemon.socket).open()
        time.sleep(1.6)
        self.assertIsNone(daemon.process.poll())
        client.close()
        start = time.monotonic()
        self.assertEqual(daemon.process.wait(30), 0)
        self.assertGreaterEqual(time.monotonic() - start, 0.95)

    def test_timeout_waits_for_domains(self):
        daemon = self.daemon("--timeout", "1", drivers=harness.DRIVERS)
        with Client(daemon.socket) as client:
            client.open("null:///session")
            payload = client.call(10, string(
                "<domain type='kvm'><name>t</name><memory>65536</memory>"
                "<os><type>hvm</type><kernel>/dev/null</kernel></os>"
                "</domain>") + u32(0))
        time.sleep(1.6)
        self.assertIsNone(daemon.process.poll())
        with Client(daemon.socket) as client:
            client.open("null:///session").call(12, payload)
        self.assertEqual(daemon.process.wait(30), 0)

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon()
            client = Client(daemon.socket).open()
            self.assertEqual(daemon.stop(number), 0)
            self.assertTrue(client.at_end())

    def test_calls_under_way_are_finished(self):
        gate = os.path.join(self.folder(), "gate")
        daemon = self.daemon(environment={"PROBE_GATE": gate})
        client = Client(daemon.socket).open()
        with open(gate, "w", encoding="utf-8"):
            pass
        client.send(rawrpc.RESET, domain() + u32(0))
        time.sleep(0.2)
        daemon.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        self.assertIsNone(daemon.process.poll())
        os.unlink(gate)
        self.assertEqual(daemon.process.wait(30), 0)

    def test_a_second_signal_does_not_wait(self):
        gate = os.path.join(self.folder(), "gate")
        daemon = self.daemon(environment={"PROBE_GATE": gate})
        client = Client(daemon.socket).open()
        with open(gate, "w", encoding="utf-8"):
            pass
        client.send(rawrpc.RESET, domain() + u32(0))
        time.sleep(0.2)
        daemon.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        self.assertEqual(daemon.stop(), -signal.SIGTERM)

    def test_drivers_hear_of_clients_that_leave(self):
        path = os.path.join(self.folder(), "closed")
        daemon = self.daemon(environment={"PROBE_LOG": path})
        Client(daemon.socket).close()  # never opened: not the driver's
        Client(daemon.socket).open("probe:///session").close()
        client = Client(daemon.read_only).open("")
        client.call(rawrpc.CLOSE)

        def closed():
            if not os.path.exists(path):
                return []
            with open(path, encoding="utf-8") as file:
                return sorted(file.read().splitlines())

        harness.wait_for(lambda: len(closed()) == 2, "two ends")
        self.assertEqual(closed(), ["closed  ro", "closed probe:///session rw"])


class User(Case):
    """The daemon of a user, found by its URI with no configuration at all."""

    def setUp(self):
        self.home = self.folder()
        self.prefix = []
        # What libvirt's client starts does not inherit our variables.
        config = os.path.join(self.home, ".config/virtkvm")
        os.makedirs(config, 0o700)
        with open(os.path.join(config, "virtkvmd.conf"), "w",
                  encoding="utf-8") as file:
            file.write(f"driver_dir = '{harness.DRIVERS}'\n"
                       f"engine = '{harness.BUILD}/virtkvm-engine'\n")
        if os.geteuid() == 0:  # libvirt's client takes root's for the host's
            self.prefix = ["setpriv", "--reuid=65534", "--regid=65534",
                           "--clear-groups"]
            for folder in ("", ".config", ".config/virtkvm"):
                os.chown(os.path.join(self.home, folder), 65534, 65534)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.home, "LC_ALL": "C",
            "XDG_RUNTIME_DIR": os.path.join(self.home, "run"),
            "VIRTD_PATH": harness.BUILD}
        if not shutil.which("virsh") or self.do(harness.DAEMON,
                                                "--version").returncode:
            self.skipTest("no virsh, or the build tree is closed to others")

    def do(self, *words):
        return subprocess.run([*self.prefix, *words], env=self.environment,
                              capture_output=True, text=True, timeout=30,
                              check=False)

    def pid(self):
        with open(os.path.join(self.home, "run/virtkvm/virtkvmd.pid"),
                  encoding="ascii") as file:
            return int(file.read())

    def end(self):
        path = os.path.join(self.home, "run/virtkvm/virtkvmd.pid")
        if os.path.exists(path):
            os.kill(self.pid(), signal.SIGTERM)
            harness.wait_for(lambda: not os.path.exists(path), "its end")

    def test_found(self):
        self.assertEqual(self.do(harness.DAEMON, "--daemon").returncode, 0)
        self.addCleanup(self.end)
        done = self.do("virsh", "-c", "kvm:///session", "version")
        self.assertIn("Using API: KVM", done.stdout, done.stderr)
        done = self.do("virsh", "-r", "-c", "kvm:///session", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        # one of root's in the same place would be another's
        self.assertEqual(self.do(harness.DAEMON).returncode, 1)
        for folder in (".config/virtkvm", ".local/share/virtkvm",
                       ".local/state/virtkvm/log", ".cache/virtkvm"):
            mode = os.stat(os.path.join(self.home, folder)).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o700, folder)

    def test_started_by_the_client(self):
        done = self.do("virsh", "-c", "kvm:///session?mode=direct", "version")
        self.addCleanup(self.end)
        self.assertIn("Using API: KVM", done.stdout, done.stderr)
        with open(f"/proc/{self.pid()}/cmdline", encoding="ascii") as file:
            self.assertIn("--timeout=120", file.read().split("\0"))


class Limits(Case):
    def test_few_descriptors(self):
        """Clients that find no descriptor free wait for one."""
        daemon = harness.Daemon(start=False)
        self.addCleanup(daemon.close)
        daemon.start(limits={resource.RLIMIT_NOFILE: 40})
        # The drivers need some themselves until they have started.
        clients = [Client(daemon.socket).open()]
        clients += [Client(daemon.socket) for _ in range(59)]
        clients[0].call(3)
        harness.wait_for(lambda: "cannot accept a client" in daemon.output(),
                         "the complaint")
        for client in clients[:40]:
            client.close()
        clients[59].open().call(3)
        for client in clients:
            client.close()


class Start(Case):
    def test_calls_wait_for_the_driver(self):
        start = time.monotonic()
        daemon = self.daemon(environment={"PROBE_SLOW_START": "1"})
        client = Client(daemon.socket)
        client.send(rawrpc.PING, kind=rawrpc.EVENT, program=rawrpc.KEEPALIVE,
                    serial=0)
        self.assertEqual(client.receive().procedure, rawrpc.PONG)
        client.open().call(rawrpc.LIST_ALL_DOMAINS, u32(1) + u32(0))
        self.assertGreaterEqual(time.monotonic() - start, 0.5)

    @unittest.skipIf(harness.SANITIZED, "built with sanitizers")
    def test_small_and_still(self):
        daemon = self.daemon(drivers=harness.DRIVERS)
        Client(daemon.socket).open("null:///session").close()
        pid = daemon.process.pid
        time.sleep(6)  # the workers have gone
        self.assertLess(harness.memory_kib(pid, "Pss"), 10 * 1024)

        def used():
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        def switches():
            count = 0
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/status",
                          encoding="utf-8") as file:
                    count += sum(int(line.split()[1]) for line in file
                                 if "ctxt_switches" in line)
            return count

        before, woken = used(), switches()
        time.sleep(1)
        self.assertEqual((used(), switches()), (before, woken))


class Modules(Case):
    def test_broken_ones_are_left_out(self):
        folder = self.folder()
        for name in os.listdir(harness.PROBE):
            if name.endswith(".so"):
                shutil.copy(os.path.join(harness.PROBE, name), folder)
        shutil.copy(os.path.join(harness.WRONG, "wrong.so"), folder)
        shutil.copy(os.path.join(folder, "probe.so"),
                    os.path.join(folder, "twice.so"))
        with open(os.path.join(folder, "text.so"), "w",
                  encoding="utf-8") as file:
            file.write("this is no module")
        os.symlink("/none", os.path.join(folder, "dangling.so"))
        daemon = self.daemon(drivers=folder)
        Client(daemon.socket).open().call(3)
        output = daemon.output()
        self.assertRegex(output, r"wrong.so' has ABI \d+, this daemon needs \d+")
        self.assertRegex(output, "cannot load the driver module .*text.so")
        self.assertRegex(output, "cannot load the driver module .*dangling.so")
        self.assertRegex(output, "a second driver named 'probe'")

    def test_none(self):
        self.fails("cannot look for driver modules", "--root", self.folder(),
                   VIRTKVM_DRIVER_DIR="/none")
        self.fails("no usable driver module", "--root", self.folder(),
                   VIRTKVM_DRIVER_DIR=harness.WRONG)


class Configuration(Case):
    def test_wrong_line(self):
        daemon = harness.Daemon(config="# fine\n\nmax_clients = many\n",
                                start=False)
        self.addCleanup(daemon.close)
        self.fails(r"etc/virtkvmd.conf:3: the value of 'max_clients' is not a "
                   "number from 1 to 100000", "--root", daemon.root)

    def test_missing_file(self):
        self.fails("cannot open '/none'", "--root", self.folder(),
                   "--config", "/none")

    def test_hangup_reads_again(self):
        daemon = self.daemon(config="log_level = 2\n")
        path = os.path.join(daemon.root, "etc/virtkvmd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("nonsense\n")
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_for(lambda: "stays as it was" in daemon.output(),
                         "the complaint")
        self.assertIn("virtkvmd.conf:1: ", daemon.output())
        with open(path, "w", encoding="utf-8") as file:
            file.write("log_level = 4\n")
        daemon.process.send_signal(signal.SIGHUP)

        def debugging():
            client = Client(daemon.socket)
            client.send(1, kind=rawrpc.REPLY)
            client.call(rawrpc.AUTH_LIST)
            client.close()
            return "debug: " in daemon.output()

        harness.wait_for(debugging, "debug messages")
        self.assertEqual(daemon.stop(), 0)

    def test_log_file(self):
        path = os.path.join(self.folder(), "log")
        daemon = self.daemon("--verbose", config=f"log_file = '{path}'\n")
        Client(daemon.socket).open().close()
        with open(path, encoding="utf-8") as file:
            self.assertIn("driver 'probe' was loaded", file.read())
        self.assertEqual(daemon.output(), "")


if __name__ == "__main__":
    harness.main()
