/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <asm/bootparam.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "engine/x86/boot.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"

#define ELF_SIZE   (9u << 20) /* more than one block of LZ4's */
#define SETUP_SIZE (5u * 512)

typedef struct Fixture {
    char *dir, *cache, *path;
    uint8_t *elf;
    GByteArray *image;
    GError *error;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->dir = g_dir_make_tmp("virtkvm-unpack-XXXXXX", NULL);
    f->cache = g_build_filename(f->dir, "cache", NULL);
    f->path = g_build_filename(f->dir, "vmlinuz", NULL);
    f->image = g_byte_array_new();
    f->elf = g_malloc(ELF_SIZE);
    for (uint32_t i = 0; i < ELF_SIZE; i++)
        f->elf[i] = (uint8_t)(i * 2654435761u >> 26);
    memcpy(f->elf, "\177ELF", 4);
    *state = f;
    return 0;
}

static void
remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        remove_all(inner);
    }
    g_remove(path);
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    remove_all(f->dir);
    g_clear_error(&f->error);
    g_byte_array_unref(f->image);
    g_free(f->elf);
    g_free(f->dir);
    g_free(f->cache);
    g_free(f->path);
    g_free(f);
    return 0;
}

/* A bzImage of nothing but a header and @payload. */
static void
make_image(Fixture *f, const void *payload, size_t size)
{
    g_autofree uint8_t *start = g_malloc0(SETUP_SIZE);
    struct setup_header *header = (void *)(start + 0x1f1);

    header->setup_sects = SETUP_SIZE / 512 - 1;
    header->boot_flag = 0xaa55;
    header->header = 0x53726448;
    header->version = 0x020f;
    header->payload_offset = 0;
    header->payload_length = (uint32_t)size;
    g_byte_array_set_size(f->image, 0);
    g_byte_array_append(f->image, start, SETUP_SIZE);
    g_byte_array_append(f->image, payload, (guint)size);
}

static struct setup_header *
header_of(Fixture *f)
{
    return (void *)(f->image->data + 0x1f1);
}

static bool
unpack_to(Fixture *f, int out_fd)
{
    g_auto(Fd) fd = fd_memfd("kernel", f->image->data, f->image->len);

    g_clear_error(&f->error);
    return engine_kernel_unpack(fd, "the-kernel", out_fd, &f->error);
}

static void
assert_unpacks(Fixture *f)
{
    g_autofree char *path = g_build_filename(f->dir, "elf", NULL);
    g_auto(Fd) out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    g_autofree uint8_t *back = g_malloc(ELF_SIZE);

    if (!unpack_to(f, out))
        fail_msg("%s", f->error->message);
    assert_int_equal(lseek(out, 0, SEEK_CUR), ELF_SIZE);
    assert_int_equal(fd_pread_all(out, back, ELF_SIZE, 0), ELF_SIZE);
    assert_memory_equal(back, f->elf, ELF_SIZE);
}

static void
assert_refused(Fixture *f, virErrorNumber code, const char *words)
{
    g_auto(Fd) null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    assert_false(unpack_to(f, null));
    assert_int_equal(error_code(f->error), code);
    if (!strstr(f->error->message, words))
        fail_msg("'%s' does not say '%s'", f->error->message, words);
    assert_non_null(strstr(f->error->message, "the-kernel"));
}

/* --- one packer for each format, as Linux's build calls them -------------- */
static void
put_size(GByteArray *packed)
{
    const uint32_t size = ELF_SIZE;

    g_byte_array_append(packed, (const void *)&size, sizeof size);
}

static GByteArray *
pack_gzip(Fixture *f)
{
    GByteArray *packed = g_byte_array_new();
    z_stream stream = { 0 };

    g_byte_array_set_size(packed, ELF_SIZE + 65536);
    deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = f->elf;
    stream.avail_in = ELF_SIZE;
    stream.next_out = packed->data;
    stream.avail_out = packed->len;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    g_byte_array_set_size(packed, (guint)stream.total_out);
    deflateEnd(&stream);
    return packed;
}

static GByteArray *
pack_lzma(Fixture *f, bool xz)
{
    GByteArray *packed = g_byte_array_new();
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_options_lzma options;

    lzma_lzma_preset(&options, 0);
    g_byte_array_set_size(packed, ELF_SIZE + 65536);
    if (xz)
        assert_int_equal(lzma_easy_encoder(&stream, 0, LZMA_CHECK_CRC32), 0);
    else
        assert_int_equal(lzma_alone_encoder(&stream, &options), 0);
    stream.next_in = f->elf;
    stream.avail_in = ELF_SIZE;
    stream.next_out = packed->data;
    stream.avail_out = packed->len;
    assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
    g_byte_array_set_size(packed, (guint)stream.total_out);
    lzma_end(&stream);
    put_size(packed);
    return packed;
}

