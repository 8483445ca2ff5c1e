/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/firmware/firmware.h"
#include "engine/firmware/flash-chip.h"
#include "fake-engine.h"
#include "util/fd.h"

#define BLOCK     ((unsigned)ENGINE_FLASH_BLOCK)
#define CODE_SIZE (3 * BLOCK)
#define VARS_SIZE (2 * BLOCK)
#define CODE_GPA  ((UINT64_C(1) << 32) - CODE_SIZE)
#define VARS_GPA  (CODE_GPA - VARS_SIZE)

/* --- the chip alone, with a store that remembers -------------------------- */
typedef struct Memory {
    uint8_t bytes[VARS_SIZE];
    GString *log;
    bool broken, sync_broken;
} Memory;

static bool
memory_write(void *opaque, uint64_t offset, const uint8_t *bytes, unsigned size)
{
    Memory *memory = opaque;

    assert_true(offset <= VARS_SIZE && size <= VARS_SIZE - offset);
    g_string_append_printf(memory->log, "w%u+%u ", (unsigned)offset, size);
    if (!memory->broken)
        memcpy(memory->bytes + offset, bytes, size);
    return !memory->broken;
}

static bool
memory_sync(void *opaque)
{
    Memory *memory = opaque;

    g_string_append(memory->log, "s ");
    return !memory->sync_broken;
}

typedef struct Chip {
    EngineFlashChip chip;
    Memory memory;
} Chip;

static int
chip_setup(void **state)
{
    static const EngineFlashStore store = { memory_write, memory_sync };
    Chip *c = g_new0(Chip, 1);

    c->memory.log = g_string_new("");
    c->chip = (EngineFlashChip){ .store = &store,
                                 .opaque = &c->memory,
                                 .size = VARS_SIZE };
    engine_flash_chip_reset(&c->chip);
    *state = c;
    return 0;
}

static int
chip_teardown(void **state)
{
    Chip *c = *state;

    g_string_free(c->memory.log, TRUE);
    g_free(c);
    return 0;
}

static void
command(Chip *c, uint64_t offset, uint8_t value)
{
    engine_flash_chip_write(&c->chip, offset, 1, value);
}

static uint8_t
status(const Chip *c)
{
    assert_int_equal(c->chip.mode, ENGINE_FLASH_STATUS);
    return (uint8_t)engine_flash_chip_read(&c->chip, 0, 1);
}

static void
assert_log(Chip *c, const char *expected)
{
    assert_string_equal(c->memory.log->str, expected);
    g_string_truncate(c->memory.log, 0);
}

/* As firmware looks for a chip among RAM and ROM: the status is told from what
 * was written, and is nothing after it was cleared. */
static void
test_detection(void **state)
{
    Chip *c = *state;

    assert_int_equal(c->chip.mode, ENGINE_FLASH_ARRAY);
    command(c, 5, 0x50);
    assert_int_equal(c->chip.mode, ENGINE_FLASH_ARRAY);
    command(c, 5, 0x70);
    assert_int_equal(status(c), 0);
    command(c, 5, 0xff);
    assert_int_equal(c->chip.mode, ENGINE_FLASH_ARRAY);
    assert_log(c, "");
}

static void
test_identity(void **state)
{
    Chip *c = *state;

    command(c, 0, 0x90);
    assert_int_equal(engine_flash_chip_read(&c->chip, 0, 1), 0x89);
    assert_int_equal(engine_flash_chip_read(&c->chip, 1, 1), 0x18);
    assert_int_equal(engine_flash_chip_read(&c->chip, 0x2000, 4), 0x1889);
    command(c, 0x55, 0x98);
    assert_int_equal(engine_flash_chip_read(&c->chip, 0x10, 4), 0x01595251);
    /* two blocks, 4096 bytes each, in 2^13 bytes */
    assert_int_equal(engine_flash_chip_read(&c->chip, 0x27, 1), 13);
    assert_int_equal(engine_flash_chip_read(&c->chip, 0x2d, 4), 0x00100001);
    assert_int_equal(engine_flash_chip_read(&c->chip, 0x31, 4), 0x31495250);
    assert_int_equal(engine_flash_chip_read(&c->chip, 0xfe, 8), 0);
    command(c, 0, 0xff);
    assert_int_equal(c->chip.mode, ENGINE_FLASH_ARRAY);
}

