/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"
#include "engine/dev/dev.h"

/*
 * The keyboard controller with nothing connected: guests reset the machine
 * through it, and look for a keyboard and a mouse. Every question is answered
 * at once, what is sent to a device by "timed out", so that nobody waits.
 * With it come its neighbours, system control ports A (0x92) and B (0x61).
 */
enum { REGION_DATA, REGION_COMMAND, REGION_PORT_A, REGION_PORT_B };

#define I8042_DATA    0x60
#define I8042_PORT_B  0x61
#define I8042_COMMAND 0x64
#define I8042_PORT_A  0x92
#define I8042_IRQ     1

#define STATUS_OUTPUT     0x01
#define STATUS_SYSTEM     0x04
#define STATUS_COMMAND    0x08
#define STATUS_UNLOCKED   0x10
#define STATUS_AUX_OUTPUT 0x20
#define STATUS_TIMEOUT    0x40

#define MODE_KEYBOARD_IRQ      0x01
#define MODE_SYSTEM            0x04
#define MODE_KEYBOARD_DISABLED 0x10
#define MODE_AUX_DISABLED      0x20
#define MODE_TRANSLATE         0x40
#define MODE_DEFAULT           (MODE_KEYBOARD_IRQ | MODE_SYSTEM | MODE_TRANSLATE)

#define OUTPUT_PORT_RUN 0x01 /* low: the CPUs are held in reset */
#define OUTPUT_PORT_A20 0x02

#define ANSWER_RESEND   0xfe
#define ANSWER_SELFTEST 0x55
#define ANSWER_NO_CLOCK 0x01 /* of a port's test: nothing is there */

#define PORT_A_RESET 0x01
#define PORT_A_A20   0x02

#define PORT_B_WRITABLE 0x03 /* gate of channel 2, speaker */
#define PORT_B_REFRESH  0x10 /* toggles */
#define PORT_B_OUT2     0x20 /* output of channel 2 */

typedef struct I8042 {
    EngineDevice device;
    GMutex lock;
    uint8_t mode, output_port;
    uint8_t status; /* without STATUS_SYSTEM and STATUS_UNLOCKED */
    uint8_t output;
    uint8_t awaiting; /* the command that the next data byte belongs to */
    uint8_t port_b;
    bool level;
} I8042;

static I8042 *
i8042_of(EngineDevice *device)
{
    return (I8042 *)device;
}

static void
i8042_update_irq(I8042 *i8042)
{
    bool level = (i8042->mode & MODE_KEYBOARD_IRQ) &&
                 (i8042->status & STATUS_OUTPUT) &&
                 !(i8042->status & STATUS_AUX_OUTPUT);

    if (level == i8042->level)
        return;
    i8042->level = level;
    engine_irq_set(i8042->device.engine, I8042_IRQ, level);
}

/* @flags: STATUS_AUX_OUTPUT, STATUS_TIMEOUT */
static void
i8042_answer(I8042 *i8042, uint8_t value, uint8_t flags)
{
    i8042->output = value;
    i8042->status = (i8042->status & STATUS_COMMAND) | STATUS_OUTPUT | flags;
}

/* --- commands ------------------------------------------------------------- */
/* Returns whether the command resets the machine. */
static bool
i8042_command(I8042 *i8042, uint8_t command)
{
    i8042->status |= STATUS_COMMAND;
    i8042->awaiting = 0;
    switch (command) {
    case 0x20: /* read the mode */
        i8042_answer(i8042, i8042->mode, 0);
        break;
    case 0xa7:
        i8042->mode |= MODE_AUX_DISABLED;
        break;
    case 0xa8:
        i8042->mode &= (uint8_t)~MODE_AUX_DISABLED;
        break;
    case 0xa9: /* test the port of the mouse */
        i8042_answer(i8042, ANSWER_NO_CLOCK, 0);
        break;
    case 0xaa: /* test the controller */
        i8042_answer(i8042, ANSWER_SELFTEST, 0);
        break;
    case 0xab: /* test the port of the keyboard */
        i8042_answer(i8042, 0, 0);
        break;
    case 0xad:
        i8042->mode |= MODE_KEYBOARD_DISABLED;
        break;
    case 0xae:
        i8042->mode &= (uint8_t)~MODE_KEYBOARD_DISABLED;
        break;
    case 0xc0: /* read the input port */
        i8042_answer(i8042, 0x80, 0);
        break;
    case 0xd0: /* read the output port */
        i8042_answer(i8042, i8042->output_port, 0);
        break;
    case 0x60: /* write the mode */
    case 0xd1: /* write the output port */
    case 0xd2: /* echo as the keyboard */
    case 0xd3: /* echo as the mouse */
    case 0xd4: /* send to the mouse */
        i8042->awaiting = command;
        break;
    default:
        /* 0xf0 to 0xff pulse the lines of the output port that are zero. */
        return command >= 0xf0 && !(command & OUTPUT_PORT_RUN);
    }
    return false;
}

