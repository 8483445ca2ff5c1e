/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/throttle.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "engine/bucket.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define BURST_S_DEFAULT 1
#define SOON_NS         1 /* in the past */

/* Those that wait for their turn, by way. The first's timer runs. */
typedef struct Line {
    EngineThrottle *first, **last;
} Line;

struct EngineThrottleGroup {
    EngineThrottleGroup *next;
    char *name; /* NULL: of one disk */
    unsigned members;
    GMutex lock; /* of all below */
    EngineBucket buckets[ENGINE_THROTTLE_KINDS];
    uint64_t size_iops;
    Line lines[ENGINE_THROTTLE_WAYS];
    EngineThrottleWay last_way; /* of the newest turn */
};

/* The buckets that a request of a way must find without a debt. */
static const EngineThrottleKind kinds[ENGINE_THROTTLE_WAYS][4] = {
    [ENGINE_THROTTLE_READ] = { ENGINE_THROTTLE_TOTAL_BYTES,
                               ENGINE_THROTTLE_READ_BYTES,
                               ENGINE_THROTTLE_TOTAL_IOPS,
                               ENGINE_THROTTLE_READ_IOPS },
    [ENGINE_THROTTLE_WRITE] = { ENGINE_THROTTLE_TOTAL_BYTES,
                                ENGINE_THROTTLE_WRITE_BYTES,
                                ENGINE_THROTTLE_TOTAL_IOPS,
                                ENGINE_THROTTLE_WRITE_IOPS },
};

static bool
is_iops(EngineThrottleKind kind)
{
    return kind >= ENGINE_THROTTLE_TOTAL_IOPS;
}

/* --- buckets; all need the lock --------------------------------------------
 */
static int64_t
wait_of(EngineThrottleGroup *group, EngineThrottleWay way, int64_t now_ns)
{
    int64_t wait_ns = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(kinds[way]); i++)
        wait_ns =
            MAX(wait_ns,
                engine_bucket_wait(&group->buckets[kinds[way][i]], now_ns));
    return wait_ns;
}

static void
take(EngineThrottleGroup *group, EngineThrottleWay way, uint64_t size,
     int64_t now_ns)
{
    uint64_t requests = 1;

    if (group->size_iops > 0 && size > group->size_iops)
        requests = (size - 1) / group->size_iops + 1;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds[way]); i++)
        engine_bucket_take(&group->buckets[kinds[way][i]],
                           is_iops(kinds[way][i]) ? requests : size, now_ns);
    group->last_way = way;
}

static EngineBucketLimit
limit_of(const EngineThrottleRate *rate)
{
    uint64_t length_s = rate->length_s ? rate->length_s : BURST_S_DEFAULT;
    EngineBucketLimit limit = { rate->average, rate->peak, 0 };

    /* What comes in during the burst goes out, too. */
    if (rate->peak > 0 && __builtin_mul_overflow(rate->peak - rate->average,
                                                 length_s, &limit.depth))
        limit.depth = UINT64_MAX;
    return limit;
}

static void
set_limits(EngineThrottleGroup *group, const EngineThrottleConfig *config)
{
    int64_t now_ns = engine_io_now();

    for (unsigned kind = 0; kind < ENGINE_THROTTLE_KINDS; kind++) {
        EngineBucketLimit limit = limit_of(&config->rates[kind]);

        engine_bucket_set(&group->buckets[kind], &limit, now_ns);
    }
    group->size_iops = config->size_iops;
}

/* --- turns; all need the lock ----------------------------------------------
 */
static void
line_add(Line *line, EngineThrottle *throttle, EngineThrottleWay way)
{
    throttle->waits[way] = true;
    throttle->next[way] = NULL;
    *line->last = throttle;
    line->last = &throttle->next[way];
}

static void
line_remove(Line *line, EngineThrottle *throttle, EngineThrottleWay way)
{
    EngineThrottle **at = &line->first;

    while (*at != throttle)
        at = &(*at)->next[way];
    *at = throttle->next[way];
    if (!*at)
        line->last = at;
    throttle->waits[way] = false;
}

static void
wake(EngineThrottle *throttle)
{
    (void)eventfd_write(throttle->wake_fd, 1);
}

