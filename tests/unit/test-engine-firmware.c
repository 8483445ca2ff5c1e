/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "engine/dev/dev.h"
#include "engine/firmware/boot-order.h"
#include "engine/firmware/firmware.h"
#include "engine/firmware/fw-cfg.h"
#include "engine/firmware/table-loader.h"
#include "fake-engine.h"
#include "util/error.h"

/* What a firmware reads: as SeaBIOS does it, by ports and by DMA. */
#define RAM_SIZE (2u << 20)
#define SELECTOR 0x510
#define DATA     0x511
#define DMA_HIGH 0x514
#define DMA_LOW  0x518
#define COMMAND  0x1000 /* guest physical */
#define BUFFER   0x2000

#define READ   0x02
#define SKIP   0x04
#define SELECT 0x08
#define WRITE  0x10
#define FAILED 0x01

typedef struct Fixture {
    EngineConfig config;
    Engine *engine;
} Fixture;

static void
begin(Fixture *f, EngineMachine machine, uint64_t memory)
{
    g_autoptr(GError) error = NULL;

    *f = (Fixture){ .config = { .machine = machine,
                                .vcpus = 2,
                                .memory = memory,
                                .acpi = true,
                                .uuid = (char *)"9b2dd0b5-6a4f-4f0e-9c43-"
                                                "0e6bd2a5ad01",
                                .boot = { .reboot_timeout_ms = -1 } } };
    f->config.firmware.present = true;
    f->config.firmware.type = ENGINE_FIRMWARE_FLASH; /* no image in RAM */
    f->config.cpu.sockets = 2;
    f->config.cpu.dies = f->config.cpu.cores = f->config.cpu.threads = 1;
    f->engine = fake_engine_new(&f->config, RAM_SIZE);
    fake_device_new(f->engine, &engine_pci_type, 0);
    fake_device_new(f->engine, &engine_fw_cfg_type, 0);
    if (!engine_firmware_load(f->engine, &f->config, &error))
        fail_msg("%s", error->message);
}

static void
end(Fixture *f)
{
    fake_engine_free(f->engine);
}

