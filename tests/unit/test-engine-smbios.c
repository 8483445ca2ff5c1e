/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine/x86/mptable.h"
#include "engine/x86/smbios.h"
#include "fake-engine.h"
#include "util/error.h"

/*
 * Reads the structures back with a parser of its own, offsets as in DSP0134.
 * `test-engine-smbios --write FILE` writes them as dmidecode --from-dump reads
 * them; see test-engine-smbios-dmidecode.sh.
 */
#define RAM_SIZE  (2u << 20)
#define UUID      "00112233-4455-6677-8899-aabbccddeeff"
#define DUMP_BASE 32 /* where the structures stand in such a file */

static EngineConfig
machine(EngineMachine kind, unsigned vcpus, uint64_t memory)
{
    EngineConfig config = {
        .machine = kind, .vcpus = vcpus, .memory = memory, .uuid = (char *)UUID
    };

    config.cpu.sockets = vcpus;
    config.cpu.dies = config.cpu.cores = config.cpu.threads = 1;
    return config;
}

static EngineSmbios *
make(const EngineConfig *config)
{
    g_autoptr(GError) error = NULL;
    EngineSmbios *smbios = engine_smbios_new(config, 0, &error);

    if (!smbios)
        fail_msg("%s", error->message);
    return smbios;
}

/* The structure after @structure and its strings */
static const uint8_t *
next(const uint8_t *structure)
{
    const uint8_t *at = structure + structure[1];

    while (at[0] || at[1])
        at++;
    return at + 2;
}

/* The structure @type that is the @index'th of its kind; NULL: there is none */
static const uint8_t *
find(const EngineSmbios *smbios, unsigned type, unsigned index)
{
    const uint8_t *at = smbios->tables->data;
    const uint8_t *end = at + smbios->tables->len;

    for (; at < end; at = next(at))
        if (at[0] == type && index-- == 0)
            return at;
    assert_ptr_equal(at, end);
    return NULL;
}

static const char *
text(const uint8_t *structure, unsigned offset)
{
    const char *string = (const char *)structure + structure[1];

    if (structure[offset] == 0)
        return "";
    for (unsigned i = 1; i < structure[offset]; i++)
        string += strlen(string) + 1;
    return string;
}

static void
test_anchor(void **state)
{
    EngineConfig config = machine(ENGINE_MACHINE_Q35, 2, 256 << 20);
    g_autoptr(EngineSmbios) smbios =
        engine_smbios_new(&config, 0x12345678, NULL);
    const uint8_t *anchor = smbios->anchor;
    unsigned count = 0, largest = 0;

    for (const uint8_t *at = smbios->tables->data, *after;
         at < smbios->tables->data + smbios->tables->len; at = after) {
        after = next(at);
        largest = MAX(largest, (unsigned)(after - at));
        count++;
    }
    assert_memory_equal(anchor, "_SM_", 4);
    assert_int_equal(anchor[5], 31);
    assert_int_equal(le(anchor + 6, 2), 0x0802);
    assert_int_equal(le(anchor + 8, 2), largest);
    assert_memory_equal(anchor + 16, "_DMI_", 5);
    assert_int_equal(le(anchor + 22, 2), smbios->tables->len);
    assert_int_equal(le(anchor + 24, 4), 0x12345678);
    assert_int_equal(le(anchor + 28, 2), count);
    assert_int_equal(anchor[30], 0x28);
    assert_sum(anchor, 31);
    assert_sum(anchor + 16, 15);
}

static void
test_defaults(void **state)
{
    static const uint8_t uuid[] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44,
                                    0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb,
                                    0xcc, 0xdd, 0xee, 0xff };
    EngineConfig config = machine(ENGINE_MACHINE_PC, 1, 256 << 20);
    g_autoptr(EngineSmbios) smbios = make(&config);
    const uint8_t *bios = find(smbios, 0, 0), *system = find(smbios, 1, 0);
    const uint8_t *board = find(smbios, 2, 0), *chassis = find(smbios, 3, 0);

    assert_string_equal(text(bios, 4), "virtkvm");
    assert_string_equal(text(bios, 5), PACKAGE_VERSION);
    assert_int_equal(strlen(text(bios, 8)), 10);
    assert_int_equal(bios[19], 0x14); /* a virtual machine */
    assert_string_equal(text(system, 4), "virtkvm");
    assert_string_equal(text(system, 5), "KVM Virtual Machine");
    assert_string_equal(text(system, 6), "pc");
    assert_string_equal(text(system, 7), "");
    assert_memory_equal(system + 8, uuid, sizeof(uuid));
    assert_int_equal(system[24], 6);
    assert_string_equal(text(board, 4), "virtkvm");
    assert_int_equal(le(board + 11, 2), le(chassis + 2, 2));
    assert_null(find(smbios, 2, 1));
    assert_string_equal(text(chassis, 4), "virtkvm");
    assert_null(find(smbios, 11, 0));
    assert_non_null(find(smbios, 32, 0));
    assert_int_equal(find(smbios, 127, 0)[1], 4);
}

