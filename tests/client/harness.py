# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""Runs virtkvmd for a test, and unittest with TAP as its output."""
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.environ.get("abs_top_builddir", os.getcwd())
SOURCE = os.environ.get("abs_top_srcdir", os.getcwd())
DAEMON = os.path.join(BUILD, "virtkvmd")
PROBE = os.path.join(BUILD, "tests/client/probe/.libs")
WRONG = os.path.join(BUILD, "tests/client/wrong/.libs")
DRIVERS = os.path.join(BUILD, "driver/core/.libs")
with open(DAEMON, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
# What a slow machine may take; nothing waits that long when all is well.
PATIENCE_S = 30


def wait_for(condition, what="a condition", timeout=PATIENCE_S):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.005)


class Daemon:
    """A private virtkvmd in its own folder."""

    def __init__(self, *options, drivers=PROBE, config=None, environment=None,
                 root=None, start=True):
        self.own_root = root is None
        self.root = root or tempfile.mkdtemp(prefix="vk-", dir="/tmp")
        self.socket = os.path.join(self.root, "virtkvmd-sock")
        self.read_only = self.socket + "-ro"
        self.log = os.path.join(self.root, "output")
        self.environment = dict(os.environ, VIRTKVM_DRIVER_DIR=drivers,
                                LC_ALL="C", **(environment or {}))
        self.options = list(options)
        self.process = None
        if config is not None:
            os.makedirs(os.path.join(self.root, "etc"), exist_ok=True)
            with open(os.path.join(self.root, "etc/virtkvmd.conf"), "w",
                      encoding="utf-8") as file:
                file.write(config)
        if start:
            self.start()

    def start(self, wait=True, limits=None):
        def limit():
            for name, most in limits.items():
                resource.setrlimit(name, (most, most))

        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [DAEMON, "--root", self.root, *self.options],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=limit if limits else None)
        if wait:
            wait_for(lambda: os.path.exists(self.socket) or
                     self.process.poll() is not None, "the daemon's socket")
            if self.process.poll() is not None:
                raise AssertionError("virtkvmd ended: " + self.output())

    def output(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def uri(self, scheme="probe", read_only=False):
        path = self.read_only if read_only else self.socket
        return f"{scheme}+unix:///session?socket={path}"

    def stop(self, how=signal.SIGTERM):
        """Returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.own_root:
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kib(pid, key):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    raise KeyError(key)


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


class _TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.count = 0

    def _line(self, test, word, note=""):
        self.count += 1
        print(f"{word} {self.count} - {test.id().split('.', 1)[-1]}{note}",
              flush=True)

    def addSuccess(self, test):
        self._line(test, "ok")

    def addSkip(self, test, reason):
        self._line(test, "ok", f" # SKIP {reason}")

    def _bad(self, test, error):
        for line in self._exc_info_to_string(error, test).splitlines():
            print("# " + line)
        self._line(test, "not ok")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._bad(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._bad(test, err)


def main():
    """Runs the tests of the calling program; arguments choose some."""
    names = sys.argv[1:] or None
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    suite = (loader.loadTestsFromNames(names, module) if names
             else loader.loadTestsFromModule(module))
    print(f"1..{suite.countTestCases()}", flush=True)
    result = _TapResult()
    suite.run(result)
    sys.exit(not result.wasSuccessful())
