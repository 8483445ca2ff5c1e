/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/* qcow2 images that qemu-img makes, and what it says of them after we wrote. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block-fixture.h"
#include "rounds.h"
#include "util/fd.h"

#define KIB        1024u
#define MIB        (1024u * KIB)
#define ROUNDS     50
#define IMAGE_SIZE (6u * MIB + 5 * 512)

/* --- qemu-img --------------------------------------------------------------
 */
/* Runs it in the test's folder. Returns: its exit status */
static int
qemu_img_status(const BlockFixture *f, const char *arguments)
{
    g_autofree char *line = g_strdup_printf(
        "sh -c 'cd %s && exec qemu-img %s >>log 2>&1'", f->folder, arguments);
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_command_line_sync(line, NULL, NULL, &status, &error))
        fail_msg("%s", error->message);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void G_GNUC_PRINTF(2, 3)
    qemu_img(const BlockFixture *f, const char *format, ...)
{
    g_autofree char *arguments = NULL;
    g_autofree char *log = block_path(f, "log");
    g_autofree char *text = NULL;
    va_list list;

    va_start(list, format);
    arguments = g_strdup_vprintf(format, list);
    va_end(list);
    if (qemu_img_status(f, arguments) == 0)
        return;
    g_file_get_contents(log, &text, NULL, NULL);
    fail_msg("qemu-img %s: ...%s", arguments,
             text + strlen(text) - MIN(strlen(text), 600));
}

static void
save(const BlockFixture *f, const char *name, const uint8_t *data, size_t size)
{
    g_autofree char *path = block_path(f, name);

    assert_true(
        g_file_set_contents(path, (const char *)data, (gssize)size, NULL));
}

static void
patch(const BlockFixture *f, const char *name, off_t offset, const void *data,
      size_t size)
{
    g_autofree char *path = block_path(f, name);
    g_auto(Fd) fd = open(path, O_RDWR | O_CLOEXEC);

    assert_int_equal(pwrite(fd, data, size, offset), size);
}

/* --- plays -----------------------------------------------------------------
 */
typedef struct Way {
    EngineDriveAio aio;
    bool direct;
} Way;

static const Way ways[] = {
    { ENGINE_DRIVE_AIO_IO_URING, false },
    { ENGINE_DRIVE_AIO_THREADS, true },
    { ENGINE_DRIVE_AIO_IO_URING, true },
};

/* Plays on an image, each time by another way; then qemu-img finds nothing
 * wrong with it, and in it what we do. */
static void
play(BlockFixture *f, EngineDriveConfig *drive, uint8_t *model, size_t turn)
{
    const Way *way = &ways[turn % G_N_ELEMENTS(ways)];
    g_autofree char *name = g_path_get_basename(drive->path);

    drive->aio = way->aio;
    drive->direct = way->direct;
    block_open(f, drive);
    block_compare(f, model, IMAGE_SIZE);
    block_play(f, model, IMAGE_SIZE, test_rounds(ROUNDS), (guint32)turn);
    block_compare(f, model, IMAGE_SIZE);
    block_close(f, drive);
    save(f, "model", model, IMAGE_SIZE);
    qemu_img(f, "check %s", name);
    qemu_img(f, "compare -f raw -F qcow2 model %s", name);
}

static EngineDriveConfig
image(EngineDriveFormat format, char *path, bool writable)
{
    return (EngineDriveConfig){
        .format = format, .fd = -1, .path = path, .writable = writable
    };
}

static const char *const options[] = {
    "compat=1.1",
    "compat=0.10",
    "cluster_size=512",
    "cluster_size=2M",
    "cluster_size=4k,refcount_bits=1",
    "cluster_size=1k,refcount_bits=64",
    "refcount_bits=8,lazy_refcounts=on",
    "preallocation=metadata",
    "preallocation=falloc",
    "preallocation=full,cluster_size=8k",
};

static void
qcow2_play(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");
    g_autofree uint8_t *model = g_malloc(IMAGE_SIZE);

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

        memset(model, 0, IMAGE_SIZE);
        qemu_img(f, "create -f qcow2 -o %s image %u", options[i], IMAGE_SIZE);
        play(f, &drive, model, i);
        play(f, &drive, model, i + 1);
    }
}

static const char *const conversions[] = {
    "-o compat=1.1",
    "-c -o compat=0.10",
    "-c -o compression_type=zlib",
    "-c -o compression_type=zstd",
    "-c -o compression_type=zlib,cluster_size=512",
    "-c -o compression_type=zstd,cluster_size=2M",
};