/* Firmware has a type 0 of its own, which it keeps unless it is told. */
static void
test_firmware_names_itself(void **state)
{
    EngineConfig config = machine(ENGINE_MACHINE_Q35, 1, 256 << 20);
    g_autoptr(EngineSmbios) plain = NULL, told = NULL;

    config.firmware.present = true;
    plain = make(&config);
    assert_null(find(plain, 0, 0));
    config.smbios.bios.vendor = (char *)"V";
    config.firmware.type = ENGINE_FIRMWARE_FLASH;
    told = make(&config);
    assert_string_equal(text(find(told, 0, 0), 4), "V");
    assert_int_equal(find(told, 0, 0)[19], 0x1c); /* UEFI */
}

static void
test_processors(void **state)
{
    EngineConfig config = machine(ENGINE_MACHINE_Q35, 9, 256 << 20);
    g_autoptr(EngineSmbios) smbios = NULL, many = NULL, wide = NULL;
    const uint8_t *second;

    config.cpu.sockets = 4; /* one of them empty */
    config.cpu.cores = 2;
    config.cpu.threads = 2;
    smbios = make(&config);
    second = find(smbios, 4, 1);
    assert_string_equal(text(second, 4), "CPU 1");
    assert_int_equal(second[24], 0x41);
    assert_int_equal(second[35], 2);
    assert_int_equal(second[36], 2);
    assert_int_equal(second[37], 4);
    assert_non_null(find(smbios, 4, 2));
    assert_null(find(smbios, 4, 3));
    config = machine(ENGINE_MACHINE_Q35, 4096, 256 << 20);
    many = make(&config);
    assert_non_null(find(many, 4, ENGINE_SMBIOS_SOCKETS_MAX - 1));
    assert_null(find(many, 4, ENGINE_SMBIOS_SOCKETS_MAX));
    config.cpu.sockets = 1;
    config.cpu.cores = 4096;
    wide = make(&config);
    assert_int_equal(find(wide, 4, 0)[35], 0); /* not to be told in a byte */
}

