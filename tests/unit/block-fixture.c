/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "block-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"

#define SECTOR    ENGINE_BLOCK_SECTOR
#define BATCH_MAX 16u
#define IOV_MOST  5u

int
block_setup(void **state)
{
    BlockFixture *f = g_new0(BlockFixture, 1);

    f->io = engine_io_new("io", NULL);
    f->folder = g_dir_make_tmp("virtkvm-block-XXXXXX", NULL);
    *state = f;
    return f->io && f->folder ? 0 : -1;
}

int
block_teardown(void **state)
{
    BlockFixture *f = *state;
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    const char *name;

    engine_block_close(f->block);
    engine_io_free(f->io);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = block_path(f, name);

        unlink(path);
    }
    rmdir(f->folder);
    g_free(f->folder);
    g_free(f);
    return 0;
}

char *
block_path(const BlockFixture *f, const char *name)
{
    return g_build_filename(f->folder, name, NULL);
}

static void
open_files(EngineDriveConfig *drive)
{
    for (; drive; drive = drive->backing) {
        drive->fd =
            open(drive->path, (drive->writable ? O_RDWR : O_RDONLY) |
                                  (drive->direct ? O_DIRECT : 0) | O_CLOEXEC);
        if (drive->fd < 0)
            fail_msg("%s: %s", drive->path, strerror(errno));
    }
}

static void
close_files(EngineDriveConfig *drive)
{
    for (; drive; drive = drive->backing)
        fd_clear(&drive->fd);
}

void
block_open(BlockFixture *f, EngineDriveConfig *drive)
{
    g_autoptr(GError) error = NULL;

    open_files(drive);
    f->block = engine_block_open(drive, f->io, &error);
    if (!f->block)
        fail_msg("%s", error->message);
}

void
block_open_fails(BlockFixture *f, EngineDriveConfig *drive, const char *text)
{
    g_autoptr(GError) error = NULL;

    open_files(drive);
    f->block = engine_block_open(drive, f->io, &error);
    assert_null(f->block);
    if (!strstr(error->message, text))
        fail_msg("'%s' is not in '%s'", text, error->message);
    close_files(drive);
}

void
block_close(BlockFixture *f, EngineDriveConfig *drive)
{
    engine_block_close(f->block);
    f->block = NULL;
    close_files(drive);
}

/* --- one batch -------------------------------------------------------------
 */
typedef struct Item {
    EngineBlockRequest request;
    struct Batch *batch;
    struct iovec iov[IOV_MOST];
    uint8_t *memory; /* of all buffers */
    int result;
} Item;

typedef struct Batch {
    EngineBlock *block;
    Item items[BATCH_MAX];
    unsigned count, over;
    bool submitting;
    GMutex lock;
    GCond all_over;
} Batch;

static void
on_done(EngineBlockRequest *request, int result)
{
    Item *item = (Item *)request;
    Batch *batch = item->batch;

    assert_false(batch->submitting);
    item->result = result;
    g_mutex_lock(&batch->lock);
    if (++batch->over == batch->count)
        g_cond_signal(&batch->all_over);
    g_mutex_unlock(&batch->lock);
}

static void
submit(void *opaque)
{
    Batch *batch = opaque;

    batch->submitting = true;
    for (unsigned i = 0; i < batch->count; i++)
        engine_block_submit(batch->block, &batch->items[i].request);
    batch->submitting = false;
    engine_block_kick(batch->block);
}

static void
batch_run(BlockFixture *f, Batch *batch)
{
    batch->block = f->block;
    g_mutex_init(&batch->lock);
    g_cond_init(&batch->all_over);
    for (unsigned i = 0; i < batch->count; i++) {
        batch->items[i].batch = batch;
        batch->items[i].request.done = on_done;
    }
    engine_io_call(f->io, submit, batch);
    g_mutex_lock(&batch->lock);
    while (batch->over < batch->count)
        g_cond_wait(&batch->all_over, &batch->lock);
    g_mutex_unlock(&batch->lock);
    g_mutex_clear(&batch->lock);
    g_cond_clear(&batch->all_over);
}

