/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/virtio/serial.h"

#define PIECE_BYTES 1024
#define TURN_BYTES  (1u << 20) /* at once, then others have their turn */

/* --- from the guest ------------------------------------------------------- */
/* Hands over what the host's end has room for; where nobody is, nobody gets
 * it. Returns: whether that was all */
static bool
hand_over(SerialPort *port)
{
    uint8_t piece[PIECE_BYTES];
    size_t end = port->out_done + TURN_BYTES;

    while (__atomic_load_n(&port->host_open, __ATOMIC_ACQUIRE)) {
        size_t room = engine_chardev_room(port->chardev);
        size_t size = serial_gather(&port->out, port->out_done, piece,
                                    MIN(room, sizeof(piece)));

        if (port->out_done == port->out.read_size)
            return true;
        if (size == 0)
            return false;
        engine_chardev_write(port->chardev, piece, size);
        port->out_done += size;
        if (port->out_done >= end && port->out_done < port->out.read_size) {
            engine_virtio_again(&port->serial->virtio, port->tx);
            return false;
        }
    }
    return true;
}

void
serial_port_take(SerialPort *port)
{
    EngineVirtio *virtio = &port->serial->virtio;
    EngineQueue *ring = &virtio->queues[port->tx].ring;

    do {
        engine_queue_mute(ring);
        for (;;) {
            port->out.iov = port->out_iov;
            port->out.capacity = SERIAL_BUFFERS;
            if (!port->out_waits) {
                port->out_done = 0;
                port->out_waits =
                    engine_virtio_pop(virtio, port->tx, &port->out);
            }
            if (!port->out_waits || !hand_over(port))
                break;
            port->out_waits = false;
            engine_virtio_push(virtio, port->tx, &port->out, 0);
        }
        engine_virtio_notify(virtio, port->tx);
    } while (!port->out_waits && engine_queue_listen(ring));
}

/* --- to the guest --------------------------------------------------------- */
/* Returns: how many bytes the buffers got */
static uint32_t
fill(SerialPort *port, const EngineChain *chain)
{
    size_t done = 0;

    g_mutex_lock(&port->lock);
    for (unsigned i = 0; i < chain->n_write && done < port->inbox_used; i++) {
        const struct iovec *iov = &chain->iov[chain->n_read + i];
        size_t size = MIN(iov->iov_len, port->inbox_used - done);

        memcpy(iov->iov_base, port->inbox + done, size);
        done += size;
    }
    port->inbox_used -= done;
    memmove(port->inbox, port->inbox + done, port->inbox_used);
    g_mutex_unlock(&port->lock);
    return (uint32_t)done;
}

static bool
has_input(SerialPort *port)
{
    bool has;

    g_mutex_lock(&port->lock);
    has = port->inbox_used > 0;
    g_mutex_unlock(&port->lock);
    return has;
}

void
serial_port_give(SerialPort *port)
{
    EngineVirtio *virtio = &port->serial->virtio;
    EngineQueue *ring = &virtio->queues[port->rx].ring;
    EngineChain chain = { .iov = port->serial->iov,
                          .capacity = SERIAL_BUFFERS };

    do {
        engine_queue_mute(ring);
        while (has_input(port) && engine_virtio_pop(virtio, port->rx, &chain))
            engine_virtio_push(virtio, port->rx, &chain, fill(port, &chain));
        engine_virtio_notify(virtio, port->rx);
        engine_chardev_poll_input(port->chardev);
    } while (has_input(port) && virtio->live && engine_queue_listen(ring));
}

void
serial_port_empty(SerialPort *port)
{
    g_mutex_lock(&port->lock);
    port->inbox_used = 0;
    g_mutex_unlock(&port->lock);
}

/* --- the host's end; thread: main ----------------------------------------- */
static size_t
can_receive(void *opaque)
{
    SerialPort *port = opaque;
    size_t room;

    if (!__atomic_load_n(&port->guest_open, __ATOMIC_ACQUIRE))
        return 0;
    g_mutex_lock(&port->lock);
    room = sizeof(port->inbox) - port->inbox_used;
    g_mutex_unlock(&port->lock);
    return room;
}

static void
receive(void *opaque, const uint8_t *data, size_t size)
{
    SerialPort *port = opaque;

    g_mutex_lock(&port->lock);
    size = MIN(size, sizeof(port->inbox) - port->inbox_used);
    memcpy(port->inbox + port->inbox_used, data, size);
    port->inbox_used += size;
    g_mutex_unlock(&port->lock);
    engine_virtio_again(&port->serial->virtio, port->rx);
}

static void
connected(void *opaque, bool on)
{
    SerialPort *port = opaque;

    __atomic_store_n(&port->host_open, on, __ATOMIC_RELEASE);
    engine_virtio_again(&port->serial->virtio, SERIAL_CONTROL_RX);
    engine_virtio_again(&port->serial->virtio, port->tx);
}

static void
writable(void *opaque)
{
    SerialPort *port = opaque;

    engine_virtio_again(&port->serial->virtio, port->tx);
}

bool
serial_port_open(SerialPort *port, Serial *serial,
                 const EnginePortConfig *config, GError **error)
{
    static const EngineChardevHandlers handlers = {
        .can_receive = can_receive,
        .receive = receive,
        .connected = connected,
        .writable = writable,
    };

    port->serial = serial;
    port->config = config;
    port->rx = config->number == 0 ? 0 : 2 + 2 * config->number;
    port->tx = port->rx + 1;
    port->host_open = config->chardev.type != ENGINE_CHARDEV_LISTEN;
    g_mutex_init(&port->lock);
    port->chardev =
        engine_chardev_new(&config->chardev, &handlers, port, error);
    return port->chardev != NULL;
}

void
serial_port_close(SerialPort *port)
{
    if (!port->serial)
        return;
    g_clear_pointer(&port->chardev, engine_chardev_free);
    g_mutex_clear(&port->lock);
}
