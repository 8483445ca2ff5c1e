/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/virtio.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sys/eventfd.h>

#include "engine/msi.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define FEATURE(NAME) (1ull << (NAME))
#define COMMON_FEATURES                                               \
    (FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_RING_F_EVENT_IDX) | \
     FEATURE(VIRTIO_RING_F_INDIRECT_DESC))

/* --- the I/O thread's side -------------------------------------------------
 */
static void *
guest_at(void *opaque, uint64_t gpa, size_t size)
{
    return engine_memory_at(opaque, gpa, size);
}

void
engine_virtio_fail(EngineVirtio *virtio, const char *what)
{
    uint8_t before = __atomic_fetch_or(
        &virtio->status, VIRTIO_CONFIG_S_NEEDS_RESET, __ATOMIC_SEQ_CST);

    virtio->live = false;
    /* Whatever the mistake was in: no ring has anything for the device now. */
    for (unsigned i = 0; i < virtio->n_queues; i++)
        if (!virtio->queues[i].ring.mistake)
            virtio->queues[i].ring.mistake = what;
    if (before & VIRTIO_CONFIG_S_NEEDS_RESET)
        return;
    log_limited(&virtio->mistakes, LOG_LEVEL_WARNING,
                _("the guest's driver of '%s' made a mistake; the device waits "
                  "for a reset: %s"),
                virtio->name, _(what));
    if (before & VIRTIO_CONFIG_S_DRIVER_OK)
        engine_virtio_pci_interrupt_config(virtio);
}

bool
engine_virtio_pop(EngineVirtio *virtio, unsigned index, EngineChain *chain)
{
    EngineQueue *ring = &virtio->queues[index].ring;

    if (!virtio->live)
        return false;
    switch (engine_queue_pop(ring, chain)) {
    case ENGINE_POP_CHAIN:
        return true;
    case ENGINE_POP_MISTAKE:
        engine_virtio_fail(virtio, ring->mistake);
        return false;
    case ENGINE_POP_NONE:
        break;
    }
    return false;
}

void
engine_virtio_push(EngineVirtio *virtio, unsigned index,
                   const EngineChain *chain, uint32_t written)
{
    if (virtio->live)
        engine_queue_push(&virtio->queues[index].ring, chain, written);
}

void
engine_virtio_untake(EngineVirtio *virtio, unsigned index,
                     const EngineChain *chain)
{
    if (virtio->live)
        engine_queue_untake(&virtio->queues[index].ring, chain);
}

void
engine_virtio_fill(EngineVirtio *virtio, unsigned index,
                   const EngineChain *chain, uint32_t written)
{
    if (virtio->live)
        engine_queue_fill(&virtio->queues[index].ring, chain, written);
}

void
engine_virtio_flush(EngineVirtio *virtio, unsigned index)
{
    if (virtio->live)
        engine_queue_flush(&virtio->queues[index].ring);
}

void
engine_virtio_again(EngineVirtio *virtio, unsigned index)
{
    (void)eventfd_write(virtio->queues[index].kick_fd, 1);
}

void
engine_virtio_config_changed(EngineVirtio *virtio)
{
    __atomic_fetch_add(&virtio->generation, 1, __ATOMIC_RELAXED);
    if (engine_virtio_status(virtio) & VIRTIO_CONFIG_S_DRIVER_OK)
        engine_virtio_pci_interrupt_config(virtio);
}

void
engine_virtio_notify(EngineVirtio *virtio, unsigned index)
{
    EngineVirtioQueue *queue = &virtio->queues[index];

    if (virtio->live && engine_queue_should_notify(&queue->ring))
        engine_virtio_pci_interrupt_queue(queue);
}

void
engine_virtio_await(EngineVirtio *virtio, unsigned index)
{
    EngineVirtioQueue *queue = &virtio->queues[index];

    if (!virtio->live)
        return;
    engine_queue_mute(&queue->ring);
    engine_io_watch(&queue->watch);
}

static bool
look(void *opaque)
{
    const EngineVirtioQueue *queue = opaque;

    return queue->virtio->live && engine_queue_is_available(&queue->ring);
}

