/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/io.h"

#define NS_PER_MS 1000000ll

/* What the thread's calls leave behind; read when it has been asked to. */
typedef struct Fixture {
    EngineIo *io;
    EngineIoTimer early, late, never;
    EngineIoSource *source;
    int ends[2];
    char marks[8];
    unsigned count;
} Fixture;

static void
mark(Fixture *f, char which)
{
    if (f->count < sizeof(f->marks) - 1)
        f->marks[f->count++] = which;
}

static void
on_early(void *opaque)
{
    mark(opaque, 'e');
}

static void
on_late(void *opaque)
{
    mark(opaque, 'l');
}

static void
on_never(void *opaque)
{
    mark(opaque, 'n');
}

static void
on_ready(void *opaque)
{
    Fixture *f = opaque;

    mark(f, engine_io_events(f->source) & EPOLLOUT ? 'w' : 'r');
    engine_io_set_events(f->source, 0);
}

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));

    f->io = engine_io_new("test", NULL);
    assert_non_null(f->io);
    engine_io_timer_init(&f->early, f->io, on_early, f);
    engine_io_timer_init(&f->late, f->io, on_late, f);
    engine_io_timer_init(&f->never, f->io, on_never, f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, f->ends), 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    engine_io_free(f->io);
    close(f->ends[0]);
    close(f->ends[1]);
    free(f);
    return 0;
}

static void
nothing(void *opaque)
{
}

/* Waits until so many calls were made, at most five seconds. */
static void
await_marks(Fixture *f, const char *expected)
{
    for (int i = 0; i < 500; i++) {
        engine_io_call(f->io, nothing, NULL);
        if (f->count >= strlen(expected))
            break;
        g_usleep(10000);
    }
    engine_io_call(f->io, nothing, NULL);
    assert_string_equal(f->marks, expected);
}

static void
set_timers(void *opaque)
{
    Fixture *f = opaque;
    int64_t now = engine_io_now();

    engine_io_timer_set(&f->never, now + 5 * NS_PER_MS);
    engine_io_timer_set(&f->late, now + 20 * NS_PER_MS);
    engine_io_timer_set(&f->early, now + 30 * NS_PER_MS);
    engine_io_timer_set(&f->early, now + 10 * NS_PER_MS);
    engine_io_timer_set(&f->never, 0);
}

static void
test_timers_fire_once_in_order(void **state)
{
    Fixture *f = *state;

    engine_io_call(f->io, set_timers, f);
    await_marks(f, "el");
}

static void
test_timers_wait_while_paused(void **state)
{
    Fixture *f = *state;

    engine_io_pause(f->io);
    engine_io_call(f->io, set_timers, f);
    g_usleep(50000);
    await_marks(f, "");
    engine_io_resume(f->io);
    await_marks(f, "el");
}

static void
add_source(void *opaque)
{
    Fixture *f = opaque;

    f->source = engine_io_add(f->io, f->ends[0], on_ready, f, NULL);
}

static void
want_output(void *opaque)
{
    Fixture *f = opaque;

    engine_io_set_events(f->source, EPOLLOUT);
}

static void
remove_source(void *opaque)
{
    Fixture *f = opaque;

    engine_io_remove(f->source);
}

static void
test_events_are_those_wanted(void **state)
{
    Fixture *f = *state;

    engine_io_call(f->io, add_source, f);
    assert_int_equal(write(f->ends[1], "x", 1), 1);
    await_marks(f, "r");
    engine_io_call(f->io, want_output, f);
    await_marks(f, "rw");
    engine_io_call(f->io, remove_source, f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_timers_fire_once_in_order),
        T(test_timers_wait_while_paused),
        T(test_events_are_those_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