/* Those who are next hear of it on their own threads. */
static void
wake_next(EngineThrottleGroup *group, const EngineThrottle *but)
{
    EngineThrottle *told = NULL;

    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++) {
        EngineThrottle *first = group->lines[way].first;

        if (first && first != but && first != told)
            wake(first);
        told = first;
    }
}

/* The way whose turn it is: where both could go, not the last one's.
 * Returns: false with *@ret_wait_ns set if none can (INT64_MAX: none wants) */
static bool
next_way(EngineThrottleGroup *group, int64_t now_ns, EngineThrottleWay *ret_way,
         int64_t *ret_wait_ns)
{
    const EngineThrottleWay order[] = {
        group->last_way == ENGINE_THROTTLE_READ ? ENGINE_THROTTLE_WRITE
                                                : ENGINE_THROTTLE_READ,
        group->last_way,
    };

    *ret_wait_ns = INT64_MAX;
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        int64_t wait_ns;

        if (!group->lines[order[i]].first)
            continue;
        wait_ns = wait_of(group, order[i], now_ns);
        if (wait_ns == 0) {
            *ret_way = order[i];
            return true;
        }
        *ret_wait_ns = MIN(*ret_wait_ns, wait_ns);
    }
    return false;
}

static bool
is_first(const EngineThrottleGroup *group, const EngineThrottle *throttle)
{
    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        if (group->lines[way].first == throttle)
            return true;
    return false;
}

/* Thread: the throttle's. Returns: whether it has its turn in *@ret_way;
 * else its timer is set if it is the first to wait */
static bool
begin_turn(EngineThrottle *throttle, EngineThrottleWay *ret_way)
{
    EngineThrottleGroup *group = throttle->group;
    int64_t now_ns = engine_io_now(), wait_ns;

    engine_io_timer_set(&throttle->timer, 0);
    if (next_way(group, now_ns, ret_way, &wait_ns)) {
        EngineThrottle *first = group->lines[*ret_way].first;

        if (first == throttle)
            return true;
        wake(first);
    } else if (is_first(group, throttle)) {
        engine_io_timer_set(&throttle->timer, now_ns + wait_ns);
    }
    return false;
}

/* --- one disk's side -------------------------------------------------------
 */
/* Turn by turn; those of others in between, on their threads. */
static void
on_turn(void *opaque)
{
    EngineThrottle *throttle = opaque;
    EngineThrottleGroup *group = throttle->group;
    EngineThrottleWay way;

    while (group) {
        g_mutex_lock(&group->lock);
        if (!begin_turn(throttle, &way)) {
            g_mutex_unlock(&group->lock);
            return;
        }
        line_remove(&group->lines[way], throttle, way);
        take(group, way, throttle->size[way], engine_io_now());
        g_mutex_unlock(&group->lock);
        throttle->ready(throttle->opaque, way);
        g_mutex_lock(&group->lock);
        wake_next(group, throttle);
        g_mutex_unlock(&group->lock);
    }
}

static void
on_wake(void *opaque)
{
    EngineThrottle *throttle = opaque;
    eventfd_t count;

    (void)eventfd_read(throttle->wake_fd, &count);
    on_turn(throttle);
}

bool
engine_throttle_take(EngineThrottle *throttle, EngineThrottleWay way,
                     uint64_t size)
{
    EngineThrottleGroup *group = throttle->group;
    int64_t now_ns;
    bool taken;

    if (!group)
        return true;
    now_ns = engine_io_now();
    g_mutex_lock(&group->lock);
    taken = !group->lines[way].first && wait_of(group, way, now_ns) == 0;
    if (taken) {
        take(group, way, size, now_ns);
    } else {
        throttle->size[way] = size;
        line_add(&group->lines[way], throttle, way);
        if (group->lines[way].first == throttle)
            engine_io_timer_set(&throttle->timer, SOON_NS);
    }
    g_mutex_unlock(&group->lock);
    return taken;
}

void
engine_throttle_cancel(EngineThrottle *throttle)
{
    EngineThrottleGroup *group = throttle->group;

    if (!group)
        return;
    engine_io_timer_set(&throttle->timer, 0);
    g_mutex_lock(&group->lock);
    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        if (throttle->waits[way])
            line_remove(&group->lines[way], throttle, way);
    wake_next(group, throttle);
    g_mutex_unlock(&group->lock);
}

/* --- groups; thread: main --------------------------------------------------
 */