static bool
arm(void *opaque)
{
    EngineVirtioQueue *queue = opaque;

    return queue->virtio->live && engine_queue_listen(&queue->ring);
}

static void
on_found(void *opaque)
{
    EngineVirtioQueue *queue = opaque;

    queue->virtio->type->kick(queue->virtio, queue->index);
}

static void
on_kick(void *opaque)
{
    EngineVirtioQueue *queue = opaque;
    EngineVirtio *virtio = queue->virtio;
    eventfd_t count;

    (void)eventfd_read(queue->kick_fd, &count);
    engine_io_watch_came(&queue->watch);
    if (virtio->live && queue->ring.size > 0)
        virtio->type->kick(virtio, queue->index);
}

static void
start_queue(void *opaque)
{
    EngineVirtioQueue *queue = opaque;
    EngineVirtio *virtio = queue->virtio;
    const EngineGuest guest = { guest_at, virtio->device.engine };

    if (!engine_queue_start(&queue->ring, &guest, &queue->setup,
                            virtio->accepted)) {
        engine_virtio_fail(virtio, queue->ring.mistake);
        return;
    }
    /* Kicks from before are not remembered by the eventfd for ever. */
    if (virtio->live)
        virtio->type->kick(virtio, queue->index);
}

static void
go_live(void *opaque)
{
    EngineVirtio *virtio = opaque;

    if (!(engine_virtio_status(virtio) & VIRTIO_CONFIG_S_FEATURES_OK)) {
        engine_virtio_fail(virtio, N_("it was ready before the features were"));
        return;
    }
    if (engine_virtio_status(virtio) & VIRTIO_CONFIG_S_NEEDS_RESET)
        return;
    virtio->live = true;
    if (virtio->type->start)
        virtio->type->start(virtio);
    for (unsigned i = 0; i < virtio->n_queues; i++)
        if (virtio->live && virtio->queues[i].ring.size > 0)
            virtio->type->kick(virtio, i);
}

static void
stop_queues(void *opaque)
{
    EngineVirtio *virtio = opaque;

    virtio->live = false;
    if (virtio->type->reset)
        virtio->type->reset(virtio);
    for (unsigned i = 0; i < virtio->n_queues; i++) {
        engine_io_unwatch(&virtio->queues[i].watch);
        engine_queue_stop(&virtio->queues[i].ring);
    }
}

/* --- the vCPUs' side -------------------------------------------------------
 */
uint8_t
engine_virtio_status(const EngineVirtio *virtio)
{
    return __atomic_load_n(&virtio->status, __ATOMIC_SEQ_CST);
}

static void
reset_registers(EngineVirtio *virtio)
{
    virtio->accepted = 0;
    virtio->offered_select = virtio->accepted_select = 0;
    virtio->queue_select = 0;
    __atomic_store_n(&virtio->config_vector, ENGINE_MSIX_NO_VECTOR,
                     __ATOMIC_RELAXED);
    for (unsigned i = 0; i < virtio->n_queues; i++) {
        EngineVirtioQueue *queue = &virtio->queues[i];

        queue->enabled = false;
        queue->setup = (EngineQueueSetup){ .size = virtio->queue_size };
        __atomic_store_n(&queue->vector, ENGINE_MSIX_NO_VECTOR,
                         __ATOMIC_RELAXED);
    }
}

/* 2.4: when the status reads 0, nothing is used any more. */
static void
reset(EngineVirtio *virtio)
{
    engine_virtio_pci_listen(virtio, false);
    engine_io_call(virtio->io, stop_queues, virtio);
    reset_registers(virtio);
    engine_virtio_pci_reset(virtio);
    __atomic_store_n(&virtio->status, 0, __ATOMIC_SEQ_CST);
}

/* 2.2.2: a subset of what was offered, and of this century */
static bool
features_are_good(const EngineVirtio *virtio)
{
    return (virtio->accepted & ~virtio->offered) == 0 &&
           (virtio->accepted & FEATURE(VIRTIO_F_VERSION_1));
}