static GByteArray *
pack_zstd(Fixture *f)
{
    GByteArray *packed = g_byte_array_new();
    size_t size;

    g_byte_array_set_size(packed, (guint)ZSTD_compressBound(ELF_SIZE));
    size = ZSTD_compress(packed->data, packed->len, f->elf, ELF_SIZE, 1);
    g_byte_array_set_size(packed, (guint)size);
    put_size(packed);
    return packed;
}

static GByteArray *
pack_lz4(Fixture *f)
{
    const uint32_t block = 8u << 20, magic = 0x184c2102;
    g_autofree char *buffer = g_malloc((gsize)LZ4_compressBound((int)block));
    GByteArray *packed = g_byte_array_new();

    g_byte_array_append(packed, (const void *)&magic, sizeof magic);
    for (uint32_t at = 0; at < ELF_SIZE; at += block) {
        uint32_t size = (uint32_t)LZ4_compress_default(
            (char *)f->elf + at, buffer, (int)MIN(block, ELF_SIZE - at),
            LZ4_compressBound((int)block));

        g_byte_array_append(packed, (const void *)&size, sizeof size);
        g_byte_array_append(packed, (const void *)buffer, size);
    }
    put_size(packed);
    return packed;
}

/* Unpacks whole; says so if cut short, and where the format has a checksum,
 * if one bit is wrong. */
static void
check_format(Fixture *f, GByteArray *packed, bool has_checksum)
{
    make_image(f, packed->data, packed->len);
    assert_unpacks(f);
    if (has_checksum) {
        f->image->data[SETUP_SIZE + packed->len / 2] ^= 1;
        assert_refused(f, VIR_ERR_INVALID_ARG, "damaged");
    }
    make_image(f, packed->data, packed->len / 2);
    assert_refused(f, VIR_ERR_INVALID_ARG, "damaged");
    g_byte_array_unref(packed);
}

static void
test_none(void **state)
{
    Fixture *f = *state;

    make_image(f, f->elf, ELF_SIZE);
    assert_unpacks(f);
}

static void
test_gzip(void **state)
{
    check_format(*state, pack_gzip(*state), true);
}

static void
test_xz(void **state)
{
    check_format(*state, pack_lzma(*state, true), true);
}

static void
test_lzma(void **state)
{
    check_format(*state, pack_lzma(*state, false), false);
}

static void
test_zstd(void **state)
{
    check_format(*state, pack_zstd(*state), false);
}

static void
test_lz4(void **state)
{
    check_format(*state, pack_lz4(*state), false);
}

static void
test_refusals(void **state)
{
    g_autoptr(GByteArray) packed = NULL;
    Fixture *f = *state;

    make_image(f, "BZh91AY", 7);
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "bzip2");
    make_image(f, "nonsense", 8);
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "unknown way");
    make_image(f, "x", 1);
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "unknown way");
    make_image(f, f->elf, 64);
    header_of(f)->payload_length = 65;
    assert_refused(f, VIR_ERR_INVALID_ARG, "damaged");
    header_of(f)->payload_length = UINT32_MAX;
    header_of(f)->payload_offset = UINT32_MAX;
    assert_refused(f, VIR_ERR_INVALID_ARG, "damaged");
    make_image(f, f->elf, 64);
    header_of(f)->version = 0x0207;
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "not a bzImage");
    g_byte_array_set_size(f->image, 100);
    assert_refused(f, VIR_ERR_CONFIG_UNSUPPORTED, "not a bzImage");
    /* What is inside must be an ELF. */
    memset(f->elf, 0, 4);
    packed = pack_zstd(f);
    make_image(f, packed->data, packed->len);
    assert_refused(f, VIR_ERR_INVALID_ARG, "not an ELF");
}

/* A few KiB that would fill the disk. */
static void
test_bomb(void **state)
{
    const size_t size = (512u << 20) + 1;
    g_autofree uint8_t *packed = g_malloc(1u << 20);
    g_autofree uint8_t *chunk = g_malloc0(1u << 20);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_outBuffer out = { packed, 1u << 20, 0 };
    Fixture *f = *state;

    memcpy(chunk, "\177ELF", 4);
    for (size_t at = 0; at < size; at += 1u << 20) {
        ZSTD_inBuffer in = { chunk, 1u << 20, 0 };

        while (in.pos < in.size)
            assert_false(ZSTD_isError(
                ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)));
    }
    ZSTD_compressStream2(context, &out, &(ZSTD_inBuffer){ 0 }, ZSTD_e_end);
    ZSTD_freeCCtx(context);
    make_image(f, packed, out.pos);
    assert_refused(f, VIR_ERR_INVALID_ARG, "more than 512 MiB");
}

/* --- the cache ------------------------------------------------------------ */
static void
write_kernel(Fixture *f)
{
    g_autoptr(GByteArray) packed = pack_zstd(f);

    make_image(f, packed->data, packed->len);
    assert_true(g_file_set_contents(f->path, (char *)f->image->data,
                                    f->image->len, NULL));
}

