/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block-fixture.h"
#include "engine/block/file.h"
#include "util/fd.h"

#define MIB        (1u << 20)
#define IMAGE_SIZE (4u * MIB + 3 * 512) /* of which the host has 100 less */

/* The ways that reach a file: state of each test group member. */
typedef struct Way {
    EngineDriveAio aio;
    bool direct;
} Way;

static const Way ways[] = {
    { ENGINE_DRIVE_AIO_IO_URING, false },
    { ENGINE_DRIVE_AIO_IO_URING, true },
    { ENGINE_DRIVE_AIO_THREADS, false },
    { ENGINE_DRIVE_AIO_THREADS, true },
};

static void
make_file(const char *path, const void *data, size_t size)
{
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(path, data, (gssize)size, &error))
        fail_msg("%s", error->message);
}

static EngineDriveConfig
raw_drive(char *path)
{
    return (EngineDriveConfig){
        .fd = -1, .path = path, .writable = true, .direct = true
    };
}

static void
raw_play(void **state)
{
    BlockFixture *f = *state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree char *path = block_path(f, "raw");
    g_autofree uint8_t *model = g_malloc0(IMAGE_SIZE);
    EngineDriveConfig drive = raw_drive(path);

    block_fill(rand, model, IMAGE_SIZE);
    memset(model + IMAGE_SIZE - 100, 0, 100);
    make_file(path, model, IMAGE_SIZE - 100);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        drive.aio = ways[i].aio;
        drive.direct = ways[i].direct;
        block_open(f, &drive);
        block_compare(f, model, IMAGE_SIZE);
        block_play(f, model, IMAGE_SIZE, 100, (guint32)i);
        block_compare(f, model, IMAGE_SIZE);
        block_close(f, &drive);
    }
}

static void
raw_bounds(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "raw");
    g_autofree uint8_t *data = g_malloc0(MIB);
    EngineDriveConfig drive = raw_drive(path);
    EngineBlockInfo info;

    make_file(path, data, MIB - 1);
    block_open(f, &drive);
    engine_block_info(f->block, &info);
    assert_int_equal(info.size, MIB);
    assert_int_equal(info.physical, MIB - 1);
    assert_false(info.read_only);
    assert_int_equal(block_read(f, MIB, data, 512), -EINVAL);
    assert_int_equal(block_read(f, MIB - 512, data, 1024), -EINVAL);
    assert_int_equal(block_read(f, UINT64_MAX - 511, data, 512), -EINVAL);
    assert_int_equal(block_read(f, 1, data, 512), -EINVAL);
    assert_int_equal(block_write(f, 0, data, 511), -EINVAL);
    assert_int_equal(block_zero(f, 512, MIB, false), -EINVAL);
    assert_int_equal(block_read(f, 0, data, 0), 0);
    assert_int_equal(block_write(f, 1024, data, 512), 0);
    engine_block_info(f->block, &info);
    assert_int_equal(info.highest_offset, 1536);
    block_close(f, &drive);

    drive.writable = false;
    block_open(f, &drive);
    assert_int_equal(block_write(f, 0, data, 512), -EROFS);
    assert_int_equal(block_zero(f, 0, 512, true), -EROFS);
    assert_int_equal(block_discard(f, 0, 512), -EROFS);
    assert_int_equal(block_flush(f), 0);
    assert_int_equal(block_read(f, 0, data, 512), 0);
    block_close(f, &drive);
}

static void
raw_part(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "raw");
    g_autofree uint8_t *data = g_malloc0(MIB);
    g_autoptr(GError) error = NULL;
    EngineDriveConfig drive = raw_drive(path);

    make_file(path, data, MIB);
    drive.size = MIB / 2;
    block_open(f, &drive);
    assert_int_equal(block_read(f, MIB / 2, data, 512), -EINVAL);
    assert_false(engine_block_resize(f->block, MIB, &error));
    block_close(f, &drive);
    drive.size = MIB + 512;
    block_open_fails(f, &drive, "not 1049088");
}

static void
raw_resize(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "raw");
    g_autofree uint8_t *data = g_malloc0(MIB);
    g_autoptr(GError) error = NULL;
    EngineDriveConfig drive = raw_drive(path);
    struct stat st;

    make_file(path, data, MIB);
    block_open(f, &drive);
    assert_true(engine_block_resize(f->block, 2 * MIB, &error));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 2 * MIB);
    memset(data, 7, 512);
    assert_int_equal(block_write(f, 2 * MIB - 512, data, 512), 0);
    assert_true(engine_block_resize(f->block, MIB / 2, &error));
    assert_int_equal(block_read(f, MIB / 2, data, 512), -EINVAL);
    assert_false(engine_block_resize(f->block, 100, &error));
    block_close(f, &drive);
}