int
block_do(BlockFixture *f, EngineBlockRequest *request)
{
    g_autofree Batch *batch = g_new0(Batch, 1);

    batch->items[0].request = *request;
    batch->count = 1;
    batch_run(f, batch);
    return batch->items[0].result;
}

int
block_read(BlockFixture *f, uint64_t offset, void *buffer, size_t size)
{
    const struct iovec iov = { buffer, size };

    return block_do(f, &(EngineBlockRequest){ .op = ENGINE_BLOCK_READ,
                                              .offset = offset,
                                              .size = size,
                                              .iov = &iov,
                                              .n_iov = 1 });
}

int
block_write(BlockFixture *f, uint64_t offset, const void *data, size_t size)
{
    const struct iovec iov = { (void *)data, size };

    return block_do(f, &(EngineBlockRequest){ .op = ENGINE_BLOCK_WRITE,
                                              .offset = offset,
                                              .size = size,
                                              .iov = &iov,
                                              .n_iov = 1 });
}

int
block_flush(BlockFixture *f)
{
    return block_do(f, &(EngineBlockRequest){ .op = ENGINE_BLOCK_FLUSH });
}

int
block_zero(BlockFixture *f, uint64_t offset, uint64_t size, bool unmap)
{
    return block_do(f, &(EngineBlockRequest){ .op = ENGINE_BLOCK_WRITE_ZEROES,
                                              .offset = offset,
                                              .size = size,
                                              .unmap = unmap });
}

int
block_discard(BlockFixture *f, uint64_t offset, uint64_t size)
{
    return block_do(f, &(EngineBlockRequest){ .op = ENGINE_BLOCK_DISCARD,
                                              .offset = offset,
                                              .size = size });
}

/* --- random requests -------------------------------------------------------
 */
void
block_fill(GRand *rand, uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i += SECTOR) {
        guint32 word = g_rand_int(rand);

        if (word % 8 == 0)
            word = 0;
        for (size_t j = 0; j < SECTOR; j += sizeof(word))
            memcpy(data + i + j, &word, sizeof(word));
    }
}

/* Cuts the memory into buffers at random places, mostly on whole pages. */
static void
cut(GRand *rand, Item *item)
{
    size_t size = item->request.size, at = 0;
    unsigned count = 0;
    size_t shift = g_rand_boolean(rand) ? 0 : (size_t)g_rand_int(rand) % 64;

    item->memory = aligned_alloc(4096, (size + 64 + 4095) / 4096 * 4096);
    while (at < size) {
        size_t part = 1 + (size_t)g_rand_int(rand) % (size - at);

        if (shift == 0)
            part = MAX(part / SECTOR, 1) * SECTOR;
        if (count == IOV_MOST - 1)
            part = size - at;
        part = MIN(part, size - at);
        item->iov[count++] = (struct iovec){ item->memory + shift + at, part };
        at += part;
    }
    item->request.iov = item->iov;
    item->request.n_iov = count;
}

static uint8_t *
buffer_of(const Item *item)
{
    return item->iov[0].iov_base;
}

