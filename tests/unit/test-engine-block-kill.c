/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A writer is killed at a random moment: what it was told is flushed must be in
 * the image, and qemu-img check must find nothing worse than leaks. And what
 * becomes of a writer whose disk is full.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block-fixture.h"
#include "rounds.h"
#include "util/fd.h"

#define BLOCKS     2048u /* of BLOCK bytes */
#define BLOCK      4096u
#define SECTOR     512u /* what a disk writes as a whole or not at all */
#define IMAGE_SIZE (BLOCKS * BLOCK)
#define ROUNDS     40 /* of each kind */
#define DELAY_US   60000

/* What writer and judge share. A block's contents are the generation of its
 * last write, in every word; or zero. */
typedef struct Shared {
    uint32_t begun[BLOCKS];   /* generation of the last write begun */
    uint32_t flushed[BLOCKS]; /* of the last that a flush was answered for */
} Shared;

static void
fill_block(uint32_t *block, uint32_t generation)
{
    for (unsigned i = 0; i < BLOCK / sizeof(*block); i++)
        block[i] = generation;
}

/* Never returns. Every sixteenth operation is a flush; of the others some write
 * zeroes, which are generations too, but odd ones. */
static void
writer(BlockFixture *f, Shared *shared, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autofree uint32_t *written = g_new0(uint32_t, BLOCKS);
    g_autofree uint32_t *data = g_malloc(BLOCK);

    /* What is on the disk is at least that. */
    memcpy(written, shared->flushed, sizeof(shared->flushed));
    for (;;) {
        unsigned number = g_rand_int(rand) % BLOCKS;
        uint32_t generation = shared->begun[number] / 2 * 2 + 2;
        bool zero = g_rand_int(rand) % 8 == 0;
        int rc;

        if (g_rand_int(rand) % 16 == 0) {
            if (block_flush(f) != 0)
                _exit(1);
            memcpy(shared->flushed, written, sizeof(shared->flushed));
            continue;
        }
        shared->begun[number] = generation + zero;
        fill_block(data, generation);
        rc = zero ? block_zero(f, number * BLOCK, BLOCK, number % 2)
                  : block_write(f, number * BLOCK, data, BLOCK);
        if (rc != 0)
            _exit(1);
        written[number] = generation + zero;
    }
}

/* Returns: the generation of a sector of a block, the first of @from to @to
 * that it can be; one more than @to if it is none of them */
static uint32_t
sector_generation(const uint32_t *sector, uint32_t from, uint32_t to)
{
    for (; from <= to; from++) {
        uint32_t word = from % 2 == 1 ? 0 : from;
        unsigned i = 0;

        while (i < SECTOR / sizeof(*sector) && sector[i] == word)
            i++;
        if (i == SECTOR / sizeof(*sector))
            break;
    }
    return from;
}

/* Between the last that was flushed and the last that was begun, anything is
 * right, for each sector alone: of a write that was under way some may be there
 * and others not. The oldest that is found is where the next writer starts
 * from.
 */
static void
judge(BlockFixture *f, Shared *shared)
{
    g_autofree uint32_t *data = g_malloc(BLOCK);

    for (unsigned i = 0; i < BLOCKS; i++) {
        uint32_t first = shared->flushed[i], last = shared->begun[i];
        uint32_t oldest = last;

        assert_int_equal(block_read(f, i * BLOCK, data, BLOCK), 0);
        for (unsigned at = 0; at < BLOCK; at += SECTOR) {
            uint32_t found =
                sector_generation(data + at / sizeof(*data), first, last);

            if (found > last)
                fail_msg("sector %u of block %u is of none of the generations "
                         "%u to %u: it begins with %u",
                         at / SECTOR, i, first, last, data[at / sizeof(*data)]);
            oldest = MIN(oldest, found);
        }
        shared->flushed[i] = oldest;
    }
}

static void
check_image(const char *path)
{
    const char *const argv[] = { "qemu-img", "check", path, NULL };
    const GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                              G_SPAWN_STDERR_TO_DEV_NULL;
    int status;

    assert_true(g_spawn_sync(NULL, (char **)argv, NULL, flags, NULL, NULL, NULL,
                             NULL, &status, NULL));
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3)
        fail_msg("qemu-img check: status %d", WEXITSTATUS(status));
}

/* The kernel ends what was in flight after the process is gone, and then only
 * lets go of the file and its lock. */
static void
wait_for_end(const char *path)
{
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
}

/* The writer has threads of its own only: it is forked from a process that has
 * none. */
static void
kill_writer(EngineDriveConfig *drive, Shared *shared, guint32 seed)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        void *state;
        BlockFixture *f;

        if (block_setup(&state) != 0)
            _exit(1);
        f = state;
        rmdir(f->folder);
        block_open(f, drive);
        if (flock(drive->fd, LOCK_EX) != 0)
            _exit(1);
        writer(f, shared, seed);
    }
    usleep(1000 + g_random_int_range(0, DELAY_US));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    wait_for_end(drive->path);
}

