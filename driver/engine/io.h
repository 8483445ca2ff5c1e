/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A thread that does devices' work: it sleeps until a descriptor is ready or
 * a time has come, and calls whoever waits for it. It never wakes up for
 * nothing. Where events follow each other closely it looks for the next one
 * itself for a moment before it sleeps (see EngineIoWatch).
 */
typedef struct EngineIo EngineIo;
typedef struct EngineIoSource EngineIoSource;
typedef void (*EngineIoFn)(void *opaque);

/** engine_io_new: start one. @name: of the thread, at most 15 bytes */
EngineIo *engine_io_new(const char *name, GError **error);
/** engine_io_free: end it; NULL is fine. No source may be left. */
void engine_io_free(EngineIo *io);

/**
 * engine_io_add: call @ready on the thread whenever @fd is readable
 * @ready: must read it empty   Thread: any
 */
EngineIoSource *engine_io_add(EngineIo *io, int fd, EngineIoFn ready,
                              void *opaque, GError **error);
/** engine_io_set_events: wait for @events (EPOLLIN, EPOLLOUT; 0: none but
 * errors) from now on, which is EPOLLIN at first. Thread: the thread itself */
void engine_io_set_events(EngineIoSource *source, uint32_t events);
/** engine_io_events: those that @ready is called for. Thread: from @ready */
uint32_t engine_io_events(const EngineIoSource *source);
/** engine_io_remove: @ready is not called any more; NULL is fine. Thread: the
 * thread itself (see engine_io_call()) */
void engine_io_remove(EngineIoSource *source);

/**
 * Something in memory that a descriptor tells of, and that can be looked at
 * without it: a ring. Embedded where it is needed. Being woken up takes longer
 * than most work there is to do, for the thread and for whoever wakes it: where
 * the last wait was a short one, the thread looks for a while before it sleeps.
 *
 * Threads: all on the thread itself.
 */
typedef struct EngineIoWatch {
    EngineIo *io;
    /** Is something there for ready()? Changes nothing. */
    bool (*look)(void *opaque);
    /** The thread is about to sleep: the descriptor must tell of what comes.
     * Returns: whether something is there already */
    bool (*arm)(void *opaque);
    EngineIoFn ready;
    void *opaque;
    /* io's own */
    struct EngineIoWatch *next;
    int64_t since_ns;
    unsigned round;
    bool on;
    bool soon; /* the last wait was short */
} EngineIoWatch;

/** engine_io_watch_init: @arm: NULL: as @look */
void engine_io_watch_init(EngineIoWatch *watch, EngineIo *io,
                          bool (*look)(void *opaque), bool (*arm)(void *opaque),
                          EngineIoFn ready, void *opaque);
/** engine_io_watch: the wait for it begins now, or begins anew. Until it was
 * ready or was armed, once, nobody else need tell of it. */
void engine_io_watch(EngineIoWatch *watch);
/** engine_io_watch_came: what was waited for was told by the descriptor */
void engine_io_watch_came(EngineIoWatch *watch);
/** engine_io_unwatch: forget it; fine if it is not watched */
void engine_io_unwatch(EngineIoWatch *watch);

/** A call at a time to come; embedded where it is needed. While the thread is
 * paused none is made. */
typedef struct EngineIoTimer {
    EngineIo *io;
    EngineIoFn fire;
    void *opaque;
    int64_t deadline_ns; /* 0: not set */
    struct EngineIoTimer *next;
} EngineIoTimer;

/** engine_io_now: the clock of timers: monotonic, ns. Thread: any */
int64_t engine_io_now(void);
void engine_io_timer_init(EngineIoTimer *timer, EngineIo *io, EngineIoFn fire,
                          void *opaque);
/** engine_io_timer_set: @fire once at @deadline_ns (of engine_io_now()), or,
 * at 0, not any more. Thread: the thread itself */
void engine_io_timer_set(EngineIoTimer *timer, int64_t deadline_ns);

/**
 * engine_io_call: have @fn called on the thread and wait for its end
 * Also while it is paused. Thread: any, the thread itself too
 */
void engine_io_call(EngineIo *io, EngineIoFn fn, void *opaque);

/** engine_io_pause: returns when no @ready runs, and none will until
 * engine_io_resume(). NULL is fine. Thread: main */
void engine_io_pause(EngineIo *io);
void engine_io_resume(EngineIo *io);
