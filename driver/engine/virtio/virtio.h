/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/dev/msix.h"
#include "engine/dev/pci.h"
#include "engine/io.h"
#include "engine/virtio/queue.h"
#include "util/log.h"

/*
 * What all virtio devices have in common (virtio 1.2, section 2): status,
 * features, queues, configuration, reset; modern only. The transport is
 * virtio-pci.c. A device is one file: its struct begins with an EngineVirtio,
 * its EngineDeviceType calls engine_virtio_init() from realize.
 *
 * Threads: the guest's accesses come on vCPU threads and are serialised by the
 * lock. All that touches a queue's ring runs on the device's I/O thread; what
 * vCPUs ask of it (start, reset) they have called there and wait for, so the
 * rings need no lock. While the domain is paused no ring is touched.
 */
#define ENGINE_VIRTIO_QUEUES_MAX   64
#define ENGINE_VIRTIO_CONFIG_BYTES 4096 /* of a device's configuration */

typedef struct EngineVirtio EngineVirtio;

typedef struct EngineVirtioType {
    uint16_t id;         /* virtio 1.2, section 5 */
    uint32_t class_code; /* PCI */
    uint64_t features;   /* beside those of every device */
    uint16_t queue_size; /* entries at most */
    /** The driver is ready: virtio->accepted is what it takes. May be NULL.
     * Thread: I/O, before any kick */
    void (*start)(EngineVirtio *virtio);
    /** There may be something in queue @queue. Thread: I/O */
    void (*kick)(EngineVirtio *virtio, unsigned queue);
    /** Forget all requests; their memory is not to be touched any more. May
     * be NULL. Thread: I/O */
    void (*reset)(EngineVirtio *virtio);
    /** Bytes of the configuration, zeroed before; NULL: it has none.
     * Thread: vCPU, with the lock held */
    void (*config_read)(EngineVirtio *virtio, uint8_t *config, size_t size);
    /** The driver writes @size (1 to 8) bytes of the configuration; NULL: it
     * can write nothing. Thread: vCPU, with the lock held */
    void (*config_write)(EngineVirtio *virtio, unsigned offset, unsigned size,
                         uint64_t value);
} EngineVirtioType;

typedef struct EngineVirtioQueue {
    EngineVirtio *virtio;
    unsigned index;
    EngineQueue ring; /* the I/O thread's */
    EngineIoSource *source;
    EngineIoWatch watch;
    int kick_fd;
    EngineQueueSetup setup; /* under the lock, as the next one */
    bool enabled;
    uint16_t vector; /* atomic */
} EngineVirtioQueue;

struct EngineVirtio {
    EngineDevice device;
    const EngineVirtioType *type;
    const char *name; /* of the device in the domain: rng0 */
    EngineIo *io;
    EnginePciFunction pci;
    EngineMsix msix;
    EngineVirtioQueue *queues;
    unsigned n_queues;
    uint64_t offered;    /* features */
    uint16_t queue_size; /* entries at most */
    LogLimit mistakes;

    GMutex lock;
    uint64_t accepted;
    uint32_t offered_select, accepted_select;
    uint16_t queue_select;
    uint64_t bar;      /* where it is, or ENGINE_PCI_UNMAPPED */
    uint64_t ioevents; /* the BAR for which they are set, or that */

    uint8_t status;         /* atomic; only the I/O thread sets NEEDS_RESET */
    uint8_t generation;     /* atomic */
    uint16_t config_vector; /* atomic */
    GMutex isr_lock;        /* of the next one and the pin */
    uint8_t isr;
    bool live; /* the I/O thread's: the driver is ready and made no mistake */
};

/**
 * engine_virtio_init: put the device on the bus; from realize
 * @virtio: zeroed but for .device, .offered (what it offers beside its type)
 * and .queue_size (0: the type's)
 * @error: as engine_pci_add(); SYSTEM_ERROR
 * Returns: false with all undone
 */
bool engine_virtio_init(EngineVirtio *virtio, const EngineVirtioType *type,
                        unsigned n_queues, GError **error);
/** engine_virtio_clear: from unrealize */
void engine_virtio_clear(EngineVirtio *virtio);
/** engine_virtio_reset: from the device's reset */
void engine_virtio_reset(EngineVirtio *virtio);

/* --- for devices; thread: I/O --------------------------------------------- */
/** engine_virtio_pop: as engine_queue_pop(); a mistake is dealt with
 * Returns: whether there is a request */
bool engine_virtio_pop(EngineVirtio *virtio, unsigned queue,
                       EngineChain *chain);
/** engine_virtio_untake: the chain that was popped last waits in the ring */
void engine_virtio_untake(EngineVirtio *virtio, unsigned queue,
                          const EngineChain *chain);
void engine_virtio_push(EngineVirtio *virtio, unsigned queue,
                        const EngineChain *chain, uint32_t written);
/** engine_virtio_fill, _flush: as those of the queue */
void engine_virtio_fill(EngineVirtio *virtio, unsigned queue,
                        const EngineChain *chain, uint32_t written);
void engine_virtio_flush(EngineVirtio *virtio, unsigned queue);
/** engine_virtio_notify: after pushes: interrupt the guest if it wants that */
void engine_virtio_notify(EngineVirtio *virtio, unsigned queue);
/** engine_virtio_again: call the device's kick() for @queue once more, after
 * what else the thread has to do */
void engine_virtio_again(EngineVirtio *virtio, unsigned queue);
/** engine_virtio_await: nothing is there now: call the device's kick() when
 * there is. Whether the driver has to kick is decided when the thread sleeps:
 * instead of engine_queue_listen() where requests follow each other closely. */
void engine_virtio_await(EngineVirtio *virtio, unsigned queue);
/** engine_virtio_config_changed: tell the driver. Thread: any */
void engine_virtio_config_changed(EngineVirtio *virtio);
/** engine_virtio_fail: the driver made a mistake: nothing more until it resets
 * @what: untranslated */
void engine_virtio_fail(EngineVirtio *virtio, const char *what);

/* --- for the transport; thread: vCPU, with the lock held -------------------
 */
/** engine_virtio_set_status: 0 resets */
void engine_virtio_set_status(EngineVirtio *virtio, uint8_t status);
uint8_t engine_virtio_status(const EngineVirtio *virtio);
/** engine_virtio_enable: the queue's setup is complete */
void engine_virtio_enable(EngineVirtioQueue *queue);

/* --- what the transport does -----------------------------------------------
 */
bool engine_virtio_pci_init(EngineVirtio *virtio, GError **error);
void engine_virtio_pci_clear(EngineVirtio *virtio);
void engine_virtio_pci_reset(EngineVirtio *virtio);
/** Thread: any. engine_virtio_pci_interrupt_config: something of the
 * configuration or the status has changed */
void engine_virtio_pci_interrupt_queue(EngineVirtioQueue *queue);
void engine_virtio_pci_interrupt_config(EngineVirtio *virtio);
/** engine_virtio_pci_listen: kicks go straight to the I/O thread, or (false)
 * no longer. Needs the lock. */
void engine_virtio_pci_listen(EngineVirtio *virtio, bool on);
