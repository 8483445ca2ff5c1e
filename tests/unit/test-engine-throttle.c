/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "engine/throttle.h"

/* Disks that always want more, in groups, on one thread or on two. The clock
 * is the real one, so the bounds are wide; test-engine-bucket counts exactly.
 */
#define DISKS  3
#define SIZE   4096
#define RUN_US (G_USEC_PER_SEC / 2)
#define HUNGRY 1000 /* requests begun at once by one that has no limit */
#define READ   ENGINE_THROTTLE_READ
#define WRITE  ENGINE_THROTTLE_WRITE

typedef struct Disk {
    EngineThrottle throttle;
    bool wants[ENGINE_THROTTLE_WAYS];
    unsigned count[ENGINE_THROTTLE_WAYS]; /* atomic */
} Disk;

typedef struct Fixture {
    EngineIo *ios[2];
    EngineThrottleGroups groups;
    Disk disks[DISKS];
} Fixture;

static unsigned
counted(Disk *disk, EngineThrottleWay way)
{
    return __atomic_load_n(&disk->count[way], __ATOMIC_SEQ_CST);
}

static void
go_on(Disk *disk, EngineThrottleWay way)
{
    for (unsigned i = 0; disk->wants[way] && i < HUNGRY; i++) {
        if (!engine_throttle_take(&disk->throttle, way, SIZE))
            return;
        __atomic_fetch_add(&disk->count[way], 1, __ATOMIC_SEQ_CST);
    }
}

static void
on_ready(void *opaque, EngineThrottleWay way)
{
    Disk *disk = opaque;

    __atomic_fetch_add(&disk->count[way], 1, __ATOMIC_SEQ_CST);
    go_on(disk, way);
}

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));

    for (unsigned i = 0; i < 2; i++)
        f->ios[i] = engine_io_new("test", NULL);
    for (unsigned i = 0; i < DISKS; i++)
        engine_throttle_init(&f->disks[i].throttle, f->ios[i % 2], on_ready,
                             &f->disks[i]);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    for (unsigned i = 0; i < DISKS; i++)
        engine_throttle_clear(&f->disks[i].throttle, &f->groups);
    assert_null(f->groups.first);
    for (unsigned i = 0; i < 2; i++)
        engine_io_free(f->ios[i]);
    free(f);
    return 0;
}

static void
limit(Fixture *f, unsigned disk, const char *group, EngineThrottleKind kind,
      uint64_t average)
{
    EngineThrottleConfig config = { .group = (char *)group };

    config.rates[kind].average = average;
    assert_true(engine_throttle_set(&f->disks[disk].throttle, &f->groups,
                                    &config, NULL));
}

static void
begin_here(void *opaque)
{
    Disk *disk = opaque;

    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        go_on(disk, way);
}

/* As many as @rate a second are in @seconds, give or take. */
static void
assert_rate(unsigned count, unsigned rate, double seconds)
{
    double wanted = rate * seconds;

    assert_in_range(count, (unsigned)(wanted * 0.5),
                    (unsigned)(wanted * 1.2 + rate * 0.1 + 2));
}