static EngineThrottleGroup *
group_join(EngineThrottleGroups *groups, const char *name)
{
    EngineThrottleGroup *group = groups->first;

    while (group && (!name || g_strcmp0(group->name, name) != 0))
        group = group->next;
    if (!group) {
        group = g_new0(EngineThrottleGroup, 1);
        group->name = g_strdup(name);
        g_mutex_init(&group->lock);
        for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
            group->lines[way].last = &group->lines[way].first;
        group->next = groups->first;
        groups->first = group;
    }
    group->members++;
    return group;
}

static void
group_leave(EngineThrottleGroups *groups, EngineThrottleGroup *group)
{
    EngineThrottleGroup **at = &groups->first;

    if (!group || --group->members > 0)
        return;
    while (*at != group)
        at = &(*at)->next;
    *at = group->next;
    g_mutex_clear(&group->lock);
    g_free(group->name);
    g_free(group);
}

/* --- changes ---------------------------------------------------------------
 */
static bool
has_limits(const EngineThrottleConfig *config)
{
    for (unsigned kind = 0; kind < ENGINE_THROTTLE_KINDS; kind++)
        if (config->rates[kind].average > 0)
            return true;
    return false;
}

typedef struct Move {
    EngineThrottle *throttle;
    EngineThrottleGroup *to;
} Move;

/* Thread: the throttle's. Whoever waited in the old group is not counted there;
 * it is let through, once, since that costs least. */
static void
move_here(void *opaque)
{
    const Move *move = opaque;
    EngineThrottle *throttle = move->throttle;
    bool waits[ENGINE_THROTTLE_WAYS] = { throttle->waits[0],
                                         throttle->waits[1] };

    engine_throttle_cancel(throttle);
    throttle->group = move->to;
    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        if (waits[way])
            throttle->ready(throttle->opaque, way);
}

static void
move_to(EngineThrottle *throttle, EngineThrottleGroups *groups,
        EngineThrottleGroup *to)
{
    EngineThrottleGroup *from = throttle->group;
    Move move = { throttle, to };

    engine_io_call(throttle->io, move_here, &move);
    group_leave(groups, from);
}

static bool
listen(EngineThrottle *throttle, GError **error)
{
    if (throttle->source)
        return true;
    throttle->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (throttle->wake_fd < 0) {
        error_set_errno(error, errno, _("cannot make an eventfd"));
        return false;
    }
    throttle->source = engine_io_add(throttle->io, throttle->wake_fd, on_wake,
                                     throttle, error);
    return throttle->source != NULL;
}

void
engine_throttle_init(EngineThrottle *throttle, EngineIo *io,
                     EngineThrottleFn ready, void *opaque)
{
    *throttle = (EngineThrottle){
        .io = io, .ready = ready, .opaque = opaque, .wake_fd = -1
    };
    engine_io_timer_init(&throttle->timer, io, on_turn, throttle);
}

const char *
engine_throttle_group_name(const EngineThrottle *throttle)
{
    return throttle->group ? throttle->group->name : NULL;
}

bool
engine_throttle_set(EngineThrottle *throttle, EngineThrottleGroups *groups,
                    const EngineThrottleConfig *config, GError **error)
{
    EngineThrottleGroup *group = throttle->group;

    if (!has_limits(config)) {
        if (group)
            move_to(throttle, groups, NULL);
        return true;
    }
    if (!listen(throttle, error))
        return false;
    if (!group || (config->group && g_strcmp0(config->group, group->name))) {
        group = group_join(groups, config->group);
        move_to(throttle, groups, group);
    }
    g_mutex_lock(&group->lock);
    set_limits(group, config);
    wake_next(group, NULL);
    g_mutex_unlock(&group->lock);
    return true;
}

static void
stop_here(void *opaque)
{
    EngineThrottle *throttle = opaque;

    engine_throttle_cancel(throttle);
    throttle->group = NULL;
    engine_io_remove(throttle->source);
}

void
engine_throttle_clear(EngineThrottle *throttle, EngineThrottleGroups *groups)
{
    EngineThrottleGroup *group = throttle->group;

    engine_io_call(throttle->io, stop_here, throttle);
    group_leave(groups, group);
    throttle->source = NULL;
    fd_clear(&throttle->wake_fd);
}
