/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/blk.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/eventfd.h>

#include "engine/msi.h"
#include "engine/virtio/devices.h"

#define PCI_CLASS 0x010000 /* mass storage, SCSI: what drivers are used to */
#define SOON_NS   1        /* in the past: at the end of this wake-up */

/* Of one range, in sectors: what 32 bits hold, by the greatest block. */
#define RANGE_SECTORS_MAX (UINT32_MAX / 8 * 8)

#define FEATURE(NAME) (1ull << VIRTIO_BLK_F_##NAME)

static Blk *
blk_of(EngineVirtio *virtio)
{
    return (Blk *)virtio;
}

/* --- one wake-up ---------------------------------------------------------- */
int64_t
blk_now(Blk *blk)
{
    if (blk->now_ns == 0) {
        blk->now_ns = engine_io_now();
        blk_at_end(blk);
    }
    return blk->now_ns;
}

void
blk_at_end(Blk *blk)
{
    if (blk->end.deadline_ns == 0)
        engine_io_timer_set(&blk->end, SOON_NS);
}

static void
notify(Blk *blk)
{
    uint32_t pushed = blk->pushed;

    blk->pushed = 0;
    for (unsigned i = 0; pushed >> i; i++) {
        if (!(pushed & 1u << i))
            continue;
        engine_virtio_notify(&blk->virtio, i);
        /* The answer to a completion is often the next request. */
        if (!(blk->hungry & 1u << i))
            engine_virtio_await(&blk->virtio, i);
    }
}

/* By way of their kicks, so that other devices have their turn. */
static void
feed_hungry(const Blk *blk)
{
    if (blk->in_flight >= BLK_FLIGHT_MAX)
        return;
    for (unsigned i = 0; blk->hungry >> i; i++)
        if (blk->hungry & 1u << i)
            (void)eventfd_write(blk->virtio.queues[i].kick_fd, 1);
}

static void
on_end(void *opaque)
{
    Blk *blk = opaque;

    blk->now_ns = 0;
    engine_block_kick(blk->block);
    notify(blk);
    feed_hungry(blk);
}

static void
blk_kick(EngineVirtio *virtio, unsigned queue)
{
    blk_serve(blk_of(virtio), queue);
}

/* --- configuration (5.2.4) ------------------------------------------------ */
void
blk_set_capacity(Blk *blk, uint64_t size)
{
    uint64_t blocks = size / blk->config->logical_block_size;

    __atomic_store_n(&blk->capacity,
                     blocks * (blk->config->logical_block_size / BLK_SECTOR),
                     __ATOMIC_RELAXED);
}

static unsigned
physical_exponent(const EngineBlkConfig *config)
{
    unsigned exponent = 0;

    while (config->logical_block_size << exponent < config->physical_block_size)
        exponent++;
    return exponent;
}

static void
blk_config_read(EngineVirtio *virtio, uint8_t *config, size_t size)
{
    const Blk *blk = blk_of(virtio);
    const EngineBlkConfig *from = blk->config;
    unsigned exponent = physical_exponent(from);
    struct virtio_blk_config to = {
        .capacity = __atomic_load_n(&blk->capacity, __ATOMIC_RELAXED),
        .seg_max = from->queue_size - 2, /* the header and the status */
        .blk_size = from->logical_block_size,
        .physical_block_exp = (uint8_t)exponent,
        .min_io_size = (uint16_t)(1u << exponent),
        .wce = __atomic_load_n(&blk->writeback, __ATOMIC_RELAXED),
        .num_queues = (uint16_t)virtio->n_queues,
        .max_discard_sectors = RANGE_SECTORS_MAX,
        .max_discard_seg = BLK_RANGES_MAX,
        .discard_sector_alignment = blk->discard_granularity / BLK_SECTOR,
        .max_write_zeroes_sectors = RANGE_SECTORS_MAX,
        .max_write_zeroes_seg = BLK_RANGES_MAX,
        .write_zeroes_may_unmap = from->discard,
    };

    memcpy(config, &to, MIN(size, sizeof(to)));
}

static void
blk_config_write(EngineVirtio *virtio, unsigned offset, unsigned size,
                 uint64_t value)
{
    if (offset == offsetof(struct virtio_blk_config, wce) && size == 1 &&
        (virtio->accepted & FEATURE(CONFIG_WCE)))
        __atomic_store_n(&blk_of(virtio)->writeback, value & 1,
                         __ATOMIC_RELAXED);
}

/* 5.2.5.2: a driver that knows of no flush trusts every write. */
bool
blk_writes_back(const Blk *blk)
{
    uint64_t accepted = blk->virtio.accepted;

    if (blk->config->ignore_flush)
        return true;
    if (!blk->config->write_cache)
        return false;
    if (accepted & FEATURE(CONFIG_WCE))
        return __atomic_load_n(&blk->writeback, __ATOMIC_RELAXED);
    return accepted & FEATURE(FLUSH);
}

