/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/resolve/document.h"

/** How one file of a disk is used. */
typedef struct EngineImageUse {
    bool writable;
    bool shareable; /* others may write it at the same time */
    bool direct;    /* past the host's cache */
    bool optional;  /* direct where the file system can, else not */
    bool block;     /* a block device; else a regular file */
} EngineImageUse;

/**
 * engine_image_lock: let nobody write what this domain relies on, nor rely on
 * what it writes: locks of the open file, so that they live with the engine;
 * QEMU and its tools take the same
 * @error: RESOURCE_BUSY, which names the domain where that is known
 */
bool engine_image_lock(EngineResolved *resolved, int fd, const char *path,
                       const EngineImageUse *use, GError **error);

/** What a qcow2 header says of the image below. */
typedef struct EngineBackingName {
    char *name;   /* NULL: there is none */
    char *format; /* NULL: it does not say */
} EngineBackingName;

void engine_backing_name_clear(EngineBackingName *name);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(EngineBackingName, engine_backing_name_clear)

/** engine_backing_read: out of the header of the qcow2 image @fd, every number
 * of which is checked; @error: INVALID_ARG if it is no such header */
bool engine_backing_read(int fd, const char *path, EngineBackingName *ret_name,
                         GError **error);

/** engine_image_size: of the image @fd as a guest sees it, whole sectors;
 * @format: raw or qcow2, whose header is checked. @error: as of
 * engine_backing_read() */
bool engine_image_size(int fd, const char *path, const char *format,
                       uint64_t *ret_size, GError **error);

/**
 * engine_overlay_open: an empty qcow2 image of @size bytes, for what a guest
 * writes to a transient disk. It is made by qemu-img, in the folder of the image
 * @path or, where that cannot be written, in /var/tmp. It never has a name: it
 * is gone when its descriptor is closed, also if the host goes down.
 * @error: names the file or the program. Returns: as those of open.h
 */
int engine_overlay_open(EngineResolved *resolved, const char *path,
                        uint64_t size, GError **error);

/** engine_image_chain: DRIVE of a disk (docs/engine-protocol.md), with all that
 * lies below it; owned */
json_t *engine_image_chain(EngineResolved *resolved, ConfDisk *disk,
                           GError **error);
