/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/config.h"

struct kvm_cpuid2;

/**
 * engine_cpuid_new: the CPUID leaves of every vCPU of this machine
 *
 * KVM_GET_SUPPORTED_CPUID, filtered by @config->cpu (mode, model, features and
 * policies), with topology leaves (1, 4, 0xb, 0x1f, 0x8000001e), the KVM leaves
 * and the hypervisor bit; APIC ids are filled by engine_cpuid_set_vcpu().
 * @error: CONFIG_UNSUPPORTED names the feature or model the host lacks
 */
struct kvm_cpuid2 *engine_cpuid_new(int kvm_fd, const EngineConfig *config,
                                    GError **error);

/** engine_cpuid_set_vcpu: make @cpuid that of vCPU @index */
void engine_cpuid_set_vcpu(struct kvm_cpuid2 *cpuid, const EngineConfig *config,
                           unsigned index);

/** engine_apic_id: of vCPU @index in @config's topology */
unsigned engine_apic_id(const EngineConfig *config, unsigned index);

/* --- what documents about the host tell --------------------------------- */
/** A named CPU model of the table. */
typedef struct EngineCpuModel {
    const char *name;
    const char *vendor;
    bool usable; /* the host has every feature of it */
} EngineCpuModel;

typedef struct EngineHostCpu {
    char *vendor;       /* libvirt's name: Intel, AMD */
    char *model;        /* the nearest named model */
    GPtrArray *features; /* char*: features beyond @model that the host has */
    GPtrArray *missing;  /* char*: features of @model that the host lacks */
    GArray *models;      /* EngineCpuModel, all of the table */
} EngineHostCpu;

/** engine_host_cpu_query: what KVM on this host can give; opens /dev/kvm */
EngineHostCpu *engine_host_cpu_query(GError **error);
void engine_host_cpu_free(EngineHostCpu *cpu);