/* What is programmed is kept before the guest sees the array again. */
static void
test_program(void **state)
{
    Chip *c = *state;

    command(c, 7, 0x10);
    command(c, 7, 0xab);
    assert_int_equal(status(c), 0x80);
    command(c, 8, 0x40);
    engine_flash_chip_write(&c->chip, 8, 4, 0x44332211);
    assert_log(c, "w7+1 w8+4 ");
    command(c, 8, 0xff);
    assert_log(c, "s ");
    command(c, 8, 0xff); /* nothing is new */
    assert_log(c, "");
    assert_memory_equal(c->memory.bytes + 7, "\xab\x11\x22\x33\x44", 5);
}

static void
test_erase(void **state)
{
    Chip *c = *state;

    command(c, BLOCK + 9, 0x20);
    assert_log(c, ""); /* not before it is confirmed */
    command(c, BLOCK + 9, 0xd0);
    assert_int_equal(status(c), 0x80);
    assert_true(g_str_has_prefix(c->memory.log->str, "w4096+"));
    assert_true(g_str_has_suffix(c->memory.log->str, "256 s "));
    g_string_truncate(c->memory.log, 0);
    for (unsigned i = 0; i < VARS_SIZE; i++)
        assert_int_equal(c->memory.bytes[i], i < BLOCK ? 0 : 0xff);
    command(c, 0, 0x20);
    command(c, 0, 0x12);
    assert_int_equal(status(c), 0xb0);
    command(c, 0, 0x20);
    command(c, 0, 0xff);
    assert_int_equal(c->chip.mode, ENGINE_FLASH_ARRAY);
    assert_log(c, "");
}

static void
test_buffer(void **state)
{
    Chip *c = *state;

    command(c, BLOCK, 0xe8);
    assert_int_equal(status(c), 0x80);
    command(c, BLOCK, 5); /* six bytes */
    engine_flash_chip_write(&c->chip, BLOCK + 3, 2, 0x2211);
    engine_flash_chip_write(&c->chip, BLOCK + 5, 4, 0x66554433);
    assert_log(c, "");
    command(c, BLOCK, 0xd0);
    assert_int_equal(status(c), 0x80);
    command(c, 0, 0xff);
    assert_log(c, "w4099+6 s ");
    assert_memory_equal(c->memory.bytes + BLOCK + 3, "\x11\x22\x33\x44\x55\x66",
                        6);
}

static void
begin_buffer(Chip *c, uint64_t offset, unsigned size)
{
    command(c, 0, 0x50);
    command(c, offset, 0xe8);
    engine_flash_chip_write(&c->chip, offset, 2, size - 1);
}

/* Nothing is written of a sequence that is none. */
static void
test_buffer_misused(void **state)
{
    Chip *c = *state;

    begin_buffer(c, 0, ENGINE_FLASH_BUFFER + 1);
    assert_int_equal(status(c), 0xb0);
    begin_buffer(c, 0, 0x10000); /* as the largest count */
    assert_int_equal(status(c), 0xb0);
    begin_buffer(c, 0, 4);
    engine_flash_chip_write(&c->chip, BLOCK, 4, 0); /* another block */
    assert_int_equal(status(c), 0xb0);
    begin_buffer(c, BLOCK, 4);
    engine_flash_chip_write(&c->chip, 0, 4, 0); /* one before it */
    assert_int_equal(status(c), 0xb0);
    begin_buffer(c, 0, 4);
    engine_flash_chip_write(&c->chip, 0, 8, 0); /* more than announced */
    assert_int_equal(status(c), 0xb0);
    begin_buffer(c, 0, 2);
    command(c, 0, 1);
    command(c, 2, 1); /* one left out */
    assert_int_equal(status(c), 0xb0);
    begin_buffer(c, 0, 1);
    command(c, 0, 1);
    command(c, 0, 0xff); /* not confirmed */
    assert_int_equal(status(c), 0xb0);
    begin_buffer(c, VARS_SIZE - 4, 8); /* past the end */
    engine_flash_chip_write(&c->chip, VARS_SIZE - 4, 8, 0);
    command(c, 0, 0xd0);
    assert_int_equal(status(c), 0xb0);
    assert_log(c, "");
}

