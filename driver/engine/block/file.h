/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/aio.h"
#include "engine/block/drive.h"

/*
 * The host's file or block device under an image: transfers of any alignment,
 * continued when they are short, through a second buffer where O_DIRECT wants
 * one. What is read beyond the file's end is zero.
 */
#define ENGINE_FILE_ALIGN_MAX 4096u /* that we know how to serve */

typedef struct EngineTransfer EngineTransfer;

typedef struct EngineBlockFile {
    EngineAio *aio;
    const char *path; /* for messages */
    int fd, number;
    bool direct, device;
    uint32_t align;        /* of offsets and sizes; a power of two >= 512 */
    uint32_t memory_align; /* of buffers */
    uint64_t highest;      /* end of the last byte written so far */
    unsigned unable;       /* ways of zeroing that it has refused; bits */
    /* in flight, where writes may have to wait for each other */
    EngineTransfer *writes, *waiting;
} EngineBlockFile;

/** Part of a scattered buffer. */
typedef struct EngineSlice {
    const struct iovec *iov;
    unsigned n_iov;
    uint64_t skip; /* bytes of it before the part */
} EngineSlice;

typedef enum EngineBlockIoKind {
    ENGINE_BLOCK_IO_READ,
    ENGINE_BLOCK_IO_WRITE,
    ENGINE_BLOCK_IO_SYNC,
    ENGINE_BLOCK_IO_ZERO,    /* the range reads as zeroes then */
    ENGINE_BLOCK_IO_UNMAP,   /* the same, and takes no space if possible */
    ENGINE_BLOCK_IO_DISCARD, /* advice */
} EngineBlockIoKind;

/** One operation; copied, but for the buffers. */
typedef struct EngineBlockIo {
    EngineBlockFile *file;
    EngineBlockIoKind kind;
    uint64_t offset, size;
    EngineSlice data; /* READ, WRITE */
    void (*done)(void *opaque, int result /* 0 or -errno */);
    void *opaque;
} EngineBlockIo;

/** engine_block_file_open: @file of @drive, that stays the caller's. Thread:
 * the aio's, as of all below */
bool engine_block_file_open(EngineBlockFile *file,
                            const EngineDriveConfig *drive, EngineAio *aio,
                            GError **error);
/** engine_block_file_size: of the file or device now. Returns: 0 or -errno */
int engine_block_file_size(const EngineBlockFile *file, uint64_t *ret_size);

/** engine_block_file_submit: begin @io; done() is never called from here */
void engine_block_file_submit(const EngineBlockIo *io);

/** engine_block_file_read: at once. Returns: 0 or -errno */
int engine_block_file_read(EngineBlockFile *file, void *buffer, size_t size,
                           uint64_t offset);
/** engine_block_file_write: at once. Returns: 0 or -errno */
int engine_block_file_write(EngineBlockFile *file, const void *data,
                            size_t size, uint64_t offset);
/** engine_block_file_sync: at once. Returns: 0 or -errno */
int engine_block_file_sync(EngineBlockFile *file);

/** engine_block_buffer_new: memory that O_DIRECT takes; free() it */
void *engine_block_buffer_new(size_t size);

/** engine_slice_copy_to, _from: @size bytes from @buffer to the slice, or back
 */
void engine_slice_copy_to(const EngineSlice *slice, const void *buffer,
                          size_t size);
void engine_slice_copy_from(const EngineSlice *slice, void *buffer,
                            size_t size);
/** engine_slice_zero: fill the first @size bytes with zeroes */
void engine_slice_zero(const EngineSlice *slice, uint64_t size);
/** engine_slice_cut: the iovec of the first @size bytes of the slice
 * Returns: how many of @iov were filled, at most @capacity: it may be less
 * than @size then; *@ret_size is what it is */
unsigned engine_slice_cut(const EngineSlice *slice, uint64_t size,
                          struct iovec *iov, unsigned capacity,
                          uint64_t *ret_size);

/* file-zero.c, for file-io.c only */
void engine_block_file_zero(const EngineBlockIo *io);
