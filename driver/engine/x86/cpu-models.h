/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/x86/cpu-features.h"

#define CPU_MODEL_NUMBERS_MAX 4

enum {
    CPU_MODEL_GENERIC = 1 << 0,    /* no real processor: not by its signature */
    CPU_MODEL_GUEST_ONLY = 1 << 1, /* never what a host is said to be */
};

/** A named model: what it adds to and takes from another one. */
typedef struct EngineCpuModelType {
    const char *name;
    const char *base;   /* name of another model, NULL: none */
    const char *vendor; /* libvirt's name, NULL: any */
    uint8_t family;
    /* Model numbers of the real processors; the guest sees the first. */
    uint8_t models[CPU_MODEL_NUMBERS_MAX];
    uint8_t steppings[2]; /* from, to: of the real processors */
    uint8_t stepping;     /* that the guest sees */
    unsigned flags;
    const char *add, *drop; /* features, separated by blanks */
} EngineCpuModelType;

extern const EngineCpuModelType engine_cpu_models[];
extern const unsigned engine_cpu_n_models;

/** engine_cpu_model_find: NULL if there is none of that name */
const EngineCpuModelType *engine_cpu_model_find(const char *name);

/** engine_cpu_model_set: every feature of @model */
EngineCpuSet engine_cpu_model_set(const EngineCpuModelType *model);

/** engine_cpu_model_signature: what leaf 1 says in EAX */
uint32_t engine_cpu_model_signature(const EngineCpuModelType *model);

/**
 * engine_cpu_model_nearest: the model that describes a host best
 * @host: its features   @vendor: libvirt's name of its vendor
 * @signature: EAX of its leaf 1
 *
 * A model with the host's own signature goes before others, then the one that
 * differs in the fewest features.
 */
const EngineCpuModelType *engine_cpu_model_nearest(const EngineCpuSet *host,
                                                   const char *vendor,
                                                   uint32_t signature);

/**
 * engine_cpu_model_lacking: the features of @model that @host must have and
 * has not. svm, vmx, monitor and acpi are given where the host has them, and
 * not missed where it has not.
 */
EngineCpuSet engine_cpu_model_lacking(const EngineCpuModelType *model,
                                      const EngineCpuSet *host);
