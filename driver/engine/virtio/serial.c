/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/virtio/serial.h"

#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "engine/virtio/devices.h"

#define QUEUE_SIZE 64
#define PCI_CLASS  0x078000           /* another communication controller */
#define CHANGE_NS  INT64_C(100000000) /* between events, at least */
#define MULTIPORT  (1ull << VIRTIO_CONSOLE_F_MULTIPORT)

static Serial *
serial_of(EngineVirtio *virtio)
{
    return (Serial *)virtio;
}

SerialPort *
serial_port_of_queue(Serial *serial, unsigned queue)
{
    for (unsigned i = 0; i < serial->n_ports; i++)
        if (serial->ports[i].rx == queue || serial->ports[i].tx == queue)
            return &serial->ports[i];
    return NULL;
}

size_t
serial_gather(const EngineChain *chain, size_t skip, void *buffer, size_t size)
{
    size_t done = 0;

    for (unsigned i = 0; i < chain->n_read && done < size; i++) {
        const struct iovec *iov = &chain->iov[i];
        size_t part;

        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        part = MIN(iov->iov_len - skip, size - done);
        memcpy((uint8_t *)buffer + done, (uint8_t *)iov->iov_base + skip, part);
        done += part;
        skip = 0;
    }
    return done;
}

/* --- what the guest has open ---------------------------------------------- */
/* However often a guest opens and closes: events come ten times a second. */
static void
on_change(void *opaque)
{
    Serial *serial = opaque;
    int64_t now = engine_io_now(), due = serial->change_ns + CHANGE_NS;

    if (serial->change_ns > 0 && now < due) {
        engine_io_timer_set(&serial->change, due);
        return;
    }
    for (unsigned i = 0; i < serial->n_ports; i++) {
        SerialPort *port = &serial->ports[i];

        if (port->told == port->guest_open)
            continue;
        port->told = port->guest_open;
        serial->change_ns = now;
        engine_event_post(serial->virtio.device.engine, "VSERPORT_CHANGE",
                          json_pack("{s:o,s:i,s:b}", "id",
                                    engine_text(serial->virtio.name), "port",
                                    (int)port->config->number, "open",
                                    (int)port->told));
    }
}

void
serial_set_guest_open(SerialPort *port, bool open)
{
    if (port->guest_open == open)
        return;
    __atomic_store_n(&port->guest_open, open, __ATOMIC_RELEASE);
    if (!open)
        serial_port_empty(port);
    on_change(port->serial);
    engine_chardev_poll_input(port->chardev);
}

/* --- queues --------------------------------------------------------------- */
static void
serial_kick(EngineVirtio *virtio, unsigned queue)
{
    Serial *serial = serial_of(virtio);
    SerialPort *port = serial_port_of_queue(serial, queue);

    if (queue == SERIAL_CONTROL_RX)
        serial_control_give(serial);
    else if (queue == SERIAL_CONTROL_TX)
        serial_control_take(serial);
    else if (port && port->rx == queue)
        serial_port_give(port);
    else if (port)
        serial_port_take(port);
}

/* 5.3.3: a driver that knows of one port only has it open. */
static void
serial_start(EngineVirtio *virtio)
{
    Serial *serial = serial_of(virtio);
    SerialPort *port = serial_port_of_queue(serial, 0);

    if (port && !(virtio->accepted & MULTIPORT))
        serial_set_guest_open(port, true);
}

static void
serial_reset(EngineVirtio *virtio)
{
    Serial *serial = serial_of(virtio);

    for (unsigned i = 0; i < serial->n_ports; i++) {
        SerialPort *port = &serial->ports[i];

        if (!port->chardev)
            continue;
        port->ready = port->said_open = port->out_waits = false;
        port->messages = 0;
        serial_set_guest_open(port, false);
    }
}

static void
serial_config_read(EngineVirtio *virtio, uint8_t *config, size_t size)
{
    const struct virtio_console_config values = {
        .max_nr_ports = virtio->n_queues / 2 - 1
    };

    memcpy(config, &values, MIN(size, sizeof(values)));
}

/* --- life ----------------------------------------------------------------- */
static const EngineVirtioType serial_virtio = {
    .id = VIRTIO_ID_CONSOLE,
    .class_code = PCI_CLASS,
    .features = MULTIPORT,
    .queue_size = QUEUE_SIZE,
    .start = serial_start,
    .kick = serial_kick,
    .reset = serial_reset,
    .config_read = serial_config_read,
};

static void
close_ports(Serial *serial)
{
    for (unsigned i = 0; i < serial->n_ports; i++)
        serial_port_close(&serial->ports[i]);
    g_clear_pointer(&serial->ports, g_free);
    serial->n_ports = 0;
}

static void
stop_timer(void *opaque)
{
    Serial *serial = opaque;

    engine_io_timer_set(&serial->change, 0);
}

static void
serial_unrealize(EngineDevice *device)
{
    Serial *serial = (Serial *)device;
    EngineIo *io = serial->virtio.io;

    engine_virtio_clear(&serial->virtio);
    engine_io_call(io, stop_timer, serial);
    close_ports(serial);
    g_mutex_clear(&serial->oddities.lock);
}

/* Queues are there for every port up to the highest number. */
static unsigned
count_queues(const EngineVirtioSerialConfig *config)
{
    unsigned ports = 1;

    for (unsigned i = 0; i < config->n_ports; i++)
        ports = MAX(ports, config->ports[i]->number + 1);
    return 2 * ports + 2;
}

static bool
open_ports(Serial *serial, const EngineVirtioSerialConfig *config,
           GError **error)
{
    serial->ports = g_new0(SerialPort, config->n_ports);
    serial->n_ports = config->n_ports;
    for (unsigned i = 0; i < config->n_ports; i++)
        if (!serial_port_open(&serial->ports[i], serial, config->ports[i],
                              error))
            return false;
    return true;
}

static bool
serial_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
               unsigned index, GError **error)
{
    Serial *serial = (Serial *)device;
    const EngineVirtioSerialConfig *own = &device->config->serial;

    if (!open_ports(serial, own, error) ||
        !engine_virtio_init(&serial->virtio, &serial_virtio, count_queues(own),
                            error)) {
        close_ports(serial);
        return false;
    }
    g_mutex_init(&serial->oddities.lock);
    engine_io_timer_init(&serial->change, serial->virtio.io, on_change, serial);
    return true;
}

static void
serial_machine_reset(EngineDevice *device)
{
    engine_virtio_reset(&((Serial *)device)->virtio);
}

const EngineDeviceType engine_virtio_serial_type = {
    .name = "virtio-serial",
    .size = sizeof(Serial),
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .reset = serial_machine_reset,
};
