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

#include "engine/io-poll.h"

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

/* --- watches -------------------------------------------------------------- */
typedef struct Ring {
    EngineIoWatch watch;
    bool there, armed, again;
    unsigned ready;
} Ring;

static bool
ring_look(void *opaque)
{
    return ((Ring *)opaque)->there;
}

static bool
ring_arm(void *opaque)
{
    Ring *ring = opaque;

    ring->armed = true;
    return ring->there;
}

static void
ring_ready(void *opaque)
{
    Ring *ring = opaque;

    ring->ready++;
    ring->there = false;
    if (ring->again)
        engine_io_watch(&ring->watch);
}

/* By itself: without a thread that looks at it. */
static void
add_ring(EngineIoPolling *polling, Ring *ring)
{
    *ring = (Ring){ 0 };
    engine_io_watch_init(&ring->watch, NULL, ring_look, ring_arm, ring_ready,
                         ring);
    engine_io_polling_add(polling, &ring->watch);
}

static void
test_look_calls_what_is_there_once(void **state)
{
    EngineIoPolling polling = { 0 };
    Ring first, second;

    add_ring(&polling, &first);
    add_ring(&polling, &second);
    assert_false(engine_io_polling_look(&polling));
    second.there = true;
    assert_true(engine_io_polling_look(&polling));
    assert_int_equal(first.ready, 0);
    assert_int_equal(second.ready, 1);
    second.there = true; /* nobody waits for it any more */
    assert_false(engine_io_polling_look(&polling));
    assert_int_equal(second.ready, 1);
    assert_ptr_equal(polling.first, &first.watch);
}

static void
test_arm_asks_the_descriptors_of_all(void **state)
{
    EngineIoPolling polling = { 0 };
    Ring first, second, removed;

    add_ring(&polling, &first);
    add_ring(&polling, &removed);
    add_ring(&polling, &second);
    engine_io_polling_remove(&polling, &removed.watch);
    first.there = true; /* it came just now: no descriptor would tell */
    assert_true(engine_io_polling_arm(&polling));
    assert_true(first.armed);
    assert_true(second.armed);
    assert_false(removed.armed);
    assert_int_equal(first.ready, 1);
    assert_int_equal(second.ready, 0);
    assert_null(polling.first);
    assert_false(engine_io_polling_arm(&polling));
}

static void
test_looking_ends_soon_or_does_not_begin(void **state)
{
    EngineIoPolling polling = { 0 };
    Ring ring;
    int64_t since_ns;

    add_ring(&polling, &ring);
    since_ns = ring.watch.since_ns;
    assert_int_equal(engine_io_polling_end(&polling, since_ns), since_ns);
    ring.watch.soon = true;
    assert_true(engine_io_polling_end(&polling, since_ns) > since_ns);
    assert_true(engine_io_polling_end(&polling, since_ns) <=
                since_ns + NS_PER_MS);
    engine_io_polling_stop(&polling, since_ns);
    assert_int_equal(engine_io_polling_end(&polling, since_ns + 1),
                     since_ns + 1);
    /* A wait that began a second ago is no short one. */
    ring.watch.since_ns -= 1000 * NS_PER_MS;
    engine_io_watch_came(&ring.watch);
    assert_false(ring.watch.soon);
}

typedef struct Live {
    Fixture *f;
    Ring ring;
} Live;

static void
watch_ring(void *opaque)
{
    Live *live = opaque;

    live->ring = (Ring){ .again = true };
    engine_io_watch_init(&live->ring.watch, live->f->io, ring_look, ring_arm,
                         ring_ready, &live->ring);
    live->ring.there = true;
    engine_io_watch(&live->ring.watch);
}

static void
unwatch_ring(void *opaque)
{
    engine_io_unwatch(&((Live *)opaque)->ring.watch);
}

/* Also what the thread finds only because it is about to sleep. */
static void
test_thread_calls_what_is_there(void **state)
{
    Live live = { .f = *state };

    engine_io_call(live.f->io, watch_ring, &live);
    for (int i = 0; i < 500 && live.ring.ready == 0; i++) {
        g_usleep(10000);
        engine_io_call(live.f->io, nothing, NULL);
    }
    engine_io_call(live.f->io, unwatch_ring, &live);
    assert_int_equal(live.ring.ready, 1);
    assert_true(live.ring.armed);
    engine_io_call(live.f->io, unwatch_ring, &live);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_timers_fire_once_in_order),
        T(test_timers_wait_while_paused),
        T(test_events_are_those_wanted),
        T(test_thread_calls_what_is_there),
        cmocka_unit_test(test_look_calls_what_is_there_once),
        cmocka_unit_test(test_arm_asks_the_descriptors_of_all),
        cmocka_unit_test(test_looking_ends_soon_or_does_not_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
