/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/balloon.h"

#include <linux/virtio_balloon.h>
#include <stdlib.h>
#include <string.h>

#include "engine/virtio/devices.h"
#include "engine/virtio/virtio.h"
#include "util/error.h"
#include "util/i18n.h"

/*
 * The memory balloon (virtio 1.2, 5.5). Pages that the guest puts into it, and
 * free ones that it reports, are given back to the host; those that it takes
 * out come back as zeroes when they are touched.
 */
#define QUEUES        5
#define QUEUE_SIZE    128
#define CHAIN_BUFFERS 64       /* Linux reports 32 at once */
#define PAGES_MAX     65536    /* of one request */
#define STATS_MAX     64       /* of one request that are looked at */
#define PCI_CLASS     0x00ff00 /* no class of its own */
#define PAGE_BYTES    (1u << VIRTIO_BALLOON_PFN_SHIFT)
#define NS_PER_S      INT64_C(1000000000)
#define CHANGE_NS     NS_PER_S /* between two events, at least */
#define ACTUAL        offsetof(struct virtio_balloon_config, actual)

#define FEATURE(NAME) (1ull << VIRTIO_BALLOON_F_##NAME)

G_STATIC_ASSERT(ENGINE_BALLOON_STATS == VIRTIO_BALLOON_S_NR);

/* What a queue is for */
typedef enum Role {
    ROLE_NONE,
    ROLE_INFLATE,
    ROLE_DEFLATE,
    ROLE_STATS,
    ROLE_REPORT,
} Role;

typedef struct Balloon {
    EngineVirtio virtio;
    uint64_t memory; /* bytes */
    uint32_t wanted; /* pages in it; atomic */
    uint32_t actual; /* the same, as the driver says; atomic */
    GMutex lock;     /* of the statistics */
    EngineBalloonStats stats;

    /* the I/O thread's */
    unsigned period_s;
    EngineIoTimer ask;    /* for statistics */
    EngineIoTimer change; /* an event that waits for its time */
    int64_t change_ns;    /* when the last one was */
    uint32_t told;        /* what it said */
    EngineChain held;     /* the driver's buffer for statistics */
    bool holding;
    struct iovec held_iov[CHAIN_BUFFERS];
    struct iovec iov[CHAIN_BUFFERS];
} Balloon;

static Balloon *
balloon_of(EngineVirtio *virtio)
{
    return (Balloon *)virtio;
}

static uint64_t
bytes_left(const Balloon *balloon, uint32_t pages)
{
    uint64_t bytes = (uint64_t)pages * PAGE_BYTES;

    return balloon->memory - MIN(bytes, balloon->memory);
}

/* --- pages ---------------------------------------------------------------- */
/* Copies what the driver gave, at most @size bytes. Returns: how many */
static size_t
gather(const EngineChain *chain, void *buffer, size_t size)
{
    size_t done = 0;

    for (unsigned i = 0; i < chain->n_read && done < size; i++) {
        size_t part = MIN(chain->iov[i].iov_len, size - done);

        memcpy((uint8_t *)buffer + done, chain->iov[i].iov_base, part);
        done += part;
    }
    return done;
}

static int
compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

/* Gives back the pages @first to @last. Returns: false if they are not RAM */
static bool
release_run(Engine *engine, uint32_t first, uint32_t last)
{
    uint64_t gpa = (uint64_t)first << VIRTIO_BALLOON_PFN_SHIFT;
    size_t size = (size_t)(last - first + 1) << VIRTIO_BALLOON_PFN_SHIFT;
    void *at = engine_memory_at(engine, gpa, size);

    if (at)
        engine_memory_release(engine, at, size);
    return at != NULL;
}

/* @pages: sorted here, so that neighbours go together */
static bool
release_pages(Engine *engine, uint32_t *pages, size_t count)
{
    bool ok = true;

    if (count > 0)
        qsort(pages, count, sizeof(pages[0]), compare);
    for (size_t i = 0, first = 0; i < count && ok; i++) {
        if (i + 1 < count && pages[i + 1] - pages[i] <= 1)
            continue;
        ok = release_run(engine, pages[first], pages[i]);
        first = i + 1;
    }
    return ok;
}

