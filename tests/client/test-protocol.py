#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
"""The wire protocol: what is answered to right and to wrong messages."""
import array
import os
import socket
import struct
import threading
import time
import unittest

import harness
import rawrpc
from rawrpc import (CALL, CALL_WITH_FDS, CONTINUE, ERROR, EVENT, HOLE,
                    KEEPALIVE, OK, PING, PONG, REMOTE, REPLY, STREAM, Client,
                    Reader, RpcError, domain, optional, string, u32)

CODE_INTERNAL, CODE_NO_SUPPORT, CODE_NO_CONNECT, CODE_RPC = 1, 3, 5, 39
CODE_DENIED, CODE_NO_DOMAIN = 29, 42
FROM_RPC = 7


class Case(unittest.TestCase):
    options = []
    config = None
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.daemon = harness.Daemon(*cls.options, config=cls.config,
                                    environment=cls.environment)
        cls.addClassCleanup(cls.daemon.close)

    def client(self, read_only=False, timeout=10):
        client = Client(self.daemon.read_only if read_only
                        else self.daemon.socket, timeout)
        self.addCleanup(client.close)
        return client

    def bounded(self, most_mib):
        """The daemon's memory; that of sanitizers is another matter."""
        if not harness.SANITIZED:
            self.assertLess(harness.memory_kib(self.daemon.process.pid, "Pss"),
                            most_mib * 1024)

    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(RpcError) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception


class Handshake(Case):
    def test_authentication_is_none(self):
        reader = Reader(self.client().call(rawrpc.AUTH_LIST))
        self.assertEqual([reader.u32(), reader.u32()], [1, 0])

    def test_features(self):
        client = self.client().open()
        yes = [n for n in range(20)
               if Reader(client.call(rawrpc.SUPPORTS_FEATURE, u32(n))).u32()]
        self.assertEqual(yes, [8, 9, 10, 14, 15, 16])

    def test_only_keepalive_may_be_asked_before_open(self):
        client = self.client()
        reply = client.call(rawrpc.SUPPORTS_FEATURE, u32(10))
        self.assertEqual(Reader(reply).u32(), 1)
        error = self.refused(CODE_INTERNAL, client.call,
                             rawrpc.SUPPORTS_FEATURE, u32(14))
        self.assertEqual(error.message, "internal error: hypervisor connection not "
                         "open")

    def test_nothing_before_open(self):
        client = self.client()
        for procedure in (3, 7, 23, 51, 273, 316, 443):
            error = self.refused(CODE_INTERNAL, client.call, procedure)
            self.assertEqual(error.message,
                             "internal error: hypervisor connection not "
                         "open")

    def test_open_twice(self):
        client = self.client().open()
        self.refused(CODE_INTERNAL, client.open)

    def test_names(self):
        for name in (None, "", "probe:///session", "probe+ssh://host/system",
                     "qemu:///system", "qemu:///session"):
            self.client().open(name)
        error = self.refused(CODE_NO_CONNECT, self.client().open,
                             "xen:///system")
        self.assertEqual(error.message, "no connection driver available for "
                         "xen:///system")

    def test_optional_flag_of_another_client(self):
        """go-libvirt writes the flag's bytes the wrong way round."""
        client = self.client()
        client.call(rawrpc.OPEN,
                    b"\1\0\0\0" + string("qemu:///system") + u32(0))

    def test_pipelined_open_and_call(self):
        client = self.client()
        client.send(rawrpc.OPEN, optional("probe:///session") + u32(0))
        serial = client.send(rawrpc.LIST_ALL_DOMAINS, u32(1) + u32(0))
        self.assertEqual(client.reply_to(serial).status, OK)

    def test_close_answers_then_closes(self):
        client = self.client().open()
        client.call(rawrpc.CLOSE)
        self.assertTrue(client.at_end())


