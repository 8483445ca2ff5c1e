/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"
#include "engine/dev/dev.h"
#include "engine/engine.h"

/*
 * A 16550A UART as the PC has it (National Semiconductor PC16550D data sheet;
 * section numbers are its own). Sending takes no time, so the transmitter is
 * always empty. Received bytes are not timed either: what stays below the
 * FIFO's trigger level is a character timeout at once.
 */
#define SERIAL_FIFO_SIZE 16
#define SERIAL_PORTS     8
/* How long the end of a domain waits for who reads the console */
#define SERIAL_LINGER_MS 50

/* Registers, by offset from the base port */
enum {
    REG_DATA = 0, /* RBR, THR; with DLAB: divisor, low */
    REG_IER = 1,  /* with DLAB: divisor, high */
    REG_IIR = 2,  /* written: FCR */
    REG_LCR = 3,
    REG_MCR = 4,
    REG_LSR = 5,
    REG_MSR = 6,
    REG_SCR = 7,
};

#define IER_RECEIVED 0x01
#define IER_EMPTY    0x02
#define IER_LINE     0x04
#define IER_MODEM    0x08
#define IER_MASK     0x0f

#define IIR_NONE     0x01
#define IIR_MODEM    0x00
#define IIR_EMPTY    0x02
#define IIR_RECEIVED 0x04
#define IIR_LINE     0x06
#define IIR_TIMEOUT  0x0c
#define IIR_FIFO     0xc0

#define FCR_ENABLE        0x01
#define FCR_CLEAR_RECEIVE 0x02
#define FCR_TRIGGER_SHIFT 6

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_MASK 0x1f

#define LSR_READY   0x01
#define LSR_OVERRUN 0x02
#define LSR_ERRORS  0x1e
#define LSR_EMPTY   0x60 /* holding and shift register */

#define MSR_DELTA     0x0f
#define MSR_DELTA_RI  0x04 /* trailing edge only */
#define MSR_CTS       0x10
#define MSR_DSR       0x20
#define MSR_RI        0x40
#define MSR_DCD       0x80
#define MSR_CONNECTED (MSR_CTS | MSR_DSR | MSR_DCD)

typedef struct SerialPort {
    uint16_t base;
    unsigned irq;
} SerialPort;

static const SerialPort serial_ports[ENGINE_SERIALS_MAX] = {
    { 0x3f8, 4 },
    { 0x2f8, 3 },
    { 0x3e8, 4 },
    { 0x2e8, 3 },
};

static const uint8_t trigger_levels[] = { 1, 4, 8, 14 };

typedef struct Serial {
    EngineDevice device;
    GMutex lock;
    EngineChardev *chardev; /* NULL: the machine has no such port */
    unsigned irq;
    bool level; /* of the interrupt line */

    uint8_t ier, lcr, mcr, msr, scr, fcr;
    uint8_t errors; /* of LSR, until it is read */
    bool
        empty_pending; /* the transmitter became empty: an event, not a state */
    uint16_t divisor;
    uint8_t fifo[SERIAL_FIFO_SIZE];
    unsigned first, received;
} Serial;

static Serial *
serial_of(EngineDevice *device)
{
    return (Serial *)device;
}

/* --- interrupts ----------------------------------------------------------- */
static unsigned
serial_trigger(const Serial *serial)
{
    return serial->fcr & FCR_ENABLE
               ? trigger_levels[serial->fcr >> FCR_TRIGGER_SHIFT]
               : 1;
}

/* The pending interrupt of the highest priority (8.6) */
static uint8_t
serial_cause(const Serial *serial)
{
    if ((serial->ier & IER_LINE) && serial->errors)
        return IIR_LINE;
    if ((serial->ier & IER_RECEIVED) && serial->received)
        return serial->received >= serial_trigger(serial) ? IIR_RECEIVED
                                                          : IIR_TIMEOUT;
    if ((serial->ier & IER_EMPTY) && serial->empty_pending)
        return IIR_EMPTY;
    if ((serial->ier & IER_MODEM) && (serial->msr & MSR_DELTA))
        return IIR_MODEM;
    return IIR_NONE;
}

/* The line is not gated by OUT2, as no guest made for virtual machines expects.
 * COM1 and COM3, COM2 and COM4 share an edge-triggered line, whose handler must
 * look at both ports until neither asks; so one may lower it for both. */
static void
serial_update_irq(Serial *serial)
{
    bool level = serial_cause(serial) != IIR_NONE;

    if (level == serial->level)
        return;
    serial->level = level;
    engine_irq_set(serial->device.engine, serial->irq, level);
}

