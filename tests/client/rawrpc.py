# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""A client that speaks libvirt's wire protocol byte by byte, for what the
client library would never send."""
import collections
import socket
import struct

REMOTE = 0x20008086
KEEPALIVE = 0x6B656570
CALL, REPLY, EVENT, STREAM, CALL_WITH_FDS, REPLY_WITH_FDS, HOLE = range(7)
OK, ERROR, CONTINUE = range(3)
PING, PONG = 1, 2

OPEN, CLOSE = 1, 2
DEFINE_XML, GET_XML_DESC, LOOKUP_BY_NAME, REBOOT = 11, 14, 23, 27
SUPPORTS_FEATURE, AUTH_LIST = 60, 66
OPEN_CONSOLE, RESET, LIST_ALL_DOMAINS = 201, 245, 273
REGISTER_ANY, DEREGISTER_ANY, EVENT_LIFECYCLE = 316, 317, 318

Frame = collections.namedtuple(
    "Frame", "program version procedure type serial status payload")


def u32(value):
    return struct.pack(">I", value & 0xFFFFFFFF)


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return u32(len(data)) + data + bytes(-len(data) % 4)


def optional(text):
    return u32(0) if text is None else u32(1) + string(text)


def domain(name="a", uuid=bytes(16), number=-1):
    return string(name) + uuid + u32(number)


class Reader:
    """Takes an XDR payload apart."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def u32(self):
        self.at += 4
        return struct.unpack(">I", self.data[self.at - 4:self.at])[0]

    def raw(self, size):
        padded = size + -size % 4
        self.at += padded
        return self.data[self.at - padded:self.at - padded + size]

    def string(self):
        return self.raw(self.u32()).decode()

    def optional(self):
        return self.string() if self.u32() else None

    def domain(self):
        return self.string(), self.raw(16), struct.unpack(
            ">i", u32(self.u32()))[0]


class RpcError(Exception):
    def __init__(self, payload):
        reader = Reader(payload)
        self.code, self.domain = reader.u32(), reader.u32()
        self.message = reader.optional()
        self.level = reader.u32()
        super().__init__(f"{self.code}: {self.message}")


class Client:
    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.serial = 0
        self.kept = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, procedure, payload=b"", kind=CALL, status=OK, serial=None,
             program=REMOTE, version=1):
        """Sends one message and returns its serial."""
        if serial is None:
            serial, self.serial = self.serial, self.serial + 1
        header = struct.pack(">7I", 28 + len(payload), program, version,
                             procedure & 0xFFFFFFFF, kind, serial, status)
        self.socket.sendall(header + payload)
        return serial

    def _exactly(self, size):
        while len(self.kept) < size:
            more = self.socket.recv(1 << 20)
            if not more:
                raise EOFError
            self.kept += more
        data, self.kept = self.kept[:size], self.kept[size:]
        return data

    def receive(self):
        size = struct.unpack(">I", self._exactly(4))[0]
        words = struct.unpack(">6I", self._exactly(24))
        return Frame(*words, self._exactly(size - 28))

    def reply_to(self, serial):
        """The reply with this serial; other messages are dropped."""
        while True:
            frame = self.receive()
            if frame.type == REPLY and frame.serial == serial:
                return frame

    def call(self, procedure, payload=b"", **header):
        frame = self.reply_to(self.send(procedure, payload, **header))
        if frame.status == ERROR:
            raise RpcError(frame.payload)
        return frame.payload

    def open(self, name="probe:///session", flags=0):
        self.call(OPEN, optional(name) + u32(flags))
        return self

    def define(self, name="a"):
        payload = self.call(
            DEFINE_XML, string(f"<domain><name>{name}</name></domain>"))
        return Reader(payload).domain()

    def at_end(self):
        """Whether the daemon has closed the connection."""
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False