static void
test_broken_store(void **state)
{
    Chip *c = *state;

    c->memory.broken = true;
    command(c, 0, 0x10);
    command(c, 0, 0);
    assert_int_equal(status(c), 0x90);
    command(c, 0, 0x50);
    command(c, 0, 0x20);
    command(c, 0, 0xd0);
    assert_int_equal(status(c), 0xa0);
    c->memory.broken = false;
    c->memory.sync_broken = true;
    command(c, 0, 0x50);
    command(c, 0, 0x10);
    command(c, 0, 0);
    command(c, 0, 0xff);
    command(c, 0, 0x70);
    assert_int_equal(status(c), 0x90);
}

/* --- two chips of a machine ----------------------------------------------- */
typedef struct Fixture {
    EngineConfig config;
    Engine *engine;
    Fd code, vars;
} Fixture;

static int
make_file(char byte, size_t size)
{
    g_autofree char *bytes = g_malloc(size + 1); /* not NULL for an empty one */
    int fd = memfd_create("flash", MFD_CLOEXEC);

    memset(bytes, byte, size);
    assert_true(fd >= 0 && fd_write_all(fd, bytes, size));
    return fd;
}

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->code = make_file('c', CODE_SIZE);
    f->vars = make_file('v', VARS_SIZE);
    f->config.firmware = (EngineFirmwareConfig){
        .type = ENGINE_FIRMWARE_FLASH,
        .image = { f->code, NULL },
        .vars = { f->vars, NULL },
    };
    f->engine = fake_engine_new(&f->config, 4096);
    for (unsigned i = 0; i < ENGINE_FLASH_CHIPS; i++)
        fake_device_new(f->engine, &engine_flash_type, i);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->engine);
    fd_clear(&f->code);
    fd_clear(&f->vars);
    g_free(f);
    return 0;
}

static void
out(Fixture *f, uint64_t offset, uint8_t value)
{
    fake_mmio_write(f->engine, VARS_GPA + offset, 1, value);
}

static void
assert_file(int fd, off_t offset, const char *expected)
{
    char bytes[64];
    size_t size = strlen(expected);

    assert_int_equal(pread(fd, bytes, size, offset), size);
    assert_memory_equal(bytes, expected, size);
}

static void
test_places(void **state)
{
    Fixture *f = *state;

    assert_memory_equal(fake_rom(f->engine, CODE_GPA), "cc", 2);
    assert_memory_equal(fake_rom(f->engine, UINT32_MAX - 1), "cc", 2);
    assert_memory_equal(fake_rom(f->engine, CODE_GPA - 2), "vv", 2);
    assert_memory_equal(fake_rom(f->engine, VARS_GPA), "vv", 2);
    assert_null(fake_rom(f->engine, VARS_GPA - 1));
    assert_false(fake_mapped(f->engine, ENGINE_SPACE_MMIO, CODE_GPA));
    assert_true(fake_mapped(f->engine, ENGINE_SPACE_MMIO, VARS_GPA));
}

static void
test_written_through(void **state)
{
    Fixture *f = *state;

    out(f, 1, 0x10);
    assert_null(fake_rom(f->engine, VARS_GPA));
    out(f, 1, 'X');
    assert_int_equal(fake_mmio_read(f->engine, VARS_GPA + 100, 1), 0x80);
    assert_file(f->vars, 0, "vXv");
    out(f, 1, 0xff);
    assert_memory_equal(fake_rom(f->engine, VARS_GPA), "vXv", 3);
    /* a vCPU whose read began while another had hidden it */
    assert_int_equal(fake_mmio_read(f->engine, VARS_GPA, 2), 0x5876);
    out(f, BLOCK, 0x20);
    out(f, BLOCK, 0xd0);
    out(f, BLOCK, 0xff);
    assert_memory_equal(fake_rom(f->engine, VARS_GPA + BLOCK - 1), "v\xff", 2);
    assert_file(f->vars, BLOCK - 1, "v\xff\xff");
}

static void
test_reset_shows_the_array(void **state)
{
    Fixture *f = *state;
    EngineDevice *device = engine_device_find(f->engine, &engine_flash_type, 1);

    out(f, 0, 0x10); /* what comes next would be data */
    device->type->reset(device);
    assert_memory_equal(fake_rom(f->engine, VARS_GPA), "vv", 2);
    out(f, 0, 0x70);
    assert_int_equal(fake_mmio_read(f->engine, VARS_GPA, 1), 0x80);
    assert_file(f->vars, 0, "vv");
    device = engine_device_find(f->engine, &engine_flash_type, 0);
    device->type->reset(device);
    assert_memory_equal(fake_rom(f->engine, CODE_GPA), "cc", 2);
}

