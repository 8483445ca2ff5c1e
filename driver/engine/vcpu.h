/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/bus.h"
#include "engine/x86/boot.h"

typedef struct EngineVcpus EngineVcpus;

/** Exits a vCPU remembers for a report. A power of two. */
#define ENGINE_EXITS_KEPT 16

typedef struct EngineExit {
    uint32_t reason; /* KVM_EXIT_* */
    uint16_t size;   /* bytes of one access */
    bool write;
    uint64_t address; /* port or guest physical address */
    uint64_t value;   /* the first element's */
} EngineExit;

/* A cache line: neighbours do not share one. */
#define ENGINE_VCPU_ALIGN 64

typedef struct EngineVcpu {
    _Alignas(ENGINE_VCPU_ALIGN) EngineVcpus *set;
    unsigned index;
    int fd;
    struct kvm_run *run;
    EngineBusHint hints[2]; /* by EngineSpace */
    uint64_t exits;         /* written by its thread only */
    EngineExit ring[ENGINE_EXITS_KEPT];
    pthread_t thread;
    bool has_thread;
    int thread_id;
    bool inside; /* may be in KVM_RUN; under the set's lock */
} EngineVcpu;

/** All vCPUs of a machine, one thread each. They run together or not at all. */
struct EngineVcpus {
    Engine *engine;
    EngineVcpu *items;
    unsigned count;
    size_t run_size;
    GMutex lock;
    GCond go;      /* run or quit has changed */
    GCond settled; /* inside or ready has changed */
    bool run;      /* the vCPUs may enter the guest */
    bool held;     /* a request waits for the main thread: run stays false */
    bool quit;
    unsigned inside; /* vCPUs that may be in KVM_RUN */
    unsigned ready;  /* vCPUs that were made, or failed to be */
    GError *error;   /* the first that failed */
};

/**
 * engine_vcpus_init: start a thread for every vCPU of @engine's configuration;
 * each makes its vCPU meanwhile. Nothing enters the guest.
 * @cpuid: filled by engine_cpuid_new(); must live until engine_vcpus_wait()
 */
bool engine_vcpus_init(EngineVcpus *set, Engine *engine,
                       const struct kvm_cpuid2 *cpuid, GError **error);

/** engine_vcpus_wait: until every vCPU has been made, or one has failed */
bool engine_vcpus_wait(EngineVcpus *set, GError **error);
void engine_vcpus_clear(EngineVcpus *set);

/**
 * engine_vcpus_resume: let them run, unless a request is pending
 * @told: tell guests with KVM's clock that they were stopped
 * Thread: main
 */
void engine_vcpus_resume(EngineVcpus *set, bool told);

/** engine_vcpus_stop: returns when no vCPU is in KVM_RUN. Thread: main */
void engine_vcpus_stop(EngineVcpus *set);

/**
 * engine_vcpus_hold: make them stop soon, and stay so until
 * engine_vcpus_unhold(); does not wait. A vCPU's thread that calls it from an
 * exit executes no further guest instruction. Thread: any
 */
void engine_vcpus_hold(EngineVcpus *set);
void engine_vcpus_unhold(EngineVcpus *set);

/** engine_vcpu_is_halted: whether it waits in HLT. Only while stopped. */
bool engine_vcpu_is_halted(const EngineVcpu *vcpu);