static uint64_t
allocation(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void
raw_space(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "raw");
    g_autofree uint8_t *data = g_malloc(4 * MIB);
    EngineDriveConfig drive = raw_drive(path);

    memset(data, 1, 4 * MIB);
    make_file(path, data, 4 * MIB);
    block_open(f, &drive);
    assert_int_equal(block_zero(f, 0, MIB, false), 0);
    assert_true(allocation(path) >= 4 * MIB);
    assert_int_equal(block_zero(f, MIB, MIB, true), 0);
    assert_true(allocation(path) < 4 * MIB);
    assert_int_equal(block_discard(f, 2 * MIB, MIB), 0);
    assert_true(allocation(path) <= 2 * MIB + 65536);
    memset(data, 0, 3 * MIB);
    block_compare(f, data, 4 * MIB);
    block_close(f, &drive);
}

static void
not_a_file(void **state)
{
    BlockFixture *f = *state;
    EngineDriveConfig drive = { .path = (char *)"/dev/null" };

    block_open_fails(f, &drive, "neither a file nor a block device");
}

static void
chain_too_long(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "raw");
    EngineDriveConfig drives[ENGINE_DRIVE_DEPTH_MAX + 1];

    make_file(path, "", 0);
    for (int i = 0; i <= ENGINE_DRIVE_DEPTH_MAX; i++)
        drives[i] =
            (EngineDriveConfig){ .path = path, .backing = &drives[i + 1] };
    drives[ENGINE_DRIVE_DEPTH_MAX].backing = NULL;
    block_open_fails(f, drives, "more than 64 files");
}

/* --- the file layer, as on a disk whose blocks have 4 KiB ------------------
 */
typedef struct Ragged {
    EngineBlockFile file;
    EngineAio *aio;
    EngineIo *io;
    uint8_t *data, *model;
    unsigned left;
    int fd;
    int failed;
} Ragged;

#define RAGGED_SIZE (64u * 512)

static void
ragged_done(void *opaque, int result)
{
    Ragged *ragged = opaque;

    ragged->left--;
    if (result < 0)
        ragged->failed = result;
}

/* Each sector by a write of its own, all at once, in an order that mixes the
 * blocks; and one that spans several. */
static void
ragged_run(void *opaque)
{
    Ragged *ragged = opaque;
    const EngineDriveConfig drive = { .fd = ragged->fd, .path = (char *)"f" };
    struct iovec iov[64];

    ragged->aio = engine_aio_new(ragged->io, true, NULL);
    assert_true(
        engine_block_file_open(&ragged->file, &drive, ragged->aio, NULL));
    ragged->file.align = 4096;
    ragged->file.direct = true;
    for (unsigned i = 0; i < 64; i++) {
        unsigned sector = i * 17 % 64;
        EngineBlockIo io = { .file = &ragged->file,
                             .kind = ENGINE_BLOCK_IO_WRITE,
                             .offset = sector * 512ull,
                             .size = 512,
                             .data = { &iov[i], 1, 0 },
                             .done = ragged_done,
                             .opaque = ragged };

        iov[i] = (struct iovec){ ragged->data + sector * 512, 512 };
        ragged->left++;
        engine_block_file_submit(&io);
    }
    while (ragged->left > 0)
        engine_aio_wait(ragged->aio);
    engine_aio_free(ragged->aio);
}

static void
ragged_writes(void **state)
{
    BlockFixture *f = *state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    g_autofree char *path = block_path(f, "raw");
    g_autofree uint8_t *data = g_malloc0(RAGGED_SIZE);
    g_autofree uint8_t *now = g_malloc0(RAGGED_SIZE);
    g_auto(Fd) fd = -1;
    Ragged ragged = { .io = f->io, .data = data };

    make_file(path, data, RAGGED_SIZE);
    block_fill(rand, data, RAGGED_SIZE);
    fd = open(path, O_RDWR | O_CLOEXEC);
    ragged.fd = fd;
    engine_io_call(f->io, ragged_run, &ragged);
    assert_int_equal(ragged.failed, 0);
    assert_int_equal(fd_pread_all(fd, now, RAGGED_SIZE, 0), RAGGED_SIZE);
    assert_memory_equal(now, data, RAGGED_SIZE);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, block_setup, block_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(raw_play),       TEST(raw_bounds),    TEST(raw_part),
        TEST(raw_resize),     TEST(raw_space),     TEST(not_a_file),
        TEST(chain_too_long), TEST(ragged_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