static bool
inflate(Balloon *balloon, const EngineChain *chain)
{
    size_t count = chain->read_size / sizeof(uint32_t);
    g_autofree uint32_t *pages = NULL;

    if (count > PAGES_MAX) {
        engine_virtio_fail(&balloon->virtio,
                           N_("it gives too many pages at once"));
        return false;
    }
    pages = g_new(uint32_t, count);
    count = gather(chain, pages, count * sizeof(uint32_t)) / sizeof(uint32_t);
    if (release_pages(balloon->virtio.device.engine, pages, count))
        return true;
    engine_virtio_fail(&balloon->virtio,
                       N_("it gives a page that is not memory"));
    return false;
}

/* 5.5.6.6: buffers that are nothing but free memory */
static void
report(Balloon *balloon, const EngineChain *chain)
{
    for (unsigned i = 0; i < chain->n_write; i++) {
        const struct iovec *iov = &chain->iov[chain->n_read + i];
        uintptr_t begin = ((uintptr_t)iov->iov_base + PAGE_BYTES - 1) &
                          ~(uintptr_t)(PAGE_BYTES - 1);
        uintptr_t end = ((uintptr_t)iov->iov_base + iov->iov_len) &
                        ~(uintptr_t)(PAGE_BYTES - 1);

        if (begin < end)
            engine_memory_release(balloon->virtio.device.engine, (void *)begin,
                                  end - begin);
    }
}

/* --- statistics ----------------------------------------------------------- */
static void
take_stats(Balloon *balloon, const EngineChain *chain)
{
    struct virtio_balloon_stat stats[STATS_MAX];
    size_t count = gather(chain, stats, sizeof(stats)) / sizeof(stats[0]);

    g_mutex_lock(&balloon->lock);
    for (size_t i = 0; i < count; i++) {
        if (stats[i].tag >= ENGINE_BALLOON_STATS)
            continue;
        balloon->stats.has[stats[i].tag] = true;
        balloon->stats.values[stats[i].tag] = stats[i].val;
    }
    balloon->stats.last_update_s = g_get_real_time() / G_USEC_PER_SEC;
    g_mutex_unlock(&balloon->lock);
}

static Role role_of(const Balloon *balloon, unsigned queue);

static unsigned
stats_queue(const Balloon *balloon)
{
    unsigned queue = 0;

    while (queue < QUEUES - 1 && role_of(balloon, queue) != ROLE_STATS)
        queue++;
    return queue;
}

/* 5.5.6.3: the driver's buffer goes back, it comes again with new numbers. */
static void
on_ask(void *opaque)
{
    Balloon *balloon = opaque;

    if (balloon->holding) {
        balloon->holding = false;
        engine_virtio_push(&balloon->virtio, stats_queue(balloon),
                           &balloon->held, 0);
        engine_virtio_notify(&balloon->virtio, stats_queue(balloon));
    }
    if (balloon->period_s > 0)
        engine_io_timer_set(&balloon->ask,
                            engine_io_now() + balloon->period_s * NS_PER_S);
}

/* --- queues --------------------------------------------------------------- */
/* 5.5.2. Nobody agrees on the number of the last one where there is no queue
 * for hints before it, so both have its role. */
static Role
role_of(const Balloon *balloon, unsigned queue)
{
    uint64_t accepted = balloon->virtio.accepted;

    if (queue == 0)
        return ROLE_INFLATE;
    if (queue == 1)
        return ROLE_DEFLATE;
    if (queue == 2 && (accepted & FEATURE(STATS_VQ)))
        return ROLE_STATS;
    return accepted & FEATURE(REPORTING) ? ROLE_REPORT : ROLE_NONE;
}

/* Returns: whether the chain goes back at once */
static bool
serve(Balloon *balloon, Role role, const EngineChain *chain)
{
    switch (role) {
    case ROLE_INFLATE:
        return inflate(balloon, chain);
    case ROLE_STATS:
        take_stats(balloon, chain);
        return false;
    case ROLE_REPORT:
        report(balloon, chain);
        return true;
    case ROLE_DEFLATE:
    case ROLE_NONE:
        break;
    }
    return true;
}