void
engine_virtio_set_status(EngineVirtio *virtio, uint8_t status)
{
    uint8_t before = engine_virtio_status(virtio);

    if (status == 0) {
        reset(virtio);
        return;
    }
    /* Bits stay until a reset (2.1.1); the device's own is not the driver's. */
    status &= (uint8_t)~VIRTIO_CONFIG_S_NEEDS_RESET;
    if (!(before & VIRTIO_CONFIG_S_FEATURES_OK) && !features_are_good(virtio))
        status &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
    __atomic_fetch_or(&virtio->status, status, __ATOMIC_SEQ_CST);
    if (!(status & ~before & VIRTIO_CONFIG_S_DRIVER_OK))
        return;
    engine_virtio_pci_listen(virtio, true);
    engine_io_call(virtio->io, go_live, virtio);
}

void
engine_virtio_enable(EngineVirtioQueue *queue)
{
    if (queue->enabled ||
        !(engine_virtio_status(queue->virtio) & VIRTIO_CONFIG_S_FEATURES_OK))
        return;
    queue->enabled = true;
    engine_io_call(queue->virtio->io, start_queue, queue);
}

/* --- life ------------------------------------------------------------------
 */
static bool
make_queues(EngineVirtio *virtio, unsigned count, GError **error)
{
    g_assert(count > 0 && count <= ENGINE_VIRTIO_QUEUES_MAX);
    virtio->queues = g_new0(EngineVirtioQueue, count);
    virtio->n_queues = count;
    for (unsigned i = 0; i < count; i++) {
        virtio->queues[i].virtio = virtio;
        virtio->queues[i].index = i;
        virtio->queues[i].kick_fd = -1;
        engine_io_watch_init(&virtio->queues[i].watch, virtio->io, look, arm,
                             on_found, &virtio->queues[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        EngineVirtioQueue *queue = &virtio->queues[i];

        queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (queue->kick_fd < 0) {
            error_set_errno(error, errno, _("cannot make an eventfd"));
            return false;
        }
        queue->source =
            engine_io_add(virtio->io, queue->kick_fd, on_kick, queue, error);
        if (!queue->source)
            return false;
    }
    return true;
}

bool
engine_virtio_init(EngineVirtio *virtio, const EngineVirtioType *type,
                   unsigned n_queues, GError **error)
{
    const EngineDeviceConfig *config = virtio->device.config;

    virtio->type = type;
    virtio->name = config->id;
    virtio->offered |= COMMON_FEATURES | type->features |
                       (config->packed ? FEATURE(VIRTIO_F_RING_PACKED) : 0);
    if (virtio->queue_size == 0)
        virtio->queue_size = type->queue_size;
    virtio->bar = virtio->ioevents = ENGINE_PCI_UNMAPPED;
    g_mutex_init(&virtio->lock);
    g_mutex_init(&virtio->isr_lock);
    g_mutex_init(&virtio->mistakes.lock);
    virtio->io = engine_io(virtio->device.engine, config->iothread, error);
    if (virtio->io && make_queues(virtio, n_queues, error)) {
        reset_registers(virtio);
        if (engine_virtio_pci_init(virtio, error))
            return true;
    }
    engine_virtio_clear(virtio);
    return false;
}

static void
leave_io(void *opaque)
{
    EngineVirtio *virtio = opaque;

    stop_queues(virtio);
    for (unsigned i = 0; i < virtio->n_queues; i++)
        engine_io_remove(virtio->queues[i].source);
}

void
engine_virtio_clear(EngineVirtio *virtio)
{
    if (virtio->io && virtio->queues) {
        engine_virtio_pci_listen(virtio, false);
        engine_io_call(virtio->io, leave_io, virtio);
    }
    engine_virtio_pci_clear(virtio);
    for (unsigned i = 0; i < virtio->n_queues; i++)
        fd_clear(&virtio->queues[i].kick_fd);
    g_clear_pointer(&virtio->queues, g_free);
    virtio->n_queues = 0;
    g_mutex_clear(&virtio->mistakes.lock);
    g_mutex_clear(&virtio->isr_lock);
    g_mutex_clear(&virtio->lock);
}

void
engine_virtio_reset(EngineVirtio *virtio)
{
    g_mutex_lock(&virtio->lock);
    reset(virtio);
    g_mutex_unlock(&virtio->lock);
    engine_msix_reset(&virtio->msix);
    engine_pci_reset(&virtio->pci);
}