/* A full disk, or what comes nearest to it without one: a descriptor that
 * cannot write. The guest is told, and sees what is kept. */
static void
test_write_fails(void **state)
{
    Fixture *f = *state;
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", f->vars);
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    EngineConfig config = { .firmware = { .type = ENGINE_FIRMWARE_FLASH,
                                          .image = { fd, NULL },
                                          .vars = { -1, NULL },
                                          .writable = true } };
    Engine *engine = fake_engine_new(&config, 4096);
    uint64_t gpa = (UINT64_C(1) << 32) - VARS_SIZE;

    fake_device_new(engine, &engine_flash_type, 0);
    fake_mmio_write(engine, gpa, 1, 0x10);
    fake_mmio_write(engine, gpa, 1, 'X');
    assert_int_equal(fake_mmio_read(engine, gpa, 1), 0x90);
    fake_mmio_write(engine, gpa, 1, 0xff);
    assert_memory_equal(fake_rom(engine, gpa), "vv", 2);
    fake_engine_free(engine);
}

/* Returns: what the device says of @config's chip @index; NULL: nothing */
static char *
refusal(const EngineConfig *config, unsigned index)
{
    Engine *engine = fake_engine_new(config, 4096);
    const EngineDeviceType *type = &engine_flash_type;
    EngineDevice *device = g_malloc0(type->size);
    GError *error = NULL;
    char *message = NULL;

    if (index > 0)
        fake_device_new(engine, type, 0);
    device->type = type;
    device->engine = engine;
    device->index = index;
    if (type->realize(device, engine, config, index, &error))
        type->unrealize(device);
    else
        message = g_strdup(error->message);
    g_clear_error(&error);
    g_free(device);
    fake_engine_free(engine);
    return message;
}

static void
assert_refused(int image, int vars, const char *part)
{
    EngineConfig config = { .firmware = { .type = ENGINE_FIRMWARE_FLASH,
                                          .image = { image, (char *)"/code" },
                                          .vars = { vars, (char *)"/vars" } } };
    g_autofree char *message = refusal(&config, vars >= 0);

    assert_non_null(message);
    if (!strstr(message, part))
        fail_msg("'%s' is not in: %s", part, message);
}

static void
test_files_that_are_no_chips(void **state)
{
    g_auto(Fd) empty = make_file('x', 0);
    g_auto(Fd) odd = make_file('x', BLOCK + 1);
    g_auto(Fd) large = make_file('x', 8u << 20);
    g_auto(Fd) larger = make_file('x', (8u << 20) + BLOCK);
    g_auto(Fd) small = make_file('x', BLOCK);
    g_auto(Fd) folder = open("/", O_RDONLY | O_CLOEXEC);

    assert_refused(-1, -1, "cannot open '/code'");
    assert_refused(empty, -1, "'/code' has 0 bytes");
    assert_refused(odd, -1, "'/code' has 4097 bytes");
    assert_refused(larger, -1, "at most 8388608");
    assert_refused(folder, -1, "'/code' is not a regular file");
    assert_refused(small, odd, "'/vars' has 4097 bytes");
    assert_refused(large, small, "'/vars' does not fit");
}

/* Where nobody asks for flash there is none. */
static void
test_no_flash(void **state)
{
    static const EngineConfig config = { .firmware = { .image = { 0, NULL } } };
    Engine *engine = fake_engine_new(&config, 4096);

    for (unsigned i = 0; i < ENGINE_FLASH_CHIPS; i++)
        fake_device_new(engine, &engine_flash_type, i);
    assert_null(fake_rom(engine, UINT32_MAX));
    fake_engine_free(engine);
}

int
main(void)
{
#define CHIP(name) \
    cmocka_unit_test_setup_teardown(name, chip_setup, chip_teardown)
#define MACHINE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CHIP(test_detection),
        CHIP(test_identity),
        CHIP(test_program),
        CHIP(test_erase),
        CHIP(test_buffer),
        CHIP(test_buffer_misused),
        CHIP(test_broken_store),
        MACHINE(test_places),
        MACHINE(test_written_through),
        MACHINE(test_reset_shows_the_array),
        MACHINE(test_write_fails),
        cmocka_unit_test(test_files_that_are_no_chips),
        cmocka_unit_test(test_no_flash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
