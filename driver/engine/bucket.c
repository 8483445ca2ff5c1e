/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/bucket.h"

#include <glib.h>

#define NS_PER_S 1e9

/* What comes in during this time is kept in any case: a caller whose timer is
 * late must not lose by it. */
#define SLACK_S 0.05

/* No wait is longer, so that no sum with a clock overflows. */
#define WAIT_MAX_NS (24ll * 3600 * 1000000000)

static double
tokens_max(const EngineBucketLimit *limit)
{
    double slack = (double)limit->rate * SLACK_S;

    return MAX((double)limit->depth, slack);
}

static double
pace_max(const EngineBucketLimit *limit)
{
    return (double)limit->peak * SLACK_S;
}

/* Lets in what has come since the last time. */
static void
fill(EngineBucket *bucket, int64_t now_ns)
{
    const EngineBucketLimit *limit = &bucket->limit;
    double passed_s = (double)(now_ns - bucket->at_ns) / NS_PER_S;

    if (passed_s <= 0)
        return;
    bucket->at_ns = now_ns;
    bucket->tokens =
        MIN(bucket->tokens + passed_s * (double)limit->rate, tokens_max(limit));
    bucket->pace =
        MIN(bucket->pace + passed_s * (double)limit->peak, pace_max(limit));
}

void
engine_bucket_set(EngineBucket *bucket, const EngineBucketLimit *limit,
                  int64_t now_ns)
{
    bool fresh = !engine_bucket_is_set(bucket);

    if (!fresh)
        fill(bucket, now_ns);
    bucket->limit = *limit;
    bucket->at_ns = now_ns;
    if (fresh || bucket->tokens > tokens_max(limit))
        bucket->tokens = tokens_max(limit);
    if (fresh || bucket->pace > pace_max(limit))
        bucket->pace = pace_max(limit);
}

/* Returns: ns until @level is no debt any more, rounded up */
static int64_t
debt_ns(double level, uint64_t rate)
{
    double wait_ns = -level / (double)rate * NS_PER_S;

    if (level >= 0)
        return 0;
    return wait_ns >= (double)WAIT_MAX_NS ? WAIT_MAX_NS : (int64_t)wait_ns + 1;
}

int64_t
engine_bucket_wait(EngineBucket *bucket, int64_t now_ns)
{
    int64_t wait_ns;

    if (!engine_bucket_is_set(bucket))
        return 0;
    fill(bucket, now_ns);
    wait_ns = debt_ns(bucket->tokens, bucket->limit.rate);
    if (bucket->limit.peak > 0)
        wait_ns = MAX(wait_ns, debt_ns(bucket->pace, bucket->limit.peak));
    return wait_ns;
}

void
engine_bucket_take(EngineBucket *bucket, uint64_t units, int64_t now_ns)
{
    if (!engine_bucket_is_set(bucket))
        return;
    fill(bucket, now_ns);
    bucket->tokens -= (double)units;
    bucket->pace -= bucket->limit.peak > 0 ? (double)units : 0;
}
