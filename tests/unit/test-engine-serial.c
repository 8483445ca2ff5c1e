/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/dev/dev.h"
#include "fake-engine.h"
#include "util/fd.h"

#define COM1 0x3f8

typedef struct Fixture {
    EngineConfig config;
    Engine *engine;
    int host; /* the other end of COM1's socket */
    int guest;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    f->host = pair[0];
    f->guest = pair[1];
    f->config.serials[0].present = true;
    f->config.serials[0].chardev = (EngineChardevConfig){
        .type = ENGINE_CHARDEV_FD, .fd = pair[1], .log_fd = -1
    };
    f->engine = fake_engine_new(&f->config, 4096);
    for (unsigned i = 0; i < ENGINE_SERIALS_MAX; i++)
        fake_device_new(f->engine, &engine_serial_type, i);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->engine);
    close(f->guest);
    if (f->host >= 0)
        close(f->host);
    g_free(f);
    return 0;
}

static uint8_t
in(Fixture *f, unsigned reg)
{
    return fake_inb(f->engine, (uint16_t)(COM1 + reg));
}

static void
out(Fixture *f, unsigned reg, uint8_t value)
{
    fake_outb(f->engine, (uint16_t)(COM1 + reg), value);
}

/* Runs the main context until nothing is ready. */
static void
settle(void)
{
    g_usleep(3000);
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
host_sends(Fixture *f, const char *text)
{
    assert_int_equal(write(f->host, text, strlen(text)), strlen(text));
    settle();
}

static void
test_absent_ports_read_all_ones(void **state)
{
    Fixture *f = *state;

    assert_int_equal(fake_inb(f->engine, 0x2fd), 0xff);
    assert_false(fake_mapped(f->engine, ENGINE_SPACE_PIO, 0x2f8));
    assert_true(fake_mapped(f->engine, ENGINE_SPACE_PIO, 0x3ff));
    assert_false(fake_mapped(f->engine, ENGINE_SPACE_PIO, 0x400));
}

/* What Linux's 8250 driver does to find out what it has. */
static void
test_probe_sees_a_16550a(void **state)
{
    Fixture *f = *state;

    out(f, 1, 0);
    assert_int_equal(in(f, 1) & 0x0f, 0);
    out(f, 1, 0x0f);
    assert_int_equal(in(f, 1) & 0x0f, 0x0f);
    out(f, 1, 0);

    out(f, 4, 0x10 | 0x0a); /* loop: RTS gives CTS, OUT2 gives DCD */
    assert_int_equal(in(f, 6) & 0xf0, 0x90);
    out(f, 4, 0);

    out(f, 3, 0xbf); /* neither a 16650 ... */
    out(f, 2, 0);
    out(f, 3, 0);
    out(f, 2, 0x01);
    assert_int_equal(in(f, 2) >> 6, 3);
    out(f, 3, 0xbf);
    assert_int_not_equal(in(f, 2), 0);
    out(f, 3, 0x80); /* ... nor a 16750 with a FIFO of 64 bytes */
    out(f, 2, 0x21);
    assert_int_equal(in(f, 2) >> 5, 6);
    out(f, 3, 0);

    out(f, 1, 0x40); /* ... nor an XScale */
    assert_int_equal(in(f, 1), 0);
    out(f, 7, 0x5a);
    assert_int_equal(in(f, 7), 0x5a);
}

static void
test_divisor_has_its_own_registers(void **state)
{
    Fixture *f = *state;

    out(f, 1, 0x05);
    out(f, 3, 0x83);
    out(f, 0, 0x34);
    out(f, 1, 0x12);
    assert_int_equal(in(f, 0), 0x34);
    assert_int_equal(in(f, 1), 0x12);
    out(f, 3, 0x03);
    assert_int_equal(in(f, 1), 0x05);
    assert_int_equal(in(f, 3), 0x03);
    assert_int_equal(recv(f->host, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
}

static void
test_output_reaches_the_host(void **state)
{
    Fixture *f = *state;
    char text[16] = "";

    for (const char *c = "hello"; *c; c++) {
        assert_int_equal(in(f, 5) & 0x60, 0x60);
        out(f, 0, (uint8_t)*c);
    }
    settle();
    assert_int_equal(recv(f->host, text, sizeof(text), MSG_DONTWAIT), 5);
    assert_string_equal(text, "hello");
}

static void
test_transmitter_empty_interrupt(void **state)
{
    Fixture *f = *state;

    assert_int_equal(in(f, 2) & 0x0f, 0x01);
    out(f, 1, 0x02);
    assert_true(fake_irq_level(f->engine, 4));
    assert_int_equal(in(f, 2) & 0x0f, 0x02);
    /* Reading the cause takes it away, ... */
    assert_false(fake_irq_level(f->engine, 4));
    assert_int_equal(in(f, 2) & 0x0f, 0x01);
    /* ... the next byte brings it back as a new edge, ... */
    out(f, 0, 'x');
    assert_true(fake_irq_level(f->engine, 4));
    assert_int_equal(fake_irq_rises(f->engine, 4), 2);
    /* ... and masking silences it. */
    out(f, 1, 0);
    assert_false(fake_irq_level(f->engine, 4));
}

static void
test_receive_trigger_and_timeout(void **state)
{
    Fixture *f = *state;

    out(f, 2, 0x81); /* FIFO on, trigger at 8 */
    out(f, 1, 0x01);
    assert_false(fake_irq_level(f->engine, 4));
    host_sends(f, "abc");
    assert_true(fake_irq_level(f->engine, 4));
    assert_int_equal(in(f, 2), 0xcc);
    host_sends(f, "defgh");
    assert_int_equal(in(f, 2), 0xc4);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(in(f, 5) & 0x01, 0x01);
        assert_int_equal(in(f, 0), 'a' + i);
    }
    assert_int_equal(in(f, 5) & 0x01, 0);
    assert_false(fake_irq_level(f->engine, 4));
    assert_int_equal(in(f, 2), 0xc1);
}

static void
test_input_waits_for_room(void **state)
{
    Fixture *f = *state;
    const char *text = "0123456789abcdefghijklmnopqrstuvwxyz";
    char got[64] = "";
    unsigned n = 0;

    out(f, 2, 0x01);
    host_sends(f, text);
    for (unsigned i = 0; i < 100 && n < strlen(text); i++) {
        while (in(f, 5) & 0x01)
            got[n++] = (char)in(f, 0);
        settle();
    }
    assert_string_equal(got, text);
    assert_int_equal(in(f, 5) & 0x02, 0); /* no overrun */
}

static void
test_without_fifo_one_byte(void **state)
{
    Fixture *f = *state;

    out(f, 1, 0x01);
    host_sends(f, "xy");
    assert_int_equal(in(f, 2), 0x04);
    assert_int_equal(in(f, 0), 'x');
    settle();
    assert_int_equal(in(f, 0), 'y');
    assert_int_equal(in(f, 5) & 0x01, 0);
}

static void
test_clearing_and_switching_the_fifo_empties_it(void **state)
{
    Fixture *f = *state;

    out(f, 2, 0x01);
    host_sends(f, "abc");
    out(f, 2, 0x03);
    assert_int_equal(in(f, 5) & 0x01, 0);
    host_sends(f, "abc");
    assert_int_equal(in(f, 5) & 0x01, 1);
    out(f, 2, 0x00);
    assert_int_equal(in(f, 5) & 0x01, 0);
}

static void
test_loopback_returns_output_and_overruns(void **state)
{
    Fixture *f = *state;

    out(f, 2, 0x01);
    out(f, 1, 0x05);
    out(f, 4, 0x10);
    for (unsigned i = 0; i < 17; i++)
        out(f, 0, (uint8_t)('a' + i));
    assert_int_equal(in(f, 2) & 0x0f, 0x06); /* line status first */
    assert_int_equal(in(f, 5) & 0x03, 0x03);
    assert_int_equal(in(f, 5) & 0x03, 0x01); /* reading took the error */
    assert_int_equal(in(f, 0), 'a');
    settle();
    assert_int_equal(recv(f->host, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
}

static void
test_loopback_keeps_host_input_for_later(void **state)
{
    Fixture *f = *state;

    out(f, 4, 0x10);
    host_sends(f, "h");
    assert_int_equal(in(f, 5) & 0x01, 0);
    out(f, 4, 0x0b);
    settle();
    assert_int_equal(in(f, 0), 'h');
}

static void
test_modem_deltas_interrupt_last(void **state)
{
    Fixture *f = *state;

    assert_int_equal(in(f, 6), 0xb0);
    out(f, 4, 0x10); /* CTS, DSR, DCD fall; RI was low */
    out(f, 1, 0x0a);
    assert_int_equal(in(f, 2) & 0x0f, 0x02);
    assert_int_equal(in(f, 2) & 0x0f, 0x00);
    assert_int_equal(in(f, 6), 0x0b);
    assert_int_equal(in(f, 2) & 0x0f, 0x01);
    out(f, 4, 0x14); /* RI rises: no event; ... */
    assert_int_equal(in(f, 6), 0x40);
    out(f, 4, 0x10); /* ... and falls: one */
    assert_int_equal(in(f, 6), 0x04);
}

static void
test_reset_silences_and_defaults(void **state)
{
    Fixture *f = *state;
    EngineDevice *device =
        engine_device_find(f->engine, &engine_serial_type, 0);

    out(f, 1, 0x0f);
    out(f, 3, 0x1b);
    out(f, 4, 0x1f);
    out(f, 7, 0x77);
    assert_true(fake_irq_level(f->engine, 4));
    engine_serial_type.reset(device);
    assert_false(fake_irq_level(f->engine, 4));
    assert_int_equal(in(f, 1), 0);
    assert_int_equal(in(f, 2), 0x01);
    assert_int_equal(in(f, 3), 0);
    assert_int_equal(in(f, 4), 0);
    assert_int_equal(in(f, 5), 0x60);
    assert_int_equal(in(f, 7), 0);
}

/* Every value to every register, also wide: nothing may crash or hang. */
static void
test_any_write_is_survived(void **state)
{
    Fixture *f = *state;
    static const unsigned sizes[] = { 1, 2, 4 };

    for (unsigned value = 0; value < 0x100; value++)
        for (unsigned reg = 0; reg < 8; reg++)
            for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
                uint16_t port = (uint16_t)(COM1 + reg);

                fake_out(f->engine, port, sizes[i], value * 0x01010101u);
                (void)fake_in(f->engine, port, sizes[i]);
            }
    settle();
    engine_serial_type.reset(
        engine_device_find(f->engine, &engine_serial_type, 0));
    assert_int_equal(in(f, 5), 0x60);
}

static void
test_debug_exit_only_if_asked(void **state)
{
    EngineConfig config = { .debug_exit = true };
    Engine *with = fake_engine_new(&config, 4096);
    Engine *without = fake_engine_new(NULL, 4096);
    FakeRequest request;

    fake_device_new(with, &engine_debug_exit_type, 0);
    fake_device_new(without, &engine_debug_exit_type, 0);
    fake_outb(with, 0xf4, 0x21);
    fake_outb(without, 0xf4, 0x21);
    request = fake_take_request(with);
    assert_int_equal(request.request, ENGINE_REQUEST_DEBUG_EXIT);
    assert_int_equal(request.value, 0x21);
    assert_int_equal(fake_take_request(without).request, 0);
    fake_engine_free(with);
    fake_engine_free(without);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_absent_ports_read_all_ones),
        T(test_probe_sees_a_16550a),
        T(test_divisor_has_its_own_registers),
        T(test_output_reaches_the_host),
        T(test_transmitter_empty_interrupt),
        T(test_receive_trigger_and_timeout),
        T(test_input_waits_for_room),
        T(test_without_fifo_one_byte),
        T(test_clearing_and_switching_the_fifo_empties_it),
        T(test_loopback_returns_output_and_overruns),
        T(test_loopback_keeps_host_input_for_later),
        T(test_modem_deltas_interrupt_last),
        T(test_reset_silences_and_defaults),
        T(test_any_write_is_survived),
        cmocka_unit_test(test_debug_exit_only_if_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
