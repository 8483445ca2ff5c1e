/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/chardev.h"
#include "engine/device.h"

/*
 * The kinds of devices. A device that the machine document does not ask for
 * realizes as nothing: it maps no range. So every kind can be made for every
 * machine: the serial ports with index 0 to ENGINE_SERIALS_MAX - 1, all others
 * with index 0.
 */
extern const EngineDeviceType engine_debug_exit_type;
extern const EngineDeviceType engine_hotplug_type;
extern const EngineDeviceType engine_i8042_type;
extern const EngineDeviceType engine_lpc_type;
extern const EngineDeviceType engine_pci_type;
extern const EngineDeviceType engine_pm_type;
extern const EngineDeviceType engine_pvpanic_type;
extern const EngineDeviceType engine_rtc_type;
extern const EngineDeviceType engine_serial_type;

/**
 * engine_serial_chardev: the host's end of a serial port
 * @device: of engine_serial_type
 * Returns: NULL if the machine has no such port
 */
EngineChardev *engine_serial_chardev(EngineDevice *device);

/**
 * engine_pm_power_button: press and release it
 * Returns: false if the machine has no ACPI, hence no button. Thread: any
 */
bool engine_pm_power_button(Engine *engine);
/** engine_pm_read/_write: the registers of power management by their offset
 * from ENGINE_PM1_EVT_PORT, below 64; what lies between reads as zero.
 * Thread: vCPU */
uint64_t engine_pm_read(Engine *engine, unsigned offset, unsigned size);
void engine_pm_write(Engine *engine, unsigned offset, unsigned size,
                     uint64_t value);
/** engine_pm_raise: a general purpose event of ACPI's. Thread: any */
void engine_pm_raise(Engine *engine, unsigned event);
/** engine_pm_is_heard: whether the guest wants it. Thread: any */
bool engine_pm_is_heard(Engine *engine, unsigned event);

/** engine_hotplug_is_there: else nothing can be plugged in or out */
bool engine_hotplug_is_there(Engine *engine);
/** engine_hotplug_plugged: tell the guest to look into @slot. Thread: any */
void engine_hotplug_plugged(Engine *engine, unsigned slot);
/**
 * engine_hotplug_ask: ask the guest to let go of what is in @slot; it answers
 * by engine_eject(), engine_eject_refused(), or never
 * Returns: false if it does not listen. Thread: any
 */
bool engine_hotplug_ask(Engine *engine, unsigned slot);
