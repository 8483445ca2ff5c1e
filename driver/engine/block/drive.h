/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ENGINE_DRIVE_DEPTH_MAX 64 /* files of a backing chain */

typedef enum EngineDriveFormat {
    ENGINE_DRIVE_RAW = 0,
    ENGINE_DRIVE_QCOW2,
} EngineDriveFormat;

typedef enum EngineDriveAio {
    ENGINE_DRIVE_AIO_IO_URING = 0, /* threads where it is not allowed */
    ENGINE_DRIVE_AIO_THREADS,
} EngineDriveAio;

/** One file of an image's chain, opened by the caller: DRIVE of the machine
 * document. No name found in an image is ever followed. */
typedef struct EngineDriveConfig EngineDriveConfig;
struct EngineDriveConfig {
    EngineDriveFormat format;
    int fd;        /* stays the caller's */
    char *path;    /* for messages */
    bool writable; /* only the chain's first */
    bool direct;   /* fd was opened with O_DIRECT */
    EngineDriveAio aio;
    uint64_t size;              /* raw: only the first so many bytes; 0: all */
    EngineDriveConfig *backing; /* NULL: none */
};