static void
test_memory(void **state)
{
    static const struct {
        uint64_t memory;
        unsigned size;     /* type 17, offset 12 */
        unsigned extended; /* MiB */
        unsigned ranges;
    } cases[] = {
        { (16 << 20) + 4096, 0x8000 | 16388, 0, 1 },
        { (64 << 20) + 4096, 64, 0, 1 },
        { UINT64_C(1) << 30, 1024, 0, 1 },
        { UINT64_C(8) << 30, 8192, 0, 2 },
        { UINT64_C(64) << 30, 0x7fff, 65536, 2 },
        { UINT64_C(64) << 40, 0x7fff, 64 << 20, 2 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        EngineConfig config = machine(ENGINE_MACHINE_Q35, 1, cases[i].memory);
        g_autoptr(EngineSmbios) smbios = make(&config);
        const uint8_t *array = find(smbios, 16, 0);
        const uint8_t *device = find(smbios, 17, 0);
        uint64_t sum = 0;

        if (cases[i].memory >= UINT64_C(2) << 40)
            assert_int_equal(le(array + 15, 8), cases[i].memory);
        else
            assert_int_equal(le(array + 7, 4), cases[i].memory / 1024);
        assert_int_equal(le(device + 4, 2), le(array + 2, 2));
        assert_int_equal(le(device + 12, 2), cases[i].size & 0xffff);
        assert_int_equal(le(device + 28, 4), cases[i].extended);
        for (unsigned r = 0; r < cases[i].ranges; r++) {
            const uint8_t *range = find(smbios, 19, r);
            bool far = le(range + 4, 4) == 0xffffffff;

            sum += far ? le(range + 23, 8) + 1 - le(range + 15, 8)
                       : (le(range + 8, 4) + 1 - le(range + 4, 4)) * 1024;
        }
        assert_int_equal(sum, cases[i].memory);
        assert_null(find(smbios, 19, cases[i].ranges));
    }
}

/* --- what a document says ------------------------------------------------- */
#define DOCUMENT                                                               \
    "{\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":268435456,\"kernel\":"   \
    "{\"fd\":3},\"smbios\":{\"bios\":{\"vendor\":\"bv\",\"version\":\"bver\"," \
    "\"date\":\"02/03/2024\",\"release\":\"4.20\"},\"system\":{"               \
    "\"manufacturer\":\"sm\",\"product\":\"sp\",\"version\":\"sv\","           \
    "\"serial\":\"ss\",\"sku\":\"sk\",\"family\":\"sf\"},\"boards\":[{"        \
    "\"manufacturer\":\"m0\"},{\"product\":\"p1\",\"version\":\"v1\","         \
    "\"serial\":\"s1\",\"asset\":\"a1\",\"location\":\"l1\"}],\"chassis\":{"   \
    "\"manufacturer\":\"cm\",\"version\":\"cv\",\"serial\":\"cs\","            \
    "\"asset\":\"ca\",\"sku\":\"ck\"},\"oem_strings\":[\"one\",\"two\"]}}"

static EngineConfig *
parse(void)
{
    g_autoptr(GError) error = NULL;
    EngineConfig *config = engine_config_parse(DOCUMENT, &error);

    if (!config)
        fail_msg("%s", error->message);
    return config;
}

static void
test_what_the_document_says(void **state)
{
    g_autoptr(EngineConfig) config = parse();
    g_autoptr(EngineSmbios) smbios = make(config);
    static const struct {
        unsigned type, index, offset;
        const char *text;
    } texts[] = {
        { 0, 0, 4, "bv" }, { 0, 0, 5, "bver" }, { 0, 0, 8, "02/03/2024" },
        { 1, 0, 4, "sm" }, { 1, 0, 5, "sp" },   { 1, 0, 6, "sv" },
        { 1, 0, 7, "ss" }, { 1, 0, 25, "sk" },  { 1, 0, 26, "sf" },
        { 2, 0, 4, "m0" }, { 2, 1, 5, "p1" },   { 2, 1, 6, "v1" },
        { 2, 1, 7, "s1" }, { 2, 1, 8, "a1" },   { 2, 1, 10, "l1" },
        { 3, 0, 4, "cm" }, { 3, 0, 6, "cv" },   { 3, 0, 7, "cs" },
        { 3, 0, 8, "ca" }, { 3, 0, 21, "ck" },
    };
    const uint8_t *oem = find(smbios, 11, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_string_equal(
            text(find(smbios, texts[i].type, texts[i].index), texts[i].offset),
            texts[i].text);
    assert_int_equal(find(smbios, 0, 0)[20], 4);
    assert_int_equal(find(smbios, 0, 0)[21], 20);
    assert_int_equal(oem[4], 2);
    assert_memory_equal(oem + 5, "one\0two\0", 9);
}

static void
test_bad_documents(void **state)
{
    static const char *const parts[] = {
        "{\"bios\":{\"release\":\"4\"}}",
        "{\"bios\":{\"release\":\"4.256\"}}",
        "{\"bios\":{\"release\":\"4.2x\"}}",
        "{\"boards\":{}}",
        "{\"oem_strings\":[1]}",
        "{\"system\":{\"uuid\":\"x\"}}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *json = g_strdup_printf(
            "{\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":268435456,"
            "\"kernel\":{\"fd\":3},\"smbios\":%s}",
            parts[i]);

        assert_null(engine_config_parse(json, &error));
        assert_non_null(strstr(error->message, "smbios"));
    }
}

static void
test_too_much_is_refused(void **state)
{
    EngineConfig config = machine(ENGINE_MACHINE_Q35, 1, 256 << 20);
    g_autofree char *long_text = g_strnfill(ENGINE_SMBIOS_TEXT_MAX, 'x');
    char *strings[ENGINE_SMBIOS_OEM_STRINGS_MAX];
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < ENGINE_SMBIOS_OEM_STRINGS_MAX; i++)
        strings[i] = long_text;
    config.smbios.oem_strings = strings;
    config.smbios.n_oem_strings = ENGINE_SMBIOS_OEM_STRINGS_MAX;
    assert_null(engine_smbios_new(&config, 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
}

/* Where systems without firmware search, and not where other tables are */
static void
test_in_memory(void **state)
{
    EngineConfig config = machine(ENGINE_MACHINE_Q35, 2, 256 << 20);
    Engine *engine = fake_engine_new(&config, RAM_SIZE);
    const uint8_t *anchor, *tables;

    assert_true(engine_smbios_build(engine, &config, NULL));
    anchor = engine_memory_at(engine, ENGINE_SMBIOS_ANCHOR_GPA, 31);
    assert_int_equal(ENGINE_SMBIOS_ANCHOR_GPA % 16, 0);
    assert_in_range(ENGINE_SMBIOS_ANCHOR_GPA, 0xf0000, 0xfffff - 31);
    assert_memory_equal(anchor, "_SM_", 4);
    tables = engine_memory_at(engine, le(anchor + 24, 4), 4);
    assert_int_equal(tables[0], 0);
    assert_true(le(anchor + 24, 4) >= ENGINE_MPTABLE_GPA + ENGINE_MPTABLE_MAX);
    fake_engine_free(engine);
}

static int
write_dump(const char *path)
{
    g_autoptr(EngineConfig) config = parse();
    g_autoptr(EngineSmbios) smbios = engine_smbios_new(config, DUMP_BASE, NULL);
    g_autoptr(GByteArray) dump = g_byte_array_new();
    static const uint8_t gap;

    g_byte_array_append(dump, smbios->anchor, sizeof(smbios->anchor));
    g_byte_array_append(dump, &gap, sizeof(gap));
    g_byte_array_append(dump, smbios->tables->data, smbios->tables->len);
    return g_file_set_contents(path, (const char *)dump->data, dump->len, NULL)
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anchor),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_firmware_names_itself),
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_what_the_document_says),
        cmocka_unit_test(test_bad_documents),
        cmocka_unit_test(test_too_much_is_refused),
        cmocka_unit_test(test_in_memory),
    };

    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_dump(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