static void
qcow2_converted(void **state)
{
    BlockFixture *f = *state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    g_autofree char *path = block_path(f, "image");
    g_autofree uint8_t *model = g_malloc(IMAGE_SIZE);

    for (size_t i = 0; i < G_N_ELEMENTS(conversions); i++) {
        EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

        block_fill(rand, model, IMAGE_SIZE);
        memset(model + MIB, 0, MIB);
        save(f, "model", model, IMAGE_SIZE);
        qemu_img(f, "convert -f raw -O qcow2 %s model image", conversions[i]);
        play(f, &drive, model, i);
    }
}

/* Makes a chain: raw, shorter than the rest; compressed qcow2; plain; the top
 * with @top's options. */
static void
make_chain(BlockFixture *f, uint8_t *model, const char *top)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(6);

    memset(model, 0, IMAGE_SIZE);
    block_fill(rand, model, 4 * MIB + 512);
    save(f, "base", model, 4 * MIB + 512);
    qemu_img(f, "create -f qcow2 -b base -F raw middle %u", 5 * MIB);
    qemu_img(f, "create -f qcow2 -b middle -F qcow2 -o %s image %u", top,
             IMAGE_SIZE);
}

static void
qcow2_chain(void **state)
{
    static const char *const tops[] = { "compat=1.1", "compat=0.10",
                                        "cluster_size=4k", "cluster_size=2M" };
    BlockFixture *f = *state;
    g_autofree char *top_path = block_path(f, "image");
    g_autofree char *middle_path = block_path(f, "middle");
    g_autofree char *base_path = block_path(f, "base");
    g_autofree uint8_t *model = g_malloc(IMAGE_SIZE);

    for (size_t i = 0; i < G_N_ELEMENTS(tops); i++) {
        EngineDriveConfig base = image(ENGINE_DRIVE_RAW, base_path, false);
        EngineDriveConfig middle = image(ENGINE_DRIVE_QCOW2, middle_path, true);
        EngineDriveConfig top = image(ENGINE_DRIVE_QCOW2, top_path, true);

        make_chain(f, model, tops[i]);
        middle.backing = &base;
        block_open(f, &middle);
        block_play(f, model, 5 * MIB, 30, 1);
        block_close(f, &middle);
        middle.writable = false;
        top.backing = &middle;
        play(f, &top, model, i);
    }
}

static void
qcow2_snapshots(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");
    g_autofree uint8_t *model = g_malloc0(IMAGE_SIZE);
    g_autofree uint8_t *before = NULL;
    EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

    qemu_img(f, "create -f qcow2 -o cluster_size=4k image %u", IMAGE_SIZE);
    play(f, &drive, model, 0);
    before = g_memdup2(model, IMAGE_SIZE);
    qemu_img(f, "snapshot -c one image");
    play(f, &drive, model, 2);
    qemu_img(f, "snapshot -c two image");
    play(f, &drive, model, 3);
    qemu_img(f, "snapshot -d two image");
    play(f, &drive, model, 4);
    qemu_img(f, "snapshot -a one image");
    qemu_img(f, "check image");
    play(f, &drive, before, 1);
}

/* --- what is refused -------------------------------------------------------
 */
static const struct {
    const char *options;
    off_t offset;      /* of the header */
    uint8_t byte;      /* put there; 0xff: nothing */
    const char *error; /* that is a part of what is said */
} refusals[] = {
    { "compat=1.1", 0, 0, "is not a qcow2 image" },
    { "compat=1.1", 7, 4, "an unknown version" },
    { "compat=1.1", 23, 8, "a cluster size" },
    { "compat=1.1", 23, 22, "a cluster size" },
    { "compat=1.1", 24, 0x7f, "its L1 table is too small" },
    { "compat=1.1", 35, 1, "encryption" },
    { "compat=1.1", 36, 1, "its L1 table is too big" },
    { "compat=1.1", 40, 1, "its L1 table lies outside" },
    { "compat=1.1", 47, 1, "its L1 table lies outside" },
    { "compat=1.1", 48, 1, "its refcount table lies outside" },
    { "compat=1.1", 56, 1, "its refcount table has a wrong size" },
    { "compat=1.1", 60, 1, "too many snapshots" },
    { "compat=1.1", 63, 1, "its snapshots lie outside" },
    { "compat=1.1", 72, 1, "unknown incompatible features: 0x100000000000000" },
    { "compat=1.1", 79, 2, "marked as corrupt" },
    { "compat=1.1", 79, 4, "an external data file" },
    { "extended_l2=on", 0, 'Q', "extended L2 entries" },
    { "compat=1.1", 79, 8, "contradicts itself about its compression" },
    { "compat=1.1", 99, 7, "reference counts are too wide" },
    { "compat=1.1", 103, 100, "the header has a wrong size" },
    { "compat=1.1", 104, 2, "an unknown compression" },
    /* the refcount table where L1 is */
    { "compat=1.1", 53, 3, "its structures overlap" },
};

