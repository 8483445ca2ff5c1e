/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/device.h"
#include "engine/engine.h"
#include "engine/io.h"
#include "engine/msi.h"

/*
 * An engine without KVM for the tests of devices, tables and the control
 * socket: a bus, RAM from address 0, interrupt lines that remember, and a
 * machine state that the calls of engine.h move. It is everything
 * engine/device.h and engine/engine.h declare, so a test links a device and
 * this, nothing else.
 */

/** fake_engine_new: @config is kept by reference; NULL for an empty one */
Engine *fake_engine_new(const EngineConfig *config, size_t ram_size);
void fake_engine_free(Engine *engine);

/** fake_device_new: make and realize, as the engine does; the engine frees it.
 * Fails the test if realize fails. */
EngineDevice *fake_device_new(Engine *engine, const EngineDeviceType *type,
                              unsigned index);
/** fake_device_add: the same for one of the machine document; @config is kept
 * by reference */
EngineDevice *fake_device_add(Engine *engine, const EngineDeviceType *type,
                              const EngineDeviceConfig *config);

/* What a guest does. Unclaimed addresses read as all ones. */
uint64_t fake_in(Engine *engine, uint16_t port, unsigned size);
void fake_out(Engine *engine, uint16_t port, unsigned size, uint64_t value);
uint64_t fake_mmio_read(Engine *engine, uint64_t address, unsigned size);
void fake_mmio_write(Engine *engine, uint64_t address, unsigned size,
                     uint64_t value);
static inline uint8_t
fake_inb(Engine *engine, uint16_t port)
{
    return (uint8_t)fake_in(engine, port, 1);
}
static inline void
fake_outb(Engine *engine, uint16_t port, uint8_t value)
{
    fake_out(engine, port, 1, value);
}

/** fake_mapped: whether a device has claimed the address */
bool fake_mapped(Engine *engine, EngineSpace space, uint64_t address);

/** fake_rom: what the guest sees of read-only memory; NULL where there is none
 * or it is hidden. Unlike KVM, fake_mmio_read() does not look here. */
const uint8_t *fake_rom(Engine *engine, uint64_t address);

/* What the engine saw. */
bool fake_irq_level(Engine *engine, unsigned gsi);
unsigned fake_irq_rises(Engine *engine, unsigned gsi);

typedef struct FakeRequest {
    EngineRequest request; /* 0: none yet */
    unsigned value;
    unsigned count;
} FakeRequest;
FakeRequest fake_take_request(Engine *engine);

/** The slots of engine_eject() and engine_eject_refused() since the last time
 */
uint32_t fake_take_ejected(Engine *engine);
uint32_t fake_take_refused(Engine *engine);

/** fake_quit_reason: of engine_quit(), or NULL if it was not called */
const char *fake_quit_reason(Engine *engine);
unsigned fake_powerdowns(Engine *engine);
/** fake_reboot: as engine_set_reboot() left it */
bool fake_reboot(Engine *engine);
void fake_set_status(Engine *engine, EngineStatus status);

/** fake_take_event: the oldest of engine_event_post(): {event, data}; NULL */
json_t *fake_take_event(Engine *engine);
/** fake_stops: how often engine_stop_post() was called */
unsigned fake_stops(Engine *engine);

/** fake_ram: the guest's memory, 4096 bytes aligned */
uint8_t *fake_ram(Engine *engine);

/** fake_releases: how often engine_memory_release() was called; what it
 * releases becomes zeroes */
unsigned fake_releases(Engine *engine);

/** fake_msi_count: how often a message with @data was raised */
unsigned fake_msi_count(Engine *engine, uint32_t data);
/** fake_msi_listen: every message writes the eventfd @fd */
void fake_msi_listen(Engine *engine, int fd);
/** fake_ioevents: kicks end in an eventfd from now on (else KVM "refuses") */
void fake_allow_ioevents(Engine *engine);
unsigned fake_ioevents(Engine *engine);
