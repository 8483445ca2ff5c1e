/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/config.h"
#include "engine/device.h"

/** docs/engine-protocol.md, `query-status` */
typedef enum EngineStatus {
    ENGINE_STATUS_PRELAUNCH,
    ENGINE_STATUS_RUNNING,
    ENGINE_STATUS_PAUSED,
    ENGINE_STATUS_SHUTDOWN,
    ENGINE_STATUS_PANICKED,
    ENGINE_STATUS_INTERNAL_ERROR,
} EngineStatus;

/** What the engine tells its listener (the control socket): @name and @data of
 * docs/engine-protocol.md, "event". Thread: main */
typedef void (*EngineEventFn)(void *opaque, const char *name, json_t *data);

typedef struct EngineCpuInfo {
    unsigned index;
    int thread_id;
    bool halted;
    uint64_t exits;
} EngineCpuInfo;

/**
 * engine_new: make the virtual machine: memory, vCPUs, devices, boot image
 * @config: kept by reference until engine_free()
 * @error: names the member of the machine document, or the KVM call
 * Thread: the main thread, whose default GMainContext the engine uses.
 */
Engine *engine_new(const EngineConfig *config, GError **error);
void engine_free(Engine *engine);

void engine_set_listener(Engine *engine, EngineEventFn listener, void *opaque);

/* All of these: thread main. cont from prelaunch starts the vCPUs. stop returns
 * when no vCPU is inside KVM_RUN; both emit their event. */
bool engine_stop(Engine *engine, GError **error);
bool engine_cont(Engine *engine, GError **error);
bool engine_powerdown(Engine *engine, GError **error);
bool engine_reset(Engine *engine, GError **error); /* asked by the host */
/** engine_set_reboot: whether the guest, when it powers off, starts again in
 * place, whatever on_poweroff says; holds for one power-off or reset */
void engine_set_reboot(Engine *engine, bool reboot);
void engine_quit(Engine *engine, const char *reason);

/**
 * engine_device_plug: put one more device into the machine and tell the guest
 * @config: taken over in the case of success
 * @error: OPERATION_UNSUPPORTED without PCI or ACPI; OPERATION_FAILED if its
 * place or id is taken; what the device says
 */
bool engine_device_plug(Engine *engine, EngineDeviceConfig *config,
                        GError **error);
/**
 * engine_device_unplug: ask the guest to let go of a device
 *
 * When it does, or is reset, the device goes and the event DEVICE_DELETED is
 * emitted; where no guest uses it, at once.
 * @error: DEVICE_MISSING; OPERATION_UNSUPPORTED; OPERATION_FAILED if the guest
 * does not listen
 */
bool engine_device_unplug(Engine *engine, const char *id, GError **error);
/** engine_device_replace_fds: the device uses other descriptors from now on:
 * those that it named, and nobody else does, are closed. @fds: int; NULL: none
 */
void engine_device_replace_fds(Engine *engine, EngineDevice *device,
                               const GArray *fds);
/** engine_device_configs: of the devices that are there now. Returns: array of
 * const EngineDeviceConfig, the caller's to free */
GPtrArray *engine_device_configs(Engine *engine);

EngineStatus engine_status(const Engine *engine);
const char *engine_status_name(EngineStatus status);
const EngineConfig *engine_config(const Engine *engine);
/** engine_report: the last failure report, or "" */
const char *engine_report(const Engine *engine);
/** engine_cpus: GArray of EngineCpuInfo */
GArray *engine_cpus(Engine *engine);

/**
 * engine_run: the main loop, until the engine has ended
 * @exit_fd: descriptor of the exit file, or -1
 * Returns: the process's exit status (docs/engine-protocol.md)
 */
int engine_run(Engine *engine, int exit_fd);