static void
qcow2_refused(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");

    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

        qemu_img(f, "create -f qcow2 -o %s image 6M", refusals[i].options);
        patch(f, "image", refusals[i].offset, &refusals[i].byte, 1);
        block_open_fails(f, &drive, refusals[i].error);
    }
}

static void
qcow2_backing_missing(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");
    EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

    qemu_img(f, "create -f raw base 1M");
    qemu_img(f, "create -f qcow2 -b base -F raw image");
    block_open_fails(f, &drive, "has a backing file, but none was given");
}

/* --- what is found out later -----------------------------------------------
 */
static uint64_t
read64(const BlockFixture *f, const char *name, off_t offset)
{
    g_autofree char *path = block_path(f, name);
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t value;

    assert_int_equal(pread(fd, &value, sizeof(value), offset), sizeof(value));
    return GUINT64_FROM_BE(value);
}

static void
patch64(const BlockFixture *f, const char *name, off_t offset, uint64_t value)
{
    value = GUINT64_TO_BE(value);
    patch(f, name, offset, &value, sizeof(value));
}

/* The first L2 entry, or L1 entry, is what an image of one allocated cluster
 * has there, changed. */
static const struct {
    bool l1;
    bool read_fails;
    uint64_t entry;
} lies[] = {
    { false, false, 0x8000000000000000 | 0x10000 },    /* the refcount table */
    { false, false, 0x8000000000000000 | 0x20000 },    /* a refcount block */
    { false, false, 0x8000000000000000 | 0x30000 },    /* L1 */
    { false, false, 0x8000000000000000 | 0x40000 },    /* its own L2 table */
    { false, true, 0x8000000000000000 | 0x50200 },     /* unaligned */
    { false, true, 0x8000000000000000 | 0x50002 },     /* a reserved bit */
    { false, true, 0x8000000000000000 },               /* nothing, in use */
    { false, false, 0x8000000000000000 | 1ull << 40 }, /* behind the end */
    { false, true, 0x4000000000000000 | 0x50000 },     /* not compressed */
    { true, true, 0x8000000000000000 | 0x50200 },
    { true, true, 0x8000000000000000 | 1ull << 40 },
    { true, true, 0x8100000000000000 | 0x40000 },
};

static void
qcow2_lies(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");
    uint8_t data[512] = { 1 };

    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);
        off_t place = 0x30000;

        qemu_img(f, "create -f qcow2 image 6M");
        block_open(f, &drive);
        assert_int_equal(block_write(f, 0, data, sizeof(data)), 0);
        block_close(f, &drive);
        if (!lies[i].l1)
            place = (off_t)(read64(f, "image", place) & 0xffffffffff);
        patch64(f, "image", place, lies[i].entry);
        block_open(f, &drive);
        assert_int_equal(block_read(f, 0, data, sizeof(data)),
                         lies[i].read_fails ? -EIO : 0);
        assert_int_equal(block_write(f, 0, data, sizeof(data)), -EIO);
        assert_int_equal(block_flush(f), -EIO);
        block_close(f, &drive);
        /* It is marked, and nothing else has been changed. */
        assert_int_equal(read64(f, "image", 72), 2);
        assert_int_equal(read64(f, "image", place), lies[i].entry);
        block_open_fails(f, &drive, "marked as corrupt");
    }
}

/* The counts say that nothing is in use. */
static void
qcow2_uncounted(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");
    g_autofree uint8_t *zeroes = g_malloc0(65536);
    uint8_t data[512] = { 1 };
    EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

    qemu_img(f, "create -f qcow2 image 6M");
    patch(f, "image", 0x20000, zeroes, 65536);
    block_open(f, &drive);
    assert_int_equal(block_write(f, 0, data, sizeof(data)), -EIO);
    block_close(f, &drive);
    assert_int_equal(read64(f, "image", 72), 2);
}