/* --- receiving ------------------------------------------------------------ */
static unsigned
serial_capacity(const Serial *serial)
{
    return serial->fcr & FCR_ENABLE ? SERIAL_FIFO_SIZE : 1;
}

static void
serial_push(Serial *serial, uint8_t byte)
{
    if (serial->received >= serial_capacity(serial)) {
        serial->errors |= LSR_OVERRUN;
        return;
    }
    serial->fifo[(serial->first + serial->received++) % SERIAL_FIFO_SIZE] =
        byte;
}

static uint8_t
serial_pop(Serial *serial)
{
    uint8_t byte = serial->fifo[serial->first];

    if (serial->received == 0)
        return 0;
    serial->first = (serial->first + 1) % SERIAL_FIFO_SIZE;
    serial->received--;
    return byte;
}

static size_t
serial_can_receive(void *opaque)
{
    Serial *serial = opaque;
    size_t room;

    g_mutex_lock(&serial->lock);
    room = serial->mcr & MCR_LOOP
               ? 0
               : serial_capacity(serial) -
                     MIN(serial->received, serial_capacity(serial));
    g_mutex_unlock(&serial->lock);
    return room;
}

static void
serial_receive(void *opaque, const uint8_t *data, size_t size)
{
    Serial *serial = opaque;

    g_mutex_lock(&serial->lock);
    for (size_t i = 0; i < size; i++)
        serial_push(serial, data[i]);
    serial_update_irq(serial);
    g_mutex_unlock(&serial->lock);
}

static void
serial_escape(void *opaque)
{
    Serial *serial = opaque;

    engine_quit(serial->device.engine, "host-quit");
}

static const EngineChardevHandlers serial_handlers = {
    .can_receive = serial_can_receive,
    .receive = serial_receive,
    .escape = serial_escape,
};

/* --- modem lines ---------------------------------------------------------- */
/* The lines as the port sees them: the peer's, or in loopback its own (8.7) */
static uint8_t
serial_modem_lines(const Serial *serial)
{
    uint8_t lines = 0;

    if (!(serial->mcr & MCR_LOOP))
        return MSR_CONNECTED;
    if (serial->mcr & MCR_RTS)
        lines |= MSR_CTS;
    if (serial->mcr & MCR_DTR)
        lines |= MSR_DSR;
    if (serial->mcr & MCR_OUT1)
        lines |= MSR_RI;
    if (serial->mcr & MCR_OUT2)
        lines |= MSR_DCD;
    return lines;
}

static void
serial_update_modem(Serial *serial)
{
    uint8_t lines = serial_modem_lines(serial);
    uint8_t changed = (serial->msr ^ lines) >> 4;

    /* RI counts only when it falls. */
    if (lines & MSR_RI)
        changed &= (uint8_t)~MSR_DELTA_RI;
    serial->msr = lines | (serial->msr & MSR_DELTA) | changed;
}