class WrongMessages(Case):
    def raw(self, data):
        client = self.client()
        client.socket.sendall(data)
        return client

    def header(self, length, procedure=rawrpc.AUTH_LIST):
        return struct.pack(">7I", length, REMOTE, 1, procedure, CALL, 0, OK)

    def test_lengths_that_cannot_be(self):
        for length in (0, 1, 3, 4, 5, 27, 33554437, 0x7FFFFFFF, 0xFFFFFFFF):
            client = self.raw(self.header(length))
            self.assertTrue(client.at_end(), length)

    def test_a_greeting_is_small(self):
        self.assertTrue(self.raw(self.header(1 << 20)).at_end())

    def test_after_open_32_mib_are_fine(self):
        client = self.client().open()
        payload = string(b"x" * 4194304)
        self.refused(27, client.call, rawrpc.DEFINE_XML, payload)
        self.refused(CODE_RPC, client.call, rawrpc.DEFINE_XML,
                     string(b"x" * 4194305))
        self.refused(27, client.call, rawrpc.DEFINE_XML,
                     string("x") + bytes(33554432 - 24 - 8))

    def test_every_prefix_of_a_message_waits(self):
        whole = self.header(28)
        client = self.client(timeout=0.02)
        for i, byte in enumerate(whole):
            client.socket.sendall(bytes([byte]))
            if i < len(whole) - 1 and i % 9 == 0:
                with self.assertRaises(socket.timeout):
                    client.receive()
        client.socket.settimeout(10)
        self.assertEqual(client.receive().status, OK)

    def test_every_cut_of_the_arguments(self):
        client = self.client().open()
        client.define("cut")
        whole = domain("cut") + u32(0)
        for size in range(len(whole)):
            error = self.refused(CODE_RPC, client.call, rawrpc.RESET,
                                 whole[:size])
            self.assertIn("cannot decode field", error.message)
        client.call(rawrpc.RESET, whole)
        client.call(rawrpc.RESET, whole + b"trailing")

    def test_nul_in_a_string(self):
        client = self.client().open()
        self.refused(CODE_RPC, client.call, rawrpc.LOOKUP_BY_NAME,
                     string("a\0b"))

    def test_counts_that_lie(self):
        client = self.client().open()
        for count in (2, 16384, 16385, 0x40000000, 0xFFFFFFFF):
            self.refused(CODE_RPC, client.call, 344, u32(count) + u32(0))

    def test_unknown_program(self):
        client = self.client()
        error = self.refused(CODE_RPC, client.call, 1, program=0x12345678)
        self.assertEqual(error.message,
                         "Cannot find program 305419896 version 1")
        self.assertEqual((error.domain, error.level), (FROM_RPC, 2))

    def test_unknown_version(self):
        error = self.refused(CODE_RPC, self.client().call, 1, version=2)
        self.assertEqual(error.message,
                         "Cannot find program 536903814 version 2")

    def test_unknown_procedure(self):
        """The client library turns this very text into NO_SUPPORT."""
        client = self.client().open()
        for number in (0, 444, 9999, -1, -2147483648, 2147483647,
                       rawrpc.EVENT_LIFECYCLE, 107):
            error = self.refused(CODE_RPC, client.call, number)
            self.assertEqual(error.message, f"unknown procedure: {number}")
            self.assertEqual((error.domain, error.level), (FROM_RPC, 2))

    def test_wrong_status(self):
        client = self.client()
        for status in (1, 2, 77):
            error = self.refused(CODE_RPC, client.call, 66, status=status)
            self.assertEqual(error.message,
                             f"Unexpected message status {status}")

    def test_types_that_are_no_calls_are_dropped(self):
        client = self.client().open()
        for kind in (REPLY, EVENT, STREAM, 5, HOLE, 7, 0xFFFFFFFF):
            client.send(rawrpc.LIST_ALL_DOMAINS, kind=kind, serial=1000)
        serial = client.send(3)
        self.assertEqual(client.receive().serial, serial)

    def test_not_supported(self):
        client = self.client().open()
        error = self.refused(CODE_NO_SUPPORT, client.call, 163, domain())
        self.assertEqual(
            error.message, "this function is not supported by the connection "
            "driver: virDomainGetJobInfo")

    def test_reply_echoes_the_call(self):
        client = self.client()
        client.send(66, serial=0xFEDCBA98)
        frame = client.receive()
        self.assertEqual((frame.program, frame.version, frame.procedure,
                          frame.type, frame.serial),
                         (REMOTE, 1, 66, REPLY, 0xFEDCBA98))


