/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/engine.h"

#include <string.h>

#include "engine/firmware/firmware.h"
#include "engine/machine.h"
#include "engine/vcpu-state.h"
#include "engine/x86/acpi.h"
#include "engine/x86/cpu.h"
#include "engine/x86/mptable.h"
#include "engine/x86/smbios.h"

bool
engine_load(Engine *engine, GError **error)
{
    const EngineConfig *config = engine->config;
    bool ecam = config->machine == ENGINE_MACHINE_Q35;
    EngineE820 map[ENGINE_E820_MAX];
    unsigned count = engine_memory_e820(&engine->memory, ecam, map);
    uint64_t rsdp = 0;

    if (engine_config_has_firmware(config)) {
        engine->boot = (EngineBoot){ .mode = ENGINE_BOOT_RESET };
        return engine_firmware_load(engine, config, error);
    }
    if (config->acpi && !engine_acpi_build(engine, config, &rsdp, error))
        return false;
    engine_mptable_build(engine, config);
    return engine_smbios_build(engine, config, error) &&
           engine_boot_load(engine, config, map, count, rsdp, &engine->boot,
                            error);
}

/* The vCPUs come into being on their own threads while the main thread makes
 * the devices and loads the kernel. */
static bool
build(Engine *engine, const struct kvm_cpuid2 *cpuid, GError **error)
{
    const EngineConfig *config = engine->config;
    bool ok;

    if (!engine_memory_init(&engine->memory, config->memory,
                            engine_low_memory(config), error) ||
        !engine_kvm_create_vm(&engine->kvm, error) ||
        !engine_memory_plug(&engine->memory, engine->kvm.vm_fd, error) ||
        !engine_kvm_create_irqchip(&engine->kvm, error) ||
        !engine_vcpus_init(&engine->vcpus, engine, cpuid, error))
        return false;
    ok = engine_devices_init(engine, error) && engine_load(engine, error);
    /* They use @cpuid, so they are waited for in any case. */
    return engine_vcpus_wait(&engine->vcpus, ok ? error : NULL) && ok &&
           engine_vcpu_boot(&engine->vcpus.items[0], &engine->boot, error);
}

Engine *
engine_new(const EngineConfig *config, GError **error)
{
    Engine *engine = g_new0(Engine, 1);
    g_autofree struct kvm_cpuid2 *cpuid = NULL;

    engine->config = config;
    engine->status = ENGINE_STATUS_PRELAUNCH;
    engine->loop = g_main_loop_new(NULL, FALSE);
    g_mutex_init(&engine->report_lock);
    g_mutex_init(&engine->msis.lock);
    if (engine_kvm_open(&engine->kvm, error))
        cpuid = engine_cpuid_new(engine->kvm.kvm_fd, config, error);
    if (cpuid && build(engine, cpuid, error))
        return engine;
    engine_free(engine);
    return NULL;
}

EngineThrottleGroups *
engine_throttle_groups(Engine *engine)
{
    return &engine->throttles;
}

void
engine_free(Engine *engine)
{
    if (!engine)
        return;
    engine_vcpus_clear(&engine->vcpus);
    engine_devices_clear(&engine->devices);
    engine_iothreads_free(engine);
    engine_bus_clear(&engine->bus);
    engine_memory_unplug(&engine->memory, engine->kvm.vm_fd);
    engine_kvm_clear(&engine->kvm);
    engine_memory_clear(&engine->memory);
    g_mutex_clear(&engine->msis.lock);
    g_mutex_clear(&engine->report_lock);
    g_main_loop_unref(engine->loop);
    g_free(engine->report);
    g_free(engine->new_report);
    g_free(engine);
}

EngineStatus
engine_status(const Engine *engine)
{
    return engine->status;
}

const char *
engine_status_name(EngineStatus status)
{
    static const char *const names[] = {
        [ENGINE_STATUS_PRELAUNCH] = "prelaunch",
        [ENGINE_STATUS_RUNNING] = "running",
        [ENGINE_STATUS_PAUSED] = "paused",
        [ENGINE_STATUS_SHUTDOWN] = "shutdown",
        [ENGINE_STATUS_PANICKED] = "guest-panicked",
        [ENGINE_STATUS_INTERNAL_ERROR] = "internal-error",
    };

    return names[status];
}

const EngineConfig *
engine_config(const Engine *engine)
{
    return engine->config;
}

/* Only a vCPU that runs can know whether it has halted, so they are stopped for
 * the moment of the question. */
GArray *
engine_cpus(Engine *engine)
{
    const EngineVcpus *set = &engine->vcpus;
    GArray *infos =
        g_array_sized_new(FALSE, FALSE, sizeof(EngineCpuInfo), set->count);

    engine_vcpus_stop(&engine->vcpus);
    for (unsigned i = 0; i < set->count; i++) {
        const EngineVcpu *vcpu = &set->items[i];
        EngineCpuInfo info = {
            .index = i,
            .thread_id = vcpu->thread_id,
            .halted = engine_vcpu_is_halted(vcpu),
            .exits = vcpu->exits,
        };

        g_array_append_val(infos, info);
    }
    if (engine->status == ENGINE_STATUS_RUNNING)
        engine_vcpus_resume(&engine->vcpus, false);
    return infos;
}

bool
engine_bus_map(Engine *engine, EngineDevice *device, EngineSpace space,
               uint64_t base, uint64_t size, unsigned region, GError **error)
{
    const EngineRange range = { base, base + size, device, region };

    return engine_bus_add(&engine->bus, space, &range, error);
}

void *
engine_memory_at(Engine *engine, uint64_t gpa, size_t size)
{
    return engine_memory_lookup(&engine->memory, gpa, size);
}

bool
engine_memory_read(Engine *engine, uint64_t gpa, void *buffer, size_t size)
{
    const void *from = engine_memory_lookup(&engine->memory, gpa, size);

    if (!from)
        return false;
    memcpy(buffer, from, size);
    return true;
}

bool
engine_memory_write(Engine *engine, uint64_t gpa, const void *buffer,
                    size_t size)
{
    void *to = engine_memory_lookup(&engine->memory, gpa, size);

    if (!to)
        return false;
    memcpy(to, buffer, size);
    return true;
}
