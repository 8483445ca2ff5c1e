/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <linux/virtio_ids.h>
#include <sys/uio.h>

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
#define NS_PER_MS   1000000
#define US_PER_MS   1000
#define PCI_CLASS   0x00ff00 /* no class of its own */

typedef struct Rng {
    EngineVirtio virtio;
    const EngineRngConfig *config;
    EngineIoTimer timer; /* the I/O thread's, as all below */
    LogLimit failures;
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
    engine_io_timer_set(&rng->timer, engine_io_now() + ms * NS_PER_MS);
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
    if (!rng->waiting)
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

static void
stop_timer(void *opaque)
{
    Rng *rng = opaque;

    engine_io_timer_set(&rng->timer, 0);
}

static void
rng_unrealize(EngineDevice *device)
{
    Rng *rng = (Rng *)device;

    engine_io_call(rng->virtio.io, stop_timer, rng);
    engine_virtio_clear(&rng->virtio);
    g_mutex_clear(&rng->failures.lock);
}

static bool
rng_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    Rng *rng = (Rng *)device;

    rng->config = &device->config->rng;
    if (!fd_set_nonblocking(rng->config->fd, true)) {
        error_set_errno(error, errno, _("cannot use the random source"));
        return false;
    }
    if (!engine_virtio_init(&rng->virtio, &rng_virtio, 1, error))
        return false;
    g_mutex_init(&rng->failures.lock);
    engine_io_timer_init(&rng->timer, rng->virtio.io, on_timer, rng);
    return true;
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
