/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <linux/virtio_ids.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/virtio/devices.h"
#include "engine/virtio/virtio.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/*
 * The entropy device (virtio 1.2, 5.4): one queue of buffers to fill from the
 * host's source, at most so many bytes in a period. A request that finds the
 * period's bytes used up waits for the next; nothing ticks while none waits.
 */
#define QUEUE_SIZE  64
#define CHAIN_BYTES 65536 /* of a request that are filled, at most */
#define RETRY_MS    100   /* after the source had nothing */
#define MS_PER_S    1000
#define NS_PER_MS   1000000
#define US_PER_MS   1000
#define PCI_CLASS   0x00ff00 /* no class of its own */

typedef struct Rng {
    EngineVirtio virtio;
    const EngineRngConfig *config;
    int timer_fd;
    EngineIoSource *timer;
    LogLimit failures;
    /* the I/O thread's */
    struct iovec iov[QUEUE_SIZE];
    EngineChain chain; /* that waits */
    bool waiting;
    gint64 period_us; /* when the period began */
    uint64_t spent;   /* bytes of it */
} Rng;

static Rng *
rng_of(EngineVirtio *virtio)
{
    return (Rng *)virtio;
}

static void
wait_ms(Rng *rng, int64_t ms)
{
    const struct itimerspec when = {
        .it_value = { .tv_sec = ms / MS_PER_S,
                      .tv_nsec = ms % MS_PER_S * NS_PER_MS },
    };

    (void)timerfd_settime(rng->timer_fd, 0, &when, NULL);
}

/* Returns: how many bytes may be given now; 0: the timer has been set */
static uint64_t
allowance(Rng *rng)
{
    const EngineRngConfig *config = rng->config;
    gint64 now = g_get_monotonic_time();
    gint64 period_us = (gint64)config->period_ms * US_PER_MS;

    if (config->bytes == 0)
        return CHAIN_BYTES;
    if (now - rng->period_us >= period_us) {
        rng->period_us = now;
        rng->spent = 0;
    }
    if (rng->spent < config->bytes)
        return MIN(config->bytes - rng->spent, CHAIN_BYTES);
    wait_ms(rng, (rng->period_us + period_us - now) / US_PER_MS + 1);
    return 0;
}

/* The part of the chain that @most bytes are. Returns: how many buffers */
static int
cut(EngineChain *chain, uint64_t most)
{
    unsigned count = 0;

    for (; count < chain->n_write && most > 0; count++) {
        struct iovec *iov = &chain->iov[chain->n_read + count];

        iov->iov_len = MIN(iov->iov_len, most);
        most -= iov->iov_len;
    }
    return (int)count;
}

/* Returns: whether the chain was given back; else it waits */
static bool
fill(Rng *rng)
{
    EngineChain *chain = &rng->chain;
    uint64_t most = chain->write_size > 0 ? allowance(rng) : 0;
    ssize_t got = 0;

    if (chain->write_size > 0 && most == 0)
        return false;
    if (most > 0) {
        int count = cut(chain, most);

        got = readv(rng->config->fd, chain->iov + chain->n_read, count);
    }
    if (most > 0 && got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            log_limited(&rng->failures, LOG_LEVEL_WARNING,
                        _("the random source of '%s' fails: %s"),
                        rng->virtio.name,
                        got == 0 ? _("it has ended") : g_strerror(errno));
        wait_ms(rng, RETRY_MS);
        return false;
    }
    rng->spent += (uint64_t)got;
    engine_virtio_push(&rng->virtio, 0, chain, (uint32_t)got);
    return true;
}

static void
work(Rng *rng)
{
    EngineVirtio *virtio = &rng->virtio;

    for (;;) {
        if (!rng->waiting) {
            rng->chain.iov = rng->iov;
            rng->chain.capacity = G_N_ELEMENTS(rng->iov);
            rng->waiting = engine_virtio_pop(virtio, 0, &rng->chain);
        }
        if (!rng->waiting || !fill(rng))
            break;
        rng->waiting = false;
    }
    engine_virtio_notify(virtio, 0);
}

static void
rng_kick(EngineVirtio *virtio, unsigned queue)
{
    EngineQueue *ring = &virtio->queues[queue].ring;

    if (rng_of(virtio)->waiting)
        return;
    do {
        engine_queue_mute(ring);
        work(rng_of(virtio));
    } while (!rng_of(virtio)->waiting && engine_queue_listen(ring));
}

static void
on_timer(void *opaque)
{
    Rng *rng = opaque;
    uint64_t count;

    if (read(rng->timer_fd, &count, sizeof(count)) < 0 || !rng->waiting)
        return;
    work(rng);
    if (!rng->waiting)
        rng_kick(&rng->virtio, 0);
}

static void
rng_reset(EngineVirtio *virtio)
{
    rng_of(virtio)->waiting = false;
}

static const EngineVirtioType rng_virtio = {
    .id = VIRTIO_ID_RNG,
    .class_code = PCI_CLASS,
    .queue_size = QUEUE_SIZE,
    .kick = rng_kick,
    .reset = rng_reset,
};

static bool
rng_open(Rng *rng, GError **error)
{
    rng->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (rng->timer_fd < 0 || !fd_set_nonblocking(rng->config->fd, true)) {
        error_set_errno(error, errno, _("cannot use the random source"));
        return false;
    }
    rng->timer =
        engine_io_add(rng->virtio.io, rng->timer_fd, on_timer, rng, error);
    return rng->timer != NULL;
}

static void
leave_io(void *opaque)
{
    Rng *rng = opaque;

    engine_io_remove(rng->timer);
}

static void
rng_unrealize(EngineDevice *device)
{
    Rng *rng = (Rng *)device;

    if (rng->timer)
        engine_io_call(rng->virtio.io, leave_io, rng);
    fd_clear(&rng->timer_fd);
    engine_virtio_clear(&rng->virtio);
    g_mutex_clear(&rng->failures.lock);
}

static bool
rng_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    Rng *rng = (Rng *)device;
    const EngineDeviceConfig *own = &config->devices[index];

    rng->config = &own->rng;
    rng->timer_fd = -1;
    g_mutex_init(&rng->failures.lock);
    if (!engine_virtio_init(&rng->virtio, &rng_virtio, own, 1, error)) {
        g_mutex_clear(&rng->failures.lock);
        return false;
    }
    if (rng_open(rng, error))
        return true;
    rng_unrealize(device);
    return false;
}

static void
rng_machine_reset(EngineDevice *device)
{
    engine_virtio_reset(&((Rng *)device)->virtio);
}

const EngineDeviceType engine_virtio_rng_type = {
    .name = "virtio-rng",
    .size = sizeof(Rng),
    .realize = rng_realize,
    .unrealize = rng_unrealize,
    .reset = rng_machine_reset,
};