class Descriptors(Case):
    def send_with(self, client, count, announced, procedure=66):
        """A call with `count` descriptors beside it, each with its byte."""
        payload = u32(announced)
        client.send(procedure, payload, kind=CALL_WITH_FDS)
        for _ in range(count):
            ours, theirs = os.pipe()
            client.socket.sendmsg([b"\0"], [(
                socket.SOL_SOCKET, socket.SCM_RIGHTS,
                array.array("i", [theirs]))])
            os.close(theirs)
            self.addCleanup(os.close, ours)
            self.pipes.append(ours)

    def setUp(self):
        self.pipes = []

    def test_they_are_closed_and_the_call_is_answered(self):
        before = harness.open_files(self.daemon.process.pid)
        client = self.client()
        for _ in range(10):
            self.send_with(client, 3, 3)
            self.assertEqual(client.receive().status, OK)
        client.call(66)
        for pipe in self.pipes:
            os.set_blocking(pipe, False)
            self.assertEqual(os.read(pipe, 1), b"")  # nobody has the other end
        client.close()
        harness.wait_for(lambda: harness.open_files(
            self.daemon.process.pid) <= before, "closed descriptors")

    def test_too_many(self):
        client = self.client()
        self.send_with(client, 0, 33)
        self.assertTrue(client.at_end())

    def test_a_procedure_that_wants_them(self):
        client = self.client().open()
        client.send(310, u32(0) + domain() + u32(0), kind=CALL_WITH_FDS)
        frame = client.receive()
        self.assertEqual(RpcError(frame.payload).code, CODE_NO_SUPPORT)


class ReadOnly(Case):
    # What a read-only client may call; all others must be denied. Written by
    # hand from libvirt's API documentation, not taken from our table.
    allowed = {
        1, 2, 3, 4, 5, 6, 7, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
        36, 37, 38, 43, 44, 45, 46, 47, 50, 51, 52, 56, 57, 59, 60, 64, 65,
        66, 67, 68, 69, 70, 71, 72, 73, 74, 84, 85, 86, 87, 88, 89, 91, 92,
        95, 96, 97, 98, 99, 100, 101, 102, 105, 106, 110, 111, 112, 113, 114,
        115, 116, 117, 121, 122, 126, 127, 128, 129, 130, 137, 138, 139, 140,
        141, 143, 147, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159,
        162, 163, 167, 168, 175, 176, 177, 178, 179, 183, 186, 187, 188, 189,
        190, 191, 194, 198, 200, 202, 203, 206, 212, 223, 227, 228, 229, 230,
        238, 243, 244, 246, 247, 253, 255, 257, 262, 263, 265, 271, 272, 273,
        274, 275, 278, 280, 281, 282, 283, 284, 285, 286, 287, 289, 293, 297,
        298, 312, 313, 314, 316, 317, 340, 341, 344, 351, 353, 360, 361, 365,
        368, 369, 374, 375, 378, 380, 381, 388, 391, 395, 396, 397, 398, 401,
        403, 404, 405, 407, 409, 412, 413, 414, 415, 416, 422, 426, 433, 435,
        436,
    }
    messages = {107, 169, 170, 171, 172, 173, 195, 224, 241, 248, 268, 269,
                270, 276, 292, 311, 315, *range(318, 334), 339, 346, 348, 354,
                359, 362, 363, 367, 370, 373, 376, 377, 379, 382, 383, 385,
                423, 438}

    def walk(self, client):
        for number in range(1, 444):
            if number in self.messages or number in (1, 2, 66, 67, 68, 69, 70):
                continue
            try:
                client.call(number)
                denied = False
            except RpcError as error:
                denied = error.code == CODE_DENIED
                if denied:
                    self.assertRegex(error.message, "^operation forbidden: "
                                     "read only access prevents vir[A-Z]")
            self.assertEqual(denied, number not in self.allowed, number)

    def test_socket(self):
        self.walk(self.client(read_only=True).open())

    def test_flag_of_open(self):
        self.walk(self.client().open(flags=1))

    def test_the_flag_cannot_be_taken_back(self):
        client = self.client(read_only=True).open(flags=0)
        self.refused(CODE_DENIED, client.define)

    def test_secure_xml(self):
        self.client().open().define("secret")
        client = self.client(read_only=True).open()
        client.call(rawrpc.GET_XML_DESC, domain("secret") + u32(2))
        for flags in (1, 8, 3, 0xFFFFFFFF):
            self.refused(CODE_DENIED, client.call, rawrpc.GET_XML_DESC,
                         domain("secret") + u32(flags))
        self.refused(CODE_DENIED, client.call, 200, domain("secret") + u32(8))

    def test_others_may_write(self):
        self.client().open().define("written")


