# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""virtkvmd, and libvirtd with QEMU beside it, as their clients see them."""
import ctypes
import os
import queue
import shutil
import socket
import subprocess
import threading
import time

from bench_process import (BUILD, PATIENCE_S, domain_xml, payload, rollup_kib,
                           run_environment)

PR_SET_CHILD_SUBREAPER = 36
DAEMON = os.path.join(BUILD, "virtkvmd")


def timed_ms(function, *arguments):
    start = time.perf_counter()
    value = function(*arguments)
    return (time.perf_counter() - start) * 1e3, value


class Unavailable(Exception):
    """This machine lacks what a measurement needs."""


def connect(uri):
    try:
        import libvirt
    except ImportError as error:
        raise Unavailable("python3-libvirt is not installed") from error
    libvirt.registerErrorHandler(lambda *_: None, None)
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return libvirt.open(uri)
        except libvirt.libvirtError as error:
            if time.monotonic() > end:
                raise Unavailable(str(error)) from error
            time.sleep(0.001)


class Virtkvmd:
    """A private daemon with everything below @root."""

    name = "virtkvmd"

    def __init__(self, root):
        self.root = root
        self.socket = os.path.join(root, "virtkvmd-sock")
        self.uri = f"kvm+unix:///session?socket={self.socket}"
        start = time.perf_counter()
        with open(os.path.join(root, "output"), "ab") as log:
            self.process = subprocess.Popen(
                [DAEMON, "--root", root], env=run_environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.connect()
        self.connection.numOfDomains()
        self.ready_ms = (time.perf_counter() - start) * 1e3

    def connect(self):
        """Leaves no process behind if it fails."""
        try:
            self.connection = connect(self.uri)
        except BaseException:
            self.end()
            raise

    def pss_mib(self):
        return rollup_kib(self.process.pid, "Pss") / 1024

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def children(self):
        """Processes that it has started and that are still there."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    environ = file.read()
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    command = file.read()
            except OSError:
                continue
            if (b"virtkvm-engine" in command and
                    self.root.encode() in command + environ):
                found.append(int(pid))
        return found

    @staticmethod
    def xml(name, number, serial):
        return domain_xml(name, number, payload("halt", "elf"), serial)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        try:
            self.connection.close()
        finally:
            self.end()


class Reaper:
    """Waits at once for what other processes leave behind: where the system's
    own init does it late, libvirtd's destroy() would wait for that."""

    def __init__(self, spare):
        self.spare = spare
        self.ended = threading.Event()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise Unavailable("orphans cannot be adopted")
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.ended.wait(0.001):
            try:
                found = os.waitid(os.P_ALL, 0,
                                  os.WEXITED | os.WNOWAIT | os.WNOHANG)
            except ChildProcessError:
                continue
            if found and found.si_pid != self.spare:
                os.waitpid(found.si_pid, 0)

    def close(self):
        self.ended.set()
        self.thread.join()


class Libvirtd(Virtkvmd):
    """A private libvirtd in session mode: as root it needs a user namespace
    of its own for that."""

    name = "libvirtd with QEMU"

    def __init__(self, root):
        program = shutil.which("libvirtd", path="/usr/sbin:/usr/bin")
        if not program or not shutil.which("qemu-system-x86_64"):
            raise Unavailable("libvirtd with QEMU is not installed")
        self.root = root
        environment = dict(os.environ, LC_ALL="C", HOME=root)
        for key, folder in (("RUNTIME", "run"), ("CONFIG", "config"),
                            ("CACHE", "cache"), ("DATA", "data"),
                            ("STATE", "state")):
            path = os.path.join(root, folder)
            os.makedirs(path, mode=0o700)
            variable = f"XDG_{key}_DIR" if key == "RUNTIME" else f"XDG_{key}_HOME"
            environment[variable] = path
        command = [program, "--timeout", "600"]
        if os.geteuid() == 0:
            command = ["unshare", "--user", "--map-user=1000",
                       "--map-group=1000", *command]
        self.uri = (f"qemu+unix:///session?socket={root}/run/libvirt/"
                    "libvirt-sock")
        with open(os.path.join(root, "output"), "ab") as log:
            self.process = subprocess.Popen(command, env=environment,
                                            stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.reaper = Reaper(self.process.pid)
        self.connect()

    def end(self):
        self.reaper.close()
        super().end()

    @staticmethod
    def xml(name, number, serial):
        text = domain_xml(name, number, "", serial)
        rom = payload("halt", "rom")
        text = text.replace("<kernel></kernel>",
                            f"<loader type='rom'>{rom}</loader>")
        text = text.replace("<cmdline>console=ttyS0</cmdline>", "")
        return text.replace("</devices>", "<controller type='usb' "
                            "model='none'/><memballoon model='none'/>"
                            "</devices>")


class Console:
    """Where a domain's serial port connects to: says when a byte came."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        self.times = queue.Queue()
        self.xml = (f"<serial type='unix'><source mode='connect' "
                    f"path='{path}'/><target port='0'/></serial>")
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(PATIENCE_S)
                try:
                    got = b"~" in peer.recv(64)
                    now = time.perf_counter()
                    if got:
                        self.times.put(now)
                    # The peer keeps its end until it ends.
                    while peer.recv(64):
                        pass
                except OSError:
                    pass

    def wait(self):
        return self.times.get(timeout=PATIENCE_S)

    def close(self):
        self.listener.close()
        os.unlink(self.path)


def cycle(daemon, console, domain):
    """One start and destroy: ms until create() is back, until the guest's
    byte, and of destroy()."""
    start = time.perf_counter()
    domain.create()
    created = time.perf_counter()
    byte = console.wait()
    destroy, _ = timed_ms(domain.destroy)
    del daemon
    return (created - start) * 1e3, (byte - start) * 1e3, destroy


def start_destroy(daemon, runs):
    console = Console(os.path.join(daemon.root, "console"))
    try:
        domain = daemon.connection.defineXML(
            daemon.xml("bench-cycle", 0x9000, console.xml))
        cycle(daemon, console, domain)
        got = [cycle(daemon, console, domain) for _ in range(runs)]
        domain.undefine()
    finally:
        console.close()
    return [list(column) for column in zip(*got)]


def rate(daemon, count, width):
    """Engines a second through one connection, @width at a time, each until
    its first byte and destroyed."""
    consoles = [Console(os.path.join(daemon.root, f"console-{i}"))
                for i in range(width)]
    domains = [daemon.connection.defineXML(
        daemon.xml(f"bench-rate-{i}", 0xa000 + i, consoles[i].xml))
        for i in range(width)]
    left = iter(range(count))
    lock = threading.Lock()
    errors = []

    def work(i):
        while not errors:
            with lock:
                if next(left, None) is None:
                    return
            try:
                cycle(daemon, consoles[i], domains[i])
            except Exception as error:  # shown by the caller
                errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(width)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    for domain, console in zip(domains, consoles):
        if domain.isActive():
            domain.destroy()
        domain.undefine()
        console.close()
    if errors:
        raise errors[0]
    return count / seconds


def durable_file_ms(folder):
    """What it costs to add one file to the folder so that it stays."""
    path = os.path.join(folder, "durable")
    handle = os.open(folder, os.O_RDONLY)
    start = time.perf_counter()
    with open(path + ".new", "wb") as file:
        file.write(b"x" * 2048)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
    os.fsync(handle)
    elapsed = (time.perf_counter() - start) * 1e3
    os.close(handle)
    os.unlink(path)
    return elapsed
