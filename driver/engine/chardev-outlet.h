/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Bytes on their way to one descriptor: appended by any thread, written by the
 * main thread without the lock held, so that a slow file never holds up a vCPU.
 */
typedef struct EngineOutlet {
    GMutex lock;
    int fd;        /* -1: nobody there now; the bytes wait. Not owned */
    bool socket;   /* written with MSG_DONTWAIT, no SIGPIPE */
    bool closed;   /* for good: bytes are dropped and counted */
    uint8_t *data; /* ring of ENGINE_CHARDEV_BUFFER bytes */
    size_t start;  /* of the first waiting byte */
    size_t used;   /* waiting bytes */
    uint64_t dropped;
} EngineOutlet;

typedef enum EngineOutletState {
    ENGINE_OUTLET_EMPTY,   /* all is written */
    ENGINE_OUTLET_BLOCKED, /* the descriptor takes no more now, or is -1 */
    ENGINE_OUTLET_BROKEN,  /* the reader is gone; what waited still waits */
} EngineOutletState;

void engine_outlet_init(EngineOutlet *outlet);
void engine_outlet_clear(EngineOutlet *outlet);

/** engine_outlet_attach: write to @fd from now on, or to none (-1) */
void engine_outlet_attach(EngineOutlet *outlet, int fd);

/** engine_outlet_close: drop what waits and all that follows */
void engine_outlet_close(EngineOutlet *outlet);

/** engine_outlet_append: keep what fits, count the rest. Thread: any */
void engine_outlet_append(EngineOutlet *outlet, const uint8_t *data,
                          size_t size);

/** engine_outlet_room: how many bytes it would keep now. Thread: any */
size_t engine_outlet_room(EngineOutlet *outlet);

/** engine_outlet_drain: write until done or refused. Thread: main */
EngineOutletState engine_outlet_drain(EngineOutlet *outlet);

/** engine_outlet_dropped: bytes lost so far. Thread: any */
uint64_t engine_outlet_dropped(EngineOutlet *outlet);
