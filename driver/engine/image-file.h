/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>

#include "engine/config-firmware.h"
#include "util/fd.h"

/** A file that the guest is given: a kernel, an initrd, firmware. */
typedef struct EngineImage {
    Fd fd; /* -1: none */
    uint64_t size;
    char *name; /* for messages: "kernel '/boot/vmlinuz'" */
} EngineImage;

/** engine_image_open: open or duplicate, and look at it
 * @image: its fd is -1   @role: in messages, before the name
 * @error: INVALID_ARG if it is empty or no regular file; SYSTEM_ERROR */
bool engine_image_open(EngineImage *image, const EngineFile *file,
                       const char *role, GError **error);
void engine_image_close(EngineImage *image);

/** engine_image_read: exactly @size bytes at @offset, or an error */
bool engine_image_read(const EngineImage *image, uint64_t offset, void *buffer,
                       size_t size, GError **error);