static uint64_t
features_of(const Blk *blk)
{
    const EngineBlkConfig *config = blk->config;
    uint64_t features =
        FEATURE(SEG_MAX) | FEATURE(BLK_SIZE) | FEATURE(TOPOLOGY);

    if (config->queues > 1)
        features |= FEATURE(MQ);
    if (config->write_cache)
        features |= FEATURE(FLUSH) | FEATURE(CONFIG_WCE);
    if (blk->read_only)
        return features | FEATURE(RO);
    if (config->discard)
        features |= FEATURE(DISCARD);
    return features | FEATURE(WRITE_ZEROES);
}

/* --- stopping and going on ------------------------------------------------ */
static void
forget_list(BlkList *list)
{
    BlkRequest *request;

    while ((request = blk_list_take(list)))
        blk_forget(request);
}

/* The queues are dead already: what comes back is forgotten. */
static void
blk_reset(EngineVirtio *virtio)
{
    Blk *blk = blk_of(virtio);

    engine_block_drain(blk->block);
    engine_throttle_cancel(&blk->throttle);
    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        forget_list(&blk->waiting[way]);
    forget_list(&blk->held);
    blk->hungry = blk->pushed = 0;
    __atomic_store_n(&blk->error, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&blk->writeback, true, __ATOMIC_RELAXED);
}

static void
drain_here(void *opaque)
{
    Blk *blk = opaque;

    engine_block_drain(blk->block);
    notify(blk);
}

static void
blk_drain(EngineDevice *device)
{
    Blk *blk = (Blk *)device;

    engine_io_call(blk->virtio.io, drain_here, blk);
}

static void
resume_here(void *opaque)
{
    blk_retry(opaque);
}

static void
blk_resume(EngineDevice *device)
{
    Blk *blk = (Blk *)device;

    engine_io_call(blk->virtio.io, resume_here, blk);
}

/* --- life ----------------------------------------------------------------- */
static const EngineVirtioType blk_virtio = {
    .id = VIRTIO_ID_BLOCK,
    .class_code = PCI_CLASS,
    .kick = blk_kick,
    .reset = blk_reset,
    .config_read = blk_config_read,
    .config_write = blk_config_write,
};

static void
clear(Blk *blk)
{
    engine_block_close(blk->block);
    g_free(blk->iov);
    g_mutex_clear(&blk->failures.log.lock);
}

static void
stop_timer(void *opaque)
{
    Blk *blk = opaque;

    engine_io_timer_set(&blk->end, 0);
}

static void
blk_unrealize(EngineDevice *device)
{
    Blk *blk = (Blk *)device;
    EngineIo *io = blk->virtio.io;

    engine_virtio_clear(&blk->virtio);
    engine_throttle_clear(&blk->throttle,
                          engine_throttle_groups(device->engine));
    engine_io_call(io, stop_timer, blk);
    clear(blk);
}

static bool
open_image(Blk *blk, EngineIo *io, GError **error)
{
    EngineBlockInfo info;

    blk->block = engine_block_open(&blk->config->drive, io, error);
    if (!blk->block)
        return false;
    engine_block_info(blk->block, &info);
    blk->read_only = blk->config->readonly || info.read_only;
    blk->discard_granularity =
        MAX(info.discard_granularity, blk->config->logical_block_size);
    blk_set_capacity(blk, info.size);
    return true;
}

static bool
blk_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    Blk *blk = (Blk *)device;
    EngineIo *io = engine_io(engine, device->config->iothread, error);

    blk->config = &device->config->blk;
    blk->writeback = true;
    if (!io || !open_image(blk, io, error))
        return false;
    blk->iov = g_new(struct iovec, blk->config->queue_size);
    blk_list_init(&blk->held);
    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        blk_list_init(&blk->waiting[way]);
    engine_throttle_init(&blk->throttle, io, blk_ready, blk);
    g_mutex_init(&blk->failures.log.lock);
    engine_io_timer_init(&blk->end, io, on_end, blk);
    blk->virtio.offered = features_of(blk);
    blk->virtio.queue_size = (uint16_t)blk->config->queue_size;
    if (engine_throttle_set(&blk->throttle, engine_throttle_groups(engine),
                            &blk->config->throttle, error) &&
        engine_virtio_init(&blk->virtio, &blk_virtio, blk->config->queues,
                           error))
        return true;
    engine_throttle_clear(&blk->throttle, engine_throttle_groups(engine));
    clear(blk);
    return false;
}

static void
blk_machine_reset(EngineDevice *device)
{
    engine_virtio_reset(&((Blk *)device)->virtio);
}

const EngineDeviceType engine_virtio_blk_type = {
    .name = "virtio-blk",
    .size = sizeof(Blk),
    .realize = blk_realize,
    .unrealize = blk_unrealize,
    .reset = blk_machine_reset,
    .drain = blk_drain,
    .resume = blk_resume,
};