/* --- registers ------------------------------------------------------------ */
static uint8_t
serial_read_iir(Serial *serial)
{
    uint8_t cause = serial_cause(serial);

    if (cause == IIR_EMPTY)
        serial->empty_pending = false;
    return cause | (serial->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t
serial_read_lsr(Serial *serial)
{
    uint8_t value = LSR_EMPTY | serial->errors;

    if (serial->received)
        value |= LSR_READY;
    serial->errors = 0;
    return value;
}

static uint8_t
serial_read_msr(Serial *serial)
{
    uint8_t value = serial->msr;

    serial->msr &= (uint8_t)~MSR_DELTA;
    return value;
}

static uint8_t
serial_read_register(Serial *serial, unsigned reg)
{
    bool dlab = serial->lcr & LCR_DLAB;

    switch (reg) {
    case REG_DATA:
        return dlab ? serial->divisor & 0xff : serial_pop(serial);
    case REG_IER:
        return dlab ? (uint8_t)(serial->divisor >> 8) : serial->ier;
    case REG_IIR:
        return serial_read_iir(serial);
    case REG_LCR:
        return serial->lcr;
    case REG_MCR:
        return serial->mcr;
    case REG_LSR:
        return serial_read_lsr(serial);
    case REG_MSR:
        return serial_read_msr(serial);
    case REG_SCR:
        return serial->scr;
    default:
        return 0xff;
    }
}

static void
serial_transmit(Serial *serial, uint8_t byte)
{
    if (serial->mcr & MCR_LOOP)
        serial_push(serial, byte);
    else
        engine_chardev_write(serial->chardev, &byte, 1);
    serial->empty_pending = true;
}

static void
serial_write_ier(Serial *serial, uint8_t value)
{
    /* Enabling it with an empty transmitter is an event of its own (8.5). */
    if ((value & IER_EMPTY) && !(serial->ier & IER_EMPTY))
        serial->empty_pending = true;
    serial->ier = value & IER_MASK;
}

static void
serial_write_fcr(Serial *serial, uint8_t value)
{
    /* Switching the FIFOs on or off empties them (8.4). */
    if (((value ^ serial->fcr) & FCR_ENABLE) || (value & FCR_CLEAR_RECEIVE))
        serial->received = serial->first = 0;
    serial->fcr = value & FCR_ENABLE ? value : 0;
}

static void
serial_write_register(Serial *serial, unsigned reg, uint8_t value)
{
    bool dlab = serial->lcr & LCR_DLAB;

    switch (reg) {
    case REG_DATA:
        if (dlab)
            serial->divisor = (serial->divisor & 0xff00) | value;
        else
            serial_transmit(serial, value);
        break;
    case REG_IER:
        if (dlab)
            serial->divisor = (uint16_t)((serial->divisor & 0xff) | value << 8);
        else
            serial_write_ier(serial, value);
        break;
    case REG_IIR:
        serial_write_fcr(serial, value);
        break;
    case REG_LCR:
        serial->lcr = value;
        break;
    case REG_MCR:
        serial->mcr = value & MCR_MASK;
        serial_update_modem(serial);
        break;
    case REG_SCR:
        serial->scr = value;
        break;
    default:
        break; /* LSR and MSR are read only */
    }
}

/* --- the device ----------------------------------------------------------- */
/* A wide access is that many byte accesses, as on the ISA bus. */
static uint64_t
serial_read(EngineDevice *device, unsigned region, uint64_t offset,
            unsigned size)
{
    Serial *serial = serial_of(device);
    uint64_t value = 0;

    g_mutex_lock(&serial->lock);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)serial_read_register(serial, (unsigned)offset + i)
                 << (8 * i);
    serial_update_irq(serial);
    g_mutex_unlock(&serial->lock);
    /* Room may have come with any of these, and it costs one load to say so. */
    engine_chardev_poll_input(serial->chardev);
    return value;
}

static void
serial_write(EngineDevice *device, unsigned region, uint64_t offset,
             unsigned size, uint64_t value)
{
    Serial *serial = serial_of(device);

    g_mutex_lock(&serial->lock);
    for (unsigned i = 0; i < size; i++)
        serial_write_register(serial, (unsigned)offset + i,
                              (uint8_t)(value >> (8 * i)));
    serial_update_irq(serial);
    g_mutex_unlock(&serial->lock);
    engine_chardev_poll_input(serial->chardev);
}

static void
serial_reset(EngineDevice *device)
{
    Serial *serial = serial_of(device);

    if (!serial->chardev)
        return;
    g_mutex_lock(&serial->lock);
    serial->ier = serial->lcr = serial->mcr = serial->scr = serial->fcr = 0;
    serial->errors = 0;
    serial->msr = MSR_CONNECTED;
    serial->empty_pending = false;
    serial->divisor = 12; /* 9600 baud, as firmware leaves it */
    serial->first = serial->received = 0;
    serial_update_irq(serial);
    g_mutex_unlock(&serial->lock);
    engine_chardev_poll_input(serial->chardev);
}

static void
serial_unrealize(EngineDevice *device)
{
    Serial *serial = serial_of(device);

    if (!serial->chardev)
        return;
    engine_chardev_flush(serial->chardev, SERIAL_LINGER_MS);
    g_clear_pointer(&serial->chardev, engine_chardev_free);
    g_mutex_clear(&serial->lock);
}

static bool
serial_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
               unsigned index, GError **error)
{
    Serial *serial = serial_of(device);
    const SerialPort *port = &serial_ports[index];

    if (!config->serials[index].present)
        return true;
    g_mutex_init(&serial->lock);
    serial->irq = port->irq;
    serial->msr = MSR_CONNECTED;
    serial->chardev = engine_chardev_new(&config->serials[index].chardev,
                                         &serial_handlers, serial, error);
    if (!serial->chardev) {
        g_prefix_error(error, "serials[%u]: ", index);
        return false;
    }
    serial_reset(device);
    if (engine_bus_map(engine, device, ENGINE_SPACE_PIO, port->base,
                       SERIAL_PORTS, 0, error))
        return true;
    serial_unrealize(device);
    return false;
}

EngineChardev *
engine_serial_chardev(EngineDevice *device)
{
    return serial_of(device)->chardev;
}

const EngineDeviceType engine_serial_type = {
    .name = "serial",
    .size = sizeof(Serial),
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .reset = serial_reset,
    .read = serial_read,
    .write = serial_write,
};
