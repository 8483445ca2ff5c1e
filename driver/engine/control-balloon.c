/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/virtio_balloon.h>

#include "engine/control-command.h"
#include "engine/virtio/balloon.h"

/* --- the memory balloon --------------------------------------------------- */
typedef struct ValueArguments {
    uint64_t value; /* bytes */
} ValueArguments;

typedef struct PeriodArguments {
    unsigned seconds;
} PeriodArguments;

static const EngineMember value_members[] = {
    { "value", ENGINE_MEMBER_UINT64, ENGINE_AT(ValueArguments, value),
      .required = true, .min = 1, .max = INT64_MAX },
    { NULL },
};

static const EngineMember period_members[] = {
    { "seconds", ENGINE_MEMBER_UINT, ENGINE_AT(PeriodArguments, seconds),
      .required = true, .max = ENGINE_BALLOON_PERIOD_MAX_S },
    { NULL },
};

static const char *const stat_names[ENGINE_BALLOON_STATS] = {
    [VIRTIO_BALLOON_S_SWAP_IN] = "swap_in",
    [VIRTIO_BALLOON_S_SWAP_OUT] = "swap_out",
    [VIRTIO_BALLOON_S_MAJFLT] = "major_fault",
    [VIRTIO_BALLOON_S_MINFLT] = "minor_fault",
    [VIRTIO_BALLOON_S_MEMFREE] = "unused",
    [VIRTIO_BALLOON_S_MEMTOT] = "available",
    [VIRTIO_BALLOON_S_AVAIL] = "usable",
    [VIRTIO_BALLOON_S_CACHES] = "disk_caches",
    [VIRTIO_BALLOON_S_HTLB_PGALLOC] = "hugetlb_pgalloc",
    [VIRTIO_BALLOON_S_HTLB_PGFAIL] = "hugetlb_pgfail",
};

static json_t *
run_balloon(Engine *engine, void *arguments, GError **error)
{
    const ValueArguments *set = arguments;

    return engine_balloon_set(engine, set->value, error) ? json_object() : NULL;
}

static json_t *
run_query_balloon(Engine *engine, void *arguments, GError **error)
{
    EngineBalloonInfo info;

    if (!engine_balloon_info(engine, &info, error))
        return NULL;
    return json_pack("{s:I,s:I}", "actual", (json_int_t)info.actual, "target",
                     (json_int_t)info.target);
}

static json_t *
run_period(Engine *engine, void *arguments, GError **error)
{
    const PeriodArguments *set = arguments;

    return engine_balloon_set_period(engine, set->seconds, error)
               ? json_object()
               : NULL;
}

static json_t *
run_query_stats(Engine *engine, void *arguments, GError **error)
{
    EngineBalloonStats stats;
    json_t *values;

    if (!engine_balloon_stats(engine, &stats, error))
        return NULL;
    values = json_object();
    for (unsigned i = 0; i < ENGINE_BALLOON_STATS; i++)
        if (stats.has[i])
            json_object_set_new(
                values, stat_names[i],
                json_integer((json_int_t)MIN(stats.values[i], INT64_MAX)));
    return json_pack("{s:I,s:o}", "last_update",
                     (json_int_t)stats.last_update_s, "stats", values);
}

const EngineControlCommand engine_control_balloon[] = {
    { "balloon", true, run_balloon, value_members, sizeof(ValueArguments) },
    { "balloon_stats_period", true, run_period, period_members,
      sizeof(PeriodArguments) },
    { "query-balloon", false, run_query_balloon },
    { "query-balloon-stats", false, run_query_stats },
    { NULL },
};
