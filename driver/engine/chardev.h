/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/config.h"

/**
 * The host's end of a character device. Output never blocks: what the host side
 * does not take is kept up to ENGINE_CHARDEV_BUFFER bytes, then dropped and
 * counted.
 */
#define ENGINE_CHARDEV_BUFFER 65536

typedef struct EngineChardev EngineChardev;

typedef struct EngineChardevHandlers {
    /** How many bytes the device can take now. Thread: main */
    size_t (*can_receive)(void *opaque);
    /** Input; @size is at most what can_receive answered. Thread: main */
    void (*receive)(void *opaque, const uint8_t *data, size_t size);
    /** Ctrl-] was typed on the terminal of a stdio chardev; may be NULL.
     * Thread: main */
    void (*escape)(void *opaque);
    /** A peer of a listening socket has come or gone; may be NULL. Thread: main
     */
    void (*connected)(void *opaque, bool on);
    /** engine_chardev_room() was 0 and is not any more; may be NULL. Thread:
     * main */
    void (*writable)(void *opaque);
} EngineChardevHandlers;

/**
 * engine_chardev_new: open the host's end on the default main context
 * @config: read only now; its descriptors stay the caller's and must outlive
 * the chardev. They are made non-blocking, those of the terminal excepted.
 * @error: INVALID_ARG if the descriptor is not what the type says
 * Thread: main. The process ignores SIGPIPE.
 */
EngineChardev *engine_chardev_new(const EngineChardevConfig *config,
                                  const EngineChardevHandlers *handlers,
                                  void *opaque, GError **error);
/** engine_chardev_free: delivers what the host side takes at once, restores the
 * terminal; NULL is fine. Thread: main, with no vCPU running */
void engine_chardev_free(EngineChardev *chardev);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineChardev, engine_chardev_free)

/** engine_chardev_write: never blocks. Thread: any */
void engine_chardev_write(EngineChardev *chardev, const uint8_t *data,
                          size_t size);

/** engine_chardev_room: how many bytes of output are kept for sure; at 0
 * `writable` will be called. Thread: any, one writer */
size_t engine_chardev_room(EngineChardev *chardev);

/** engine_chardev_poll_input: the device has room again. Thread: any */
void engine_chardev_poll_input(EngineChardev *chardev);

/** engine_chardev_dropped: bytes of output lost so far. Thread: any */
uint64_t engine_chardev_dropped(EngineChardev *chardev);

/** engine_chardev_flush: write what is buffered, waiting at most @timeout_ms;
 * does not wait where nobody is connected. Thread: main */
void engine_chardev_flush(EngineChardev *chardev, unsigned timeout_ms);
