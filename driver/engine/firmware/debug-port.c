/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/firmware/firmware.h"

#include <string.h>

#include "engine/bucket.h"
#include "engine/config.h"
#include "util/i18n.h"
#include "util/log.h"

#define DEBUG_PORT     0x402
#define DEBUG_PRESENT  0xe9 /* what a read says if somebody listens */
#define LINE_MAX_BYTES 255
#define LINES_A_SECOND 10
#define LINES_AT_ONCE  300

typedef struct DebugPort {
    EngineDevice device;
    GMutex lock;
    bool present;
    EngineBucket bucket; /* of lines */
    unsigned dropped;    /* since the last that was not */
    unsigned used;
    char line[LINE_MAX_BYTES + 1];
} DebugPort;

static DebugPort *
port_of(EngineDevice *device)
{
    return (DebugPort *)device;
}

/* Needs the lock. */
static void
flush_line(DebugPort *port)
{
    int64_t now_ns = g_get_monotonic_time() * 1000;

    if (port->used == 0)
        return;
    port->line[port->used] = '\0';
    port->used = 0;
    if (engine_bucket_wait(&port->bucket, now_ns) > 0) {
        port->dropped++;
        return;
    }
    engine_bucket_take(&port->bucket, 1, now_ns);
    if (port->dropped > 0)
        log_info(_("firmware: %u more lines that came too fast"),
                 port->dropped);
    port->dropped = 0;
    log_info(_("firmware: %s"), port->line);
}

/* Needs the lock. What is not text would garble the log. */
static void
take_byte(DebugPort *port, uint8_t byte)
{
    if (byte == '\n' || port->used == LINE_MAX_BYTES)
        flush_line(port);
    if (g_ascii_isprint((char)byte) || byte == '\t')
        port->line[port->used++] = (char)byte;
}

static uint64_t
port_read(EngineDevice *device, unsigned region, uint64_t offset, unsigned size)
{
    return DEBUG_PRESENT;
}

static void
port_write(EngineDevice *device, unsigned region, uint64_t offset,
           unsigned size, uint64_t value)
{
    DebugPort *port = port_of(device);

    g_mutex_lock(&port->lock);
    take_byte(port, (uint8_t)value);
    g_mutex_unlock(&port->lock);
}

static void
port_reset(EngineDevice *device)
{
    DebugPort *port = port_of(device);

    if (port->present)
        flush_line(port);
}

static void
port_unrealize(EngineDevice *device)
{
    DebugPort *port = port_of(device);

    if (!port->present)
        return;
    flush_line(port);
    g_mutex_clear(&port->lock);
}

static bool
port_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
             unsigned index, GError **error)
{
    DebugPort *port = port_of(device);
    const EngineBucketLimit limit = { .rate = LINES_A_SECOND,
                                      .depth = LINES_AT_ONCE };

    if (!engine_config_has_firmware(config))
        return true;
    if (!engine_bus_map(engine, device, ENGINE_SPACE_PIO, DEBUG_PORT, 1, 0,
                        error))
        return false;
    g_mutex_init(&port->lock);
    engine_bucket_set(&port->bucket, &limit, g_get_monotonic_time() * 1000);
    port->present = true;
    return true;
}

const EngineDeviceType engine_debug_port_type = {
    .name = "debug-port",
    .size = sizeof(DebugPort),
    .realize = port_realize,
    .unrealize = port_unrealize,
    .reset = port_reset,
    .read = port_read,
    .write = port_write,
};
