/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/bucket.h"

#define S         1000000000ll
#define TIMER_NS  1000000 /* timers are up to so late */
#define START_NS  (5 * S)
#define RATE      1000000
#define FLOOD_MAX 10000000

/* Takes @units whenever it may, with timers that are late.
 * Returns: all that was taken in @seconds */
static uint64_t
flood(EngineBucket *bucket, uint64_t units, int64_t *now_ns, int64_t seconds)
{
    int64_t end_ns = *now_ns + seconds * S;
    uint64_t taken = 0;

    for (unsigned i = 0; i < FLOOD_MAX; i++) {
        int64_t wait_ns = engine_bucket_wait(bucket, *now_ns);

        if (wait_ns > 0) {
            *now_ns += (wait_ns + TIMER_NS - 1) / TIMER_NS * TIMER_NS;
            if (*now_ns >= end_ns)
                return taken;
            continue;
        }
        engine_bucket_take(bucket, units, *now_ns);
        taken += units;
    }
    fail_msg("the bucket lets everything through");
    return 0;
}

static void
assert_near(uint64_t value, uint64_t wanted, uint64_t tolerance)
{
    assert_in_range(value, wanted - tolerance, wanted + tolerance);
}

static void
test_no_limit(void **state)
{
    const EngineBucketLimit none = { 0 };
    EngineBucket bucket = { 0 };

    engine_bucket_set(&bucket, &none, START_NS);
    assert_false(engine_bucket_is_set(&bucket));
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(engine_bucket_wait(&bucket, START_NS), 0);
        engine_bucket_take(&bucket, UINT64_MAX, START_NS);
    }
}

/* Whatever the size of what is taken, the long run keeps to the rate. */
static void
test_rate(void **state)
{
    static const uint64_t sizes[] = { 64, 512, 4096, 65536, RATE, 3 * RATE };
    const EngineBucketLimit limit = { .rate = RATE };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        EngineBucket bucket = { 0 };
        int64_t now_ns = START_NS;

        engine_bucket_set(&bucket, &limit, now_ns);
        assert_near(flood(&bucket, sizes[i], &now_ns, 60), 60 * RATE,
                    RATE / 10 + sizes[i]);
    }
}

static void
test_slow_rate(void **state)
{
    const EngineBucketLimit limit = { .rate = 1 };
    EngineBucket bucket = { 0 };
    int64_t now_ns = START_NS;

    engine_bucket_set(&bucket, &limit, now_ns);
    assert_near(flood(&bucket, 1, &now_ns, 100), 100, 1);
    engine_bucket_take(&bucket, UINT64_MAX, now_ns);
    assert_true(engine_bucket_wait(&bucket, now_ns) > 3600 * S);
}

/* Four times the rate for three seconds, then the rate; after a rest again. */
static void
test_burst(void **state)
{
    const EngineBucketLimit limit = { .rate = RATE,
                                      .peak = 4 * RATE,
                                      .depth = 9 * RATE };
    EngineBucket bucket = { 0 };
    int64_t now_ns = START_NS;

    engine_bucket_set(&bucket, &limit, now_ns);
    for (unsigned turn = 0; turn < 2; turn++) {
        assert_near(flood(&bucket, 4096, &now_ns, 1), 4 * RATE, RATE / 2);
        assert_near(flood(&bucket, 4096, &now_ns, 2), 8 * RATE, RATE / 2);
        assert_near(flood(&bucket, 4096, &now_ns, 10), 10 * RATE, RATE / 2);
        now_ns += 9 * S; /* a rest: the bucket fills */
    }
}

/* Without a peak a burst takes all that has been saved at once. */
static void
test_burst_at_once(void **state)
{
    const EngineBucketLimit limit = { .rate = RATE, .depth = 5 * RATE };
    EngineBucket bucket = { 0 };
    int64_t now_ns = START_NS;

    engine_bucket_set(&bucket, &limit, now_ns);
    engine_bucket_take(&bucket, 5 * RATE, now_ns);
    assert_int_equal(engine_bucket_wait(&bucket, now_ns), 0);
    engine_bucket_take(&bucket, RATE, now_ns);
    assert_near((uint64_t)engine_bucket_wait(&bucket, now_ns), S, 10);
}

/* A change holds at once; what is owed stays owed, at the new rate. */
static void
test_change(void **state)
{
    const EngineBucketLimit slow = { .rate = 1000 }, fast = { .rate = RATE },
                            none = { 0 };
    EngineBucket bucket = { 0 };
    int64_t now_ns = START_NS;

    engine_bucket_set(&bucket, &slow, now_ns);
    engine_bucket_take(&bucket, 1050, now_ns);
    assert_near((uint64_t)engine_bucket_wait(&bucket, now_ns), S, 10);
    engine_bucket_set(&bucket, &fast, now_ns);
    assert_near((uint64_t)engine_bucket_wait(&bucket, now_ns), S / 1000, 10);
    assert_near(flood(&bucket, 4096, &now_ns, 10), 10 * RATE, RATE / 10);
    engine_bucket_set(&bucket, &none, now_ns);
    assert_int_equal(engine_bucket_wait(&bucket, now_ns), 0);
    engine_bucket_set(&bucket, &slow, now_ns);
    assert_int_equal(engine_bucket_wait(&bucket, now_ns), 0);
    assert_near(flood(&bucket, 10, &now_ns, 10), 10000, 200);
}

/* A clock that a thread has read a little earlier than another does no harm. */
static void
test_time_goes_back(void **state)
{
    const EngineBucketLimit limit = { .rate = RATE };
    EngineBucket bucket = { 0 };

    engine_bucket_set(&bucket, &limit, START_NS);
    engine_bucket_take(&bucket, RATE, START_NS);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(engine_bucket_wait(&bucket, START_NS - i) > 9 * S / 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_limit),       cmocka_unit_test(test_rate),
        cmocka_unit_test(test_slow_rate),      cmocka_unit_test(test_burst),
        cmocka_unit_test(test_burst_at_once),  cmocka_unit_test(test_change),
        cmocka_unit_test(test_time_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
