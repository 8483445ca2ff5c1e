/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <virtkvm/driver.h>

/** core_image_open: a regular file or block device, to read; -1 with
 * SYSTEM_ERROR, which names it */
int core_image_open(const char *path, GError **error);

/**
 * core_image_info: what the host and the image's own header say of it
 * @format: "raw" or "qcow2"; NULL is raw
 */
bool core_image_info(const char *path, const char *format,
                     VirtkvmBlockInfo *ret_info, GError **error);
