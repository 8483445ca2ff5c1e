/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/virtio_console.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/chardev.h"
#include "engine/dev/dev.h"
#include "engine/virtio/devices.h"
#include "guest-virtio.h"

/* A guest with two ports: a console on a socket, number 0, and a channel at a
 * listening socket, number 2; between them there is none. */
#define SLOT        7
#define MEMORY      (4u << 20)
#define DATA        0x300000u
#define QUEUE_SPACE 0x20000u
#define QUEUES      8
#define ENTRIES     16
#define VERSION_1   GUEST_FEATURE(VIRTIO_F_VERSION_1)
#define MULTIPORT   GUEST_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT)
#define PATIENCE_US (5 * G_USEC_PER_SEC)
#define CHANNEL     2

enum { RX0, TX0, CONTROL_RX, CONTROL_TX, RX2 = 6, TX2 };

typedef struct virtio_console_control Message;

typedef struct Fixture {
    EngineConfig config;
    EngineDeviceConfig device;
    EnginePortConfig ports[2];
    Engine *engine;
    EngineDevice *serial;
    GuestVirtio guest;
    GuestQueue queues[QUEUES];
    int console; /* the host's end of port 0 */
    struct sockaddr_un address;
    socklen_t address_size;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    int ends[2], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    f->console = ends[0];
    assert_true(fcntl(f->console, F_SETFL, O_NONBLOCK) == 0);
    f->address.sun_family = AF_UNIX; /* a name of the kernel's choice */
    assert_int_equal(bind(listener, (void *)&f->address, sizeof(sa_family_t)),
                     0);
    f->address_size = sizeof(f->address);
    assert_int_equal(
        getsockname(listener, (void *)&f->address, &f->address_size), 0);
    assert_int_equal(listen(listener, 4), 0);
    f->ports[0] =
        (EnginePortConfig){ .console = true,
                            .chardev = { ENGINE_CHARDEV_FD, ends[1], -1 } };
    f->ports[1] = (EnginePortConfig){ .number = CHANNEL,
                                      .name = (char *)"org.example.0",
                                      .chardev = { ENGINE_CHARDEV_LISTEN,
                                                   listener, -1 } };
    f->device =
        (EngineDeviceConfig){ .id = (char *)"virtio-serial0", .slot = SLOT };
    f->device.serial.ports[0] = &f->ports[0];
    f->device.serial.ports[1] = &f->ports[1];
    f->device.serial.n_ports = 2;
    f->config.memory = MEMORY;
    f->engine = fake_engine_new(&f->config, MEMORY);
    fake_device_new(f->engine, &engine_pci_type, 0);
    f->serial =
        fake_device_add(f->engine, &engine_virtio_serial_type, &f->device);
    guest_virtio_init(&f->guest, f->engine, SLOT, ENGINE_PCI_HOLE_BASE);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->engine);
    close(f->console);
    close(f->ports[0].chardev.fd);
    close(f->ports[1].chardev.fd);
    free(f);
    return 0;
}

static void
turn(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_usleep(200);
}

/* --- the guest's driver --------------------------------------------------- */
static uint64_t
place(unsigned queue, unsigned index)
{
    return DATA + queue * 0x8000u + index * 0x800u;
}

static void
add_buffer(Fixture *f, unsigned queue)
{
    const GuestBuffer buffer = { place(queue, f->queues[queue].next_descriptor),
                                 0x800, true };

    guest_queue_add(&f->queues[queue], &buffer, 1);
    guest_virtio_kick(&f->guest, queue);
}

static void
go(Fixture *f, uint64_t features)
{
    guest_virtio_begin(&f->guest, features);
    for (unsigned i = 0; i < QUEUES; i++) {
        guest_queue_init_at(&f->queues[i], fake_ram(f->engine), i * QUEUE_SPACE,
                            ENTRIES, features);
        guest_virtio_add_queue(&f->guest, i, &f->queues[i],
                               VIRTIO_MSI_NO_VECTOR);
    }
    guest_virtio_go(&f->guest);
    assert_int_equal(guest_virtio_status(&f->guest), GUEST_READY);
}

