/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/block.h"

/* An image on an I/O thread of its own, and requests on it from the test's. */
typedef struct BlockFixture {
    EngineIo *io;
    EngineBlock *block;
    char *folder; /* for the test's files */
} BlockFixture;

int block_setup(void **state);
int block_teardown(void **state);

/** block_path: of a file in the test's folder; g_free() it */
char *block_path(const BlockFixture *f, const char *name);
/** block_open: opens @drive's file at its path, and its backing files; fails
 * the test with the reason */
void block_open(BlockFixture *f, EngineDriveConfig *drive);
/** block_open_fails: and @text is in the reason */
void block_open_fails(BlockFixture *f, EngineDriveConfig *drive,
                      const char *text);
void block_close(BlockFixture *f, EngineDriveConfig *drive);

/** block_do: one request, and waits for it. Returns: its result */
int block_do(BlockFixture *f, EngineBlockRequest *request);
int block_read(BlockFixture *f, uint64_t offset, void *buffer, size_t size);
int block_write(BlockFixture *f, uint64_t offset, const void *data,
                size_t size);
int block_flush(BlockFixture *f);
int block_zero(BlockFixture *f, uint64_t offset, uint64_t size, bool unmap);
int block_discard(BlockFixture *f, uint64_t offset, uint64_t size);

/** block_play: @rounds of up to 16 random requests at once on a @size bytes
 * image whose contents @model are; every read is compared with it */
void block_play(BlockFixture *f, uint8_t *model, size_t size, unsigned rounds,
                guint32 seed);
/** block_compare: that the whole image reads as @model */
void block_compare(BlockFixture *f, const uint8_t *model, size_t size);
/** block_fill: random bytes, some of them whole sectors of zeroes */
void block_fill(GRand *rand, uint8_t *data, size_t size);