/* Of buffers for statistics one is held, the last. */
static void
hold(Balloon *balloon, unsigned queue, const EngineChain *chain)
{
    if (balloon->holding)
        engine_virtio_push(&balloon->virtio, queue, &balloon->held, 0);
    memcpy(balloon->held_iov, balloon->iov, sizeof(balloon->iov));
    balloon->held = *chain;
    balloon->held.iov = balloon->held_iov;
    balloon->holding = true;
}

static void
serve_queue(Balloon *balloon, unsigned queue)
{
    EngineVirtio *virtio = &balloon->virtio;
    EngineChain chain = { .iov = balloon->iov, .capacity = CHAIN_BUFFERS };
    Role role = role_of(balloon, queue);

    while (engine_virtio_pop(virtio, queue, &chain)) {
        if (serve(balloon, role, &chain))
            engine_virtio_push(virtio, queue, &chain, 0);
        else if (role == ROLE_STATS)
            hold(balloon, queue, &chain);
    }
    engine_virtio_notify(virtio, queue);
}

static void
balloon_kick(EngineVirtio *virtio, unsigned queue)
{
    EngineQueue *ring = &virtio->queues[queue].ring;

    do {
        engine_queue_mute(ring);
        serve_queue(balloon_of(virtio), queue);
    } while (engine_queue_listen(ring));
}

/* --- how far the guest has come ------------------------------------------- */
static void
on_change(void *opaque)
{
    Balloon *balloon = opaque;
    uint32_t actual = __atomic_load_n(&balloon->actual, __ATOMIC_RELAXED);
    int64_t now = engine_io_now(), due = balloon->change_ns + CHANGE_NS;

    if (actual == balloon->told)
        return;
    if (balloon->change_ns > 0 && now < due) {
        engine_io_timer_set(&balloon->change, due);
        return;
    }
    balloon->change_ns = now;
    balloon->told = actual;
    engine_event_post(
        balloon->virtio.device.engine, "BALLOON_CHANGE",
        json_pack("{s:I}", "actual", (json_int_t)bytes_left(balloon, actual)));
}

static void
balloon_reset(EngineVirtio *virtio)
{
    Balloon *balloon = balloon_of(virtio);

    balloon->holding = false;
    __atomic_store_n(&balloon->actual, 0, __ATOMIC_RELAXED);
    on_change(balloon);
}

static void
balloon_config_read(EngineVirtio *virtio, uint8_t *config, size_t size)
{
    const Balloon *balloon = balloon_of(virtio);
    const struct virtio_balloon_config values = {
        .num_pages = __atomic_load_n(&balloon->wanted, __ATOMIC_RELAXED),
        .actual = __atomic_load_n(&balloon->actual, __ATOMIC_RELAXED),
    };

    memcpy(config, &values, MIN(size, sizeof(values)));
}

static void
balloon_config_write(EngineVirtio *virtio, unsigned offset, unsigned size,
                     uint64_t value)
{
    Balloon *balloon = balloon_of(virtio);

    if (offset != ACTUAL || size != sizeof(uint32_t))
        return;
    __atomic_store_n(&balloon->actual, (uint32_t)value, __ATOMIC_RELAXED);
    engine_io_call(virtio->io, on_change, balloon);
}

/* --- the host's side ------------------------------------------------------ */
static Balloon *
find(Engine *engine, GError **error)
{
    EngineDevice *device =
        engine_device_of(engine, &engine_virtio_balloon_type);

    if (!device)
        error_set(error, VIR_ERR_DEVICE_MISSING,
                  _("the domain has no memory balloon"));
    return (Balloon *)device;
}

static bool
set_target(Balloon *balloon, uint64_t bytes, GError **error)
{
    if (bytes > balloon->memory) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("%llu KiB are more than the memory of %llu KiB"),
                  (unsigned long long)(bytes >> 10),
                  (unsigned long long)(balloon->memory >> 10));
        return false;
    }
    __atomic_store_n(
        &balloon->wanted,
        (uint32_t)MIN((balloon->memory - bytes) / PAGE_BYTES, UINT32_MAX),
        __ATOMIC_RELAXED);
    return true;
}