class Absent(Case):
    def test_counts_and_lists(self):
        client = self.client().open()
        for number in (50, 52, 71, 73, 111, 126, 137, 139, 178):
            self.assertEqual(client.call(number, u32(0) + u32(0)), u32(0))
        for number in (36, 38, 72, 74, 112, 127, 138, 140, 179):
            self.assertEqual(client.call(number, u32(0) * 3), u32(0))
        for number in (281, 283, 284, 285, 286, 287, 401):
            self.assertEqual(client.call(number, u32(1) + u32(0)), u32(0) * 2)

    def test_lookups(self):
        client = self.client().open()
        for number, code in ((46, 43), (84, 49), (96, 50), (97, 50), (113, 53),
                             (128, 57), (129, 57), (175, 62), (391, 49),
                             (397, 101)):
            error = self.refused(code, client.call, number, string("thing"))
            self.assertTrue(error.message.endswith("'thing'"), error.message)
        for number, code in ((47, 43), (85, 49), (141, 66), (176, 62)):
            error = self.refused(code, client.call, number, bytes(range(16)))
            self.assertTrue(error.message.endswith(
                "'00010203-0405-0607-0809-0a0b0c0d0e0f'"), error.message)

    def test_in_a_domain(self):
        client = self.client().open()
        name, uuid, number = client.define("holder")
        holder = domain(name, uuid, number)
        for procedure in (187, 190):
            self.assertEqual(client.call(procedure, holder + u32(0)), u32(0))
        for procedure in (274, 278, 413):
            self.assertEqual(client.call(procedure, holder + u32(1) + u32(0)),
                             u32(0) * 2)
        for procedure, code, text in (
                (189, 72, "no domain snapshot with matching name 's'"),
                (191, 72, "the domain does not have a current snapshot"),
                (415, 103, "no domain checkpoint with matching name 's'")):
            error = self.refused(code, client.call, procedure,
                                 holder + string("s") + u32(0))
            self.assertTrue(error.message.endswith(text), error.message)
        for procedure in (187, 274, 189, 191, 121):
            self.refused(CODE_NO_DOMAIN, client.call, procedure,
                         domain("none", b"n" * 16) + string("s") + u32(0))


class Blocked(Case):
    config = "max_workers = 2\nprio_workers = 1\nmax_client_requests = 5\n"

    @classmethod
    def setUpClass(cls):
        cls.gate = f"/tmp/vk-gate-{os.getpid()}"
        cls.environment = {"PROBE_GATE": cls.gate}
        super().setUpClass()

    def setUp(self):
        with open(self.gate, "w", encoding="utf-8"):
            pass
        self.addCleanup(self.open_gate)

    def open_gate(self):
        if os.path.exists(self.gate):
            os.unlink(self.gate)

    def block(self, client, count):
        return [client.send(rawrpc.RESET, domain() + u32(0))
                for _ in range(count)]

    def test_pings_and_questions_are_answered(self):
        client = self.client().open()
        serials = self.block(client, 5)
        client.send(PING, kind=EVENT, program=KEEPALIVE, serial=0)
        frame = client.receive()
        self.assertEqual((frame.program, frame.procedure, frame.type,
                          frame.serial, frame.payload),
                         (KEEPALIVE, PONG, EVENT, 0, b""))
        other = self.client().open()
        self.assertTrue(other.call(3))  # an urgent one has its own worker
        self.open_gate()
        done = {client.receive().serial for _ in serials}
        self.assertEqual(done, set(serials))

    def test_pings_behind_many_calls(self):
        client = self.client().open()
        serials = self.block(client, 20)
        client.send(PING, kind=EVENT, program=KEEPALIVE, serial=0)
        self.assertEqual(client.receive().procedure, PONG)
        self.open_gate()
        self.assertEqual({client.receive().serial for _ in serials},
                         set(serials))

    def test_far_too_many_calls_are_answered_in_time(self):
        client = self.client().open()
        sender = threading.Thread(target=self.block, args=(client, 3000))
        sender.start()
        time.sleep(0.05)
        self.open_gate()
        serials = {client.receive().serial for _ in range(3000)}
        sender.join()
        self.assertEqual(len(serials), 3000)

    def test_a_client_that_leaves(self):
        before = harness.open_files(self.daemon.process.pid)
        client = self.client().open()
        self.block(client, 10)
        client.send(PING, kind=EVENT, program=KEEPALIVE, serial=0)
        client.receive()
        client.close()
        harness.wait_for(lambda: harness.open_files(
            self.daemon.process.pid) <= before, "a closed connection")
        self.open_gate()
        self.client().open().call(3)


