/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <virtkvm/driver.h>

#include "conf/domain.h"

/**
 * What the core needs of an engine, whatever runs the guest: a process
 * (engine-process.c) or nothing at all (engine-null.c).
 *
 * Every operation but those marked may block for an engine's answer and is
 * called without a domain's lock, from any thread except the I/O thread.
 */
typedef struct CoreEngine CoreEngine;

/** What an engine tells, from the I/O thread, one event at a time. */
typedef enum CoreEngineEventKind {
    CORE_ENGINE_STOP,
    CORE_ENGINE_RESUME,
    CORE_ENGINE_SHUTDOWN, /* guest, reason */
    CORE_ENGINE_RESET,
    CORE_ENGINE_PANICKED,
    CORE_ENGINE_INTERNAL_ERROR, /* text: the report */
    CORE_ENGINE_RTC_CHANGE,     /* value: seconds from UTC */
    CORE_ENGINE_IO_ERROR,       /* id, action, on: there is no space left */
    CORE_ENGINE_BALLOON,        /* value: bytes the guest has now */
    CORE_ENGINE_DEVICE_DELETED, /* id */
    CORE_ENGINE_DEVICE_REFUSED, /* id: the guest does not let go */
    CORE_ENGINE_CHANNEL,        /* id, value: port, on: the guest opened it */
    CORE_ENGINE_TRAY,           /* id, on: it is out */
    CORE_ENGINE_CONTROL_ERROR,  /* the control connection cannot be used */
    CORE_ENGINE_EXITED,         /* the last one: reason, text */
} CoreEngineEventKind;

typedef struct CoreEngineEvent {
    CoreEngineEventKind kind;
    bool guest;
    const char
        *reason;      /* of the exit file (docs/engine-protocol.md), or NULL */
    const char *text; /* report or error, or NULL */
    const char *id;   /* a device's alias, or NULL */
    int action;       /* virDomainEventIOErrorAction */
    bool on;
    int64_t value;
} CoreEngineEvent;

typedef void (*CoreEngineEventFn)(CoreEngine *engine, gpointer opaque,
                                  const CoreEngineEvent *event);

/** What a status file keeps of an engine, to find it again. */
typedef struct CoreEngineRecord {
    pid_t pid;            /* 0: no process */
    uint64_t start_time;  /* /proc/PID/stat, 22: ticks since boot */
    GArray *vcpu_threads; /* pid_t by vCPU, or NULL */
    bool paused;          /* as the status file has it */
} CoreEngineRecord;

/** How an engine ended; its last words, if there are any. */
typedef struct CoreEngineExit {
    char *reason; /* of the exit file, or NULL */
    char *text;   /* report or error, or NULL */
} CoreEngineExit;

/** What to run. Borrowed for the call. */
typedef struct CoreEngineLaunch {
    VirtkvmState *state;
    int id;
    ConfDomain *live;    /* the engine fills in what only it knows: ptys */
    bool paused;         /* everything is made, nothing runs until cont */
    GPtrArray *warnings; /* char*: for the domain's log; more may be added */
} CoreEngineLaunch;

typedef enum CoreEngineStatus {
    CORE_ENGINE_STATUS_RUNNING,
    CORE_ENGINE_STATUS_PAUSED,
    CORE_ENGINE_STATUS_SHUTDOWN,
    CORE_ENGINE_STATUS_PANICKED,
} CoreEngineStatus;

typedef struct CoreEngineOps {
    /** Makes the engine, but not so that anything would run if this process
     * died now: the status file is written between spawn and begin. */
    CoreEngine *(*spawn)(const CoreEngineLaunch *launch, GError **error);
    /** Lets it go on and returns when the guest runs (or, paused, could).
     * Events are delivered from here on, also when it fails; then the caller
     * kills the engine and waits for EXITED. */
    bool (*begin)(CoreEngine *engine, CoreEngineEventFn event, gpointer opaque,
                  GError **error);
    /** Finds the engine that a status file names. NULL if it has ended; then
     * @ret_exit tells how. Does not block. */
    CoreEngine *(*find)(VirtkvmState *state, int id, const char *name,
                        const CoreEngineRecord *record,
                        CoreEngineExit *ret_exit);
    /** Connects to a found engine; events are delivered from here on. */
    bool (*reconnect)(CoreEngine *engine, CoreEngineEventFn event,
                      gpointer opaque, CoreEngineStatus *ret_status,
                      GError **error);
    bool (*stop)(CoreEngine *engine, GError **error);
    bool (*cont)(CoreEngine *engine, GError **error);
    bool (*reset)(CoreEngine *engine, GError **error);
    /** The power button. @reboot: when the guest has powered off, it starts
     * again in the same engine. */
    bool (*powerdown)(CoreEngine *engine, bool reboot, GError **error);
    /** Ends it: EXITED follows. @force: at once. Never blocks. */
    bool (*kill)(CoreEngine *engine, bool force, GError **error);
    /** Never blocks, may be called with the domain's lock. */
    void (*record)(CoreEngine *engine, CoreEngineRecord *ret_record);
    /** A console that is not a pty; NULL op: there is none. Never blocks. */
    int (*console)(CoreEngine *engine, GError **error);
    /** Removes what spawn left on the host for a domain that has ended; NULL
     * op: nothing. Never blocks for long. */
    void (*cleanup)(const ConfDomain *live);
    /** Lets calls that wait for the engine fail: this process is to end. NULL
     * op: none waits. Never blocks. */
    void (*interrupt)(CoreEngine *engine);
    /** Deliver no more events; the engine itself runs on. Only once the I/O
     * thread has ended. Returns: whether EXITED had not been delivered. */
    bool (*detach)(CoreEngine *engine);
    void (*free)(CoreEngine *engine);
    const struct CoreEngineDeviceOps *devices; /* engine-devices.h */
} CoreEngineOps;

/** The head of every engine. */
struct CoreEngine {
    gatomicrefcount refs;
    const CoreEngineOps *ops;
};

static inline CoreEngine *
core_engine_ref(CoreEngine *engine)
{
    g_atomic_ref_count_inc(&engine->refs);
    return engine;
}

static inline void
core_engine_unref(CoreEngine *engine)
{
    if (engine && g_atomic_ref_count_dec(&engine->refs))
        engine->ops->free(engine);
}

extern const CoreEngineOps core_engine_null_ops;
extern const CoreEngineOps core_engine_process_ops;
