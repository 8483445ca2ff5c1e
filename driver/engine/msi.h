/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

typedef struct EngineIo EngineIo;

/*
 * What devices on a fast path use of KVM: interrupts by message through an
 * eventfd, accesses that end in an eventfd instead of a vCPU's exit, and the
 * thread that waits for those.
 */

/** One message-signalled interrupt. Begin with ENGINE_MSI_NONE. */
typedef struct EngineMsi {
    int fd; /* a write raises it; -1: it leads nowhere yet */
    unsigned gsi;
    uint64_t address;
    uint32_t data;
} EngineMsi;

#define ENGINE_MSI_NONE \
    {                   \
        .fd = -1        \
    }

/**
 * engine_msi_route: let @msi raise the message @data at @address from now on
 * Returns: false if KVM refuses; the interrupt then leads where it led before
 * Thread: any, one at a time for an interrupt
 */
bool engine_msi_route(Engine *engine, EngineMsi *msi, uint64_t address,
                      uint32_t data);
/** engine_msi_signal: raise it; nothing if it leads nowhere. Thread: any */
void engine_msi_signal(Engine *engine, const EngineMsi *msi);
/** engine_msi_clear: it leads nowhere any more */
void engine_msi_clear(Engine *engine, EngineMsi *msi);

/**
 * engine_ioevent: writes to guest physical @gpa end in eventfd @fd, of any
 * width and value; or (@on false) no longer
 * Returns: false if KVM refuses; then they arrive as other accesses do
 */
bool engine_ioevent(Engine *engine, uint64_t gpa, int fd, bool on);

/**
 * engine_io: a thread for devices' work, made when first asked for
 * @number: 0: the one that devices share; up to the document's "iothreads"
 * @error: CONFIG_UNSUPPORTED if there is none of that number; SYSTEM_ERROR
 * Thread: main
 */
EngineIo *engine_io(Engine *engine, unsigned number, GError **error);
