/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Engine Engine;
typedef struct EngineConfig EngineConfig;
typedef struct EngineDevice EngineDevice;
typedef struct EngineDeviceConfig EngineDeviceConfig;

/**
 * A kind of device. Only name, size and realize are required; where a callback
 * is NULL the bus answers reads with all ones and ignores writes. Types stand
 * in one explicit array in devices.c.
 *
 * Threads: realize and unrealize run on the main thread while no vCPU runs;
 * read and write on the vCPU that accessed, several at once, so a device locks
 * its own state; reset on the main thread with every vCPU stopped.
 */
typedef struct EngineDeviceType {
    const char *name;
    size_t size; /* of the device's struct; EngineDevice is its first member */
    /** @index: which of several (serial 0..3); @config: the whole machine. What
     * the document says of this device is in device->config. */
    bool (*realize)(EngineDevice *device, Engine *engine,
                    const EngineConfig *config, unsigned index, GError **error);
    void (*unrealize)(EngineDevice *device);
    void (*reset)(EngineDevice *device);
    /** The domain stops, its vCPUs and I/O threads have: let what is under way
     * come to its end. When it returns, nothing of the device's touches guest
     * memory any more. Thread: main */
    void (*drain)(EngineDevice *device);
    /** The domain goes on, its I/O threads are about to. Thread: main */
    void (*resume)(EngineDevice *device);
    /** @offset: from the region's base; @size: 1, 2, 4 or 8, never across the
     * region's end */
    uint64_t (*read)(EngineDevice *device, unsigned region, uint64_t offset,
                     unsigned size);
    void (*write)(EngineDevice *device, unsigned region, uint64_t offset,
                  unsigned size, uint64_t value);
    const struct ScsiBus *units; /* NULL: it is no controller of disks */
} EngineDeviceType;

struct EngineDevice {
    const EngineDeviceType *type;
    Engine *engine;
    unsigned index;
    const EngineDeviceConfig *config; /* of the machine document's "devices" */
    EngineDeviceConfig
        *plugged; /* the same, if it came to a machine in being */
    bool leaving; /* the guest has been asked to let it go */
};

typedef enum EngineSpace {
    ENGINE_SPACE_PIO,
    ENGINE_SPACE_MMIO,
} EngineSpace;

/**
 * engine_bus_map: route accesses of a range to a device; from realize only
 * @region: the device's own number for it   @base, @size: bytes
 * @error: INTERNAL_ERROR if it overlaps another range
 */
bool engine_bus_map(Engine *engine, EngineDevice *device, EngineSpace space,
                    uint64_t base, uint64_t size, unsigned region,
                    GError **error);

/**
 * engine_irq_set: drive an interrupt line (GSI of the in-kernel chips)
 * Thread: any; idempotent for the same level
 */
void engine_irq_set(Engine *engine, unsigned gsi, bool level);

/** engine_irq_pulse: raise and lower, for edge-triggered lines. Thread: any */
void engine_irq_pulse(Engine *engine, unsigned gsi);

/** What a guest, or the host in its name, asks of the machine. */
typedef enum EngineRequest {
    ENGINE_REQUEST_POWEROFF = 1, /* guest: ACPI S5 */
    ENGINE_REQUEST_RESET, /* guest: 0xcf9, i8042, ACPI reset, triple fault */
    ENGINE_REQUEST_PANIC, /* guest: pvpanic */
    ENGINE_REQUEST_DEBUG_EXIT,     /* guest: port 0xf4; value is the byte */
    ENGINE_REQUEST_TRIPLE_FAULT,   /* a vCPU; not for devices */
    ENGINE_REQUEST_INTERNAL_ERROR, /* a vCPU; not for devices */
} EngineRequest;

/**
 * engine_request: ask for a change of the whole machine; returns at once, the
 * main thread acts after the vCPU that asks has left its exit. The first
 * request wins until it has been acted on.
 * Thread: any
 */
void engine_request(Engine *engine, EngineRequest request, unsigned value);

/**
 * engine_stop_post: have the domain stopped, a little later: after the events
 * that were posted before. A cont that comes in between wins.
 * Thread: any
 */
void engine_stop_post(Engine *engine);

/**
 * engine_eject: the guest lets go of what is in @slots of bus 0, bit by bit;
 * it is gone before the vCPU that says so goes on
 * Thread: vCPU
 */
void engine_eject(Engine *engine, uint32_t slots);
/** engine_eject_refused: the guest was asked to and does not. Thread: vCPU */
void engine_eject_refused(Engine *engine, uint32_t slots);

/**
 * engine_memory_read/_write: copy between guest RAM and @buffer
 * Returns: false if any byte of [gpa, gpa+size) is not RAM; nothing is copied
 * Thread: any
 */
bool engine_memory_read(Engine *engine, uint64_t gpa, void *buffer,
                        size_t size);
bool engine_memory_write(Engine *engine, uint64_t gpa, const void *buffer,
                         size_t size);

/**
 * engine_memory_at: a pointer to guest RAM, valid for the engine's life
 * Returns: NULL if any byte of [gpa, gpa+size) is not RAM
 * The guest can change what it points at at any time: read each value once.
 */
void *engine_memory_at(Engine *engine, uint64_t gpa, size_t size);

/**
 * engine_memory_release: give guest RAM back to the host; what is touched of it
 * later is there again, as zeroes
 * @at: from engine_memory_at(), on a page's boundary   @size: whole pages
 * Thread: any
 */
void engine_memory_release(Engine *engine, void *at, size_t size);

/** engine_device_find: the device of @type with @index, or NULL */
EngineDevice *engine_device_find(Engine *engine, const EngineDeviceType *type,
                                 unsigned index);

/** engine_device_of: the first device of @type, or NULL */
EngineDevice *engine_device_of(Engine *engine, const EngineDeviceType *type);

/** engine_device_by_id: the one that the machine document calls @id, or NULL */
EngineDevice *engine_device_by_id(Engine *engine, const char *id);

/**
 * engine_event: tell the control socket's clients
 * @name: constant   @data: consumed; NULL: there is nothing to say
 * Thread: main
 */
void engine_event(Engine *engine, const char *name, json_t *data);
/** engine_event_post: the same from any thread, a little later */
void engine_event_post(Engine *engine, const char *name, json_t *data);
/** engine_text: @text as JSON; jansson takes valid UTF-8 only */
json_t *engine_text(const char *text);