class Keepalive(Case):
    config = "keepalive_interval = 1\nkeepalive_count = 2\n"

    def test_a_client_that_does_not_know_them_is_left_alone(self):
        client = self.client(timeout=2.5).open()
        with self.assertRaises(socket.timeout):
            client.receive()

    def test_a_dead_client_is_let_go(self):
        client = self.client()
        client.call(rawrpc.SUPPORTS_FEATURE, u32(10))
        start = time.monotonic()
        for _ in range(2):
            frame = client.receive()
            self.assertEqual((frame.program, frame.procedure),
                             (KEEPALIVE, PING))
        self.assertTrue(client.at_end())
        self.assertGreater(time.monotonic() - start, 2.5)

    def test_a_client_that_answers_stays(self):
        client = self.client()
        client.call(rawrpc.SUPPORTS_FEATURE, u32(10))
        for _ in range(4):
            self.assertEqual(client.receive().procedure, PING)
            client.send(PONG, kind=EVENT, program=KEEPALIVE, serial=0)
        client.call(66)


class Events(Case):
    def register(self, client, event=0, dom=None):
        reply = client.call(rawrpc.REGISTER_ANY,
                            u32(event) + (u32(1) + dom if dom else u32(0)))
        return Reader(reply).u32()

    def test_all_kinds_can_be_registered(self):
        client = self.client().open()
        numbers = [self.register(client, event) for event in range(27)]
        self.assertEqual(numbers, list(range(27)))
        for number in numbers:
            client.call(rawrpc.DEREGISTER_ANY, u32(number))
        self.refused(CODE_INTERNAL, client.call, rawrpc.DEREGISTER_ANY,
                     u32(0))
        for event in (27, 1000, -1):
            self.refused(CODE_INTERNAL, self.register, client, event)

    def test_message(self):
        client = self.client().open()
        callback = self.register(client)
        name, uuid, number = client.define("seen")
        client.send(rawrpc.REBOOT, domain(name, uuid, number) + u32(2))
        for detail in range(2):
            frame = client.receive()
            reader = Reader(frame.payload)
            self.assertEqual((frame.type, frame.procedure, frame.serial),
                             (EVENT, rawrpc.EVENT_LIFECYCLE, 1))
            self.assertEqual(reader.u32(), callback)
            self.assertEqual(reader.domain(), (name, uuid, number))
            self.assertEqual((reader.u32(), reader.u32()), (2, detail))
        self.assertEqual(client.receive().type, REPLY)

    def test_only_the_domain_meant(self):
        client = self.client().open()
        one = domain(*client.define("one"))
        two = domain(*client.define("two"))
        self.register(client, dom=one)
        client.send(rawrpc.REBOOT, two + u32(1))
        self.assertEqual(client.receive().type, REPLY)
        client.send(rawrpc.REBOOT, one + u32(1))
        self.assertEqual(client.receive().type, EVENT)

    def test_legacy_messages(self):
        client = self.client().open()
        one = domain(*client.define("old"))
        self.assertEqual(client.call(105), u32(0))
        self.refused(8, client.call, 105)
        client.call(167, u32(1))
        client.send(rawrpc.REBOOT, one + u32(1))
        frame = client.receive()
        self.assertEqual((frame.procedure, frame.payload),
                         (107, one + u32(2) + u32(0)))
        frame = client.receive()
        self.assertEqual((frame.procedure, frame.payload), (169, one))
        self.assertEqual(client.receive().type, REPLY)
        client.call(106)
        client.call(168, u32(1))
        client.send(rawrpc.REBOOT, one + u32(1))
        self.assertEqual(client.receive().type, REPLY)

    def test_events_of_things_that_are_not_here(self):
        client = self.client().open()
        for register, deregister in ((313, 314), (368, 369), (374, 375),
                                     (380, 381)):
            reply = client.call(register, u32(0) + u32(0))
            client.call(deregister, reply)
            self.refused(CODE_INTERNAL, client.call, deregister, reply)

    def test_an_answer_comes_before_the_first_event(self):
        source = self.client().open()
        dom = domain(*source.define("noisy"))
        stop = threading.Event()

        def make_noise():
            while not stop.is_set():
                source.call(rawrpc.REBOOT, dom + u32(20))

        noise = threading.Thread(target=make_noise)
        noise.start()
        try:
            for _ in range(50):
                client = self.client().open()
                client.send(rawrpc.REGISTER_ANY, u32(0) + u32(0))
                self.assertEqual(client.receive().type, REPLY)
                self.assertEqual(client.receive().type, EVENT)
                client.close()
        finally:
            stop.set()
            noise.join()

    def test_a_client_that_does_not_read_is_let_go(self):
        client = self.client(timeout=60).open()
        other = self.client(timeout=60).open()
        dom = domain(*other.define("n" * 4000))
        self.register(client)
        for _ in range(5):
            other.call(rawrpc.REBOOT, dom + u32(1000))
        self.assertIn("does not read its events", self.daemon.output())
        self.assertTrue(client.at_end())
        other.call(3)
        self.bounded(30)

    def test_a_busy_client_gets_them_all(self):
        """Not reading for a while is no fault."""
        client = self.client(timeout=60).open()
        other = self.client().open()
        dom = domain(*other.define("busy"))
        self.register(client)
        other.call(rawrpc.REBOOT, dom + u32(20000))
        for detail in range(20000):
            reader = Reader(client.receive().payload)
            reader.u32()
            reader.domain()
            self.assertEqual((reader.u32(), reader.u32()), (2, detail))