static void
play(const char *format, EngineDriveConfig drive)
{
    const guint32 rounds = test_rounds(ROUNDS);
    g_autofree char *folder = g_dir_make_tmp("virtkvm-kill-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "image", NULL);
    g_autofree char *line = g_strdup_printf("qemu-img create -q -f %s '%s' %u",
                                            format, path, IMAGE_SIZE);
    Shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_int_equal(system(line), 0);
    drive.path = path;
    for (guint32 round = 0; round < rounds; round++) {
        void *state = NULL;
        BlockFixture *f;

        kill_writer(&drive, shared, round);
        if (drive.format == ENGINE_DRIVE_QCOW2)
            check_image(path);
        assert_int_equal(block_setup(&state), 0);
        f = state;
        block_open(f, &drive);
        judge(f, shared);
        block_close(f, &drive);
        block_teardown(&state);
    }
    munmap(shared, sizeof(*shared));
    unlink(path);
    rmdir(folder);
}

static void
kill_raw(void **state)
{
    play("raw", (EngineDriveConfig){ .writable = true });
}

static void
kill_raw_direct(void **state)
{
    play("raw", (EngineDriveConfig){ .writable = true, .direct = true });
}

static void
kill_qcow2(void **state)
{
    play("qcow2",
         (EngineDriveConfig){ .format = ENGINE_DRIVE_QCOW2, .writable = true });
}

static void
kill_qcow2_direct(void **state)
{
    play("qcow2 -o cluster_size=4k",
         (EngineDriveConfig){
             .format = ENGINE_DRIVE_QCOW2, .direct = true, .writable = true });
}

static void
kill_qcow2_small(void **state)
{
    play("qcow2 -o cluster_size=512",
         (EngineDriveConfig){ .format = ENGINE_DRIVE_QCOW2,
                              .aio = ENGINE_DRIVE_AIO_THREADS,
                              .writable = true });
}

/* --- a full disk -----------------------------------------------------------
 * A file system of 4 MiB, of which a ballast takes one; in a process of its
 * own, that may mount it.
 */
#define UNABLE 77

static int
small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return -1;
    (void)mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return mount("none", folder, "tmpfs", 0, "size=4m");
}

/* Returns: 0 if the writes failed only for want of space, and succeeded when
 * there was */
static int
fill_disk(BlockFixture *f, const char *ballast)
{
    g_autofree uint8_t *data = g_malloc(BLOCK * 16);
    bool was_full = false;

    memset(data, 1, BLOCK * 16);
    for (uint64_t at = 0; at < 3u << 20; at += BLOCK * 16) {
        int rc = block_write(f, at, data, BLOCK * 16);

        if (rc == -ENOSPC) {
            was_full = true;
            unlink(ballast);
            rc = block_write(f, at, data, BLOCK * 16);
        }
        if (rc != 0)
            return 1;
    }
    if (block_flush(f) != 0 || !was_full)
        return 2;
    return 0;
}

static int
on_full_disk(const char *folder, EngineDriveConfig *drive, const char *create)
{
    g_autofree char *ballast = g_build_filename(folder, "ballast", NULL);
    g_autofree uint8_t *data = g_malloc0(3u << 20);
    void *state;
    int rc;

    if (small_disk(folder) != 0)
        return UNABLE;
    if (system(create) != 0 || block_setup(&state) != 0 ||
        !g_file_set_contents(ballast, (char *)data, (3u << 20) / 2, NULL))
        return 3;
    block_open(state, drive);
    rc = fill_disk(state, ballast);
    block_close(state, drive);
    if (rc == 0 && drive->format == ENGINE_DRIVE_QCOW2)
        check_image(drive->path);
    block_teardown(&state);
    return rc;
}

static void
full(EngineDriveFormat format, EngineDriveAio aio)
{
    g_autofree char *folder = g_dir_make_tmp("virtkvm-full-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "image", NULL);
    g_autofree char *create =
        g_strdup_printf("qemu-img create -q -f %s '%s' 3M",
                        format == ENGINE_DRIVE_RAW ? "raw" : "qcow2", path);
    EngineDriveConfig drive = {
        .format = format, .path = path, .writable = true, .aio = aio
    };
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(on_full_disk(folder, &drive, create));
    assert_int_equal(waitpid(child, &status, 0), child);
    rmdir(folder);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == UNABLE)
        puts("# no file system may be mounted here");
    else
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void
full_raw(void **state)
{
    full(ENGINE_DRIVE_RAW, ENGINE_DRIVE_AIO_IO_URING);
}

static void
full_qcow2(void **state)
{
    full(ENGINE_DRIVE_QCOW2, ENGINE_DRIVE_AIO_IO_URING);
}

static void
full_qcow2_threads(void **state)
{
    full(ENGINE_DRIVE_QCOW2, ENGINE_DRIVE_AIO_THREADS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_raw),
        cmocka_unit_test(kill_raw_direct),
        cmocka_unit_test(kill_qcow2),
        cmocka_unit_test(kill_qcow2_direct),
        cmocka_unit_test(kill_qcow2_small),
        cmocka_unit_test(full_raw),
        cmocka_unit_test(full_qcow2),
        cmocka_unit_test(full_qcow2_threads),
    };
    g_autofree char *tool = g_find_program_in_path("qemu-img");

    if (!tool) {
        puts("1..0 # SKIP qemu-img is not installed");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
