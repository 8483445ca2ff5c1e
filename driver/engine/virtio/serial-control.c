/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/virtio_console.h>
#include <string.h>

#include "engine/virtio/serial.h"
#include "util/i18n.h"

/* What a port's driver is still to be told, in the order of the bits: there is
 * one of each at most, however often the driver asks. */
#define BIT(MESSAGE) (1u << VIRTIO_CONSOLE_##MESSAGE)

static const struct {
    unsigned bit;
    uint16_t event;
} order[] = {
    { BIT(PORT_ADD), VIRTIO_CONSOLE_PORT_ADD },
    { BIT(CONSOLE_PORT), VIRTIO_CONSOLE_CONSOLE_PORT },
    { BIT(PORT_NAME), VIRTIO_CONSOLE_PORT_NAME },
    { BIT(PORT_OPEN), VIRTIO_CONSOLE_PORT_OPEN },
};

static SerialPort *
find_port(Serial *serial, uint32_t number)
{
    for (unsigned i = 0; i < serial->n_ports; i++)
        if (serial->ports[i].config->number == number)
            return &serial->ports[i];
    return NULL;
}

/* --- from the driver ------------------------------------------------------ */
static void
port_ready(SerialPort *port, bool ready)
{
    port->ready = ready;
    port->said_open = false;
    port->messages = 0;
    if (!ready)
        return;
    if (port->config->console) {
        port->messages |= BIT(CONSOLE_PORT);
        serial_set_guest_open(port, true);
    }
    if (port->config->name)
        port->messages |= BIT(PORT_NAME);
}

static void
device_ready(Serial *serial, bool ready)
{
    for (unsigned i = 0; i < serial->n_ports; i++)
        serial->ports[i].messages = ready ? BIT(PORT_ADD) : 0;
}

static void
obey(Serial *serial, const struct virtio_console_control *message)
{
    SerialPort *port = find_port(serial, message->id);

    if (message->event == VIRTIO_CONSOLE_DEVICE_READY)
        device_ready(serial, message->value == 1);
    else if (port && message->event == VIRTIO_CONSOLE_PORT_READY)
        port_ready(port, message->value == 1);
    else if (port && message->event == VIRTIO_CONSOLE_PORT_OPEN)
        serial_set_guest_open(port, message->value != 0);
    else
        log_limited(&serial->oddities, LOG_LEVEL_WARNING,
                    _("the guest's driver of '%s' says something that nobody "
                      "understands"),
                    serial->virtio.name);
}

void
serial_control_take(Serial *serial)
{
    EngineVirtio *virtio = &serial->virtio;
    EngineQueue *ring = &virtio->queues[SERIAL_CONTROL_TX].ring;
    EngineChain chain = { .iov = serial->iov, .capacity = SERIAL_BUFFERS };

    do {
        engine_queue_mute(ring);
        while (engine_virtio_pop(virtio, SERIAL_CONTROL_TX, &chain)) {
            struct virtio_console_control message;

            if (serial_gather(&chain, 0, &message, sizeof(message)) ==
                sizeof(message))
                obey(serial, &message);
            engine_virtio_push(virtio, SERIAL_CONTROL_TX, &chain, 0);
        }
        engine_virtio_notify(virtio, SERIAL_CONTROL_TX);
    } while (engine_queue_listen(ring));
    serial_control_give(serial);
}

/* --- to the driver -------------------------------------------------------- */
static size_t
compose(SerialPort *port, uint16_t event, uint8_t *buffer, size_t size)
{
    struct virtio_console_control message = { .id = port->config->number,
                                              .event = event,
                                              .value = 1 };
    size_t length = 0;

    if (event == VIRTIO_CONSOLE_PORT_OPEN) {
        port->said_open = __atomic_load_n(&port->host_open, __ATOMIC_ACQUIRE);
        message.value = port->said_open;
    } else if (event == VIRTIO_CONSOLE_PORT_NAME) {
        length = MIN(strlen(port->config->name), size - sizeof(message));
        memcpy(buffer + sizeof(message), port->config->name, length);
    }
    memcpy(buffer, &message, sizeof(message));
    return sizeof(message) + length;
}

/* Returns: how many bytes went into the driver's buffers */
static uint32_t
scatter(const EngineChain *chain, const uint8_t *data, size_t size)
{
    size_t done = 0;

    for (unsigned i = 0; i < chain->n_write && done < size; i++) {
        const struct iovec *iov = &chain->iov[chain->n_read + i];
        size_t part = MIN(iov->iov_len, size - done);

        memcpy(iov->iov_base, data + done, part);
        done += part;
    }
    return (uint32_t)done;
}

/* Returns: whether there was room for it */
static bool
say(SerialPort *port, uint16_t event)
{
    EngineVirtio *virtio = &port->serial->virtio;
    EngineChain chain = { .iov = port->serial->iov,
                          .capacity = SERIAL_BUFFERS };
    uint8_t text[SERIAL_CONTROL_BYTES + 256];
    size_t size;

    if (!engine_virtio_pop(virtio, SERIAL_CONTROL_RX, &chain))
        return false;
    size = compose(port, event, text, sizeof(text));
    engine_virtio_push(virtio, SERIAL_CONTROL_RX, &chain,
                       scatter(&chain, text, size));
    return true;
}

static void
say_all(SerialPort *port)
{
    bool open = __atomic_load_n(&port->host_open, __ATOMIC_ACQUIRE);

    if (port->ready && open != port->said_open)
        port->messages |= BIT(PORT_OPEN);
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        if (!(port->messages & order[i].bit))
            continue;
        if (!say(port, order[i].event))
            return;
        port->messages &= ~order[i].bit;
    }
}

static bool
has_messages(const Serial *serial)
{
    for (unsigned i = 0; i < serial->n_ports; i++)
        if (serial->ports[i].messages != 0)
            return true;
    return false;
}

void
serial_control_give(Serial *serial)
{
    EngineVirtio *virtio = &serial->virtio;
    EngineQueue *ring = &virtio->queues[SERIAL_CONTROL_RX].ring;

    do {
        engine_queue_mute(ring);
        for (unsigned i = 0; i < serial->n_ports; i++)
            say_all(&serial->ports[i]);
        engine_virtio_notify(virtio, SERIAL_CONTROL_RX);
    } while (has_messages(serial) && engine_queue_listen(ring));
}
