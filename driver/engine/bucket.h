/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A token bucket: at most so many units (bytes, requests) a second in the long
 * run, faster for a while after a rest. It is arithmetic only: the caller says
 * what time it is (engine_io_now()), so nothing ticks.
 *
 * Whoever finds the bucket not in debt may take as much as it likes and waits
 * afterwards; so a request of any size goes through, and the long run is exact.
 *
 * Threads: one at a time for a bucket.
 */
typedef struct EngineBucketLimit {
    uint64_t rate;  /* units a second; 0: no limit at all */
    uint64_t peak;  /* units a second in a burst; 0: as fast as can be */
    uint64_t depth; /* units of a burst beyond the rate; 0: as good as none */
} EngineBucketLimit;

typedef struct EngineBucket {
    EngineBucketLimit limit;
    double tokens; /* in the bucket; below 0: a debt */
    double pace;   /* the same for the peak */
    int64_t at_ns; /* when that was */
} EngineBucket;

/** engine_bucket_set: begin with @limit, full; or have it from now on, with
 * what is owed. @bucket: zeroed before the first time */
void engine_bucket_set(EngineBucket *bucket, const EngineBucketLimit *limit,
                       int64_t now_ns);

/** engine_bucket_wait: how long until something may be taken
 * Returns: ns, 0: now */
int64_t engine_bucket_wait(EngineBucket *bucket, int64_t now_ns);

/** engine_bucket_take: what was asked for when there was nothing to wait for */
void engine_bucket_take(EngineBucket *bucket, uint64_t units, int64_t now_ns);

/** engine_bucket_is_set: whether it limits anything */
static inline bool
engine_bucket_is_set(const EngineBucket *bucket)
{
    return bucket->limit.rate > 0;
}