class Slow(Case):
    def test_large_answers_wait_for_their_reader(self):
        """40 answers of 4 MiB are asked for and not read at first: only those
        that were under way are kept."""
        client = self.client(timeout=60).open()
        dom = domain(*client.define("large"))
        serials = {client.send(rawrpc.GET_XML_DESC, dom + u32(1 << 20))
                   for _ in range(40)}
        self.client().open().call(3)
        time.sleep(0.5)
        self.bounded(60)
        for _ in range(40):
            frame = client.receive()
            serials.remove(frame.serial)
            self.assertEqual(len(frame.payload), 4 + (4 << 20))


class Streams(Case):
    def console(self, how, client=None):
        client = client or self.client().open()
        serial = client.send(rawrpc.OPEN_CONSOLE,
                             domain() + optional(how) + u32(0))
        frame = client.receive()
        self.assertEqual((frame.type, frame.serial, frame.status),
                         (REPLY, serial, OK))
        return client, serial

    def say(self, client, serial, data=b"", status=CONTINUE, kind=STREAM):
        client.send(rawrpc.OPEN_CONSOLE, data, kind=kind, status=status,
                    serial=serial)

    def hear(self, client, serial):
        frame = client.receive()
        self.assertEqual((frame.type, frame.procedure, frame.serial),
                         (STREAM, rawrpc.OPEN_CONSOLE, serial))
        return frame

    def test_refused(self):
        client = self.client().open()
        self.refused(CODE_INTERNAL, client.call, rawrpc.OPEN_CONSOLE,
                     domain() + optional(None) + u32(0))

    def test_echo_and_abort(self):
        client, serial = self.console("echo")
        text = os.urandom(100000)
        self.say(client, serial, text[:50000])
        self.say(client, serial, text[50000:])
        heard = b""
        while len(heard) < len(text):
            frame = self.hear(client, serial)
            self.assertEqual(frame.status, CONTINUE)
            self.assertLessEqual(len(frame.payload), 262120)
            heard += frame.payload
        self.assertEqual(heard, text)
        self.say(client, serial, status=ERROR)
        frame = self.hear(client, serial)
        self.assertEqual((frame.status, frame.payload), (OK, b""))
        self.say(client, serial, b"late")  # dropped
        self.assertTrue(client.call(3))

    def test_finish(self):
        client, serial = self.console("echo")
        self.say(client, serial, status=OK)
        self.assertEqual(self.hear(client, serial).status, OK)

    def test_end_of_file(self):
        client, serial = self.console("brief")
        self.assertEqual(self.hear(client, serial).payload, b"word")
        frame = self.hear(client, serial)
        self.assertEqual((frame.status, frame.payload), (CONTINUE, b""))
        self.say(client, serial, status=OK)
        self.assertEqual(self.hear(client, serial).status, OK)

    def test_taken_over(self):
        client, serial = self.console("taken")
        frame = self.hear(client, serial)
        if frame.payload == b"word":
            frame = self.hear(client, serial)
        self.assertEqual(frame.status, ERROR)
        self.assertIn("another client", RpcError(frame.payload).message)

    def test_hole_and_wrong_status(self):
        for status, kind in ((77, STREAM), (CONTINUE, HOLE)):
            client, serial = self.console("echo")
            self.say(client, serial, bytes(12), status, kind)
            frame = self.hear(client, serial)
            self.assertEqual(frame.status, ERROR)
            self.assertEqual(RpcError(frame.payload).code, CODE_RPC)

    def test_a_flood_that_is_not_read(self):
        client, serial = self.console("flood")
        time.sleep(0.3)
        self.bounded(30)
        self.client().open().call(3)
        total = 0
        while total < 8 << 20:
            total += len(self.hear(client, serial).payload)
        self.say(client, serial, status=ERROR)
        while self.hear(client, serial).status != OK:
            pass
        self.assertTrue(client.call(3))

    def test_input_that_is_not_read(self):
        client, serial = self.console("deaf")
        client.socket.settimeout(0.5)
        sent = 0
        with self.assertRaises(socket.timeout):
            while sent < 64 << 20:
                self.say(client, serial, bytes(65536))
                sent += 65536
        self.bounded(40)
        client.close()
        self.client().open().call(3)

    def test_too_many(self):
        client = self.client().open()
        for _ in range(64):
            self.console("echo", client)
        error = self.refused(87, client.call, rawrpc.OPEN_CONSOLE,
                             domain() + optional("echo") + u32(0))
        self.assertIn("too many", error.message)

    def test_leaving_ends_them(self):
        pid = self.daemon.process.pid
        self.client().open().call(3)
        before = harness.open_files(pid)
        clients = [self.console(how)[0] for how in ("echo", "flood", "deaf")]
        self.assertGreater(harness.open_files(pid), before)
        for client in clients:
            client.close()
        harness.wait_for(lambda: harness.open_files(pid) <= before,
                         "closed consoles")


class Crowd(Case):
    config = "max_clients = 50\n"

    def test_a_hundred_at_once(self):
        """Half of them wait for the others to leave; none is refused."""
        failures = []

        def visit(number):
            try:
                with Client(self.daemon.socket, 60) as client:
                    client.open()
                    for _ in range(20):
                        client.call(rawrpc.LIST_ALL_DOMAINS, u32(1) + u32(0))
                    client.call(rawrpc.CLOSE)
            except Exception as error:  # pylint: disable=broad-except
                failures.append((number, error))

        threads = [threading.Thread(target=visit, args=(number,))
                   for number in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    @unittest.skipIf(harness.SANITIZED, "built with sanitizers")
    def test_memory_stays(self):
        pid = self.daemon.process.pid
        self.test_a_hundred_at_once()
        before = harness.memory_kib(pid, "Private_Dirty")
        for _ in range(5):
            self.test_a_hundred_at_once()
        self.assertLess(harness.memory_kib(pid, "Private_Dirty"),
                        before + 512)


if __name__ == "__main__":
    harness.main()