bool
engine_balloon_set(Engine *engine, uint64_t bytes, GError **error)
{
    Balloon *balloon = find(engine, error);

    if (!balloon || !set_target(balloon, bytes, error))
        return false;
    engine_virtio_config_changed(&balloon->virtio);
    return true;
}

bool
engine_balloon_info(Engine *engine, EngineBalloonInfo *ret_info, GError **error)
{
    const Balloon *balloon = find(engine, error);

    if (!balloon)
        return false;
    *ret_info = (EngineBalloonInfo){
        .actual = bytes_left(
            balloon, __atomic_load_n(&balloon->actual, __ATOMIC_RELAXED)),
        .target = bytes_left(
            balloon, __atomic_load_n(&balloon->wanted, __ATOMIC_RELAXED)),
    };
    return true;
}

typedef struct Period {
    Balloon *balloon;
    unsigned seconds;
} Period;

static void
set_period(void *opaque)
{
    const Period *period = opaque;

    period->balloon->period_s = period->seconds;
    engine_io_timer_set(&period->balloon->ask, 0);
    on_ask(period->balloon);
}

bool
engine_balloon_set_period(Engine *engine, unsigned seconds, GError **error)
{
    Period period = { find(engine, error), seconds };

    if (!period.balloon)
        return false;
    engine_io_call(period.balloon->virtio.io, set_period, &period);
    return true;
}

bool
engine_balloon_stats(Engine *engine, EngineBalloonStats *ret_stats,
                     GError **error)
{
    Balloon *balloon = find(engine, error);

    if (!balloon)
        return false;
    g_mutex_lock(&balloon->lock);
    *ret_stats = balloon->stats;
    g_mutex_unlock(&balloon->lock);
    return true;
}

/* --- life ----------------------------------------------------------------- */
static const EngineVirtioType balloon_virtio = {
    .id = VIRTIO_ID_BALLOON,
    .class_code = PCI_CLASS,
    .features = FEATURE(STATS_VQ),
    .queue_size = QUEUE_SIZE,
    .kick = balloon_kick,
    .reset = balloon_reset,
    .config_read = balloon_config_read,
    .config_write = balloon_config_write,
};

static void
stop_timers(void *opaque)
{
    Balloon *balloon = opaque;

    engine_io_timer_set(&balloon->ask, 0);
    engine_io_timer_set(&balloon->change, 0);
}

static void
balloon_unrealize(EngineDevice *device)
{
    Balloon *balloon = (Balloon *)device;

    engine_virtio_clear(&balloon->virtio);
    engine_io_call(balloon->virtio.io, stop_timers, balloon);
    g_mutex_clear(&balloon->lock);
}

static bool
balloon_realize(EngineDevice *device, Engine *engine,
                const EngineConfig *config, unsigned index, GError **error)
{
    Balloon *balloon = (Balloon *)device;
    const EngineBalloonConfig *own = &device->config->balloon;

    if (engine_device_of(engine, &engine_virtio_balloon_type)) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("a machine has one memory balloon at most"));
        return false;
    }
    balloon->memory = config->memory;
    balloon->period_s = own->stats_period_s;
    balloon->virtio.offered =
        (own->deflate_on_oom ? FEATURE(DEFLATE_ON_OOM) : 0) |
        (own->free_page_reporting ? FEATURE(REPORTING) : 0);
    if (!set_target(balloon, own->target ? own->target : config->memory,
                    error) ||
        !engine_virtio_init(&balloon->virtio, &balloon_virtio, QUEUES, error))
        return false;
    g_mutex_init(&balloon->lock);
    engine_io_timer_init(&balloon->ask, balloon->virtio.io, on_ask, balloon);
    engine_io_timer_init(&balloon->change, balloon->virtio.io, on_change,
                         balloon);
    engine_io_call(balloon->virtio.io, on_ask, balloon);
    return true;
}

static void
balloon_machine_reset(EngineDevice *device)
{
    engine_virtio_reset(&((Balloon *)device)->virtio);
}

const EngineDeviceType engine_virtio_balloon_type = {
    .name = "virtio-balloon",
    .size = sizeof(Balloon),
    .realize = balloon_realize,
    .unrealize = balloon_unrealize,
    .reset = balloon_machine_reset,
};