/* What came into a queue; its bytes at *ret_data. -1: nothing in time */
static int
take_within(Fixture *f, unsigned queue, const void **ret_data, gint64 us)
{
    gint64 end = g_get_monotonic_time() + us;
    uint32_t written;
    uint16_t id;

    while (!guest_queue_take(&f->queues[queue], &id, &written)) {
        if (g_get_monotonic_time() > end)
            return -1;
        turn();
    }
    *ret_data = fake_ram(f->engine) + place(queue, id);
    return (int)written;
}

static int
take(Fixture *f, unsigned queue, const void **ret_data)
{
    return take_within(f, queue, ret_data, PATIENCE_US);
}

static void
send_bytes(Fixture *f, unsigned queue, const void *data, uint32_t size)
{
    const GuestBuffer buffer = { place(queue, 0), size, false };

    memcpy(fake_ram(f->engine) + place(queue, 0), data, size);
    guest_queue_add(&f->queues[queue], &buffer, 1);
    guest_virtio_kick(&f->guest, queue);
}

static void
give(Fixture *f, unsigned queue, const void *data, uint32_t size)
{
    const void *unused;

    send_bytes(f, queue, data, size);
    assert_int_equal(take(f, queue, &unused), 0);
}

static void
say(Fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
    const Message message = { id, event, value };

    give(f, CONTROL_TX, &message, sizeof(message));
}

static void
expect(Fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
    const void *data;
    Message message;

    assert_true(take(f, CONTROL_RX, &data) >= (int)sizeof(message));
    memcpy(&message, data, sizeof(message));
    assert_int_equal(message.id, id);
    assert_int_equal(message.event, event);
    assert_int_equal(message.value, value);
    add_buffer(f, CONTROL_RX);
}

static void
expect_silence(Fixture *f)
{
    const void *data;

    assert_int_equal(take_within(f, CONTROL_RX, &data, 30000), -1);
}

static void
expect_event(Fixture *f, int port, bool open)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    json_t *event = NULL;
    int got_port = -1, got_open = -1;

    while (!event && g_get_monotonic_time() < end) {
        turn();
        event = fake_take_event(f->engine);
    }
    assert_int_equal(json_unpack(event, "{s:{s:i,s:b}}", "data", "port",
                                 &got_port, "open", &got_open),
                     0);
    assert_string_equal(json_string_value(json_object_get(event, "event")),
                        "VSERPORT_CHANGE");
    assert_int_equal(got_port, port);
    assert_int_equal(got_open, open);
    json_decref(event);
}

