/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/chardev.h"
#include "engine/virtio/virtio.h"

/*
 * The console device with several ports (virtio 1.2, 5.3): bytes to and from
 * character devices (serial-port.c), and a pair of queues on which both sides
 * say which ports there are, what they are called and who has opened them
 * (serial-control.c).
 *
 * Threads: the I/O thread's unless it says otherwise. The main thread, where
 * the character devices live, leaves what the guest is to get in a port's inbox
 * and has the queue looked at; so no ring is touched while the domain stands
 * still.
 */
#define SERIAL_BUFFERS       32 /* of one request */
#define SERIAL_INBOX_BYTES   4096
#define SERIAL_CONTROL_RX    2
#define SERIAL_CONTROL_TX    3
#define SERIAL_CONTROL_BYTES 8 /* of a message, without a name */

typedef struct Serial Serial;

typedef struct SerialPort {
    Serial *serial;
    const EnginePortConfig *config;
    EngineChardev *chardev;
    unsigned rx, tx; /* queues: what the guest gets, what it gives */
    bool host_open;  /* somebody is at the host's end; atomic */
    bool guest_open; /* the same of the guest's; atomic */
    bool told;       /* what of it the last event said */

    bool ready;        /* the driver knows the port */
    unsigned messages; /* that it is to get, bit by bit */
    bool said_open;    /* what it was told last of host_open */
    EngineChain out;   /* that has not been taken wholly */
    size_t out_done;   /* bytes of it that have */
    bool out_waits;
    struct iovec out_iov[SERIAL_BUFFERS];

    GMutex lock; /* of the inbox */
    uint8_t inbox[SERIAL_INBOX_BYTES];
    size_t inbox_used;
} SerialPort;

struct Serial {
    EngineVirtio virtio;
    SerialPort *ports;
    unsigned n_ports;
    EngineIoTimer change; /* an event that waits for its time */
    int64_t change_ns;    /* when there was one */
    LogLimit oddities;
    struct iovec iov[SERIAL_BUFFERS];
};

/* --- serial.c ------------------------------------------------------------- */
SerialPort *serial_port_of_queue(Serial *serial, unsigned queue);
/** serial_set_guest_open: the guest opens or closes a port */
void serial_set_guest_open(SerialPort *port, bool open);
/** serial_gather: what the driver gave, @size bytes at most, from byte @skip
 * on. Returns: how many */
size_t serial_gather(const EngineChain *chain, size_t skip, void *buffer,
                     size_t size);

/* --- serial-port.c -------------------------------------------------------- */
/** serial_port_open: @config's end of it. Thread: main */
bool serial_port_open(SerialPort *port, Serial *serial,
                      const EnginePortConfig *config, GError **error);
/** serial_port_close: fine if it was never opened. Thread: main */
void serial_port_close(SerialPort *port);
/** serial_port_give, _take: serve its queues */
void serial_port_give(SerialPort *port);
void serial_port_take(SerialPort *port);
/** serial_port_empty: forget what the guest has not got */
void serial_port_empty(SerialPort *port);

/* --- serial-control.c ----------------------------------------------------- */
/** serial_control_take: what the driver says */
void serial_control_take(Serial *serial);
/** serial_control_give: say what is to be said, as far as there is room */
void serial_control_give(Serial *serial);
