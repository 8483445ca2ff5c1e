/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/net/burst.h"

/* Frames go to a pipe, whose room is known: a write of up to 4096 bytes is done
 * as a whole, in a page of its own unless it fits the rest of the last one. */
#define PAGE 4096
#define ROOM (2 * PAGE)

static EngineNetBurst *burst;
static uint8_t bytes[ENGINE_NET_BURST_MAX][PAGE];

typedef struct Fixture {
    int ends[2];
    struct iovec iov[ENGINE_NET_BURST_MAX][2];
    EngineNetFrame frames[ENGINE_NET_BURST_MAX];
    EngineNetSent sent[ENGINE_NET_BURST_MAX];
} Fixture;

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    assert_int_equal(pipe2(f->ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(fcntl(f->ends[1], F_SETPIPE_SZ, ROOM), ROOM);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    close(f->ends[0]);
    close(f->ends[1]);
    g_free(f);
    return 0;
}

/* Frame @i: a first byte that names it, then @size - 1 others */
static void
put(Fixture *f, unsigned i, size_t size)
{
    memset(bytes[i], 0, size);
    bytes[i][0] = (uint8_t)i;
    f->iov[i][0] = (struct iovec){ bytes[i], 1 };
    f->iov[i][1] = (struct iovec){ bytes[i] + 1, size - 1 };
    f->frames[i] =
        (EngineNetFrame){ .iov = f->iov[i], .count = 2, .size = size };
}

static void
write_all(Fixture *f, unsigned count)
{
    assert_int_equal(
        engine_net_burst_write(burst, f->ends[1], f->frames, count, f->sent),
        count);
}

static void
check_read(Fixture *f, unsigned i, size_t size)
{
    static uint8_t got[PAGE];

    assert_int_equal(read(f->ends[0], got, size), size);
    assert_memory_equal(got, bytes[i], size);
}

static void
test_order(void **state)
{
    Fixture *f = *state;

    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < ENGINE_NET_BURST_MAX; i++)
            put(f, i, 2 + i);
        write_all(f, ENGINE_NET_BURST_MAX);
        for (unsigned i = 0; i < ENGINE_NET_BURST_MAX; i++) {
            assert_int_equal(f->sent[i], ENGINE_NET_SENT);
            check_read(f, i, 2 + i);
        }
    }
}

/* What has no room waits, all of it from the first such on. */
static void
test_full(void **state)
{
    Fixture *f = *state;

    for (unsigned i = 0; i < 5; i++)
        put(f, i, PAGE);
    write_all(f, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(f->sent[i], i < 2 ? ENGINE_NET_SENT : ENGINE_NET_FULL);
    check_read(f, 0, PAGE);
    check_read(f, 1, PAGE);
    write_all(f, 2);
    assert_int_equal(f->sent[0], ENGINE_NET_SENT);
    assert_int_equal(f->sent[1], ENGINE_NET_SENT);
}

/* A large one finds no room, the small one behind it does: who was overtaken
 * does not wait to come still later. */
static void
test_overtaken(void **state)
{
    Fixture *f = *state;

    put(f, 0, PAGE);
    put(f, 1, PAGE / 2);
    put(f, 2, PAGE);
    put(f, 3, PAGE / 4);
    put(f, 4, PAGE);
    write_all(f, 5);
    assert_int_equal(f->sent[0], ENGINE_NET_SENT);
    assert_int_equal(f->sent[1], ENGINE_NET_SENT);
    assert_int_equal(f->sent[2], ENGINE_NET_FAILED);
    assert_int_equal(f->sent[3], ENGINE_NET_SENT);
    assert_int_equal(f->sent[4], ENGINE_NET_FULL);
    check_read(f, 0, PAGE);
    check_read(f, 1, PAGE / 2);
    check_read(f, 3, PAGE / 4);
}

static void
test_errors(void **state)
{
    Fixture *f = *state;

    close(f->ends[0]);
    f->ends[0] = -1;
    for (unsigned i = 0; i < 3; i++)
        put(f, i, 100);
    write_all(f, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(f->sent[i], ENGINE_NET_FAILED);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order),
        TEST(full),
        TEST(overtaken),
        TEST(errors),
    };
    int failed;

    signal(SIGPIPE, SIG_IGN);
    burst = engine_net_burst_new();
    if (!burst) {
        printf("1..0 # SKIP there is no io_uring here\n");
        return 0;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    engine_net_burst_free(burst);
    return failed;
}
