/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/bus.h"
#include "engine/devices.h"
#include "engine/engine.h"
#include "engine/kvm.h"
#include "engine/memory.h"
#include "engine/msi.h"
#include "engine/throttle.h"
#include "engine/vcpu.h"

/** How and why an engine ended; see docs/engine-protocol.md, "Ending". */
typedef struct EngineEnd {
    const char *reason; /* NULL: it has not */
    int status;         /* of the process */
} EngineEnd;

/** The interrupts by message in use, by their GSI. */
#define ENGINE_MSIS_MAX 1024
typedef struct EngineMsis {
    GMutex lock;
    const EngineMsi *of[ENGINE_MSIS_MAX];
} EngineMsis;

/** The whole machine; private to the files of this folder. */
struct Engine {
    const EngineConfig *config;
    EngineKvm kvm;
    EngineMemory memory;
    EngineBus bus;
    EngineVcpus vcpus;
    EngineDevices devices;
    EngineMsis msis;
    EngineThrottleGroups throttles;
    EngineIo *ios[ENGINE_IOTHREADS_MAX + 1]; /* NULL until a device wants it */
    EngineBoot boot;
    EngineStatus status;
    EngineEventFn listener;
    void *listener_opaque;
    GMainLoop *loop;
    EngineEnd end;
    bool reboot;               /* the next power-off is a restart */
    uint64_t request;          /* packed, 0: none; atomic */
    uint32_t ejected, refused; /* slots, by the guest; atomic */
    bool stop_posted;          /* atomic */
    GMutex report_lock;
    char *new_report; /* from a vCPU's thread, under report_lock */
    char *report;     /* the main thread's */
    gint64 fault_us;  /* when the last triple fault was, monotonic */
    unsigned faults;  /* triple faults in quick succession */
};

/* --- engine.c ----------------------------------------------------------- */
/** engine_load: ACPI tables and boot image into RAM, boot vCPU to its entry */
bool engine_load(Engine *engine, GError **error);

/* --- iothreads.c -------------------------------------------------------- */
/** All of them: engine_io_pause(), _resume(), _free() */
void engine_iothreads_pause(Engine *engine);
void engine_iothreads_resume(Engine *engine);
void engine_iothreads_free(Engine *engine);

/* --- hotplug.c ---------------------------------------------------------- */
/** engine_hotplug_settle: at a reset nothing is used any more: what was to go
 * goes. Needs the vCPUs to be stopped. */
void engine_hotplug_settle(Engine *engine);

/* --- lifecycle.c -------------------------------------------------------- */
/**
 * engine_fail: a vCPU cannot go on; as engine_request() with a report
 * @report: owned from here on; the first one is kept
 */
void engine_fail(Engine *engine, EngineRequest request, char *report);
/** engine_finish: leave the main loop with @status and @reason */
void engine_finish(Engine *engine, int status, const char *reason);