/* As Linux begins */
static void
begin(Fixture *f)
{
    const void *data;

    go(f, VERSION_1 | MULTIPORT);
    for (unsigned i = 0; i < 8; i++)
        add_buffer(f, CONTROL_RX);
    say(f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect(f, 0, VIRTIO_CONSOLE_PORT_ADD, 1);
    expect(f, CHANNEL, VIRTIO_CONSOLE_PORT_ADD, 1);
    say(f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
    expect(f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    expect(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
    expect_event(f, 0, true);
    say(f, CHANNEL, VIRTIO_CONSOLE_PORT_READY, 1);
    assert_int_equal(take(f, CONTROL_RX, &data), 8 + 13);
    assert_memory_equal((const char *)data + 8, "org.example.0", 13);
    add_buffer(f, CONTROL_RX);
    expect_silence(f); /* nobody is at the host's end */
}

static int
dial(Fixture *f)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(connect(fd, (void *)&f->address, f->address_size), 0);
    return fd;
}

/* Reads @size bytes at the host's end. */
static void
read_all(int fd, char *data, size_t size)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    size_t done = 0;

    while (done < size && g_get_monotonic_time() < end) {
        ssize_t n = read(fd, data + done, size - done);

        done += n > 0 ? (size_t)n : 0;
        turn();
    }
    assert_int_equal(done, size);
}

/* --- tests ---------------------------------------------------------------- */
static void
test_ports_are_introduced(void **state)
{
    Fixture *f = *state;

    assert_true(guest_virtio_offered(&f->guest) & MULTIPORT);
    assert_int_equal(fake_mmio_read(f->engine, f->guest.config + 4, 4), 3);
    begin(f);
}

static void
test_bytes_go_both_ways(void **state)
{
    Fixture *f = *state;
    const void *data;
    char text[5];

    begin(f);
    give(f, TX0, "hello", 5);
    read_all(f->console, text, 5);
    assert_memory_equal(text, "hello", 5);
    assert_int_equal(write(f->console, "world", 5), 5);
    turn(); /* before there is a buffer */
    add_buffer(f, RX0);
    assert_int_equal(take(f, RX0, &data), 5);
    assert_memory_equal(data, "world", 5);
}

static void
test_a_peer_comes_late_and_goes(void **state)
{
    Fixture *f = *state;
    const void *data;
    char text[4];
    int peer;

    begin(f);
    give(f, TX2, "lost", 4); /* nobody is there */
    add_buffer(f, RX2);
    peer = dial(f);
    assert_int_equal(write(peer, "early", 5), 5); /* not opened yet */
    expect(f, CHANNEL, VIRTIO_CONSOLE_PORT_OPEN, 1);
    assert_int_equal(take_within(f, RX2, &data, 30000), -1);
    say(f, CHANNEL, VIRTIO_CONSOLE_PORT_OPEN, 1);
    expect_event(f, CHANNEL, true);
    assert_int_equal(take(f, RX2, &data), 5);
    assert_memory_equal(data, "early", 5);
    give(f, TX2, "kept", 4);
    read_all(peer, text, 4);
    assert_memory_equal(text, "kept", 4);
    close(peer);
    expect(f, CHANNEL, VIRTIO_CONSOLE_PORT_OPEN, 0);
    say(f, CHANNEL, VIRTIO_CONSOLE_PORT_OPEN, 0);
    expect_event(f, CHANNEL, false);
    peer = dial(f);
    expect(f, CHANNEL, VIRTIO_CONSOLE_PORT_OPEN, 1);
    close(peer);
}

/* What the host's end does not take waits in the guest's queue. */
static void
test_a_slow_host_holds_the_guest(void **state)
{
    Fixture *f = *state;
    g_autofree char *block = g_malloc(0x800);
    g_autofree char *text = g_malloc(0x800);
    unsigned sent = 0, got = 0;
    const void *data;

    begin(f);
    for (;; sent++) {
        memset(block, (int)('a' + sent % 26), 0x800);
        send_bytes(f, TX0, block, 0x800);
        if (take_within(f, TX0, &data, 200000) < 0)
            break;
        assert_true(sent < 4096);
    }
    assert_true(sent * 0x800u >= ENGINE_CHARDEV_BUFFER);
    for (; got <= sent; got++) {
        read_all(f->console, text, 0x800);
        for (unsigned i = 0; i < 0x800; i++)
            assert_int_equal(text[i], 'a' + got % 26);
    }
    assert_int_equal(take(f, TX0, &data), 0);
}

static void
test_a_driver_of_one_port(void **state)
{
    Fixture *f = *state;
    const void *data;

    go(f, VERSION_1);
    expect_event(f, 0, true);
    add_buffer(f, RX0);
    assert_int_equal(write(f->console, "x", 1), 1);
    assert_int_equal(take(f, RX0, &data), 1);
}

static void
test_nonsense_is_survived(void **state)
{
    Fixture *f = *state;
    const void *data;

    begin(f);
    say(f, 1, VIRTIO_CONSOLE_PORT_READY, 1); /* there is no such port */
    say(f, UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(f, 0, 0xffff, 0xffff);
    give(f, CONTROL_TX, "short", 5);
    send_bytes(f, 5, "no port", 7); /* its queue */
    expect_silence(f);
    for (unsigned i = 0; i < 200; i++) { /* and the events stay few */
        say(f, CHANNEL, VIRTIO_CONSOLE_PORT_OPEN, 1);
        say(f, CHANNEL, VIRTIO_CONSOLE_PORT_OPEN, 0);
        say(f, CHANNEL, VIRTIO_CONSOLE_PORT_READY, 1);
    }
    assert_true(take(f, CONTROL_RX, &data) > 0);
    assert_int_equal(guest_virtio_status(&f->guest), GUEST_READY);
}

static void
test_a_reset_closes(void **state)
{
    Fixture *f = *state;

    begin(f);
    f->serial->type->reset(f->serial);
    expect_event(f, 0, false);
    guest_virtio_init(&f->guest, f->engine, SLOT, ENGINE_PCI_HOLE_BASE);
    begin(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_ports_are_introduced),
        T(test_bytes_go_both_ways),
        T(test_a_peer_comes_late_and_goes),
        T(test_a_slow_host_holds_the_guest),
        T(test_a_driver_of_one_port),
        T(test_nonsense_is_survived),
        T(test_a_reset_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