static uint64_t
be(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void
put_be(uint8_t *bytes, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static void
read_ports(Fixture *f, unsigned key, uint8_t *buffer, size_t size)
{
    fake_out(f->engine, SELECTOR, 2, key);
    for (size_t i = 0; i < size; i++)
        buffer[i] = fake_inb(f->engine, DATA);
}

/* Returns: what becomes of the control word */
static uint32_t
dma(Fixture *f, uint32_t control, uint32_t size, uint64_t address)
{
    uint8_t *command = engine_memory_at(f->engine, COMMAND, 16);

    put_be(command, 4, control);
    put_be(command + 4, 4, size);
    put_be(command + 8, 8, address);
    fake_out(f->engine, DMA_LOW, 4, GUINT32_SWAP_LE_BE((uint32_t)COMMAND));
    return (uint32_t)be(command, 4);
}

/* Finds the file in the directory, reads all of it. Returns: NULL: no such */
static uint8_t *
read_file(Fixture *f, const char *name, size_t *ret_size)
{
    uint8_t count[4], entry[64];

    read_ports(f, ENGINE_FW_CFG_DIRECTORY, count, sizeof(count));
    for (uint64_t i = be(count, 4); i > 0; i--) {
        for (size_t k = 0; k < sizeof(entry); k++)
            entry[k] = fake_inb(f->engine, DATA);
        if (strcmp((char *)entry + 8, name) != 0)
            continue;
        *ret_size = be(entry, 4);
        uint8_t *data = g_malloc(*ret_size);
        read_ports(f, (unsigned)be(entry + 4, 2), data, *ret_size);
        return data;
    }
    return NULL;
}

static void
test_absent_without_firmware(void **state)
{
    Engine *engine = fake_engine_new(NULL, RAM_SIZE);

    fake_device_new(engine, &engine_fw_cfg_type, 0);
    fake_device_new(engine, &engine_debug_port_type, 0);
    assert_false(fake_mapped(engine, ENGINE_SPACE_PIO, SELECTOR));
    assert_false(fake_mapped(engine, ENGINE_SPACE_PIO, 0x402));
    fake_engine_free(engine);
}

static void
test_items_by_ports(void **state)
{
    static const uint8_t uuid[] = { 0x9b, 0x2d, 0xd0, 0xb5, 0x6a, 0x4f,
                                    0x4f, 0x0e, 0x9c, 0x43, 0x0e, 0x6b,
                                    0xd2, 0xa5, 0xad, 0x01 };
    Fixture f;
    uint8_t bytes[16];

    begin(&f, ENGINE_MACHINE_PC, 64 << 20);
    read_ports(&f, ENGINE_FW_CFG_SIGNATURE, bytes, 4);
    assert_memory_equal(bytes, "QEMU", 4);
    /* What is behind the end reads as zero. */
    assert_int_equal(fake_inb(f.engine, DATA), 0);
    read_ports(&f, ENGINE_FW_CFG_ID, bytes, 4);
    assert_int_equal(le(bytes, 4), 3);
    read_ports(&f, ENGINE_FW_CFG_CPUS, bytes, 2);
    assert_int_equal(le(bytes, 2), 2);
    read_ports(&f, ENGINE_FW_CFG_MAX_CPUS, bytes, 2);
    assert_int_equal(le(bytes, 2), 2);
    read_ports(&f, ENGINE_FW_CFG_RAM_SIZE, bytes, 8);
    assert_int_equal(le(bytes, 8), 64 << 20);
    read_ports(&f, ENGINE_FW_CFG_UUID, bytes, 16);
    assert_memory_equal(bytes, uuid, 16);
    read_ports(&f, 0x7fff, bytes, 4);
    assert_int_equal(le(bytes, 4), 0);
    read_ports(&f, 0xffff, bytes, 4);
    assert_int_equal(le(bytes, 4), 0);
    end(&f);
}

static void
test_dma(void **state)
{
    Fixture f;
    uint8_t *buffer;

    begin(&f, ENGINE_MACHINE_PC, 64 << 20);
    buffer = engine_memory_at(f.engine, BUFFER, 64);
    memset(buffer, 0xcc, 64);
    assert_int_equal(fake_in(f.engine, DMA_HIGH, 4),
                     GUINT32_SWAP_LE_BE(0x51454d55));
    assert_int_equal(fake_in(f.engine, DMA_LOW, 4),
                     GUINT32_SWAP_LE_BE(0x20434647));
    assert_int_equal(
        dma(&f, SELECT | READ | ENGINE_FW_CFG_SIGNATURE << 16, 6, BUFFER), 0);
    assert_memory_equal(buffer, "QEMU\0\0\xcc", 7);
    assert_int_equal(
        dma(&f, SELECT | SKIP | ENGINE_FW_CFG_SIGNATURE << 16, 2, 0), 0);
    assert_int_equal(dma(&f, READ, 2, BUFFER), 0);
    assert_memory_equal(buffer, "MU", 2);
    /* Past the end there are zeroes, however far. */
    assert_int_equal(dma(&f, SKIP, UINT32_MAX, 0), 0);
    assert_int_equal(dma(&f, READ, 1, BUFFER), 0);
    assert_int_equal(buffer[0], 0);
    end(&f);
}

static void
test_dma_refuses(void **state)
{
    static const struct {
        uint32_t control, size;
        uint64_t address;
    } cases[] = {
        { SELECT | READ, 4, RAM_SIZE - 2 },
        { SELECT | READ, 4, UINT64_MAX - 1 },
        { SELECT | READ, UINT32_MAX, 0 },
        { SELECT | READ, RAM_SIZE - 0x3000, 0x3000 }, /* zeroes, mostly */
        { SELECT | WRITE, 4, BUFFER },
        { SELECT | READ | 0xffffu << 16, 4, RAM_SIZE },
    };
    Fixture f;

    begin(&f, ENGINE_MACHINE_PC, 64 << 20);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (dma(&f, cases[i].control, cases[i].size, cases[i].address) !=
            FAILED)
            fail_msg("case %zu", i);
    /* A command that is not in RAM at all */
    fake_out(f.engine, DMA_HIGH, 4, UINT32_MAX);
    fake_out(f.engine, DMA_LOW, 4, UINT32_MAX);
    end(&f);
}

static void
check_e820(EngineMachine machine, uint64_t memory, uint64_t low)
{
    g_autofree uint8_t *map = NULL;
    size_t size = 0;
    Fixture f;

    begin(&f, machine, memory);
    map = read_file(&f, "etc/e820", &size);
    assert_non_null(map);
    assert_int_equal(size, memory > low ? 60 : 40);
    assert_int_equal(le(map, 8), 0);
    assert_int_equal(le(map + 8, 8), low);
    assert_int_equal(le(map + 16, 4), 1);
    if (memory > low) {
        assert_int_equal(le(map + 40, 8), UINT64_C(1) << 32);
        assert_int_equal(le(map + 48, 8), memory - low);
    }
    end(&f);
}

/* On q35 nothing may lie where firmware puts the configuration window. */
static void
test_memory_map(void **state)
{
    const uint64_t gib = 1 << 30;

    check_e820(ENGINE_MACHINE_PC, 64 << 20, 64 << 20);
    check_e820(ENGINE_MACHINE_PC, 5 * gib, 3 * gib);
    check_e820(ENGINE_MACHINE_Q35, 2 * gib, 2 * gib);
    check_e820(ENGINE_MACHINE_Q35, 3 * gib, 2 * gib);
}

static void
test_boot(void **state)
{
    g_autofree uint8_t *wait = NULL, *fail = NULL, *serial = NULL;
    size_t size;
    Fixture f;

    begin(&f, ENGINE_MACHINE_PC, 64 << 20);
    assert_null(read_file(&f, "bootorder", &size));
    assert_null(read_file(&f, "etc/boot-menu-wait", &size));
    assert_null(read_file(&f, "etc/sercon-port", &size));
    fail = read_file(&f, "etc/boot-fail-wait", &size);
    assert_int_equal(le(fail, 4), UINT32_MAX);
    f.config.boot = (EngineBootConfig){ true, 3000, 500, true };
    f.config.serials[0].present = true;
    assert_true(engine_firmware_load(f.engine, &f.config, NULL));
    wait = read_file(&f, "etc/boot-menu-wait", &size);
    assert_int_equal(le(wait, (unsigned)size), 3000);
    serial = read_file(&f, "etc/sercon-port", &size);
    assert_int_equal(le(serial, (unsigned)size), 0x3f8);
    end(&f);
}

static void
test_boot_order(void **state)
{
    static EngineDeviceConfig devices[] = {
        { .kind = ENGINE_DEVICE_VIRTIO_BLK,
          .id = (char *)"a",
          .slot = 11,
          .bootindex = 3 },
        { .kind = ENGINE_DEVICE_VIRTIO_NET,
          .id = (char *)"b",
          .slot = 3,
          .function = 2,
          .bootindex = 1 },
        { .kind = ENGINE_DEVICE_VIRTIO_BLK, .id = (char *)"c", .slot = 5 },
        { .kind = ENGINE_DEVICE_VIRTIO_SCSI, .id = (char *)"s", .slot = 6 },
        { .kind = ENGINE_DEVICE_UNIT,
          .id = (char *)"d",
          .bootindex = 2,
          .unit = { .controller = (char *)"s", .target = 10, .lun = 1 } },
    };
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autofree char *order = NULL;

    assert_null(engine_boot_order(all));
    g_ptr_array_add(all, &devices[2]);
    assert_null(engine_boot_order(all));
    g_ptr_array_set_size(all, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
        g_ptr_array_add(all, &devices[i]);
    order = engine_boot_order(all);
    assert_string_equal(order, "/pci@i0cf8/ethernet@3,2/ethernet-phy@0\n"
                               "/pci@i0cf8/scsi@6/channel@0/disk@a,1\n"
                               "/pci@i0cf8/scsi@b/disk@0,0\nHALT");
}

/* --- the loader, carried out as firmware does ----------------------------- */
#define TABLES_AT 0x7fe0000u
#define RSDP_AT   0xf5000u

typedef struct Loaded {
    uint8_t *tables, *rsdp;
    size_t tables_size, rsdp_size;
} Loaded;

static uint8_t *
loaded_file(const Loaded *loaded, const char *name, size_t *ret_size)
{
    bool rsdp = strcmp(name, ENGINE_RSDP_FILE) == 0;

    assert_true(rsdp || strcmp(name, ENGINE_TABLES_FILE) == 0);
    *ret_size = rsdp ? loaded->rsdp_size : loaded->tables_size;
    return rsdp ? loaded->rsdp : loaded->tables;
}

static void
add_pointer(const Loaded *loaded, const uint8_t *command)
{
    size_t size, offset = le(command + 116, 4), width = command[120];
    uint8_t *file = loaded_file(loaded, (const char *)command + 4, &size);
    uint64_t value;

    assert_string_equal((const char *)command + 60, ENGINE_TABLES_FILE);
    assert_true(width == 4 || width == 8);
    assert_true(offset + width <= size);
    value = le(file + offset, (unsigned)width);
    assert_true(value < loaded->tables_size);
    value += TABLES_AT;
    for (size_t i = 0; i < width; i++)
        file[offset + i] = (uint8_t)(value >> (8 * i));
}

static void
add_checksum(const Loaded *loaded, const uint8_t *command)
{
    size_t size, offset = le(command + 60, 4), start = le(command + 64, 4);
    size_t length = le(command + 68, 4);
    uint8_t *file = loaded_file(loaded, (const char *)command + 4, &size);
    uint8_t sum = 0;

    assert_true(offset < size && start + length <= size);
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + file[start + i]);
    file[offset] = (uint8_t)(file[offset] - sum);
}

static void
load_tables(Fixture *f, Loaded *loaded)
{
    size_t size, file_size;
    g_autofree uint8_t *script = read_file(f, ENGINE_LOADER_FILE, &size);

    assert_non_null(script);
    assert_int_equal(size % 128, 0);
    loaded->tables = read_file(f, ENGINE_TABLES_FILE, &loaded->tables_size);
    loaded->rsdp = read_file(f, ENGINE_RSDP_FILE, &loaded->rsdp_size);
    for (size_t at = 0; at < size; at += 128) {
        const uint8_t *command = script + at;

        switch (le(command, 4)) {
        case 0: /* room */
            break;
        case 1:
            loaded_file(loaded, (const char *)command + 4, &file_size);
            assert_true(le(command + 60, 4) >= 16);
            break;
        case 2:
            add_pointer(loaded, command);
            break;
        case 3:
            add_checksum(loaded, command);
            break;
        default:
            fail_msg("command %u", (unsigned)le(command, 4));
        }
    }
}

static const uint8_t *
table_at(const Loaded *loaded, uint64_t gpa)
{
    const uint8_t *table;

    assert_true(gpa >= TABLES_AT && gpa < TABLES_AT + loaded->tables_size);
    table = loaded->tables + (gpa - TABLES_AT);
    assert_sum(table, le(table + 4, 4));
    return table;
}

/* Returns: the table, NULL if the XSDT has none such */
static const uint8_t *
find_table(const Loaded *loaded, const char *signature)
{
    const uint8_t *xsdt = table_at(loaded, le(loaded->rsdp + 24, 8));

    assert_sum(loaded->rsdp, 20);
    assert_sum(loaded->rsdp, 36);
    assert_memory_equal(xsdt, "XSDT", 4);
    for (size_t at = 36; at < le(xsdt + 4, 4); at += 8) {
        const uint8_t *table = table_at(loaded, le(xsdt + at, 8));

        if (memcmp(table, signature, 4) == 0)
            return table;
    }
    return NULL;
}

static void
check_tables(EngineMachine machine, uint64_t ecam)
{
    g_autofree uint8_t *tables = NULL, *rsdp = NULL;
    const uint8_t *fadt, *mcfg;
    Loaded loaded;
    Fixture f;

    begin(&f, machine, 64 << 20);
    if (ecam) {
        fake_out(f.engine, 0xcf8, 4, 0x80000060);
        fake_out(f.engine, 0xcfc, 4, ecam | 1);
    }
    load_tables(&f, &loaded);
    tables = loaded.tables;
    rsdp = loaded.rsdp;
    fadt = find_table(&loaded, "FACP");
    assert_non_null(fadt);
    assert_memory_equal(table_at(&loaded, le(fadt + 40, 4)), "DSDT", 4);
    assert_int_equal(le(fadt + 140, 8), le(fadt + 40, 4));
    assert_memory_equal(tables + (le(fadt + 36, 4) - TABLES_AT), "FACS", 4);
    mcfg = find_table(&loaded, "MCFG");
    assert_int_equal(!!mcfg, !!ecam);
    if (mcfg)
        assert_int_equal(le(mcfg + 44, 8), ecam);
    end(&f);
}

/* The tables say where the firmware has put the configuration window, wherever
 * that is. */
static void
test_tables(void **state)
{
    check_tables(ENGINE_MACHINE_PC, 0);
    check_tables(ENGINE_MACHINE_Q35, 0);
    check_tables(ENGINE_MACHINE_Q35, 0xb0000000);
    check_tables(ENGINE_MACHINE_Q35, 0xe0000000);
}

/* UEFI firmware looks for a serial port and a keyboard only behind a bridge
 * that decodes ports and memory, and it does not switch that on. */
static void
test_isa_bridge_decodes(void **state)
{
    static const struct {
        EngineMachine machine;
        unsigned slot;
    } cases[] = { { ENGINE_MACHINE_Q35, 31 }, { ENGINE_MACHINE_PC, 1 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint32_t command = 0x80000004u | cases[i].slot << 11;
        Fixture f;

        begin(&f, cases[i].machine, 64 << 20);
        fake_device_new(f.engine, &engine_pm_type, 0);
        fake_device_new(f.engine, &engine_lpc_type, 0);
        fake_out(f.engine, 0xcf8, 4, command);
        assert_int_equal(fake_in(f.engine, 0xcfc, 2), 7);
        fake_out(f.engine, 0xcfc, 2, 0);
        assert_int_equal(fake_in(f.engine, 0xcfc, 2) & 7, 7);
        end(&f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent_without_firmware),
        cmocka_unit_test(test_items_by_ports),
        cmocka_unit_test(test_dma),
        cmocka_unit_test(test_dma_refuses),
        cmocka_unit_test(test_memory_map),
        cmocka_unit_test(test_boot),
        cmocka_unit_test(test_boot_order),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_isa_bridge_decodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