/* Whether the kernel comes back unpacked; @ret_inode: of what came back. */
static bool
get(Fixture *f, const char *path, ino_t *ret_inode)
{
    g_auto(Fd) kernel = open(path, O_RDONLY | O_CLOEXEC);
    g_auto(Fd) fd = engine_kernel_cached(kernel, path, f->cache, &f->error);
    uint8_t magic[4];
    struct stat st;

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(fd_pread_all(fd, magic, 4, 0), 4);
    if (ret_inode)
        *ret_inode = st.st_ino;
    return memcmp(magic, "\177ELF", 4) == 0;
}

static unsigned
count_entries(Fixture *f)
{
    g_autoptr(GDir) dir = g_dir_open(f->cache, 0, NULL);
    const char *name;
    unsigned n = 0;

    while (dir && (name = g_dir_read_name(dir)))
        n += g_str_has_suffix(name, ".elf");
    return n;
}

static void
test_cache_hit(void **state)
{
    Fixture *f = *state;
    ino_t first, second, third;

    write_kernel(f);
    assert_true(get(f, f->path, &first));
    assert_true(get(f, f->path, &second));
    assert_int_equal(first, second);
    assert_int_equal(count_entries(f), 1);
    /* Another kernel at the same place is another entry. */
    f->elf[5000] ^= 1;
    write_kernel(f);
    assert_true(get(f, f->path, &third));
    assert_int_not_equal(first, third);
    assert_int_equal(count_entries(f), 2);
}

static void
test_cache_evicts(void **state)
{
    Fixture *f = *state;
    ino_t first = 0, again;

    write_kernel(f);
    assert_true(get(f, f->path, &first));
    for (unsigned i = 0; i < ENGINE_KERNEL_CACHE_ENTRIES + 2; i++) {
        g_autofree char *path = g_strdup_printf("%s-%u", f->path, i);

        assert_true(g_file_set_contents(path, (char *)f->image->data,
                                        f->image->len, NULL));
        assert_true(get(f, path, NULL));
        /* What is used stays. */
        assert_true(get(f, f->path, &again));
        assert_int_equal(first, again);
    }
    assert_int_equal(count_entries(f), ENGINE_KERNEL_CACHE_ENTRIES);
}

static void
test_cache_falls_back(void **state)
{
    Fixture *f = *state;
    g_autofree char *lock = g_build_filename(f->cache, "lock", NULL);
    g_auto(Fd) memory = -1;
    g_auto(Fd) back = -1;
    Fd held;

    write_kernel(f);
    /* The folder is a file; then it is open to others; then it is busy. */
    assert_true(g_file_set_contents(f->cache, "x", 1, NULL));
    assert_false(get(f, f->path, NULL));
    g_remove(f->cache);
    assert_int_equal(g_mkdir(f->cache, 0700), 0);
    assert_int_equal(chmod(f->cache, 0777), 0);
    assert_false(get(f, f->path, NULL));
    assert_int_equal(chmod(f->cache, 0700), 0);
    held = file_lock(lock, NULL);
    assert_true(held >= 0);
    assert_false(get(f, f->path, NULL));
    fd_clear(&held);
    assert_int_equal(count_entries(f), 0);
    /* A memory file has nothing that says what it is. */
    memory = fd_memfd("kernel", f->image->data, f->image->len);
    back = engine_kernel_cached(memory, "memory", f->cache, &f->error);
    assert_true(back >= 0);
    assert_int_equal(count_entries(f), 0);
    /* A damaged kernel is the guest's to complain about. */
    f->image->data[SETUP_SIZE] = 0;
    assert_true(g_file_set_contents(f->path, (char *)f->image->data,
                                    f->image->len, NULL));
    assert_false(get(f, f->path, NULL));
    assert_int_equal(count_entries(f), 0);
}

static void
test_cache_not_bzimage(void **state)
{
    Fixture *f = *state;
    ino_t inode;
    struct stat st;

    assert_true(g_file_set_contents(f->path, (char *)f->elf, ELF_SIZE, NULL));
    assert_true(get(f, f->path, &inode));
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(inode, st.st_ino);
    assert_false(g_file_test(f->cache, G_FILE_TEST_EXISTS));
}

/* Several at once all get a kernel, and one entry is left. */
static void
test_cache_concurrent(void **state)
{
    Fixture *f = *state;
    pid_t children[4];

    write_kernel(f);
    for (size_t i = 0; i < G_N_ELEMENTS(children); i++) {
        children[i] = fork();
        if (children[i] == 0) {
            Fd kernel = open(f->path, O_RDONLY | O_CLOEXEC);

            _exit(engine_kernel_cached(kernel, "k", f->cache, NULL) < 0);
        }
        assert_true(children[i] > 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(children); i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_true(get(f, f->path, NULL));
    assert_int_equal(count_entries(f), 1);
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_none),
        TEST(test_gzip),
        TEST(test_xz),
        TEST(test_lzma),
        TEST(test_zstd),
        TEST(test_lz4),
        TEST(test_refusals),
        TEST(test_bomb),
        TEST(test_cache_hit),
        TEST(test_cache_evicts),
        TEST(test_cache_falls_back),
        TEST(test_cache_not_bzimage),
        TEST(test_cache_concurrent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