static void
choose(GRand *rand, Item *item, uint64_t lane, uint64_t lane_size)
{
    static const EngineBlockOp ops[] = {
        ENGINE_BLOCK_READ,  ENGINE_BLOCK_READ,    ENGINE_BLOCK_WRITE,
        ENGINE_BLOCK_WRITE, ENGINE_BLOCK_WRITE,   ENGINE_BLOCK_WRITE_ZEROES,
        ENGINE_BLOCK_FLUSH, ENGINE_BLOCK_DISCARD,
    };
    EngineBlockRequest *request = &item->request;
    uint64_t sectors = lane_size / SECTOR, start;

    request->op = ops[g_rand_int(rand) % G_N_ELEMENTS(ops)];
    request->fua = g_rand_int(rand) % 16 == 0;
    request->unmap = g_rand_boolean(rand);
    if (request->op == ENGINE_BLOCK_FLUSH)
        return;
    start = g_rand_int(rand) % sectors;
    request->offset = (lane + start) * SECTOR;
    request->size = (1 + g_rand_int(rand) % (sectors - start)) * SECTOR;
    if (g_rand_int(rand) % 3 > 0)
        request->size = MIN(request->size, 16 * SECTOR);
    if (request->op == ENGINE_BLOCK_READ || request->op == ENGINE_BLOCK_WRITE)
        cut(rand, item);
    if (request->op == ENGINE_BLOCK_WRITE)
        block_fill(rand, buffer_of(item), request->size);
}

/* What is discarded is as it was or zero, sector by sector. */
static void
check_discarded(BlockFixture *f, const EngineBlockRequest *request,
                uint8_t *model)
{
    static const uint8_t zero[SECTOR];
    g_autofree uint8_t *now = g_malloc(request->size);

    assert_int_equal(block_read(f, request->offset, now, request->size), 0);
    for (uint64_t i = 0; i < request->size; i += SECTOR) {
        uint8_t *sector = model + request->offset + i;

        if (memcmp(now + i, sector, SECTOR) != 0)
            assert_memory_equal(now + i, zero, SECTOR);
        memcpy(sector, now + i, SECTOR);
    }
}

static void
check_done(BlockFixture *f, const Item *item, uint8_t *model)
{
    const EngineBlockRequest *request = &item->request;

    if (item->result != 0)
        fail_msg("operation %d of %" G_GUINT64_FORMAT " bytes at "
                 "%" G_GUINT64_FORMAT ": %s",
                 (int)request->op, request->size, request->offset,
                 strerror(-item->result));
    switch (request->op) {
    case ENGINE_BLOCK_READ:
        if (memcmp(buffer_of(item), model + request->offset, request->size))
            fail_msg("%" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT
                     " are wrong",
                     request->size, request->offset);
        break;
    case ENGINE_BLOCK_WRITE:
        memcpy(model + request->offset, buffer_of(item), request->size);
        break;
    case ENGINE_BLOCK_WRITE_ZEROES:
        memset(model + request->offset, 0, request->size);
        break;
    case ENGINE_BLOCK_DISCARD:
        check_discarded(f, request, model);
        break;
    case ENGINE_BLOCK_FLUSH:
        break;
    }
}

void
block_play(BlockFixture *f, uint8_t *model, size_t size, unsigned rounds,
           guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    for (unsigned round = 0; round < rounds; round++) {
        g_autofree Batch *batch = g_new0(Batch, 1);
        uint64_t sectors = size / SECTOR, lane = 0;

        batch->count = 1 + g_rand_int(rand) % BATCH_MAX;
        for (unsigned i = 0; i < batch->count; i++) {
            uint64_t left = (sectors - lane) / (batch->count - i);
            uint64_t lane_sectors = 1 + g_rand_int(rand) % left;

            choose(rand, &batch->items[i], lane, lane_sectors * SECTOR);
            lane += lane_sectors;
        }
        batch_run(f, batch);
        for (unsigned i = 0; i < batch->count; i++) {
            check_done(f, &batch->items[i], model);
            free(batch->items[i].memory);
        }
    }
}

void
block_compare(BlockFixture *f, const uint8_t *model, size_t size)
{
    const size_t chunk = 1u << 20;
    g_autofree uint8_t *now = g_malloc(chunk);

    for (size_t at = 0; at < size; at += chunk) {
        size_t part = MIN(chunk, size - at);

        assert_int_equal(block_read(f, at, now, part), 0);
        if (memcmp(now, model + at, part) != 0)
            fail_msg("the image differs in the MiB at %zu", at);
    }
}