/* Returns whether the byte resets the machine. */
static bool
i8042_data(I8042 *i8042, uint8_t value)
{
    uint8_t command = i8042->awaiting;

    i8042->awaiting = 0;
    i8042->status &= (uint8_t)~STATUS_COMMAND;
    switch (command) {
    case 0x60:
        i8042->mode = value;
        break;
    case 0xd1:
        i8042->output_port = value;
        return !(value & OUTPUT_PORT_RUN);
    case 0xd2:
        i8042_answer(i8042, value, 0);
        break;
    case 0xd3: /* a wrong echo says at once that there is no such port */
        i8042_answer(i8042, (uint8_t)~value, STATUS_AUX_OUTPUT);
        break;
    case 0xd4:
        i8042_answer(i8042, ANSWER_RESEND, STATUS_AUX_OUTPUT | STATUS_TIMEOUT);
        break;
    default:
        i8042_answer(i8042, ANSWER_RESEND, STATUS_TIMEOUT);
        break;
    }
    return false;
}

/* --- access --------------------------------------------------------------- */
static uint8_t
i8042_read_status(const I8042 *i8042)
{
    return i8042->status | STATUS_UNLOCKED |
           (i8042->mode & MODE_SYSTEM ? STATUS_SYSTEM : 0);
}

static uint8_t
i8042_read_data(I8042 *i8042)
{
    i8042->status &=
        (uint8_t) ~(STATUS_OUTPUT | STATUS_AUX_OUTPUT | STATUS_TIMEOUT);
    return i8042->output;
}

/* Without a timer chip its output reads as having fired, so that nobody waits
 * for it. */
static uint8_t
i8042_read_port_b(I8042 *i8042)
{
    i8042->port_b ^= PORT_B_REFRESH;
    return i8042->port_b | PORT_B_OUT2;
}

static uint64_t
i8042_read(EngineDevice *device, unsigned region, uint64_t offset,
           unsigned size)
{
    I8042 *i8042 = i8042_of(device);
    uint8_t value;

    g_mutex_lock(&i8042->lock);
    if (region == REGION_DATA)
        value = i8042_read_data(i8042);
    else if (region == REGION_COMMAND)
        value = i8042_read_status(i8042);
    else if (region == REGION_PORT_A)
        value = i8042->output_port & OUTPUT_PORT_A20 ? PORT_A_A20 : 0;
    else
        value = i8042_read_port_b(i8042);
    i8042_update_irq(i8042);
    g_mutex_unlock(&i8042->lock);
    return value;
}

static bool
i8042_write_port_a(I8042 *i8042, uint8_t value)
{
    i8042->output_port = (uint8_t)((i8042->output_port & ~OUTPUT_PORT_A20) |
                                   (value & PORT_A_A20 ? OUTPUT_PORT_A20 : 0));
    return value & PORT_A_RESET;
}

static void
i8042_write(EngineDevice *device, unsigned region, uint64_t offset,
            unsigned size, uint64_t value)
{
    I8042 *i8042 = i8042_of(device);
    bool reset = false;

    g_mutex_lock(&i8042->lock);
    if (region == REGION_DATA)
        reset = i8042_data(i8042, (uint8_t)value);
    else if (region == REGION_COMMAND)
        reset = i8042_command(i8042, (uint8_t)value);
    else if (region == REGION_PORT_A)
        reset = i8042_write_port_a(i8042, (uint8_t)value);
    else
        i8042->port_b = (uint8_t)((i8042->port_b & ~PORT_B_WRITABLE) |
                                  (value & PORT_B_WRITABLE));
    i8042_update_irq(i8042);
    g_mutex_unlock(&i8042->lock);
    if (reset)
        engine_request(device->engine, ENGINE_REQUEST_RESET, 0);
}

/* --- the device ----------------------------------------------------------- */
static void
i8042_reset(EngineDevice *device)
{
    I8042 *i8042 = i8042_of(device);

    g_mutex_lock(&i8042->lock);
    i8042->mode = MODE_DEFAULT;
    i8042->output_port = OUTPUT_PORT_RUN | OUTPUT_PORT_A20;
    i8042->status = i8042->output = i8042->awaiting = i8042->port_b = 0;
    i8042_update_irq(i8042);
    g_mutex_unlock(&i8042->lock);
}

static bool
i8042_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
              unsigned index, GError **error)
{
    static const struct {
        uint16_t port;
        unsigned region;
    } ports[] = {
        { I8042_DATA, REGION_DATA },
        { I8042_COMMAND, REGION_COMMAND },
        { I8042_PORT_A, REGION_PORT_A },
        { I8042_PORT_B, REGION_PORT_B },
    };

    g_mutex_init(&i8042_of(device)->lock);
    i8042_reset(device);
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        /* KVM's timer chip comes with port B. */
        if (ports[i].region == REGION_PORT_B && config->pit)
            continue;
        if (!engine_bus_map(engine, device, ENGINE_SPACE_PIO, ports[i].port, 1,
                            ports[i].region, error))
            return false;
    }
    return true;
}

static void
i8042_unrealize(EngineDevice *device)
{
    g_mutex_clear(&i8042_of(device)->lock);
}

const EngineDeviceType engine_i8042_type = {
    .name = "i8042",
    .size = sizeof(I8042),
    .realize = i8042_realize,
    .unrealize = i8042_unrealize,
    .reset = i8042_reset,
    .read = i8042_read,
    .write = i8042_write,
};