/* Lazy reference counts, and the writer died: the counts are wrong. */
static void
qcow2_dirty(void **state)
{
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");
    g_autofree uint8_t *model = g_malloc0(IMAGE_SIZE);
    g_autofree uint8_t *zeroes = g_malloc0(4096);
    EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

    qemu_img(f, "create -f qcow2 -o cluster_size=4k,lazy_refcounts=on image %u",
             IMAGE_SIZE);
    play(f, &drive, model, 0);
    qemu_img(f, "snapshot -c one image");
    play(f, &drive, model, 1);
    patch64(f, "image", 72, 1);
    patch(f, "image", (off_t)read64(f, "image", (off_t)read64(f, "image", 48)),
          zeroes, 4096);
    play(f, &drive, model, 2);
    assert_int_equal(read64(f, "image", 72), 0);
}

/* As many snapshots as there may be, all of one L1 table that names one L2
 * table again and again: neither is read more often than it is there. */
static void
qcow2_dirty_again_and_again(void **state)
{
    enum { CLUSTER = 4096, ENTRIES = CLUSTER / 8, SNAPSHOTS = 65536 };
    BlockFixture *f = *state;
    g_autofree char *path = block_path(f, "image");
    g_autofree uint64_t *l1 = g_new(uint64_t, ENTRIES);
    g_autofree uint8_t *snapshots = g_malloc0(SNAPSHOTS * 40u);
    EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);
    uint32_t count = GUINT32_TO_BE(SNAPSHOTS);

    qemu_img(f,
             "create -f qcow2 -o cluster_size=4k,lazy_refcounts=on image 1G");
    for (unsigned i = 0; i < ENTRIES; i++)
        l1[i] = GUINT64_TO_BE(8 * MIB | 1ull << 63);
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        uint64_t at = GUINT64_TO_BE(9 * MIB);
        uint32_t n = GUINT32_TO_BE(ENTRIES);

        memcpy(snapshots + i * 40u, &at, sizeof(at));
        memcpy(snapshots + i * 40u + 8, &n, sizeof(n));
    }
    patch(f, "image", 9 * MIB, l1, CLUSTER);
    patch(f, "image", (off_t)read64(f, "image", 40), l1, CLUSTER);
    patch(f, "image", 10 * MIB, snapshots, SNAPSHOTS * 40u);
    patch64(f, "image", 64, 10 * MIB);
    patch(f, "image", 60, &count, sizeof(count));
    patch64(f, "image", 72, 1);
    block_open_fails(f, &drive, "reference counts can't be repaired");
}

static void
qcow2_resized(void **state)
{
    static const char *const all[] = { "compat=1.1", "compat=0.10",
                                       "cluster_size=512" };
    BlockFixture *f = *state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    g_autofree char *path = block_path(f, "image");
    g_autofree char *base_path = block_path(f, "base");
    g_autofree uint8_t *model = g_malloc0(IMAGE_SIZE);
    g_autoptr(GError) error = NULL;

    block_fill(rand, model, IMAGE_SIZE);
    save(f, "base", model, IMAGE_SIZE);
    memset(model + MIB, 0, IMAGE_SIZE - MIB);
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        EngineDriveConfig base = image(ENGINE_DRIVE_RAW, base_path, false);
        EngineDriveConfig drive = image(ENGINE_DRIVE_QCOW2, path, true);

        drive.backing = &base;
        qemu_img(f, "create -f qcow2 -b base -F raw -o %s image 1M", all[i]);
        block_open(f, &drive);
        if (!engine_block_resize(f->block, IMAGE_SIZE, &error))
            fail_msg("%s", error->message);
        assert_false(engine_block_resize(f->block, MIB, NULL));
        block_close(f, &drive);
        save(f, "grown", model, IMAGE_SIZE);
        qemu_img(f, "check image");
        qemu_img(f, "compare -f raw -F qcow2 grown image");
    }
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, block_setup, block_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(qcow2_play),    TEST(qcow2_converted),
        TEST(qcow2_chain),   TEST(qcow2_snapshots),
        TEST(qcow2_refused), TEST(qcow2_backing_missing),
        TEST(qcow2_lies),    TEST(qcow2_uncounted),
        TEST(qcow2_dirty),   TEST(qcow2_dirty_again_and_again),
        TEST(qcow2_resized),
    };
    g_autofree char *tool = g_find_program_in_path("qemu-img");
    g_autofree char *modules =
        g_build_filename(g_getenv("abs_top_builddir"), ".libs", NULL);

    if (!tool) {
        puts("1..0 # SKIP qemu-img is not installed");
        return 0;
    }
    g_setenv("VIRTKVM_MODULE_DIR", modules, TRUE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
