/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * A thread that does devices' work: it sleeps until a descriptor is readable
 * and calls whoever waits for it. It never wakes up for nothing.
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
/** engine_io_remove: @ready is not called any more; NULL is fine. Thread: the
 * thread itself (see engine_io_call()) */
void engine_io_remove(EngineIoSource *source);

/**
 * engine_io_call: have @fn called on the thread and wait for its end
 * Also while it is paused. Thread: any, the thread itself too
 */
void engine_io_call(EngineIo *io, EngineIoFn fn, void *opaque);

/** engine_io_pause: returns when no @ready runs, and none will until
 * engine_io_resume(). NULL is fine. Thread: main */
void engine_io_pause(EngineIo *io);
void engine_io_resume(EngineIo *io);
