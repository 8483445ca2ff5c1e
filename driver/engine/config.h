/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/config-chardev.h"
#include "engine/config-device.h"
#include "engine/config-firmware.h"
#include "engine/config-smbios.h"
#include "engine/member.h"

#define ENGINE_SERIALS_MAX      4
#define ENGINE_VCPUS_MAX        4096
#define ENGINE_DEVICES_MAX      256 /* places on bus 0 */
#define ENGINE_IOTHREADS_MAX    64
#define ENGINE_CONFIG_MAX_BYTES (1u << 20)

/** The machine document (docs/engine-protocol.md) as structs. */
typedef enum EngineMachine {
    ENGINE_MACHINE_Q35 = 0,
    ENGINE_MACHINE_PC,
    ENGINE_MACHINE_MICROVM,
} EngineMachine;

typedef enum EngineAction {
    ENGINE_ACTION_DESTROY = 0,
    ENGINE_ACTION_RESTART,
    ENGINE_ACTION_PRESERVE,
} EngineAction;

typedef struct EngineSerialConfig {
    bool present;
    EngineChardevConfig chardev;
} EngineSerialConfig;

typedef enum EngineCpuMode {
    ENGINE_CPU_HOST_PASSTHROUGH = 0,
    ENGINE_CPU_HOST_MODEL,
    ENGINE_CPU_CUSTOM,
} EngineCpuMode;

typedef enum EngineCpuPolicy {
    ENGINE_CPU_POLICY_FORCE = 0,
    ENGINE_CPU_POLICY_REQUIRE,
    ENGINE_CPU_POLICY_OPTIONAL,
    ENGINE_CPU_POLICY_DISABLE,
    ENGINE_CPU_POLICY_FORBID,
} EngineCpuPolicy;

typedef struct EngineCpuFeature {
    char *name;
    EngineCpuPolicy policy;
} EngineCpuFeature;

typedef struct EngineCpuConfig {
    EngineCpuMode mode;
    char *model;
    char *vendor;
    bool unchecked; /* what the host lacks of a model is left out in silence */
    unsigned sockets, dies, cores, threads; /* resolved, never 0 */
    EngineCpuFeature *features;
    size_t n_features;
} EngineCpuConfig;

struct EngineConfig {
    char *name;
    char *uuid; /* 36 characters */
    EngineMachine machine;
    uint64_t memory; /* bytes */
    unsigned vcpus;
    EngineCpuConfig cpu;
    EngineFirmwareConfig firmware;
    EngineBootConfig boot;
    EngineSmbiosConfig smbios;
    EngineFile kernel; /* not named: firmware finds what to boot */
    EngineFile initrd;
    char *cmdline;
    bool acpi, apic, pae, kvm_hidden;
    int64_t clock_offset_s;
    bool kvmclock, pit, pit_late_ticks, rtc;
    uint64_t tsc_hz; /* 0: the host's */
    EngineSerialConfig serials[ENGINE_SERIALS_MAX];
    EngineDeviceConfig **devices;
    size_t n_devices;
    unsigned iothreads; /* numbers 1 to it; 0 is the shared one */
    bool debug_exit, pvpanic;
    EngineAction on_poweroff, on_reboot, on_crash;
    bool paused;
    GArray *fds; /* int: the descriptors that the document named */
};

typedef struct EngineConfig EngineConfig;

/** engine_config_has_firmware: firmware runs first, not the kernel */
static inline bool
engine_config_has_firmware(const EngineConfig *config)
{
    return config->firmware.present;
}

/** engine_uuid_bytes: the 16 bytes of a UUID in the order of its text (RFC
 * 4122); zeroes where @text ends or NULL */
void engine_uuid_bytes(const char *text, uint8_t *ret_uuid);

/**
 * engine_config_parse: read a machine document
 * @error: CONFIG_UNSUPPORTED or INVALID_ARG, naming the member
 */
EngineConfig *engine_config_parse(const char *json, GError **error);
void engine_config_free(EngineConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineConfig, engine_config_free)