static double
wait_a_while(void)
{
    gint64 begin = g_get_monotonic_time();

    g_usleep(RUN_US);
    return (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
}

/* Lets @disks of them want what they want for a while. Returns: seconds */
static double
run(Fixture *f, unsigned disks)
{
    for (unsigned i = 0; i < disks; i++)
        engine_io_call(f->disks[i].throttle.io, begin_here, &f->disks[i]);
    return wait_a_while();
}

static void
cancel_here(void *opaque)
{
    Disk *disk = opaque;

    disk->wants[READ] = disk->wants[WRITE] = false;
    engine_throttle_cancel(&disk->throttle);
}

static void
cancel(Fixture *f, unsigned disk)
{
    engine_io_call(f->disks[disk].throttle.io, cancel_here, &f->disks[disk]);
}

/* --- tests -----------------------------------------------------------------
 */
static void
test_no_limit(void **state)
{
    Fixture *f = *state;

    f->disks[0].wants[READ] = true;
    run(f, 1);
    assert_int_equal(counted(&f->disks[0], READ), HUNGRY);
}

static void
test_alone(void **state)
{
    Fixture *f = *state;
    double seconds;

    limit(f, 0, NULL, ENGINE_THROTTLE_READ_IOPS, 1000);
    f->disks[0].wants[READ] = f->disks[0].wants[WRITE] = true;
    seconds = run(f, 1);
    cancel(f, 0);
    assert_rate(counted(&f->disks[0], READ), 1000, seconds);
    assert_int_equal(counted(&f->disks[0], WRITE), HUNGRY);
}

static void
test_bytes(void **state)
{
    Fixture *f = *state;
    double seconds;

    limit(f, 0, NULL, ENGINE_THROTTLE_TOTAL_BYTES, 1000 * SIZE);
    f->disks[0].wants[WRITE] = true;
    seconds = run(f, 1);
    cancel(f, 0);
    assert_rate(counted(&f->disks[0], WRITE), 1000, seconds);
}

/* What is read and what is written come alternately. */
static void
test_ways_take_turns(void **state)
{
    Fixture *f = *state;
    unsigned reads, writes;
    double seconds;

    limit(f, 0, NULL, ENGINE_THROTTLE_TOTAL_IOPS, 1000);
    f->disks[0].wants[READ] = f->disks[0].wants[WRITE] = true;
    seconds = run(f, 1);
    cancel(f, 0);
    reads = counted(&f->disks[0], READ);
    writes = counted(&f->disks[0], WRITE);
    assert_rate(reads + writes, 1000, seconds);
    assert_in_range(writes, reads / 2, reads * 2);
}

static void
test_size_of_a_request(void **state)
{
    Fixture *f = *state;
    EngineThrottleConfig config = { .size_iops = SIZE / 4 };
    double seconds;

    config.rates[ENGINE_THROTTLE_TOTAL_IOPS].average = 4000;
    assert_true(
        engine_throttle_set(&f->disks[0].throttle, &f->groups, &config, NULL));
    f->disks[0].wants[READ] = true;
    seconds = run(f, 1);
    cancel(f, 0);
    assert_rate(counted(&f->disks[0], READ), 1000, seconds);
}

/* Three disks on two threads share one limit, as equals. */
static void
test_group(void **state)
{
    Fixture *f = *state;
    unsigned sum = 0;
    double seconds;

    for (unsigned i = 0; i < DISKS; i++) {
        limit(f, i, "g", ENGINE_THROTTLE_READ_IOPS, 3000);
        f->disks[i].wants[READ] = true;
    }
    seconds = run(f, DISKS);
    for (unsigned i = 0; i < DISKS; i++)
        cancel(f, i);
    for (unsigned i = 0; i < DISKS; i++)
        sum += counted(&f->disks[i], READ);
    assert_rate(sum, 3000, seconds);
    /* the burst at the beginning went to the first */
    for (unsigned i = 0; i < DISKS; i++)
        assert_in_range(counted(&f->disks[i], READ), sum / 5, sum / 2);
}

/* One that leaves in the middle does not take the turn with it. */
static void
test_others_go_on(void **state)
{
    Fixture *f = *state;
    unsigned before;
    double seconds;

    for (unsigned i = 0; i < DISKS; i++) {
        limit(f, i, "g", ENGINE_THROTTLE_READ_IOPS, 1000);
        f->disks[i].wants[READ] = true;
    }
    run(f, DISKS);
    cancel(f, 0);
    engine_throttle_clear(&f->disks[0].throttle, &f->groups);
    engine_throttle_init(&f->disks[0].throttle, f->ios[0], on_ready,
                         &f->disks[0]);
    before = counted(&f->disks[1], READ);
    seconds = wait_a_while();
    for (unsigned i = 1; i < DISKS; i++)
        cancel(f, i);
    assert_rate(counted(&f->disks[1], READ) - before, 500, seconds);
}

/* A new limit of one is that of its group, at once; no limit lets go. */
static void
test_changes(void **state)
{
    Fixture *f = *state;
    EngineThrottleConfig none = { 0 };
    unsigned before;
    double seconds;

    limit(f, 0, "g", ENGINE_THROTTLE_READ_IOPS, 1);
    limit(f, 1, "g", ENGINE_THROTTLE_READ_IOPS, 1);
    f->disks[0].wants[READ] = f->disks[1].wants[READ] = true;
    run(f, 2);
    assert_in_range(counted(&f->disks[0], READ) + counted(&f->disks[1], READ),
                    1, 3);
    limit(f, 1, NULL, ENGINE_THROTTLE_READ_IOPS, 1000);
    assert_string_equal(engine_throttle_group_name(&f->disks[1].throttle), "g");
    before = counted(&f->disks[0], READ);
    seconds = wait_a_while();
    assert_rate(counted(&f->disks[0], READ) - before, 500, seconds);
    assert_true(
        engine_throttle_set(&f->disks[0].throttle, &f->groups, &none, NULL));
    assert_null(engine_throttle_group_name(&f->disks[0].throttle));
    cancel(f, 1);
    assert_true(counted(&f->disks[0], READ) >= before + HUNGRY);
}

/* While the domain is stopped nobody has a turn. */
static void
test_pause(void **state)
{
    Fixture *f = *state;
    unsigned before;

    limit(f, 0, NULL, ENGINE_THROTTLE_READ_IOPS, 1000);
    f->disks[0].wants[READ] = true;
    run(f, 1);
    engine_io_pause(f->ios[0]);
    before = counted(&f->disks[0], READ);
    g_usleep(RUN_US / 5);
    assert_int_equal(counted(&f->disks[0], READ), before);
    engine_io_resume(f->ios[0]);
    g_usleep(RUN_US / 5);
    cancel(f, 0);
    assert_true(counted(&f->disks[0], READ) > before);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_no_limit),
        T(test_alone),
        T(test_bytes),
        T(test_ways_take_turns),
        T(test_size_of_a_request),
        T(test_group),
        T(test_others_go_on),
        T(test_changes),
        T(test_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
